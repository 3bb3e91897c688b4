"""Photos and papers of people and families, given out within the scope only. Their content is `file_store`'s."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from appliance import audit
from appliance.access import EDITOR_ROLES, REVEAL_ROLES, Actor, scope
from appliance.database import db, transaction
from appliance.errors import InvalidInput, NotFound
from appliance.models.person import Family, Person, PersonFile
from appliance.registry.corrections import family_in_scope
from appliance.registry.file_store import FileContent, Stored, size_problem, small_of, store, whole_of
from appliance.registry.people import person_in_scope, require_there

KINDS = frozenset({"foto", "rumah", "ktp", "kk", "lain"})
# On these no number stands; the others are papers, which only those see who may see numbers.
OPEN_KINDS = frozenset({"foto", "rumah"})
MOST_FILES = 60


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


def of_person(person_id: str, *, by: Actor) -> tuple[FileLine, ...]:
    """The files of a person that `by` may open, newest first."""
    seen = scope(sa.select(Person.village_code).where(Person.id == person_id), Person, by)
    return lines_where(PersonFile.person_id == person_id, db.session.scalar(seen), by)


def of_family(family_id: str, *, by: Actor) -> tuple[FileLine, ...]:
    """The files of a family that `by` may open, newest first."""
    seen = scope(sa.select(Family.village_code).where(Family.id == family_id), Family, by)
    return lines_where(PersonFile.family_id == family_id, db.session.scalar(seen), by)


def add_person_file(person_id: str, content: bytes, *, kind: str, title: str, by: Actor, at: datetime) -> str:
    """Store a photo or paper of a person; its identifier. The same content twice is one file.

    A photo of herself becomes the one her page shows. Raises NotFound, NotAllowed, InvalidInput.
    """
    stored = checked_content(content, kind, title)
    with transaction():
        person = person_in_scope(person_id, by)
        require_there(by, person.village_code, *EDITOR_ROLES)
        row = same_file(PersonFile.person_id == person.id, kind, stored) or add_row(
            stored, kind, title, by, at, person_id=person.id
        )
        if kind == "foto" and person.photo_id != row.id:
            person.photo_id = row.id
            person.stamp(by.account_id, at)
        audit.record("unggah", f"person:{person.id}", by=by, at=at, detail={"berkas": row.id, "jenis": kind})
        return row.id


def add_family_file(family_id: str, content: bytes, *, kind: str, title: str, by: Actor, at: datetime) -> str:
    """The same for a family."""
    stored = checked_content(content, kind, title)
    with transaction():
        family = family_in_scope(family_id, by)
        require_there(by, family.village_code, *EDITOR_ROLES)
        row = same_file(PersonFile.family_id == family.id, kind, stored) or add_row(
            stored, kind, title, by, at, family_id=family.id
        )
        audit.record("unggah", f"family:{family.id}", by=by, at=at, detail={"berkas": row.id, "jenis": kind})
        return row.id


def open_file(file_id: str, *, by: Actor, at: datetime) -> FileContent:
    """The whole file. The look is in the journal. Raises NotFound, NotAllowed."""
    with transaction():
        row, village = _in_scope(file_id, by)
        _require_kind(row, village, by)
        audit.record("lihat_berkas", f"file:{row.id}", by=by, at=at, detail={"jenis": row.kind})
        return whole_of(row.sha256, row.media, row.id)


def open_thumbnail(file_id: str, *, by: Actor) -> FileContent:
    """The small picture, part of a page whose look is in the journal already. Raises NotFound, NotAllowed."""
    row, village = _in_scope(file_id, by)
    _require_kind(row, village, by)
    if not row.thumbnail:
        raise _missing()
    return small_of(row.thumbnail, row.id)


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


def lines_where(whose: sa.ColumnElement[bool], village: str | None, by: Actor) -> tuple[FileLine, ...]:
    """The files that `by` may open of somebody who lives in `village`, newest first; nothing without a village. For services."""
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


def same_file(whose: sa.ColumnElement[bool], kind: str, stored: Stored) -> PersonFile | None:
    """The row of this content and kind that is there already. For services."""
    same = (PersonFile.sha256 == stored.sha256, PersonFile.kind == kind, PersonFile.removed_at.is_(None))
    return db.session.scalar(sa.select(PersonFile).where(whose, *same))


def add_row(  # noqa: PLR0913  the columns of a file
    stored: Stored,
    kind: str,
    title: str,
    by: Actor,
    at: datetime,
    *,
    person_id: str | None = None,
    family_id: str | None = None,
    **record: str,
) -> PersonFile:
    """A row for what was stored, inside the running transaction; `record` is what it belongs to besides its holder. For services."""
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
        **record,
    )
    row.stamp(by.account_id, at)
    db.session.add(row)
    db.session.flush()
    return row


def checked_content(content: bytes, kind: str, title: str, kinds: frozenset[str] = KINDS) -> Stored:
    """Put the content on the disk once everything that was typed is right. Raises InvalidInput. For services."""
    problems = {}
    if kind not in kinds:
        problems["kind"] = "Pilih jenis berkas."
    if len(title) > 120:
        problems["title"] = "Keterangan terlalu panjang; paling banyak 120 huruf."
    if problem := size_problem(content):
        problems["file"] = problem
    if problems:
        raise InvalidInput(problems)
    return store(content, pdf=kind != "foto")
