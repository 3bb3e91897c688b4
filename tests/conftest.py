"""What holds for the whole suite: its environment, and its order, the longest files first."""

from __future__ import annotations

import functools
import os
import re
import signal
from pathlib import Path

import pytest
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests.support.machine_tree import RELEASES
from tests.support.nut import NutLab
from tests.support.nut_release import HOST_RELEASE, VERSIONS

# borg tries out its own parts at each start, a third of the time that a start takes; Debian has tested them
os.environ["BORG_SELFTEST"] = "disabled"

# a shell that starts the suite in the background has it ignore the keyboard's interrupt, and what it starts would inherit that
signal.signal(signal.SIGINT, signal.default_int_handler)

# an example may take long on a machine with other work
settings.register_profile("suite", deadline=None)
settings.load_profile("suite")

HERE = Path(__file__).parent
# One process runs all tests of a file, or those on one Debian of a file with machines: what takes minutes must not begin when all
# else is done. The longest first, files or folders. Each of the six processes begins with one; with a single test, as the two of
# killed installations have, it gets one of the next two as well.
LONGEST = (
    "machine/test_upgrade.py",
    "machine/test_bundle.py",
    "machine/test_killed_at_steps.py",
    "machine/test_killed_at_random.py",
    "machine/test_backup.py",
    "machine/test_power.py",
    "machine/test_bed.py",
    "machine/test_readme.py",
    "machine/test_remote.py",
    "machine/test_power_drills.py",
    "machine",
    "daemons/backups/test_kill.py",
    "daemons/backups/test_faults.py",
    "daemons/backups",
    "daemons/test_power_faults.py",
    "daemons/test_watcher.py",
    "daemons",
    "browser/test_every_page.py",
    "browser",
    "service/test_pages_access.py",
    "service/test_sample.py",
    "service/test_account_command.py",
    "service/test_exports.py",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--power-rounds", type=int, default=2, help="outages at random moments that a booted machine goes through")
    parser.addoption("--backup-kills", type=int, default=3, help="kills of a backup's work at random moments")
    parser.addoption("--backup-cuts", type=int, default=2, help="cuts of the power at random moments of a backup's work")
    parser.addoption("--backup-seed", type=int, default=None, help="the seed of an earlier run of them, to play the same again")
    parser.addoption("--storm-rounds", type=int, default=60, help="looks at a UPS whose upsd is stormed by others")
    parser.addoption("--nut", choices=VERSIONS, default=HOST_RELEASE, help="the Debian whose NUT the tests with one NUT use")
    parser.addoption(
        "--slow-pages", action="store_true", help="bring the browser's tests each page in pieces, as a slow network does"
    )
    parser.addoption("--power-seed", type=int, default=None, help="the seed of an earlier run of them, to play the same again")


def pytest_configure(config: pytest.Config) -> None:
    NutLab.usual_release = config.getoption("--nut")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The rest stays as it was collected. One Debian after the other: a machine that waits for its next test is never quite idle."""
    items.sort(key=lambda item: (_place(item.path), _release(item.nodeid)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling | None:
    """The work that is dealt out to several processes, where whole files are."""
    return ByFileAndDebian(config, log) if config.getoption("dist") == "loadfile" else None


class ByFileAndDebian(LoadScopeScheduling):
    """A piece of work is what a file has for one Debian, or all of it where it asks for none."""

    def _split_scope(self, nodeid: str) -> str:
        return f"{nodeid.partition('::')[0]} {_release(nodeid)}"


def _release(nodeid: str) -> str:
    """The Debian of the machine that a test is given; none for the tests without machines."""
    found = re.fullmatch(rf"tests/machine/.*\[(?:.*-)?({'|'.join(RELEASES)})(?:-.*)?\]", nodeid)
    return found[1] if found else ""


@functools.cache
def _place(file: Path) -> int:
    inside = [place for place, name in enumerate(LONGEST) if file.is_relative_to(HERE / name)]
    return min(inside, default=len(LONGEST))
