"""Killed at every step and at many moments in between: the next run succeeds without anybody's help, and old runs stay whole."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from backups import catalogue, exchange, repository, restore
from backups.lock import is_running
from backups.settings import Plan
from backups.take import STEPS
from tests.support.borg import PASSPHRASE, add_rows, contents, ledger, run_now
from tests.support.waiting import wait_for

VICTIM = """
import os, signal, sys
from pathlib import Path
from backups import repository
from tests.support.borg import make_plan, moved, run_now
from dataclasses import replace
from backups.settings import Plan, Retention
folder, last = Path(sys.argv[1]), int(sys.argv[2])
plan = Plan(folder / "data", folder / "repository", folder / "data" / "backup", sys.argv[3], retention=Retention(1, 0, 0, 0, newest=1))
steps = 0
def say(text):
    global steps
    steps += 1
    print(text, flush=True)
    if steps == last:
        os.kill(os.getpid(), signal.SIGKILL)
run_now(plan, say=say)
"""


def victim(plan: Plan, last_step: int) -> subprocess.Popen[bytes]:
    """A run in a process group of its own, that kills itself when it comes to a step (0: never)."""
    command = [sys.executable, "-c", VICTIM, str(plan.data.parent), str(last_step), PASSPHRASE]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, process_group=0)


def assert_all_is_well(plan: Plan, old_rows: list[tuple[int, str]], folder: Path) -> None:
    """The next run succeeds; the first run and the new one both come back bit by bit."""
    last = add_rows(plan, 3)
    done = run_now(plan)
    assert done.ok
    archives = repository.engine(plan).archives()
    complete = [run.number for run in catalogue.runs(archives) if run.complete]
    assert {1, int(done.archive or 0)} <= set(complete)
    stored = {archive.name for archive in archives}
    assert stored == {f"{kind}-{number}" for kind in ("db", "att", "ok") for number in complete}

    restore.restore(plan, "1", folder / "old")
    assert ledger(folder / "old" / "database" / "slrt.db") == old_rows
    restore.restore(plan, "terakhir", folder / "new")
    assert len(ledger(folder / "new" / "database" / "slrt.db")) == last
    assert contents(folder / "new" / "attachments") == contents(plan.data / "attachments")


@pytest.mark.parametrize("step", range(1, STEPS + 1))
def test_killed_when_a_step_begins(plan: Plan, tmp_path: Path, step: int) -> None:
    old = ledger(plan.database_file)
    process = victim(plan, step)
    assert process.wait(200) == -signal.SIGKILL
    wait_for(lambda: not is_running(plan.repository), what="the killed run's borg is gone")
    assert_all_is_well(plan, old, tmp_path)


@pytest.mark.parametrize("change", [1, 3, 5, 8, 12])
def test_killed_with_its_borg_after_some_changes_of_the_repository(plan: Plan, tmp_path: Path, change: int) -> None:
    old, seen, changes = ledger(plan.database_file), names(plan), 0
    add_rows(plan, 500)
    process = victim(plan, 0)
    while changes < change and process.poll() is None:
        if names(plan) != seen:
            seen, changes = names(plan), changes + 1
    kill_family(process)
    wait_for(lambda: not is_running(plan.repository), what="the killed borg is gone")
    assert_all_is_well(plan, old, tmp_path)


def names(plan: Plan) -> set[str]:
    """Everything in the repository; a folder that goes away meanwhile is passed over."""
    return {f"{folder}/{name}" for folder, folders, files in os.walk(plan.repository) for name in (*folders, *files)}


def kill_family(process: subprocess.Popen[bytes]) -> None:
    """Kill the run and what it started; borg has a process group of its own."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    grown = [int(word) for word in children.read_text().split()] if process.poll() is None else []
    process.kill()
    for child in grown:
        os.kill(child, signal.SIGKILL)
    process.wait(30)


def test_a_borg_that_outlives_its_killed_run_keeps_others_out(plan: Plan) -> None:
    process = victim(plan, 0)
    wait_for(lambda: any(plan.repository.glob("lock.exclusive/*")), what="borg works")
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    for child in children:
        os.kill(int(child), signal.SIGSTOP)
    process.kill()
    process.wait(30)
    assert is_running(plan.repository)
    for child in children:
        os.kill(int(child), signal.SIGCONT)
    wait_for(lambda: not is_running(plan.repository), seconds=60, what="the orphan ended")
    assert run_now(plan).ok


def test_a_stale_lock_of_a_stranger_is_cleared_by_the_holder_of_the_run_lock(plan: Plan) -> None:
    (plan.repository / "lock.exclusive").mkdir()
    (plan.repository / "lock.exclusive" / f"elsewhere@12345.{os.getppid()}-0").touch()
    (plan.repository / "lock.roster").write_text("")
    assert run_now(plan).ok


@pytest.mark.parametrize("harm", ["only begun", "half moved"])
def test_a_killed_init_is_simply_repeated(plan: Plan, harm: str) -> None:
    unfinished = plan.repository / repository.UNFINISHED
    (unfinished / "borg").mkdir(parents=True)
    (plan.repository / repository.CONFIG).rename(unfinished / "borg" / "config")
    if harm == "only begun":
        (unfinished / "borg" / "config").unlink()
    assert repository.init(plan)
    assert run_now(plan).archive == "1"


def test_a_repository_that_lost_its_config_is_not_made_anew(plan: Plan) -> None:
    (plan.repository / repository.CONFIG).unlink()
    with pytest.raises(repository.RepositoryDamaged):
        repository.init(plan)


@pytest.mark.parametrize("done", range(4))
def test_a_restore_killed_between_two_exchanges_is_finished_later(plan: Plan, done: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The exchanges are cut after some; a later start does the rest, however often it is asked."""
    before = {name: contents(plan.data / name) for name in ("attachments", "identity")}
    old_rows = ledger(plan.database_file)
    add_rows(plan, 5)
    (plan.data / "identity" / "ca.key").write_text("a newer key")
    real, count = exchange._exchange, 0

    def cut(one: Path, other: Path) -> None:
        nonlocal count
        if count == done:
            raise KeyboardInterrupt
        count += 1
        real(one, other)

    monkeypatch.setattr(exchange, "_exchange", cut)
    try:
        restore.in_place(plan, "1", lambda _staged: None)
    except KeyboardInterrupt:
        assert done < 3
    monkeypatch.undo()
    assert restore.finish(plan.data) == (done < 3)
    assert not restore.finish(plan.data)

    assert ledger(plan.database_file) == old_rows
    assert {name: contents(plan.data / name) for name in before} == before
    assert (plan.data / "before-restore-1" / "identity" / "ca.key").read_text() == "a newer key"
    assert not (plan.data / "restoring").exists()
