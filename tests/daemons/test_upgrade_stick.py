"""A bundle on a stick: found on a real file system, read without writing to it, copied, and judged by its copy."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from appliance.errors import ApplianceError
from provision.bundle import Bundle, Manifest
from provision.host import LocalHost
from provision.upgrade import stick
from provision.upgrade.stick import Part, parts
from tests.support.sticks import own_mounts

LISTED = {
    "blockdevices": [
        {"path": "/dev/sda", "fstype": None, "hotplug": False, "tran": "sata", "pkname": None, "children": [
            {"path": "/dev/sda1", "fstype": "ext4", "hotplug": False, "tran": None, "pkname": "sda"}]},
        {"path": "/dev/sdb", "fstype": None, "hotplug": True, "tran": "usb", "pkname": None, "children": [
            {"path": "/dev/sdb1", "fstype": "vfat", "hotplug": True, "tran": None, "pkname": "sdb"},
            {"path": "/dev/sdb2", "fstype": "crypto_LUKS", "hotplug": True, "tran": None, "pkname": "sdb"}]},
        {"path": "/dev/sdc", "fstype": "exfat", "hotplug": False, "tran": "usb", "pkname": None},
        {"path": "/dev/sdd", "fstype": None, "hotplug": False, "tran": "usb", "pkname": None, "children": [
            {"path": "/dev/sdd1", "fstype": "ext4", "hotplug": False, "tran": None, "pkname": "sdd"}]},
    ]
}  # fmt: skip


def test_only_what_can_be_pulled_out_and_read_is_looked_at() -> None:
    assert parts(LISTED) == [Part("/dev/sdb1", "vfat"), Part("/dev/sdc", "exfat"), Part("/dev/sdd1", "ext4")]
    assert parts({}) == []


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A stick with files on it, as a file: two bundles of which the newer has the smaller name, and a program."""
    content = tmp_path / "content"
    content.mkdir()
    for name in ("slrt-node-0.9.0.slrt", "slrt-node-0.10.0.slrt", "other.slrt"):
        (content / name).write_text(name)
    file = tmp_path / "stick.img"
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", str(content), str(file), "16m"], check=True)
    return file


@contextmanager
def plugged(image: Path) -> Iterator[str]:
    """The image as a disk."""
    found = subprocess.run(["losetup", "--find", "--show", str(image)], check=True, capture_output=True, text=True).stdout.strip()
    try:
        yield found
    finally:
        subprocess.run(["losetup", "--detach", found], check=True)


@pytest.fixture
def device(image: Path) -> Iterator[str]:
    """The stick as a disk."""
    own_mounts()
    with plugged(image) as found:
        yield found


def read(path: Path) -> Bundle:
    """What the bundle of these tests says of itself: its own name."""
    return Bundle(path, b"", Manifest(path.read_text(), "", "", (), ()))


def test_the_newest_bundle_is_copied_and_nothing_is_written_to_the_stick(tmp_path: Path, image: Path, device: str) -> None:
    before = hashlib.sha256(image.read_bytes()).hexdigest()
    seen: list[str] = []

    def look(path: Path) -> Bundle:
        seen.append(
            subprocess.run(["findmnt", "-n", "-o", "OPTIONS", str(place)], check=True, capture_output=True, text=True).stdout
        )
        return read(path)

    place, to = tmp_path / "mounted", tmp_path / "incoming.slrt"
    assert stick.fetch(LocalHost(), [Part(device, "ext4")], place, to, look).version == "slrt-node-0.10.0.slrt"
    assert {"ro", "nosuid", "nodev", "noexec"} <= set(seen[0].strip().split(","))
    assert to.read_text() == "slrt-node-0.10.0.slrt"
    assert not place.is_mount()
    assert hashlib.sha256(image.read_bytes()).hexdigest() == before


def test_a_stick_without_a_bundle_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ApplianceError, match="Tidak ada bundel") as refused:
        stick.fetch(LocalHost(), [], tmp_path / "mounted", tmp_path / "incoming.slrt", read)
    assert "Pasang stiknya" in refused.value.hint


def test_the_backup_stick_in_use_does_not_hide_the_bundle_on_another(tmp_path: Path, device: str) -> None:
    """A node has one plugged in at all times, mounted for writing, and the kernel mounts it for reading only no second time."""
    busy, broken = tmp_path / "busy.img", tmp_path / "broken.img"
    subprocess.run(["mke2fs", "-q", "-t", "ext4", str(busy), "16m"], check=True)
    broken.write_bytes(bytes(1 << 20))
    with plugged(busy) as backup, plugged(broken) as useless:
        kept = tmp_path / "kept"
        kept.mkdir()
        subprocess.run(["mount", backup, str(kept)], check=True)
        others, place, to = [Part(backup, "ext4"), Part(useless, "vfat")], tmp_path / "mounted", tmp_path / "incoming.slrt"
        try:
            assert stick.fetch(LocalHost(), [*others, Part(device, "ext4")], place, to, read).version == "slrt-node-0.10.0.slrt"
            with pytest.raises(ApplianceError, match=rf"Tidak ada bundel .*Tidak dibaca.*: {backup}, {useless}\.") as refused:
                stick.fetch(LocalHost(), others, place, to, read)
        finally:
            subprocess.run(["umount", str(kept)], check=True)
    assert "bukan stik cadangan" in refused.value.hint


def test_a_node_without_room_for_the_bundle_says_so_and_keeps_no_half_of_it(tmp_path: Path, device: str) -> None:
    full = tmp_path / "full"
    full.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", str(full)], check=True)
    (full / "other").write_bytes(b"x" * 4096)
    try:
        with pytest.raises(ApplianceError, match="Disk simpul penuh: bundel di stik perlu"):
            stick.fetch(LocalHost(), [Part(device, "ext4")], tmp_path / "mounted", full / "incoming.slrt", read)
        assert [path.name for path in full.iterdir()] == ["other"]
    finally:
        subprocess.run(["umount", str(full)], check=True)


def test_a_bundle_that_is_refused_lets_the_stick_go(tmp_path: Path, device: str) -> None:
    def refuse(_path: Path) -> Bundle:
        raise ApplianceError("Bundel rusak.", "Salin lagi.")

    with pytest.raises(ApplianceError, match="Bundel rusak"):
        stick.fetch(LocalHost(), [Part(device, "ext4")], tmp_path / "mounted", tmp_path / "incoming.slrt", refuse)
    assert not (tmp_path / "mounted").is_mount()
