"""When the node powers itself off: one pure step from what is remembered and what the UPS says to what is to be done.

    HOLD → ONLINE ⇄ ON_BATTERY → DRAINING → SAVING → READY → DOWN
           (UNKNOWN: silent)      └─────── mains that holds ─┘ back

Only a fresh reading on battery may start a shutdown, except that a UPS which fell silent on battery is not waited for for long.
On mains nothing ever does: "OL LB", a lost cable or a stopped upsd are notices. Until the handing over, mains that stays cancels
everything; after it nothing does, because NUT cannot take a forced shutdown back. Time is monotonic throughout: a clock that
NTP moves by an hour in the middle of an outage must change nothing.
"""

from __future__ import annotations

import dataclasses
from datetime import timedelta

from appliance.power.reading import Reading, Silence
from appliance.power.seeing import BLIND_AFTER, see
from appliance.power.stages import (
    NOTHING_AROUND,
    PREPARING,
    Around,
    Asked,
    Cause,
    Decision,
    HoldEnd,
    Limits,
    Memory,
    Moment,
    Stage,
    Step,
    first,
)
from appliance.power.triggers import cause_of, seconds_left

__all__ = [
    "Around",
    "Asked",
    "Cause",
    "Decision",
    "HoldEnd",
    "Limits",
    "Memory",
    "Moment",
    "Stage",
    "Step",
    "accepts_jobs",
    "step",
]

DEBOUNCE = timedelta(seconds=3)  # shorter cuts are seen by nobody
CANCEL_PREPARE = timedelta(seconds=10)  # mains must hold this long to open a node again that is getting ready
CANCEL_READY = timedelta(seconds=5)
READY_HOLD = timedelta(seconds=5)
# A battery that is nearly empty, or a forced shutdown of somebody else, leaves less than 15 s for everything.
HURRY_DRAIN, HURRY_SAVE, HURRY_HOLD = timedelta(seconds=8), timedelta(seconds=4), timedelta(seconds=2)
JOBS_GO_ON = timedelta(seconds=30)  # most cuts are shorter, and a backup begun anew costs more than that
ENOUGH_CHARGE, ENOUGH_RUNTIME = 30, 2  # percent, times the runtime at which the node powers off
SILENCE_AT_START = timedelta(seconds=180)
UPSD_AFTER = timedelta(seconds=5)  # without a begun shutdown, the other way to a forced one is tried as well
UPSMON_ACTS_WITHIN = timedelta(seconds=10)  # measured: 1 s as we set it up, 10 s with NUT's defaults
SHUTDOWN_STARTS_WITHIN = timedelta(seconds=90)  # more than upsmon's wait for clients and our wrapper's wait for the gate


def step(memory: Memory, heard: Reading | Silence, at: Moment, limits: Limits, around: Around = NOTHING_AROUND) -> Step:
    """The next memory and what to do now. Must hold: nothing leaves DOWN; work is refused from DRAIN on; a low battery that
    stays on battery always ends in a shutdown; no reading on mains starts one."""
    seen = see(memory, heard, at.ticks, limits)
    if memory.stage is Stage.DOWN or around.shutdown_begun:
        return _down(seen, at.ticks, around)
    if seen.stage in PREPARING:
        return _prepare(seen, at.ticks, limits, around)
    cause = cause_of(seen, at.ticks, limits, around)
    if cause:
        begun = _move(seen, Stage.DRAINING, draining_since=at.ticks, cause=cause, idle=False, saved=False)
        return Step(begun, Decision.DRAIN, 0)
    if seen.hold is not None:
        return _hold(seen, at.ticks, limits, around)
    return _carry_on(seen, at.ticks, limits)


def accepts_jobs(memory: Memory, ticks: timedelta) -> bool:
    """Whether long work (a backup, an import, an export) may begin and go on: not for long on battery, not between cuts."""
    if not memory.accepts_work or memory.flapping:
        return False
    return memory.battery_since is None or ticks - memory.battery_since < JOBS_GO_ON


def _move(memory: Memory, stage: Stage, **changes: object) -> Memory:
    return dataclasses.replace(memory, stage=stage, **changes)  # type: ignore[arg-type]


def _carry_on(memory: Memory, ticks: timedelta, limits: Limits) -> Step:
    moved = _move(memory, _stage(memory, ticks))
    return Step(moved, Decision.CARRY_ON, seconds_left(moved, ticks, limits) if moved.stage is Stage.ON_BATTERY else None)


def _stage(memory: Memory, ticks: timedelta) -> Stage:
    """The stage as long as nothing is decided."""
    now = Stage.UNKNOWN if memory.stage is Stage.HOLD else memory.stage
    if memory.battery_since is not None:
        known = memory.stage in {Stage.ON_BATTERY, Stage.HOLD}
        told = known or ticks - memory.battery_since >= DEBOUNCE or memory.low_since is not None
        return Stage.ON_BATTERY if told else now
    if memory.silent_since is None:
        return Stage.ONLINE
    return Stage.UNKNOWN if ticks - memory.silent_since >= BLIND_AFTER else now


def _hold(memory: Memory, ticks: timedelta, limits: Limits, around: Around) -> Step:
    """Wait until the mains is stable and the battery could carry another outage."""
    end = _hold_end(memory, ticks, limits, around)
    if end is None:
        return Step(_move(memory, Stage.HOLD), Decision.HOLD, seconds_left(memory, ticks, limits))
    return _carry_on(dataclasses.replace(memory, stage=Stage.HOLD, hold=None, hold_end=end), ticks, limits)


def _hold_end(memory: Memory, ticks: timedelta, limits: Limits, around: Around) -> HoldEnd | None:
    if around.asked is Asked.START:
        return HoldEnd.ASKED
    if memory.silent_since is not None:
        # silent on battery, it is on its way down long before
        return HoldEnd.BLIND if ticks - memory.silent_since >= SILENCE_AT_START else None
    held = memory.hold is not None and memory.online_since is not None and ticks - memory.online_since >= memory.hold
    return HoldEnd.STABLE if held and memory.last is not None and _charged(memory.last, limits) else None


def _charged(last: Reading, limits: Limits) -> bool:
    """Whether the battery could carry the next shutdown; one that says nothing of itself is not waited for."""
    charged = last.charge is not None and last.charge >= ENOUGH_CHARGE
    carries = last.runtime is not None and last.runtime >= ENOUGH_RUNTIME * limits.runtime
    return charged or carries or (last.charge is None and last.runtime is None)


def _prepare(memory: Memory, ticks: timedelta, limits: Limits, around: Around) -> Step:
    """Get ready. Mains that holds cancels; mains just seen again keeps us from the point of no return."""
    if memory.mains_since is not None and memory.silent_since is None and not memory.forced:
        patience = CANCEL_READY if memory.stage is Stage.READY else CANCEL_PREPARE
        if ticks - memory.mains_since >= patience:
            return _cancel(memory)
    if memory.stage is Stage.DRAINING:
        return _drain(dataclasses.replace(memory, idle=around.idle), ticks, limits)
    if memory.stage is Stage.SAVING:
        return _save(dataclasses.replace(memory, saved=around.saved), ticks, limits)
    return _stand_ready(memory, ticks)


def _cancel(memory: Memory) -> Step:
    nothing = {"draining_since": None, "saving_since": None, "ready_since": None, "cause": None, "idle": False, "saved": False}
    if memory.hold is not None:
        return Step(_move(memory, Stage.HOLD, **nothing), Decision.HOLD)
    return Step(_move(memory, Stage.ON_BATTERY, **nothing), Decision.CARRY_ON)


def _in_a_hurry(memory: Memory) -> bool:
    return memory.forced or memory.low_since is not None or memory.cause in {Cause.LOW, Cause.VOLTAGE}


def _drain(memory: Memory, ticks: timedelta, limits: Limits) -> Step:
    longest = min(limits.drain, HURRY_DRAIN) if _in_a_hurry(memory) else limits.drain
    if memory.idle or ticks - first(memory.draining_since, ticks) >= longest:
        return Step(_move(memory, Stage.SAVING, saving_since=ticks), Decision.SAVE, 0)
    return Step(memory, Decision.DRAIN, 0)


def _save(memory: Memory, ticks: timedelta, limits: Limits) -> Step:
    longest = min(limits.save, HURRY_SAVE) if _in_a_hurry(memory) else limits.save
    if memory.saved or ticks - first(memory.saving_since, ticks) >= longest:
        return Step(_move(memory, Stage.READY, ready_since=ticks), Decision.STAND_READY, 0)
    return Step(memory, Decision.SAVE, 0)


def _stand_ready(memory: Memory, ticks: timedelta) -> Step:
    """The last change of mind; a forced shutdown leaves none."""
    held = ticks - first(memory.ready_since, ticks) >= (HURRY_HOLD if _in_a_hurry(memory) else READY_HOLD)
    if memory.forced or (held and not memory.mains_returning):
        return Step(_move(memory, Stage.DOWN, down_since=ticks), Decision.HAND_OVER, 0)
    return Step(memory, Decision.STAND_READY, 0)


def _down(memory: Memory, ticks: timedelta, around: Around) -> Step:
    """Past the point of no return: only insist."""
    since = first(memory.down_since, ticks)
    memory = _move(memory, Stage.DOWN, down_since=since, cause=memory.cause or Cause.FORCED)
    if ticks - since >= (SHUTDOWN_STARTS_WITHIN if around.shutdown_begun else UPSMON_ACTS_WITHIN):
        return Step(memory, Decision.POWER_OFF, 0)
    # upsd forgets a forced shutdown when it is started anew
    is_set = memory.last is not None and memory.last.forced
    unheard = around.shutdown_begun or memory.silent_since is not None or is_set
    return Step(memory, Decision.HAND_OVER if unheard or ticks - since < UPSD_AFTER else Decision.FORCE, 0)
