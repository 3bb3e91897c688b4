"""Work on a node's backups, alike in this process and in one of its own that is there to be killed: `Victim`.

Each step's beginning is told. Every kind of work is what the scheduler or `slrt` does, begun as they begin it.
"""

from __future__ import annotations

import os
import pickle
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from appliance.sticks.book import Stick
from backups import ladder, restore
from backups.clock import moment
from backups.take import Say
from tests.support.borg import run_now
from tests.support.sticks import Bench
from tests.support.waiting import wait_for

PROJECT = Path(__file__).parents[2]
START_SECONDS = 120


@dataclass(frozen=True)
class Desk:
    """Where the work is done: a node, and the stick that is plugged in."""

    bench: Bench
    stick: Stick

    @property
    def beside(self) -> Path:
        """Where a backup is brought back beside the data."""
        return self.bench.folder / "back"


def store(desk: Desk, say: Say) -> int:
    """A backup to the node's own repository; its number."""
    return int(run_now(desk.bench.plan, say=say).archive or 0)


def copy(desk: Desk, say: Say) -> int:
    """A backup to the stick; its number."""
    return int(desk.bench.copy(desk.stick, say=say).archive or 0)


def rehearse(desk: Desk, say: Say) -> int:
    """The weekly rehearsal; the number of what was rehearsed."""
    return int(ladder.rehearse(desk.bench.plan, moment(datetime.now(UTC)), say=say).number or 0)


def bring_back(desk: Desk, say: Say) -> int:
    """The newest backup beside the data; its number."""
    shutil.rmtree(desk.beside, ignore_errors=True)
    return restore.restore(desk.bench.plan, "terakhir", desk.beside, say=say).manifest.run


def put_back(desk: Desk, say: Say) -> int:
    """The newest backup in the place of the data; its number."""
    return restore.in_place(desk.bench.plan, "terakhir", lambda _staged: None, say=say).manifest.run


WORKS: dict[str, Callable[[Desk, Say], int]] = {work.__name__: work for work in (store, copy, rehearse, bring_back, put_back)}


@dataclass
class Victim:
    """A process that does a piece of work; the steps it has begun stand in `log`."""

    process: subprocess.Popen[bytes]
    log: Path

    @classmethod
    def start(cls, desk: Desk, work: str) -> Victim:
        """Begin. What it leaves in the folder for temporary files goes with the node."""
        log, temporary = desk.bench.folder / "victim.log", desk.bench.folder / "temporary"
        temporary.mkdir(exist_ok=True)
        words = [sys.executable, "-m", __name__, work]
        environment = {**os.environ, "TMPDIR": str(temporary), "PYTHONPATH": str(PROJECT)}
        with log.open("wb") as sink:
            process = subprocess.Popen(
                words, stdin=subprocess.PIPE, stdout=sink, stderr=sink, env=environment, start_new_session=True
            )
        if process.stdin is not None:
            with process.stdin as given:
                given.write(pickle.dumps(desk))
        return cls(process, log)

    @property
    def ended(self) -> bool:
        """Whether it came to its end by itself."""
        return self.process.poll() is not None

    def wait_for_step(self, step: int, seconds: float) -> bool:
        """Wait until it has been `seconds` in a step (1, 2 …). Whether it still lives then."""
        wait_for(lambda: self.ended or self.log.read_bytes().count(b"\n") >= step, START_SECONDS, f"step {step}")
        due = time.monotonic() + seconds
        wait_for(lambda: self.ended or time.monotonic() >= due, seconds + 10, "the moment has come")
        return not self.ended

    def kill(self, who: str) -> bool:
        """Kill `all` of it, only its `engine`, or only the `run` itself. Whether there was something to be killed.

        One that lost its engine goes on to its end; an engine without its run goes on by itself.
        """
        if who == "engine":
            return self._kill_engine()
        self._freeze()
        grown, killed = family(self.process.pid), not self.ended
        self.process.kill()
        for child in grown if who == "all" else ():
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        self.process.wait(120)
        return killed

    def _freeze(self) -> None:
        """Let it stand still, that it starts nothing more."""
        if not self.ended:
            os.kill(self.process.pid, signal.SIGSTOP)
            state = Path(f"/proc/{self.process.pid}/stat")
            wait_for(lambda: self.ended or state.read_text().rpartition(")")[2].split()[0] == "T", what="it stands still")

    def _kill_engine(self) -> bool:
        borg = wait_for(lambda: self.ended or [one for one in family(self.process.pid) if name_of(one) == "borg"], 60, "a borg")
        killed = False
        for child in () if isinstance(borg, bool) else borg:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
                killed = True
        self.process.wait(START_SECONDS)
        return killed


def family(pid: int) -> list[int]:
    """Everything that a process started and that still runs."""
    try:
        children = [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
    return [*children, *(one for child in children for one in family(child))]


def name_of(pid: int) -> str:
    """What a process calls itself; empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def main() -> None:
    """The victim's own part: the desk comes on standard input."""
    desk: Desk = pickle.loads(sys.stdin.buffer.read())  # noqa: S301 - our own parent's
    WORKS[sys.argv[1]](desk, lambda text: print(text, flush=True))


if __name__ == "__main__":
    main()
