"""What install.sh refuses before it changes anything: which fault, what to do, an exit code by kind."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import pytest

from tests.support.machine import SOURCE, Machine, differences, manifest
from tests.support.machine_room import Room
from tests.support.machine_run import INSTALL
from tests.support.machine_tree import RELEASES

EVERYTHING = "/etc /opt /srv /usr/local /var"
# logs and what systemd or apt's own timers touch while the machine runs
VOLATILE = r"^/var/(log|tmp|lib/systemd|lib/private|cache/private|lib/apt/daily_lock)|^/var/lib/dpkg/lock|^/opt/tamu"


@dataclass(frozen=True)
class Fault:
    """`before` brings the machine into the state; `words` must stand in what install.sh says."""

    before: str
    command: str
    code: int
    words: tuple[str, ...]
    user: str = ""
    folder: str = SOURCE


TENANT = "systemd-run --quiet --unit=tamu systemd-socket-activate --listen=443 --listen=53 /bin/cat; until ss -Hltn | grep -q :443; do :; done"
FAULTS = {
    "not root": Fault("cp -r /root/slrt-node /opt/tamu", INSTALL, 78, ("root", "sudo"), user="nobody", folder="/opt/tamu"),
    "another Debian": Fault("sed -i 's/^VERSION_ID=.*/VERSION_ID=\"11\"/' /usr/lib/os-release", INSTALL, 78, ("Debian 12",)),
    "a taken port": Fault(TENANT, INSTALL, 78, ("Port 443 ", "Port 53 ", "systemctl disable --now tamu\n")),
    "too little disk": Fault("mount -t tmpfs -o size=100m tmpfs /srv", INSTALL, 78, ("Ruang kosong", "/srv", "MiB")),
    "no UPS": Fault("", INSTALL.replace("simulated", "usb"), 78, ("UPS", "USB")),
    "a district that is no code": Fault("", INSTALL.replace("73.03", "7303"), 2, ("--district", "73.03")),
    "a district that does not exist": Fault("", INSTALL.replace("73.03", "73.99"), 2, ("73.99",)),
    "no district": Fault("", "./install.sh --unattended", 2, ("--district",)),
    "an unknown option": Fault("", f"{INSTALL} --upd", 2, ("--upd",)),
    "an unknown command": Fault("", "./install.sh pasang", 2, ("pasang",)),
    "a bad host name": Fault("", INSTALL.replace("--hostname slrt", "--hostname Kantor_1"), 2, ("Kantor_1", "huruf kecil")),
}


# Each on one Debian, in turn: what judges them is our own shell and Python, which every installation tries on both.
TURNS = [
    pytest.param(release, fault, id=f"{release}-{name}")
    for release, (name, fault) in zip(itertools.cycle(RELEASES), FAULTS.items(), strict=False)
]


@pytest.mark.parametrize(("release", "fault"), TURNS)
def test_a_fault_is_named_and_nothing_is_changed(room: Room, release: str, fault: Fault) -> None:
    machine = room.bare(release) if fault.before else room.untouched(release)
    machine.run(fault.before or "true")
    before = manifest(machine, EVERYTHING, VOLATILE)
    refused = machine.run(fault.command, check=False, user=fault.user, folder=fault.folder)
    assert refused.code == fault.code, str(refused)
    said = refused.out + refused.err
    assert [words for words in fault.words if words not in said] == [], said
    assert differences(before, manifest(machine, EVERYTHING, VOLATILE)) == []


def test_without_a_network_it_says_so_and_works_when_it_is_back(bare: Machine) -> None:
    before = manifest(bare, EVERYTHING, VOLATILE)
    bare.bed.unplug()
    refused = bare.run(INSTALL, check=False, folder=SOURCE, seconds=300)
    assert refused.code == 75, str(refused)
    assert "jaringan" in refused.err
    assert differences(before, manifest(bare, EVERYTHING, VOLATILE)) == []
    bare.bed.plug()
    bare.run(INSTALL.replace("install.sh", "install.sh check"), folder=SOURCE)
    assert differences(before, manifest(bare, EVERYTHING, VOLATILE)) == []


@pytest.mark.parametrize("release", RELEASES[-1:])
def test_a_second_installation_at_the_same_time_waits_for_its_turn(bare: Machine) -> None:
    bare.run("touch /run/slrt-install.lock && systemd-run --quiet flock /run/slrt-install.lock sleep 1000")
    bare.run("until ! flock --nonblock /run/slrt-install.lock true; do :; done")
    refused = bare.run(INSTALL, check=False, folder=SOURCE)
    assert refused.code == 75, str(refused)
    assert "sedang berjalan" in refused.err
