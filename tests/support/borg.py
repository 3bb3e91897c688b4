"""Small nodes to back up with the real borg: a database with a ledger, some attachments, a repository.

The ledger's rows are numbered without gaps and carry a text made from their number, so that a copy shows what it lost.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pysqlite3 import dbapi2 as sqlite

from appliance.config import BackupSettings, PathSettings, PowerSettings, Settings, SpaceSettings, render
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
    plan = make_data(folder, rows, attachments)
    repository.init(plan)
    return plan


def make_data(folder: Path, rows: int, attachments: int) -> Plan:
    """A node below `folder` without a repository."""
    data = folder / "data"
    for name in ("database", "attachments", "identity"):
        (data / name).mkdir(parents=True)
    fill_database(data / "database" / "slrt.db", rows)
    for number in range(attachments):
        add_attachment(data, f"attachment {number} ".encode() * 2000)
    (data / "identity" / "ca.key").write_text("a locked key")
    return Plan(
        data,
        folder / "repository",
        data / "backup",
        PASSPHRASE,
        secrets={"audit-key": "5a" * 32},
        retention=Retention(3, 0, 0, 0, newest=5),
        node="uji",
        reserve_bytes=MEBIBYTE,
        spare_bytes=MEBIBYTE,
    )


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


def run_now(plan: Plan, at: datetime | None = None, stop: Stop = never, say: Say = quiet, *, hashes: bool = False) -> Outcome:
    """Take a backup now, or with the clock at `at`."""
    return take(plan, moment(at or datetime.now(UTC)), stop, say, hashes=hashes)


def flip(file: Path, place: int | None = None) -> None:
    """Change one bit as a failing medium does: the file's times stay."""
    about, content = file.stat(), bytearray(file.read_bytes())
    content[len(content) // 2 if place is None else place] ^= 1
    file.write_bytes(content)
    os.utime(file, ns=(about.st_atime_ns, about.st_mtime_ns))


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


SLRT = (sys.executable, "-c", "from appliance.cli import main; main()")
SERVICE_USER = "nobody"
SECRETS = ("backup-passphrase", "audit-key", "web-session-key")


@dataclass(frozen=True)
class Node:
    """A node whose data and repository belong to a service user, with its settings file and secrets; `slrt` runs as root."""

    folder: Path
    plan: Plan

    @classmethod
    def make(cls, folder: Path) -> Node:
        """A node below `folder`, which the service user must be able to reach."""
        plan = make_data(folder, 2000, 3)
        for name in ("secrets", "run", "power"):
            (folder / name).mkdir(mode=0o700)
        for name in SECRETS:
            (folder / "secrets" / name).write_text(f"{secrets.token_hex(32)}\n")
            (folder / "secrets" / name).chmod(0o600)
        node = cls(folder, plan)
        node._write_settings()
        node._lock_identity()
        plan.repository.mkdir(mode=0o700)
        node.give_to_service()
        node.slrt("backup", "init", check=True)
        return node

    def copy(self, folder: Path) -> Node:
        """The same node, with the same secrets, below the new folder `folder`."""
        shutil.copytree(self.folder, folder)
        node = Node(folder, moved(self.plan, folder))
        node._write_settings()
        node.give_to_service()
        return node

    def _write_settings(self) -> None:
        folder = self.folder
        paths = PathSettings(str(self.plan.data), str(folder / "run"), str(folder / "secrets"), str(folder / "tls"))
        power = PowerSettings(ups="none", runtime=str(folder / "power"), state=str(folder / "power"))
        kept = BackupSettings(repository=str(self.plan.repository), boot_delay_seconds=0)
        (folder / "appliance.toml").write_text(
            render(Settings(paths=paths, power=power, backup=kept, space=SpaceSettings(reserve_megabytes=0)))
        )

    def _lock_identity(self) -> None:
        locked = serialization.BestAvailableEncryption(self.secret("backup-passphrase").encode())
        key = ec.generate_private_key(ec.SECP256R1())
        pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked)
        (self.plan.data / "identity" / "ca.key").write_bytes(pem)

    def give_to_service(self) -> None:
        """What root made in the data and the repository becomes the service user's."""
        user = pwd.getpwnam(SERVICE_USER)
        self.folder.chmod(0o755)
        self.plan.log.mkdir(exist_ok=True)  # as provisioning does
        for top in (self.plan.data, self.plan.repository, self.plan.log, self.folder / "run", self.folder / "power"):
            for path in (top, *top.rglob("*")):
                os.chown(path, user.pw_uid, user.pw_gid)

    def secret(self, name: str) -> str:
        """A secret of this node."""
        return (self.folder / "secrets" / name).read_text().strip()

    def plan_with_secret(self) -> Plan:
        """The plan under the passphrase of this node, as `slrt` has it."""
        return replace(self.plan, passphrase=self.secret("backup-passphrase"))

    def slrt(self, *words: str, terminal: int = subprocess.DEVNULL, check: bool = False) -> subprocess.CompletedProcess[str]:
        """Run `slrt` as root to its end, at the file descriptor `terminal` if there is one."""
        ended = subprocess.run(
            self._command(words), stdin=terminal, capture_output=True, text=True, cwd="/", env=environment(), check=False
        )
        assert not check or ended.returncode == 0, ended.stderr
        return ended

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Start `slrt` as root, in a session of its own, so that all it starts can be killed with it.

        It gives way to everything else: on a busy machine too, whoever waits for a moment to kill it sees that moment.
        """
        command = ["nice", "-n", "19", *self._command(words)]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd="/", env=environment(), start_new_session=True)

    def as_service(self) -> list[str]:
        """What stands before a command that the service user runs. Its right to read is for the suite's own Python."""
        user, right = pwd.getpwnam(SERVICE_USER), "dac_read_search"
        return [
            "setpriv",
            f"--reuid={user.pw_uid}",
            f"--regid={user.pw_gid}",
            "--clear-groups",
            f"--inh-caps=+{right}",
            f"--ambient-caps=+{right}",
        ]

    def _command(self, words: Sequence[str]) -> list[str]:
        return [*SLRT, "--config", str(self.folder / "appliance.toml"), *words]


def environment() -> dict[str, str]:
    """Ours, with the project's folder on the path."""
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}


@contextmanager
def a_node(template: Node | None = None) -> Iterator[Node]:
    """A node, new or a copy of `template`, in a folder that other users may enter, unlike pytest's."""
    folder = Path(tempfile.mkdtemp(prefix="slrt-backup-"))
    folder.chmod(0o755)
    try:
        yield template.copy(folder / "node") if template else Node.make(folder / "node")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def writing(file: Path, log: Path, autocheckpoint: int = 0) -> Iterator[Writer]:
    """A writer hammering the database meanwhile; killed at the end."""
    command = [sys.executable, "-c", WRITER, str(file), str(autocheckpoint)]
    with log.open("wb") as sink, subprocess.Popen(command, stdout=sink) as process:
        try:
            yield Writer(process, log)
        finally:
            process.kill()
