"""Waiting for a condition with a deadline, never for a time."""

from __future__ import annotations

import time
from collections.abc import Callable
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
