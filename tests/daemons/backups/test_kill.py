"""Killed at every step and at many moments in between: the next run succeeds without anybody's help, and old runs stay whole."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from backups import catalogue, exchange, repository, restore
from backups.lock import is_running
from backups.settings import Plan
from backups.take import STEPS
from tests.support.backup_kills import Endurance, blows, enduring, play_all
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


def test_killed_when_each_step_begins(plan: Plan, tmp_path: Path) -> None:
    """The last step first: each run comes to an earlier one over what all before it have left."""
    old = ledger(plan.database_file)
    for step in reversed(range(1, STEPS + 1)):
        assert victim(plan, step).wait(200) == -signal.SIGKILL, f"step {step} is not reached"
        wait_for(lambda: not is_running(plan.repository), what="the killed run's borg is gone")
    assert_all_is_well(plan, old, tmp_path)


def test_killed_at_random_moments(plan: Plan, pytestconfig: pytest.Config, capsys: pytest.CaptureFixture[str]) -> None:
    """In a backup, the forgetting, a copy to a stick, a rehearsal, a restore. All of them and more: --backup-kills 100."""
    seed = pytestconfig.getoption("--backup-seed") or time.time_ns() % 2**31
    with enduring(plan) as desk:
        play_all(Endurance(desk, seed), blows(seed, pytestconfig.getoption("--backup-kills")), capsys)


def test_a_borg_that_outlives_its_killed_run_keeps_others_out(plan: Plan) -> None:
    process = victim(plan, 0)
    wait_for(lambda: any(plan.repository.glob("lock.exclusive/*")), what="borg works")
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    for child in children:
        os.kill(int(child), signal.SIGSTOP)
    process.kill()
    process.wait(120)
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
