"""Carrying new files over to the second disk while everybody works, so that photos and papers reach as far as the carried log.

Only what the newest complete backup does not hold, and only while the disk has room to spare: the log goes first, and so does the
next backup. What was carried is read from the second disk, never remembered elsewhere. A folder is listed again when something
was put into it.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from backups import carried_files, spool, stored_files
from backups.carried_files import Keys
from backups.errors import BackupError, NoSpace
from backups.files import NAMED_BY_HASH
from backups.settings import MEBIBYTE
from backups.ship import Sight, in_words
from backups.stored_files import StoredFiles

UNREADY = "belum ada cadangan yang mencatat berkasnya"
LEFT_BYTES, LEFT_PART = 1024 * MEBIBYTE, 20
BYTES_AT_ONCE = 64 * MEBIBYTE
SETTLED_NANOSECONDS = 2_000_000_000
"""A folder's time of change is as coarse as the kernel's clock: one that has just changed is looked at once more."""

log = logging.getLogger("slrt-ship")

Seen = tuple[int, int]


@dataclass(frozen=True)
class Known:
    """What is known of the second disk: which folder it is and which list of the newest backup goes with it, the keys, that list, the
    names of the copies."""

    about: tuple[int, Seen]
    keys: Keys
    stored: StoredFiles
    copies: set[str]


class FileCarrier:
    """Carries the files below `attachments` over into `folder`, which is there as long as its disk is; its key lies in `key`, the
    list of the newest backup in `state`.

    Safe to call from several threads.
    """

    def __init__(
        self, attachments: Path, folder: Path, key: Path, state: Path, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._attachments, self._folder, self._key, self._state, self._now = attachments, folder, key, state, now
        self._mutex = threading.Lock()
        self._known: Known | None = None
        self._seen: dict[str, Seen] = {}
        self._unreadable: set[str] = set()
        self.sight = Sight()

    @property
    def wants_backup(self) -> bool:
        """Whether only a new backup lets it begin."""
        return self.sight.fault == UNREADY

    def carry(self) -> bool:
        """Carry over what is new. Whether every file that was stored before is on the second disk; never raises for a disk."""
        with self._mutex:
            at = self._now()
            try:
                done = self._go()
            except (OSError, BackupError) as error:
                # What is on the disk now is not known any more.
                self._known = None
                self._note(in_words(error))
                return False
            self._note("", at if done else None)
            return done

    def prune(self, run: int) -> int:
        """Delete the copies of what backup `run` holds, which was brought back whole to prove it. Returns their number."""
        with self._mutex:
            self._known = None
            try:
                return carried_files.prune(self._folder, run)
            except OSError:
                return 0  # the next look says that the disk is away

    def _note(self, fault: str, caught_up: datetime | None = None) -> None:
        if fault != self.sight.fault:
            log.warning("Lampiran baru tidak dibawa ke disk cadangan: %s", fault) if fault else log.info(
                "Lampiran baru dibawa lagi ke disk cadangan."
            )
        self.sight = Sight(caught_up or self.sight.caught_up, fault)

    def _go(self) -> bool:
        """Carry over what is new, so much at once. Whether that was everything."""
        known = self._known = self._look_up()
        left = BYTES_AT_ONCE
        for place in self._changed():
            before = time.time_ns(), _seen(place)
            for sha256 in self._wanted(place, known):
                if left <= 0:
                    return False
                left -= self._carry(place / sha256, known)
            if abs(before[0] - before[1][1]) > SETTLED_NANOSECONDS:
                self._seen[place.name] = before[1]
        return True

    def _look_up(self) -> Known:
        """What is known of the second disk, looked up anew when it, or the newest backup, is another one."""
        about = self._folder.stat().st_ino, self._listed()
        if self._known and self._known.about == about:
            return self._known
        stored, key = stored_files.read(self._state), spool.key_of(self._key)
        if stored is None or not key:
            raise BackupError(UNREADY)
        keys = Keys(key)
        carried_files.settle(self._folder, keys, stored)
        self._seen, self._unreadable = {}, set()
        return Known(about, keys, stored, {copy.name for copy in carried_files.copies(self._folder)})

    def _listed(self) -> Seen:
        try:
            return _seen(self._state / stored_files.NAME)
        except FileNotFoundError as error:
            raise BackupError(UNREADY) from error

    def _changed(self) -> Iterator[Path]:
        """The folders of files in which something changed since they were looked through."""
        if self._attachments.is_dir():
            for place in sorted(path for path in self._attachments.iterdir() if path.is_dir()):
                if self._seen.get(place.name) != _seen(place):
                    yield place

    def _wanted(self, place: Path, known: Known) -> Iterator[str]:
        """The hashes of the files there that are neither in the newest backup nor on the second disk."""
        named = sorted(file.name for file in place.iterdir() if NAMED_BY_HASH.fullmatch(file.name))
        for name in named:
            there = name in known.stored or known.keys.name_of(name) in known.copies
            if not there and name not in self._unreadable:
                yield name

    def _carry(self, file: Path, known: Known) -> int:
        """Carry one file over. How many bytes that were."""
        content = self._read(file)
        if content:
            self._make_room(len(content), known)
            known.copies.add(carried_files.put(self._folder, known.keys, file.name, content))
        return len(content)

    def _read(self, file: Path) -> bytes:
        """What a file holds; nothing when that is not what its name says, so that one broken file does not keep the others back."""
        try:
            content = file.read_bytes()
            if hashlib.sha256(content).hexdigest() == file.name:
                return content
        except FileNotFoundError:
            return b""
        except OSError as error:
            log.warning("Lampiran %s: %s", file.name, error.strerror)
        self._unreadable.add(file.name)
        log.error("Lampiran %s rusak di disk data. Langkah berikutnya: sudo slrt backup attachments", file.name)
        return b""

    def _make_room(self, needed: int, known: Known) -> None:
        """Give up copies of what a complete backup holds, the oldest first, while there is too little room. Raises NoSpace."""
        while not self._has_room(needed):
            run = carried_files.oldest(self._folder)
            if run is None:
                raise NoSpace("disk cadangan hampir penuh")
            carried_files.prune(self._folder, run)
            known.copies.clear()
            known.copies.update(copy.name for copy in carried_files.copies(self._folder))

    def _has_room(self, needed: int) -> bool:
        disk = shutil.disk_usage(self._folder)
        return disk.free - needed > min(LEFT_BYTES, disk.total // LEFT_PART)


def _seen(place: Path) -> Seen:
    about = place.stat()
    return about.st_ino, about.st_mtime_ns
