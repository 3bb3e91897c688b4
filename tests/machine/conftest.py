"""Machines for the tests: bare ones and installed ones, taken away after each test; a failed test shows their journals."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.support.machine import Machine
from tests.support.machine_room import Room
from tests.support.machine_run import Run
from tests.support.machine_tree import RELEASES

HERE = Path(__file__).parent
ROOM = pytest.StashKey[Room]()
TEST_SECONDS = 1500  # the first test of a run may have to make the tree, download everything and install


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.machine)
            item.add_marker(pytest.mark.timeout(TEST_SECONDS))
            # One process a release (xdist --dist loadgroup): the copies of a machine share its address.
            callspec = getattr(item, "callspec", None)
            item.add_marker(pytest.mark.xdist_group(f"machine-{callspec.params.get('release') if callspec else RELEASES[0]}"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    room = item.stash.get(ROOM, None)
    if report.failed and room is not None:
        report.sections.extend(room.report())
        room.spoil()
    return report


@pytest.fixture(scope="session")
def machine_run() -> Iterator[Run]:
    """The installed machines that all tests of this run share."""
    run = Run(os.environ.get("PYTEST_XDIST_TESTRUNUID") or f"alone-{os.getpid()}")
    yield run
    run.leave()


@pytest.fixture(params=RELEASES)
def release(request: pytest.FixtureRequest) -> str:
    """Each Debian release in turn."""
    return str(request.param)


@pytest.fixture(scope="module")
def kept_machines() -> Iterator[dict[str, Machine]]:
    """The machines that several tests of a file use. Not longer: a booted machine is never quite idle."""
    machines: dict[str, Machine] = {}
    yield machines
    for machine in machines.values():
        machine.destroy()


@pytest.fixture
def room(request: pytest.FixtureRequest, machine_run: Run, kept_machines: dict[str, Machine]) -> Iterator[Room]:
    """Makes machines and takes them away after the test."""
    made = request.node.stash[ROOM] = Room(machine_run, kept_machines)
    yield made
    made.clear()


@pytest.fixture
def bare(room: Room, release: str) -> Machine:
    """A booted bare machine of each release."""
    return room.bare(release)


@pytest.fixture
def untouched(room: Room, release: str) -> Machine:
    """A booted bare machine of each release, for tests that leave nothing on it."""
    return room.untouched(release)


@pytest.fixture
def installed(room: Room, release: str) -> Machine:
    """A booted installed machine of each release."""
    return room.installed(release)


@pytest.fixture
def lasting(room: Room, release: str) -> Machine:
    """A booted installed machine of each release that the tests of a file change one after the other; each leaves it well."""
    return room.lasting(release)
