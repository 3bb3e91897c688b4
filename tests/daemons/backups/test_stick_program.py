"""What a stick carries besides the backups: the bundle the node came from, whole and with its sums, or nothing half."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.recovery.sheet import STEPS
from appliance.sticks.program import FULL, NOTE, SPARE, carry
from tests.support.sticks import own_mounts

MEBIBYTE = 1 << 20


@pytest.fixture
def stick(tmp_path: Path) -> Iterator[Path]:
    """A mounted stick with room for a small bundle and 16 MiB more than has to stay free."""
    own_mounts()
    place = tmp_path / "stick"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={(SPARE >> 20) + 16}m", "tmpfs", str(place)], check=True)
    yield place
    subprocess.run(["umount", str(place)], check=True)


def installed(folder: Path, name: str, bundle: bytes | None) -> tuple[Path, Path]:
    """A release on a node, and where it keeps its bundles."""
    release, bundles = folder / "releases" / name, folder / "bundles"
    (release / "source/provision").mkdir(parents=True)
    (release / "source/install.sh").write_text("the release's")
    (release / "source/provision/open_bundle.sh").write_text(f"opener of {name}")
    bundles.mkdir(exist_ok=True)
    if bundle is not None:
        (bundles / f"{name}.slrt").write_bytes(bundle)
    return release, bundles


def sums_hold(folder: Path) -> bool:
    return subprocess.run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=folder, check=False).returncode == 0


def test_the_bundle_is_carried_and_follows_an_upgrade(tmp_path: Path, stick: Path) -> None:
    assert carry("Dinas Sosial", stick, *installed(tmp_path, "1.0.0+aa", b"one" * MEBIBYTE)) == ""
    program = stick / "program"
    assert {path.name for path in program.iterdir()} == {"slrt-node-1.0.0+aa.slrt", "install.sh", "SHA256SUMS"}
    assert (program / "install.sh").read_text() == "opener of 1.0.0+aa"
    assert sums_hold(program)
    assert "bash /mnt/program/install.sh" in (stick / NOTE).read_text()
    assert carry("Dinas Sosial", stick, *installed(tmp_path, "1.1.0+bb", b"two" * MEBIBYTE)) == ""
    assert {path.name for path in program.iterdir()} == {"slrt-node-1.1.0+bb.slrt", "install.sh", "SHA256SUMS"}
    assert sums_hold(program)


def test_what_is_there_already_is_not_written_again(tmp_path: Path, stick: Path) -> None:
    here = installed(tmp_path, "1.0.0+aa", b"one")
    carry("Dinas Sosial", stick, *here)
    before = [(path, path.stat().st_ino) for path in sorted(stick.rglob("*"))]
    assert carry("Dinas Sosial", stick, *here) == ""
    assert [(path, path.stat().st_ino) for path in sorted(stick.rglob("*"))] == before


def test_a_node_from_the_network_carries_its_source_until_it_has_a_bundle(tmp_path: Path, stick: Path) -> None:
    release, bundles = installed(tmp_path, "1.0.0+aa", None)
    carry("Dinas Sosial", stick, release, bundles)
    assert {path.name for path in (stick / "program").iterdir()} == {"slrt-1.0.0+aa.tar.gz", "SHA256SUMS"}
    (bundles / "1.0.0+aa.slrt").write_bytes(b"one")
    carry("Dinas Sosial", stick, release, bundles)
    assert {path.name for path in (stick / "program").iterdir()} == {"slrt-node-1.0.0+aa.slrt", "install.sh", "SHA256SUMS"}


@pytest.mark.parametrize("bundle", [b"one", None])
def test_the_recovery_sheet_names_what_the_stick_carries(tmp_path: Path, stick: Path, bundle: bytes | None) -> None:
    """Whoever holds the paper types what stands on it: of the two ways in, the one that this stick offers."""
    carry("Dinas Sosial", stick, *installed(tmp_path, "1.0.0+aa", bundle))
    named = {path for step in STEPS for path in re.findall(r"/mnt/(program/[^\s;]+[a-z])", step)}
    there = {path for path in named if any(stick.glob(path))}
    assert there == ({"program/install.sh"} if bundle else {"program/slrt-*.tar.gz"})


@pytest.mark.parametrize("size", [17 * MEBIBYTE, SPARE + 32 * MEBIBYTE])
def test_a_bundle_that_leaves_no_room_for_a_backup_is_not_carried(tmp_path: Path, stick: Path, size: int) -> None:
    carry("Dinas Sosial", stick, *installed(tmp_path, "1.0.0+aa", b"one"))
    assert carry("Dinas Sosial", stick, *installed(tmp_path, "1.1.0+bb", b"x" * size)) == FULL
    assert {path.name for path in stick.iterdir()} == {"program", NOTE}
    assert (stick / "program/slrt-node-1.0.0+aa.slrt").read_bytes() == b"one", "the older one stays"
