"""A run that would never end: a borg that hangs is killed with all it started, a disk that goes away is noticed, the next run repairs."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from backups import book, errors, limits, outcome
from backups.book import Line
from backups.limits import TOO_LONG, allowed_seconds
from backups.settings import Plan
from tests.support.borg import run_now
from tests.support.waiting import wait_for

# Hangs while it stores, deaf to being asked, with a child of its own; what it locked stays locked.
HANGS = """#!/bin/sh
case "$*" in *" create "*)
  trap '' TERM
  mkdir -p "{repository}/lock.exclusive"; touch "{repository}/lock.exclusive/gone@elsewhere.1-0"
  sleep 600 & echo $! > "{note}.child"; echo $$ > "{note}"; wait;;
esac
exec {real} "$@"
"""


@pytest.fixture
def hanging(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plan: Plan) -> Path:
    """borg hangs when it stores; the file holds the number of its process."""
    folder, note = tmp_path / "bin", tmp_path / "hangs"
    folder.mkdir()
    real = shutil.which("borg")
    (folder / "borg").write_text(HANGS.format(repository=plan.repository, note=note, real=real))
    (folder / "borg").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return note


def is_alive(note: Path) -> bool:
    """Whether the process runs that a file names."""
    number = Path(f"/proc/{note.read_text().strip()}/stat")
    return number.exists() and number.read_text().split()[2] != "Z"


def test_a_borg_that_hangs_is_killed_and_told_and_the_next_run_repairs(
    plan: Plan, hanging: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as later:
        # two hours go by at once when borg hangs
        later.setattr(limits, "monotonic", lambda: time.monotonic() + (7200 if hanging.exists() else 0))
        with pytest.raises(errors.Overdue) as found:
            run_now(plan)
    assert TOO_LONG in found.value.message
    for note in (hanging, hanging.with_name("hangs.child")):
        assert not is_alive(note), "with its whole group"
    last, line = outcome.read(plan.state).last, book.lines(plan.state)[-1]
    assert last is not None
    assert last.text == line.text == found.value.message
    assert not line.ok
    monkeypatch.setenv("PATH", os.environ["PATH"].partition(":")[2])
    assert (plan.repository / "lock.exclusive").is_dir(), "what it left is there"
    assert run_now(plan).archive == "2"


@pytest.fixture
def mounted(plan: Plan, tmp_path: Path) -> Iterator[Plan]:
    """The same repository on a disk of its own."""
    place = tmp_path / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(place)], check=True)
    shutil.copytree(plan.repository, place / "slrt")
    plan.repository.rename(plan.repository.with_name("was-here"))
    plan.repository.symlink_to(place / "slrt")
    yield replace(plan, repository=place / "slrt")
    subprocess.run(["umount", "--lazy", str(place)], check=False, capture_output=True)


def test_a_disk_that_goes_away_ends_the_run(mounted: Plan, hanging: Path) -> None:
    found: list[errors.BackupError] = []

    def run() -> None:
        try:
            run_now(mounted)
        except errors.BackupError as error:
            found.append(error)

    running = threading.Thread(target=run)
    running.start()
    wait_for(hanging.exists, what="borg stores")
    subprocess.run(["umount", "--lazy", str(mounted.repository.parent)], check=True)
    running.join(60)
    assert isinstance(found[0], errors.RepositoryMissing)
    assert "hilang di tengah pekerjaan" in found[0].message
    assert not is_alive(hanging)
    last = outcome.read(mounted.state).last
    assert last is not None
    assert "Pasang disk itu" in last.next_step


def test_how_long_a_run_may_take(plan: Plan) -> None:
    (good,) = book.lines(plan.state)
    late = replace(good, ok=False, text=f"{TOO_LONG}: 10 menit berlalu.")
    other = replace(late, kind="rehearsal")
    failed = replace(good, ok=False, text="Disk penuh.")

    def allowed(*lines: Line) -> float:
        return allowed_seconds(lines, book.BACKUP)

    assert allowed() == 24 * 3600
    assert allowed(replace(good, seconds=10)) == 600
    assert allowed(replace(good, seconds=1000)) == 5000
    assert allowed(replace(good, seconds=1000), failed) == 5000
    # data that grew must not be killed night after night
    assert allowed(replace(good, seconds=1000), late, other, late) == 20000
    assert allowed(replace(good, seconds=1000), late, replace(good, seconds=3000)) == 15000
