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


@pytest.mark.parametrize("wrong", [1, 3, 40])
@pytest.mark.parametrize("back", [datetime(1970, 1, 1, 1, tzinfo=UTC), datetime(2000, 1, 1, 1, tzinfo=UTC)])
def test_nights_of_a_clock_that_went_back_do_not_cost_what_was_there_before(wrong: int, back: datetime) -> None:
    """The battery of the clock is dead: each start, and with it each night, is of the same old day, and `now` as well."""
    whole = nights(100)
    before = keep(whole, OFFICE, NIGHT, WITA)
    kept, known = before, {number: whole[number] for number in before}
    for number in range(101, 101 + wrong):
        known[number] = back
        kept = keep(known, OFFICE, back, WITA)
        known = {one: at for one, at in known.items() if one in kept}
    assert before <= kept
    assert len(kept) <= len(before) + 4


def test_what_a_wrong_clock_left_goes_when_the_clock_is_right_again() -> None:
    known = {**nights(100), **{number: datetime(2000, 1, number - 100, tzinfo=UTC) for number in range(101, 131)}}
    for night in range(1, 60):
        now = NIGHT + timedelta(days=30 + night)
        known[130 + night] = now
        known = {one: at for one, at in known.items() if one in keep(known, OFFICE, now, WITA)}
    # one stays as the newest of the year 2000, until there are enough years
    assert len([number for number in known if 100 < number <= 130]) <= 1
    assert len([number for number in known if number > 130]) >= 14 + 3


def test_after_a_clock_that_was_far_ahead_the_nights_before_stay_and_those_of_it_go() -> None:
    whole = {**nights(100), **{number: NIGHT.replace(year=2031) + timedelta(days=number - 100) for number in range(101, 111)}}
    known = {number: whole[number] for number in keep(whole, OFFICE, max(whole.values()), WITA)}
    for night in range(1, 60):
        known[110 + night] = now = NIGHT + timedelta(days=10 + night)
        known = {one: at for one, at in known.items() if one in keep(known, OFFICE, now, WITA)}
    assert not [number for number in known if 100 < number <= 110]
    assert {number for number in known if number <= 100} <= keep(nights(100), OFFICE, NIGHT, WITA) | {100}


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
