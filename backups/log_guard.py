"""Read locks on SQLite's log, one of them held at all times: nobody can begin the log anew over what the holder has not seen.

Only for the process that checkpoints. It must never open and close the database file or its -shm by other means than SQLite: that
would drop the locks of the whole process. (The -wal may be read: nothing of it is locked.)
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from backups.sqlite import Connection, connect

HIGHEST_NUMBER = 2**31 - 1
KEPT_BYTES = 16 * 1024 * 1024


class LogGuard:
    """The locks on the log of one database. Raises SourceMissing, and what SQLite raises."""

    def __init__(self, database: Path) -> None:
        self._held, self._spare, self._keeper, self._writer = (connect(database, threads=True) for _ in range(4))
        # Whoever begins the log anew cuts its file: after an import it is large.
        self._writer.execute(f"PRAGMA journal_size_limit = {KEPT_BYTES}")
        _read(self._held)

    def move(self) -> None:
        """Let what was carried over be moved into the main file: take the lock at the log's present end, then let go of the other."""
        _read(self._spare)
        self._held.execute("ROLLBACK")
        self._held, self._spare = self._spare, self._held

    def frames(self) -> tuple[int, int]:
        """How many committed frames the log has, and how many of them were moved into the main file."""
        _, logged, moved = self._keeper.execute("PRAGMA wal_checkpoint(NOOP)").fetchone()
        return max(logged, 0), max(moved, 0)

    def move_into_file(self) -> bool:
        """Move into the main file what no reader needs any more; nobody waits. Whether it was everything."""
        busy, logged, moved = self._keeper.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        return not busy and logged == moved

    @contextmanager
    def writers_held_back(self) -> Iterator[None]:
        """Nobody can commit meanwhile. Raises SQLite's error when no turn came."""
        self._writer.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            self._writer.execute("ROLLBACK")

    def begin_anew(self) -> None:
        """Write the smallest thing there is, a number in the file's head that nobody reads, so that the emptied log begins anew."""
        self._writer.execute("BEGIN IMMEDIATE")
        try:
            (number,) = self._writer.execute("PRAGMA user_version").fetchone()
            self._writer.execute(f"PRAGMA user_version = {(number + 1) % HIGHEST_NUMBER}")
            self._writer.execute("COMMIT")
        finally:
            _end(self._writer)

    def close(self) -> None:
        """Let go of everything."""
        for connection in (self._held, self._spare, self._keeper, self._writer):
            connection.close()


def _read(connection: Connection) -> None:
    _end(connection)
    connection.execute("BEGIN")
    connection.execute("SELECT 1 FROM sqlite_master").fetchone()


def _end(connection: Connection) -> None:
    if connection.in_transaction:
        connection.execute("ROLLBACK")
