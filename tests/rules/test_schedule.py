"""Is a backup due? Nights without power, cuts in the middle, clocks that jump."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from backups.schedule import Depth, Moment, Proofs, Reason, Rhythm, base_due, due, newest_slot, next_slot, proof_due

WITA = ZoneInfo("Asia/Makassar")
OFFICE = Rhythm(time(22, 0), WITA, timedelta(minutes=10))
UP_LONG = timedelta(days=3)


def at(text: str, boot: str = "a", up: timedelta = UP_LONG) -> Moment:
    """A moment of November 2026 in Makassar: "21 22:00" is the 21st at 22:00."""
    day, clock = text.split()
    return Moment(datetime.fromisoformat(f"2026-11-{day}T{clock}").replace(tzinfo=WITA).astimezone(UTC), boot, up)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


@pytest.mark.parametrize(
    ("now", "last_good", "reason"),
    [
        # an ordinary week
        (at("21 21:59:59"), at("20 22:00"), None),
        (at("21 22:00"), at("20 22:00"), Reason.ON_TIME),
        (at("21 22:04"), at("20 22:00"), Reason.ON_TIME),
        (at("21 22:06"), at("20 22:00"), Reason.LATE),
        (at("21 22:10"), at("21 22:00:10"), None),
        (at("22 09:00"), at("21 22:00:10"), None),
        # never yet
        (at("21 12:00"), None, Reason.FIRST),
        (at("21 12:00", up=minutes(9)), None, None),
        # somebody made one by hand: before the slot it does not replace the night's, after it it does
        (at("21 22:00"), at("21 21:30"), Reason.ON_TIME),
        (at("22 21:00"), at("22 08:00"), None),
        # off at night: after the start and the delay, and not before
        (at("22 07:00", "b", minutes(1)), at("20 22:00"), None),
        (at("22 07:09", "b", minutes(9.9)), at("20 22:00"), None),
        (at("22 07:10", "b", minutes(10)), at("20 22:00"), Reason.LATE),
        # three nights off are one run
        (at("24 07:10", "b", minutes(10)), at("20 22:00"), Reason.LATE),
        (at("24 07:20", "b", minutes(20)), at("24 07:10", "b", minutes(10)), None),
        # the mains came back shortly before the slot
        (at("21 22:00", "b", minutes(2)), at("20 22:00"), None),
        (at("21 22:08", "b", minutes(10)), at("20 22:00"), Reason.LATE),
        # reboots every five minutes never start one
        (at("22 07:05", "c", minutes(5)), at("20 22:00"), None),
    ],
)
def test_nights(now: Moment, last_good: Moment | None, reason: Reason | None) -> None:
    assert due(now, last_good, last_good, OFFICE) is reason


@pytest.mark.parametrize(
    ("now", "last_attempt", "reason"),
    [
        # it failed: not again every half minute, but within the hour
        (at("21 22:01", up=UP_LONG + minutes(1)), at("21 22:00"), None),
        (at("21 22:59", up=UP_LONG + minutes(59)), at("21 22:00"), None),
        (at("21 23:00", up=UP_LONG + minutes(60)), at("21 22:00"), Reason.LATE),
        # the machine was cut off in the middle: after the start and the delay
        (at("21 22:20", "b", minutes(5)), at("21 22:00"), None),
        (at("21 22:25", "b", minutes(10)), at("21 22:00"), Reason.LATE),
        # the clock jumped since the attempt: uptime counts
        (at("21 22:01", up=UP_LONG + minutes(61)), at("25 22:00"), Reason.ON_TIME),
    ],
)
def test_after_an_attempt_that_did_not_end_well(now: Moment, last_attempt: Moment, reason: Reason | None) -> None:
    assert due(now, at("20 22:00"), last_attempt, OFFICE) is reason


@pytest.mark.parametrize(
    ("now", "last_good", "reason"),
    [
        # forward over the slot while running: at the next tick
        (at("22 03:00"), at("20 22:00"), Reason.LATE),
        # a small step back behind a run just made: nothing
        (at("21 21:59", up=UP_LONG + minutes(1)), at("21 22:00:30"), None),
        (at("21 22:00", up=UP_LONG + minutes(2)), at("21 22:00:30"), None),
        (at("21 20:00", up=UP_LONG + minutes(1)), at("21 22:00:30"), None),
        # far back in one boot (a last run dated 2031): one a day of uptime
        (at("21 22:00", up=UP_LONG + minutes(30)), Moment(datetime(2031, 1, 1, tzinfo=UTC), "a", UP_LONG), None),
        (at("21 22:00", up=UP_LONG + minutes(1440)), Moment(datetime(2031, 1, 1, tzinfo=UTC), "a", UP_LONG), Reason.CLOCK),
        # the next boot has the right clock again: one run, and the nights after it as always
        (at("21 12:00", "b", minutes(10)), Moment(datetime(2031, 1, 1, tzinfo=UTC), "a", UP_LONG), Reason.CLOCK),
        # a dead clock battery: 1970 until the network answers
        (Moment(datetime(1970, 1, 1, 0, 10, tzinfo=UTC), "b", minutes(10)), at("20 22:00"), Reason.CLOCK),
        (at("21 12:00", "b", minutes(20)), Moment(datetime(1970, 1, 1, 0, 10, tzinfo=UTC), "b", minutes(10)), Reason.LATE),
    ],
)
def test_clocks_that_jump(now: Moment, last_good: Moment, reason: Reason | None) -> None:
    assert due(now, last_good, last_good, OFFICE) is reason


def test_one_run_a_night_however_often_one_asks() -> None:
    good, runs, now = at("01 22:00"), 0, at("02 00:00")
    for _ in range(14 * 24 * 60):
        now = Moment(now.at + minutes(1), "a", now.uptime + minutes(1))
        if due(now, good, good, OFFICE):
            good, runs = now, runs + 1
    assert runs == 14
    assert good.at.astimezone(WITA).time() == time(22, 0)


@pytest.mark.parametrize(
    ("now", "newest", "following"),
    [("21 22:00", "21 22:00", "22 22:00"), ("21 21:59", "20 22:00", "21 22:00"), ("22 00:00", "21 22:00", "22 22:00")],
)
def test_slots(now: str, newest: str, following: str) -> None:
    assert newest_slot(at(now).at, OFFICE) == at(newest).at
    assert next_slot(at(now).at, OFFICE) == at(following).at


# 16 November 2026 is a Monday. The office closes at 16:00, on Fridays at 11:30, and switches the node off then.
CLOSING = Rhythm(time(22, 0), WITA, timedelta(minutes=10), closing={**dict.fromkeys(range(4), time(15, 30)), 4: time(11, 0)})


@pytest.mark.parametrize(
    ("now", "last_good", "reason"),
    [
        (at("16 15:29"), at("13 11:00"), None),
        (at("16 15:30"), at("13 11:00"), Reason.ON_TIME),
        (at("20 11:00"), at("19 15:30"), Reason.ON_TIME),
        # nothing is missed over the weekend, nor in the evening
        (at("22 12:00"), at("20 11:00"), None),
        (at("19 23:00"), at("19 15:30"), None),
        # the mains failed on Friday morning: made up for on Monday
        (at("23 08:00", "b", minutes(10)), at("19 15:30"), Reason.LATE),
    ],
)
def test_an_office_that_switches_off_is_backed_up_before_it_closes(now: Moment, last_good: Moment, reason: Reason | None) -> None:
    assert due(now, last_good, last_good, CLOSING) is reason


@pytest.mark.parametrize(
    ("steady", "reason"),
    [(None, Reason.LATE), (minutes(0), None), (minutes(9.9), None), (minutes(10), Reason.LATE), (minutes(600), Reason.LATE)],
)
def test_after_a_cut_the_mains_must_hold_before_what_is_late_is_made(steady: timedelta | None, reason: Reason | None) -> None:
    assert due(at("22 09:00"), at("20 22:00"), at("20 22:00"), OFFICE, steady) is reason


def test_another_time_zone_moves_the_slot_and_loses_no_night() -> None:
    """The node moves from Makassar to Jayapura, an hour ahead: one run each night all the same."""
    east = Rhythm(time(22, 0), ZoneInfo("Asia/Jayapura"), timedelta(minutes=10))
    assert due(at("21 22:30"), at("21 22:00"), at("21 22:00"), east) is None
    assert due(at("22 20:59"), at("21 22:00"), at("21 22:00"), east) is None
    assert due(at("22 21:00"), at("21 22:00"), at("21 22:00"), east) is Reason.ON_TIME


def proofs(rehearsal: Moment | None, all_data: Moment | None) -> dict[Depth, Moment]:
    found = {Depth.REHEARSAL: rehearsal, Depth.ALL_DATA: all_data}
    return {depth: moment for depth, moment in found.items() if moment is not None}


@pytest.mark.parametrize(
    ("now", "rehearsal", "all_data", "depth"),
    [
        # never yet: first the shorter one, then the longer
        (at("21 12:00"), None, None, Depth.REHEARSAL),
        (at("21 12:00"), at("20 22:10"), None, Depth.ALL_DATA),
        # once a week, in the night of the backup that completes it
        (at("20 22:10"), at("14 22:10"), at("14 22:30"), None),
        (at("21 21:00"), at("14 22:10"), at("14 22:30"), None),
        (at("21 22:10"), at("14 22:10"), at("14 22:30"), Depth.REHEARSAL),
        # one that fell into the day comes back into the night
        (at("20 22:10"), at("14 10:01"), at("14 22:30"), None),
        (at("21 22:10"), at("14 10:01"), at("14 22:30"), Depth.REHEARSAL),
        # a month
        (at("29 22:10"), at("28 22:10"), at("01 22:30"), None),
        (at("30 22:10"), at("28 22:10"), at("01 09:00"), Depth.ALL_DATA),
        # just started
        (at("21 22:10", "b", minutes(5)), at("01 22:00"), None, None),
        # the clock went back behind the last one: once a boot
        (at("21 22:10"), Moment(datetime(2031, 1, 1, tzinfo=UTC), "a", UP_LONG), at("14 22:30"), None),
        (at("21 22:10", "b"), Moment(datetime(2031, 1, 1, tzinfo=UTC), "a", UP_LONG), at("14 22:30"), Depth.REHEARSAL),
    ],
)
def test_proofs(now: Moment, rehearsal: Moment | None, all_data: Moment | None, depth: Depth | None) -> None:
    assert proof_due(now, Proofs(at("01 08:00", "z"), proofs(rehearsal, all_data)), OFFICE) is depth


def test_a_proof_that_failed_is_tried_again_after_a_day_and_waits_for_the_mains() -> None:
    good, tried = proofs(at("01 22:00"), at("20 22:00")), proofs(at("21 22:00"), at("20 22:00"))
    known = Proofs(at("01 08:00"), good, tried)
    assert proof_due(at("22 21:00", up=UP_LONG + minutes(60 * 23)), known, OFFICE) is None
    assert proof_due(at("22 22:05", up=UP_LONG + minutes(60 * 24 + 5)), known, OFFICE) is Depth.REHEARSAL
    assert proof_due(at("22 22:05", up=UP_LONG + minutes(60 * 24 + 5)), known, OFFICE, minutes(3)) is None


def test_the_first_proof_comes_in_the_night_after_the_first_backup() -> None:
    assert proof_due(at("21 12:00"), Proofs(), OFFICE) is None
    known = Proofs(at("21 10:00"))
    assert proof_due(at("21 21:59"), known, OFFICE) is None
    assert proof_due(at("21 22:05"), known, OFFICE) is Depth.REHEARSAL


@pytest.mark.parametrize(
    ("now", "last_attempt", "steady", "allowed"),
    [
        (at("21 12:00"), None, None, True),
        (at("21 12:00"), at("20 22:00", up=UP_LONG - minutes(840)), None, True),
        # good or not, one was made within the hour: another one would not mend it
        (at("21 12:00"), at("21 11:30", up=UP_LONG - minutes(30)), None, False),
        (at("21 12:00", "b", minutes(30)), at("21 11:30", "a"), None, True),
        (at("21 12:00", "b", minutes(5)), at("21 11:30", "a"), None, False),
        (at("21 12:00"), None, minutes(5), False),
    ],
)
def test_when_a_backup_is_made_for_the_log_to_go_on_from(
    now: Moment, last_attempt: Moment | None, steady: timedelta | None, allowed: bool
) -> None:
    assert base_due(now, last_attempt, OFFICE, steady) is allowed
