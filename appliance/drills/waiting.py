"""Waiting and measuring in a drill: on the monotonic clock, with a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable

PAUSE_SECONDS = 0.1


class Stopwatch:
    """Runs from when it was made."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        """So many seconds until now."""
        return time.monotonic() - self._began

    @property
    def words(self) -> str:
        """The same for a reader: "1,2 detik"."""
        return f"{self.seconds:.1f} detik".replace(".", ",")


def until(question: Callable[[], bool], seconds: float, pause: float = PAUSE_SECONDS) -> bool:
    """Whether the answer became true within `seconds`."""
    deadline = time.monotonic() + seconds
    while not question():
        if time.monotonic() >= deadline:
            return False
        time.sleep(pause)
    return True
