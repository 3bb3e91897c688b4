"""Carrying PostgreSQL's log over to the second disk with its own program, so that a dead data disk costs a minute at most.

`pg_receivewal` follows the server through a slot, so that the server keeps what was not yet received, and writes into a folder beside
the key; from there each segment is sealed onto the second disk, the one that is being filled as well. A slot that is too far behind
would fill the server's disk: it is dropped, which is a break, told, and begun anew. While nobody is here to drop it, only a limit of
the server's own helps (`max_slot_wal_keep_size`); where there is none, that is told.
"""

from __future__ import annotations

import logging
import os
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from backups import postgresql, server_segments, spool
from backups.errors import BackupError, SourceMissing
from backups.files import sync_folder
from backups.postgresql import Server
from backups.process import end
from backups.server_segments import KEPT_NAMES, PARTIAL, Box, Place
from backups.settings import MEBIBYTE
from backups.ship import KEPT, Sight, in_words

if TYPE_CHECKING:
    import psycopg

SLOT = "slrt_carried"
BEAT_SECONDS = 10.0
RECEIVED_WITHIN_SECONDS, POLL_SECONDS = 5.0, 0.1
SIGN_OF_LIFE = timedelta(seconds=50)
LARGEST_BACKLOG = 4096 * MEBIBYTE
TOLD = "receiver.log"
ABOUT_SLOT = """SELECT coalesce(wal_status, ''), active_pid, coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn), 0)
FROM pg_replication_slots WHERE slot_name = %s"""
WITHOUT_LIMIT = """SELECT current_setting('max_slot_wal_keep_size') = '-1'
AND EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = %s)"""
RECEIVED = "SELECT restart_lsn >= %s::pg_lsn FROM pg_replication_slots WHERE slot_name = %s"
SETUP = "Siapkan menurut bagian PostgreSQL pada petunjuk cadangan (docs/backup.md)."
NO_LIMIT = (
    "PostgreSQL tidak membatasi log yang disimpannya bagi catatan berkelanjutan: bila layanan lama mati, disk server dapat penuh."
)
SET_LIMIT = "Tetapkan max_slot_wal_keep_size menurut bagian PostgreSQL pada petunjuk cadangan (docs/backup.md), langkah 3."

log = logging.getLogger("slrt-ship")


class ServerCarrier:
    """Carries the log of the server behind a libpq URL over into `folder`, which is there as long as its disk is; its key, and what was
    received, lie in `key`.

    Safe to call from several threads.
    """

    def __init__(self, url: str, folder: Path, key: Path, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._server, self._folder, self._key, self._now = Server(url), folder, key, now
        self._received = key / "server"
        self._mutex = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._next = 0.0
        self._system, self._breaks = "", 0
        self._sealed = ("", datetime.min.replace(tzinfo=UTC))
        self.sight = Sight()

    @property
    def epoch(self) -> str:
        """What is known to go on without a break; empty while nothing is."""
        return f"{self._system}-{self._breaks}" if self._system else ""

    def ship(self, *, at_once: bool = False) -> bool:
        """Carry over what is new, unless that was done a moment ago. Whether all that was committed before is there; never raises."""
        with self._mutex:
            if time.monotonic() < self._next and not at_once:
                return not self.sight.fault
            self._next = time.monotonic() + BEAT_SECONDS
            try:
                self._note("", self._go(self._now()))
            except (OSError, BackupError) as error:
                self._note(f"{in_words(error)} {SETUP}" if _is_unprepared(error) else in_words(error), None)
            return not self.sight.fault

    def prune(self, base: str) -> int:
        """Delete what is older than two weeks and older than a proven backup's place in the log. Returns the number of files."""
        with self._mutex, suppress(OSError, ValueError):
            return server_segments.prune(self._folder, Place.from_text(base), self._now() - KEPT)
        return 0

    def holds(self, base: str) -> bool:
        """Whether what is being carried over goes on from a backup's place in the log."""
        with self._mutex, suppress(OSError, ValueError):
            return server_segments.holds(self._folder, Place.from_text(base))
        return False

    def close(self) -> None:
        """End the server's program."""
        with self._mutex:
            self._stop()

    def _note(self, fault: str, caught_up: datetime | None) -> None:
        if fault != self.sight.fault:
            log.warning("Catatan berkelanjutan terhenti: %s", fault) if fault else log.info(
                "Catatan berkelanjutan berjalan lagi."
            )
        self.sight = Sight(caught_up or self.sight.caught_up, fault)

    def _go(self, at: datetime) -> datetime:
        """Carry over what is new. Returns the moment until which everything is there."""
        if not self._folder.is_dir():
            raise BackupError("disk cadangan tidak dapat dipakai (foldernya tidak ada)")
        box = Box(spool.key_of(self._key, make=True))
        with self._server.connect() as connection:
            self._system = system_of(connection)
            place = server_segments.make_place(self._folder, self._system)
            self._mind_slot(connection)
            self._mind_receiver(connection)
            wanted = _one(connection, "SELECT pg_current_wal_flush_lsn()")
            self._wait_for(connection, str(wanted))
        self._seal(place, box, at, str(wanted))
        return at

    def _mind_slot(self, connection: psycopg.Connection) -> None:
        """A slot that the server keeps its log for; one that was lost or holds too much is begun anew."""
        if str(_one(connection, "SHOW wal_segment_size")) != "16MB":
            raise BackupError("bagian log PostgreSQL tidak sebesar 16 MB")
        found = connection.execute(ABOUT_SLOT, [SLOT]).fetchone()
        if found and (found[0] == "lost" or found[2] > LARGEST_BACKLOG):
            log.error("PostgreSQL tidak lagi menyimpan log yang belum dibawa: catatan berkelanjutan terputus.")
            self._stop()
            if found[1] is not None:
                connection.execute("SELECT pg_terminate_backend(%s, 5000)", [found[1]])
            connection.execute("SELECT pg_drop_replication_slot(%s)", [SLOT])
            found = None
        if found is None:
            self._clear()
            self._breaks += 1
            connection.execute("SELECT pg_create_physical_replication_slot(%s, true)", [SLOT])
            if _one(connection, WITHOUT_LIMIT, SLOT):
                log.warning("%s %s", NO_LIMIT, SET_LIMIT)

    def _mind_receiver(self, connection: psycopg.Connection) -> None:
        """The program that receives the log runs; what a killed daemon left of it does not."""
        if self._process is not None and self._process.poll() is None:
            return
        self._process = None
        found = connection.execute(ABOUT_SLOT, [SLOT]).fetchone()
        if found and found[1] is not None:
            connection.execute("SELECT pg_terminate_backend(%s, 5000)", [found[1]])
        self._received.mkdir(mode=0o700, exist_ok=True)
        program = postgresql.program("pg_receivewal", connection.info.server_version // 10000)
        words = [program, "--directory", str(self._received), "--slot", SLOT, "--synchronous", "--status-interval=1", "--no-loop"]
        with (self._received / TOLD).open("wb") as told:
            self._process = subprocess.Popen(
                [*words, "--no-password", "--dbname", self._server.bare_url],
                env={**os.environ, **self._server.environment},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=told,
                start_new_session=True,
            )

    def _wait_for(self, connection: psycopg.Connection, wanted: str) -> None:
        """Until all that was committed before is received. Raises SourceMissing with what the program said."""
        deadline = time.monotonic() + RECEIVED_WITHIN_SECONDS
        while not _one(connection, RECEIVED, wanted, SLOT):
            if self._process is None or self._process.poll() is not None:
                said = (self._received / TOLD).read_text(errors="replace").strip().splitlines()
                raise SourceMissing(f"log PostgreSQL tidak dapat diterima ({said[-1] if said else 'berakhir'}). {SETUP}")
            if time.monotonic() > deadline:
                raise SourceMissing("log PostgreSQL belum diterima seluruhnya")
            time.sleep(POLL_SECONDS)

    def _seal(self, place: Path, box: Box, at: datetime, wanted: str) -> None:
        """Put what was received onto the second disk, the oldest first, and the newest anew when it grew, or now and then: nothing was
        committed until then, and a restore may rely on it."""
        names = sorted(file.name for file in self._received.iterdir() if KEPT_NAMES.fullmatch(file.name))
        segments = [name for name in names if not name.endswith(".history")]
        whole = [name for name in segments if not name.endswith(PARTIAL)]
        for name in names:
            if not (place / name).exists():
                box.put(place, name, at, (self._received / name).read_bytes())
        for name in segments[-1:] if self._sealed[0] != wanted or at - self._sealed[1] >= SIGN_OF_LIFE else []:
            box.put(place, name, at, (self._received / name).read_bytes())
            self._sealed = (wanted, at)
        for name in whole:
            (place / f"{name}{PARTIAL}").unlink(missing_ok=True)
        # the newest tells the program where to go on
        for name in whole[:-1]:
            (self._received / name).unlink()

    def _clear(self) -> None:
        """Nothing of before goes on from here."""
        if self._received.is_dir():
            for file in self._received.iterdir():
                file.unlink()
            sync_folder(self._received)

    def _stop(self) -> None:
        if self._process is not None:
            end(self._process)
        self._process = None


def _is_unprepared(error: Exception) -> bool:
    """Whether the server refused because nobody set it up for this."""
    import psycopg

    return isinstance(error.__cause__, psycopg.errors.InsufficientPrivilege)


def keeps_without_limit(url: str) -> bool:
    """Whether the server behind a libpq URL would keep its log for us until its disk is full. Raises SourceMissing."""
    with Server(url).connect() as connection:
        return bool(_one(connection, WITHOUT_LIMIT, SLOT))


def system_of(connection: psycopg.Connection) -> str:
    """The identifier that the server was born with."""
    return str(_one(connection, "SELECT system_identifier FROM pg_control_system()"))


def _one(connection: psycopg.Connection, question: str, *values: str) -> object:
    row = connection.execute(question.encode(), values or None).fetchone()
    return row[0] if row else None
