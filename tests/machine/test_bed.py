"""The test bed itself: what the other tests stand on must hold."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.machine import PROJECT, Machine, copy_of
from tests.support.machine_bed import Bed, claim_bed, started_at
from tests.support.machine_room import Room
from tests.support.machine_tree import RELEASES

ABANDON = """
import os, sys
from tests.support.machine import new_machine
machine = new_machine("bookworm", 90).boot()
print(machine.bed.number, flush=True)
os.kill(os.getpid(), 9)
"""


def test_a_bare_machine_is_well_and_has_nothing_of_ours(untouched: Machine) -> None:
    assert untouched.run("systemctl --failed --no-legend").out == ""
    assert untouched.run("ss -Hltn").out == ""
    assert untouched.run("ls /opt /etc/slrt /srv 2>/dev/null", check=False).out.split() == ["/opt:", "/srv:"]


def test_a_bare_machine_reaches_the_package_mirrors_only_with_its_cable_in(untouched: Machine) -> None:
    untouched.bed.unplug()
    ask = "apt-get update -o Acquire::Retries=0 -o APT::Update::Error-Mode=any"
    assert untouched.run(ask, check=False).code != 0
    untouched.bed.plug()
    untouched.run(ask)


# what follows is this host's work, whatever Debian it boots
@pytest.mark.parametrize("release", RELEASES[:1])
def test_a_command_gives_its_code_and_both_outputs(untouched: Machine) -> None:
    said = untouched.run("echo one; echo two >&2; whoami; exit 7", check=False, user="nobody")
    assert (said.code, said.out, said.err) == (7, "one\nnobody\n", "two\n")


@pytest.mark.parametrize("release", RELEASES[-1:])
def test_a_copy_has_what_was_on_the_disk_and_leaves_the_original_alone(bare: Machine, tmp_path: Path) -> None:
    bare.put("/root/kept", "before")
    bare.power_off()
    kept = bare.snapshot(tmp_path / "disk")
    first = copy_of(kept)
    try:
        assert first.boot().read("/root/kept") == "before"
        first.put("/root/kept", "after")
        first.power_off()
        first.boot()
        assert first.read("/root/kept") == "after"
    finally:
        first.destroy()


@pytest.mark.parametrize("release", RELEASES[:1])
def test_a_machine_taken_away_leaves_no_process(bare: Machine) -> None:
    pid = bare._leader()
    bare.destroy()
    assert not started_at(pid)


def test_two_machines_leave_each_others_services_alone(bare: Machine, room: Room) -> None:
    """In one control group for both, the one that stops its service would kill the other's."""
    other = room.bare(bare.release)
    ask = "systemctl show --property MainPID --value tamu; cat /sys/fs/cgroup/system.slice/tamu.service/cgroup.procs"
    for machine in (bare, other):
        machine.run("systemd-run --quiet --unit=tamu sleep 1000")
        main, *members = machine.run(ask).out.split()
        assert members == [main], "nobody of the other machine is in its group"
    before = other.run(ask).out
    bare.run("systemctl stop tamu")
    assert other.run(ask).out == before


def test_what_a_killed_run_left_behind_is_taken_away() -> None:
    killed = subprocess.run([sys.executable, "-c", ABANDON], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert killed.returncode == -9, killed.stderr
    left = Bed(int(killed.stdout))
    assert left.folder.exists()
    bed = claim_bed(left.number)
    try:
        assert bed.number == left.number
        assert not (bed.folder / "nspawn").exists()
        assert left.name not in subprocess.run(["ip", "netns"], capture_output=True, text=True, check=True).stdout
    finally:
        bed.clear()
