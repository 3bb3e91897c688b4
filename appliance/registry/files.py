"""Photos and papers of people and families: judged by their content, stored by its hash, given out within the scope only.

The content lies below the attachments of the data folder, where the backups take it. A file without a row is harmless; a row never
comes before its file is on the disk.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from appliance import audit
from appliance.access import EDITOR_ROLES, REVEAL_ROLES, Actor, scope
from appliance.config import Settings
from appliance.database import db, settings_in_use, transaction
from appliance.errors import InvalidInput, NotFound
from appliance.models.person import Family, Person, PersonFile
from appliance.registry.corrections import family_in_scope
from appliance.registry.images import read_picture
from appliance.registry.people import person_in_scope, require_there

KINDS = frozenset({"foto", "rumah", "ktp", "kk", "lain"})
# On these no number stands; the others are papers, which only those see who may see numbers.
OPEN_KINDS = frozenset({"foto", "rumah"})
LARGEST = 7 * 1024 * 1024
# A paper on its way to its place; it takes seconds. One that is older was left by a process that was killed.
ARRIVING_PREFIX, ARRIVING = ".upload-", timedelta(hours=1)
MOST_FILES = 60
PDF = "application/pdf"
JPEG = "image/jpeg"


@dataclass(frozen=True)
class FileLine:
    """One file in a list. `has_thumbnail` is false for a PDF."""

    id: str
    kind: str
    title: str
    media: str
    size: int
    created_at: datetime
    has_thumbnail: bool


@dataclass(frozen=True)
class FileContent:
    """What is sent to the browser; `name` tells neither number nor person."""

    path: Path
    media: str
    name: str


@dataclass(frozen=True)
class _Stored:
    media: str
    sha256: str
    size: int
    thumbnail: str = ""
    width: int | None = None
    height: int | None = None


def of_person(person_id: str, *, by: Actor) -> tuple[FileLine, ...]:
    """The files of a person that `by` may open, newest first."""
    seen = scope(sa.select(Person.village_code).where(Person.id == person_id), Person, by)
    return _lines(PersonFile.person_id == person_id, db.session.scalar(seen), by)


def of_family(family_id: str, *, by: Actor) -> tuple[FileLine, ...]:
    """The files of a family that `by` may open, newest first."""
    seen = scope(sa.select(Family.village_code).where(Family.id == family_id), Family, by)
    return _lines(PersonFile.family_id == family_id, db.session.scalar(seen), by)


def add_person_file(person_id: str, content: bytes, *, kind: str, title: str, by: Actor, at: datetime) -> str:
    """Store a photo or paper of a person; its identifier. The same content twice is one file.

    A photo of herself becomes the one her page shows. Raises NotFound, NotAllowed, InvalidInput.
    """
    stored = _store(content, kind, title)
    with transaction():
        person = person_in_scope(person_id, by)
        require_there(by, person.village_code, *EDITOR_ROLES)
        row = _row(PersonFile.person_id == person.id, kind, stored) or _add(stored, kind, title, by, at, person_id=person.id)
        if kind == "foto" and person.photo_id != row.id:
            person.photo_id = row.id
            person.stamp(by.account_id, at)
        audit.record("unggah", f"person:{person.id}", by=by, at=at, detail={"berkas": row.id, "jenis": kind})
        return row.id


def add_family_file(family_id: str, content: bytes, *, kind: str, title: str, by: Actor, at: datetime) -> str:
    """The same for a family."""
    stored = _store(content, kind, title)
    with transaction():
        family = family_in_scope(family_id, by)
        require_there(by, family.village_code, *EDITOR_ROLES)
        row = _row(PersonFile.family_id == family.id, kind, stored) or _add(stored, kind, title, by, at, family_id=family.id)
        audit.record("unggah", f"family:{family.id}", by=by, at=at, detail={"berkas": row.id, "jenis": kind})
        return row.id


def open_file(file_id: str, *, by: Actor, at: datetime) -> FileContent:
    """The whole file. The look is in the journal. Raises NotFound, NotAllowed."""
    with transaction():
        row, village = _in_scope(file_id, by)
        _require_kind(row, village, by)
        audit.record("lihat_berkas", f"file:{row.id}", by=by, at=at, detail={"jenis": row.kind})
        ending = "pdf" if row.media == PDF else "jpg"
        return FileContent(_path(row.sha256), row.media, f"berkas-{row.id[-8:]}.{ending}")


def open_thumbnail(file_id: str, *, by: Actor) -> FileContent:
    """The small picture, part of a page whose look is in the journal already. Raises NotFound, NotAllowed."""
    row, village = _in_scope(file_id, by)
    _require_kind(row, village, by)
    if not row.thumbnail:
        raise _missing()
    return FileContent(_path(row.thumbnail), JPEG, f"kecil-{row.id[-8:]}.jpg")


def remove_file(file_id: str, *, by: Actor, at: datetime) -> PersonFile:
    """Take a wrong file from the pages. Its content stays, for the backups and the journal speak of it."""
    with transaction():
        row, village = _in_scope(file_id, by)
        require_there(by, village, *EDITOR_ROLES)
        row.removed_at = at
        row.stamp(by.account_id, at)
        owner = db.session.get(Person, row.person_id) if row.person_id else None
        if owner is not None and owner.photo_id == row.id:
            owner.photo_id = None
            owner.stamp(by.account_id, at)
        audit.record("hapus_berkas", f"file:{row.id}", by=by, at=at, detail={"jenis": row.kind})
        return row


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


def _lines(whose: sa.ColumnElement[bool], village: str | None, by: Actor) -> tuple[FileLine, ...]:
    if village is None:
        return ()
    statement = sa.select(PersonFile).where(whose, PersonFile.removed_at.is_(None))
    if not by.has_in(village, *REVEAL_ROLES):
        statement = statement.where(PersonFile.kind.in_(sorted(OPEN_KINDS)))
    rows = db.session.scalars(statement.order_by(PersonFile.created_at.desc()).limit(MOST_FILES))
    return tuple(FileLine(row.id, row.kind, row.title, row.media, row.size, row.created_at, bool(row.thumbnail)) for row in rows)


def _in_scope(file_id: str, by: Actor) -> tuple[PersonFile, str]:
    """The row, and the village of whom it belongs to."""
    row = db.session.get(PersonFile, file_id)
    if row is None or row.removed_at is not None:
        raise _missing()
    table, owner = (Person, row.person_id) if row.person_id else (Family, row.family_id)
    village = db.session.scalar(scope(sa.select(table.village_code).where(table.id == owner), table, by))
    if village is None:
        raise _missing()
    return row, village


def _missing() -> NotFound:
    return NotFound("Berkas tidak ditemukan.", "Kembali ke halaman warga, lalu pilih berkasnya.")


def _require_kind(row: PersonFile, village: str, by: Actor) -> None:
    if row.kind not in OPEN_KINDS:
        require_there(by, village, *REVEAL_ROLES)


def _row(whose: sa.ColumnElement[bool], kind: str, stored: _Stored) -> PersonFile | None:
    same = (PersonFile.sha256 == stored.sha256, PersonFile.kind == kind, PersonFile.removed_at.is_(None))
    return db.session.scalar(sa.select(PersonFile).where(whose, *same))


def _add(  # noqa: PLR0913  the columns of a file
    stored: _Stored,
    kind: str,
    title: str,
    by: Actor,
    at: datetime,
    *,
    person_id: str | None = None,
    family_id: str | None = None,
) -> PersonFile:
    row = PersonFile(
        person_id=person_id,
        family_id=family_id,
        kind=kind,
        title=title.strip(),
        media=stored.media,
        size=stored.size,
        width=stored.width,
        height=stored.height,
        sha256=stored.sha256,
        thumbnail=stored.thumbnail,
    )
    row.stamp(by.account_id, at)
    db.session.add(row)
    db.session.flush()
    return row


def _store(content: bytes, kind: str, title: str) -> _Stored:
    """Judge the content, put it on the disk. What it is called or claims to be does not count."""
    problems = {}
    if kind not in KINDS:
        problems["kind"] = "Pilih jenis berkas."
    if len(title) > 120:
        problems["title"] = "Keterangan terlalu panjang; paling banyak 120 huruf."
    if not content:
        problems["file"] = "Pilih berkas dahulu."
    elif len(content) > LARGEST:
        problems["file"] = f"Berkas terlalu besar; paling besar {LARGEST // 1024 // 1024} MB."
    if problems:
        raise InvalidInput(problems)
    if content.startswith(b"%PDF-") and kind != "foto":
        return _Stored(PDF, _write(content), len(content))
    if content.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")):
        picture = read_picture(content)
        sha256, thumbnail = _write(picture.jpeg), _write(picture.thumbnail)
        return _Stored(JPEG, sha256, len(picture.jpeg), thumbnail, picture.width, picture.height)
    allowed = "foto JPEG atau PNG" if kind == "foto" else "foto JPEG, PNG, atau PDF"
    raise InvalidInput({"file": f"Berkas ini bukan {allowed}. Pilih berkas lain."})


def _path(sha256: str) -> Path:
    return settings_in_use().attachments / sha256[:2] / sha256


def _write(content: bytes) -> str:
    """Put the content at the place of its hash, whole and on the disk; the hash. What is there already stays."""
    sha256 = hashlib.sha256(content).hexdigest()
    path = _path(sha256)
    if path.exists():
        return sha256
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Beside the attachments, so that a running backup never meets a file that is about to have another name.
    with tempfile.NamedTemporaryFile(dir=settings_in_use().attachments.parent, prefix=ARRIVING_PREFIX, delete=False) as written:
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
