"""A snapshot of a live SQLite database while others write, without copying it: the freeze.

A reader that starts when the write-ahead log is fully backfilled takes WAL read lock 0. As long as it holds it, no checkpoint may
write into the main file, so an engine can read that file at leisure while writers go on in the log. Where the freeze cannot be
had, a copy is made in one pinned read transaction, synced in steps so that no flood of dirty pages stalls the writers' commits.
Speaks to SQLite only through pysqlite3: Debian's own library is too old to trust with WAL.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pysqlite3 import dbapi2 as sqlite

from backups.errors import Mismatch, SourceMissing
from backups.process import Stop, check, never

TRIES = 40
PAUSE_SECONDS = 0.05
LONGEST_SECONDS = 600.0
LARGEST_LOG = 512 * 1024 * 1024
COPY_PAGES = 1000
READ_LOCK_0 = 123
"""The byte of the -shm file that a holder of WAL read lock 0 has locked (WALINDEX_LOCK_OFFSET 120 + 3)."""

Connection = Any
Counts = dict[str, int]


class FreezeUnavailable(Exception):
    """The freeze could not be taken or has been held as long as is good for the writers: copy instead."""


@dataclass(frozen=True)
class Frozen:
    """A main file that stands still. `counts` are the rows of each table in exactly that state."""

    file: Path
    counts: Counts
    taken: float
    mark: tuple[int, int]

    def spent(self) -> bool:
        """Whether it must be let go: held too long, or the log has grown too large."""
        log = Path(f"{self.file}-wal")
        return time.monotonic() - self.taken > LONGEST_SECONDS or (log.exists() and log.stat().st_size > LARGEST_LOG)

    def prove_untouched(self) -> None:
        """Raise Mismatch if anybody wrote into the main file since the freeze."""
        if _mark(self.file) != self.mark:
            raise Mismatch(
                "Basis data berubah selama dibaca; salinan ini tidak dipakai.",
                "Tidak perlu apa-apa: sistem mengulanginya sendiri nanti.",
            )


def connect(file: Path, mode: str = "rw") -> Connection:
    """A connection without implicit transactions; `mode` is what SQLite's URI takes. Raises SourceMissing."""
    try:
        return sqlite.connect(f"{file.absolute().as_uri()}?mode={mode}", uri=True, timeout=10, isolation_level=None)
    except sqlite.Error as error:
        raise SourceMissing(f"Basis data {file} tidak dapat dibuka ({error}).", "Periksa disk data: slrt status") from error


def require_database(file: Path) -> int:
    """The size in bytes. Raises SourceMissing unless the file is a SQLite database with tables: an empty one must never
    push good backups out."""
    if not file.is_file():
        raise SourceMissing(
            f"Basis data {file} tidak ada.", "Periksa disk data, atau pulihkan: slrt backup restore terakhir --in-place"
        )
    with closing(connect(file)) as base:
        if not tables(base):
            raise SourceMissing(f"Basis data {file} kosong.", "Siapkan dahulu: slrt database upgrade")
        pages, page = (base.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
        return int(pages) * int(page)


@contextmanager
def closing(connection: Connection) -> Iterator[Connection]:
    """Close at the end; an error of SQLite inside becomes SourceMissing."""
    try:
        yield connection
    except sqlite.Error as error:
        raise SourceMissing(f"Basis data tidak dapat dibaca ({error}).", "Periksa disk data: slrt status") from error
    finally:
        connection.close()


def tables(connection: Connection) -> list[str]:
    """Names of the tables that hold data."""
    found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name")
    return [name for (name,) in found]


def count_rows(connection: Connection) -> Counts:
    """Rows of each table."""
    return {
        name: connection.execute('SELECT count(*) FROM "{}"'.format(name.replace('"', '""'))).fetchone()[0]  # noqa: S608 - a quoted name
        for name in tables(connection)
    }


@contextmanager
def frozen(file: Path, stop: Stop = never) -> Iterator[Frozen]:
    """Hold the main file still. Raises FreezeUnavailable when it cannot be had; writers wait less than a millisecond."""
    with closing(connect(file)) as writer, closing(connect(file)) as keeper, closing(connect(file)) as reader:
        if keeper.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            raise FreezeUnavailable
        keeper.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        for _ in range(TRIES):
            check(stop)
            if _take(writer, keeper, reader):
                break
            time.sleep(PAUSE_SECONDS)
        else:
            raise FreezeUnavailable
        if not _holds_read_lock_0(file):
            raise FreezeUnavailable
        # Counting comes after the proof: it may take long, and must see the frozen state.
        yield Frozen(file, count_rows(reader), time.monotonic(), _mark(file))


def _take(writer: Connection, keeper: Connection, reader: Connection) -> bool:
    """One try: stop the writers, empty the log into the main file, start the reader, let the writers go on."""
    try:
        writer.execute("BEGIN IMMEDIATE")
    except sqlite.OperationalError:
        return False
    try:
        busy, logged, moved = keeper.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        if busy or logged != moved:
            return False
        reader.execute("BEGIN")
        reader.execute("SELECT 1 FROM sqlite_master").fetchone()
        return True
    finally:
        writer.execute("ROLLBACK")


def _holds_read_lock_0(file: Path) -> bool:
    """Whether the kernel shows the lock as ours: the proof that the freeze holds."""
    shared = Path(f"{file}-shm").stat().st_ino
    try:
        lines = Path("/proc/locks").read_text().splitlines()
    except OSError:
        return True
    ours = [line.split() for line in lines if line.split()[4:5] == [str(os.getpid())]]
    # Process ids in /proc/locks are those of the reader's namespace; a container may hide them, then nothing is shown at all.
    return not ours or any(part[5].endswith(f":{shared}") and _covers(part[6], part[7]) for part in ours if len(part) >= 8)


def _covers(start: str, end: str) -> bool:
    return int(start) <= READ_LOCK_0 and (end == "EOF" or int(end) >= READ_LOCK_0)


def _mark(file: Path) -> tuple[int, int]:
    found = file.stat()
    return found.st_mtime_ns, found.st_size


def copy(file: Path, to: Path, stop: Stop = never) -> Counts:
    """The fallback: a copy in one pinned read transaction. Returns the rows of each table of the copy."""
    to.unlink(missing_ok=True)
    with closing(connect(file)) as source, closing(sqlite.connect(str(to), isolation_level=None)) as target:
        target.execute("PRAGMA synchronous = OFF")
        target.execute("PRAGMA journal_mode = OFF")
        target.execute("CREATE TABLE placeholder (a)")
        source.execute("BEGIN")
        counts = count_rows(source)
        handle = os.open(to, os.O_RDWR)

        def step(_status: int, _left: int, _total: int) -> None:
            os.fdatasync(handle)
            check(stop)

        try:
            source.backup(target, pages=COPY_PAGES, progress=step)
        finally:
            source.execute("ROLLBACK")
            os.close(handle)
    return counts


def examine(file: Path, counts: Counts, thorough: bool) -> None:
    """Open a restored database and compare it with what was counted. Raises Mismatch with what is wrong."""
    for leftover in (f"{file}-wal", f"{file}-shm"):
        Path(leftover).unlink(missing_ok=True)
    # Immutable: nobody else has this file, and no side files shall appear beside it.
    with closing(connect(file, "ro&immutable=1")) as base:
        try:
            answer = base.execute(f"PRAGMA {'integrity_check' if thorough else 'quick_check'}").fetchone()[0]
            orphans = base.execute("PRAGMA foreign_key_check").fetchone()
            found = count_rows(base)
        except sqlite.DatabaseError as error:
            answer, orphans, found = str(error), None, {}
    if answer != "ok" or orphans:
        raise Mismatch(
            f"Basis data dalam cadangan rusak ({answer if answer != 'ok' else 'rujukan tanpa induk'}).",
            "Pakai cadangan sebelumnya, dan periksa basis data yang sedang dipakai: slrt status",
        )
    if found != counts:
        differing = sorted(name for name in found.keys() | counts.keys() if found.get(name) != counts.get(name))
        raise Mismatch(f"Jumlah baris dalam cadangan berbeda pada: {', '.join(differing)}.", "Jalankan lagi: slrt backup run")
