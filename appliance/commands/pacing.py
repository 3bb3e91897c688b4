"""What a long command does beside its work: it says its steps, and it ends in time."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

import click

from appliance.commands.backup_plan import gate_of
from appliance.config import Settings
from appliance.custody import state_of
from appliance.power import stops
from appliance.power.stops import Stop
from backups import lock
from backups.process import check

log = logging.getLogger("slrt-backup")
POLL_SECONDS = 1.0


def steps(total: int) -> Callable[[str], None]:
    """Say each step with its number."""
    done = 0

    def say(text: str) -> None:
        nonlocal done
        done += 1
        log.info("%d/%d %s", done, total, text)
        click.echo(f"[{done}/{total}] {text}")

    return say


@contextmanager
def stoppable(settings: Settings, what: str, *, job: bool = False) -> Iterator[Callable[[], bool]]:
    """A question that says yes after SIGTERM or Ctrl+C, and when the node takes no new work any more.

    A `job`, which can begin anew by itself, makes way sooner: when the mains has been away for half a minute. The book of
    outages is told once that `what` was stopped by the gate.
    """
    asked: list[int] = []
    told: list[str] = []

    def closed() -> bool:
        if gate.accepts_jobs() if job else gate.accepts_work():
            return False
        if not told:
            told.append(what)
            stops.note(_folder_of_stops(settings), Stop(datetime.now(UTC), what))
        return True

    def ask(number: int, _frame: FrameType | None) -> None:
        asked.append(number)

    before = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGINT)}
    gate = gate_of(settings)
    try:
        yield lambda: bool(asked) or closed()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def wait_until_free(folders: Sequence[Path], stop: Callable[[], bool]) -> None:
    """Wait until no run has any of the folders. Raises Stopped."""
    while any(lock.is_running(folder) for folder in folders):
        check(stop)
        time.sleep(POLL_SECONDS)


def _folder_of_stops(settings: Settings) -> Path:
    """Where this user may write: who makes the backups may not write among the data."""
    data = Path(settings.paths.data)
    return data if os.access(data, os.W_OK) else state_of(settings)
