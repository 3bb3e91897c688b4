"""The machine's disks: the one place that asks the kernel about them, mounts, lets go and makes filesystems. Needs root."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance.errors import ApplianceError

OPTIONS = "nosuid,nodev,noexec,noatime,errors=remount-ro"
WANTED_OPTIONS = frozenset({"nosuid", "nodev", "noexec"})
COLUMNS = "PATH,MAJ:MIN,TYPE,SIZE,TRAN,RO,PKNAME,MODEL,SERIAL,MOUNTPOINTS"
SECONDS = 120
FORMAT_SECONDS = 1800
CANNOT_REPAIR = 4


class DiskError(ApplianceError):
    """A disk does not do what it should."""


@dataclass(frozen=True)
class Disk:
    """A whole disk or one partition. `number` is major:minor, `holds` what is on it in words, `mounted` where it is used."""

    path: str
    number: str
    kind: str
    size: int
    usb: bool
    read_only: bool
    model: str
    parent: str
    mounted: tuple[str, ...]
    uuid: str
    label: str
    holds: str


@dataclass(frozen=True)
class Mount:
    """A mounted filesystem of this process's view: device number, folder, options of the mount and of the filesystem."""

    number: str
    folder: str
    options: frozenset[str]

    @property
    def is_safe(self) -> bool:
        """Whether nothing on it can be run or act as a device."""
        return self.options >= WANTED_OPTIONS


def list_disks() -> list[Disk]:
    """All disks and partitions that have room, each asked itself what is on it."""
    answer = _run(["lsblk", "--json", "--bytes", "--list", "--output", COLUMNS])
    found = json.loads(answer)["blockdevices"]
    usb = {one["path"].rpartition("/")[2] for one in found if one["tran"] == "usb"}
    return [_disk(one, usb) for one in found if one["size"] and one["type"] in {"disk", "part", "loop"}]


def _disk(one: dict[str, Any], usb: set[str]) -> Disk:
    told = _contents(one["path"])
    mounted = tuple(place for place in one["mountpoints"] if place)
    holds = told.get("TYPE") or (f"tabel partisi {told['PTTYPE']}" if "PTTYPE" in told else "")
    return Disk(
        path=one["path"],
        number=one["maj:min"],
        kind=one["type"],
        size=int(one["size"]),
        usb=one["tran"] == "usb" or (one["pkname"] or "") in usb,
        read_only=bool(one["ro"]),
        model=" ".join(filter(None, (one["model"], one["serial"]))),
        parent=one["pkname"] or "",
        mounted=mounted,
        uuid=told.get("UUID", ""),
        label=told.get("LABEL", ""),
        holds=holds,
    )


def _contents(path: str) -> dict[str, str]:
    """What the disk itself says, past any cache: a stick may have been changed elsewhere."""
    ended = subprocess.run(["blkid", "-p", "-o", "export", path], capture_output=True, text=True, timeout=SECONDS, check=False)
    return dict(line.split("=", 1) for line in ended.stdout.splitlines() if "=" in line)


def plug_of(disk: Disk) -> str:
    """The kernel's number of this plugging-in; it changes when the same stick comes again."""
    block = Path("/sys/dev/block") / disk.number
    for place in (block / "diskseq", block / ".." / "diskseq"):
        with suppress(OSError):
            return place.read_text().strip()
    return disk.number


def list_mounts(table: Path = Path("/proc/self/mountinfo")) -> list[Mount]:
    """What is mounted, the latest last."""
    mounts = []
    for line in table.read_text().splitlines():
        left, _, right = line.partition(" - ")
        words = left.split()
        options = frozenset(words[5].split(",")) | frozenset(right.split()[2].split(","))
        mounts.append(Mount(words[2], words[4].replace("\\040", " "), options))
    return mounts


def mount_at(folder: Path) -> Mount | None:
    """What is mounted at `folder` now, if anything."""
    return next((mount for mount in reversed(list_mounts()) if mount.folder == str(folder)), None)


def mount(disk: Disk, folder: Path) -> None:
    """Mend the filesystem where that loses nothing, and mount it. Raises DiskError."""
    if not disk.read_only:
        checked = subprocess.run(["fsck.ext4", "-p", disk.path], capture_output=True, timeout=FORMAT_SECONDS, check=False)
        if checked.returncode >= CANNOT_REPAIR:
            raise DiskError("Sistem berkas stik ini rusak.", "Siapkan stik pengganti: sudo slrt backup disk prepare")
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    _run(["mount", "-t", "ext4", "-o", OPTIONS + (",ro" if disk.read_only else ""), disk.path, str(folder)])


def let_go(folder: Path) -> bool:
    """Write everything and unmount. Returns False while somebody uses it."""
    with suppress(OSError):
        os.sync()
    ended = subprocess.run(["umount", str(folder)], capture_output=True, timeout=SECONDS, check=False)
    return ended.returncode == 0


def drop(folder: Path) -> None:
    """Unmount what is not there any more."""
    subprocess.run(["umount", "--lazy", str(folder)], capture_output=True, timeout=SECONDS, check=False)


def is_held(disk: Disk) -> bool:
    """Whether any mount anywhere, also in another service's view, still uses the disk."""
    try:
        os.close(os.open(disk.path, os.O_RDONLY | os.O_EXCL))
    except OSError:
        return True
    return False


def make_filesystem(disk: Disk, label: str) -> None:
    """A new ext4 on the whole of it. Everything that was there is gone. Raises DiskError."""
    _run(["wipefs", "--all", "--force", disk.path])
    _run(["mkfs.ext4", "-q", "-F", "-m", "0", "-L", label, disk.path], FORMAT_SECONDS)
    with open(disk.path, "rb") as whole:  # noqa: PTH123 - a device
        os.fsync(whole.fileno())


def _run(command: Sequence[str], seconds: int = SECONDS) -> str:
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    except FileNotFoundError as error:
        raise DiskError(f"Program {command[0]} tidak ada.", "Pasang paket util-linux dan e2fsprogs.") from error
    except subprocess.TimeoutExpired as error:
        raise DiskError("Disk tidak menjawab.", "Cabut disk itu, tunggu sebentar, pasang lagi di lubang USB lain.") from error
    if ended.returncode != 0:
        said = (ended.stderr.strip().splitlines() or ["-"])[-1]
        raise DiskError(f"{command[0]} gagal: {said}", "Coba lubang USB lain, atau ganti disknya.")
    return ended.stdout
