"""Which backups stay, as a table of nights."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backups.retention import keep
from backups.settings import Retention

WITA = ZoneInfo("Asia/Makassar")
NIGHT = datetime(2026, 11, 22, 22, 0, tzinfo=WITA)
OFFICE = Retention(14, 8, 12, 3)


def nights(count: int, step: timedelta = timedelta(days=1)) -> dict[int, datetime]:
    """Runs 1..count, the last of them at NIGHT."""
    return {number: NIGHT - (count - number) * step for number in range(1, count + 1)}


@pytest.mark.parametrize(
    ("rule", "count", "kept"),
    [
        (Retention(3, 0, 0, 0, newest=1), 10, {8, 9, 10}),
        (Retention(1, 0, 0, 0, newest=3), 10, {8, 9, 10}),
        (Retention(1, 0, 0, 0, newest=0), 10, {10}),
        (Retention(0, 2, 0, 0, newest=1), 10, {3, 10}),  # Sunday 22 November and the Sunday before: 15, number 3
        (Retention(0, 0, 2, 0, newest=1), 40, {18, 40}),  # 31 October is 22 nights before
        (Retention(0, 0, 0, 2, newest=1), 400, {74, 400}),  # 31 December 2025 is 326 nights before
        (OFFICE, 0, set()),
        (OFFICE, 1, {1}),
    ],
)
def test_the_newest_of_each_period_stays(rule: Retention, count: int, kept: set[int]) -> None:
    assert keep(nights(count), rule, NIGHT, WITA) == kept


def test_days_are_those_of_the_office() -> None:
    # 23:30 and 00:30 in Makassar: two days there, one day in UTC
    runs = {1: datetime(2026, 11, 21, 23, 30, tzinfo=WITA), 2: datetime(2026, 11, 22, 0, 30, tzinfo=WITA)}
    assert keep(runs, Retention(5, 0, 0, 0, newest=1), NIGHT, WITA) == {1, 2}
    assert keep(runs, Retention(5, 0, 0, 0, newest=1), NIGHT, UTC) == {2}


def test_a_run_dated_in_the_future_takes_no_place_for_ever() -> None:
    runs = nights(10)
    runs[5] = NIGHT + timedelta(days=5 * 365)
    assert keep(runs, Retention(3, 0, 0, 0, newest=1), NIGHT, WITA) == {8, 9, 10}


def test_a_clock_that_went_back_does_not_cost_the_newest() -> None:
    runs = {**nights(10), 11: datetime(1970, 1, 1, 1, tzinfo=UTC)}
    assert {9, 10, 11} <= keep(runs, Retention(3, 0, 0, 0, newest=3), NIGHT, WITA)


@given(
    dates=st.lists(st.datetimes(datetime(1970, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)), max_size=40),  # noqa: DTZ001
    daily=st.integers(0, 5),
    newest=st.integers(0, 5),
)
def test_the_newest_always_stays_and_nothing_unknown_appears(dates: list[datetime], daily: int, newest: int) -> None:
    runs = dict(enumerate(dates, 1))
    kept = keep(runs, Retention(daily, 1, 1, 1, newest=newest), NIGHT, WITA)
    assert kept <= runs.keys()
    assert set(sorted(runs)[-max(newest, 1) :]) <= kept


@pytest.mark.parametrize(
    ("proven", "kept"),
    [
        ((), {8, 9, 10}),
        # what was restored last stays, however old, until a newer one was
        ((2,), {2, 8, 9, 10}),
        ((2, 5), {5, 8, 9, 10}),
        ((2, 9), {8, 9, 10}),
        ((99,), {8, 9, 10}),
    ],
)
def test_the_newest_that_was_restored_stays_until_a_newer_one_was(proven: tuple[int, ...], kept: set[int]) -> None:
    assert keep(nights(10), Retention(3, 0, 0, 0, newest=1), NIGHT, WITA, proven) == kept
