"""The scheduler's part of a right clock: move the mark on while it runs, and tell of every jump in the journal."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from appliance import audit, custody
from appliance.clock import TOLERANCE, TOO_FAR, Mark, Reading, judge, mark_file, read_mark, write_mark
from appliance.config import Settings
from appliance.database import db, transaction
from appliance.models.audit import AuditEntry
from backups import outcome

MOVE_ON = timedelta(minutes=1)
SUBJECT = "node:clock"


def wall() -> datetime:
    """The clock in question."""
    return datetime.now(UTC)


def ticks() -> timedelta:
    """One that nobody sets, for comparison."""
    return timedelta(seconds=time.clock_gettime(time.CLOCK_BOOTTIME))


class ClockWatch:
    """Asked every few seconds. The first time it raises the mark to the newest record, for whoever wrote last may have outlived it."""

    def __init__(self, settings: Settings, wall: Callable[[], datetime] = wall, ticks: Callable[[], timedelta] = ticks) -> None:
        self._settings, self._file, self._wall, self._ticks = settings, mark_file(settings), wall, ticks
        self._begun = False
        self._base: datetime | None = None

    def look(self) -> Reading:
        """Judge the clock and move the mark on while it is right. Inside an app context. Raises OSError."""
        at, mark = self._wall(), read_mark(self._file)
        self._tell_jump(at)
        if not self._begun:
            mark = newest_record(self._settings, mark)
            if mark is not None:
                write_mark(self._file, mark)
            self._begun = True
        reading = judge(at, mark)
        if reading is Reading.RIGHT and (mark is None or at - mark.at >= MOVE_ON):
            write_mark(self._file, replace(mark, at=at) if mark else Mark(at))
        return reading

    def _tell_jump(self, at: datetime) -> None:
        """Somebody, or something, set the clock since the last look: a fact of its own, for all that is dated around it."""
        base, before = at - self._ticks(), self._base
        self._base = base
        if before is None or abs(base - before) <= TOLERANCE:
            return
        detail = {"dari": (at - (base - before)).isoformat(timespec="seconds"), "menjadi": at.isoformat(timespec="seconds")}
        with transaction():
            audit.record("jam-melompat", SUBJECT, by=None, at=at, detail=detail)


def newest_record(settings: Settings, mark: Mark | None) -> Mark | None:
    """The mark, raised to the newest record that a right clock made: in the journal, or of a backup."""
    position = mark.position if mark else 0
    newest = sa.select(AuditEntry.at).where(AuditEntry.position > position).order_by(AuditEntry.position.desc()).limit(1)
    recorded = db.session.scalar(newest)
    db.session.rollback()  # nothing shall stand open until the next look
    backup = outcome.read(custody.state_of(settings)).last if not position else None
    known = [mark.at if mark else None, recorded.astimezone(UTC) if recorded else None, backup.moment.at if backup else None]
    # what was dated far beyond the mark was dated by a clock that nobody believes
    found = [at for at in known if at is not None and (mark is None or at <= mark.at + TOO_FAR)]
    return Mark(max(found), position) if found else None
