"""The monthly window: what comes after the cut-off belongs to the next month, whatever holidays and short months there are."""

from __future__ import annotations

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.casework.deadlines import Calendar
from appliance.proposals.windows import Rule, is_period, next_period, rule_for, window_of, window_on, working_days_left

ZONE = ZoneInfo("Asia/Makassar")
USUAL = Calendar(ZONE)


@pytest.mark.parametrize(
    ("rule", "period", "holidays", "opens", "closes"),
    [
        (Rule(), "2026-11", (), date(2026, 11, 1), date(2026, 11, 17)),
        # the 17th of January is a Sunday
        (Rule(), "2027-01", (), date(2027, 1, 1), date(2027, 1, 15)),
        (Rule(), "2027-01", (date(2027, 1, 15),), date(2027, 1, 1), date(2027, 1, 14)),
        (Rule(3, 31), "2027-02", (), date(2027, 2, 3), date(2027, 2, 26)),
        # free from the first to the last day: the day stands as it was set
        (Rule(16, 17), "2026-05", (), date(2026, 5, 16), date(2026, 5, 17)),
    ],
)
def test_the_window_of_a_month(rule: Rule, period: str, holidays: tuple[date, ...], opens: date, closes: date) -> None:
    found = window_of({"": rule}, period, Calendar(ZONE, holidays=frozenset(holidays)))
    assert (found.period, found.opens, found.closes) == (period, opens, closes)


@pytest.mark.parametrize(
    ("day", "period"),
    [
        (date(2026, 11, 17), "2026-11"),
        (date(2026, 11, 18), "2026-12"),
        (date(2026, 12, 31), "2027-01"),
        (date(2027, 1, 15), "2027-01"),
        (date(2027, 1, 16), "2027-02"),
    ],
)
def test_the_month_that_a_day_counts_for(day: date, period: str) -> None:
    assert window_on({}, day, USUAL).period == period


def test_a_month_of_its_own_goes_before_the_usual_rule() -> None:
    rules = {"": Rule(1, 17), "2026-12": Rule(1, 11)}
    assert rule_for(rules, "2026-12").closes_day == 11
    assert window_on(rules, date(2026, 12, 14), USUAL).period == "2027-01"
    assert window_on(rules, date(2026, 11, 16), USUAL).period == "2026-11"


@pytest.mark.parametrize(
    ("today", "left"), [(date(2026, 11, 16), 1), (date(2026, 11, 17), 0), (date(2026, 11, 18), 0), (date(2026, 11, 13), 2)]
)
def test_working_days_that_are_left(today: date, left: int) -> None:
    assert working_days_left(USUAL, today, date(2026, 11, 17)) == left


def test_what_is_a_month() -> None:
    assert [text for text in ("2026-11", "2026-13", "11-2026", "", "2026-1", "2026-011") if is_period(text)] == ["2026-11"]
    assert next_period("2026-12") == "2027-01"


@given(
    st.dates(date(2025, 1, 1), date(2030, 1, 1)),
    st.integers(1, 31),
    st.integers(1, 31),
    st.sets(st.integers(0, 2000), max_size=40),
)
def test_each_day_counts_for_one_month_and_later_days_never_for_an_earlier_one(
    day: date, one: int, other: int, free: set[int]
) -> None:
    rules = {"": Rule(min(one, other), max(one, other))}
    calendar = Calendar(ZONE, holidays=frozenset(date(2025, 1, 1) + timedelta(days=ahead) for ahead in free))
    found, later = (window_on(rules, at, calendar) for at in (day, day + timedelta(days=1)))
    assert day <= found.closes
    assert found.opens <= found.closes
    assert found.period <= later.period
    assert found.period in (f"{day:%Y-%m}", next_period(f"{day:%Y-%m}"))
