"""A snapshot of a live SQLite database while others write, without copying it: the freeze.

A reader that starts when the write-ahead log is fully backfilled takes WAL read lock 0. As long as it holds it, no checkpoint may
write into the main file, so an engine can read that file at leisure while writers go on in the log. Where the freeze cannot be
had, a copy is made in one pinned read transaction, synced in steps so that no flood of dirty pages stalls the writers' commits.
Speaks to SQLite only through pysqlite3: Debian's own library is too old to trust with WAL.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pysqlite3 import dbapi2 as sqlite

from backups.errors import Mismatch, SourceMissing
from backups.process import Stop, check, never
from backups.wal import FRAME_BYTES, HEADER_BYTES, Position, read_header, told_sums

# Whoever carries the log over lets go of its lock several times a second, but not at each commit.
TRIES = 120
PAUSE_SECONDS = 0.05
LONGEST_SECONDS = 600.0
LARGEST_LOG = 512 * 1024 * 1024
COPY_PAGES = 1000
READ_LOCK_0 = 123
"""The byte of the -shm file that a holder of WAL read lock 0 has locked (WALINDEX_LOCK_OFFSET 120 + 3)."""

ROWS_AT_ONCE = 2000

Connection = Any
Counts = dict[str, int]


@dataclass(frozen=True)
class Content:
    """What a database holds: rows of each table, and where it was asked for, a hash of each table's rows."""

    counts: Mapping[str, int]
    tables: Mapping[str, str] = field(default_factory=dict)


class FreezeUnavailable(Exception):
    """The freeze could not be taken or has been held as long as is good for the writers: copy instead."""


@dataclass(frozen=True)
class Frozen:
    """A main file that stands still, what it holds in exactly that state, and where in the log that is (empty: the log is)."""

    file: Path
    content: Content
    taken: float
    mark: tuple[int, int]
    position: str = ""

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


def connect(file: Path, mode: str = "rw", *, threads: bool = False) -> Connection:
    """A connection without implicit transactions; `mode` is what SQLite's URI takes. With `threads` others than the one that
    opened it may use it, one at a time. Raises SourceMissing."""
    address = f"{file.absolute().as_uri()}?mode={mode}"
    try:
        return sqlite.connect(address, uri=True, timeout=10, isolation_level=None, check_same_thread=not threads)
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
        name: connection.execute(f"SELECT count(*) FROM {_quoted(name)}").fetchone()[0]  # noqa: S608 - a quoted name
        for name in tables(connection)
    }


def is_empty(file: Path, table: str) -> bool:
    """Whether a table has no rows, or is not there."""
    with closing(connect(file)) as base:
        return table not in tables(base) or base.execute(f"SELECT 1 FROM {_quoted(table)} LIMIT 1").fetchone() is None  # noqa: S608


def hash_rows(connection: Connection, stop: Stop = never) -> dict[str, str]:
    """A hash of the rows of each table, read as values: what an application sees, not how it lies in the file."""
    return {name: _hash_table(connection, name, stop) for name in tables(connection)}


def _hash_table(connection: Connection, name: str, stop: Stop) -> str:
    digest = hashlib.blake2b(digest_size=16)
    rows = connection.execute(f"SELECT * FROM {_quoted(name)}")  # noqa: S608 - a quoted name
    while part := rows.fetchmany(ROWS_AT_ONCE):
        for row in part:
            digest.update(repr(row).encode("utf-8", "surrogatepass"))
        check(stop)
    return digest.hexdigest()


def look_into(connection: Connection, hashes: bool, stop: Stop = never) -> Content:
    """What a live database holds, after a look at its health. Raises SourceMissing for one that is broken."""
    fault = _fault(connection, "quick_check")
    if fault:
        raise SourceMissing(
            f"Basis data yang sedang dipakai rusak ({fault}); cadangan lama tidak dihapus.",
            "Jangan bekerja lagi di sistem ini. Pulihkan cadangan terakhir: slrt backup list",
        )
    return Content(count_rows(connection), hash_rows(connection, stop) if hashes else {})


def _fault(connection: Connection, pragma: str) -> str:
    """What is wrong with the file itself, or with the references in it; empty when nothing is."""
    answer = str(connection.execute(f"PRAGMA {pragma}").fetchone()[0])
    if answer != "ok":
        return answer[:200]
    return "rujukan tanpa induk" if connection.execute("PRAGMA foreign_key_check").fetchone() else ""


def _quoted(name: str) -> str:
    return '"{}"'.format(name.replace('"', '""'))


@contextmanager
def frozen(file: Path, stop: Stop = never, *, hashes: bool = False) -> Iterator[Frozen]:
    """Hold the main file still. Raises FreezeUnavailable when it cannot be had; writers wait less than a millisecond."""
    with closing(connect(file)) as writer, closing(connect(file)) as keeper, closing(connect(file)) as reader:
        if keeper.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            raise FreezeUnavailable
        keeper.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        for _ in range(TRIES):
            check(stop)
            if (position := _take(file, writer, keeper, reader)) is not None:
                break
            time.sleep(PAUSE_SECONDS)
        else:
            raise FreezeUnavailable
        if not _holds_read_lock_0(file):
            raise FreezeUnavailable
        # Counting comes after the proof: it may take long, and must see the frozen state.
        taken, mark = time.monotonic(), _mark(file)
        yield Frozen(file, look_into(reader, hashes, stop), taken, mark, position)


def _take(file: Path, writer: Connection, keeper: Connection, reader: Connection) -> str | None:
    """One try: stop the writers, empty the log into the main file, start the reader, let the writers go on.

    The place in the log, None when it could not be done.
    """
    try:
        writer.execute("BEGIN IMMEDIATE")
    except sqlite.OperationalError:
        return None
    try:
        busy, logged, moved = keeper.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        if busy or logged != moved:
            return None
        reader.execute("BEGIN")
        reader.execute("SELECT 1 FROM sqlite_master").fetchone()
        return _place(Path(f"{file}-wal"), logged)
    finally:
        writer.execute("ROLLBACK")


def _place(log: Path, frame: int) -> str:
    """The position of a frame; empty when the log is."""
    if not frame:
        return ""
    with log.open("rb") as content:
        header = read_header(content.read(HEADER_BYTES))
        if header is None:
            return ""
        content.seek(header.offset(frame))
        return Position(header.start.salts, frame, told_sums(content.read(FRAME_BYTES))).as_text()


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


def copy(file: Path, to: Path, stop: Stop = never, *, hashes: bool = False) -> Content:
    """The fallback: a copy in one pinned read transaction. Returns what the copy holds."""
    to.unlink(missing_ok=True)
    with closing(connect(file)) as source, closing(sqlite.connect(str(to), isolation_level=None)) as target:
        target.execute("PRAGMA synchronous = OFF")
        target.execute("PRAGMA journal_mode = OFF")
        target.execute("CREATE TABLE placeholder (a)")
        source.execute("BEGIN")
        content = look_into(source, hashes, stop)
        handle = os.open(to, os.O_RDWR)

        def step(_status: int, _left: int, _total: int) -> None:
            os.fdatasync(handle)
            check(stop)

        try:
            source.backup(target, pages=COPY_PAGES, progress=step)
        finally:
            source.execute("ROLLBACK")
            os.close(handle)
    return content


def examine(file: Path, expected: Content, thorough: bool, stop: Stop = never) -> None:
    """Open a restored database read-only and compare it with what was recorded. Raises Mismatch with what is wrong."""
    for leftover in (f"{file}-wal", f"{file}-shm"):
        Path(leftover).unlink(missing_ok=True)
    # Immutable: nobody else has this file, and no side files shall appear beside it.
    with closing(connect(file, "ro&immutable=1")) as base:
        try:
            fault = _fault(base, "integrity_check" if thorough else "quick_check")
            found = Content(count_rows(base), hash_rows(base, stop) if expected.tables else {})
        except sqlite.DatabaseError as error:
            fault, found = str(error), Content({})
    if fault:
        raise Mismatch(
            f"Basis data dalam cadangan rusak ({fault}).",
            "Pakai cadangan sebelumnya, dan periksa basis data yang sedang dipakai: slrt status",
        )
    for what, seen, recorded in (
        ("Jumlah baris", found.counts, expected.counts),
        ("Isi tabel", found.tables, expected.tables),
    ):
        if seen != recorded:
            raise Mismatch(
                f"{what} dalam cadangan berbeda pada: {differing(seen, recorded)}.", "Pakai cadangan sebelumnya: slrt backup list"
            )


def look_over(file: Path) -> None:
    """Open a database that nobody else has, and look whether it is whole. Raises Mismatch."""
    with closing(connect(file, "ro&immutable=1")) as base:
        if fault := _fault(base, "quick_check"):
            raise Mismatch(f"Basis data yang dipulihkan rusak ({fault}).", "Pakai cadangan sebelumnya: slrt backup list")


def differing(one: Mapping[str, object], other: Mapping[str, object]) -> str:
    """Names of the tables that are not alike in both."""
    return ", ".join(sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name)))
