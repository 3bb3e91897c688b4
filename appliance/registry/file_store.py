"""The content of photos and papers: judged by what it is, written anew, and put below the attachments by its hash.

A file without a row is harmless; a row never comes before its file is on the disk. Backups take what lies here.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from appliance.config import Settings
from appliance.database import settings_in_use
from appliance.errors import InvalidInput
from appliance.registry.images import read_picture

LARGEST = 7 * 1024 * 1024
# A paper on its way to its place; it takes seconds. One that is older was left by a process that was killed.
ARRIVING_PREFIX, ARRIVING = ".upload-", timedelta(hours=1)
PDF = "application/pdf"
JPEG = "image/jpeg"


@dataclass(frozen=True)
class FileContent:
    """What is sent to the browser; `name` tells neither number nor person."""

    path: Path
    media: str
    name: str


@dataclass(frozen=True)
class Stored:
    """What lies on the disk now: bytes in `size`, pixels in `width` and `height`, hashes of the file and of its small picture."""

    media: str
    sha256: str
    size: int
    thumbnail: str = ""
    width: int | None = None
    height: int | None = None


def size_problem(content: bytes) -> str:
    """The sentence about no content or too much of it; "" when it is neither."""
    if not content:
        return "Pilih berkas dahulu."
    return f"Berkas terlalu besar; paling besar {LARGEST // 1024 // 1024} MB." if len(content) > LARGEST else ""


def store(content: bytes, *, pdf: bool = True) -> Stored:
    """Judge the content and put it on the disk. What it is called or claims to be does not count.

    Raises InvalidInput for the field `file` when it is no JPEG, PNG or (with `pdf`) PDF, damaged, empty or too large.
    """
    if problem := size_problem(content):
        raise InvalidInput({"file": problem})
    if content.startswith(b"%PDF-") and pdf:
        return Stored(PDF, put_content(content), len(content))
    if content.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")):
        picture = read_picture(content)
        sha256, thumbnail = put_content(picture.jpeg), put_content(picture.thumbnail)
        return Stored(JPEG, sha256, len(picture.jpeg), thumbnail, picture.width, picture.height)
    allowed = "foto JPEG, PNG, atau PDF" if pdf else "foto JPEG atau PNG"
    raise InvalidInput({"file": f"Berkas ini bukan {allowed}. Pilih berkas lain."})


def whole_of(sha256: str, media: str, key: str) -> FileContent:
    """The whole file, named after the end of its identifier."""
    return FileContent(content_path(sha256), media, f"berkas-{key[-8:]}.{'pdf' if media == PDF else 'jpg'}")


def small_of(thumbnail: str, key: str) -> FileContent:
    """The small picture."""
    return FileContent(content_path(thumbnail), JPEG, f"kecil-{key[-8:]}.jpg")


def sweep_arriving(settings: Settings, *, at: datetime) -> int:
    """Remove what killed processes left of papers on their way to their place: half papers of people that nothing names. How many."""
    removed = 0
    for path in settings.attachments.parent.glob(f"{ARRIVING_PREFIX}*"):
        try:
            known = path.lstat()
            if stat.S_ISREG(known.st_mode) and at - datetime.fromtimestamp(known.st_mtime, UTC) > ARRIVING:
                path.unlink()
                removed += 1
        except FileNotFoundError:
            continue  # it arrived meanwhile
    return removed


def content_path(sha256: str) -> Path:
    """Where the content with this hash lies."""
    return settings_in_use().attachments / sha256[:2] / sha256


def put_content(content: bytes) -> str:
    """Put the content at the place of its hash, whole and on the disk; the hash. What is there already stays."""
    sha256 = hashlib.sha256(content).hexdigest()
    path = content_path(sha256)
    if path.exists():
        return sha256
    path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    # Beside the attachments, so that a running backup never meets a file that is about to have another name.
    with tempfile.NamedTemporaryFile(dir=settings_in_use().attachments.parent, prefix=ARRIVING_PREFIX, delete=False) as written:
        try:
            written.write(content)
            written.flush()
            os.fchmod(written.fileno(), 0o640)  # the backups' user reads it by the folder's group
            os.fsync(written.fileno())
            Path(written.name).replace(path)
        except OSError:  # a full disk must not keep half a paper that nothing names
            Path(written.name).unlink(missing_ok=True)
            raise
    for folder in (path.parent, path.parent.parent):
        _sync(folder)
    return sha256


def _sync(folder: Path) -> None:
    """Make the name in the folder survive a power cut."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
