"""What the journal is told of an outage, and what an officer is told although nothing follows from it."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

import pytest

from appliance.power.changes import changed, noticed
from appliance.power.journal import Event
from appliance.power.notices import Notice, notices_of
from appliance.power.policy import Around, Cause, HoldEnd, Memory, Stage, step
from appliance.power.reading import Reading, Silence, SilenceKind
from tests.support.outages import LIMITS, LOW, OFF, ON, SILENT, Scene, held, moment, play, reading

CHARGE = reading("OB", 50)


def tell(*scenes: Scene, memory: Memory | None = None, around: Around | None = None) -> list[tuple[Event, dict[str, Any]]]:
    old = memory or Memory()
    found = []
    for number, one in enumerate(play(*scenes, memory=old, around=around)):
        found += changed(old, one.memory, timedelta(seconds=1000 + number))
        old = one.memory
    return found


LOST, BACK = Event.MAINS_LOST, Event.MAINS_BACK
WAY = [Event.DECIDED, Event.DRAINED, Event.READY, Event.HANDED_OVER]


@pytest.mark.parametrize(
    ("scenes", "memory", "events"),
    [
        pytest.param([(ON, 5), (OFF, 2), (ON, 9)], None, [], id="a blink"),
        pytest.param([(ON, 5), (OFF, 20), (ON, 40)], None, [LOST, BACK], id="a cut"),
        pytest.param([(ON, 5), (CHARGE, 100)], None, [LOST, *WAY], id="powered off"),
        pytest.param([(ON, 5), (LOW, 40), (reading("FSD OB LB"), 2)], None, [LOST, *WAY, Event.FORCED_SEEN], id="and seen to be"),
        pytest.param(
            [(ON, 5), (CHARGE, 40), (ON, 60)], None, [LOST, Event.DECIDED, Event.CANCELLED, BACK], id="cancelled by the mains"
        ),
        pytest.param([(ON, 70)], held(), [Event.OPENED], id="opened after a start"),
        pytest.param([(SILENT, 190), (ON, 1)], held(), [Event.OPENED], id="opened without a word"),
        pytest.param([(ON, 9)], held(0), [], id="a start that held up nobody"),
        pytest.param([(OFF, 130)], held(), [LOST, *WAY], id="powered off again"),
        pytest.param([(ON, 5), (SILENT, 300)], None, [Event.UPS_SILENT], id="silent for not quite five minutes"),
        pytest.param(
            [(ON, 5), (SILENT, 1000)], None, [Event.UPS_SILENT, Event.STILL_SILENT], id="silent for long: told once more"
        ),
        pytest.param([(ON, 5), (SILENT, 30), (ON, 5)], None, [Event.UPS_SILENT, Event.UPS_BACK], id="silent for a while"),
        pytest.param([(ON, 5), *[(OFF, 5), (ON, 35)] * 4], None, [*[LOST, BACK] * 2, Event.FLAPPING, LOST], id="flapping"),
    ],
)
def test_what_the_journal_is_told(scenes: list[Scene], memory: Memory | None, events: list[Event]) -> None:
    assert [event for event, _facts in tell(*scenes, memory=memory)] == events


def test_a_cut_is_told_with_the_numbers_before_it() -> None:
    before = dataclasses.replace(ON, charge=97, mains_volts=221.0, load=14.0)
    facts = dict(tell((before, 5), (dataclasses.replace(OFF, load=30.0), 10)))[LOST]
    assert facts == {"charge": 97, "volts": 221.0, "load": 14.0}


def test_the_decision_is_told_with_its_numbers() -> None:
    facts = dict(tell((ON, 5), (CHARGE, 40)))[Event.DECIDED]
    expected = {"charge": 50, "runtime": 2760, "battery_volts": None, "on_battery": 32, "silent": None}
    assert facts == {"cause": Cause.CHARGE, **expected}
    silent = dict(tell((ON, 5), (OFF, 10), (SILENT, 70)))[Event.DECIDED]
    assert (silent["cause"], silent["silent"]) == (Cause.SILENT, 60)


def test_the_way_down_is_told_with_what_was_reached() -> None:
    assert dict(tell((ON, 5), (CHARGE, 100)))[Event.DRAINED] == {"seconds": 40.0, "idle": False, "saved": False}
    done = dict(tell((ON, 5), (CHARGE, 50), around=Around(idle=True, saved=True)))[Event.DRAINED]
    assert done == {"seconds": 2.0, "idle": True, "saved": True}
    cancelled = dict(tell((ON, 5), (CHARGE, 40), (ON, 60)))[Event.CANCELLED]
    assert cancelled == {"cause": Cause.CHARGE, "stage": Stage.DRAINING}
    assert dict(tell((ON, 70), memory=held()))[Event.OPENED]["why"] is HoldEnd.STABLE


def test_upsmon_that_does_not_wait_cuts_the_preparing_short() -> None:
    way = play((ON, 5), (CHARGE, 35))[-1].memory
    events = [event for event, _facts in tell((CHARGE, 2), memory=way, around=Around(shutdown_begun=True))]
    assert events == [Event.DRAINED, Event.HANDED_OVER]
    alone = [event for event, _facts in tell((ON, 2), around=Around(shutdown_begun=True))]
    assert alone == [Event.DECIDED, Event.HANDED_OVER]


def numbers(load: float) -> Reading:
    return dataclasses.replace(ON, mains_volts=221.0, battery_volts=27.0, load=load)


ODD = dataclasses.replace(ON, charge=None, odd=frozenset({"ups.load", "battery.charge"}))
OTHER = Silence(SilenceKind.OTHER_UNIT)


@pytest.mark.parametrize(
    ("scenes", "found"),
    [
        pytest.param([(ON, 5)], (), id="nothing"),
        pytest.param([(numbers(12), 601)], (), id="the same numbers not for long enough"),
        pytest.param([(numbers(12), 602)], (Notice.FROZEN,), id="the same numbers for ten minutes"),
        pytest.param([(numbers(12), 600), (numbers(13), 1), (numbers(12), 600)], (), id="one that moved"),
        pytest.param([(ON, 700)], (), id="a unit that tells no voltage"),
        pytest.param([(SILENT, 300)], (), id="silent for five minutes, nearly"),
        pytest.param([(SILENT, 301)], (Notice.BLIND_LONG,), id="silent for five minutes"),
        pytest.param([(ODD, 1), (ON, 599)], (Notice.ODD_NUMBERS,), id="a number that made no sense a while ago"),
        pytest.param([(ODD, 1), (ON, 601)], (), id="and a long while ago"),
        pytest.param([(reading("OL RB"), 60)], (), id="a new battery wanted for a moment"),
        pytest.param([(reading("OL RB"), 61)], (Notice.REPLACE_BATTERY,), id="a new battery wanted"),
        pytest.param([(OTHER, 1)], (Notice.OTHER_UNIT,), id="another unit"),
        pytest.param([(ON, 5), *[(OFF, 5), (ON, 35)] * 3], (Notice.FLAPPING,), id="flapping"),
    ],
)
def test_what_is_noticed(scenes: list[Scene], found: tuple[Notice, ...]) -> None:
    steps = play(*scenes, begin=0)
    heard = scenes[-1][0]
    assert notices_of(steps[-1].memory, heard, timedelta(seconds=len(steps) - 1), LIMITS) == found


def test_a_start_without_a_word_is_told_until_there_is_one() -> None:
    blind = play((SILENT, 181), memory=held(), begin=0)[-1].memory
    assert Notice.BLIND_START in notices_of(blind, SILENT, timedelta(seconds=181), LIMITS)
    heard = play((ON, 1), memory=blind, begin=200)[-1].memory
    assert notices_of(heard, ON, timedelta(seconds=200), LIMITS) == ()


def test_the_numbers_of_a_simulation_never_move() -> None:
    simulated = dataclasses.replace(LIMITS, judges_frozen=False)
    last = play((numbers(12), 700), begin=0)[-1].memory
    assert notices_of(last, numbers(12), timedelta(seconds=700), simulated) == ()


def test_a_notice_is_journalled_when_it_begins() -> None:
    assert noticed((), ("frozen", "no-alarm"), ON) == [(Event.FROZEN, {})]
    assert noticed(("frozen",), ("frozen", "other-unit"), SILENT) == [(Event.OTHER_UNIT, {})]
    assert noticed((), ("odd-numbers",), ODD) == [(Event.ODD_NUMBERS, {"variables": "battery.charge, ups.load"})]
    assert noticed(("odd-numbers",), ("odd-numbers",), ODD) == []


def test_a_long_silence_is_told_again_every_day_until_there_is_a_word() -> None:
    """A look an hour: nothing but the time decides."""
    told, memory = [], Memory(stage=Stage.ONLINE, last=ON)
    for hour in range(60):
        at = moment(3600 * hour)
        new = step(memory, ON if hour == 50 else SILENT, at, LIMITS).memory
        told += [(hour, facts["silent"]) for event, facts in changed(memory, new, at.ticks) if event is Event.STILL_SILENT]
        memory = new
    assert told == [(1, 3600), (25, 25 * 3600), (49, 49 * 3600), (52, 3600)]
