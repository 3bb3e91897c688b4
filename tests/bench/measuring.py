"""What the benchmarks share: a question timed against its floor, the table of figures, and the machine they were taken on."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pysqlite3 import dbapi2

Question = Callable[[], object]
WARM = 10


@dataclass(frozen=True)
class Spread:
    """Milliseconds: the middle of all answers, and the one that 19 of 20 do not exceed."""

    p50: float
    p95: float


@dataclass(frozen=True)
class Figure:
    """What one kind of question took, beside its floor (the bare SQL) and what it may take, both p95 in milliseconds."""

    name: str
    taken: Spread
    floor: Spread
    goal: float

    @property
    def ratio(self) -> float:
        return self.taken.p95 / max(self.floor.p95, 0.001)


@dataclass(frozen=True)
class Run:
    """Work on many rows in a process of its own: its seconds on the clock and of the processor, and its highest memory in MB."""

    name: str
    rows: int
    seconds: float
    cpu: float
    memory: float

    def rate(self, *, cpu: bool) -> float:
        """Rows a second."""
        return self.rows / (self.cpu if cpu else self.seconds)


def highest_memory() -> float:
    """The most that this program ever held, in MB. What `getrusage` tells begins with what its parent held."""
    line = next(line for line in _lines("/proc/self/status") if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def spread(questions: Sequence[Question], clock: Callable[[], float], rounds: int) -> Spread:
    """All questions once to warm up (some of them), then `rounds` times; of each the median of its rounds counts."""
    for question in questions[:WARM]:
        question()
    taken: list[list[float]] = [[] for _ in questions]
    for _ in range(rounds):
        for question, times in zip(questions, taken, strict=True):
            begin = clock()
            question()
            times.append((clock() - begin) * 1000)
    middle = sorted(statistics.median(times) for times in taken)
    return Spread(statistics.median(middle), middle[min(len(middle) - 1, int(len(middle) * 0.95))])


def table(by_size: dict[str, list[Figure]]) -> str:
    """The figures of all sizes in Markdown, with how much each grew from the first size to the last."""
    lines = _head("", *(f"{size}: p50 / p95 (floor, ratio)" for size in by_size), "goal", "growth")
    for row in zip(*by_size.values(), strict=True):
        cells = [f"{one.taken.p50:.1f} / {one.taken.p95:.1f} ms ({one.floor.p95:.2f}, {one.ratio:.0f}×)" for one in row]
        growth = _growth(row[0].taken.p95, row[-1].taken.p95) if len(row) > 1 else "–"
        kept = "" if all(one.taken.p95 <= one.goal for one in row) else " **missed**"
        lines.append(f"| {row[0].name} | {' | '.join(cells)} | ≤ {row[0].goal:g} ms{kept} | {growth} |")
    return "\n".join(lines)


def table_of_runs(by_size: dict[str, list[Run]], goal: float, most_memory: float, *, cpu: bool) -> str:
    """The runs of all sizes in Markdown. The first of each size is the floor that the others are compared with."""
    lines = _head("", *(f"{size}: rows a second (× the floor, memory)" for size in by_size), "goal", "a row's growth")
    for place, row in enumerate(zip(*by_size.values(), strict=True)):
        floors = [runs[0].rate(cpu=cpu) for runs in by_size.values()]
        rates = [one.rate(cpu=cpu) for one in row]
        cells = [
            f"{rate:,.0f} ({floor / rate:.1f}×, {one.memory:.0f} MB)" for one, rate, floor in zip(row, rates, floors, strict=True)
        ]
        kept = "" if min(rates) >= goal and max(one.memory for one in row) <= most_memory else " **missed**"
        wanted = f"≥ {goal:,.0f}, ≤ {most_memory:.0f} MB{kept}" if place else "–"
        growth = _growth(rates[-1], rates[0]) if len(row) > 1 else "–"
        lines.append(f"| {row[0].name} | {' | '.join(cells)} | {wanted} | {growth} |")
    return "\n".join(lines)


def _head(*heads: str) -> list[str]:
    return [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]


def _growth(first: float, last: float) -> str:
    return f"{last / max(first, 0.001):.1f}×"


def machine(folder: Path) -> str:
    """Cores, memory, disk, versions, and how busy the machine was: the figures mean nothing without it."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    cpu = next((line.partition(": ")[2] for line in _lines("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    return (
        f"{os.cpu_count()} cores ({cpu}), {memory:.0f} GB of memory, {_disk(folder)}; load {os.getloadavg()[0]:.1f}; "
        f"Python {platform.python_version()}, SQLite {dbapi2.sqlite_version}; {time.strftime('%Y-%m-%d')}"
    )


def _disk(folder: Path) -> str:
    number = folder.stat().st_dev
    block = Path(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}").resolve()
    queue = next((place / "queue" / "rotational" for place in (block, block.parent) if (place / "queue").exists()), None)
    kind = "a disk" if queue is None else "a rotating disk" if queue.read_text().strip() == "1" else "an SSD or virtual disk"
    return f"{kind} ({block.name})"


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines() if Path(path).exists() else []
