"""How much a backup disturbs those who write, next to the plain way: copy with SQLite's backup API, then borg on the copy.

    .venv/bin/python tests/bench/backup.py [ROWS] [PAIRS]

Prints, for each pair, the longest wait of a writer (ms) and the wall time (s) of both ways, and the ratios of the medians.
Figures of one run on one machine compare with each other only.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from threading import Event, Thread

sys.path.insert(0, str(Path(__file__).parents[2]))

from pysqlite3 import dbapi2 as sqlite

from backups import repository
from backups import sqlite as snapshots
from backups.borg import PAGES
from backups.settings import Plan
from tests.support.borg import add_rows, make_plan

PAUSE = 0.02


class Clerk(Thread):
    """Inserts a row every 20 ms and remembers how long the slowest took, counted from the moment it was due."""

    def __init__(self, file: Path) -> None:
        super().__init__(daemon=True)
        self.file, self.ending, self.longest = file, Event(), 0.0

    def run(self) -> None:
        with closing(sqlite.connect(str(self.file), timeout=30, isolation_level=None)) as base:
            base.execute("PRAGMA synchronous = FULL")
            due = time.monotonic()
            while not self.ending.is_set():
                base.execute("INSERT INTO ledger (entry) VALUES ('bench')")
                self.longest = max(self.longest, time.monotonic() - due)
                due += PAUSE
                time.sleep(max(0.0, due - time.monotonic()))


def freeze(plan: Plan, archive: str) -> None:
    """Ours."""
    with snapshots.frozen(plan.database_file):
        repository.engine(plan).store_paths(archive, plan.database_file.parent, [plan.database_file.name], PAGES)


def plain(plan: Plan, archive: str) -> None:
    """The usual way."""
    copy = plan.scratch / "slrt.db"
    plan.scratch.mkdir(parents=True, exist_ok=True)
    copy.unlink(missing_ok=True)
    with closing(sqlite.connect(str(plan.database_file))) as source, closing(sqlite.connect(str(copy))) as target:
        source.backup(target)
    repository.engine(plan).store_paths(archive, copy.parent, [copy.name], PAGES)


def measure(plan: Plan, way: Callable[[Plan, str], None], archive: str) -> tuple[float, float]:
    """Longest wait of a writer in ms, and wall time in s."""
    add_rows(plan, 200)
    clerk = Clerk(plan.database_file)
    clerk.start()
    began = time.monotonic()
    way(plan, archive)
    spent = time.monotonic() - began
    clerk.ending.set()
    clerk.join()
    return clerk.longest * 1000, spent


def main(rows: int, pairs: int) -> None:
    """Measure both ways in turn."""
    with tempfile.TemporaryDirectory() as folder:
        plan = make_plan(Path(folder) / "node", rows)
        freeze(plan, "db-0")
        found: dict[str, list[tuple[float, float]]] = {"freeze": [], "plain": []}
        for pair in range(pairs):
            for way in (freeze, plain):
                name = way.__name__
                found[name].append(measure(plan, way, f"{name}-{pair}"))
                print(f"{name:>7}  longest wait {found[name][-1][0]:8.1f} ms  wall {found[name][-1][1]:6.2f} s", flush=True)
        for index, what in enumerate(("longest wait", "wall time")):
            ours, theirs = (statistics.median(one[index] for one in found[name]) for name in ("freeze", "plain"))
            print(f"{what}: freeze / plain = {ours / theirs:.2f}")


if __name__ == "__main__":
    main(*(int(word) for word in (*sys.argv[1:], *("200000", "5")[len(sys.argv) - 1 :])))
