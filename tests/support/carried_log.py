"""A small database whose log is carried over to a second disk, without borg: what a backup would hold is kept in memory."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from pysqlite3 import dbapi2 as sqlite

from backups import replay, spool
from backups.manifest import Manifest
from backups.replay import Base
from backups.ship import Shipper
from backups.sqlite import connect, frozen
from backups.wal import Position

ZONE = ZoneInfo("Asia/Makassar")


@dataclass
class Clock:
    """A clock that goes on by a second each time somebody looks."""

    at: datetime = datetime(2026, 11, 28, 6, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at


@dataclass(frozen=True)
class Kept:
    """A backup: the bytes of the frozen file, its place in the log, when it was made."""

    content: bytes
    position: str
    at: datetime


@dataclass
class Carried:
    """The database in `folder`/data, the second disk in `folder`/second, and who carries the log over."""

    folder: Path
    clock: Callable[[], datetime] = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.second, self.state = self.folder / "second", self.folder / "state"
        self.file = self.folder / "data" / "slrt.db"
        self.log = self.second / "log"
        for place in (self.second, self.log, self.state, self.file.parent):
            place.mkdir()
        with closing(sqlite.connect(str(self.file))) as base:
            base.execute("PRAGMA journal_mode = WAL")
            base.execute("CREATE TABLE ledger (id INTEGER PRIMARY KEY, entry TEXT NOT NULL)")
        self.writer = self.connect()
        self.shipper = self.new_shipper()

    def connect(self) -> sqlite.Connection:
        """A connection as the service has them: no checkpoints of its own."""
        base = connect(self.file)
        base.execute("PRAGMA wal_autocheckpoint = 0")
        return base

    def new_shipper(self) -> Shipper:
        """As after a restart of the daemon."""
        return Shipper(self.file, self.log, self.state, self.clock)

    def add(self, rows: int, size: int = 300) -> None:
        """More rows, each committed by itself."""
        for _ in range(rows):
            self.writer.execute("INSERT INTO ledger (entry) VALUES (?)", ("isi " * (size // 4),))

    def give_up(self) -> None:
        """A transaction that is too large for the cache, so that it is in the log already, and is then taken back."""
        self.writer.execute("PRAGMA cache_size = 1")
        self.writer.execute("BEGIN IMMEDIATE")
        self.add(200)
        self.writer.execute("ROLLBACK")

    def restart(self) -> None:
        """The daemon ends and another one begins."""
        self.shipper = self.new_shipper()
        assert self.shipper.ship()

    def back_up(self) -> Kept:
        """What a run stores: the frozen file, with its place in the log."""
        with frozen(self.file) as held:
            return Kept(self.file.read_bytes(), held.position, self.clock())

    def content(self) -> bytes:
        """The file as it is when all that is committed was moved into it; nobody writes meanwhile."""
        copied = self.folder / "copied"
        shutil.rmtree(copied, ignore_errors=True)
        copied.mkdir()
        for name in (self.file.name, f"{self.file.name}-wal"):
            if (self.file.parent / name).exists():
                (copied / name).write_bytes((self.file.parent / name).read_bytes())
        with closing(connect(copied / self.file.name)) as base:
            base.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return (copied / self.file.name).read_bytes()

    def base(self, kept: Kept) -> Base:
        """The backup with the log that goes on from it."""
        start = Position.from_text(kept.position)
        epoch = spool.locate(self.log, start)
        assert epoch is not None, "the log does not go on from this backup"
        secrets = {spool.KEY_FILE: spool.key_of(self.state)}
        manifest = Manifest(1, kept.at, "", "sqlite", "freeze", "slrt.db", "", 0, {}, {}, secrets, {}, kept.position)
        return Base(manifest, epoch, start)

    def restored(self, kept: Kept, moment: datetime = replay.FAR) -> bytes:
        """The bytes of the database at a moment, from the backup and the log. Raises Mismatch."""
        to = self.folder / "restored"
        shutil.rmtree(to, ignore_errors=True)
        to.mkdir()
        (to / "slrt.db").write_bytes(kept.content)
        replay.replay(self.base(kept), to / "slrt.db", moment, ZONE)
        return (to / "slrt.db").read_bytes()

    def blocks(self) -> list[spool.Found]:
        """All blocks of the newest epoch."""
        return list(spool.chain(spool.epochs(self.log)[-1]))

    def close(self) -> None:
        """Let go of the database."""
        self.writer.close()
