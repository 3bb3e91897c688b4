"""Waiting for a condition with a deadline, never for a time."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


def wait_for(question: Callable[[], T], seconds: float = 20, what: str = "") -> T:
    """Ask until the answer is true and return it. Raises TimeoutError with `what`."""
    deadline = time.monotonic() + seconds
    while not (answer := question()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds} s: {what or question}")
        time.sleep(0.01)
    return answer


def freeze(pid: int) -> None:
    """Stop a process and wait until each of its threads stands still: the signal alone takes its time."""

    def stands_still() -> bool:
        lines = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/stat")]
        return all(line.rpartition(")")[2].split()[0] == "T" for line in lines)

    os.kill(pid, signal.SIGSTOP)
    wait_for(stands_still, what=f"process {pid} stands still")
