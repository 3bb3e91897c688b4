"""What the UPS said, as values: a Reading, or the Silence that came instead of one. No socket, no clock.

NUT's status is a list of words. Only OL (mains) and OB (battery) decide anything, and only when exactly one of them is there;
everything else is a notice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

LONGEST_RUNTIME = timedelta(days=2)
# Volts and percent outside of these are nonsense for any unit that an office buys.
MAINS_VOLTS, BATTERY_VOLTS, LOADS = (0.0, 300.0), (5.0, 60.0), (0.0, 200.0)
NOMINAL_VOLTS = (12.0, 24.0, 36.0, 48.0)


class SilenceKind(StrEnum):
    """Why there is no reading."""

    CONNECT = "connect"  # upsd is not there
    TIMEOUT = "timeout"  # upsd or the line is stuck
    CLOSED = "closed"  # the connection broke
    PROTOCOL = "protocol"  # the answer is not one to the question
    STALE = "stale"  # upsd says that its numbers are old
    DRIVER = "driver"  # upsd has lost the driver
    DENIED = "denied"  # the password or the rights are wrong
    UNKNOWN = "unknown"  # upsd knows no such UPS
    UNCLEAR = "unclear"  # an answer without OL or OB, or with both
    OTHER_UNIT = "other-unit"  # not the UPS that was installed


@dataclass(frozen=True)
class Silence:
    """No reading, and why. `detail` is for the log, never for a page."""

    kind: SilenceKind
    detail: str = ""


@dataclass(frozen=True)
class Reading:
    """One whole answer of the UPS. `charge` and `load` in percent, voltages in volts; numbers that make no sense are
    None, and `odd` names the variables that held them."""

    flags: frozenset[str]
    charge: int | None = None
    runtime: timedelta | None = None
    mains_volts: float | None = None
    battery_volts: float | None = None
    nominal_volts: float | None = None
    load: float | None = None
    serial: str = ""
    self_test: bool = False
    odd: frozenset[str] = frozenset()

    @property
    def mains(self) -> bool | None:
        """True on mains, False on battery, None when the UPS does not say (WAIT, both, neither)."""
        on, off = "OL" in self.flags, "OB" in self.flags
        return None if on == off else on

    @property
    def low(self) -> bool:
        """Whether the battery is nearly empty: only on battery, for "OL LB" is a known false alarm of this family."""
        return self.mains is False and "LB" in self.flags

    @property
    def forced(self) -> bool:
        """Whether a forced shutdown is set in upsd. It cannot be taken back."""
        return "FSD" in self.flags

    @property
    def testing(self) -> bool:
        """Whether the UPS tries out its battery, and so is on battery although the mains may be there."""
        return self.self_test or "CAL" in self.flags

    @property
    def replace_battery(self) -> bool:
        """Whether the UPS asks for a new battery."""
        return "RB" in self.flags


def parse(variables: Mapping[str, str]) -> Reading | Silence:
    """A reading from NUT's variables, or why they are none."""
    flags = frozenset(variables.get("ups.status", "").split())
    seconds = _number(variables.get("battery.runtime"), LONGEST_RUNTIME.total_seconds())
    reading = Reading(
        flags,
        _number(variables.get("battery.charge"), 100),
        None if seconds is None else timedelta(seconds=seconds),
        _between(variables.get("input.voltage"), *MAINS_VOLTS),
        _between(variables.get("battery.voltage"), *BATTERY_VOLTS),
        _nominal(variables.get("battery.voltage.nominal")),
        _between(variables.get("ups.load"), *LOADS),
        variables.get("ups.serial", "").strip(),
        variables.get("ups.test.result", "").strip().lower() == "in progress",
    )
    reading = replace(reading, odd=_odd(variables, reading))
    # A forced shutdown counts whatever else is there: upsmon acts on it as well.
    if reading.mains is None and not reading.forced:
        return Silence(SilenceKind.UNCLEAR, f"ups.status {variables.get('ups.status', '')!r}")
    return reading


def _odd(variables: Mapping[str, str], reading: Reading) -> frozenset[str]:
    """The variables that were told and were not believed. (A nominal voltage that says nothing is an ordinary one.)"""
    believed = {
        "battery.charge": reading.charge,
        "battery.runtime": reading.runtime,
        "input.voltage": reading.mains_volts,
        "battery.voltage": reading.battery_volts,
        "ups.load": reading.load,
    }
    return frozenset(name for name, number in believed.items() if number is None and name in variables)


def _number(text: str | None, most: float) -> int | None:
    """A whole number from 0 to `most`, or None: -1, 150 %, "" and "nan" have all been seen from real devices."""
    value = _between(text, 0, most)
    return None if value is None else int(value)


def _nominal(text: str | None) -> float | None:
    """What the battery is sold as; a unit that claims 13 volts claims nothing."""
    value = _between(text, *BATTERY_VOLTS)
    return value if value in NOMINAL_VOLTS else None


def _between(text: str | None, least: float, most: float) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if least <= value <= most else None
