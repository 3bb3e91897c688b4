"""Putting a restored set of folders in the place of the old ones, so that a kill at any line can be finished later.

What is to be swapped is written down first, with the identity (inode) of each new folder. Each swap is one atomic exchange of two
folders; a folder whose inode is already in place is done. The old ones stay beside, nothing is deleted.
"""

from __future__ import annotations

import ctypes
import json
import os
from pathlib import Path

from backups.errors import BackupError
from backups.files import sync_folder, write_whole

JOURNAL = "restore-in-progress.json"
AT_FDCWD = -100
RENAME_EXCHANGE = 2


def begin(data: Path, staged: Path, names: list[str]) -> None:
    """Write down that each folder `names` of `staged` goes into `data`. From here on `finish` does the rest."""
    inodes = {name: (staged / name).stat().st_ino for name in names}
    content = {"staged": str(staged), "replaced": str(_free_name(data)), "inodes": inodes}
    write_whole(data / JOURNAL, json.dumps(content).encode())


def _free_name(data: Path) -> Path:
    """A name beside the data folders that nobody has yet: before-restore-1, -2 …"""
    number = 1
    while (data / f"before-restore-{number}").exists():
        number += 1
    return data / f"before-restore-{number}"


def finish(data: Path) -> Path | None:
    """Do what is written down and not yet done. Returns the folder that holds the replaced ones, None when there was nothing."""
    journal = data / JOURNAL
    if not journal.exists():
        return None
    found = json.loads(journal.read_bytes())
    staged = Path(found["staged"])
    for name, inode in found["inodes"].items():
        live = data / name
        live.mkdir(mode=0o700, exist_ok=True)
        if live.stat().st_ino != inode:
            _exchange(staged / name, live)
            sync_folder(data)
            sync_folder(staged)
    replaced = Path(found["replaced"])
    if staged.exists():
        staged.rename(replaced)
    journal.unlink()
    sync_folder(data)
    return replaced


def _exchange(one: Path, other: Path) -> None:
    """Swap two folders at once. Python has no call for it."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.renameat2(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE) != 0:
        reason = os.strerror(ctypes.get_errno())
        raise BackupError(
            f"Folder {other} tidak dapat ditukar dengan {one} ({reason}).",
            "Data lama masih utuh. Periksa disk data, lalu ulangi pemulihan.",
        )
