"""Carrying SQLite's log over to the second disk while everybody works, so that a dead data disk costs seconds.

One process, the one that checkpoints, does it, and holds a lock on the log (`log_guard`). The log is emptied only in `empty_log`: with
the writers held back the rest is carried over and moved into the main file, so that the end of the generation is known. A
generation that follows in any other way is a break: a new epoch begins, and only a backup made after it can be gone on from.

Carried over is what SQLite calls committed, each frame checked against the log's running checksum. The place where to go on is read
from the second disk, never remembered elsewhere. If that disk is away too long, the log is emptied all the same and the break is told.
"""

from __future__ import annotations

import errno
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pysqlite3 import dbapi2 as sqlite

from backups import spool
from backups.errors import BackupError
from backups.log_guard import LogGuard
from backups.spool import Block, SpoolDamaged, Tail
from backups.wal import FRAME_BYTES, HEADER_BYTES, Header, LogDamaged, Position, read_header, told_sums

FRAMES_AT_ONCE = 1000
PATIENCE_SECONDS = 1800.0
LARGEST_LOG = 256 * 1024 * 1024
SIGN_OF_LIFE = timedelta(seconds=60)
KEPT = timedelta(days=14)

log = logging.getLogger("slrt-ship")


class Broken(Exception):
    """Frames may be missing between what was carried over and what the log holds now."""


@dataclass(frozen=True)
class Sight:
    """How it stands: everything committed before `caught_up` is on the second disk; `fault` says why it does not go on."""

    caught_up: datetime | None = None
    fault: str = ""


class Shipper:
    """Carries the log of one database over into `folder`, which is there as long as its disk is; its key lies in `key`.

    Safe to call from several threads.
    """

    def __init__(self, database: Path, folder: Path, key: Path, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._database, self._log = database, Path(f"{database}-wal")
        self._folder, self._key, self._now = folder, key, now
        self._mutex = threading.Lock()
        self._guard: LogGuard | None = None
        self._tail: Tail | None = None
        self._sealed: Position | None = None
        self._fresh: Position | None = None
        self._failing_since: float | None = None
        self.sight = Sight()

    def ship(self) -> bool:
        """Carry over what is new. Whether everything that was committed before is on the second disk; never raises for a disk."""
        with self._mutex:
            return self._try()

    def empty_log(self, *, anew: bool = True) -> bool | None:
        """Carry everything over and move it into the main file; `anew`: the log begins anew at once.

        Whether it could be done now; None when the log is not being carried over, so that the caller empties it in his own way.
        """
        with self._mutex:
            if not self._try():
                return None if self._is_hopeless() else False
            if self._end is None or self._end == self._fresh:
                return True
            try:
                return self._empty(anew)
            except sqlite.OperationalError:
                return False

    def prune(self, base: str) -> int:
        """Delete what is older than two weeks and older than a proven backup's place in the log. Returns the number of files."""
        with self._mutex:
            return spool.prune(self._folder, Position.from_text(base), self._now() - KEPT)

    def holds(self, base: str) -> bool:
        """Whether what is being carried over goes on from a backup's place in the log."""
        with self._mutex:
            return self._tail is not None and spool.holds(self._tail.epoch, Position.from_text(base))

    @property
    def epoch(self) -> str:
        """The name of the epoch that is being added to; empty while there is none."""
        tail = self._tail
        return tail.epoch.name if tail else ""

    @property
    def _end(self) -> Position | None:
        return self._tail.last.end if self._tail and self._tail.last else None

    def _try(self) -> bool:
        at = self._now()
        try:
            if not self._folder.is_dir():
                raise FileNotFoundError(errno.ENOENT, "foldernya tidak ada")
            self._go(at)
        except (OSError, BackupError, LogDamaged, SpoolDamaged, sqlite.Error) as error:
            # What is on the disk now is not known any more: the end is looked for again.
            self._tail = None
            self._note(in_words(error))
            return False
        self._failing_since = None
        self._note("", at)
        return True

    def _note(self, fault: str, caught_up: datetime | None = None) -> None:
        if fault and self._failing_since is None:
            self._failing_since = time.monotonic()
        if fault != self.sight.fault:
            log.warning("Catatan berkelanjutan terhenti: %s", fault) if fault else log.info(
                "Catatan berkelanjutan berjalan lagi."
            )
        self.sight = Sight(caught_up or self.sight.caught_up, fault)

    def _is_hopeless(self) -> bool:
        """Whether the log must be emptied although it was not carried over. Lets go of the lock then."""
        if self._guard is None:
            return True
        size = self._log.stat().st_size if self._log.exists() else 0
        waited = time.monotonic() - self._failing_since if self._failing_since is not None else 0.0
        if waited < PATIENCE_SECONDS and size < LARGEST_LOG:
            return False
        log.error("Disk cadangan terlalu lama tidak dapat ditulisi: catatan berkelanjutan terputus.")
        self._guard.close()
        self._guard = self._sealed = None
        return True

    def _go(self, at: datetime) -> None:
        """Carry over what is new."""
        first = self._guard is None
        guard = self._guard = self._guard or LogGuard(self._database)
        if self._tail is None:
            self._tail = self._found_tail()
        logged, header = self._look(guard)
        if logged == 0 and self._tail.last is None:
            # A backup has a place in the log only when there is one.
            guard.begin_anew()
            logged, header = self._look(guard)
        try:
            begin = self._join(header, logged)
        except Broken as error:
            log.warning("Catatan berkelanjutan terputus (%s); rangkaian baru dimulai.", error)
            self._tail = spool.begin(self._folder)
            begin = header.start if header else None
        carried = header is not None and begin is not None and logged > begin.frame
        if header is not None and begin is not None and carried:
            self._carry(header, begin, logged)
            guard.move()
        if carried or first:
            self._seal(guard)
        if not carried:
            self._give_sign_of_life(at)

    def _found_tail(self) -> Tail:
        key = spool.key_of(self._key, make=True)
        try:
            found = spool.find_tail(self._folder, key)
        except (SpoolDamaged, PermissionError) as error:  # or another machine's, whose users had other numbers
            log.error("Catatan berkelanjutan rusak di disk cadangan (%s); rangkaian baru dimulai.", error)  # noqa: TRY400
            found = None
        return found or spool.begin(self._folder)

    def _look(self, guard: LogGuard) -> tuple[int, Header | None]:
        """How many committed frames there are, and the header they belong to."""
        while True:
            before, (logged, _), after = self._header(), guard.frames(), self._header()
            if before == after:
                return logged, after

    def _header(self) -> Header | None:
        try:
            with self._log.open("rb") as content:
                return read_header(content.read(HEADER_BYTES))
        except FileNotFoundError:
            return None

    def _join(self, header: Header | None, logged: int) -> Position | None:
        """Where to go on in the log; None when nothing is there. Raises Broken."""
        end = self._end
        if end is None:
            return header.start if header else None
        being_begun_anew = self._sealed == end and logged < end.frame
        if header is None or (header.start.salts == end.salts and being_begun_anew):
            if self._sealed == end:
                return None
            raise Broken("the log is gone")
        if header.start.salts == end.salts:
            if logged < end.frame or self._sums_at(header, end.frame) != end.sums:
                raise Broken("the log is not the one that was carried over")
            return end
        if self._sealed == end and end.is_followed_by(header.start.salts):
            return header.start
        raise Broken("the log was begun anew by somebody else")

    def _sums_at(self, header: Header, frame: int) -> tuple[int, int]:
        if frame == 0:
            return header.start.sums
        with self._log.open("rb") as content:
            content.seek(header.offset(frame))
            return told_sums(content.read(FRAME_BYTES))

    def _carry(self, header: Header, begin: Position, logged: int) -> None:
        """Write the frames behind `begin` to the second disk, and force them to it."""
        tail, position, key = self._tail, begin, spool.key_of(self._key)
        assert tail is not None  # noqa: S101  found by the caller
        with self._log.open("rb") as content:
            while position.frame < logged:
                content.seek(header.offset(position.frame + 1))
                frames = content.read(min(FRAMES_AT_ONCE, logged - position.frame) * header.frame_bytes)
                if not frames:
                    raise LogDamaged(f"frame {position.frame + 1} is missing")
                end = header.follow(position, frames)
                commits = header.is_commit(frames[-header.frame_bytes :])
                tail = spool.add(
                    tail, key, Block(_next(tail), self._now(), position.frame + 1, end, commits), header.raw + frames
                )
                position = end
        spool.sync(tail)
        self._tail = tail

    def _seal(self, guard: LogGuard) -> None:
        """The end of a generation is known when all of it was carried over and moved: what the lock holds from here on is that
        end, or nothing can be moved."""
        logged, moved = guard.frames()
        end = self._end
        self._sealed = end if end is not None and logged == moved == end.frame else None

    def _give_sign_of_life(self, at: datetime) -> None:
        """An empty block now and then: nothing was stored until `at`, and a restore may rely on it."""
        tail = self._tail
        if tail is None or tail.last is None or abs(at - tail.last.at) < SIGN_OF_LIFE:
            return
        end = tail.last.end
        tail = spool.add(tail, spool.key_of(self._key), Block(_next(tail), at, end.frame + 1, end, commits=True), b"")
        spool.sync(tail)
        self._tail = tail

    def _empty(self, anew: bool) -> bool:
        guard = self._guard
        assert guard is not None  # noqa: S101  the log was carried over a moment ago
        guard.move_into_file()
        with guard.writers_held_back():
            if not self._try() or not guard.move_into_file():
                return False
            guard.move()
            self._seal(guard)
        if anew:
            guard.begin_anew()
            self._try()
        self._fresh = self._end
        return True


def _next(tail: Tail) -> int:
    return tail.last.number + 1 if tail.last else 1


def in_words(error: Exception) -> str:
    """What keeps something from being carried over."""
    if isinstance(error, OSError):
        return f"disk cadangan tidak dapat dipakai ({error.strerror})"
    if isinstance(error, BackupError):
        return error.message
    return f"log basis data tidak dapat dibaca ({error})"
