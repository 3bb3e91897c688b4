"""Small nodes to back up with the real borg: a database with a ledger, some attachments, a repository.

The ledger's rows are numbered without gaps and carry a text made from their number, so that a copy shows what it lost.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from pysqlite3 import dbapi2 as sqlite

from backups import repository
from backups.clock import moment
from backups.outcome import Outcome
from backups.process import Stop, never
from backups.settings import MEBIBYTE, Plan, Retention
from backups.take import Say, quiet, take
from tests.support.waiting import wait_for

PASSPHRASE = "jeruk bali 4711"
SCHEMA = "CREATE TABLE ledger (id INTEGER PRIMARY KEY, entry TEXT NOT NULL)"
WRITER = """
import sys
from pysqlite3 import dbapi2 as sqlite
base = sqlite.connect(sys.argv[1], timeout=30, isolation_level=None)
base.execute("PRAGMA synchronous = FULL")
base.execute("PRAGMA wal_autocheckpoint = %d" % int(sys.argv[2]))
number = base.execute("SELECT max(id) FROM ledger").fetchone()[0]
while True:
    number += 1
    base.execute("BEGIN IMMEDIATE")
    base.execute("INSERT INTO ledger VALUES (?, ?)", (number, ("entry %d " % number) * 40))
    base.execute("COMMIT")
    sys.stdout.write("%d\\n" % number)
    sys.stdout.flush()
"""


def entry(number: int) -> str:
    """The text of one row."""
    return f"entry {number} " * 40


def make_plan(folder: Path, rows: int = 2000, attachments: int = 5) -> Plan:
    """A node below `folder` that can be backed up; its repository is ready."""
    data = folder / "data"
    for name in ("database", "attachments", "identity"):
        (data / name).mkdir(parents=True)
    fill_database(data / "database" / "slrt.db", rows)
    for number in range(attachments):
        add_attachment(data, f"attachment {number} ".encode() * 2000)
    (data / "identity" / "ca.key").write_text("a locked key")
    plan = Plan(
        data,
        folder / "repository",
        data / "backup",
        PASSPHRASE,
        secrets={"audit-key": "5a" * 32},
        retention=Retention(3, 0, 0, 0, newest=2),
        node="uji",
        reserve_bytes=MEBIBYTE,
        spare_bytes=MEBIBYTE,
    )
    repository.init(plan)
    return plan


def moved(plan: Plan, folder: Path) -> Plan:
    """The same plan with its files below another folder."""
    return replace(plan, data=folder / "data", repository=folder / "repository", state=folder / "data" / "backup")


def fill_database(file: Path, rows: int) -> None:
    """A ledger in WAL mode."""
    with closing(sqlite.connect(str(file), isolation_level=None)) as base:
        base.execute("PRAGMA journal_mode = WAL")
        base.execute(SCHEMA)
        base.execute("BEGIN")
        base.executemany("INSERT INTO ledger VALUES (?, ?)", [(number, entry(number)) for number in range(1, rows + 1)])
        base.execute("COMMIT")


def add_attachment(data: Path, content: bytes) -> Path:
    """One file named by its hash, as the service stores them."""
    digest = hashlib.sha256(content).hexdigest()
    file = data / "attachments" / digest[:2] / digest
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(content)
    return file


def ledger(file: Path) -> list[tuple[int, str]]:
    """All rows of a database that nobody else has open."""
    with closing(sqlite.connect(f"{file.as_uri()}?mode=ro&immutable=1", uri=True)) as base:
        return list(base.execute("SELECT id, entry FROM ledger ORDER BY id"))


def add_rows(plan: Plan, count: int) -> int:
    """More rows for the live database; the number of the last."""
    with closing(sqlite.connect(str(plan.database_file), isolation_level=None)) as base:
        base.execute("PRAGMA wal_autocheckpoint = 0")
        last: int = base.execute("SELECT max(id) FROM ledger").fetchone()[0]
        for number in range(last + 1, last + count + 1):
            base.execute("INSERT INTO ledger VALUES (?, ?)", (number, entry(number)))
    return last + count


def run_now(plan: Plan, at: datetime | None = None, stop: Stop = never, say: Say = quiet) -> Outcome:
    """Take a backup now, or with the clock at `at`."""
    return take(plan, moment(at or datetime.now(UTC)), stop, say)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@dataclass
class Writer:
    """A process that inserts rows as fast as it can; a number is in `log` once its commit is on the disk."""

    process: subprocess.Popen[bytes]
    log: Path

    def acknowledged(self) -> int:
        """The last number whose commit is known to be on the disk."""
        lines = self.log.read_bytes().split(b"\n")
        return int(lines[-2]) if len(lines) > 1 else 0

    def wait_for(self, number: int) -> int:
        """Wait until so many rows are acknowledged; the last acknowledged number."""
        wait_for(lambda: self.acknowledged() >= number or self.process.poll() is not None, what="the writer's rows")
        assert self.process.poll() is None, "the writer ended"
        return self.acknowledged()


@contextmanager
def writing(file: Path, log: Path, autocheckpoint: int = 0) -> Iterator[Writer]:
    """A writer hammering the database meanwhile; killed at the end."""
    command = [sys.executable, "-c", WRITER, str(file), str(autocheckpoint)]
    with log.open("wb") as sink, subprocess.Popen(command, stdout=sink) as process:
        try:
            yield Writer(process, log)
        finally:
            process.kill()
