"""Making a backup from a command: by order, by the clock, or before something that cannot be taken back by itself."""

from __future__ import annotations

import logging
import logging.handlers
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click

from appliance.commands.backup_plan import translated
from appliance.commands.pacing import POLL_SECONDS, log, wait_until_free
from appliance.errors import EXIT_DONE, EXIT_TRY_LATER, ApplianceError
from backups import book, lock, outcome
from backups.clock import moment
from backups.errors import BackupError, Busy, Stopped
from backups.outcome import Outcome
from backups.process import Stop as Ask
from backups.process import check
from backups.schedule import Depth
from backups.settings import Plan
from backups.take import Say, quiet, take

LOG = "backup.log"
LOG_BYTES = 1_000_000
# The rehearsal of the week compares what the tables held: from this age on of the last one, a backup notes it.
HASHES_AFTER_DAYS = 5


def back_up(plan: Plan, stop: Ask, say: Say = quiet) -> Outcome:
    """Make one backup now, with what the next rehearsal will compare. Raises BackupError by kind."""
    at = datetime.now(UTC)
    proven = book.last_good(book.lines(plan.state), *Depth)
    due_soon = proven is None or (at - proven.moment.at).days >= HASHES_AFTER_DAYS
    with logged(plan.state):
        made = take(plan, moment(at), stop, say, hashes=due_soon)
        log.info("%s", made.text)
    return made


def back_up_first(plan: Plan, stop: Ask, when: str) -> Outcome:
    """Make a backup before a change; a run that is under way is waited for, for it may have begun too early.

    Raises ApplianceError when there is none: then the change must not begin.
    """
    with translated():
        while True:
            check(stop)
            try:
                return back_up(plan, stop)
            except Busy:
                if not _is_taken(plan):
                    raise
                _wait(plan, stop)
            except Stopped:
                raise
            except BackupError as error:
                sentence = f"Cadangan {when} gagal, jadi tidak ada yang diubah. {error.message}"
                raise ApplianceError(sentence, error.hint) from error


def wait_for_turn(plan: Plan, stop: Ask) -> None:
    """Wait until no other run has the repository: somebody at the terminal would only try again. Raises Stopped."""
    if lock.is_running(plan.repository):
        click.echo("Menunggu cadangan atau uji pemulihan yang sedang berjalan …", err=True)
        _wait(plan, stop)


def _is_taken(plan: Plan) -> bool:
    return lock.is_running(plan.repository) or lock.is_running(plan.state)


def _wait(plan: Plan, stop: Ask) -> None:
    wait_until_free([plan.repository, plan.state], stop)


def have_backed_up_first(state: Path, ask: Callable[[], int], stop: Ask, when: str) -> str:
    """The same by the user that the backups belong to: `ask` has one made and returns the exit code. What to tell.

    Raises ApplianceError when there is none: then the change must not begin.
    """
    with translated():
        while (code := ask()) == EXIT_TRY_LATER:
            check(stop)
            time.sleep(POLL_SECONDS)
    last = outcome.read(state).last
    told = last.text if last else ""
    if code != EXIT_DONE:
        hint = last.next_step if last and not last.ok else "Lihat sebabnya: sudo slrt backup run"
        raise ApplianceError(
            f"Cadangan {when} gagal, jadi tidak ada yang diubah. {told if last and not last.ok else ''}".strip(), hint
        )
    return told


@contextmanager
def logged(state: Path) -> Iterator[None]:
    """Keep a log beside the outcome, for whoever looks into a bad night."""
    state.mkdir(mode=0o750, parents=True, exist_ok=True)
    handler = logging.handlers.RotatingFileHandler(state / LOG, maxBytes=LOG_BYTES, backupCount=3, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        yield
    except Exception as error:
        log.info("%s: %s", type(error).__name__, error)
        raise
    finally:
        log.removeHandler(handler)
        handler.close()
