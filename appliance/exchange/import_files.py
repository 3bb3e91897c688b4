"""Where uploaded files lie: a folder each below the data folder, on the disk before the database knows of them.

Names of people stand in file names too often, so the file is called the same in each folder.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Set
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

from appliance.config import Settings
from appliance.errors import InvalidInput
from appliance.exchange.sheets import MEGABYTE, MOST_BYTES

FOLDER = "imports"
UPLOAD = "upload"
PIECE = 1 << 18
ARRIVING = timedelta(days=1)


@dataclass(frozen=True)
class Kept:
    """A file that is on the disk for good."""

    path: Path
    sha256: str
    size: int


def folder_of(settings: Settings, import_id: str) -> Path:
    """The folder of one import."""
    return Path(settings.paths.data) / FOLDER / import_id


def upload_of(settings: Settings, import_id: str) -> Path:
    """The uploaded file of one import."""
    return folder_of(settings, import_id) / UPLOAD


def keep(stream: IO[bytes], settings: Settings, import_id: str) -> Kept:
    """Copy an upload to its place, piece by piece, and force it to the disk. Raises InvalidInput when it is too big or empty."""
    folder = folder_of(settings, import_id)
    folder.mkdir(mode=0o700, parents=True)
    path, digest, size = folder / UPLOAD, hashlib.sha256(), 0
    try:
        with path.open("xb") as file:
            path.chmod(0o600)
            while piece := stream.read(PIECE):
                size += len(piece)
                if size > MOST_BYTES:
                    limit = f"Berkas lebih besar dari {MOST_BYTES // MEGABYTE} MB; bagi menjadi beberapa berkas, lalu unggah satu per satu."
                    raise InvalidInput({"file": limit})
                digest.update(piece)
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        if not size:
            raise InvalidInput({"file": "Berkas ini kosong. Salin ulang dari sumbernya, lalu unggah lagi."})
        for parent in (folder, folder.parent):
            _sync(parent)
    except BaseException:
        forget(settings, import_id)
        raise
    return Kept(path, digest.hexdigest(), size)


def forget(settings: Settings, import_id: str) -> None:
    """Remove the folder of an import that is no longer needed."""
    shutil.rmtree(folder_of(settings, import_id), ignore_errors=True)


def sweep(settings: Settings, needed: Set[str], at: datetime) -> int:
    """Remove the files of imports that are over, for they hold people's data; how many.

    `needed` are the imports that still want theirs. What nobody knows may be arriving just now: it stays for a day.
    """
    removed = 0
    for folder in (Path(settings.paths.data) / FOLDER).glob("*"):
        age = at - datetime.fromtimestamp(folder.stat().st_mtime, UTC)
        if folder.name not in needed and age > ARRIVING:
            shutil.rmtree(folder, ignore_errors=True)
            removed += 1
    return removed


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
