"""The way out: wait for running work, then ask for the shutdown by flags that systemd (or a demonstration) watches for.

A flag is an empty file: the watcher needs no right to power anything off. Everything here may be repeated after a crash.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from appliance.gate import Gate
from appliance.power.policy import Around

FORCE_SHUTDOWN = "force-shutdown"  # root asks upsmon for the forced shutdown
POWER_OFF = "poweroff-now"  # systemd powers off, with or without upsmon
SHUTDOWN_BEGUN = "shutdown-begun"  # set by the wrapper that upsmon runs

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Handover:
    """`runtime` is the folder of the flags."""

    runtime: Path
    gate: Gate

    def look_around(self, patience: timedelta) -> Around:
        """Whether work has ended (waits up to `patience` for it; zero means no wait) and the shutdown has begun."""
        return Around(idle=self._idle(patience), shutdown_begun=(self.runtime / SHUTDOWN_BEGUN).exists())

    def clear(self) -> None:
        """Remove the flags of an earlier boot. Raises OSError."""
        for flag in (FORCE_SHUTDOWN, POWER_OFF, SHUTDOWN_BEGUN):
            (self.runtime / flag).unlink(missing_ok=True)

    def raise_flag(self, flag: str) -> None:
        """Set a flag; setting it again changes nothing. Raises OSError."""
        path = self.runtime / flag
        if not path.exists():
            path.touch()

    def _idle(self, patience: timedelta) -> bool:
        try:
            return bool(patience) and self.gate.wait_until_idle(patience.total_seconds())
        except OSError as error:
            # A gate that cannot be opened must not keep the machine on until the battery is empty.
            _log.error("Gerbang pekerjaan tidak dapat diperiksa: %s", error)
            return False
