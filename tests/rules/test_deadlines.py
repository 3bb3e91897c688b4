"""Due times over awkward calendars, and as a function of what happened to a case."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.casework.deadlines import (
    USUAL_WEEK,
    Calendar,
    Limit,
    Opening,
    Period,
    Step,
    Unit,
    add_worked,
    begin_of_age,
    close_of,
    due_after,
    due_of,
    worked_between,
)
from appliance.models.states import Priority

WITA = ZoneInfo("Asia/Makassar")
FRIDAY = Opening(time(7, 30), time(11, 30))
WEEK = (*USUAL_WEEK[:4], FRIDAY, None, None)
SHORT = Opening(time(8), time(15))
# From a Wednesday to Eid: 2026-02-18 to 2026-03-19.
RAMADAN = Period(date(2026, 2, 18), date(2026, 3, 19), (*[SHORT] * 4, Opening(time(8), time(11)), None, None))
EID = frozenset(date(2026, 3, day) for day in (18, 19, 20, 23, 24))
OFFICE = Calendar(WITA, WEEK, (RAMADAN,), EID | {date(2026, 12, 24), date(2026, 12, 25), date(2027, 1, 1)})
PLAIN = Calendar(WITA)


def wita(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}").replace(tzinfo=WITA)


@pytest.mark.parametrize(
    ("start", "days", "end"),
    [
        ("2026-11-20 10:00", 1, "2026-11-23 16:00"),  # a Friday: Monday
        ("2026-11-19 10:00", 1, "2026-11-20 11:30"),  # Friday closes early
        ("2026-11-21 10:00", 1, "2026-11-23 16:00"),  # a Saturday
        ("2026-11-18 23:30", 1, "2026-11-19 16:00"),
        ("2026-11-18 10:00", 0, "2026-11-18 16:00"),
        ("2026-11-21 10:00", 0, "2026-11-23 16:00"),  # the first day on which there is an office
        ("2026-12-23 15:00", 1, "2026-12-28 16:00"),  # Christmas and a weekend
        ("2026-12-31 10:00", 1, "2027-01-04 16:00"),  # New Year on a Friday
        ("2026-03-17 10:00", 1, "2026-03-25 16:00"),  # Eid: eight days in one
        ("2026-02-17 10:00", 1, "2026-02-18 15:00"),  # Ramadan begins on Wednesday
        ("2026-02-19 10:00", 1, "2026-02-20 11:00"),
    ],
)
def test_working_days_end_with_the_hours_of_their_day(start: str, days: int, end: str) -> None:
    assert close_of(OFFICE, wita(start), days) == wita(end)


@pytest.mark.parametrize(
    ("start", "minutes", "end"),
    [
        ("2026-11-18 10:00", 30, "2026-11-18 10:30"),
        ("2026-11-18 15:45", 15, "2026-11-18 16:00"),  # to the stroke of closing
        ("2026-11-18 15:45", 16, "2026-11-19 08:01"),
        ("2026-11-18 16:00", 30, "2026-11-19 08:30"),  # opened at closing time
        ("2026-11-18 05:00", 30, "2026-11-18 08:30"),
        ("2026-11-20 11:00", 60, "2026-11-23 08:30"),  # half an hour of it on Friday
        ("2026-02-17 15:30", 60, "2026-02-18 08:30"),
        ("2026-02-18 14:30", 60, "2026-02-19 08:30"),  # closes at 15.00 from that day
        ("2026-12-24 09:00", 15, "2026-12-28 08:15"),
        ("2026-11-18 10:00", 8 * 60, "2026-11-19 10:00"),
    ],
)
def test_minutes_are_minutes_of_work(start: str, minutes: int, end: str) -> None:
    assert due_after(OFFICE, wita(start), Limit(minutes, Unit.MINUTES)) == wita(end)


@pytest.mark.parametrize(("zone", "end"), [("Asia/Jakarta", "09:00"), ("Asia/Makassar", "08:00"), ("Asia/Jayapura", "07:00")])
def test_the_day_is_the_day_of_the_office(zone: str, end: str) -> None:
    late = datetime(2026, 11, 18, 16, 30, tzinfo=UTC)  # 23.30 in the west, already Thursday in the middle and the east
    day = 19 if zone == "Asia/Jakarta" else 20
    assert close_of(Calendar(ZoneInfo(zone)), late, 1) == datetime.fromisoformat(f"2026-11-{day} {end}+00:00")


@pytest.mark.parametrize(
    ("limit", "priority", "left"),
    [
        (Limit(14), Priority.NORMAL, Limit(14)),
        (Limit(14), Priority.FAST, Limit(7)),
        (Limit(14), Priority.EMERGENCY, Limit(1)),
        (Limit(1), Priority.FAST, Limit(1)),
        (Limit(0), Priority.EMERGENCY, Limit(0)),
        (Limit(30, Unit.MINUTES), Priority.EMERGENCY, Limit(15, Unit.MINUTES)),
    ],
)
def test_urgent_cases_get_less_time(limit: Limit, priority: Priority, left: Limit) -> None:
    assert limit.for_priority(priority) == left


def step(when: str, state: str, action: str = "x", due: str = "") -> Step:
    return Step(action, state, wita(when), wita(due) if due else None)


RETURNED, BACK = "PERLU_PERBAIKAN", "BARU"
# Received on Wednesday 18 November at 10.00 with three working days: Monday 23 November, 16.00.
STORIES: dict[str, tuple[list[Step], str]] = {
    "nothing happened": ([], "2026-11-23 16:00"),
    "it moves on": ([step("2026-11-19 09:00", "VERIFIKASI")], "2026-11-23 16:00"),
    "stopped for two hours of work": (
        [step("2026-11-19 09:00", RETURNED), step("2026-11-19 11:00", BACK)],
        "2026-11-24 10:00",
    ),
    "stopped over a weekend": (
        [step("2026-11-20 10:30", RETURNED), step("2026-11-23 09:00", BACK)],
        "2026-11-24 10:00",  # an hour of Friday and one of Monday
    ),
    "stopped at night": ([step("2026-11-19 18:00", RETURNED), step("2026-11-20 06:00", BACK)], "2026-11-23 16:00"),
    "stopped still": ([step("2026-11-19 09:00", RETURNED)], "2026-11-23 16:00"),
    "stopped twice": (
        [
            step("2026-11-19 09:00", RETURNED),
            step("2026-11-19 10:00", BACK),
            step("2026-11-23 14:00", "MENUNGGU_LUAR"),
            step("2026-11-23 15:00", "TINDAK_LANJUT"),
        ],
        "2026-11-24 10:00",
    ),
    "papers added while stopped": (
        [step("2026-11-19 09:00", RETURNED), step("2026-11-19 10:00", RETURNED), step("2026-11-19 11:00", BACK)],
        "2026-11-24 10:00",
    ),
    "late when it was stopped": (
        [step("2026-11-24 09:00", RETURNED), step("2026-11-26 09:00", BACK)],
        "2026-11-23 16:00",
    ),
    "reopened": (
        [step("2026-11-19 09:00", "SELESAI"), step("2026-11-25 09:00", "TELAAH", "buka_kembali")],
        "2026-11-30 16:00",
    ),
    "taken for a double by mistake": (
        [step("2026-11-19 09:00", "DUPLIKAT"), step("2026-11-19 13:00", "VERIFIKASI", "batalkan_tanda")],
        "2026-11-24 12:00",
    ),
    "set by hand": ([step("2026-11-19 09:00", BACK, "ubah_batas", "2026-12-01 16:00")], "2026-12-01 16:00"),
    "set by hand, then stopped": (
        [
            step("2026-11-19 09:00", BACK, "ubah_batas", "2026-12-01 16:00"),
            step("2026-11-30 09:00", RETURNED),
            step("2026-11-30 10:00", BACK),
        ],
        "2026-12-02 09:00",
    ),
    "set by hand, then of another priority": (
        [step("2026-11-19 09:00", BACK, "ubah_batas", "2026-12-01 16:00"), step("2026-11-19 10:00", BACK, "ubah_prioritas")],
        "2026-11-23 16:00",
    ),
    "set by hand, then reopened": (
        [
            step("2026-11-19 09:00", BACK, "ubah_batas", "2026-12-01 16:00"),
            step("2026-11-19 10:00", "SELESAI"),
            step("2026-11-25 09:00", "TELAAH", "buka_kembali"),
        ],
        "2026-11-30 16:00",
    ),
}


@pytest.mark.parametrize(("steps", "due"), STORIES.values(), ids=STORIES)
def test_the_due_time_follows_from_the_history(steps: list[Step], due: str) -> None:
    assert due_of(OFFICE, wita("2026-11-18 10:00"), Limit(3), steps) == wita(due)


def test_a_new_holiday_moves_what_was_due_on_it() -> None:
    added = Calendar(WITA, WEEK, (), frozenset({date(2026, 11, 23)}))
    assert due_of(added, wita("2026-11-18 10:00"), Limit(3), []) == wita("2026-11-24 16:00")


def test_of_two_periods_the_later_one_holds() -> None:
    fair = Period(date(2026, 3, 2), date(2026, 3, 3), (Opening(time(9), time(17)),) * 7)
    both = Calendar(WITA, WEEK, (RAMADAN, fair))
    assert [close_of(both, wita("2026-02-28 10:00"), days) for days in (1, 3)] == [
        wita("2026-03-02 17:00"),
        wita("2026-03-04 15:00"),
    ]


def test_an_office_that_never_works_is_refused() -> None:
    with pytest.raises(ValueError, match="no day"):
        Calendar(WITA, (None,) * 7)
    with pytest.raises(ValueError, match="closes after"):
        Opening(time(16), time(8))


@pytest.mark.parametrize(
    ("days", "begin"), [(0, "2026-11-18 00:00"), (1, "2026-11-17 00:00"), (3, "2026-11-13 00:00"), (7, "2026-11-09 00:00")]
)
def test_an_age_in_working_days_begins_with_a_day(days: int, begin: str) -> None:
    assert begin_of_age(OFFICE, wita("2026-11-18 10:00"), days) == wita(begin)


MINUTES = st.integers(0, 60 * 24 * 40).map(lambda minutes: wita("2026-02-10 00:00") + timedelta(minutes=minutes))


@given(start=MINUTES, worked=st.integers(1, 60 * 60).map(lambda minutes: timedelta(minutes=minutes)))
def test_what_was_added_is_what_was_worked(start: datetime, worked: timedelta) -> None:
    end = add_worked(OFFICE, start, worked)
    assert worked_between(OFFICE, start, end) == worked
    assert worked_between(OFFICE, start, end - timedelta(minutes=1)) < worked


@given(first=MINUTES, second=MINUTES, third=MINUTES)
def test_stretches_of_work_add_up(first: datetime, second: datetime, third: datetime) -> None:
    one, two, three = sorted((first, second, third))
    whole = worked_between(OFFICE, one, three)
    assert whole == worked_between(OFFICE, one, two) + worked_between(OFFICE, two, three)
    assert worked_between(OFFICE, three, one) <= timedelta(0) or one == three
