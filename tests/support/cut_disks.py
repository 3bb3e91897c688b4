"""Disks that lose what was not forced onto them, all at the same moment, as in a machine whose power is cut.

A disk is a real ext4 on a loop device. At the cut the filesystem is told to stop: nothing that only lay in memory reaches the device
from then on, neither files nor its own journal. What is mounted again afterwards is what a disk would hold, made good by the kernel
from the journal. Not in it: a disk that says "written" and forgets.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.sticks import Slot, own_mounts, tear_out

DISK_BYTES = 1 << 30
WITNESS = "uji-padam"


@dataclass(frozen=True)
class Disk:
    """The disk in a slot, mounted at `place`."""

    slot: Slot
    place: Path

    @classmethod
    def make(cls, image: Path, place: Path) -> Disk:
        """A new one, formatted and mounted."""
        with image.open("wb") as file:
            file.truncate(DISK_BYTES)
        disk = cls(Slot(image), place)
        place.mkdir(parents=True)
        subprocess.run(["mkfs.ext4", "-q", disk.slot.plug()], check=True)
        disk.mount()
        return disk

    def mount(self) -> None:
        """As the machine does at its start."""
        subprocess.run(["mount", self.slot.device, str(self.place)], check=True)


@contextmanager
def disks(folder: Path, names: Sequence[str]) -> Iterator[list[Disk]]:
    """A disk of each name below `folder`; gone at the end."""
    own_mounts()
    made: list[Disk] = []
    try:
        for name in names:
            made.append(Disk.make(folder / f"{name}.disk", folder / name))
        yield made
    finally:
        for disk in made:
            subprocess.run(["umount", "--lazy", str(disk.place)], check=False)
            disk.slot.pull()


def cut(disks: Sequence[Disk], sticks: Sequence[Path], start: Callable[[], object]) -> None:
    """The power fails, and the machine starts again: `start` sees to the sticks. Nothing may use the disks any more.

    A witness on each disk, one file forced onto it and one not, shows that the cut was one.
    """
    places = [*(disk.place for disk in disks), *sticks]
    for place in places:
        _bear_witness(place)
    for place in places:
        tear_out(place)
    for place in places:
        subprocess.run(["umount", str(place)], check=True)
    for disk in disks:
        disk.mount()
    start()
    for place in places:
        _hear_witness(place)


def _bear_witness(place: Path) -> None:
    kept = place / f"{WITNESS}-tetap"
    with kept.open("wb") as file:
        file.write(b"forced")
        file.flush()
        os.fsync(file.fileno())
    handle = os.open(place, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)
    (place / f"{WITNESS}-hilang").write_bytes(b"only in memory")


def _hear_witness(place: Path) -> None:
    lost = place / f"{WITNESS}-hilang"
    assert (place / f"{WITNESS}-tetap").read_bytes() == b"forced"
    assert not lost.exists() or lost.read_bytes() == b"", "nothing was lost: that was no cut"
    lost.unlink(missing_ok=True)
