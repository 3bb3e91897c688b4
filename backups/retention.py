"""Which backups stay. Pure: decides from the list alone.

Age is judged by order, not by date: a run cannot be older than the one before it, nor newer than now. So a backup dated 2031 by a
wrong clock takes no place for ever, and a clock that went back deletes nothing that is new.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, tzinfo

from backups.settings import Retention

Period = Callable[[datetime], tuple[int, ...]]


def keep(found: Mapping[int, datetime], rule: Retention, now: datetime, zone: tzinfo, proven: Collection[int] = ()) -> set[int]:
    """Numbers of the runs that stay, of `found` (number → date of complete runs).

    The newest of each of the last so many days, weeks, months and years that have a backup, and the newest few in any case. Of
    those that were brought back whole (`proven`) the newest stays until a newer one was.
    """
    newest_first = sorted(found, reverse=True)
    believed = _believed(found, newest_first, now)
    kept = {*newest_first[: max(rule.newest, 1)], *[number for number in newest_first if number in proven][:1]}
    periods: list[tuple[int, Period]] = [
        (rule.daily, lambda at: (at.year, at.month, at.day)),
        (rule.weekly, lambda at: tuple(at.isocalendar()[:2])),
        (rule.monthly, lambda at: (at.year, at.month)),
        (rule.yearly, lambda at: (at.year,)),
    ]
    for places, period in periods:
        taken: set[tuple[int, ...]] = set()
        for number in newest_first:
            label = period(believed[number].astimezone(zone))
            if len(taken) < places and label not in taken:
                taken.add(label)
                kept.add(number)
    return kept


def _believed(found: Mapping[int, datetime], newest_first: list[int], now: datetime) -> dict[int, datetime]:
    """Dates made to fall with the numbers, none after now."""
    believed: dict[int, datetime] = {}
    limit = now
    for number in newest_first:
        limit = min(limit, found[number])
        believed[number] = limit
    return believed
