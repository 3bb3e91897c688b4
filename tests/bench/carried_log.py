"""What carrying the log over costs: `python -m tests.bench.carried_log [seconds]`.

A writer commits twenty times a second, as a busy office does, once with the plain minute's checkpoint and once with the log
carried over; in turns, so that both see the same machine. A minute is five seconds here. Prints the latencies of the commits, the
processor time of who carries over, and the bytes that reach the second disk.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import threading
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from tests.support.carried_log import Carried

PAUSE, MINUTE, TICK, ROUNDS = 0.05, 5.0, 0.2, 3


def commits(carried: Carried, seconds: float) -> list[float]:
    """The latencies in milliseconds of commits of three rows: a case, its event, the journal's entry."""
    found: list[float] = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        begun = time.perf_counter()
        carried.writer.execute("BEGIN IMMEDIATE")
        carried.add(3)
        carried.writer.execute("COMMIT")
        found.append((time.perf_counter() - begun) * 1000)
        time.sleep(PAUSE)
    return found


def beside(carried: Carried, ending: threading.Event, carries: bool, spent: list[float]) -> None:
    """What the scheduler does meanwhile."""
    begun, next_empty = time.thread_time(), time.monotonic() + MINUTE
    while not ending.wait(TICK):
        if carries:
            carried.shipper.ship()
        if time.monotonic() < next_empty:
            continue
        next_empty += MINUTE
        if carries:
            carried.shipper.empty_log()
        else:
            with closing(carried.connect()) as base:
                base.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    spent.append(time.thread_time() - begun)


def measure(carries: bool, seconds: float) -> tuple[list[float], float, int]:
    """Latencies, processor time in seconds, bytes on the second disk."""
    with tempfile.TemporaryDirectory() as folder:
        carried = Carried(Path(folder), clock=lambda: datetime.now(UTC))
        carried.writer.execute("PRAGMA synchronous = FULL")
        carried.writer.execute("BEGIN")
        carried.add(20_000)
        carried.writer.execute("COMMIT")
        spent: list[float] = []
        ending = threading.Event()
        thread = threading.Thread(target=beside, args=(carried, ending, carries, spent))
        thread.start()
        found = commits(carried, seconds)
        ending.set()
        thread.join()
        size = sum(file.stat().st_size for file in (carried.log).rglob("*.log"))
        carried.close()
        return found, spent[0], size


def main() -> None:
    """Print both in turns."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 15.0
    for _ in range(ROUNDS):
        for carries in (False, True):
            found, spent, size = measure(carries, seconds)
            cuts = statistics.quantiles(found, n=100)
            words = f"p50 {cuts[49]:.2f} ms  p99 {cuts[98]:.2f} ms  max {max(found):.2f} ms"
            name = "carried over" if carries else "plain       "
            print(f"{name}  {len(found)} commits  {words}  cpu {spent:.2f} s  {size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
