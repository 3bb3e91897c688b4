"""Making a stick ours, as root at a terminal: never from a page, so that whoever takes over the pages can erase nothing.

The stick is ours when the list names it, and that is written last: cut off anywhere, it is simply prepared again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from appliance.config import Settings
from appliance.custody import keepers_folder
from appliance.errors import Conflict, InvalidInput
from appliance.sticks import book, devices, program
from appliance.sticks.book import MARK, REPOSITORY, Stick
from appliance.sticks.capacity import require_capacity
from appliance.sticks.devices import Disk, DiskError
from appliance.sticks.keeper import only_keeper
from backups.files import write_whole
from backups.words import gigabytes

LEAST_BYTES = 64 * 1024 * 1024
LABELS = tuple("ABCDEFGH")
Say = Callable[[str], None]
MakeRepository = Callable[[Stick], str]


@dataclass(frozen=True)
class Wish:
    """Which disk shall become which stick; `erase` is its path once more, needed when it carries data."""

    path: Path
    label: str
    erase: Path | None


def prepare(settings: Settings, wish: Wish, at: datetime, make_repository: MakeRepository, say: Say) -> Stick:
    """Erase the disk and make it a stick of ours.

    `make_repository` makes the mounted stick's repository as the service user and returns its id. Raises InvalidInput,
    Conflict (in use, or carrying data) and DiskError.
    """
    if wish.label not in LABELS:
        raise InvalidInput({"label": f"Label stik adalah satu huruf: {', '.join(LABELS)}."})
    with only_keeper(book.folder_of(settings)):
        disks = devices.list_disks()
        disk = find_disk(wish.path, disks)
        require_free(disk, disks, wish.erase)
        say("Memeriksa kapasitas yang sebenarnya")
        require_capacity(disk.path, disk.size)
        say("Membuat sistem berkas")
        devices.make_filesystem(disk, f"SLRT-{wish.label}")
        made = find_disk(wish.path, devices.list_disks())
        stick = Stick(made.uuid, wish.label, made.size, at, "")
        place = book.mount_of(settings, stick)
        devices.mount(made, place)
        _furnish(settings, stick, place)
        say("Membuat gudang cadangan pada stik dan memeriksanya")
        ready = replace(stick, repository=make_repository(stick))
        write_whole(place / MARK, json.dumps({"uuid": ready.uuid, "repository": ready.repository}).encode(), 0o644)
        known = book.read_known(book.folder_of(settings))
        book.write_known(book.folder_of(settings), book.with_stick(known, ready))
    return ready


def find_disk(path: Path, disks: Sequence[Disk]) -> Disk:
    """The disk of that path. Raises InvalidInput."""
    wanted = str(path.resolve())
    found = next((disk for disk in disks if disk.path == wanted), None)
    if found is None:
        raise InvalidInput({"device": f"Tidak ada disk {path}."}, hint="Lihat daftarnya: sudo slrt backup disk list")
    return found


def require_free(disk: Disk, disks: Sequence[Disk], erase: Path | None) -> None:
    """Raises Conflict unless the disk may be erased: used by nobody, and empty or named a second time."""
    parts = [other for other in disks if other.parent and other.parent == disk.path.rpartition("/")[2]]
    used = [place for one in (disk, *parts) for place in one.mounted]
    if used or devices.is_held(disk):
        where = f" di {', '.join(used)}" if used else ""
        raise Conflict(
            f"Disk {disk.path} sedang dipakai{where}.",
            "Pilih disk lain. Untuk stik cadangan yang terpasang: slrt backup disk eject",
        )
    if disk.read_only:
        raise DiskError(f"Disk {disk.path} hanya dapat dibaca.", "Buka kunci geser pada stik, atau pakai stik lain.")
    if disk.size < LEAST_BYTES:
        raise DiskError(f"Disk {disk.path} terlalu kecil.", "Pakai stik yang jauh lebih besar daripada data simpul.")
    carried = [f"{one.path} ({' '.join(filter(None, (one.holds, one.label)))})" for one in (disk, *parts) if one.holds]
    if carried and (erase is None or erase.resolve() != Path(disk.path)):
        raise Conflict(
            f"Disk {disk.path} ({gigabytes(disk.size)}, {disk.model or 'tanpa nama'}) masih berisi: {', '.join(carried)}.",
            f"Bila semua isinya boleh hilang, sebutkan sekali lagi: --erase {disk.path}",
        )


def _furnish(settings: Settings, stick: Stick, place: Path) -> None:
    """The folder for the repository belongs to the user that makes the backups, the rest to root."""
    owner = keepers_folder(settings).stat()
    repository = place / REPOSITORY
    repository.mkdir(mode=0o700)
    os.chown(repository, owner.st_uid, owner.st_gid)
    place.chmod(0o755)
    write_whole(place / MARK, json.dumps({"uuid": stick.uuid, "repository": ""}).encode(), 0o644)
    program.carry(settings.node.office, place)
