"""How long a bare Debian takes to a green node from the bundle, beside apt alone: `python -m tests.bench.install [bookworm] [trixie]`.

The floor is what no installer can undercut: the same packages by apt from the same local repository on the same bare machine. Neither has
a network. Both on the clock and in seconds of processor of the whole machine; needs root, as the machine tests do.
"""

from __future__ import annotations

import itertools
import os
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

from appliance.config import PowerSettings, Settings
from provision.apt import Packages
from provision.plan import steps
from provision.step import Site
from tests.support.machine import Machine, new_machine
from tests.support.machine_bundle import STICK, bundle_stick, plug_stick
from tests.support.machine_run import INSTALL, until_well
from tests.support.machine_tree import RELEASES

DEBIAN = {"bookworm": 12, "trixie": 13}
OPTIONS = INSTALL.partition(" ")[2]
FLAT = "/srv/floor"
STAMPED = '| while IFS= read -r line; do printf \'%s %s\\n\' "$EPOCHREALTIME" "$line"; done; exit ${PIPESTATUS[0]}'


@dataclass(frozen=True)
class Cost:
    """Seconds on the clock, and of processor."""

    clock: float
    processor: float

    def beside(self, floor: Cost) -> str:
        """Itself and how many times the floor."""
        ratios = f"{self.clock / floor.clock:.1f}x, {self.processor / floor.processor:.1f}x"
        return f"{self.clock:.0f} s, processor {self.processor:.0f} s ({ratios})"


def count_apart() -> Path:
    """Put this process, and with it all machines it will start, into a group whose use of the processors is counted; gives the count."""
    kinds = {"cpuacct": "cpuacct.usage", "": "cpu.stat"}
    mounts = (line.partition(" - ") for line in Path("/proc/self/mountinfo").read_text().splitlines())
    found = {}
    for fields, _, about in mounts:
        kind, _, options = about.split(" ", 2)
        if kind == "cgroup2" or (kind == "cgroup" and "cpuacct" in options.split(",")):
            found["" if kind == "cgroup2" else "cpuacct"] = Path(fields.split()[4])
    name = "cpuacct" if "cpuacct" in found else ""
    group = found[name] / f"slrt-bench-{os.getpid()}"
    group.mkdir()
    (group / "cgroup.procs").write_text(str(os.getpid()))
    return group / kinds[name]


def processor_seconds(count: Path) -> float:
    """What the group has used so far."""
    text = count.read_text().split()
    return int(text[1]) / 1e6 if count.name == "cpu.stat" else int(text[0]) / 1e9


def bare(release: str) -> Machine:
    machine = new_machine(release, 210)
    machine.bed.unplug()
    plug_stick(machine, bundle_stick().iterdir())
    return machine.boot()


def timed(machine: Machine, command: str, count: Path) -> tuple[Cost, str]:
    """What the command cost, and what it said."""
    begun, spent = time.monotonic(), processor_seconds(count)
    said = machine.run(command, seconds=1500).out
    return Cost(time.monotonic() - begun, processor_seconds(count) - spent), said


def names(release: str) -> str:
    """The packages that this installation asks for."""
    site = Site(replace(Settings(), power=PowerSettings(ups="simulated")), "admin.it", DEBIAN[release])
    changes = (change for step in steps(site) for change in step.changes)
    return " ".join(name for change in changes if isinstance(change, Packages) for name in change.names)


def floor(release: str, count: Path) -> Cost:
    """apt alone."""
    machine = bare(release)
    try:
        place = f"{FLAT}/debs/{DEBIAN[release]}"
        machine.run(f"mkdir {FLAT} && tar -C {FLAT} -xf {STICK}/*.slrt && echo 'deb [trusted=yes] file:{place} ./' > {FLAT}/list")
        # what would start by itself and take a port is held back in both
        machine.run("systemctl mask nginx.service")
        options = f"-q -o Dir::Etc::SourceList={FLAT}/list -o Dir::Etc::SourceParts=/dev/null -o APT::Sandbox::User=root"
        install = f"install --yes --no-install-recommends {names(release)}"
        cost, _ = timed(
            machine, f"DEBIAN_FRONTEND=noninteractive; apt-get {options} update && apt-get {options} {install}", count
        )
        return cost
    finally:
        machine.destroy()


def node(release: str, count: Path) -> tuple[Cost, str]:
    """Ours, to green."""
    machine = bare(release)
    try:
        cost, said = timed(machine, f"bash {STICK}/install.sh {OPTIONS} {STAMPED}", count)
        until_well(machine)
        return cost, said
    finally:
        machine.destroy()


def show_stages(said: str) -> None:
    """How the time was spent, a line for whatever took half a second."""
    rows = [line.split(" ", 1) for line in said.splitlines() if line[:1].isdigit()]
    for (at, words), (after, _) in itertools.pairwise(rows):
        if float(after) - float(at) >= 0.5:
            print(f"    {float(after) - float(at):5.1f} s  {words.strip()[:90]}")


def main() -> None:
    print(
        f"bundle {sum(path.stat().st_size for path in bundle_stick().iterdir()) >> 20} MiB, load {Path('/proc/loadavg').read_text().split()[0]}"
    )
    count = count_apart()
    for release in sys.argv[1:] or RELEASES:
        least = floor(release, count)
        cost, said = node(release, count)
        print(f"{release}: apt alone {least.clock:.0f} s, processor {least.processor:.0f} s; node {cost.beside(least)}")
        show_stages(said)


if __name__ == "__main__":
    main()
