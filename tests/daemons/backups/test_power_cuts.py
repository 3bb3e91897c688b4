"""The power fails in the middle of a backup's work, and all that was not forced onto a disk is gone, from every disk at once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from backups import repository
from backups.settings import Plan
from tests.support.backup_kills import Endurance, blows, enduring, play_all
from tests.support.borg import make_data
from tests.support.cut_disks import Disk, cut, disks


@pytest.fixture
def two(tmp_path: Path) -> Iterator[list[Disk]]:
    """The disk of the data and the one of the backups."""
    with disks(tmp_path, ["data", "backup"]) as made:
        yield made


@pytest.fixture
def plan(two: list[Disk], tmp_path: Path) -> Plan:
    """A node on them, with a new repository."""
    made = replace(make_data(tmp_path, 2000, 5), repository=tmp_path / "backup" / "slrt", second_passphrase="nanas 0815")
    repository.init(made)
    return made


def test_power_cuts_at_random_moments(
    two: list[Disk], plan: Plan, pytestconfig: pytest.Config, capsys: pytest.CaptureFixture[str]
) -> None:
    """More of them: --backup-cuts 20."""
    seed = pytestconfig.getoption("--backup-seed") or time.time_ns() % 2**31
    with enduring(plan) as desk:

        def recover() -> None:
            cut(two, [desk.bench.place(desk.stick)], desk.bench.look)

        moments = [replace(blow, who="all") for blow in blows(seed, pytestconfig.getoption("--backup-cuts"))]
        play_all(Endurance(desk, seed, recover), moments, capsys)


def test_a_cut_right_after_the_installation_leaves_whole_keys(two: list[Disk], plan: Plan) -> None:
    keys = [plan.repository / name for name in (repository.KEY, repository.SECOND_KEY)]
    cut(two, [], lambda: None)
    assert all(key.read_bytes().startswith(b"BORG_KEY ") for key in keys)
    for key in keys:  # as a node of an earlier version may have them
        key.write_bytes(b"")
    assert not repository.init(plan)
    assert all(key.read_bytes().startswith(b"BORG_KEY ") for key in keys)
    assert sorted(path.name for path in plan.repository.glob(".*")) == []
