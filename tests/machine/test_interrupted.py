"""An installation that was killed and run again ends in the same state as one that nobody disturbed."""

from __future__ import annotations

import random
import re

import pytest

from tests.support.machine import SOURCE, Machine, differences, manifest, wait_for
from tests.support.machine_room import Room
from tests.support.machine_run import INSTALL, INSTALL_SECONDS, install, until_well

KILLED = 137
KILLS = 5
RUNTIME_STEPS = ("packages", "source", "venv", "libraries", "program", "switch")
# different on every machine by nature: what is random, what carries the address, what a running system writes
OWN = (
    r"^/etc/slrt/(secrets|tls)/|^/var/lib/(slrt|slrt-front|slrt-provision|slrt-power)/|^/srv/backup/"
    r"|^/etc/(ssl/certs/|ca-certificates|nut/upsd\.users|nut/upsmon\.conf|group-?|gshadow-?|passwd-?|shadow-?|subuid|subgid)"
)
VOLATILE = (
    r"^/var/lib/(apt|dpkg|systemd|nut|dbus|private|logrotate|ucf|avahi-autoipd|slrt/backup|slrt/database)(/|$)|^/srv/backup/slrt/"
    r"|^/etc/(machine-id|resolv\.conf|\.pwd\.lock|ld\.so\.cache|slrt/secrets/.*|passwd-|shadow-|group-|gshadow-)$|/__pycache__"
)


def state(machine: Machine) -> dict[str, str]:
    """What an installation leaves, without the contents that are each machine's own."""
    found = manifest(machine, ignore=VOLATILE)
    digest = re.compile(r" ?\b[0-9a-f]{64}$")
    kept = {path: digest.sub("", facts) if re.search(OWN, path) else facts for path, facts in found.items()}
    asked = "systemctl list-unit-files --state=enabled,masked --no-legend | awk '{print $1, $2}'"
    for name, command in {"packages": "dpkg-query -W -f '${Package} ${db:Status-Status}\\n'", "units": asked}.items():
        kept |= {f"{name} {line}": "" for line in machine.run(command).out.splitlines()}
    kept |= {f"secret {name}": "" for name in machine.run("ls /etc/slrt/secrets").out.split()}
    return kept


def undisturbed(room: Room, release: str) -> dict[str, str]:
    """The state of the machine that was installed in one go."""
    machine = room.installed(release)
    until_well(machine)
    found = state(machine)
    machine.destroy()
    return found


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


@pytest.mark.parametrize("release", ["trixie"])
def test_killed_at_random_moments(room: Room, release: str) -> None:
    wanted = undisturbed(room, release)
    lines = re.findall(r"(?m)^(?:Tahap \d/\d|\[\d+/\d+\])", room.installation(release).output)
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
