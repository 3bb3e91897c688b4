"""The machines of one test: made on demand, asked for their journals when the test fails, and taken away in any case."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.support.machine import Machine, copy_of, new_machine
from tests.support.machine_run import Installed, Run, until_well

LOG = "var/log/slrt-install.log"
LAST_LINES = 40
ASIDE = 3  # a machine that stays leaves the address of the installation to the copies that come and go


class Room:
    """The machines of one test. `kept` are those that the other tests of its file use as well."""

    def __init__(self, run: Run, kept: dict[str, Machine]) -> None:
        self.run = run
        self.machines: list[Machine] = []
        self._kept = kept
        self._visited: list[str] = []

    def lasting(self, release: str) -> Machine:
        """A booted installed machine that is well; what a test changes on it, the next one finds. After a failure there is a new one."""
        return self.keep(f"lasting {release}", lambda: self.installed(release, ASIDE))

    def keep(self, name: str, make: Callable[[], Machine]) -> Machine:
        """The installed machine `name` for all tests of the file, made by `make` (which adds it to this room) and waited for the first time."""
        return self._share(name, make, until_well)

    def untouched(self, release: str) -> Machine:
        """A bare machine, shared by all tests of the file that see to it that nothing is changed on it."""
        return self._share(f"untouched {release}", lambda: self.bare(release), lambda _machine: None)

    def _share(self, name: str, make: Callable[[], Machine], wait: Callable[[Machine], None]) -> Machine:
        if name not in self._kept:
            machine = make()
            wait(machine)
            self.machines.remove(machine)
            self._leave_all_but(machine.release)
            self._kept[name] = machine
        self._visited.append(name)
        return self._kept[name]

    def _leave_all_but(self, release: str) -> None:
        """The tests on one Debian come after those on the other."""
        for name in [name for name, machine in self._kept.items() if machine.release != release]:
            self._kept.pop(name).destroy()

    def spoil(self) -> None:
        """The test has failed: nobody knows what it left on the machines that others would use."""
        self.machines += [self._kept.pop(name) for name in self._visited if name in self._kept]

    def bare(self, release: str, network: bool = True) -> Machine:
        """A booted Debian that has nothing of ours, and a copy of the project. Without a network its cable was never plugged in."""
        machine = self._add(new_machine(release))
        if not network:
            machine.bed.unplug()
        machine.boot()
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
        visited = (self._kept[name] for name in self._visited if name in self._kept)
        for machine in (one for one in (*self.machines, *visited) if not one.gone):
            yield f"{machine.bed.name} ({machine.release}, {machine.address})", machine.journal()
            log = machine.bed.root / "var/log/slrt-install.log"
            if log.is_file():
                yield f"{machine.bed.name}: {log.name}", "\n".join(log.read_text(errors="replace").splitlines()[-LAST_LINES:])
