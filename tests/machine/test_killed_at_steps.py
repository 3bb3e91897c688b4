"""An installation that was killed after each of its steps and run again ends in the same state as one that nobody disturbed."""

from __future__ import annotations

import pytest

from tests.support.machine import differences
from tests.support.machine_room import Room
from tests.support.machine_run import install, until_well
from tests.support.machine_state import state, undisturbed

KILLED = 137
RUNTIME_STEPS = ("packages", "source", "venv", "libraries", "program", "switch")


@pytest.mark.parametrize("release", ["bookworm"])
def test_killed_after_each_step(room: Room, release: str) -> None:
    wanted = undisturbed(room, release)
    machine = room.bare(release)
    for step in RUNTIME_STEPS:
        ended = install(machine, f"--stop-after runtime-{step}", check=False)
        assert ended.code == KILLED, str(ended)
    steps = [line.split()[0] for line in machine.run("/opt/slrt/current/venv/bin/slrt-provision steps").out.splitlines()]
    assert len(steps) > 10, steps
    for step in steps:
        ended = install(machine, f"--stop-after {step}", check=False)
        assert ended.code == KILLED, str(ended)
    install(machine)
    until_well(machine)
    assert differences(wanted, state(machine)) == []
    assert "Tidak ada yang berubah." in install(machine).out
