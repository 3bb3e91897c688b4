"""upsmon is restarted after a test of the battery, and never at a moment when that could end the machine."""

from __future__ import annotations

import os
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from appliance.power.reading import Reading, Silence, SilenceKind
from appliance.power.selftest import SELF_TEST_SEEN, note_self_test
from appliance.power.state import State, publish

SCRIPT = Path(__file__).parents[2] / "systemd" / "refresh-upsmon"


def refresh(folder: Path, *, state: State | None, quiet: float = 90, code: int = 0) -> tuple[list[str], bool]:
    """What systemd was told, and whether the note is still there, `quiet` seconds after the test."""
    note = folder / SELF_TEST_SEEN
    if quiet >= 0:
        note.touch()
        os.utime(note, (time.time() - quiet,) * 2)
    if state is not None:
        publish(folder, state)
    fake = folder / "bin" / "systemctl"
    fake.parent.mkdir()
    fake.write_text(f'#!/bin/sh\necho "$@" >>{folder}/said\nexit {code}\n')
    fake.chmod(0o755)
    environment = {"PATH": f"{fake.parent}:{os.environ['PATH']}"}
    subprocess.run([str(SCRIPT), str(folder), "0"], env=environment, check=False, timeout=60, stderr=subprocess.DEVNULL)
    said = folder / "said"
    return said.read_text().splitlines() if said.exists() else [], note.exists()


def state(stage: str = "online", mains: bool | None = True, age: float = 1) -> State:
    return State(datetime.now(UTC) - timedelta(seconds=age), stage, accepts_work=True, mains=mains)


def test_after_the_test_it_is_restarted_once(tmp_path: Path) -> None:
    assert refresh(tmp_path, state=state()) == (["restart nut-monitor.service"], False)


@pytest.mark.parametrize(
    ("now", "quiet"),
    [
        (state("on-battery", mains=False), 90),
        (state("on-battery", mains=True), 90),  # the mains is back for a moment
        (state("unknown", mains=None), 90),
        (state(age=30), 90),  # the watcher is dead
        (state(age=-3600), 90),  # a clock that was set back
        (state(), 10),  # the test still runs
        (None, 90),
    ],
)
def test_it_waits_for_a_better_moment(tmp_path: Path, now: State | None, quiet: float) -> None:
    assert refresh(tmp_path, state=now, quiet=quiet) == ([], True)


def test_without_a_test_nothing_happens(tmp_path: Path) -> None:
    assert refresh(tmp_path, state=state(), quiet=-1) == ([], False)


def test_a_restart_that_failed_is_tried_again(tmp_path: Path) -> None:
    assert refresh(tmp_path, state=state(), code=1) == (["restart nut-monitor.service"], True)


@pytest.mark.parametrize(
    ("heard", "noted"),
    [
        (Reading(frozenset({"OL", "CAL"})), True),
        (Reading(frozenset({"OB", "CAL", "DISCHRG"})), True),
        (Reading(frozenset({"OL"})), False),
        (Silence(SilenceKind.STALE), False),
    ],
)
def test_the_watchers_note(tmp_path: Path, heard: Reading | Silence, noted: bool) -> None:
    note_self_test(tmp_path, heard)
    assert (tmp_path / SELF_TEST_SEEN).exists() is noted


def test_a_note_that_cannot_be_written_stops_nobody(tmp_path: Path) -> None:
    note_self_test(tmp_path / "nowhere", Reading(frozenset({"OL", "CAL"})))
