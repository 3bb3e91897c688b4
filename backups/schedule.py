"""Is a backup due now? Pure: two moments in, a reason or none out.

The record is the last good run and the last attempt, each with wall clock, boot and uptime. So a night without power is made up
for once after the start, a run cut off is made again, and a clock that jumps does neither lose nights nor start a flood:

    on time at 22:00 → on time          off at 22:00, on at 07:00 → late, after the boot delay
    three nights off → one run          cut off in the middle → again, after the boot delay
    failed → again after an hour        clock far back → one run for this boot, then one a day of uptime
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from enum import StrEnum

RETRY = timedelta(hours=1)
LATE = timedelta(minutes=5)
DAY = timedelta(days=1)


class Reason(StrEnum):
    """Why a backup is due."""

    FIRST = "first"
    ON_TIME = "on-time"
    LATE = "late"
    CLOCK = "clock"


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
    """When backups shall be made: daily at `time` in `zone`, not sooner than `boot_delay` after a start."""

    time: time
    zone: tzinfo
    boot_delay: timedelta
    retry: timedelta = RETRY


def due(now: Moment, last_good: Moment | None, last_attempt: Moment | None, rhythm: Rhythm) -> Reason | None:
    """Why a backup is due now, or None. Moments are those of the runs' starts, in the order in which they were made."""
    # A machine that lost the mains and has it again may lose it again soon.
    if now.uptime < rhythm.boot_delay or _failed_just_now(now, last_good, last_attempt, rhythm):
        return None
    if last_good is None:
        return Reason.FIRST
    if last_good.at > now.at + LATE:
        return _after_the_clock_went_back(now, last_good)
    slot = newest_slot(now.at, rhythm)
    if last_good.at >= slot:
        return None
    return Reason.LATE if now.at - slot > LATE else Reason.ON_TIME


def _failed_just_now(now: Moment, last_good: Moment | None, last_attempt: Moment | None, rhythm: Rhythm) -> bool:
    if last_attempt is None or last_attempt == last_good or last_attempt.boot != now.boot:
        return False
    return now.since(last_attempt) < rhythm.retry


def _after_the_clock_went_back(now: Moment, last_good: Moment) -> Reason | None:
    """Dates say nothing then: once a boot, and once a day of uptime."""
    return Reason.CLOCK if now.boot != last_good.boot or now.since(last_good) >= DAY else None


def newest_slot(at: datetime, rhythm: Rhythm) -> datetime:
    """The newest planned moment that is not after `at`."""
    local = at.astimezone(rhythm.zone)
    slot = datetime.combine(local.date(), rhythm.time, rhythm.zone)
    return slot if slot <= at else datetime.combine(local.date() - DAY, rhythm.time, rhythm.zone)


def next_slot(at: datetime, rhythm: Rhythm) -> datetime:
    """The next planned moment after `at`."""
    return datetime.combine(newest_slot(at, rhythm).astimezone(rhythm.zone).date() + DAY, rhythm.time, rhythm.zone)
