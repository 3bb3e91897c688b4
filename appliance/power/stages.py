"""The words of the power policy: where the node is, why it powers off, what is to be done, and all that one step leaves to the next.

Values only; what follows from them stands in `policy`, `triggers` and `seeing`.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from appliance import gate
from appliance.config import PowerSettings
from appliance.power.reading import Reading

# A shutdown that was measured to take longer than this was not measured, its clock was moved.
LONGEST_MEASURE = timedelta(minutes=5)
RESERVE = 4  # so many times what a shutdown took must be left in the battery


class Stage(StrEnum):
    """Where the node is; these words stand in the published state.

    An outage of less than three seconds is ONLINE still, and mains that is back but has not held yet is ON_BATTERY still.
    """

    UNKNOWN = "unknown"
    HOLD = gate.HELD  # just started: read-only until the mains is stable and the battery can carry a shutdown
    ONLINE = "online"
    ON_BATTERY = "on-battery"
    DRAINING = "draining"  # no new work, the running ends
    SAVING = gate.SAVING  # the scheduler moves the log into the database
    READY = "ready"  # all is done; a last change of mind
    DOWN = "down"  # the forced shutdown was asked for, and cannot be taken back


PREPARING = frozenset({Stage.DRAINING, Stage.SAVING, Stage.READY})


class Cause(StrEnum):
    """Why a shutdown was decided; these words stand in the journal."""

    TIME = "time-on-battery"
    CHARGE = "low-charge"
    RUNTIME = "low-runtime"
    VOLTAGE = "low-voltage"
    LOW = "low-battery"
    SILENT = "ups-silent"
    FORCED = "forced"
    HELD = "no-mains-at-start"
    ASKED = "asked"


class HoldEnd(StrEnum):
    """Why the node was opened after its start."""

    STABLE = "stable"
    ASKED = "asked"
    BLIND = "blind"  # the UPS never said a word


class Asked(StrEnum):
    """What an officer may ask of the watcher; these are the names of the files in which it is asked."""

    START = "start-now"
    STOP = "stop-now"


class Decision(StrEnum):
    """What is to be done now."""

    CARRY_ON = "carry-on"
    HOLD = "hold"  # accept no work yet
    DRAIN = "drain"  # accept no work, wait for the running work
    SAVE = "save"  # have the log moved into the database
    STAND_READY = "stand-ready"  # set the alarm clock that wakes the machine
    HAND_OVER = "hand-over"  # ask upsmon for the forced shutdown
    FORCE = "force"  # upsmon has not begun: set the forced shutdown in upsd
    POWER_OFF = "power-off"  # nobody has begun: ask systemd


@dataclass(frozen=True)
class Limits:
    """What the operator set. `boot_hold` is how long the mains must hold after an outage; `judges_frozen` whether numbers that
    never move are told (those of a simulation never do)."""

    on_battery: timedelta
    charge: int
    runtime: timedelta
    drain: timedelta
    save: timedelta
    boot_hold: timedelta
    judges_frozen: bool = True

    @classmethod
    def of(cls, power: PowerSettings) -> Limits:
        """The limits in the settings."""
        return cls(
            timedelta(seconds=power.on_battery_seconds),
            power.charge_floor,
            timedelta(seconds=power.runtime_floor_seconds),
            timedelta(seconds=power.drain_seconds),
            timedelta(seconds=power.save_seconds),
            timedelta(seconds=power.boot_hold_seconds),
            power.ups != "simulated",
        )

    def allowing_for(self, shutdown: timedelta | None) -> Limits:
        """The limits with a runtime that is enough for `shutdown`, the time that the last ones took (None: not known)."""
        if shutdown is None or shutdown > LONGEST_MEASURE:
            return self
        return dataclasses.replace(self, runtime=max(self.runtime, RESERVE * shutdown))


@dataclass(frozen=True)
class Moment:
    """One instant on both clocks: `ticks` is monotonic since the machine started, `wall` is for people only."""

    ticks: timedelta
    wall: datetime


@dataclass(frozen=True)
class Around:
    """What else counts: no work is running any more, the log is in the database, the operating system's shutdown has begun, and
    what an officer asks for."""

    idle: bool = False
    saved: bool = False
    shutdown_begun: bool = False
    asked: Asked | None = None


NOTHING_AROUND = Around()


@dataclass(frozen=True)
class Memory:
    """All that one step leaves to the next, and a killed watcher to its successor. Times are ticks."""

    stage: Stage = Stage.UNKNOWN
    hold: timedelta | None = None  # how long the mains must hold before the node is opened; None once it is
    hold_end: HoldEnd | None = None
    online_since: timedelta | None = None  # mains without a gap
    battery_since: timedelta | None = None  # start of the outage; kept over short returns of the mains
    mains_since: timedelta | None = None  # mains seen again during an outage
    low_since: timedelta | None = None
    floor_since: timedelta | None = None  # charge, runtime or voltage at its floor
    silent_since: timedelta | None = None
    same_since: timedelta | None = None  # not one number has moved
    replace_since: timedelta | None = None  # the UPS asks for a new battery
    odd_at: timedelta | None = None  # when a number last made no sense
    blind_told: timedelta | None = None  # when the long silence was last told of
    draining_since: timedelta | None = None
    saving_since: timedelta | None = None
    ready_since: timedelta | None = None
    down_since: timedelta | None = None
    cuts: tuple[timedelta, ...] = ()
    flapping: bool = False  # cut after cut: told once, and long work stays away
    before: Reading | None = None  # the last one on mains before the outage: what the battery began with
    cause: Cause | None = None
    forced: bool = False  # a forced shutdown was seen in upsd: upsmon shuts down, whatever we think
    idle: bool = False
    saved: bool = False
    last: Reading | None = None  # the last one that could be trusted

    @property
    def accepts_work(self) -> bool:
        """Whether new work may begin."""
        return self.stage is not Stage.HOLD and not self.decided

    @property
    def decided(self) -> bool:
        """Whether the node is on its way down."""
        return self.stage is Stage.DOWN or self.stage in PREPARING

    @property
    def mains_returning(self) -> bool:
        """Whether the mains is back in the middle of an outage, as far as the UPS can be heard."""
        return self.mains_since is not None and self.silent_since is None


@dataclass(frozen=True)
class Step:
    """The outcome: `seconds_left` until the decision to shut down, None when no outage is counted."""

    memory: Memory
    decision: Decision
    seconds_left: int | None = None


def first(known: timedelta | None, ticks: timedelta) -> timedelta:
    """Since when something holds that holds now."""
    return ticks if known is None else known
