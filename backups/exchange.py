"""Putting a restored set of folders in the place of the old ones, so that a kill at any line can be finished later.

What is to be swapped is written down first, with the identity (inode) of each new folder. Each swap is one atomic exchange of two
folders; a folder whose inode is already in place is done. A database on a server comes before the folders: it is replaced in one
transaction of its own, and once more when nobody knows whether that was the end of it. The old ones stay beside, nothing is deleted.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backups.errors import BackupError
from backups.files import sync_folder, write_whole

JOURNAL = "restore-in-progress.json"
NOTE = "restored.json"
"""What whoever uses the data has to do once after an exchange. It appears in the data folder when the exchange has ended."""
REPLACED, REMOVED = "before-restore-", "removed-restore-"
AT_FDCWD = -100
RENAME_EXCHANGE = 2

Replace = Callable[[Path, Mapping[str, int]], None]


@dataclass(frozen=True)
class Swap:
    """What is exchanged: folders `names` of `staged` with those of the data, and before them the dump (a file in `staged`) with the
    database of a server, whose tables then hold `counts` rows. `note` is left for later; None for nothing."""

    staged: Path
    names: Sequence[str]
    note: Mapping[str, Any] | None = None
    dump: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)


def begin(data: Path, swap: Swap) -> None:
    """Write the swap down. From here on `finish` does the rest."""
    content = {
        "staged": str(swap.staged),
        "replaced": str(_free_name(data)),
        "inodes": {name: (swap.staged / name).stat().st_ino for name in swap.names},
        "note": swap.note,
        "dump": swap.dump,
        "counts": dict(swap.counts),
    }
    write_whole(data / JOURNAL, json.dumps(content).encode())


def is_cut_off(data: Path) -> bool:
    """Whether an exchange was begun and has not ended."""
    return (data / JOURNAL).exists()


def replaced(data: Path) -> list[Path]:
    """The folders with what was replaced, oldest first."""
    return _numbered(data, REPLACED)


def number_of(folder: Path) -> int:
    """The number in the name of a folder that was replaced."""
    return int(folder.name.rpartition("-")[2])


def set_removed(data: Path, number: int) -> None:
    """Take a replaced state out of the reach of `revert`, at once and whole. Its content goes with `clear_removed`."""
    (data / f"{REPLACED}{number}").rename(data / f"{REMOVED}{number}")
    sync_folder(data)


def clear_removed(data: Path) -> None:
    """Erase what is in the removed folders. They stay, empty: a secret that was set aside bears the number, which must not come again."""
    for folder in _numbered(data, REMOVED):
        for path in folder.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()


def _numbered(data: Path, name: str) -> list[Path]:
    found = [path for path in data.glob(f"{name}*") if path.name.removeprefix(name).isdecimal()]
    return sorted(found, key=number_of)


def _free_name(data: Path) -> Path:
    """A name beside the data folders that is above all others: before-restore-1, -2 …"""
    before = [number_of(path) for path in (*replaced(data), *_numbered(data, REMOVED))]
    return data / f"{REPLACED}{max(before, default=0) + 1}"


def finish(data: Path, replace: Replace) -> Path | None:
    """Do what is written down and not yet done; `replace` puts a dump in the place of a server's database.

    Returns the folder that holds the replaced ones, None when there was nothing.
    """
    journal = data / JOURNAL
    if not journal.exists():
        return None
    found = json.loads(journal.read_bytes())
    staged = Path(found["staged"])
    if found.get("dump"):
        replace(staged / found["dump"], found["counts"])
        write_whole(journal, json.dumps({**found, "dump": ""}).encode())
        (staged / found["dump"]).unlink(missing_ok=True)
    for name, inode in found["inodes"].items():
        _put_in_place(data, staged, name, inode)
    kept = Path(found["replaced"])
    if staged.exists():
        staged.rename(kept)
    if found.get("note") is not None:
        write_whole(data / NOTE, json.dumps(found["note"]).encode())
    journal.unlink()
    sync_folder(data)
    return kept


def _put_in_place(data: Path, staged: Path, name: str, inode: int) -> None:
    live = data / name
    live.mkdir(mode=0o700, exist_ok=True)
    if live.stat().st_ino != inode:
        _exchange(staged / name, live)
        sync_folder(data)
        sync_folder(staged)


def _exchange(one: Path, other: Path) -> None:
    """Swap two folders at once. Python has no call for it."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.renameat2(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE) != 0:
        reason = os.strerror(ctypes.get_errno())
        raise BackupError(
            f"Folder {other} tidak dapat ditukar dengan {one} ({reason}).",
            "Data lama masih utuh. Periksa disk data, lalu ulangi pemulihan.",
        )
