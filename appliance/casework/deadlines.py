"""Until when something is due, over the office's own calendar. Pure: calendar and history are handed in.

A due time is computed anew from what happened, never counted up: the same history and calendar give the same time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from appliance.models.states import CLOCK_STOPPED, ENDED, Priority

STANDING = frozenset(state.value for state in CLOCK_STOPPED | ENDED)
REOPENED = "buka_kembali"
PRIORITY_CHANGED = "ubah_prioritas"
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Opening:
    """When the office opens and closes on a day, by the clock on its wall. Raises ValueError when it closes before it opens."""

    opens: time
    closes: time

    def __post_init__(self) -> None:
        if self.closes <= self.opens:
            raise ValueError("an office closes after it opens")


# From Monday to Sunday; None is a free day.
Week = tuple[Opening | None, ...]
_USUAL_DAY = Opening(time(8), time(16))
USUAL_WEEK: Week = (*[_USUAL_DAY] * 5, None, None)


@dataclass(frozen=True)
class Period:
    """Other hours from one day to another, both included: Ramadan."""

    starts: date
    ends: date
    week: Week


@dataclass(frozen=True)
class Calendar:
    """When the office works. A period that begins later goes before one that began earlier.

    Raises ValueError for a usual week without a working day: nothing would ever be due.
    """

    zone: ZoneInfo
    week: Week = USUAL_WEEK
    periods: tuple[Period, ...] = ()
    holidays: frozenset[date] = frozenset()

    def __post_init__(self) -> None:
        if not any(self.week):
            raise ValueError("the office works on no day of the week")

    def day_of(self, at: datetime) -> date:
        """The day of the office at this moment."""
        return at.astimezone(self.zone).date()

    def hours_on(self, day: date) -> tuple[datetime, datetime] | None:
        """From when to when the office works on this day, in UTC; None on a free day."""
        if day in self.holidays:
            return None
        fitting = [period for period in self.periods if period.starts <= day <= period.ends]
        week = max(fitting, key=lambda period: period.starts).week if fitting else self.week
        opening = week[day.weekday()]
        if opening is None:
            return None
        opens, closes = (datetime.combine(day, clock, self.zone).astimezone(UTC) for clock in (opening.opens, opening.closes))
        return opens, closes

    def is_open(self, at: datetime) -> bool:
        """Whether the office works at this moment."""
        hours = self.hours_on(self.day_of(at))
        return hours is not None and hours[0] <= at < hours[1]


class Unit(StrEnum):
    MINUTES = "menit"
    DAYS = "hari_kerja"


@dataclass(frozen=True)
class Limit:
    """How long something may take: minutes of working time, or working days after the first day."""

    amount: int
    unit: Unit = Unit.DAYS

    def for_priority(self, priority: Priority) -> Limit:
        """An emergency may take a working day at most, what is fast half of the usual; never nothing at all."""
        if priority is Priority.NORMAL:
            return self
        if priority is Priority.EMERGENCY and self.unit is Unit.DAYS:
            return Limit(min(1, self.amount), Unit.DAYS)
        return Limit(max(min(1, self.amount), self.amount // 2), self.unit)


@dataclass(frozen=True)
class Step:
    """One fact of a case's history, as far as its due time goes. `due`: what a manager set by hand with it."""

    action: str
    state_to: str
    at: datetime
    due: datetime | None = None


def due_after(calendar: Calendar, start: datetime, limit: Limit) -> datetime:
    """The moment in UTC until which something that begins at `start` is due."""
    if limit.unit is Unit.MINUTES:
        return add_worked(calendar, start, timedelta(minutes=limit.amount))
    return close_of(calendar, start, limit.amount)


def close_of(calendar: Calendar, start: datetime, days: int) -> datetime:
    """The close of the working day that is `days` working days after the day of `start`; 0 is that day, or the first after it."""
    day = calendar.day_of(start)
    hours = calendar.hours_on(day)
    left = days
    while left > 0 or hours is None:
        day += _DAY
        hours = calendar.hours_on(day)
        if hours:
            left -= 1
    return hours[1]


def add_worked(calendar: Calendar, start: datetime, worked: timedelta) -> datetime:
    """The moment at which the office has worked for `worked` since `start`. No time at all gives `start` itself."""
    if worked <= timedelta(0):
        return start
    day = calendar.day_of(start)
    while True:
        hours = calendar.hours_on(day)
        if hours:
            begin = max(start, hours[0])
            if hours[1] - begin >= worked:
                return begin + worked
            worked -= max(hours[1] - begin, timedelta(0))
        day += _DAY


def worked_between(calendar: Calendar, start: datetime, end: datetime) -> timedelta:
    """For how long the office worked between two moments; nothing when the second is not the later one."""
    total, day, last = timedelta(0), calendar.day_of(start), calendar.day_of(end)
    while day <= last:
        hours = calendar.hours_on(day)
        if hours:
            total += max(min(end, hours[1]) - max(start, hours[0]), timedelta(0))
        day += _DAY
    return total


def begin_of_age(calendar: Calendar, at: datetime, days: int) -> datetime:
    """The earliest moment in UTC since whose day no more than `days` working days came up to `at`."""
    day, left = calendar.day_of(at), days + 1
    while True:
        left -= calendar.hours_on(day) is not None
        if left == 0:
            return datetime.combine(day, time(0), calendar.zone).astimezone(UTC)
        day -= _DAY


def due_of(calendar: Calendar, received: datetime, limit: Limit, steps: Sequence[Step]) -> datetime:
    """Until when a case is due that was received at `received` and to which `steps` happened, oldest first.

    What the clock stood still is added in working time, unless the case was late when it was stopped: a limit that was missed
    stays missed. Reopened, a case has its whole limit again. What was set by hand holds until the priority changes.
    """
    due, stopped = due_after(calendar, received, limit), None
    changed = max((place for place, step in enumerate(steps) if step.action == PRIORITY_CHANGED), default=-1)
    for place, step in enumerate(steps):
        if step.state_to in STANDING:
            stopped = stopped or step.at
            continue
        if step.action == REOPENED:
            due = due_after(calendar, step.at, limit)
        elif stopped and stopped < due:
            due = add_worked(calendar, due, worked_between(calendar, stopped, step.at))
        stopped = None
        if step.due and place > changed:
            due = step.due
    return due
