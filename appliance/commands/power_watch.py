"""`slrt power watch`: a line for each change of the power, and on a terminal a countdown that stays on one line."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TextIO

from appliance.config import Settings
from appliance.power import state
from appliance.power.chain_check import read_light
from appliance.power.sentences import duration

PAUSE_SECONDS = 0.5
SILENT = timedelta(seconds=60)
NOBODY = "Pengawas listrik tidak melapor. Jalankan: sudo systemctl restart slrt-watcher"


class Screen:
    """Lines that stay, and one last line that is written over. Without a terminal the last line is left out."""

    def __init__(self, out: TextIO) -> None:
        self._out, self._terminal, self._passing = out, out.isatty(), False

    def say(self, line: str) -> None:
        """A line that stays."""
        self._out.write(("\r\x1b[K" if self._passing else "") + line + "\n")
        self._out.flush()
        self._passing = False

    def count(self, line: str) -> None:
        """A line that the next one takes the place of; nothing when empty."""
        if self._terminal and (line or self._passing):
            self._out.write("\r\x1b[K" + line)
            self._out.flush()
            self._passing = bool(line)


def follow(settings: Settings, screen: Screen) -> None:
    """Say what changes until interrupted."""
    said: tuple[str, ...] = ()
    while True:
        at = datetime.now(UTC)
        found = state.read(Path(settings.power.runtime) / state.STATE_FILE)
        now = lines_of(found, read_light(settings, at).sentence, at)
        for line in now:
            if line not in said:
                screen.say(f"{at.astimezone(settings.zone):%H:%M:%S}  {line}")
        said = now
        screen.count(countdown(found))
        time.sleep(PAUSE_SECONDS)


def lines_of(found: state.State | None, light: str, at: datetime) -> tuple[str, ...]:
    """What is worth a line of its own now: the same words as long as nothing but the numbers changes."""
    if found is None or at - found.at > SILENT:
        return (NOBODY, light)
    if found.seconds_left is not None and found.mains is False and found.accepts_work:
        return ("Listrik padam; sistem memakai baterai UPS.", light)
    if found.stage == "online" and found.accepts_work:
        return ("Listrik menyala.", light)
    return (found.sentence, light)


def countdown(found: state.State | None) -> str:
    """How long until the node ends itself, and what the battery has; empty while no outage is counted."""
    if found is None or found.seconds_left is None or found.mains is not False or not found.accepts_work:
        return ""
    charge = "" if found.charge is None else f"; baterai UPS {found.charge} %"
    return f"          Sistem mati dalam {duration(timedelta(seconds=found.seconds_left))}{charge}"
