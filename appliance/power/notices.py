"""What an officer should know of the power although nothing follows from it now. Pure; each is told until it is over."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from appliance.power.policy import HoldEnd, Limits, Memory
from appliance.power.reading import Reading, Silence, SilenceKind
from appliance.power.seeing import BLIND_LONG
from appliance.power.stages import Stage

FROZEN_AFTER = timedelta(minutes=10)
REPLACE_AFTER = timedelta(seconds=60)  # this family asks for a new battery for two seconds, and does not mean it
ODD_FOR = timedelta(minutes=10)  # numbers that make no sense now and then are told once, not each time


class Notice(StrEnum):
    """These words stand in the published state."""

    FLAPPING = "flapping"  # cut after cut
    FROZEN = "frozen"  # the same numbers for long
    ODD_NUMBERS = "odd-numbers"  # numbers that make no sense, and are left out
    BLIND_START = "blind-start"  # opened after a start without a word of the UPS
    BLIND_LONG = "blind-long"  # silent for minutes
    OTHER_UNIT = "other-unit"
    REPLACE_BATTERY = "replace-battery"
    LOGIN_REFUSED = "login-refused"
    NO_ALARM = "no-alarm"  # no clock that could wake the machine


def notices_of(memory: Memory, heard: Reading | Silence, ticks: timedelta, limits: Limits) -> tuple[Notice, ...]:
    """All notices that the memory and the last answer give at `ticks`."""

    def for_long(since: timedelta | None, length: timedelta) -> bool:
        return since is not None and ticks - since >= length

    given = {
        Notice.FLAPPING: memory.flapping,
        Notice.FROZEN: limits.judges_frozen and memory.stage is Stage.ONLINE and for_long(memory.same_since, FROZEN_AFTER),
        Notice.ODD_NUMBERS: memory.odd_at is not None and ticks - memory.odd_at < ODD_FOR,
        Notice.BLIND_START: memory.hold_end is HoldEnd.BLIND and memory.stage is Stage.UNKNOWN,
        Notice.BLIND_LONG: for_long(memory.silent_since, BLIND_LONG),
        Notice.OTHER_UNIT: isinstance(heard, Silence) and heard.kind is SilenceKind.OTHER_UNIT,
        Notice.REPLACE_BATTERY: for_long(memory.replace_since, REPLACE_AFTER),
    }
    return tuple(notice for notice, is_given in given.items() if is_given)
