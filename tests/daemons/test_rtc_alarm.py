"""The script that sets the clock which wakes the machine, over a file in the place of the kernel's."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "systemd" / "rtc-alarm"


def run(folder: Path, alarm: Path) -> str:
    """Run it and return what it complained of; it never fails."""
    done = subprocess.run([str(SCRIPT), str(folder), str(alarm)], capture_output=True, text=True, check=True, timeout=120)
    return done.stderr


@pytest.mark.parametrize(("flag", "written"), [("rtc-arm", "+900\n"), ("rtc-disarm", "0\n")])
def test_the_clock_is_set_or_cleared_and_the_flag_is_gone(tmp_path: Path, flag: str, written: str) -> None:
    alarm = tmp_path / "wakealarm"
    alarm.write_text("1772370000\n")
    (tmp_path / flag).touch()
    assert run(tmp_path, alarm) == ""
    assert alarm.read_text() == written
    assert list(tmp_path.iterdir()) == [alarm]


def test_who_is_to_wake_is_woken_although_the_flag_to_clear_is_there_as_well(tmp_path: Path) -> None:
    alarm = tmp_path / "wakealarm"
    alarm.touch()
    (tmp_path / "rtc-arm").touch()
    (tmp_path / "rtc-disarm").touch()
    run(tmp_path, alarm)
    assert alarm.read_text() == "+900\n"


@pytest.mark.parametrize("kind", ["none", "folder"])
def test_without_such_a_clock_the_flag_is_gone_all_the_same(tmp_path: Path, kind: str) -> None:
    alarm = tmp_path / "wakealarm"
    if kind == "folder":
        alarm.mkdir()
    (tmp_path / "rtc-arm").touch()
    assert "rtc-alarm:" in run(tmp_path, alarm)
    assert not (tmp_path / "rtc-arm").exists()
