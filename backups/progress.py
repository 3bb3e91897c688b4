"""How far a run is, in a small file that pages read, with the time that is probably left: by the steps of the last good run.

Nothing rests on it: it is not synced, and what a killed run left shows nothing once its lock is gone.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from backups import book
from backups.lock import is_running

NAME = "progress.json"
Say = Callable[[str], None]


@dataclass(frozen=True)
class Progress:
    """A run that goes on: its kind, step `step` of `total`, and the seconds that are probably left (None: not known)."""

    kind: str
    step: int
    total: int
    text: str
    seconds_left: int | None


@dataclass
class Teller:
    """Tells each step of a run: to `say`, and to the file in `state`. `seconds` are those of the steps that ended."""

    state: Path
    kind: str
    total: int
    say: Say
    seconds: list[float] = field(default_factory=list)
    _began: float | None = None
    _step: int = 0

    def __call__(self, text: str) -> None:
        self._end_step()
        self._step, self._began = self._step + 1, time.monotonic()
        told = {"kind": self.kind, "step": self._step, "total": self.total, "text": text, "at": datetime.now(UTC).isoformat()}
        with suppress(OSError):
            fresh = self.state / f".{NAME}.new"
            fresh.write_text(json.dumps({**told, "expected": self._expected()}, ensure_ascii=False), encoding="utf-8")
            fresh.replace(self.state / NAME)
        self.say(text)

    def finish(self) -> tuple[float, ...]:
        """The run has ended; the seconds of each of its steps."""
        self._end_step()
        with suppress(OSError):
            (self.state / NAME).unlink(missing_ok=True)
        return tuple(round(one, 1) for one in self.seconds)

    def _end_step(self) -> None:
        if self._began is not None:
            self.seconds.append(time.monotonic() - self._began)
            self._began = None

    def _expected(self) -> list[float]:
        before = book.last_good(book.lines(self.state), self.kind)
        return list(before.steps) if before and len(before.steps) == self.total else []


def read(state: Path, at: datetime) -> Progress | None:
    """The run that goes on at `at` (aware); None when none does."""
    try:
        if not is_running(state):
            return None
        found = json.loads((state / NAME).read_bytes())
        spent = (at - datetime.fromisoformat(found["at"])).total_seconds()
        expected = [float(one) for one in found["expected"]][int(found["step"]) - 1 :]
        left = round(max(expected[0] - max(spent, 0), 0) + sum(expected[1:])) if expected else None
        return Progress(str(found["kind"]), int(found["step"]), int(found["total"]), str(found["text"]), left)
    except (OSError, ValueError, KeyError, TypeError):
        return None
