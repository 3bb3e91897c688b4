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
# A step is in its middle as soon as it is begun; those that take long are killed when this holds as well.
MIDDLE = {
    "runtime-packages": "grep -q '^Status: .* unpacked$' /var/lib/dpkg/status",
    "runtime-libraries": "[[ -n $(compgen -G '/opt/slrt/releases/*/venv/lib/python3*/site-packages/flask/*.py') ]]",
    "paket": "grep -q '^Status: .* unpacked$' /var/lib/dpkg/status",
    "basis-data": "[[ -s /var/lib/slrt/database/slrt.db ]]",
    "gudang-cadangan": "[[ -n $(compgen -G '/srv/backup/slrt/*') ]]",
    "cadangan": "[[ -n $(compgen -G '/srv/backup/slrt/data/*/*') ]]",
}
# Shell's own words where it counts: between the line in the journal and the kill lies about a millisecond.
KILL = """
mkdir -p -m 0700 {folder}; touch {journal}; before=$(<{journal})
systemd-run --quiet --unit=pasang --collect -p KillMode=control-group -p WorkingDirectory={source} \\
  -p StandardOutput=append:/root/said -p StandardError=inherit {source}/{install}
group=/sys/fs/cgroup/system.slice/pasang.service/cgroup.procs
while [[ -e $group ]]; do
  written=$(<{journal})
  [[ ${{written#"$before"}} == *" begun {step} "* ]] && {middle} || continue
  kill -9 $(<$group) 2>/dev/null
  systemctl kill --signal=KILL pasang 2>/dev/null
  break
done
while [[ -e $group ]]; do :; done
tail -n 1 {journal}
"""


@pytest.mark.parametrize("release", ["bookworm"])
def test_killed_in_the_middle_of_each_step(room: Room, release: str) -> None:
    wanted = undisturbed(room, release)
    machine = room.bare(release)
    for step in RUNTIME_STEPS:
        kill_in(machine, f"runtime-{step}")
    names = [line.split()[0] for line in machine.run("/opt/slrt/current/venv/bin/slrt-provision steps").out.splitlines()]
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
    script = KILL.format(
        folder=JOURNAL.rpartition("/")[0],
        journal=JOURNAL,
        source=SOURCE,
        install=INSTALL.removeprefix("./"),
        step=step,
        middle=MIDDLE.get(step, "true"),
    )
    last = machine.run(script, seconds=INSTALL_SECONDS).out
    assert last.split()[1:3] == ["begun", step], f"{last}\n{machine.read('/root/said')[-2000:]}"
