"""An installation killed in the middle of each of its steps, one after the other, ends in the state of one that nobody disturbed."""

from __future__ import annotations

import re

import pytest

from tests.support.machine import SOURCE, Machine, differences
from tests.support.machine_room import Room
from tests.support.machine_run import INSTALL, INSTALL_SECONDS, install, until_well
from tests.support.machine_state import state, undisturbed

RUNTIME_STEPS = ("packages", "source", "venv", "libraries", "program", "switch")
JOURNAL = "/var/lib/slrt-install/journal"
GROUP = "/sys/fs/cgroup/system.slice/pasang.service/cgroup.procs"
# Steps that take long are killed when this holds, well inside; the others as soon as the journal says that they have begun.
MIDDLE = {
    "runtime-packages": "grep -q '^Status: .* unpacked$' /var/lib/dpkg/status",
    "runtime-libraries": "[[ -n $(compgen -G '/opt/slrt/releases/*/made/wheels/*.whl') ]]",
    "paket": "grep -q '^Status: .* unpacked$' /var/lib/dpkg/status",
    "basis-data": "[[ -s /var/lib/slrt/database/slrt.db ]]",
    "gudang-cadangan": "[[ -n $(compgen -G '/srv/backup/slrt/*') ]]",
    "cadangan": "[[ -n $(compgen -G '/srv/backup/slrt/data/*/*') ]]",
}
# The journal is flushed after each line: the program that does so kills all the others.
SYNC = f"""#!/bin/bash
/usr/bin/sync "$@" || exit
[[ $1 == {JOURNAL} && $(tail -n 1 {JOURNAL}) == *" begun $(</root/victim) "* ]] || exit 0
for pid in $(<{GROUP}); do
  [[ $pid == $$ ]] || kill -9 "$pid"
done
"""
KILL = f"""
before=$(cat {JOURNAL} 2>/dev/null)
systemd-run --quiet --unit=pasang --collect -p KillMode=control-group -p WorkingDirectory={SOURCE} \\
  -p StandardOutput=append:/root/said -p StandardError=inherit {SOURCE}/{INSTALL.removeprefix("./")}
while [[ -e {GROUP} ]]; do
  sleep 0.02 # without it this loop would take the processor from what it watches
  written=$(cat {JOURNAL} 2>/dev/null)
  if [[ ${{written#"$before"}} == *" begun $(</root/victim) "* ]] && MIDDLE; then
    systemctl kill --signal=KILL pasang
  fi
done
tail -n 1 {JOURNAL}
"""


@pytest.mark.parametrize("release", ["bookworm"])
def test_killed_in_the_middle_of_each_step(room: Room, release: str) -> None:
    wanted = undisturbed(room, release)
    machine = room.bare(release)
    for step in RUNTIME_STEPS:
        kill_in(machine, f"runtime-{step}")
    names = [line.split()[0] for line in machine.run("/opt/slrt/releases/*/venv/bin/slrt-provision steps").out.splitlines()]
    # a bare machine has something to do in nearly all of them
    numbers = re.findall(r"(?m)^\[(\d+)/\d+\] .*(?<!: sudah sesuai)$", room.installation(release).output)
    steps = [names[int(number) - 1] for number in numbers]
    assert len(steps) > 15, steps
    for step in steps:
        kill_in(machine, step)
    told = install(machine).out
    assert f"terputus di tengah langkah {steps[-1]}" in told
    until_well(machine)
    assert differences(wanted, state(machine)) == []
    assert "Tidak ada yang berubah." in install(machine).out


def kill_in(machine: Machine, step: str) -> None:
    """Start install.sh, and kill everything it started in the middle of `step`; that is the last thing in its journal then."""
    machine.put("/root/victim", step)
    if step not in MIDDLE:
        machine.put("/usr/local/sbin/sync", SYNC, "0755")
    last = machine.run(KILL.replace("MIDDLE", MIDDLE.get(step, "true")), seconds=INSTALL_SECONDS, check=False).out
    machine.run("rm -f /usr/local/sbin/sync")
    assert last.split()[1:3] == ["begun", step], f"{last}\n{machine.read('/root/said')[-2000:]}"
