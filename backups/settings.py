"""A plan: what is backed up, where to, under which passphrase, and how long it is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class Retention:
    """How many backups stay: the newest of each of so many days, weeks, months and years, and always the newest few."""

    daily: int = 14
    weekly: int = 8
    monthly: int = 12
    yearly: int = 3
    newest: int = 3


@dataclass(frozen=True)
class Plan:
    """Everything a run needs to know; nothing else is read from anywhere.

    `data` is the folder that holds the SQLite file `database` (relative, or empty with PostgreSQL) and `folders` (names).
    `database_url` is a libpq URL, empty for SQLite. `state` is a folder of our own on the same machine: scratch, cache, outcome.
    `second_passphrase` opens the second key that lies beside the repository, empty for none.
    `guarded` are tables (PostgreSQL: schema.table) that had rows and must not be empty: somebody installed anew, or it is another node.
    `secrets` are small texts that a restored machine needs besides its data; they are stored in the encrypted repository.
    """

    data: Path
    repository: Path
    state: Path
    passphrase: str = field(repr=False)
    second_passphrase: str = field(default="", repr=False)
    database: str = "database/slrt.db"
    database_url: str = field(default="", repr=False)
    folders: tuple[str, ...] = ("attachments", "identity")
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    retention: Retention = field(default_factory=Retention)
    zone: tzinfo = field(default_factory=lambda: ZoneInfo("Asia/Makassar"))
    node: str = ""
    reserve_bytes: int = 640 * MEBIBYTE  # borg wants a whole segment (500 MB) of room before it deletes anything
    spare_bytes: int = 2048 * MEBIBYTE  # at least so much before a run begins
    guarded: tuple[str, ...] = ()

    @property
    def database_file(self) -> Path:
        """The SQLite file. It exists only when `database_url` is empty."""
        return self.data / self.database

    @property
    def log(self) -> Path:
        """Where SQLite's log is carried over to. The appliance, which does it, knows the place by itself."""
        return self.repository.with_name("carried-log")

    @property
    def log_key(self) -> Path:
        """The folder with the key of that log."""
        return self.data / "log"

    @property
    def scratch(self) -> Path:
        """Where a run may write; emptied at its start and end."""
        return self.state / "scratch"
