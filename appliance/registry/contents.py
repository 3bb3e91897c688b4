"""Contents that are kept beside the database: judged by what they are, stored once by their hash, forced to the disk.

They lie below the attachments of the data folder, where the backups take them. A content that no row names is harmless; a row
never comes before its content is on the disk.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from appliance.database import settings_in_use
from appliance.errors import InvalidInput
from appliance.registry.images import read_picture

LARGEST = 7 * 1024 * 1024
PDF = "application/pdf"
JPEG = "image/jpeg"


@dataclass(frozen=True)
class StoredContent:
    """What was stored. A PDF has neither thumbnail nor size in pixels."""

    media: str
    sha256: str
    size: int
    thumbnail: str = ""
    width: int | None = None
    height: int | None = None


def content_problems(content: bytes) -> dict[str, str]:
    """What keeps a content from being looked at."""
    if not content:
        return {"file": "Pilih berkas dahulu."}
    if len(content) > LARGEST:
        return {"file": f"Berkas terlalu besar; paling besar {LARGEST // 1024 // 1024} MB."}
    return {}


def take_in(content: bytes, *, papers: bool = True) -> StoredContent:
    """Judge what was uploaded and put it on the disk. What it is called or claims to be does not count.

    A picture is drawn anew; a PDF is taken as it is, where `papers` allows one. Raises InvalidInput.
    """
    problems = content_problems(content)
    if problems:
        raise InvalidInput(problems)
    if content.startswith(b"%PDF-") and papers:
        return StoredContent(PDF, put_content(content), len(content))
    if content.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")):
        picture = read_picture(content)
        sha256, thumbnail = put_content(picture.jpeg), put_content(picture.thumbnail)
        return StoredContent(JPEG, sha256, len(picture.jpeg), thumbnail, picture.width, picture.height)
    allowed = "foto JPEG, PNG, atau PDF" if papers else "foto JPEG atau PNG"
    raise InvalidInput({"file": f"Berkas ini bukan {allowed}. Pilih berkas lain."})


def content_path(sha256: str) -> Path:
    """Where the content with this hash lies."""
    return settings_in_use().attachments / sha256[:2] / sha256


def put_content(content: bytes) -> str:
    """Put the content at the place of its hash, whole and on the disk; the hash. What is there already stays."""
    sha256 = hashlib.sha256(content).hexdigest()
    path = content_path(sha256)
    if path.exists():
        return sha256
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Beside the attachments, so that a running backup never meets a file that is about to have another name.
    with tempfile.NamedTemporaryFile(dir=settings_in_use().attachments.parent, prefix=".upload-", delete=False) as written:
        try:
            written.write(content)
            written.flush()
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
