"""What a night costs and how little it disturbs, beside borg, restic and borgmatic on the same data. Not a test.

    .venv/bin/python tests/bench/backup.py [--residents N] [--cases N] [--photos N] [--days N] [--tools borg,restic,borgmatic]
        [--folder DIR]

For each tool: the first backup, nothing changed, so many office days, a check of all data, a restore, and ours the rehearsal; wall and
processor seconds, the highest memory of one process, what the repository grew, and how long a writer with 50 transactions a second had
to wait (p99 and the longest, from the moment when each was due). Then the goals. Figures of one run compare with each other only.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

sys.path.insert(0, str(Path(__file__).parents[2]))

from pysqlite3 import dbapi2 as sqlite

from tests.bench.backup_data import Size, make, work_a_day
from tests.bench.backup_ways import Way, ways

PAUSE = 0.02
IDLE_SECONDS = 5.0
# Runs a command and tells what it and all it started took.
METER = """
import json, resource, subprocess, sys, time
began = time.monotonic()
code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([code, time.monotonic() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024]))
"""


@dataclass(frozen=True)
class Figure:
    """One step of one tool: seconds on the clock and of the processor, MB of memory, MB the repository grew, ms a writer waited."""

    wall: float
    cpu: float
    memory: float
    grown: float = 0.0
    p99: float = 0.0
    longest: float = 0.0


class Clerk(Thread):
    """Inserts a row every 20 ms and remembers how long each took, counted from the moment it was due."""

    def __init__(self, file: Path) -> None:
        super().__init__(daemon=True)
        self.file, self.ending, self.waits = file, Event(), [0.0]

    def run(self) -> None:
        with closing(sqlite.connect(str(self.file), timeout=60, isolation_level=None)) as base:
            base.execute("PRAGMA synchronous = FULL")
            due = time.monotonic()
            while not self.ending.is_set():
                base.execute("INSERT INTO ledger (entry) VALUES ('bench')")
                self.waits.append((time.monotonic() - due) * 1000)
                due += PAUSE
                time.sleep(max(0.0, due - time.monotonic()))

    def end(self) -> tuple[float, float]:
        """p99 and the longest, in ms."""
        self.ending.set()
        self.join()
        return statistics.quantiles(self.waits, n=100)[-1] if len(self.waits) > 1 else 0.0, max(self.waits)


def size_of(folder: Path) -> float:
    """MB of the files below a folder, without the room that ours sets aside."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != "cadangan-ruang")
    return sum(path.stat().st_size for path in files) / 1e6


def measure(way: Way, commands: Sequence[Sequence[str]], writer: Path | None = None) -> Figure:
    """Run the commands of a step, one after the other, with a writer beside them where there is a file for one."""
    before, clerk = size_of(way.repository), Clerk(writer) if writer else None
    if clerk:
        clerk.start()
    found = []
    for command in commands:
        words = [sys.executable, "-c", METER, *command]
        ended = subprocess.run(words, env={**os.environ, **way.environment}, capture_output=True, text=True, check=True)
        code, *figures = json.loads(ended.stdout)
        if code not in ({0, 1} if way.name == "borg" else {0}):  # borg's 1 is a warning
            raise SystemExit(f"{way.name}: {' '.join(command)[:200]} → {code}\n{ended.stderr[-2000:]}")
        found.append(figures)
    p99, longest = clerk.end() if clerk else (0.0, 0.0)
    wall, cpu, memory = sum(one[0] for one in found), sum(one[1] for one in found), max(one[2] for one in found)
    return Figure(wall, cpu, memory, size_of(way.repository) - before, p99, longest)


def summed(figures: Sequence[Figure]) -> Figure:
    """Several days as one line: sums, and the worst of the waits."""
    return Figure(
        sum(one.wall for one in figures),
        sum(one.cpu for one in figures),
        max(one.memory for one in figures),
        sum(one.grown for one in figures),
        max(one.p99 for one in figures),
        max(one.longest for one in figures),
    )


def idle(file: Path) -> float:
    """p99 of a writer that nobody disturbs, in ms."""
    clerk = Clerk(file)
    clerk.start()
    time.sleep(IDLE_SECONDS)
    return clerk.end()[0]


def tell(way: Way, step: str, one: Figure) -> None:
    """One line of the table."""
    print(
        f"{way.name:<10} {step:<14} {one.wall:8.1f} s {one.cpu:8.1f} s cpu {one.memory:7.0f} MB {one.grown:+9.1f} MB"
        f"   writer p99 {one.p99:7.1f} ms, longest {one.longest:7.1f} ms",
        flush=True,
    )


def compare(folder: Path, size: Size, days: int, tools: list[str]) -> None:
    """Every step of every tool, in turn on the same data."""
    dice = random.Random(4711)  # noqa: S311 - the same data each time
    data = folder / "data"
    file = make(data, size, dice)
    print(
        f"database {file.stat().st_size / 1e6:.0f} MB, {size.photos} photos {size_of(data / 'attachments'):.0f} MB\n", flush=True
    )
    quiet, found = idle(file), {}
    all_ways = ways(folder, tools)
    for way in all_ways:
        measure(way, way.init)
        found[way.name, "first"] = measure(way, way.take, file)
        found[way.name, "no change"] = measure(way, way.take)
    by_day: dict[str, list[Figure]] = {way.name: [] for way in all_ways}
    for _ in range(days):
        work_a_day(data, size, dice, min(30, size.photos))
        for way in all_ways:
            by_day[way.name].append(measure(way, way.take, file))
    for way in all_ways:
        found[way.name, f"{days} days"] = summed(by_day[way.name])
        found[way.name, "one day"] = sorted(by_day[way.name], key=lambda one: one.wall)[days // 2]
        for step, commands in (("check all", way.check), ("restore", way.restore), ("rehearsal", way.rehearse)):
            if commands:
                shutil.rmtree(folder / "back", ignore_errors=True)
                found[way.name, step] = measure(way, commands)
    for way in all_ways:
        for (name, step), figure in found.items():
            if name == way.name:
                tell(way, step, figure)
    tell_goals(found, days, quiet)


def tell_goals(found: dict[tuple[str, str], Figure], days: int, quiet: float) -> None:
    """Each goal with its measured ratio."""
    grown = f"{days} days"
    ours = {step: figure for (name, step), figure in found.items() if name == "kita"}
    rows = [("highest memory of a night, MB", max(ours[step].memory for step in ("first", grown)), 1.0, 128.0)]
    rows.append(("writer's p99, by an idle one", ours[grown].p99, quiet, 1.5))
    for name, goals in {
        "restic": (("longest wait of a writer", "first", "longest", 0.15), (f"growth over {days} days", grown, "grown", 0.25),
                   ("a night with its proof", "one day", "wall", 4.0), ("first backup, cpu", "first", "cpu", 0.7)),
        "borg": ((f"growth over {days} days", grown, "grown", 0.1), ("restore", "restore", "wall", 1.3)),
        "borgmatic": ((f"growth over {days} days", grown, "grown", 0.1), ("one day's growth", "one day", "grown", 0.2)),
    }.items():  # fmt: skip
        for what, step, field, goal in goals:
            if (name, step) in found:
                rows.append((f"{what}, by {name}", getattr(ours[step], field), getattr(found[name, step], field), goal))
    print("\ngoal: ours / theirs at most")
    for what, one, other, goal in rows:
        ratio = one / max(other, 0.001)
        print(f"{'met ' if ratio <= goal else 'NOT '} {what:<44} {one:9.1f} / {other:9.1f} = {ratio:7.2f}   (≤ {goal:g})")


def main() -> None:
    """Read the options, and measure in a folder that is gone afterwards."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--residents", type=int, default=1_000_000)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--photos", type=int, default=3_000)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--tools", default="borg,restic,borgmatic")
    parser.add_argument("--folder", type=Path, default=None, help="where to work; best on the disk that a node would use")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        size = Size(asked.residents, asked.cases, asked.photos)
        compare(Path(folder), size, asked.days, [name for name in asked.tools.split(",") if name])


if __name__ == "__main__":
    main()
