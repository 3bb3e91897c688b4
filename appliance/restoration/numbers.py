"""Numbers that must not be given twice after a restore. Pure.

What the replaced database had counted to is the truth, as long as it can be read and goes on from the state that comes back. Where it
is lost, a series jumps by more than the office can have given out since: a gap in a register is a question, a number on two papers a
dispute.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

A_DAY = 100
"""More than any series of one district gives out on a day."""


@dataclass(frozen=True)
class Lost:
    """From when to when nobody knows what was given out."""

    since: date
    until: date

    @property
    def jump(self) -> int:
        """How many numbers of each series are passed over; both days count, and one more for a clock that was wrong."""
        return A_DAY * (max((self.until - self.since).days, 0) + 2)

    def months(self) -> list[date]:
        """The first day of each month that it touches."""
        found = [self.since.replace(day=1)]
        while (following := (found[-1] + timedelta(days=32)).replace(day=1)) <= self.until:
            found.append(following)
        return found


def raised(stored: Mapping[str, int], seen: Mapping[str, int], lost: Lost | None, series: Collection[str]) -> dict[str, int]:
    """The last number of each series that has to be raised above what is `stored` in the state that came back.

    `seen` is what the replaced database had counted to. With `lost`, every one of `series` jumps beyond the higher of the two.
    """
    wanted = {name: max(value, stored.get(name, 0)) for name, value in seen.items()}
    if lost is not None:
        wanted |= {name: max(stored.get(name, 0), seen.get(name, 0)) + lost.jump for name in series}
    return {name: value for name, value in sorted(wanted.items()) if value > stored.get(name, 0)}


def passed_over(stored: Mapping[str, int], wanted: Mapping[str, int]) -> dict[str, list[int]]:
    """First and last of the numbers that each raised series does not give any more."""
    return {name: [stored.get(name, 0) + 1, value] for name, value in wanted.items()}
