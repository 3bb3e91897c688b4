"""When the node powers itself off: one pure step from what is remembered and what the UPS says to what is to be done.

Only a fresh reading on battery may start a shutdown, except that a UPS which fell silent on battery is not waited for for long.
On mains nothing ever does: "OL LB", a lost cable or a stopped upsd are notices. Until the handing over, mains that stays cancels
everything; after it nothing does, because NUT cannot take a forced shutdown back. Time is monotonic throughout: a clock that
NTP moves by an hour in the middle of an outage must change nothing.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from appliance.config import PowerSettings
from appliance.power.reading import Reading, Silence

DEBOUNCE = timedelta(seconds=3)  # shorter cuts are seen by nobody
SETTLE = timedelta(seconds=10)  # mains must hold this long to count as back
SETTLE_FLAPPING = timedelta(seconds=60)
FLAPS = 3  # so many cuts within FLAP_WINDOW are flapping
FLAP_WINDOW = timedelta(minutes=10)
CANCEL_AFTER = timedelta(seconds=5)  # mains must hold this long to cancel a decided shutdown
GRACE = timedelta(seconds=30)  # the UPS's numbers are old, or nonsense, right after the transfer
LOW_HELD = timedelta(seconds=2)  # a low battery that fits the other numbers
LOW_HELD_ALONE = timedelta(seconds=10)  # and one that nothing else speaks for
FLOOR_HELD = timedelta(seconds=2)  # one odd number is not a floor
EMPTY_SHARE = 23 / 24  # of the nominal voltage: a lead battery under load is nearly empty there, whatever the charge says
FULL_ENOUGH = 90  # percent: a battery that begins an outage with less gets less time
LEAST_TIME = timedelta(seconds=60)
LOW_CHARGE, LOW_RUNTIME, LOW_ELAPSED = 40, timedelta(seconds=400), timedelta(seconds=120)
SILENCE_NOTED = timedelta(seconds=20)
SILENCE_ON_BATTERY = timedelta(seconds=60)
UPSMON_ACTS_WITHIN = timedelta(seconds=10)  # measured: 1 s as we set it up, 10 s with NUT's defaults
SHUTDOWN_STARTS_WITHIN = timedelta(seconds=90)  # more than upsmon's wait for clients and our wrapper's wait for the gate


class Stage(StrEnum):
    """Where the node is; these words stand in the published state."""

    UNKNOWN = "unknown"
    ONLINE = "online"
    ON_BATTERY = "on-battery"
    DRAINING = "draining"
    DOWN = "down"


class Cause(StrEnum):
    """Why a shutdown was decided; these words stand in the journal."""

    TIME = "time-on-battery"
    CHARGE = "low-charge"
    RUNTIME = "low-runtime"
    VOLTAGE = "low-voltage"
    LOW = "low-battery"
    SILENT = "ups-silent"
    FORCED = "forced"


class Decision(StrEnum):
    """What is to be done now."""

    CARRY_ON = "carry-on"
    DRAIN = "drain"  # accept no work, wait for the running work
    HAND_OVER = "hand-over"  # ask upsmon for the forced shutdown
    POWER_OFF = "power-off"  # upsmon did not do it: ask systemd


@dataclass(frozen=True)
class Limits:
    """What the operator set."""

    on_battery: timedelta
    charge: int
    runtime: timedelta
    drain: timedelta

    @classmethod
    def of(cls, power: PowerSettings) -> Limits:
        """The limits in the settings."""
        return cls(
            timedelta(seconds=power.on_battery_seconds),
            power.charge_floor,
            timedelta(seconds=power.runtime_floor_seconds),
            timedelta(seconds=power.drain_seconds),
        )


@dataclass(frozen=True)
class Moment:
    """One instant on both clocks: `ticks` is monotonic since the machine started, `wall` is for people only."""

    ticks: timedelta
    wall: datetime


@dataclass(frozen=True)
class Around:
    """What else counts: whether no work is running any more, and whether the operating system's shutdown has begun."""

    idle: bool = False
    shutdown_begun: bool = False


NOTHING_AROUND = Around()


@dataclass(frozen=True)
class Memory:
    """All that one step leaves to the next, and a killed watcher to its successor. Times are ticks."""

    stage: Stage = Stage.UNKNOWN
    battery_since: timedelta | None = None  # start of the outage; kept over short returns of the mains
    mains_since: timedelta | None = None  # mains seen again during an outage
    low_since: timedelta | None = None
    floor_since: timedelta | None = None  # charge, runtime or voltage at its floor
    silent_since: timedelta | None = None
    draining_since: timedelta | None = None
    down_since: timedelta | None = None
    cuts: tuple[timedelta, ...] = ()
    before: Reading | None = None  # the last one on mains before the outage: what the battery began with
    cause: Cause | None = None
    forced: bool = False  # a forced shutdown was seen in upsd: upsmon shuts down, whatever we think
    idle: bool = False
    last: Reading | None = None  # the last one that could be trusted

    @property
    def accepts_work(self) -> bool:
        """Whether new work may begin."""
        return self.stage not in {Stage.DRAINING, Stage.DOWN}


@dataclass(frozen=True)
class Step:
    """The outcome: `seconds_left` until the decision to shut down, None when no outage is counted."""

    memory: Memory
    decision: Decision
    seconds_left: int | None = None


def step(memory: Memory, heard: Reading | Silence, at: Moment, limits: Limits, around: Around = NOTHING_AROUND) -> Step:
    """The next memory and what to do now. Must hold: nothing leaves DOWN; work is refused from DRAIN on; a low battery that
    stays on battery always ends in a shutdown; no reading on mains starts one."""
    seen = _see(memory, heard, at.ticks, limits)
    if memory.stage is Stage.DOWN or around.shutdown_begun:
        return _down(seen, at.ticks, around)
    if seen.stage is Stage.DRAINING:
        return _drain(seen, at.ticks, limits, around)
    cause = _cause(seen, at.ticks, limits)
    if cause:
        return Step(_move(seen, Stage.DRAINING, draining_since=at.ticks, cause=cause, idle=False), Decision.DRAIN, 0)
    moved = _move(seen, _stage(seen, at.ticks))
    return Step(moved, Decision.CARRY_ON, _seconds_left(moved, at.ticks, limits))


def _move(memory: Memory, stage: Stage, **changes: object) -> Memory:
    return dataclasses.replace(memory, stage=stage, **changes)  # type: ignore[arg-type]


def _see(memory: Memory, heard: Reading | Silence, ticks: timedelta, limits: Limits) -> Memory:
    """The memory with this answer added; the stage is left alone."""
    if isinstance(heard, Silence):
        return _see_nothing(dataclasses.replace(memory, silent_since=_first(memory.silent_since, ticks)), ticks)
    memory = dataclasses.replace(memory, silent_since=None, last=heard, forced=memory.forced or heard.forced)
    if heard.mains is None:  # only a forced shutdown comes without OL and OB
        return memory
    return _see_mains(memory, ticks) if heard.mains else _see_battery(memory, heard, ticks, limits)


def _see_nothing(memory: Memory, ticks: timedelta) -> Memory:
    """What held before the silence counts on; but an outage that was ending when it fell has ended."""
    ending = memory.mains_since is not None and memory.accepts_work
    if ending and ticks - _first(memory.silent_since, ticks) >= SILENCE_NOTED:
        return dataclasses.replace(memory, battery_since=None, mains_since=None)
    return memory


def _see_mains(memory: Memory, ticks: timedelta) -> Memory:
    returned = _first(memory.mains_since, ticks) if memory.battery_since is not None else None
    memory = dataclasses.replace(memory, mains_since=returned, low_since=None, floor_since=None)
    if returned is None:
        return dataclasses.replace(memory, before=memory.last)
    if not memory.accepts_work:
        return memory
    # A blink that nobody was told about is over at once; a told outage only when the mains has held.
    if memory.stage is not Stage.ON_BATTERY or ticks - returned >= _settle(memory, ticks):
        return dataclasses.replace(memory, battery_since=None, mains_since=None)
    return memory


def _see_battery(memory: Memory, heard: Reading, ticks: timedelta, limits: Limits) -> Memory:
    new_cut = memory.battery_since is None or memory.mains_since is not None
    since = _first(memory.battery_since, ticks)
    # The UPS's numbers right after the transfer are the old ones, or zero.
    at_floor = ticks - since >= GRACE and _floor_reached(heard, limits) is not None
    return dataclasses.replace(
        memory,
        battery_since=since,
        mains_since=None,
        low_since=_first(memory.low_since, ticks) if heard.low else None,
        floor_since=_first(memory.floor_since, ticks) if at_floor else None,
        cuts=_recent(memory, ticks) + ((ticks,) if new_cut else ()),
    )


def _recent(memory: Memory, ticks: timedelta) -> tuple[timedelta, ...]:
    return tuple(cut for cut in memory.cuts if ticks - cut < FLAP_WINDOW)


def _settle(memory: Memory, ticks: timedelta) -> timedelta:
    return SETTLE_FLAPPING if len(_recent(memory, ticks)) >= FLAPS else SETTLE


def _stage(memory: Memory, ticks: timedelta) -> Stage:
    """The stage as long as nothing is decided."""
    if memory.battery_since is not None:
        told = memory.stage is Stage.ON_BATTERY or ticks - memory.battery_since >= DEBOUNCE or memory.low_since is not None
        return Stage.ON_BATTERY if told else memory.stage
    if memory.silent_since is None:
        return Stage.ONLINE
    return Stage.UNKNOWN if ticks - memory.silent_since >= SILENCE_NOTED else memory.stage


def _cause(memory: Memory, ticks: timedelta, limits: Limits) -> Cause | None:
    """Why the shutdown is decided now, or None."""
    if memory.forced:
        # upsmon sees a low battery as well, and may be faster.
        return Cause.LOW if memory.low_since is not None else Cause.FORCED
    if memory.battery_since is None or memory.mains_since is not None or memory.last is None:
        return None
    if ticks - memory.battery_since >= _time_allowed(memory, limits):
        return Cause.TIME
    if _low_is_believed(memory, memory.last, ticks):
        return Cause.LOW
    if memory.floor_since is not None and ticks - memory.floor_since >= FLOOR_HELD:
        return _floor_reached(memory.last, limits)
    return Cause.SILENT if _silence_is_too_long(memory, memory.last, ticks, limits) else None


def _time_allowed(memory: Memory, limits: Limits) -> timedelta:
    """How long this outage may last: a battery that is not full again after the last one gets its share of the time."""
    charge = memory.before.charge if memory.before else None
    if charge is None or charge >= FULL_ENOUGH:
        return limits.on_battery
    return max(min(LEAST_TIME, limits.on_battery), limits.on_battery * charge / 100)


def _low_is_believed(memory: Memory, last: Reading, ticks: timedelta) -> bool:
    """This family shows a false low battery for two seconds, but a true one must not wait for long."""
    if memory.low_since is None or memory.battery_since is None:
        return False
    plausible = (
        (last.charge is not None and last.charge < LOW_CHARGE)
        or (last.runtime is not None and last.runtime < LOW_RUNTIME)
        or ticks - memory.battery_since > LOW_ELAPSED
    )
    return ticks - memory.low_since >= (LOW_HELD if plausible else LOW_HELD_ALONE)


def _floor_reached(last: Reading, limits: Limits) -> Cause | None:
    if last.charge is not None and last.charge <= limits.charge:
        return Cause.CHARGE
    if last.runtime is not None and last.runtime <= limits.runtime:
        return Cause.RUNTIME
    if last.battery_volts is not None and last.nominal_volts and last.battery_volts < EMPTY_SHARE * last.nominal_volts:
        return Cause.VOLTAGE
    return None


def _silence_is_too_long(memory: Memory, last: Reading, ticks: timedelta, limits: Limits) -> bool:
    """Dead reckoning with the last runtime, of which only a part is believed."""
    if memory.silent_since is None:
        return False
    silent = ticks - memory.silent_since
    spent = last.runtime is not None and last.runtime * 0.6 - silent <= limits.runtime
    return silent >= SILENCE_ON_BATTERY or (silent >= SILENCE_NOTED and spent)


def _drain(memory: Memory, ticks: timedelta, limits: Limits, around: Around) -> Step:
    """Wait for the running work. Mains that holds cancels; mains just seen again keeps us from the point of no return."""
    memory = dataclasses.replace(memory, idle=around.idle)
    if memory.mains_since is not None and memory.silent_since is None and not memory.forced:
        if ticks - memory.mains_since >= CANCEL_AFTER:
            return Step(_move(memory, Stage.ON_BATTERY, draining_since=None, cause=None, idle=False), Decision.CARRY_ON)
        return Step(memory, Decision.DRAIN, 0)
    waited = ticks - _first(memory.draining_since, ticks)
    if around.idle or waited >= limits.drain:
        return Step(_move(memory, Stage.DOWN, down_since=ticks), Decision.HAND_OVER, 0)
    return Step(memory, Decision.DRAIN, 0)


def _down(memory: Memory, ticks: timedelta, around: Around) -> Step:
    """Past the point of no return: only insist."""
    since = _first(memory.down_since, ticks)
    memory = _move(memory, Stage.DOWN, down_since=since, cause=memory.cause or Cause.FORCED)
    patience = SHUTDOWN_STARTS_WITHIN if around.shutdown_begun else UPSMON_ACTS_WITHIN
    return Step(memory, Decision.POWER_OFF if ticks - since >= patience else Decision.HAND_OVER, 0)


def _seconds_left(memory: Memory, ticks: timedelta, limits: Limits) -> int | None:
    """Until the limits on time or runtime are reached, whichever is first; None while the mains is there."""
    if memory.stage is not Stage.ON_BATTERY or memory.battery_since is None or memory.mains_since is not None:
        return None
    elapsed = ticks - memory.battery_since
    left = _time_allowed(memory, limits) - elapsed
    if memory.last is not None and memory.last.runtime is not None and elapsed >= GRACE:
        left = min(left, memory.last.runtime - limits.runtime)
    if memory.silent_since is not None:
        left = min(left, memory.silent_since + SILENCE_ON_BATTERY - ticks)
    if memory.low_since is not None:
        left = min(left, memory.low_since + LOW_HELD_ALONE - ticks)
    return max(0, int(left.total_seconds()))


def _first(known: timedelta | None, ticks: timedelta) -> timedelta:
    return ticks if known is None else known
