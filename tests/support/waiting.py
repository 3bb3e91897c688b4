"""Waiting for a condition with a deadline, never for a time."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
# Often enough for a lock that is there for a moment; what is asked takes the processor from what is waited for.
FIRST_PAUSE, LAST_PAUSE = 0.005, 0.04


def wait_for(question: Callable[[], T], seconds: float = 60, what: str = "") -> T:
    """Ask until the answer is true and return it, less often the longer it takes. Raises TimeoutError with `what`."""
    deadline, pause = time.monotonic() + seconds, FIRST_PAUSE
    while not (answer := question()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds} s: {what or question}")
        time.sleep(pause)
        pause = min(2 * pause, LAST_PAUSE)
    return answer


def freeze(pid: int) -> None:
    """Stop a process and wait until each of its threads stands still: the signal alone takes its time."""

    def stands_still() -> bool:
        lines = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/stat")]
        return all(line.rpartition(")")[2].split()[0] == "T" for line in lines)

    os.kill(pid, signal.SIGSTOP)
    wait_for(stands_still, what=f"process {pid} stands still")
