"""The machines of one test: made on demand, asked for their journals when the test fails, and taken away in any case."""

from __future__ import annotations

from collections.abc import Iterator

from tests.support.machine import Machine, copy_of, new_machine
from tests.support.machine_run import Installed, Run, until_well

LOG = "var/log/slrt-install.log"
LAST_LINES = 40
ASIDE = 3  # a standing machine leaves the address of the installation to the copies that come and go


class Room:
    """The machines of one test. `standing` are copies that live as long as the test run: to look at, never to change."""

    def __init__(self, run: Run, standing: dict[str, Machine]) -> None:
        self.run = run
        self.machines: list[Machine] = []
        self._standing = standing
        self._visited: list[Machine] = []

    def standing(self, release: str) -> Machine:
        """A booted installed machine that is well, shared by all tests that only look."""
        if release not in self._standing:
            machine = self.installed(release, aside=ASIDE)
            until_well(machine)
            self.machines.remove(machine)
            self._standing[release] = machine
        self._visited.append(self._standing[release])
        return self._standing[release]

    def bare(self, release: str) -> Machine:
        """A booted Debian that has nothing of ours, and a copy of the project."""
        machine = self._add(new_machine(release)).boot()
        machine.put_project()
        return machine

    def installed(self, release: str, aside: int = 0) -> Machine:
        """A booted copy of the machine that install.sh was run on."""
        disk = self.run.installed(release).snapshot
        machine = self._add(copy_of(disk, aside)).boot()
        if machine.bed.number != disk.number:
            # Two copies at once: the second one lives at another address, as after a move to another network.
            machine.run("slrt-provision renew-certificate")
        return machine

    def installation(self, release: str) -> Installed:
        """How that installation went."""
        return self.run.installed(release)

    def _add(self, machine: Machine) -> Machine:
        self.machines.append(machine)
        return machine

    def clear(self) -> None:
        """Take all machines away."""
        for machine in self.machines:
            machine.destroy()

    def report(self) -> Iterator[tuple[str, str]]:
        """For a failed test: what each machine has to say."""
        for machine in (one for one in (*self.machines, *self._visited) if not one.gone):
            yield f"{machine.bed.name} ({machine.release}, {machine.address})", machine.journal()
            log = machine.bed.root / "var/log/slrt-install.log"
            if log.is_file():
                yield f"{machine.bed.name}: {log.name}", "\n".join(log.read_text(errors="replace").splitlines()[-LAST_LINES:])
