"""What a night costs and how little it disturbs, beside borg, restic and borgmatic on the same data. Not a test.

    .venv/bin/python tests/bench/backup.py [--residents N] [--cases N] [--photos N] [--days N] [--tools borg,restic,borgmatic]
        [--folder DIR] [--second-disk DIR]

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
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event, Thread, get_native_id

sys.path.insert(0, str(Path(__file__).parents[2]))

from pysqlite3 import dbapi2 as sqlite

from tests.bench.backup_data import Size, make, work_a_day
from tests.bench.backup_ways import GENTLE, Way, ways

PAUSE = 0.02
IDLE_SECONDS = 5.0
# What no backup can undercut: a program of the same low priority that touches no disk.
COMPUTING = "import hashlib, sys, time; end = time.monotonic() + float(sys.argv[1])\nwhile time.monotonic() < end: hashlib.sha256(bytes(2**20))"
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
    """One step of one tool: seconds on the clock and of the processor, MB of memory, MB the repository grew; ms that a writer waited
    each time, and MB that lay on the data's disk meanwhile for the snapshot. `stored`: seconds until ours begins its proof. `photos`: MB of new ones."""

    wall: float
    cpu: float
    memory: float
    grown: float = 0.0
    waits: tuple[float, ...] = ()
    written: float = 0.0
    stored: tuple[float, float] = (0.0, 0.0)
    photos: float = 0.0

    @property
    def grown_database(self) -> float:
        """What the repository grew, in MB, without the new photos: those are in all of them alike, and no tool makes them smaller."""
        return self.grown - self.photos

    @property
    def p99(self) -> float:
        """What 99 of 100 transactions of the writer did not exceed, in ms."""
        return statistics.quantiles(self.waits, n=100)[-1] if len(self.waits) > 1 else 0.0

    @property
    def longest(self) -> float:
        """The longest of them, in ms."""
        return max(self.waits, default=0.0)


class Clerk(Thread):
    """Inserts a row every 20 ms and remembers how long each took, counted from the moment it was due.

    As the pages of a node it comes first, before a backup with the priority of the scheduler. `written` is the most that the
    database's log and the folders `beside` took.
    """

    def __init__(self, file: Path, beside: Sequence[Path] = ()) -> None:
        super().__init__(daemon=True)
        self.file, self.beside, self.ending = file, beside, Event()
        self.waits: list[float] = []
        self.written = 0.0

    def run(self) -> None:
        with suppress(PermissionError):
            os.setpriority(os.PRIO_PROCESS, get_native_id(), 0)
        with closing(sqlite.connect(str(self.file), timeout=60, isolation_level=None)) as base:
            base.execute("PRAGMA synchronous = FULL")
            base.execute(
                "PRAGMA wal_autocheckpoint = 0"
            )  # the scheduler's work on a node, once a minute and never during a backup
            base.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # what is in the log from here on is this run's
            due = time.monotonic()
            while not self.ending.is_set():
                base.execute("INSERT INTO ledger (entry) VALUES ('bench')")
                self.waits.append((time.monotonic() - due) * 1000)
                if len(self.waits) % 25 == 1:
                    self._weigh()
                due = max(due + PAUSE, time.monotonic() - PAUSE)  # a long wait counts once
                time.sleep(max(0.0, due - time.monotonic()))

    def _weigh(self) -> None:
        log = Path(f"{self.file}-wal")
        with suppress(OSError):
            self.written = max(self.written, sum(map(size_of, self.beside)) + log.stat().st_size / 1e6)

    def end(self) -> tuple[float, ...]:
        """All waits, in ms."""
        self.ending.set()
        self.join()
        return tuple(self.waits)


def size_of(folder: Path) -> float:
    """MB of the files below a folder, without the room that ours sets aside."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != "cadangan-ruang")
    return sum(path.stat().st_size for path in files) / 1e6


def measure(way: Way, commands: Sequence[Sequence[str]], writer: Path | None = None) -> Figure:
    """Run the commands of a step, one after the other, with a writer beside them where there is a file for one."""
    os.sync()  # what those before have left to write is not this one's
    before, clerk = size_of(way.repository), Clerk(writer, way.beside) if writer else None
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
    waits = clerk.end() if clerk else ()
    wall, cpu, memory = sum(one[0] for one in found), sum(one[1] for one in found), max(one[2] for one in found)
    grown, written = size_of(way.repository) - before, clerk.written if clerk else 0.0
    return Figure(wall, cpu, memory, grown, waits, written, _stored(way))


def _stored(way: Way) -> tuple[float, float]:
    """Seconds, on the clock and of the processor, until the proof began in the run that has just ended."""
    if way.times is None or not way.times.exists():
        return 0.0, 0.0
    wall, cpu = json.loads(way.times.read_text())
    way.times.unlink()
    return float(wall), float(cpu)


def summed(figures: Sequence[Figure]) -> Figure:
    """Several days as one line: sums, and all waits of the writer together."""
    return Figure(
        sum(one.wall for one in figures),
        sum(one.cpu for one in figures),
        max(one.memory for one in figures),
        sum(one.grown for one in figures),
        tuple(wait for one in figures for wait in one.waits),
        max(one.written for one in figures),
        photos=sum(one.photos for one in figures),
    )


def idle(file: Path, seconds: float) -> tuple[float, ...]:
    """The waits of a writer that nobody disturbs, in ms."""
    clerk = Clerk(file)
    clerk.start()
    time.sleep(seconds)
    return clerk.end()


def beside_computing(file: Path, seconds: float) -> tuple[float, ...]:
    """The waits of a writer beside a program that only computes, in ms: what the machine's own sharing of its processors costs."""
    with subprocess.Popen([*GENTLE, sys.executable, "-c", COMPUTING, str(seconds)]):
        return idle(file, seconds)


def tell(way: Way, step: str, one: Figure) -> None:
    """One line of the table."""
    print(
        f"{way.name:<10} {step:<14} {one.wall:8.1f} s {one.cpu:8.1f} s cpu {one.memory:7.0f} MB {one.grown:+9.1f} MB"
        f"   writer p99 {one.p99:7.1f} ms, longest {one.longest:7.1f} ms",
        flush=True,
    )


def move_repositories(folder: Path, second_disk: Path, names: Sequence[str]) -> None:
    """Let the repositories lie elsewhere than the data, as those of a node do."""
    for name in names:
        (second_disk / name).mkdir()
        (folder / name).symlink_to(second_disk / name)


def compare(folder: Path, size: Size, days: int, tools: list[str]) -> None:
    """Every step of every tool, in turn on the same data."""
    dice = random.Random(4711)  # noqa: S311 - the same data each time
    data = folder / "data"
    file = make(data, size, dice)
    print(
        f"database {file.stat().st_size / 1e6:.0f} MB, {size.photos} photos {size_of(data / 'attachments'):.0f} MB\n", flush=True
    )
    quiet, busy, found = [*idle(file, IDLE_SECONDS)], [*beside_computing(file, IDLE_SECONDS)], {}
    all_ways = ways(folder, tools)
    for way in all_ways:
        measure(way, way.init)
        found[way.name, "first"] = measure(way, way.take, file)
        found[way.name, "no change"] = measure(way, way.take)
        tell(way, "first", found[way.name, "first"])
    by_day: dict[str, list[Figure]] = {way.name: [] for way in all_ways}
    for day in range(1, days + 1):
        photos = size_of(data / "attachments")
        work_a_day(data, size, dice, min(30, size.photos))
        photos = size_of(data / "attachments") - photos
        busy += beside_computing(file, IDLE_SECONDS / 2)
        quiet += idle(file, IDLE_SECONDS / 2)  # between the others: the machine may have more to do at one time than at another
        for way in all_ways:
            by_day[way.name].append(replace(measure(way, way.take, file), photos=photos))
            tell(way, f"day {day}", by_day[way.name][-1])
    for way in all_ways:
        found[way.name, f"{days} days"] = summed(by_day[way.name])
        found[way.name, "one day"] = sorted(by_day[way.name], key=lambda one: one.wall)[days // 2]
        for step, commands in way.later:
            if commands:
                shutil.rmtree(folder / "back", ignore_errors=True)
                found[way.name, step] = measure(way, commands)
                tell(way, step, found[way.name, step])
    print()
    for way in all_ways:
        for (name, step), figure in found.items():
            if name == way.name:
                tell(way, step, figure)
    tell_growth(by_day)
    alone, computing = (Figure(0, 0, 0, waits=tuple(waits)).p99 for waits in (quiet, busy))
    tell_goals(found, days, alone, computing, file.stat().st_size / 1e6)


def tell_growth(by_day: dict[str, list[Figure]]) -> None:
    """MB of the first and the last half of the days: alike, so that more days cost as much more."""
    for name, days in by_day.items():
        half = len(days) // 2
        first, last = (sum(one.grown_database for one in part) / max(half, 1) for part in (days[:half], days[-half:]))
        print(f"{name:<10} a day's growth without its photos: {first:.1f} MB in the first half, {last:.1f} MB in the last")


def tell_goals(found: dict[tuple[str, str], Figure], days: int, quiet: float, busy: float, database: float) -> None:
    """Each goal with its measured ratio. `quiet` and `busy` are the p99 of a writer alone and beside a program that only computes,
    in ms; `database` is the file's MB."""
    grown = f"{days} days"
    ours = {step: figure for (name, step), figure in found.items() if name == "kita"}
    first = ours["first"]
    rows = [
        ("highest memory of a night, MB", max(ours[step].memory for step in ("first", grown)), 1.0, 128.0),
        ("writer's p99, by an idle one", ours[grown].p99, quiet, 1.5),
        ("writer's p99, by one beside mere computing", ours[grown].p99, busy, 1.0),
        ("written for the snapshot, by the database", max(first.written, ours[grown].written), database, 0.05),
        ("restore, seconds, by bare borg of the same backup", ours["restore"].wall, ours["bare extract"].wall, 1.3),
        ("restore, cpu, by bare borg of the same backup", ours["restore"].cpu, ours["bare extract"].cpu, 1.3),
    ]
    if ("restic", "first") in found:
        theirs = found["restic", "first"]
        rows += [
            ("first backup without its proof, seconds, by restic", first.stored[0], theirs.wall, 0.8),
            ("first backup without its proof, cpu, by restic", first.stored[1], theirs.cpu, 0.7),
        ]
    for name, goals in {
        "restic": (("longest wait of a writer, first backup", "first", "longest", 0.15),
                   ("longest wait of a writer, one day", "one day", "longest", 0.15), (f"the same, {days} days", grown, "longest", 0.15), (f"growth over {days} days, without photos", grown, "grown_database", 0.25),
                   ("a night with its proof, seconds", "one day", "wall", 4.0), ("a night with its proof, cpu", "one day", "cpu", 4.0)),
        "borg": ((f"growth over {days} days, without photos", grown, "grown_database", 0.1),),
        "borgmatic": ((f"growth over {days} days, without photos", grown, "grown_database", 0.1), ("one day's growth, without photos", "one day", "grown_database", 0.2)),
    }.items():  # fmt: skip
        for what, step, field, goal in goals:
            if (name, step) in found:
                rows.append((f"{what}, by {name}", getattr(ours[step], field), getattr(found[name, step], field), goal))
    print("\ngoal: ours / theirs at most")
    for what, one, other, goal in rows:
        ratio = one / max(other, 0.001)
        print(f"{'met ' if ratio <= goal else 'NOT '} {what:<52} {one:9.1f} / {other:9.1f} = {ratio:7.2f}   (≤ {goal:g})")


def main() -> None:
    """Read the options, and measure in a folder that is gone afterwards."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--residents", type=int, default=1_000_000)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--photos", type=int, default=3_000)
    parser.add_argument(
        "--days",
        type=int,
        default=4,
        help="office days; a day grows as the next, as the halves show, so ratios of 4 are those of 30",
    )
    parser.add_argument("--tools", default="borg,restic,borgmatic")
    parser.add_argument("--folder", type=Path, default=None, help="where to work; best on the disk that a node would use")
    parser.add_argument("--second-disk", type=Path, default=None, help="where the repositories lie; beside the data if not said")
    asked = parser.parse_args()
    tools, size = [name for name in asked.tools.split(",") if name], Size(asked.residents, asked.cases, asked.photos)
    with (
        tempfile.TemporaryDirectory(dir=asked.folder) as folder,
        tempfile.TemporaryDirectory(dir=asked.second_disk) as second_disk,
    ):
        if asked.second_disk:
            move_repositories(Path(folder), Path(second_disk), ["ours", *tools])
        compare(Path(folder), size, asked.days, tools)


if __name__ == "__main__":
    main()
