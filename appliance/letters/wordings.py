"""The documents of this office: those that come with the program, and in their place the versions the office made its own."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from datetime import datetime
from functools import cache
from importlib import resources

import sqlalchemy as sa

from appliance import audit
from appliance.access import Actor, require
from appliance.database import Duplicate, changed_meanwhile, db, transaction
from appliance.errors import InvalidInput, NotFound
from appliance.letters.life import KEEPERS
from appliance.letters.wording import Wording, from_data, problems_of, to_data
from appliance.models.letter import LetterWording


@cache
def originals() -> dict[str, Wording]:
    """The documents that come with the program, by code."""
    folder = resources.files("appliance.letters") / "originals"
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".toml")), key=lambda file: file.name)
    codes = [file.name.removesuffix(".toml") for file in files]
    return {code: from_data(code, 0, tomllib.loads(file.read_text("utf-8"))) for code, file in zip(codes, files, strict=True)}


def list_wordings() -> tuple[Wording, ...]:
    """The newest version of each document, by name."""
    newest = sa.select(LetterWording.code, sa.func.max(LetterWording.version).label("version")).group_by(LetterWording.code)
    of_office = newest.subquery()
    same = sa.and_(LetterWording.code == of_office.c.code, LetterWording.version == of_office.c.version)
    rows = db.session.scalars(sa.select(LetterWording).join(of_office, same))
    known = originals() | {row.code: from_data(row.code, row.version, row.content) for row in rows}
    return tuple(sorted(known.values(), key=lambda wording: wording.name))


def wording_of(code: str) -> Wording:
    """The newest version of one document. Raises NotFound."""
    statement = sa.select(LetterWording).where(LetterWording.code == code).order_by(LetterWording.version.desc()).limit(1)
    row = db.session.scalar(statement)
    found = from_data(code, row.version, row.content) if row else originals().get(code)
    if found is None:
        raise NotFound("Naskah dokumen itu tidak ada.", "Pilih dari daftar naskah.")
    return found


def add_wording(new: Wording, *, by: Actor, at: datetime) -> Wording:
    """Store a document of the office's own, under a code that no other has. Raises like `save_wording`."""
    if any(known.code == new.code for known in list_wordings()):
        raise InvalidInput({"code": "Kode ini sudah dipakai dokumen lain."})
    return save_wording(new, by=by, at=at)


def save_wording(new: Wording, *, by: Actor, at: datetime) -> Wording:
    """Store a version that builds on `new.version` (0: none of the office yet); the stored one.

    Raises InvalidInput with all problems, Conflict when somebody stored a newer one, NotAllowed.
    """
    require(by, *sorted(KEEPERS))
    known = list_wordings()
    problems = problems_of(new) | _clash(new, known)
    if any(one.code == new.code and one.kind != new.kind for one in known):
        # A draft of the old kind would show its new reader what she may not see.
        problems["kind"] = "Jenis dokumen tidak dapat diubah; buat dokumen baru."
    if problems:
        raise InvalidInput(problems)
    try:
        with transaction() as session:
            latest = session.scalar(sa.select(sa.func.max(LetterWording.version)).where(LetterWording.code == new.code)) or 0
            if latest != new.version:
                raise changed_meanwhile()
            row = LetterWording(code=new.code, version=latest + 1, content=to_data(new), stored_at=at, stored_by=by.account_id)
            session.add(row)
            audit.record("naskah", f"wording:{new.code}", by=by, at=at, detail={"versi": row.version})
            return from_data(row.code, row.version, row.content)
    except Duplicate as error:
        raise changed_meanwhile() from error


def _clash(new: Wording, others: Iterable[Wording]) -> dict[str, str]:
    """Two series that write their numbers alike would give two letters one number."""
    if not new.numbered:
        return {}
    for other in others:
        alike = (other.pattern, other.classification) == (new.pattern, new.classification)
        if other.code != new.code and other.numbered and other.active and other.series != new.series and alike:
            return {
                "series": f"“{other.name}” memakai pola dan kode yang sama dengan seri {other.series}; samakan serinya atau bedakan polanya."
            }
    return {}
