"""What the watcher notes of the chain: a change of its light in the journal, and when the UPS calibrated itself.

The watcher is the journal's one writer, so the check itself only publishes.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from appliance.power import journal
from appliance.power.chain import PATIENCE
from appliance.power.chain_check import read_report
from appliance.power.chain_facts import CALIBRATION_FILE
from appliance.power.journal import Event
from appliance.power.policy import Moment
from appliance.power.reading import Reading, Silence
from appliance.power.state import replace_file

LOOK_EVERY = timedelta(seconds=5)


class ChainNews:
    """Follows the report in `runtime`; `journal_file` tells what was last said of it."""

    def __init__(self, runtime: Path, journal_file: Path) -> None:
        self._runtime, self._journal = runtime, journal_file
        self._said: bool | None = None
        self._looked_at: timedelta | None = None

    def look(self, heard: Reading | Silence, at: Moment) -> list[tuple[Event, dict[str, Any]]]:
        """The lines for the journal, at most one. Never raises."""
        if isinstance(heard, Reading) and "CAL" in heard.flags:
            with suppress(OSError):
                replace_file(self._runtime / CALIBRATION_FILE, f"{at.ticks.total_seconds():.1f}")
        if self._looked_at is not None and at.ticks - self._looked_at < LOOK_EVERY:
            return []
        self._looked_at = at.ticks
        with suppress(OSError):
            return self._news(at)
        return []

    def _news(self, at: Moment) -> list[tuple[Event, dict[str, Any]]]:
        report = read_report(self._runtime)
        if report is None:
            return []
        settled = report.armed or at.wall - report.since >= PATIENCE
        if self._said is None:
            self._said = self._last_said()
        if not settled or report.armed is self._said:
            return []
        self._said = report.armed
        if report.armed:
            return [(Event.PROTECTED, {})]
        grave = [finding for finding in report.findings if finding.grave]
        return [(Event.UNPROTECTED, {"links": [finding.link for finding in grave], "why": grave[0].cause})]

    def _last_said(self) -> bool:
        """What the journal last said; a node is taken for protected until something is known to miss."""
        for entry in reversed(journal.entries(self._journal)):
            if entry.event in {Event.PROTECTED, Event.UNPROTECTED}:
                return entry.event is Event.PROTECTED
        return True
