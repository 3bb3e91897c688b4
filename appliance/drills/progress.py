"""A drill while it runs: each line goes to the disk and to whoever watches, and whatever happens the record is ended."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from appliance.drills import records
from appliance.drills.records import Check, Level, Record, Result, Step
from appliance.drills.rules import TO_THE_END, result_of
from appliance.errors import ApplianceError, TryLater

LOCK = "lock"


class DrillAborted(ApplianceError):
    """The drill cannot go on; the message says why and what to do."""


class Progress:
    """The record of a running drill. `tell` shows each line to a person."""

    def __init__(self, folder: Path, record: Record, tell: Callable[[str], None]) -> None:
        self._folder, self._tell = folder, tell
        self.record = record
        records.write(folder, record)

    def step(self, text: str) -> None:
        """Add a line to the timeline. Raises OSError."""
        self._tell(text)
        self._keep(steps=(*self.record.steps, Step(_now(), text)))

    def check(self, *checks: Check) -> None:
        """Add what had to be so. Raises OSError."""
        for check in checks:
            word = {True: "ya", False: "TIDAK", None: "tidak diukur"}[check.ok]
            self._tell(f"{check.text}: {word}" + (f" ({check.measured})" if check.measured and check.ok is not None else ""))
        self._keep(checks=(*self.record.checks, *checks))

    def note(self, **facts: Any) -> None:
        """Keep numbers for later. Raises OSError."""
        self._keep(facts={**self.record.facts, **facts})

    def end(self, result: Result | None = None, summary: str = "") -> Record:
        """Seal the record; without a `result` the checks tell it."""
        told = result or result_of(self.record.checks)
        self.record = records.close(self._folder, replace(self.record, ended_at=_now(), result=told, summary=summary))
        return self.record

    def _keep(self, **changes: Any) -> None:
        self.record = replace(self.record, **changes)
        records.write(self._folder, self.record)


@contextmanager
def only_drill(folder: Path) -> Iterator[None]:
    """Be the one drill of this node. Raises TryLater when another one runs."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise TryLater("Latihan lain sedang berjalan.", "Tunggu sampai selesai, lalu ulangi.") from error
        yield
    finally:
        os.close(handle)


@contextmanager
def recorded(folder: Path, record: Record, tell: Callable[[str], None]) -> Iterator[Progress]:
    """A drill from its first line to its seal, also when it is aborted, fails or is interrupted."""
    progress = Progress(folder, record, tell)
    try:
        yield progress
    except ApplianceError as error:
        why = f"{error.message} {error.hint}".strip()
        progress.step(why)
        progress.end(Result.ABORTED, why)
    except BaseException as error:
        progress.end(Result.CUT, f"Latihan terputus ({type(error).__name__}).")
        raise
    else:
        # A full drill ends when the node is back: its next start completes the record.
        if progress.record.result is Result.RUNNING and record.level not in TO_THE_END:
            progress.end()


def new_record(level: Level, office: str, by: str) -> Record:
    """The first state of a record; its identifier is the moment and the level."""
    at = _now()
    return Record(f"{at:%Y%m%d-%H%M%S}-{level}", level, office, by, at)


def _now() -> datetime:
    return datetime.now(UTC)
