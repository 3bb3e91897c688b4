"""Ways to back up the same data: ours, and borg, restic and borgmatic as they are usually set up. Each is a list of commands."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from backups.settings import MEBIBYTE, Plan, Retention
from tests.support.borg import PASSPHRASE

PROJECT = Path(__file__).parents[2]
# What the usual way does first: SQLite's own copy in one step.
COPY = "import sys; from pysqlite3 import dbapi2 as s; a = s.connect(sys.argv[1]); b = s.connect(sys.argv[2]); a.backup(b); b.close()"
OURS = """
import json, os, sys, time
from datetime import UTC, datetime
from backups import ladder, repository, restore
from backups.clock import moment
from backups.take import take
from tests.bench.backup_ways import plan_below
from pathlib import Path
plan, what = plan_below(Path(sys.argv[1])), sys.argv[2]
now = moment(datetime.now(UTC))
if what == "init": repository.init(plan)
def say(text):
    if text.startswith("Membaca kembali"):
        used = os.times()
        Path(sys.argv[1], "times.json").write_text(json.dumps([time.monotonic() - began, sum(used[:4])]))
began = time.monotonic()
if what == "take": take(plan, now, say=say)
if what == "rehearse": ladder.rehearse(plan, now)
if what == "check": ladder.read_everything(plan, now)
if what == "restore": restore.restore(plan, "terakhir", Path(sys.argv[3]))
"""
# as slrt-backup.service runs it: Nice=10, IOSchedulingClass=idle
GENTLE = ("nice", "-n", "10", "ionice", "-c", "3")
BORGMATIC = """
repositories: [{{path: {repository}}}]
source_directories: [{photos}]
sqlite_databases: [{{name: slrt, path: {database}}}]
compression: zstd,3
keep_daily: 100
checks: [{{name: data}}]
user_runtime_directory: {runtime}
user_state_directory: {runtime}
"""


@dataclass(frozen=True)
class Way:
    """One tool: commands by step, the repository that grows, and the environment. `more` are steps that others do not have.

    `beside` are the folders where it keeps what it copies; `times` is a file with the seconds until its proof began.
    """

    name: str
    repository: Path
    init: list[list[str]]
    take: list[list[str]]
    check: list[list[str]]
    restore: list[list[str]]
    environment: dict[str, str] = field(default_factory=dict)
    more: dict[str, list[list[str]]] = field(default_factory=dict)
    beside: tuple[Path, ...] = ()
    times: Path | None = None

    @property
    def later(self) -> list[tuple[str, list[list[str]]]]:
        """The steps after the days."""
        return [("check all", self.check), ("restore", self.restore), *self.more.items()]


def plan_below(folder: Path) -> Plan:
    """The data of the benchmark as the node would back them up."""
    data = folder / "data"
    room = 64 * MEBIBYTE
    return Plan(
        data, folder / "ours", folder / "state", PASSPHRASE, retention=Retention(100), reserve_bytes=room, spare_bytes=room
    )


def ours(folder: Path) -> Way:
    """The nightly run with its proof."""

    def step(*words: str, before: Sequence[str] = GENTLE) -> list[list[str]]:
        return [[*before, sys.executable, "-c", OURS, str(folder), *words]]

    back = folder / "back"
    bare = f"set -e; mkdir -p {back} && cd {back}; n=$(borg list --last 1 --short {folder}/ours | tr -dc 0-9); "
    bare += f"borg extract {folder}/ours::db-$n; borg extract {folder}/ours::att-$n"
    return Way(
        "kita",
        folder / "ours",
        step("init"),
        step("take"),
        step("check"),
        step("restore", str(back), before=()),
        {"PYTHONPATH": str(PROJECT), "BORG_PASSPHRASE": PASSPHRASE, "BORG_BASE_DIR": str(folder / "bare-base")},
        {"bare extract": [["sh", "-c", bare]], "rehearsal": step("rehearse")},
        (folder / "state" / "scratch",),
        folder / "times.json",
    )


def _copied(folder: Path) -> list[str]:
    (folder / "copy").mkdir(exist_ok=True)
    return [sys.executable, "-c", COPY, str(folder / "data/database/slrt.db"), str(folder / "copy/slrt.db")]


def borg(folder: Path) -> Way:
    """A copy, then borg with its own choice of chunks."""
    place, back = folder / "borg", folder / "back"
    sources = [str(folder / "copy"), str(folder / "data/attachments")]
    return Way(
        "borg",
        place,
        [["borg", "init", "--encryption=repokey-blake2", str(place)]],
        [_copied(folder), ["borg", "create", "--compression=zstd,3", f"{place}::{{now:%s}}-{{utcnow:%f}}", *sources]],
        [["borg", "check", "--verify-data", str(place)]],
        [["sh", "-c", f"mkdir -p {back} && cd {back} && borg extract {place}::$(borg list --last 1 --short {place})"]],
        environment={"BORG_PASSPHRASE": PASSPHRASE, "BORG_BASE_DIR": str(folder / "borg-base")},
        beside=(folder / "copy",),
    )


def restic(folder: Path) -> Way:
    """A copy, then restic as it is."""
    place = folder / "restic"
    words = ["restic", "--quiet", "--repo", str(place)]
    return Way(
        "restic",
        place,
        [[*words, "init"]],
        [_copied(folder), [*words, "backup", str(folder / "copy"), str(folder / "data/attachments")]],
        [[*words, "check", "--read-data"]],
        [[*words, "restore", "latest", "--target", str(folder / "back")]],
        environment={"RESTIC_PASSWORD": PASSPHRASE, "RESTIC_CACHE_DIR": str(folder / "restic-cache")},
        beside=(folder / "copy",),
    )


def borgmatic(folder: Path) -> Way:
    """borgmatic with its hook for SQLite, which dumps the tables as text."""
    place, settings = folder / "borgmatic", folder / "borgmatic.yaml"
    runtime = folder / "borgmatic-run"
    runtime.mkdir(exist_ok=True)
    data = folder / "data"
    settings.write_text(
        BORGMATIC.format(repository=place, photos=data / "attachments", database=data / "database/slrt.db", runtime=runtime)
    )
    words = ["borgmatic", "--config", str(settings), "--verbosity", "-1"]
    back = folder / "back"
    return Way(
        "borgmatic",
        place,
        [[*words, "repo-create", "--encryption", "repokey-blake2"]],
        [[*words, "create"]],
        [[*words, "check", "--force"]],
        [["sh", "-c", f"mkdir -p {back}"], [*words, "extract", "--archive", "latest", "--destination", str(back)]],
        environment={"BORG_PASSPHRASE": PASSPHRASE, "BORG_BASE_DIR": str(folder / "borgmatic-base")},
    )


def ways(folder: Path, wanted: list[str]) -> list[Way]:
    """Ours first, then those that are wanted and installed."""
    makers = {"borg": borg, "restic": restic, "borgmatic": borgmatic}
    needs = {"borgmatic": ("borgmatic", "sqlite3")}
    there = [name for name in wanted if all(shutil.which(program) for program in needs.get(name, (name,)))]
    for name in set(wanted) - set(there):
        print(f"{name}: tidak terpasang, dilewati", file=sys.stderr)
    os.environ["BORG_RELOCATED_REPO_ACCESS_IS_OK"] = "yes"
    return [ours(folder), *(makers[name](folder) for name in there)]
