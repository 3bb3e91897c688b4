"""The way out and the way in: what the watcher asks of the rest of the machine, and what the rest asks of it, by files.

A flag is an empty file: the watcher needs no right to power anything off. Everything here may be repeated after a crash. Flags to
systemd lie in the watcher's folder; what the scheduler and the officers say lies beside the gate, in the service's.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from appliance.gate import SAVED, Gate
from appliance.power.policy import Around, Asked
from appliance.power.state import replace_file

FORCE_SHUTDOWN = "force-shutdown"  # root asks upsmon for the forced shutdown
POWER_OFF = "poweroff-now"  # systemd powers off, with or without upsmon
SHUTDOWN_BEGUN = "shutdown-begun"  # set by the wrapper that upsmon runs
RTC_ARM, RTC_DISARM = "rtc-arm", "rtc-disarm"  # root sets or clears the alarm clock, and takes the flag away
ALARM = Path("/sys/class/rtc/rtc0/wakealarm")

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Handover:
    """`runtime` is the folder of the flags, `alarm` the kernel's file of the clock that can wake the machine."""

    runtime: Path
    gate: Gate
    alarm: Path = ALARM

    def look_around(self, patience: timedelta) -> Around:
        """Whether work has ended (waits up to `patience` for it; zero means no wait), and what has been said by files."""
        office = self.gate.lock.parent
        return Around(
            idle=self._idle(patience),
            saved=(office / SAVED).exists(),
            shutdown_begun=(self.runtime / SHUTDOWN_BEGUN).exists(),
            asked=next((asked for asked in (Asked.STOP, Asked.START) if (office / asked).exists()), None),
        )

    def clear(self) -> None:
        """Remove the flags of an earlier boot. Raises OSError."""
        for flag in (FORCE_SHUTDOWN, POWER_OFF, SHUTDOWN_BEGUN, RTC_ARM, RTC_DISARM):
            (self.runtime / flag).unlink(missing_ok=True)
        self.forget_words()

    def forget_words(self) -> None:
        """Take away what the others said: it was heard, or is about an earlier outage."""
        for word in (SAVED, *Asked):
            try:
                (self.gate.lock.parent / word).unlink(missing_ok=True)
            except OSError as error:
                _log.warning("Tanda %s tidak dapat dihapus: %s", word, error)

    def raise_flag(self, flag: str) -> None:
        """Set a flag; setting it again changes nothing. Raises OSError."""
        path = self.runtime / flag
        if not path.exists():
            path.touch()

    def ask_alarm(self, *, arm: bool) -> None:
        """Have root set or clear the clock that wakes the machine, where there is one. Raises OSError."""
        wanted, other = (RTC_ARM, RTC_DISARM) if arm else (RTC_DISARM, RTC_ARM)
        if self.has_alarm:
            (self.runtime / other).unlink(missing_ok=True)
            self.raise_flag(wanted)

    def who_asked(self, asked: Asked) -> str:
        """The account or the operator who asked, as far as it is known."""
        try:
            return (self.gate.lock.parent / asked).read_text(encoding="utf-8").strip()[:64]
        except (OSError, ValueError):
            return ""

    @property
    def has_alarm(self) -> bool:
        """Whether this machine has a clock that can wake it."""
        return self.alarm.exists()

    @property
    def alarm_is_set(self) -> bool:
        """Whether that clock will wake the machine."""
        try:
            return bool(self.alarm.read_text(encoding="ascii").strip())
        except (OSError, ValueError):
            return False

    def _idle(self, patience: timedelta) -> bool:
        try:
            return bool(patience) and self.gate.wait_until_idle(patience.total_seconds())
        except OSError as error:
            # A gate that cannot be opened must not keep the machine on until the battery is empty.
            _log.error("Gerbang pekerjaan tidak dapat diperiksa: %s", error)
            return False


def ask(folder: Path, asked: Asked, by: str) -> None:
    """Ask the watcher for something in the name of `by`; `folder` is the service's runtime folder. Raises OSError."""
    replace_file(folder / asked, by)
