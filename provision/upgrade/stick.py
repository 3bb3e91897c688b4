"""A bundle on whatever USB stick is plugged in: mounted for reading only, with nothing on it that could be run, and copied away."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance.errors import ApplianceError
from provision.bundle import Bundle
from provision.change import insist
from provision.host import Host
from provision.upgrade.journal import number_of
from provision.upgrade.keeping import copy_durably

NAMES = "slrt-node-*.slrt"
# A journal is not played back: that would write. Names on a stick of Windows are given to root alone.
OPTIONS = {"vfat": "umask=077", "exfat": "umask=077", "ntfs3": "umask=077", "ext2": "", "ext3": "noload", "ext4": "noload"}
COLUMNS = "PATH,FSTYPE,HOTPLUG,TRAN,PKNAME"
NONE = ("Tidak ada bundel (slrt-node-….slrt) pada stik USB.", "Pasang stiknya di server, tunggu beberapa detik, lalu cari lagi.")

Read = Callable[[Path], Bundle]


@dataclass(frozen=True)
class Part:
    """A file system on a disk that may be pulled out."""

    device: str
    kind: str


def parts(listed: Mapping[str, Any]) -> list[Part]:
    """Those in the answer of lsblk that we can read. Pure."""
    rows = list(_flat(listed.get("blockdevices", ())))
    usb = {row["path"] for row in rows if row.get("tran") == "usb"}
    return [
        Part(row["path"], row["fstype"])
        for row in rows
        if row.get("fstype") in OPTIONS and (row.get("hotplug") or row["path"] in usb or f"/dev/{row.get('pkname')}" in usb)
    ]


def _flat(rows: Iterable[Mapping[str, Any]]) -> Iterable[Mapping[str, Any]]:
    for row in rows:
        yield row
        yield from _flat(row.get("children", ()))


def list_parts(host: Host) -> list[Part]:
    """What is plugged in now. Raises ApplianceError."""
    return parts(json.loads(insist(host, ["lsblk", "--json", "--output", COLUMNS])))


def fetch(host: Host, found: Iterable[Part], place: Path, to: Path, read: Read) -> Bundle:
    """Copy the newest bundle on these to `to`, read to its end there. Each is mounted at `place` meanwhile.

    What cannot be mounted is passed over: most often it is the backup stick, which its keeper has mounted for writing. Raises
    ApplianceError when there is none, or with what is wrong with the newest.
    """
    unread: list[str] = []
    for part in found:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        options = ",".join(filter(None, ("ro,nosuid,nodev,noexec", OPTIONS[part.kind])))
        if not host.run(["mount", "-t", part.kind, "-o", options, part.device, str(place)]).worked:
            unread.append(part.device)
            continue
        try:
            if newest := _newest(place):
                _copy(newest, to)
                return read(to)
        except OSError as error:
            raise ApplianceError(f"Stik tidak dapat dibaca ({error.strerror}).", "Pakai stik lain, lalu cari lagi.") from error
        finally:
            insist(host, ["umount", str(place)])
    if unread:
        raise ApplianceError(
            f"Tidak ada bundel (slrt-node-….slrt) pada stik USB. Tidak dibaca, karena rusak atau dipakai untuk cadangan: {', '.join(unread)}.",
            "Salin bundelnya ke stik lain, bukan stik cadangan; pasang di server, tunggu beberapa detik, lalu cari lagi.",
        )
    raise ApplianceError(*NONE)


def _newest(place: Path) -> Path | None:
    names = [file for file in place.glob(NAMES) if file.is_file() and not file.is_symlink()]
    return max(names, key=_version, default=None)


def _copy(bundle: Path, to: Path) -> None:
    """The bundle in its place, whole; half of it would take the room that an upgrade needs. Raises ApplianceError, OSError."""
    beside, size = to.with_name(f".{to.name}.new"), bundle.stat().st_size
    beside.unlink(missing_ok=True)
    try:
        copy_durably(bundle, beside)
    except OSError as error:
        beside.unlink(missing_ok=True)
        if error.errno == errno.ENOSPC:
            raise ApplianceError(
                f"Disk simpul penuh: bundel di stik perlu {size / 1e6:.0f} MB di {to.parent}.",
                "Kosongkan disk itu, lalu cari lagi.",
            ) from error
        raise
    beside.replace(to)


def _version(file: Path) -> tuple[int, ...]:
    return number_of(file.stem.removeprefix("slrt-node-").partition("+")[0])
