"""Deadlines in working days of the office."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from appliance.casework.sla import days_for, due
from appliance.models.states import Priority

WITA = ZoneInfo("Asia/Makassar")


@pytest.mark.parametrize(
    ("start", "days", "end"),
    [
        ("2026-11-20 10:00", 1, "2026-11-23 16:00"),  # a Friday: Monday
        ("2026-11-20 10:00", 5, "2026-11-27 16:00"),
        ("2026-11-21 10:00", 1, "2026-11-23 16:00"),  # a Saturday
        ("2026-11-18 23:30", 1, "2026-11-19 16:00"),
        ("2026-11-20 10:00", 0, "2026-11-20 16:00"),
    ],
)
def test_saturday_and_sunday_are_free(start: str, days: int, end: str) -> None:
    begin = datetime.fromisoformat(start).replace(tzinfo=WITA)
    assert due(begin, days, WITA) == datetime.fromisoformat(end).replace(tzinfo=WITA)


def test_the_day_is_the_day_of_the_office() -> None:
    late_in_utc = datetime(2026, 11, 19, 20, 0, tzinfo=UTC)  # Friday 04.00 in Bantaeng
    assert due(late_in_utc, 1, WITA).astimezone(WITA).date() == date(2026, 11, 23)


def test_holidays_are_not_counted() -> None:
    friday = datetime(2026, 11, 20, 10, 0, tzinfo=WITA)
    assert due(friday, 1, WITA, {date(2026, 11, 23)}).astimezone(WITA).date() == date(2026, 11, 24)


def test_urgent_cases_get_less_time() -> None:
    assert [days_for(14, priority) for priority in (Priority.NORMAL, Priority.FAST, Priority.EMERGENCY)] == [14, 7, 1]
    assert days_for(1, Priority.FAST) == 1
