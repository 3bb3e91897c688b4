"""Is a backup due now? Pure: two moments in, a reason or none out.

The record is the last good run and the last attempt, each with wall clock, boot and uptime. So a night without power is made up
for once after the start, a run cut off is made again, and a clock that jumps does neither lose nights nor start a flood:

    on time at 22:00 → on time          off at 22:00, on at 07:00 → late, after the boot delay
    three nights off → one run          cut off in the middle → again, after the boot delay
    failed → again after an hour        clock far back → one run for this boot, then one a day of uptime

An office that cuts its own power in the evening has its slots before it closes, on its working days. What is due once the mains is
back waits until it has held for as long as after a start.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from datetime import time as local_time
from enum import StrEnum

RETRY = timedelta(hours=1)
LATE = timedelta(minutes=5)
DAY = timedelta(days=1)
WEEK_DAYS = 7


class Reason(StrEnum):
    """Why a backup is due."""

    FIRST = "first"
    ON_TIME = "on-time"
    LATE = "late"
    CLOCK = "clock"
    CHAIN = "chain"


class Depth(StrEnum):
    """How thoroughly a backup is proven, besides what each night proves: brought back whole, or every byte that is kept."""

    REHEARSAL = "rehearsal"
    ALL_DATA = "all-data"


# a proof that fell into the day is moved into the night by up to half a day
EVERY = {Depth.REHEARSAL: 7 * DAY, Depth.ALL_DATA: 30 * DAY}
TOLERANCE = DAY / 2


@dataclass(frozen=True)
class Moment:
    """A moment on two clocks: the wall clock (aware), which may jump, and the uptime of a boot, which may not."""

    at: datetime
    boot: str
    uptime: timedelta

    def since(self, earlier: Moment) -> timedelta:
        """Time surely passed since `earlier`: by uptime within one boot, else the uptime of this boot."""
        return self.uptime - earlier.uptime if self.boot == earlier.boot else self.uptime


@dataclass(frozen=True)
class Rhythm:
    """When backups shall be made: daily at `time` in `zone`, not sooner than `boot_delay` after a start or the mains' return.

    With `closing` (weekday, Monday 0 → time) on those days only, at that time.
    """

    time: local_time
    zone: tzinfo
    boot_delay: timedelta
    retry: timedelta = RETRY
    closing: Mapping[int, local_time] = field(default_factory=dict)

    def time_on(self, day: date) -> local_time | None:
        """The slot of a day, if it has one."""
        return self.closing.get(day.weekday()) if self.closing else self.time


def due(
    now: Moment, last_good: Moment | None, last_attempt: Moment | None, rhythm: Rhythm, steady: timedelta | None = None
) -> Reason | None:
    """Why a backup is due now, or None. Moments are those of the runs' starts, in the order in which they were made.

    `steady` is for how long the mains has held, None when no cut is known since the start.
    """
    if _is_restless(now, rhythm, steady) or _failed_just_now(now, last_good, last_attempt, rhythm):
        return None
    if last_good is None:
        return Reason.FIRST
    if last_good.at > now.at + LATE:
        return _after_the_clock_went_back(now, last_good)
    slot = newest_slot(now.at, rhythm)
    if last_good.at >= slot:
        return None
    return Reason.LATE if now.at - slot > LATE else Reason.ON_TIME


def base_due(now: Moment, last_attempt: Moment | None, rhythm: Rhythm, steady: timedelta | None = None) -> bool:
    """Whether a backup may be made now for the log that is carried over to go on from, after its chain broke."""
    just_tried = last_attempt is not None and last_attempt.boot == now.boot and now.since(last_attempt) < rhythm.retry
    return not just_tried and not _is_restless(now, rhythm, steady)


@dataclass(frozen=True)
class Proofs:
    """What was proven so far: when the first backup was made, when each proof was last made well, and when last tried."""

    first_backup: Moment | None = None
    good: Mapping[Depth, Moment] = field(default_factory=dict)
    tried: Mapping[Depth, Moment] = field(default_factory=dict)


def proof_due(now: Moment, known: Proofs, rhythm: Rhythm, steady: timedelta | None = None) -> Depth | None:
    """Which proof is due now, after the backup of the newest slot was made. One that failed is tried again after a day.

    The first ones come in the night after the first backup, not while the node is being set up.
    """
    if known.first_backup is None or _is_restless(now, rhythm, steady):
        return None
    for depth, every in EVERY.items():
        tried = known.tried.get(depth)
        just_tried = tried is not None and tried.boot == now.boot and now.since(tried) < DAY
        if not just_tried and _is_stale(now, known.good.get(depth), known.first_backup, every, rhythm):
            return depth
    return None


def _is_stale(now: Moment, proven: Moment | None, first: Moment, every: timedelta, rhythm: Rhythm) -> bool:
    if proven is None:
        return first.at < newest_slot(now.at, rhythm) or first.at > now.at + LATE
    if proven.at > now.at + LATE:
        return now.boot != proven.boot or now.since(proven) >= every
    return proven.at <= newest_slot(now.at, rhythm) - every + TOLERANCE


def _is_restless(now: Moment, rhythm: Rhythm, steady: timedelta | None) -> bool:
    """A machine that lost the mains and has it again may lose it again soon."""
    return min(now.uptime, now.uptime if steady is None else steady) < rhythm.boot_delay


def _failed_just_now(now: Moment, last_good: Moment | None, last_attempt: Moment | None, rhythm: Rhythm) -> bool:
    if last_attempt is None or last_attempt == last_good or last_attempt.boot != now.boot:
        return False
    return now.since(last_attempt) < rhythm.retry


def _after_the_clock_went_back(now: Moment, last_good: Moment) -> Reason | None:
    """Dates say nothing then: once a boot, and once a day of uptime."""
    return Reason.CLOCK if now.boot != last_good.boot or now.since(last_good) >= DAY else None


def newest_slot(at: datetime, rhythm: Rhythm) -> datetime:
    """The newest planned moment that is not after `at`."""
    return next(slot for slot in _slots(at, rhythm, -1) if slot <= at)


def next_slot(at: datetime, rhythm: Rhythm) -> datetime:
    """The next planned moment after `at`."""
    return next(slot for slot in _slots(at, rhythm, 1) if slot > at)


def _slots(at: datetime, rhythm: Rhythm, step: int) -> list[datetime]:
    """The planned moments from the day of `at` on, `step` days apart, for as long as a week has days to offer."""
    first = at.astimezone(rhythm.zone).date()
    days = (first + step * number * DAY for number in range(WEEK_DAYS + 1))
    planned = [(day, rhythm.time_on(day)) for day in days]
    return [datetime.combine(day, clock, rhythm.zone) for day, clock in planned if clock is not None]
