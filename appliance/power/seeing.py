"""What an answer of the UPS, or its silence, changes in the watcher's memory. The stage is left alone. Pure."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from enum import StrEnum

from appliance.power.reading import Reading, Silence
from appliance.power.stages import Limits, Memory, Stage, first
from appliance.power.triggers import floor_reached, grace

SETTLE = timedelta(seconds=30)  # mains must hold this long to count as back
SETTLE_FLAPPING = timedelta(seconds=60)
FLAPS = 3  # so many cuts within FLAP_WINDOW are flapping, until there was none for as long
FLAP_WINDOW = timedelta(minutes=10)
SUSPECT_AFTER = timedelta(seconds=5)
BLIND_AFTER = timedelta(seconds=20)
BLIND_LONG = timedelta(minutes=5)  # told then,
BLIND_TOLD_AGAIN = timedelta(days=1)  # and again as long as it lasts


class Comms(StrEnum):
    """How well the UPS is heard; these words stand in the published state."""

    FRESH = "fresh"
    SUSPECT = "suspect"  # pages say that it is being checked
    BLIND = "blind"


def comms(memory: Memory, ticks: timedelta) -> Comms:
    """How well the UPS is heard at `ticks`."""
    if memory.silent_since is None or ticks - memory.silent_since < SUSPECT_AFTER:
        return Comms.FRESH
    return Comms.SUSPECT if ticks - memory.silent_since < BLIND_AFTER else Comms.BLIND


def see(memory: Memory, heard: Reading | Silence, ticks: timedelta, limits: Limits) -> Memory:
    """The memory with this answer added."""
    cuts = tuple(cut for cut in memory.cuts if ticks - cut < FLAP_WINDOW)
    memory = dataclasses.replace(memory, cuts=cuts, flapping=memory.flapping and bool(cuts))
    if isinstance(heard, Silence):
        return _see_nothing(dataclasses.replace(memory, silent_since=first(memory.silent_since, ticks)), ticks)
    memory = dataclasses.replace(
        memory,
        silent_since=None,
        blind_told=None,
        odd_at=ticks if heard.odd else memory.odd_at,
        same_since=first(memory.same_since, ticks) if _nothing_moved(memory.last, heard) else None,
        replace_since=first(memory.replace_since, ticks) if heard.replace_battery else None,
        last=heard,
        forced=memory.forced or heard.forced,
    )
    if heard.mains is None:  # only a forced shutdown comes without OL and OB
        return memory
    return _see_mains(memory, ticks) if heard.mains else _see_battery(memory, heard, ticks, limits)


def _see_nothing(memory: Memory, ticks: timedelta) -> Memory:
    """What held before the silence counts on; but an outage that was ending when it fell has ended."""
    silent = ticks - first(memory.silent_since, ticks)
    if silent >= SUSPECT_AFTER:
        memory = dataclasses.replace(memory, online_since=None)
    if silent >= BLIND_LONG and (memory.blind_told is None or ticks - memory.blind_told >= BLIND_TOLD_AGAIN):
        memory = dataclasses.replace(memory, blind_told=ticks)
    if memory.mains_since is not None and not memory.decided and silent >= BLIND_AFTER:
        return dataclasses.replace(memory, battery_since=None, mains_since=None)
    return memory


def _see_mains(memory: Memory, ticks: timedelta) -> Memory:
    returned = first(memory.mains_since, ticks) if memory.battery_since is not None else None
    online = first(memory.online_since, ticks)
    memory = dataclasses.replace(memory, mains_since=returned, online_since=online, low_since=None, floor_since=None)
    if returned is None:
        return dataclasses.replace(memory, before=memory.last)
    if memory.decided:
        return memory
    # A blink that nobody was told about is over at once; a told outage only when the mains has held.
    settle = SETTLE_FLAPPING if len(memory.cuts) >= FLAPS else SETTLE
    if memory.stage is not Stage.ON_BATTERY or ticks - returned >= settle:
        return dataclasses.replace(memory, battery_since=None, mains_since=None)
    return memory


def _see_battery(memory: Memory, heard: Reading, ticks: timedelta, limits: Limits) -> Memory:
    new_cut = memory.battery_since is None or memory.mains_since is not None
    since = first(memory.battery_since, ticks)
    cuts = memory.cuts + ((ticks,) if new_cut else ())
    at_floor = ticks - since >= grace(heard) and floor_reached(heard, limits) is not None
    return dataclasses.replace(
        memory,
        battery_since=since,
        mains_since=None,
        online_since=None,
        low_since=first(memory.low_since, ticks) if heard.low else None,
        floor_since=first(memory.floor_since, ticks) if at_floor else None,
        cuts=cuts,
        flapping=memory.flapping or len(cuts) >= FLAPS,
    )


def _nothing_moved(last: Reading | None, heard: Reading) -> bool:
    """Whether voltages and load are those of the reading before to the last digit; real ones flicker."""
    numbers = (heard.mains_volts, heard.battery_volts, heard.load)
    known = sum(number is not None for number in numbers) > 1
    return last is not None and known and numbers == (last.mains_volts, last.battery_volts, last.load)
