"""What decides a shutdown: a table of reasons, each a pure question about the memory. The first that holds is the cause.

Only what was seen on battery counts. "OL LB", "OL RB", "OL DISCHRG", "OL OFF" and a calibration on mains are notices, never reasons.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from appliance.power.reading import Reading
from appliance.power.stages import Around, Asked, Cause, Limits, Memory

GRACE = timedelta(seconds=30)  # the UPS's numbers are old, or nonsense, right after the transfer
TEST_GRACE = timedelta(seconds=60)  # and for longer in its own test, which loads the battery on purpose
LOW_HELD = timedelta(seconds=2)  # a low battery that fits the other numbers
LOW_HELD_ALONE = timedelta(seconds=10)  # and one that nothing else speaks for
FLOOR_HELD = timedelta(seconds=2)  # one odd number is not a floor
EMPTY_SHARE = 23 / 24  # of the nominal voltage: a lead battery under load is nearly empty there, whatever the charge says
FULL_ENOUGH = 90  # percent: a battery that begins an outage with less gets less time
LEAST_TIME = timedelta(seconds=60)
LOW_CHARGE, LOW_RUNTIME, LOW_ELAPSED = 40, timedelta(seconds=400), timedelta(seconds=120)
SILENCE_RECKONED = timedelta(seconds=20)
SILENCE_ON_BATTERY = timedelta(seconds=60)
BELIEVED_SHARE = 0.6  # of the last runtime that a silent UPS told
HELD_ON_BATTERY = timedelta(seconds=60)  # a node that starts without mains has opened nothing and waits no longer

Question = Callable[[Memory, Reading, timedelta, Limits], bool]


def cause_of(memory: Memory, ticks: timedelta, limits: Limits, around: Around) -> Cause | None:
    """Why the shutdown is decided now, or None."""
    if memory.forced:
        # upsmon sees a low battery as well, and may be faster.
        return Cause.LOW if memory.low_since is not None else Cause.FORCED
    if memory.battery_since is None or memory.mains_since is not None or memory.last is None:
        return None
    if around.asked is Asked.STOP and memory.silent_since is None:
        return Cause.ASKED
    elapsed, last = ticks - memory.battery_since, memory.last
    return next((cause for cause, holds in TRIGGERS if holds(memory, last, elapsed, limits)), None)


def grace(heard: Reading) -> timedelta:
    """How long after the transfer the numbers and the low battery of this reading mean nothing."""
    return TEST_GRACE if heard.testing else GRACE


def time_allowed(memory: Memory, limits: Limits) -> timedelta:
    """How long this outage may last: a battery that is not full again after the last one gets its share of the time."""
    if memory.hold is not None:
        return HELD_ON_BATTERY
    charge = memory.before.charge if memory.before else None
    if charge is None or charge >= FULL_ENOUGH:
        return limits.on_battery
    return max(min(LEAST_TIME, limits.on_battery), limits.on_battery * charge / 100)


def floor_reached(last: Reading, limits: Limits) -> Cause | None:
    """Which of charge, runtime and voltage is at its floor."""
    if last.charge is not None and last.charge <= limits.charge:
        return Cause.CHARGE
    if last.runtime is not None and last.runtime <= limits.runtime:
        return Cause.RUNTIME
    if last.battery_volts is not None and last.nominal_volts and last.battery_volts < EMPTY_SHARE * last.nominal_volts:
        return Cause.VOLTAGE
    return None


def seconds_left(memory: Memory, ticks: timedelta, limits: Limits) -> int | None:
    """Until the limits on time or runtime are reached, whichever is first; None while the mains is there."""
    if memory.battery_since is None or memory.mains_since is not None:
        return None
    elapsed = ticks - memory.battery_since
    left = time_allowed(memory, limits) - elapsed
    if memory.last is not None and memory.last.runtime is not None and elapsed >= GRACE:
        left = min(left, memory.last.runtime - limits.runtime)
    if memory.silent_since is not None:
        left = min(left, memory.silent_since + SILENCE_ON_BATTERY - ticks)
    if memory.low_since is not None:
        left = min(left, memory.low_since + LOW_HELD_ALONE - ticks)
    return max(0, int(left.total_seconds()))


def _too_long(memory: Memory, _last: Reading, elapsed: timedelta, limits: Limits) -> bool:
    return memory.hold is None and elapsed >= time_allowed(memory, limits)


def _no_mains_at_start(memory: Memory, _last: Reading, elapsed: timedelta, _limits: Limits) -> bool:
    return memory.hold is not None and elapsed >= HELD_ON_BATTERY


def _low_is_believed(memory: Memory, last: Reading, elapsed: timedelta, _limits: Limits) -> bool:
    """This family shows a false low battery for two seconds, but a true one must not wait for long."""
    if memory.low_since is None or memory.battery_since is None or (last.testing and elapsed < TEST_GRACE):
        return False
    plausible = (
        (last.charge is not None and last.charge < LOW_CHARGE)
        or (last.runtime is not None and last.runtime < LOW_RUNTIME)
        or elapsed > LOW_ELAPSED
    )
    held = memory.battery_since + elapsed - memory.low_since
    return held >= (LOW_HELD if plausible else LOW_HELD_ALONE)


def _at_floor(cause: Cause) -> Question:
    def holds(memory: Memory, last: Reading, elapsed: timedelta, limits: Limits) -> bool:
        if memory.floor_since is None or memory.battery_since is None:
            return False
        return memory.battery_since + elapsed - memory.floor_since >= FLOOR_HELD and floor_reached(last, limits) is cause

    return holds


def _silent_too_long(memory: Memory, last: Reading, elapsed: timedelta, limits: Limits) -> bool:
    """Dead reckoning with the last runtime, of which only a part is believed."""
    if memory.silent_since is None or memory.battery_since is None:
        return False
    silent = memory.battery_since + elapsed - memory.silent_since
    spent = last.runtime is not None and last.runtime * BELIEVED_SHARE - silent <= limits.runtime
    return silent >= SILENCE_ON_BATTERY or (silent >= SILENCE_RECKONED and spent)


TRIGGERS: tuple[tuple[Cause, Question], ...] = (
    (Cause.HELD, _no_mains_at_start),
    (Cause.TIME, _too_long),
    (Cause.LOW, _low_is_believed),
    *((cause, _at_floor(cause)) for cause in (Cause.CHARGE, Cause.RUNTIME, Cause.VOLTAGE)),
    (Cause.SILENT, _silent_too_long),
)
