"""Machines for the tests: bare ones and installed ones, taken away after each test; a failed test shows their journals."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.support.machine import Machine, copy_of, new_machine
from tests.support.machine_run import Installed, Run
from tests.support.machine_tree import RELEASES, bare_tree

HERE = Path(__file__).parent
TEST_SECONDS = 1500  # the first test of a run may have to make the tree, download everything and install
LAST_LINES = 40


class Room:
    """The machines of one test."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.machines: list[Machine] = []

    def bare(self, release: str) -> Machine:
        """A booted Debian that has nothing of ours, and a copy of the project."""
        machine = self._add(new_machine(release)).boot()
        machine.put_project()
        return machine

    def installed(self, release: str) -> Machine:
        """A booted copy of the machine that install.sh was run on."""
        return self._add(copy_of(self.run.installed(release).snapshot)).boot()

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
        for machine in self.machines:
            yield f"{machine.bed.name} ({machine.release}, {machine.address})", machine.journal()
            log = machine.bed.root / "var/log/slrt-install.log"
            if log.is_file():
                yield f"{machine.bed.name}: {log.name}", "\n".join(log.read_text(errors="replace").splitlines()[-LAST_LINES:])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.machine)
            item.add_marker(pytest.mark.timeout(TEST_SECONDS))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    room = getattr(item, "funcargs", {}).get("room")
    if report.failed and isinstance(room, Room):
        report.sections.extend(room.report())
    return report


@pytest.fixture(scope="session")
def machine_run() -> Iterator[Run]:
    """The installed machines that all tests of this run share."""
    run = Run(os.environ.get("PYTEST_XDIST_TESTRUNUID") or f"alone-{os.getpid()}")
    yield run
    run.leave()


@pytest.fixture(params=[pytest.param(name, marks=pytest.mark.xdist_group(f"machine-{name}")) for name in RELEASES])
def release(request: pytest.FixtureRequest) -> str:
    """Each Debian release in turn."""
    return str(request.param)


@pytest.fixture
def room(machine_run: Run) -> Iterator[Room]:
    """Makes machines and takes them away after the test."""
    made = Room(machine_run)
    yield made
    made.clear()


@pytest.fixture
def bare(room: Room, release: str) -> Machine:
    """A booted bare machine of each release."""
    bare_tree(release)
    return room.bare(release)


@pytest.fixture
def installed(room: Room, release: str) -> Machine:
    """A booted installed machine of each release."""
    return room.installed(release)
