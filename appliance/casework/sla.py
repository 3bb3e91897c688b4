"""Until when something is due, in working days of the office. Pure: holidays are handed in."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from appliance.models.states import Priority

END_OF_WORK = time(16, 0)


def days_for(working_days: int, priority: Priority) -> int:
    """The working days a case may take: an emergency one day, a fast one half of the usual, at least one."""
    match priority:
        case Priority.EMERGENCY:
            return 1
        case Priority.FAST:
            return max(1, working_days // 2)
        case _:
            return working_days


def due(start: datetime, working_days: int, zone: ZoneInfo, holidays: Collection[date] = ()) -> datetime:
    """The end of work `working_days` working days after the day of `start`. Saturday and Sunday are free."""
    day = start.astimezone(zone).date()
    while working_days > 0:
        day += timedelta(days=1)
        if day.weekday() < 5 and day not in holidays:
            working_days -= 1
    return datetime.combine(day, END_OF_WORK, zone).astimezone(UTC)
