"""An installation whose processes are all killed at random moments and run again ends in the same state as an undisturbed one."""

from __future__ import annotations

import random
import re

import pytest

from tests.support.machine import SOURCE, Machine, differences, wait_for
from tests.support.machine_room import Room
from tests.support.machine_run import INSTALL, INSTALL_SECONDS, install, until_well
from tests.support.machine_state import state, undisturbed

KILLS = 5


@pytest.mark.parametrize("release", ["trixie"])
def test_killed_at_random_moments(room: Room, release: str) -> None:
    wanted = undisturbed(room, release)
    lines = re.findall(r"(?m)^(?:Tahap \d/\d|\[\d+/\d+\]|      [a-z].*)", room.installation(release).output)
    moments = sorted(random.sample(range(len(lines)), KILLS))
    print("killed at", [lines[moment] for moment in moments])
    machine = room.bare(release)
    for moment in moments:
        kill_at(machine, lines[moment])
    install(machine)
    until_well(machine)
    assert differences(wanted, state(machine)) == []


def kill_at(machine: Machine, line: str) -> None:
    """Start install.sh, and kill everything it started as soon as it says `line` (or let it end if it never does)."""
    machine.run(
        f"rm -f /root/said; systemd-run --quiet --unit=pasang --collect -p KillMode=control-group -p WorkingDirectory={SOURCE} "
        f"-p StandardOutput=file:/root/said -p StandardError=inherit {SOURCE}/{INSTALL.removeprefix('./')}"
    )
    ended = "! systemctl is-active --quiet pasang"
    ask = f"grep -qF '{line}' /root/said || {ended}"
    wait_for(f"install.sh says {line}", lambda: machine.run(ask, check=False).code == 0, INSTALL_SECONDS)
    machine.run("systemctl kill --signal=KILL pasang", check=False)
    wait_for("it has ended", lambda: machine.run(ended, check=False).code == 0, 30)
