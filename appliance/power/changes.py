"""What the step from one memory to the next means for the journal: a line for each thing that happened. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from appliance.power.journal import Event
from appliance.power.notices import Notice
from appliance.power.policy import HoldEnd, Memory, Stage
from appliance.power.reading import Reading, Silence
from appliance.power.stages import PREPARING, first

Change = tuple[Event, dict[str, Any]]

OUTAGE = frozenset({Stage.ON_BATTERY, Stage.DOWN}) | PREPARING
_TOLD = {
    Notice.FROZEN: Event.FROZEN,
    Notice.ODD_NUMBERS: Event.ODD_NUMBERS,
    Notice.OTHER_UNIT: Event.OTHER_UNIT,
    Notice.REPLACE_BATTERY: Event.REPLACE_BATTERY,
}


def changed(old: Memory, new: Memory, ticks: timedelta) -> list[Change]:
    """What happened between two memories, in the order in which it is told."""
    return [*_of_the_start(old, new), *_of_the_mains(old, new), *_of_the_way_down(old, new, ticks), *_of_the_ups(old, new, ticks)]


def noticed(old: tuple[str, ...], new: tuple[str, ...], heard: Reading | Silence) -> list[Change]:
    """The notices that are journalled when they begin, with what `heard` says of it."""
    odd = ", ".join(sorted(heard.odd)) if isinstance(heard, Reading) else ""
    begun = [(notice, event) for notice, event in _TOLD.items() if notice in new and notice not in old]
    return [(event, {"variables": odd} if notice is Notice.ODD_NUMBERS else {}) for notice, event in begun]


def _of_the_start(old: Memory, new: Memory) -> list[Change]:
    # A start that held up nobody is not worth a line.
    if old.hold is not None and new.hold is None and (old.hold or new.hold_end is not HoldEnd.STABLE):
        return [(Event.OPENED, {"why": new.hold_end, **_numbers(new)})]
    return []


def _of_the_mains(old: Memory, new: Memory) -> list[Change]:
    was_out, is_out = _is_out(old), _is_out(new)
    if is_out and not was_out and new.battery_since is not None:
        before = new.before or new.last
        return [
            (Event.MAINS_LOST, {**_numbers_of(before), "load": before and before.load}),
            *_flaps(old, new),
        ]
    if was_out and not is_out:
        return [(Event.MAINS_BACK, _numbers(new))]
    return _flaps(old, new)


def _is_out(memory: Memory) -> bool:
    return memory.stage in OUTAGE or (memory.stage is Stage.HOLD and memory.battery_since is not None)


def _flaps(old: Memory, new: Memory) -> list[Change]:
    return [(Event.FLAPPING, {"count": len(new.cuts)})] if new.flapping and not old.flapping else []


def _of_the_way_down(old: Memory, new: Memory, ticks: timedelta) -> list[Change]:
    found: list[Change] = []
    if new.cause is not None and old.cause is None:
        found.append((Event.DECIDED, {"cause": new.cause, **_reasons(new, ticks)}))
    if old.stage in PREPARING and not new.decided:
        found.append((Event.CANCELLED, {"cause": old.cause, "stage": old.stage}))
    gets_ready = new.stage is Stage.READY and old.stage is not Stage.READY
    # upsmon does not wait for ever, and then the preparing is cut short
    if gets_ready or (new.stage is Stage.DOWN and old.stage in {Stage.DRAINING, Stage.SAVING}):
        waited = ticks - (new.draining_since or ticks)
        found.append((Event.DRAINED, {"seconds": round(waited.total_seconds(), 1), "idle": new.idle, "saved": new.saved}))
    if gets_ready:
        found.append((Event.READY, {}))
    if new.stage is Stage.DOWN and old.stage is not Stage.DOWN:
        found.append((Event.HANDED_OVER, {"cause": new.cause}))
    if new.stage is Stage.DOWN and new.forced and not old.forced:
        found.append((Event.FORCED_SEEN, {}))
    return found


def _of_the_ups(old: Memory, new: Memory, ticks: timedelta) -> list[Change]:
    if new.blind_told is not None and new.blind_told != old.blind_told:
        return [(Event.STILL_SILENT, {"silent": int((ticks - first(new.silent_since, ticks)).total_seconds())})]
    if new.stage is Stage.UNKNOWN and old.stage is not Stage.UNKNOWN and old.stage is not Stage.HOLD:
        return [(Event.UPS_SILENT, {})]
    if old.stage is Stage.UNKNOWN and new.stage not in {Stage.UNKNOWN, Stage.HOLD} and old.last is not None:
        return [(Event.UPS_BACK, {})]
    return []


def _numbers(memory: Memory) -> dict[str, Any]:
    return _numbers_of(memory.last)


def _numbers_of(reading: Reading | None) -> dict[str, Any]:
    return {"charge": reading and reading.charge, "volts": reading and reading.mains_volts}


def _reasons(memory: Memory, ticks: timedelta) -> dict[str, Any]:
    """The numbers that a reader needs to judge the decision."""
    last = memory.last
    runtime = last.runtime if last else None
    return {
        "charge": last and last.charge,
        "runtime": None if runtime is None else int(runtime.total_seconds()),
        "battery_volts": last and last.battery_volts,
        "on_battery": None if memory.battery_since is None else int((ticks - memory.battery_since).total_seconds()),
        "silent": None if memory.silent_since is None else int((ticks - memory.silent_since).total_seconds()),
    }
