"""When the node powers itself off: a table of outages told second by second, and what must hold for any of them."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.config import PowerSettings
from appliance.power.policy import (
    SILENCE_ON_BATTERY,
    Around,
    Cause,
    Decision,
    Limits,
    Memory,
    Moment,
    Stage,
    Step,
    step,
)
from appliance.power.reading import Reading, Silence, SilenceKind

LIMITS = Limits.of(PowerSettings(on_battery_seconds=300, charge_floor=50, runtime_floor_seconds=600, drain_seconds=20))
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
SILENT = Silence(SilenceKind.CONNECT)


def reading(status: str, charge: int | None = 100, runtime: int | None = 2760) -> Reading:
    return Reading(frozenset(status.split()), charge, None if runtime is None else timedelta(seconds=runtime))


ON, OFF = reading("OL"), reading("OB DISCHRG", 90, 2400)
LOW = reading("OB DISCHRG LB", 8, 110)


def at_volts(volts: float | None, nominal: float | None = 24.0) -> Reading:
    """On battery with a charge that says nothing of its voltage."""
    return dataclasses.replace(OFF, battery_volts=volts, nominal_volts=nominal)


HALF_ON = reading("OL CHRG", 50)


def play(
    *scenes: tuple[Reading | Silence, int], memory: Memory | None = None, begin: int = 1000, idle: bool = False
) -> list[Step]:
    """Each scene for so many seconds, a step a second."""
    steps: list[Step] = []
    memory = memory or Memory()
    ticks = begin
    for heard, seconds in scenes:
        for _ in range(seconds):
            moment = Moment(timedelta(seconds=ticks), START + timedelta(seconds=ticks))
            steps.append(step(memory, heard, moment, LIMITS, Around(idle=idle)))
            memory = steps[-1].memory
            ticks += 1
    return steps


def decided(steps: list[Step]) -> int | None:
    """In which second the shutdown was decided."""
    return next((number for number, one in enumerate(steps) if one.decision is not Decision.CARRY_ON), None)


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
            [(ON, 5), (OFF, 140), (HALF_ON, 9), (OFF, 200)],
            Cause.TIME,
            5 + 300,
            id="a short return does not judge the battery anew",
        ),
        pytest.param([(ON, 5), (LOW, 20)], Cause.LOW, 5 + 2, id="a low battery that the charge confirms"),
        pytest.param([(ON, 5), (reading("OB LB"), 20)], Cause.LOW, 5 + 10, id="a low battery that nothing confirms"),
        pytest.param([(LOW, 20)], Cause.LOW, 2, id="started on a low battery"),
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
def test_what_decides(scenes: list[tuple[Reading | Silence, int]], cause: Cause, second: int) -> None:
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
    ],
)
def test_what_does_not_decide(scenes: list[tuple[Reading | Silence, int]]) -> None:
    assert decided(play(*scenes)) is None


def stages(steps: list[Step]) -> list[Stage]:
    """The stages passed, each once."""
    passed: list[Stage] = []
    for one in steps:
        if passed[-1:] != [one.memory.stage]:
            passed.append(one.memory.stage)
    return passed


def test_a_blink_is_seen_by_nobody() -> None:
    assert stages(play((ON, 5), (OFF, 3), (ON, 5))) == [Stage.ONLINE]


def test_an_outage_is_told_after_three_seconds_and_ends_when_the_mains_holds() -> None:
    steps = play((ON, 5), (OFF, 20), (ON, 30))
    assert stages(steps) == [Stage.ONLINE, Stage.ON_BATTERY, Stage.ONLINE]
    assert [one.memory.stage for one in steps].index(Stage.ON_BATTERY) == 5 + 3
    assert steps[25].seconds_left is None, "no countdown while the mains is there"
    assert steps[25 + 9].memory.stage is Stage.ON_BATTERY
    assert steps[25 + 10].memory.stage is Stage.ONLINE


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


def test_the_drain_ends_when_all_work_has_ended() -> None:
    steps = play((ON, 5), (LOW, 10), idle=True)
    assert stages(steps) == [Stage.ONLINE, Stage.ON_BATTERY, Stage.DRAINING, Stage.DOWN]
    assert steps[5 + 3].decision is Decision.HAND_OVER
    assert steps[5 + 3].memory.idle


def test_the_drain_ends_at_its_limit_although_work_goes_on() -> None:
    steps = play((ON, 5), (LOW, 60))
    assert steps[5 + 2 + 19].decision is Decision.DRAIN
    assert steps[5 + 2 + 20].decision is Decision.HAND_OVER
    assert not steps[5 + 2 + 20].memory.idle


def test_mains_that_holds_cancels_before_the_handing_over() -> None:
    steps = play((ON, 5), (LOW, 5), (ON, 30))
    assert stages(steps) == [Stage.ONLINE, Stage.ON_BATTERY, Stage.DRAINING, Stage.ON_BATTERY, Stage.ONLINE]
    assert steps[10 + 4].memory.stage is Stage.DRAINING
    assert steps[10 + 5].memory.accepts_work


def test_mains_just_seen_again_keeps_from_the_point_of_no_return() -> None:
    steps = play((ON, 5), (LOW, 20), (ON, 4), (LOW, 1))
    assert steps[25 + 3].memory.stage is Stage.DRAINING, "the drain's time is over, but the mains is there"
    assert steps[25 + 4].decision is Decision.HAND_OVER


def test_a_forced_shutdown_is_not_cancelled_by_the_mains() -> None:
    assert stages(play((ON, 5), (reading("FSD OL"), 1), (ON, 60)))[-1] is Stage.DOWN
    assert stages(play((ON, 5), (reading("FSD OB LB"), 1), (ON, 60)))[-1] is Stage.DOWN
    steps = play((ON, 5), (LOW, 5), (reading("FSD OL"), 60))
    assert not any(one.memory.accepts_work for one in steps[7:])


def test_systemd_is_asked_when_upsmon_does_not_act() -> None:
    steps = play((ON, 5), (LOW, 60), idle=True)
    first = next(number for number, one in enumerate(steps) if one.decision is Decision.HAND_OVER)
    assert [one.decision for one in steps[first : first + 11]] == [Decision.HAND_OVER] * 10 + [Decision.POWER_OFF]


def test_a_shutdown_that_has_begun_gets_its_time() -> None:
    down = Memory(stage=Stage.DOWN, cause=Cause.LOW, down_since=timedelta())
    for seconds, decision in ((60, Decision.HAND_OVER), (90, Decision.POWER_OFF)):
        moment = Moment(timedelta(seconds=seconds), START)
        assert step(down, SILENT, moment, LIMITS, Around(shutdown_begun=True)).decision is decision


def test_a_shutdown_begun_by_upsmon_alone_closes_the_node() -> None:
    found = step(Memory(stage=Stage.ONLINE), ON, Moment(timedelta(seconds=9), START), LIMITS, Around(shutdown_begun=True))
    assert found.memory.stage is Stage.DOWN
    assert found.memory.cause is Cause.FORCED


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


@pytest.mark.parametrize("hours", [-30, -1, 1, 30])
def test_a_clock_step_changes_nothing(hours: int) -> None:
    def run(shift: timedelta) -> list[Step]:
        memory, steps = Memory(), []
        for ticks in range(400):
            wall = START + timedelta(seconds=ticks) + (shift if ticks > 200 else timedelta())
            steps.append(step(memory, OFF if ticks > 10 else ON, Moment(timedelta(seconds=ticks), wall), LIMITS))
            memory = steps[-1].memory
        return steps

    assert run(timedelta(hours=hours)) == run(timedelta())


# What must hold for any story.
words = st.sets(st.sampled_from(["OL", "OB", "LB", "RB", "CAL", "DISCHRG", "OFF", "WAIT", "FSD"]), max_size=4)
numbers = st.none() | st.integers(0, 100)
answers = st.builds(
    lambda flags, charge, runtime: Reading(frozenset(flags), charge, None if runtime is None else timedelta(seconds=runtime)),
    words, numbers, st.none() | st.integers(0, 5000),
).filter(lambda one: one.mains is not None or one.forced) | st.sampled_from([ON, OFF, LOW, SILENT])  # fmt: skip
stories = st.lists(st.tuples(answers, st.integers(1, 40), st.booleans()), max_size=25)


def tell(story: list[tuple[Reading | Silence, int, bool]]) -> list[tuple[Reading | Silence, Step]]:
    memory, ticks, told = Memory(), 5000, []
    for heard, seconds, idle in story:
        for _ in range(seconds):
            one = step(memory, heard, Moment(timedelta(seconds=ticks), START), LIMITS, Around(idle=idle))
            told.append((heard, one))
            memory, ticks = one.memory, ticks + 1
    return told


@settings(max_examples=300, deadline=None)
@given(stories)
def test_nothing_leaves_down_and_work_is_refused_from_the_drain_on(story: list[tuple[Reading | Silence, int, bool]]) -> None:
    handed_over = False
    for _heard, one in tell(story):
        handed_over = handed_over or one.decision is Decision.HAND_OVER
        assert one.memory.accepts_work == (one.decision is Decision.CARRY_ON)
        if handed_over:
            assert one.memory.stage is Stage.DOWN
            assert one.decision in {Decision.HAND_OVER, Decision.POWER_OFF}


@settings(max_examples=300, deadline=None)
@given(stories)
def test_only_a_battery_or_a_forced_shutdown_decides(story: list[tuple[Reading | Silence, int, bool]]) -> None:
    seen_battery = False
    accepted = True
    for heard, one in tell(story):
        seen_battery = seen_battery or (isinstance(heard, Reading) and (heard.mains is False or heard.forced))
        if accepted and not one.memory.accepts_work:
            assert seen_battery
            assert isinstance(heard, Silence) or heard.mains is False or heard.forced
        accepted = one.memory.accepts_work


@settings(max_examples=300, deadline=None)
@given(stories)
def test_a_low_battery_on_battery_always_ends_in_a_shutdown(story: list[tuple[Reading | Silence, int, bool]]) -> None:
    told = tell([*story, (reading("OB LB", 100, 5000), 10 + 1 + 20 + 1, False)])
    assert told[-1][1].memory.stage is Stage.DOWN


@settings(max_examples=300, deadline=None)
@given(stories)
def test_silence_after_a_battery_always_ends_in_a_shutdown(story: list[tuple[Reading | Silence, int, bool]]) -> None:
    silence = int(SILENCE_ON_BATTERY.total_seconds()) + 20 + 2
    told = tell([*story, (OFF, 1, False), (SILENT, silence, False)])
    assert told[-1][1].memory.stage is Stage.DOWN


@settings(max_examples=300, deadline=None)
@given(stories)
def test_the_countdown_stands_only_in_an_outage_and_is_never_negative(story: list[tuple[Reading | Silence, int, bool]]) -> None:
    for _heard, one in tell(story):
        left = one.seconds_left
        assert left is None or left >= 0
        assert left is None or one.memory.stage in {Stage.ON_BATTERY, Stage.DRAINING, Stage.DOWN}


def test_limits_come_from_the_settings() -> None:
    assert dataclasses.astuple(LIMITS) == (timedelta(seconds=300), 50, timedelta(seconds=600), timedelta(seconds=20))
