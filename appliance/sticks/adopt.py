"""Taking a stick over that this node has forgotten: after a new installation, or a restore on another machine.

Nothing on it is erased. It must be one that was prepared so, open with a passphrase that whoever asks has, and hold this node's
backups; what does not is refused with the reason and left as it was.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from appliance import custody
from appliance.config import Settings
from appliance.errors import Conflict, InvalidInput
from appliance.sticks import book, devices
from appliance.sticks.book import MARK, REPOSITORY, Stick
from appliance.sticks.devices import Disk, DiskError
from appliance.sticks.keeper import only_keeper
from appliance.sticks.prepare import LABELS, find_disk
from backups import errors, repository
from backups.catalogue import find, list_runs, read_manifest
from backups.settings import Plan

NAMED = re.compile(r"SLRT-([A-H])")
Ask = Callable[[Stick], None]


@dataclass(frozen=True)
class Wish:
    """Which disk shall be ours again, and under which letter; empty: the one it was prepared with."""

    path: Path
    label: str = ""


def adopt(settings: Settings, wish: Wish, at: datetime, examine: Ask, take: Ask) -> Stick:
    """Make the disk a stick of ours again.

    `examine` opens the mounted repository as the backups' user and raises when it is not ours; `take` gives it the node's
    passphrase, once it belongs to that user. Raises InvalidInput, Conflict and DiskError.
    """
    folder = book.folder_of(settings)
    with only_keeper(folder):
        known, disk = book.read_known(folder), find_disk(wish.path, devices.list_disks())
        label = _label_of(disk, wish.label)
        _require_unknown(disk, label, known)
        place = Path(settings.backup.stick_mounts) / disk.uuid
        devices.mount(disk, place)
        try:
            stick = Stick(disk.uuid, label, disk.size, at, _require_prepared(disk, place))
            examine(stick)
            custody.give_repository(place / REPOSITORY, settings, whoever_had_it=True)
            take(stick)
        except BaseException:
            devices.let_go(place)
            raise
        book.write_known(folder, book.with_stick(known, stick))
    return stick


def require_ours(plan: Plan) -> int:
    """The number of the newest complete backup of this node in the plan's repository.

    Raises Mismatch when it is another node's, NoSuchArchive when it holds none, WrongPassphrase when it does not open.
    """
    engine = repository.engine(plan)
    manifest = read_manifest(engine, find(list_runs(engine), "terakhir"))
    if manifest.node != plan.node:
        raise errors.Mismatch(
            f"Stik ini berisi cadangan simpul lain ({manifest.node}), bukan simpul ini ({plan.node}).",
            "Simpan stik itu untuk simpulnya. Stik baru: sudo slrt backup disk prepare",
        )
    return manifest.run


def _label_of(disk: Disk, wanted: str) -> str:
    named = NAMED.fullmatch(disk.label)
    if named is None or disk.holds != "ext4":
        raise DiskError(
            f"Disk {disk.path} bukan stik cadangan SLRT ({' '.join(filter(None, (disk.label, disk.holds))) or 'kosong'}).",
            "Pasang stik yang dahulu disiapkan simpul ini; stik baru: sudo slrt backup disk prepare",
        )
    label = wanted or named[1]
    if label not in LABELS:
        raise InvalidInput({"label": f"Label stik adalah satu huruf: {', '.join(LABELS)}."})
    return label


def _require_unknown(disk: Disk, label: str, known: tuple[Stick, ...]) -> None:
    if any(stick.uuid == disk.uuid for stick in known):
        raise Conflict(f"Disk {disk.path} sudah dikenal sebagai stik cadangan.", "Lihat: slrt backup disk list")
    if any(stick.label == label for stick in known):
        raise Conflict(
            f"Huruf {label} sudah dipakai stik lain.", f"Sebutkan huruf lain, dan tulis pada stiknya: --label {_free(known)}"
        )
    if disk.mounted:
        raise Conflict(f"Disk {disk.path} sedang dipakai di {', '.join(disk.mounted)}.", f"Lepas dahulu: sudo umount {disk.path}")


def _free(known: tuple[Stick, ...]) -> str:
    used = {stick.label for stick in known}
    return next((label for label in LABELS if label not in used), LABELS[-1])


def _require_prepared(disk: Disk, place: Path) -> str:
    """The id of its repository, when all three of filesystem, mark and repository belong together. Raises DiskError."""
    try:
        mark = json.loads((place / MARK).read_bytes())
        identity = repository.identity(place / REPOSITORY)
    except (OSError, ValueError, errors.RepositoryMissing):
        mark, identity = None, ""
    if mark != {"uuid": disk.uuid, "repository": identity}:
        raise DiskError(
            f"Isi disk {disk.path} tidak seperti stik yang disiapkan: salinan, atau diubah di komputer lain.",
            "Cadangan di dalamnya masih dapat dipulihkan: slrt backup list --repository FOLDER. Jangan dipakai sebagai stik lagi.",
        )
    return identity
