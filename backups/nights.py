"""The book of runs as a calendar: what became of each day, and what is still there of it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta, tzinfo
from enum import StrEnum

from backups.book import BACKUP, Line, last_good
from backups.schedule import Depth


class NightState(StrEnum):
    """What became of a day: proven by a restore, read back only, failed, or nothing at all."""

    RESTORED = "restored"
    READ_BACK = "read-back"
    FAILED = "failed"
    NONE = "none"


@dataclass(frozen=True)
class Night:
    """One day. `backup` is its newest good backup, else its newest failed one; `stays` whether that is still in the repository;
    `proofs` the lines of proofs of this very backup, whenever they were made."""

    day: date
    state: NightState
    backup: Line | None = None
    stays: bool = False
    proofs: tuple[Line, ...] = ()


def nights(lines: Sequence[Line], first: date, last: date, zone: tzinfo) -> list[Night]:
    """Each day from `first` to `last`, oldest first, by the clock of `zone`."""
    newest = last_good(lines, BACKUP)
    kept = set(newest.kept) if newest else set()
    by_day: dict[date, list[Line]] = {}
    for line in lines:
        if line.kind == BACKUP:
            by_day.setdefault(line.moment.at.astimezone(zone).date(), []).append(line)
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return [_night(day, by_day.get(day, []), lines, kept) for day in days]


def _night(day: date, made: Sequence[Line], lines: Sequence[Line], kept: set[int]) -> Night:
    good = [line for line in made if line.ok]
    if not good:
        return Night(day, NightState.FAILED, made[-1]) if made else Night(day, NightState.NONE)
    proofs = tuple(line for line in lines if line.kind in set(Depth) and line.number in {one.number for one in good})
    restored = any(line.ok for line in proofs)
    state = NightState.RESTORED if restored else NightState.READ_BACK
    return Night(day, state, good[-1], bool(kept & {line.number for line in good if line.number is not None}), proofs)
