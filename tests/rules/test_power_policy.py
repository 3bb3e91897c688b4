"""When the node powers itself off: a table of outages told second by second."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from itertools import pairwise

import pytest

from appliance.power.policy import Around, Asked, Cause, Decision, HoldEnd, Memory, Stage, Step, accepts_jobs, step
from appliance.power.reading import Reading, Silence
from tests.support.outages import (
    HALF_ON,
    LIMITS,
    LOW,
    OFF,
    ON,
    SILENT,
    Scene,
    at_volts,
    decided,
    first_second,
    held,
    moment,
    play,
    reading,
    stages,
)

TEST = dataclasses.replace(reading("OB DISCHRG LB", 95), self_test=True)


@pytest.mark.parametrize(
    ("scenes", "cause", "second"),
    [
        pytest.param([(ON, 5), (OFF, 400)], Cause.TIME, 5 + 300, id="time on battery"),
        pytest.param([(ON, 5), (reading("OB", 50), 60)], Cause.CHARGE, 5 + 30 + 2, id="charge at its floor, after the grace"),
        pytest.param([(ON, 5), (reading("OB", 90, 600), 60)], Cause.RUNTIME, 5 + 30 + 2, id="runtime at its floor"),
        pytest.param([(ON, 5), (at_volts(22.9), 60)], Cause.VOLTAGE, 5 + 30 + 2, id="a voltage that contradicts the charge"),
        pytest.param([(ON, 5), (at_volts(11.4, 12.0), 60)], Cause.VOLTAGE, 5 + 30 + 2, id="the voltage of a smaller unit"),
        pytest.param([(HALF_ON, 5), (OFF, 400)], Cause.TIME, 5 + 150, id="half charged at the begin, half the time"),
        pytest.param([(reading("OL", 10), 5), (OFF, 400)], Cause.TIME, 5 + 60, id="hardly charged, but never at once"),
        pytest.param([(reading("OL", 90), 5), (OFF, 400)], Cause.TIME, 5 + 300, id="nearly full is full"),
        pytest.param(
            [(ON, 5), (OFF, 140), (HALF_ON, 29), (OFF, 200)],
            Cause.TIME,
            5 + 300,
            id="a short return does not judge the battery anew",
        ),
        pytest.param([(ON, 5), (LOW, 20)], Cause.LOW, 5 + 2, id="a low battery that the charge confirms"),
        pytest.param([(ON, 5), (reading("OB LB"), 20)], Cause.LOW, 5 + 10, id="a low battery that nothing confirms"),
        pytest.param([(LOW, 20)], Cause.LOW, 2, id="started on a low battery"),
        pytest.param([(ON, 5), (TEST, 80)], Cause.LOW, 5 + 60, id="low in its own test: believed after a minute"),
        pytest.param([(ON, 5), (reading("OB CAL", 10, 99), 80)], Cause.CHARGE, 5 + 62, id="its own test goes on too long"),
        pytest.param([(ON, 5), (OFF, 10), (SILENT, 90)], Cause.SILENT, 15 + 60, id="silent on battery"),
        pytest.param(
            [(ON, 5), (reading("OB", 90, 1000), 10), (SILENT, 90)], Cause.SILENT, 15 + 20, id="silent with little runtime"
        ),
        pytest.param([(ON, 5), (OFF, 290), (SILENT, 30)], Cause.TIME, 5 + 300, id="the time runs on in silence"),
        pytest.param([(ON, 5), (LOW, 1), (SILENT, 30)], Cause.LOW, 5 + 2, id="a low battery and then silence"),
        pytest.param([(ON, 5), (reading("FSD OL"), 5)], Cause.FORCED, 5, id="forced by somebody else"),
        pytest.param([(ON, 5), (reading("FSD"), 5)], Cause.FORCED, 5, id="forced, and nothing else said"),
        pytest.param([(ON, 5), (reading("FSD OB LB"), 5)], Cause.LOW, 5, id="forced by upsmon because of a low battery"),
        # the outage goes on when the mains was back for a moment only
        pytest.param(
            [(ON, 5), (OFF, 290), (ON, 5), (OFF, 30)], Cause.TIME, 5 + 300, id="a short return does not restart the time"
        ),
    ],
)
def test_what_decides(scenes: list[Scene], cause: Cause, second: int) -> None:
    steps = play(*scenes)
    assert decided(steps) == second
    assert steps[second].memory.cause is cause
    assert not steps[second].memory.accepts_work


@pytest.mark.parametrize(
    "scenes",
    [
        pytest.param([(ON, 5), (OFF, 2), (ON, 60)], id="a blink"),
        pytest.param([(ON, 5), (OFF, 299), (ON, 60)], id="mains back in the last second"),
        pytest.param([(ON, 5), (reading("OL LB", 5, 10), 600)], id="low on mains"),
        pytest.param([(ON, 5), (reading("OL RB"), 600)], id="replace the battery"),
        pytest.param([(ON, 5), (reading("OL DISCHRG CAL", 20, 100), 600)], id="a calibration"),
        pytest.param([(ON, 5), (reading("OL OFF"), 600)], id="off on mains"),
        pytest.param([(ON, 5), (SILENT, 3600)], id="silence on mains"),
        pytest.param([(SILENT, 3600)], id="never an answer"),
        pytest.param([(ON, 5), (OFF, 60), (ON, 5), (SILENT, 3600)], id="silence after the mains came back"),
        pytest.param([(ON, 5), (reading("OB LB"), 1), (OFF, 60)], id="a false low battery for a second"),
        pytest.param([(ON, 5), (reading("OB", 0, 0), 29), (OFF, 60)], id="nonsense right after the transfer"),
        pytest.param([(ON, 5), (OFF, 60), (reading("OB", 0), 1), (OFF, 60)], id="one odd number"),
        pytest.param([(ON, 5), (reading("OB", None, None), 299)], id="no numbers at all"),
        pytest.param([(ON, 5), (at_volts(23.0), 299)], id="a voltage just above its floor"),
        pytest.param([(ON, 5), (at_volts(20.0, None), 299)], id="a voltage without a nominal one to compare with"),
        pytest.param([(ON, 5), (at_volts(12.0), 29), (at_volts(25.0), 60)], id="a voltage that sags at the transfer"),
        pytest.param([(ON, 5), *[(OFF, 8), (ON, 70)] * 20], id="short cuts all evening"),
        pytest.param([(ON, 5), (TEST, 12), (ON, 60)], id="its own test shows a low battery"),
        pytest.param([(ON, 5), (reading("OB CAL", 20, 100), 59), (ON, 60)], id="a calibration on battery"),
    ],
)
def test_what_does_not_decide(scenes: list[Scene]) -> None:
    assert decided(play(*scenes)) is None


def test_a_blink_is_seen_by_nobody() -> None:
    assert stages(play((ON, 5), (OFF, 3), (ON, 5))) == [Stage.ONLINE]


def test_an_outage_is_told_after_three_seconds_and_ends_when_the_mains_holds() -> None:
    steps = play((ON, 5), (OFF, 20), (ON, 40))
    assert stages(steps) == [Stage.ONLINE, Stage.ON_BATTERY, Stage.ONLINE]
    assert [one.memory.stage for one in steps].index(Stage.ON_BATTERY) == 5 + 3
    assert steps[25].seconds_left is None, "no countdown while the mains is there"
    assert steps[25 + 29].memory.stage is Stage.ON_BATTERY
    assert steps[25 + 30].memory.stage is Stage.ONLINE


def test_the_countdown_of_a_battery_that_was_not_full_is_shorter() -> None:
    assert play((HALF_ON, 5), (OFF, 20))[5 + 10].seconds_left == 140


def test_flapping_mains_must_hold_longer() -> None:
    steps = play((ON, 5), *[(OFF, 5), (ON, 5)] * 3, (ON, 70))
    last_return = 5 + 30 - 5
    assert [number for number, one in enumerate(steps) if one.memory.stage is Stage.ON_BATTERY][-1] == last_return + 59


def test_the_countdown_is_the_nearest_limit() -> None:
    steps = play((ON, 5), (OFF, 100))
    assert steps[5 + 10].seconds_left == 290
    near = play((ON, 5), (reading("OB", 90, 620), 40))
    assert near[5 + 31].seconds_left == 20


IDLE, DONE = Around(idle=True), Around(idle=True, saved=True)
DOWNWARD = [Stage.DRAINING, Stage.SAVING, Stage.READY, Stage.DOWN]
CHARGE = reading("OB", 50)  # decides after 32 s, and leaves the time for all that is to be done


def test_the_way_down_goes_over_draining_saving_and_a_last_change_of_mind() -> None:
    steps = play((ON, 5), (CHARGE, 60), around=DONE)
    assert stages(steps) == [Stage.ONLINE, Stage.ON_BATTERY, *DOWNWARD]
    at = first_second(steps, Stage.DRAINING)
    found = [one.decision for one in steps[at : at + 8]]
    assert found == [Decision.DRAIN, Decision.SAVE, *[Decision.STAND_READY] * 5, Decision.HAND_OVER]
    assert steps[-1].memory.idle
    assert steps[-1].memory.saved


@pytest.mark.parametrize(
    ("heard", "seconds"),
    [
        pytest.param(CHARGE, (20, 20, 5), id="with time"),
        pytest.param(LOW, (8, 4, 2), id="in a hurry"),
        pytest.param(reading("FSD OB"), (8, 4, 1), id="forced: nothing is left to wait for"),
    ],
)
def test_each_part_of_the_way_down_has_its_limit(heard: Reading, seconds: tuple[int, int, int]) -> None:
    steps = play((ON, 5), (heard, 120))
    places = [first_second(steps, stage) for stage in DOWNWARD]
    assert tuple(after - before for before, after in pairwise(places)) == seconds
    assert not steps[-1].memory.idle


def test_a_battery_that_runs_low_on_the_way_down_makes_it_hurry() -> None:
    steps = play((ON, 5), (CHARGE, 36), (LOW, 30))
    assert first_second(steps, Stage.SAVING) == 5 + 32 + 8


@pytest.mark.parametrize(
    ("before", "around", "seconds"),
    [
        pytest.param(Stage.DRAINING, Around(), 10, id="draining"),
        pytest.param(Stage.SAVING, IDLE, 10, id="saving"),
        pytest.param(Stage.READY, DONE, 5, id="ready"),
    ],
)
def test_mains_that_holds_cancels_before_the_handing_over(before: Stage, around: Around, seconds: int) -> None:
    way = play((ON, 5), (CHARGE, 35), around=around)
    at = first_second(way, before)
    steps = play((ON, 60), memory=way[at].memory, begin=1000 + at + 1, around=Around())
    assert [one.memory.accepts_work for one in steps].index(True) == seconds
    assert steps[seconds].memory.stage is Stage.ON_BATTERY
    assert steps[-1].memory == dataclasses.replace(steps[-1].memory, cause=None, draining_since=None, ready_since=None)
    assert steps[-1].memory.stage is Stage.ONLINE


def test_mains_just_seen_again_keeps_from_the_point_of_no_return() -> None:
    steps = play((ON, 5), (CHARGE, 35), (ON, 4), (CHARGE, 4), (ON, 4), (CHARGE, 9), around=DONE)
    assert steps[5 + 35].memory.stage is Stage.READY
    last = next(number for number, one in enumerate(steps) if one.decision is Decision.HAND_OVER)
    assert last == 5 + 35 + 4, "the hold was over, so battery again is enough"


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_step_changes_nothing(hours: int) -> None:
    def run(jump: timedelta) -> list[Step]:
        memory, steps = Memory(), []
        for ticks in range(400):
            at = moment(ticks)
            at = dataclasses.replace(at, wall=at.wall + (jump if ticks > 200 else timedelta()))
            steps.append(step(memory, OFF if ticks > 10 else ON, at, LIMITS, Around()))
            memory = steps[-1].memory
        return steps

    assert run(timedelta(hours=hours)) == run(timedelta())


def test_a_silent_ups_cancels_nothing() -> None:
    steps = play((ON, 5), (CHARGE, 33), (ON, 1), (SILENT, 60))
    assert stages(steps)[-1] is Stage.DOWN


def test_a_forced_shutdown_is_not_cancelled_by_the_mains() -> None:
    assert stages(play((ON, 5), (reading("FSD OL"), 1), (ON, 60)))[-1] is Stage.DOWN
    assert stages(play((ON, 5), (reading("FSD OB LB"), 1), (ON, 60)))[-1] is Stage.DOWN
    steps = play((ON, 5), (LOW, 5), (reading("FSD OL"), 60))
    assert not any(one.memory.accepts_work for one in steps[7:])


@pytest.mark.parametrize(
    ("heard", "between"),
    [
        pytest.param(LOW, Decision.FORCE, id="not set, or forgotten by a restarted upsd"),
        pytest.param(reading("FSD OB LB"), Decision.HAND_OVER, id="set: upsmon is waited for"),
        pytest.param(SILENT, Decision.HAND_OVER, id="nobody to set it in"),
    ],
)
def test_whoever_can_is_asked_until_the_shutdown_begins(heard: Reading | Silence, between: Decision) -> None:
    down = Memory(stage=Stage.DOWN, cause=Cause.LOW, down_since=timedelta(seconds=1000))
    found = [one.decision for one in play((heard, 12), memory=down)]
    assert found == [Decision.HAND_OVER] * 5 + [between] * 5 + [Decision.POWER_OFF] * 2


def test_a_shutdown_that_has_begun_gets_its_time() -> None:
    down = Memory(stage=Stage.DOWN, cause=Cause.LOW, down_since=timedelta())
    for seconds, decision in ((7, Decision.HAND_OVER), (60, Decision.HAND_OVER), (90, Decision.POWER_OFF)):
        assert step(down, LOW, moment(seconds), LIMITS, Around(shutdown_begun=True)).decision is decision


def test_a_shutdown_begun_by_upsmon_alone_closes_the_node() -> None:
    found = step(Memory(stage=Stage.ONLINE), ON, moment(9), LIMITS, Around(shutdown_begun=True))
    assert found.memory.stage is Stage.DOWN
    assert found.memory.cause is Cause.FORCED


@pytest.mark.parametrize(
    ("heard", "stage"),
    [(ON, Stage.ONLINE), (OFF, Stage.DRAINING), (SILENT, Stage.ONLINE)],
)
def test_an_officer_may_ask_for_the_end_on_battery_only(heard: Reading | Silence, stage: Stage) -> None:
    found = play((heard, 1), memory=Memory(stage=Stage.ONLINE), around=Around(asked=Asked.STOP))[-1].memory
    assert (found.stage, found.cause) == (stage, Cause.ASKED if stage is Stage.DRAINING else None)


@pytest.mark.parametrize(
    ("scenes", "second", "end"),
    [
        pytest.param([(ON, 70)], 60, HoldEnd.STABLE, id="stable mains"),
        pytest.param([(ON, 50), (OFF, 1), (ON, 70)], 51 + 60, HoldEnd.STABLE, id="a cut begins it anew"),
        pytest.param([(ON, 50), (SILENT, 6), (ON, 70)], 56 + 60, HoldEnd.STABLE, id="so does a silence"),
        pytest.param([(ON, 50), (SILENT, 4), (ON, 70)], 60, HoldEnd.STABLE, id="but not a short one"),
        pytest.param([(reading("OL", 12, 300), 90), (reading("OL", 30, 300), 9)], 90, HoldEnd.STABLE, id="charged enough"),
        pytest.param([(reading("OL", 12, 1200), 90)], 60, HoldEnd.STABLE, id="a large battery"),
        pytest.param([(reading("OL", None, None), 90)], 60, HoldEnd.STABLE, id="a battery that says nothing of itself"),
        pytest.param([(SILENT, 200)], 180, HoldEnd.BLIND, id="no word from the UPS"),
        pytest.param([(ON, 10), (SILENT, 200)], 10 + 180, HoldEnd.BLIND, id="a UPS that was lost meanwhile"),
    ],
)
def test_a_node_that_starts_after_an_outage_is_opened(scenes: list[Scene], second: int, end: HoldEnd) -> None:
    steps = play(*scenes, memory=held())
    assert [one.memory.accepts_work for one in steps].index(True) == second
    assert steps[second].memory.hold_end is end
    assert steps[second - 1].decision is Decision.HOLD
    assert all(one.memory.accepts_work for one in steps[second:]), "once opened it stays open"


@pytest.mark.parametrize(
    ("scenes", "cause", "second"),
    [
        pytest.param([(OFF, 70)], Cause.HELD, 60, id="no mains"),
        pytest.param([(ON, 50), (OFF, 70)], Cause.HELD, 50 + 60, id="mains for a while only"),
        pytest.param([(LOW, 9)], Cause.LOW, 2, id="a battery that is empty"),
        pytest.param([(OFF, 5), (SILENT, 80)], Cause.HELD, 60, id="silent on battery"),
    ],
)
def test_a_node_that_starts_without_mains_powers_off_again(scenes: list[Scene], cause: Cause, second: int) -> None:
    steps = play(*scenes, memory=held())
    assert decided(steps) == second
    assert steps[second].memory.cause is cause
    assert not any(one.memory.accepts_work for one in steps)


def test_mains_that_comes_back_at_the_start_goes_on_holding() -> None:
    steps = play((OFF, 62), (ON, 80), memory=held())
    assert stages(steps) == [Stage.HOLD, Stage.DRAINING, Stage.HOLD, Stage.ONLINE]


def test_a_weak_battery_is_held_for_until_an_officer_asks() -> None:
    weak = reading("OL CHRG", 12, 300)
    assert not play((weak, 4000), memory=held())[-1].memory.accepts_work
    asked = play((weak, 3), memory=held(), around=Around(asked=Asked.START))
    assert (asked[0].memory.stage, asked[0].memory.hold_end) == (Stage.ONLINE, HoldEnd.ASKED)


def test_a_node_that_is_opened_on_battery_is_on_battery_at_once() -> None:
    assert play((OFF, 1), memory=held(), around=Around(asked=Asked.START))[0].memory.stage is Stage.ON_BATTERY


def test_after_an_orderly_stop_the_first_word_of_mains_opens() -> None:
    assert play((ON, 1), memory=held(0))[0].memory.stage is Stage.ONLINE


def jobs(steps: list[Step], begin: int = 1000) -> list[bool]:
    return [accepts_jobs(one.memory, timedelta(seconds=begin + number)) for number, one in enumerate(steps)]


def test_long_work_goes_on_through_a_short_cut_and_waits_in_a_longer_one() -> None:
    assert all(jobs(play((ON, 5), (OFF, 25), (ON, 60))[:30]))
    told = jobs(play((ON, 5), (OFF, 40), (ON, 40)))
    assert told.index(False) == 5 + 30
    assert told[5 + 40 + 29 : 5 + 40 + 31] == [False, True], "it goes on when the outage is over"


def test_flapping_is_told_once_and_long_work_stays_away_until_it_is_calm() -> None:
    steps = play((ON, 5), *[(OFF, 5), (ON, 35)] * 3, (ON, 700))
    flapping = [one.memory.flapping for one in steps]
    third = 5 + 2 * 40
    assert flapping.index(True) == third
    assert [number for number, now in enumerate(flapping) if now][-1] == third + 599
    assert sum(now and not before for before, now in zip([False, *flapping], flapping, strict=False)) == 1
    told = jobs(steps)
    assert not any(told[third : third + 600])
    assert all(told[third + 600 :])
    assert steps[third + 300].memory.stage is Stage.ONLINE


def test_blinks_that_never_stop_reach_no_limit_on_time_but_are_told() -> None:
    """Each is over before it counts as an outage. A low battery in one of them decides all the same, here and in upsmon."""
    blinks = [(OFF, 2), (ON, 1)] * 200
    steps = play((ON, 5), *blinks)
    assert decided(steps) is None
    assert steps[-1].memory.flapping
    assert not any(jobs(steps)[5 + 7 :])
    assert decided(play((ON, 5), *blinks, (reading("OB LB", 20), 10))) is not None
    # one that was told goes on through shorter returns
    assert decided(play((ON, 5), (OFF, 5), *blinks)) is not None


def test_a_second_outage_gets_the_time_that_its_battery_carries() -> None:
    """No second of the first outage is counted again, and the battery is not full any more."""
    steps = play((ON, 5), (OFF, 200), (reading("OL CHRG", 55), 1800), (reading("OB", 54, 1500), 200))
    assert decided(steps) == 5 + 200 + 1800 + 165


@pytest.mark.parametrize(
    ("measured", "floor"), [(None, 600), (timedelta(seconds=100), 600), (timedelta(seconds=200), 800), (timedelta(hours=1), 600)]
)
def test_a_shutdown_that_takes_long_is_begun_earlier(measured: timedelta | None, floor: int) -> None:
    assert LIMITS.allowing_for(measured).runtime == timedelta(seconds=floor)


def test_silence_is_told_after_a_while() -> None:
    steps = play((ON, 5), (SILENT, 40), (ON, 1))
    assert steps[5 + 19].memory.stage is Stage.ONLINE
    assert steps[5 + 20].memory.stage is Stage.UNKNOWN
    assert steps[5 + 20].memory.accepts_work
    assert steps[-1].memory.stage is Stage.ONLINE


def test_an_outage_that_was_ending_ends_in_silence_too() -> None:
    steps = play((ON, 5), (OFF, 60), (ON, 5), (SILENT, 21))
    assert steps[-1].memory.stage is Stage.UNKNOWN
    assert steps[-1].memory.battery_since is None


def test_limits_come_from_the_settings() -> None:
    seconds = [one.total_seconds() if isinstance(one, timedelta) else one for one in dataclasses.astuple(LIMITS)]
    assert seconds == [300, 50, 600, 20, 20, 60, True]
