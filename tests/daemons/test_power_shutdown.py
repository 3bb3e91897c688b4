"""upsmon's last resort: the wrapper closes the gate and waits for work by itself, and whatever fails, it powers off."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from appliance.gate import Gate, GateClosed
from appliance.power import journal, state
from appliance.power.journal import Entry, Event
from tests.support.waiting import wait_for

SOURCE = Path(__file__).parents[2]
WRAPPER = SOURCE / "systemd" / "power-shutdown"
WORK = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from appliance.gate import Gate
with Gate(Path(sys.argv[1]), Path(sys.argv[2])).work():
    print("working", flush=True)
    sys.stdin.readline()
"""


class Box:
    """The folders of a node, and a fake of each program that powers off, which writes down what it was told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.run, self.kill = folder / "run", folder / "nut"
        for name in ("run", "nut", "bin", "state"):
            (folder / name).mkdir()
        self.journal = folder / "state" / "journal.jsonl"
        self.gate = Gate(self.run / "gate.lock", self.run / "state.json")
        self.said = folder / "said"
        self.fake("systemctl", 0)
        self.fake("shutdown", 0)

    def fake(self, name: str, code: int) -> None:
        program = self.folder / "bin" / name
        program.write_text(f'#!/bin/sh\necho {name} "$@" >>{self.said}\nexit {code}\n')
        program.chmod(0o755)

    def start(self) -> subprocess.Popen[str]:
        command = [str(WRAPPER), str(self.run), str(self.gate.lock), str(self.journal), str(self.kill / "killpower")]
        environment = {"PATH": f"{self.folder}/bin:{os.environ['PATH']}"}
        return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)

    def power_off(self) -> str:
        """Run it to its end and return what was ordered."""
        _out, self.errors = self.start().communicate(timeout=120)
        return self.said.read_text()


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path)


def test_it_closes_the_gate_and_powers_off(box: Box) -> None:
    assert box.power_off() == "systemctl --no-block poweroff\n"
    published = state.read(box.gate.state)
    assert published is not None
    assert (published.stage, published.accepts_work, published.cause) == ("down", False, "forced")
    assert box.gate.state.stat().st_mode & 0o777 == 0o644
    with pytest.raises(GateClosed), box.gate.work():
        pytest.fail("worked behind a closed gate")
    assert (box.run / "shutdown-begun").exists()
    assert (box.run / "rtc-arm").exists()
    assert (box.kill / "killpower").read_text() == "upsmon-shutdown-file"


def test_it_waits_for_running_work(box: Box) -> None:
    command = [sys.executable, "-c", WORK, str(box.gate.lock), str(box.gate.state)]
    worker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=SOURCE)
    assert worker.stdout is not None
    assert worker.stdout.readline() == "working\n"
    wrapper = box.start()
    wait_for(lambda: not box.gate.accepts_work(), what="the gate is closed")
    assert not box.said.exists()
    worker.communicate("\n")
    assert wrapper.wait(60) == 0
    assert box.said.read_text() == "systemctl --no-block poweroff\n"


def test_work_that_does_not_end_is_left_behind(box: Box) -> None:
    # flock(1) waits 25 s; the fake makes them none, and fails as the real one does
    box.fake("flock", 1)
    box.gate.lock.touch()
    assert box.power_off().splitlines()[1:] == ["systemctl --no-block poweroff"]
    assert "still running after 25 s" in box.errors


def test_a_dead_watcher_is_spoken_for_in_the_journal(box: Box) -> None:
    at = "2026-03-01T12:00:00+00:00"
    box.journal.write_text(f'{{"at": "{at}", "event": "started"}}\n{{"at": "{at}", "event": "mains-lo')
    box.power_off()
    past = wait_for(lambda: [one for one in [journal.entries(box.journal)] if len(one) == 2], what="the line is written")[0]
    assert [entry.event for entry in past] == [Event.STARTED, Event.HANDED_OVER]
    ended = journal.ended(past, None)
    assert ended is not None
    assert ended[1:] == ("forced", True)


def test_a_watcher_that_told_it_is_not_spoken_for(box: Box) -> None:
    journal.append(box.journal, Entry(datetime.now(UTC), Event.STARTED))
    (box.run / "force-shutdown").touch()
    box.power_off()
    assert [entry.event for entry in journal.entries(box.journal)] == [Event.STARTED]


def test_without_any_folder_it_still_powers_off(tmp_path: Path) -> None:
    box = Box(tmp_path)
    for folder in (box.run, box.kill, box.folder / "state"):
        folder.rmdir()
    assert box.power_off() == "systemctl --no-block poweroff\n"


def test_when_systemctl_fails_the_next_way_is_taken(box: Box) -> None:
    box.fake("systemctl", 1)
    assert box.power_off() == "systemctl --no-block poweroff\nshutdown -h +0\n"


def test_when_all_fail_it_forces_at_last(box: Box) -> None:
    box.fake("systemctl", 1)
    box.fake("shutdown", 1)
    assert box.power_off().splitlines() == [
        "systemctl --no-block poweroff",
        "shutdown -h +0",
        "systemctl poweroff --force",
        "systemctl poweroff --force --force",
    ]
