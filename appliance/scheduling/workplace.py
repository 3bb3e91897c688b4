"""What every job of the scheduler works with, and what a job is."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from appliance import backup_errands, custody
from appliance.clock import mark_file
from appliance.config import Settings
from appliance.database import create_service, current_revision, newest_revision
from appliance.gate import Gate
from backups import lock

POLL_SECONDS = 0.2
GRACE_SECONDS = 20
SLRT = (sys.executable, "-c", "from appliance.cli import main; main()")


@dataclass(frozen=True)
class Job:
    """What is done again and again: its name for the log, how often, and what."""

    name: str
    every: timedelta
    do: Callable[[], None]


class Workplace:
    """One node as the jobs see it. `ending` is set when the daemon shall end."""

    def __init__(self, settings: Settings, config_file: Path, ending: threading.Event) -> None:
        self.settings, self._config_file, self._ending = settings, config_file, ending
        self.state, self.runtime = custody.state_of(settings), Path(settings.paths.runtime)
        self._repository = Path(settings.backup.repository)
        self.gate = Gate(self.runtime / "gate.lock", Path(settings.power.runtime) / "state.json", mark_file(settings))
        self.service = create_service(settings)
        self._tables_there = False

    def has_tables(self) -> bool:
        """Whether the database is as this program needs it."""
        self._tables_there = self._tables_there or current_revision(self.settings) == newest_revision()
        return self._tables_there

    def is_backup_running(self) -> bool:
        """Whether anything is done with the backups. Where they have a user of their own, the repository is hidden from us."""
        return any(map(lock.is_running, (self.state, self._repository))) or backup_errands.is_under_way(self.runtime)

    def run(self, *words: str) -> int:
        """Run `slrt` to its end; it is told to end when the daemon ends. Its exit code. The backups' own user does what is his."""
        if words[0] == "backup" and custody.is_apart(self.settings):
            return backup_errands.send(self.runtime, words[1:], self._ending.is_set)
        command = [*SLRT, "--config", str(self._config_file.absolute()), *words]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL) as process:
            while process.poll() is None and not self._ending.wait(POLL_SECONDS):
                pass
            if process.poll() is None:
                process.terminate()
            try:
                return process.wait(GRACE_SECONDS if self._ending.is_set() else None)
            except subprocess.TimeoutExpired:
                process.kill()
                return process.wait()
