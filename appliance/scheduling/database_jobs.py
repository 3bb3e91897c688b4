"""The jobs for the database: its log is carried over and kept short, and what it knows of its indexes stays fresh."""

from __future__ import annotations

import logging
from datetime import date, datetime, timedelta

from appliance.carried_log import CarriedLog
from appliance.database import checkpoint, refresh_statistics
from appliance.errors import TryLater
from appliance.scheduling.workplace import Job, Workplace
from backups import book

CARRY_OVER = timedelta(seconds=2)
CARRY_FILES = timedelta(seconds=5)
CHECKPOINT = timedelta(minutes=1)
PRUNE = timedelta(hours=6)
STATISTICS = timedelta(minutes=10)
LOOK_FOR_POWER_OFF = timedelta(seconds=1)

log = logging.getLogger("slrt-scheduler")


class DatabaseJobs:
    """What the one process does that checkpoints. `carried` is the log on its way to the second disk."""

    def __init__(self, workplace: Workplace, carried: CarriedLog) -> None:
        self._workplace, self._settings, self._carried = workplace, workplace.settings, carried
        self._statistics_of: date | None = None

    def jobs(self) -> tuple[Job, ...]:
        """What is done, and how often."""
        return (
            Job("log", CARRY_OVER, self._carried.carry_over),
            Job("files", CARRY_FILES, self._carried.carry_files),
            Job("checkpoint", CHECKPOINT, self.keep_log_short),
            Job("old log", PRUNE, self.prune_log),
            Job("statistics", STATISTICS, self.refresh_statistics),
            Job("save", LOOK_FOR_POWER_OFF, self.save_before_power_off),
        )

    def close(self) -> None:
        """Carry over what came last."""
        self._carried.carry_over()
        self._carried.carry_files()
        self._carried.close()

    def keep_log_short(self) -> None:
        """Move the write-ahead log into the database file, but not while a backup reads that file."""
        settings = self._settings
        if settings.database.url or not settings.database_file.exists() or self._workplace.is_backup_running():
            return
        try:
            with self._workplace.gate.work(held_too=True):  # nothing of it is dated
                if self._carried.empty() is None:
                    checkpoint(settings)
        except TryLater:
            return  # about to power off, or busy: the next minute will do

    def prune_log(self) -> None:
        """Delete what nobody needs any more of the log that was carried over."""
        if removed := self._carried.prune(book.lines(self._workplace.state)):
            log.info("%d berkas catatan berkelanjutan yang lewat masa simpannya dihapus.", removed)

    def refresh_statistics(self) -> None:
        """Once a day, and after each start: what the database knows of its indexes. Not while a backup reads the file."""
        today = datetime.now(self._settings.zone).date()
        if self._statistics_of == today or not self._workplace.has_tables() or self._workplace.is_backup_running():
            return
        try:
            with self._workplace.gate.work(held_too=True):
                refresh_statistics(self._settings)
        except TryLater:
            return  # about to power off, or busy: the next time will do
        self._statistics_of = today

    def save_before_power_off(self) -> None:
        """Leave a short log, so that the next start is quick; what was acknowledged is on the disk without it."""
        if self._workplace.gate.is_saving() and (not self._carried.exists or self._save()):
            self._workplace.gate.tell_saved()

    def _save(self) -> bool:
        done = self._carried.empty(anew=False)
        return checkpoint(self._settings) if done is None else done
