"""`python -m appliance.sticks.keeper`: look once after the sticks, as root: mount those of ours, let go of those that are asked for.

udev starts it when a disk comes or goes, a path unit when somebody wants a stick back, a timer in case either was missed. It knows
only sticks that root has prepared; of any other disk it tells, and leaves it alone.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from appliance import custody
from appliance.config import Settings, config_path, load
from appliance.errors import ApplianceError
from appliance.sticks import book, devices, order, program
from appliance.sticks.book import Seen, Sight, State, Stick, Stranger
from appliance.sticks.devices import Disk, DiskError

LOCK = "lock"
LET_GO = "Stik masih dipakai. Tunggu sampai penyalinan selesai, lalu minta lagi."


@contextmanager
def only_keeper(folder: Path) -> Iterator[None]:
    """One at a time handles disks: the keeper, or somebody who prepares one."""
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def look(settings: Settings, at: datetime) -> Sight:
    """Bring the sticks into the state they should be in, and write down how they are. Raises OSError, DiskError."""
    folder = book.folder_of(settings)
    with only_keeper(folder):
        known, before, disks = book.read_known(folder), book.read_sight(folder), devices.list_disks()
        wanted = order.take(Path(settings.paths.runtime))
        sticks = {stick.uuid: _look_after(settings, stick, before.of(stick), disks, wanted, at) for stick in known}
        sight = Sight(at, sticks, list_strangers(known, disks))
        book.write_sight(folder, sight)
    return sight


def list_strangers(known: Sequence[Stick], disks: Sequence[Disk]) -> tuple[Stranger, ...]:
    """USB disks and partitions that are none of ours, also empty ones; of a disk with partitions only those."""
    ours = {stick.uuid for stick in known}
    parents = {disk.parent for disk in disks}
    return tuple(
        Stranger(disk.path, disk.size, " ".join(filter(None, (disk.label, disk.holds))))
        for disk in disks
        if disk.usb and disk.uuid not in ours and disk.path.rpartition("/")[2] not in parents
    )


def _look_after(settings: Settings, stick: Stick, before: Seen, disks: Sequence[Disk], wanted: str, at: datetime) -> Seen:
    disk = next((disk for disk in disks if disk.uuid == stick.uuid), None)
    place = book.mount_of(settings, stick)
    if disk is None:
        _drop(place)
        return Seen(State.ABSENT, before.seen_at)
    plug = devices.plug_of(disk)
    here = replace(before, seen_at=at, plug=plug, told="")
    if before.state is State.ABSENT or before.since is None:
        here = replace(here, since=at)
    try:
        if wanted == stick.uuid or (before.state is State.EJECTED and before.plug == plug):
            return _let_go(disk, place, here)
        return _mounted(settings, disk, place, here)
    except (DiskError, OSError) as error:
        told = error.message if isinstance(error, DiskError) else f"Stik tidak dapat dibaca ({error.strerror})."
        return replace(here, state=State.DAMAGED, told=told)


def _mounted(settings: Settings, disk: Disk, place: Path, here: Seen) -> Seen:
    """Mounted, from the device it is now: one that came back has another number while the old one is still in the table."""
    found = devices.mount_at(place)
    if found is not None and found.number != disk.number:
        _drop(place)
        found = None
    if found is None:
        devices.mount(disk, place)
        found = devices.mount_at(place)
    if found is None or not found.is_safe:
        raise DiskError("Stik tidak terpasang dengan aman.", "")
    if "ro" in found.options:
        return replace(here, state=State.READ_ONLY, told="Stik hanya dapat dibaca: kunci geser pada stik, atau stik mulai rusak.")
    # one that was prepared while the backups had no user of their own
    custody.give_repository(place / book.REPOSITORY, settings)
    return replace(here, state=State.READY, told=program.carry(settings.node.office, place))


def _let_go(disk: Disk, place: Path, here: Seen) -> Seen:
    """Unmounted everywhere, or said why not."""
    while devices.mount_at(place) is not None:
        if not devices.let_go(place):
            return replace(here, state=State.BUSY, told=LET_GO)
    if devices.is_held(disk):
        return replace(here, state=State.BUSY, told=LET_GO)
    return replace(here, state=State.EJECTED)


def _drop(place: Path) -> None:
    while devices.mount_at(place) is not None:
        devices.drop(place)


def main(arguments: Sequence[str] | None = None) -> None:
    """Look once. Exits with the code of the error when something is wrong that is not a stick's."""
    parser = argparse.ArgumentParser(prog="slrt-sticks", description="Memasang dan melepas stik cadangan.")
    parser.add_argument("--config", type=Path, default=None, help="berkas pengaturan (biasanya /etc/slrt/appliance.toml)")
    chosen = parser.parse_args(arguments)
    try:
        look(load(chosen.config or config_path()), datetime.now(UTC))
    except ApplianceError as error:
        print(f"Gagal: {error.message} {error.hint}", file=sys.stderr)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
