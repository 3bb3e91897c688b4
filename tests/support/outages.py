"""Outages told second by second to the power policy, and the readings they are made of."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

from appliance.config import PowerSettings
from appliance.power.policy import Around, Limits, Memory, Moment, Stage, Step, step
from appliance.power.reading import Reading, Silence, SilenceKind

LIMITS = Limits.of(
    PowerSettings(on_battery_seconds=300, charge_floor=50, runtime_floor_seconds=600, drain_seconds=20, save_seconds=20)
)
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
SILENT = Silence(SilenceKind.CONNECT)

Scene = tuple[Reading | Silence, int]


def reading(status: str, charge: int | None = 100, runtime: int | None = 2760) -> Reading:
    return Reading(frozenset(status.split()), charge, None if runtime is None else timedelta(seconds=runtime))


ON, OFF = reading("OL"), reading("OB DISCHRG", 90, 2400)
LOW = reading("OB DISCHRG LB", 8, 110)
HALF_ON = reading("OL CHRG", 50)


def at_volts(volts: float | None, nominal: float | None = 24.0) -> Reading:
    """On battery with a charge that says nothing of its voltage."""
    return dataclasses.replace(OFF, battery_volts=volts, nominal_volts=nominal)


def moment(seconds: float) -> Moment:
    return Moment(timedelta(seconds=seconds), START + timedelta(seconds=seconds))


def play(
    *scenes: Scene, memory: Memory | None = None, begin: int = 1000, around: Around | None = None, limits: Limits = LIMITS
) -> list[Step]:
    """Each scene for so many seconds, a step a second."""
    steps: list[Step] = []
    memory = memory or Memory()
    ticks = begin
    for heard, seconds in scenes:
        for _ in range(seconds):
            steps.append(step(memory, heard, moment(ticks), limits, around or Around()))
            memory = steps[-1].memory
            ticks += 1
    return steps


def held(seconds: int = 60) -> Memory:
    """A node that has just started after an outage."""
    return Memory(stage=Stage.HOLD, hold=timedelta(seconds=seconds))


def decided(steps: list[Step]) -> int | None:
    """In which second the shutdown was decided."""
    return next((number for number, one in enumerate(steps) if one.memory.decided), None)


def stages(steps: list[Step]) -> list[Stage]:
    """The stages passed, each once."""
    passed: list[Stage] = []
    for one in steps:
        if passed[-1:] != [one.memory.stage]:
            passed.append(one.memory.stage)
    return passed


def first_second(steps: list[Step], stage: Stage) -> int:
    """In which second the node came into the stage."""
    return [one.memory.stage for one in steps].index(stage)
