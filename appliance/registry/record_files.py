"""Photos of what a survey saw, and what proves a look into a national list: files of a person or family that belong to a record of hers.

Who may record such a thing may add to it; who sees it is decided as for every other file.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from appliance import audit
from appliance.access import Actor
from appliance.database import transaction
from appliance.errors import InvalidInput
from appliance.models.person import PersonFile
from appliance.models.profile import ListStatus, Profile
from appliance.registry.files import FileLine, add_row, checked_content, lines_where, same_file
from appliance.registry.holders import Holder, face_of, held_row, may_record, require_recorder, subject_of

EVIDENCE = "bukti"
PROFILE_KINDS = frozenset({"rumah", "lain"})
LOOK_KINDS = frozenset({EVIDENCE})

Record = TypeVar("Record", Profile, ListStatus)


@dataclass(frozen=True)
class LookDetail:
    """One look into a national list with what proves it; `person_id` leads back to whose page it is."""

    id: str
    list_name: str
    listed: str
    facts: tuple[tuple[str, str], ...]
    withdrawn: str
    person_id: str | None
    person_name: str
    files: tuple[FileLine, ...]
    may_add: bool


def of_profile(row: Profile, holder: Holder, *, by: Actor) -> tuple[FileLine, ...]:
    """The files of a filled profile that `by` may open, newest first."""
    return lines_where(PersonFile.profile_id == row.id, holder.village_code, by)


def look_at_status(status_id: str, *, by: Actor, at: datetime) -> LookDetail:
    """One look into a national list. That it was looked at is written to the journal. Raises NotFound."""
    with transaction():
        row, holder = held_row(ListStatus, status_id, by)
        face = face_of(row, by)
        audit.record("lihat_status_data", subject_of(holder), by=by, at=at)
        return LookDetail(
            id=row.id,
            list_name=row.list.name,
            listed=row.listed,
            facts=_facts(row),
            withdrawn=row.withdrawn_reason,
            person_id=face.id if face else None,
            person_name=face.name if face else "",
            files=lines_where(PersonFile.list_status_id == row.id, holder.village_code, by),
            may_add=row.withdrawn_at is None and may_record(by, holder.village_code),
        )


def add_profile_file(profile_id: str, content: bytes, *, kind: str, title: str, by: Actor, at: datetime) -> str:
    """Store a photo or paper of a filled profile; its identifier. The same content twice is one file.

    Raises NotFound, NotAllowed, InvalidInput.
    """
    _require(Profile, profile_id, by)
    stored = checked_content(content, kind, title, PROFILE_KINDS)
    with transaction():
        holder = _require(Profile, profile_id, by)
        known = same_file(PersonFile.profile_id == profile_id, kind, stored)
        row = known or add_row(stored, kind, title, by, at, **_held_by(holder), profile_id=profile_id)
        detail = {"berkas": row.id, "jenis": kind, "profil": profile_id}
        audit.record("unggah", subject_of(holder), by=by, at=at, detail=detail)
        return row.id


def add_evidence(status_id: str, content: bytes, *, title: str, by: Actor, at: datetime) -> str:
    """Store what proves a look into a national list, such as a picture of the screen; its identifier. Raises as above."""
    _require(ListStatus, status_id, by)
    stored = checked_content(content, EVIDENCE, title, LOOK_KINDS)
    with transaction():
        holder = _require(ListStatus, status_id, by)
        known = same_file(PersonFile.list_status_id == status_id, EVIDENCE, stored)
        row = known or add_row(stored, EVIDENCE, title, by, at, **_held_by(holder), list_status_id=status_id)
        detail = {"berkas": row.id, "jenis": EVIDENCE, "status_data": status_id}
        audit.record("unggah", subject_of(holder), by=by, at=at, detail=detail)
        return row.id


def _require(table: type[Record], row_id: str, by: Actor) -> Holder:
    """Who holds the record, for whoever may write about her. Asked before anything is put on the disk, and again after."""
    row, holder = held_row(table, row_id, by)
    require_recorder(by, holder)
    if row.withdrawn_at is not None:
        raise InvalidInput(
            {"file": "Catatan ini sudah ditarik; berkas tidak dapat ditambahkan. Tambahkan pada catatan yang berlaku."}
        )
    return holder


def _held_by(holder: Holder) -> dict[str, str]:
    return {"person_id": holder.person_id} if holder.person_id else {"family_id": holder.family_id or ""}


def _facts(row: ListStatus) -> tuple[tuple[str, str], ...]:
    told = (
        ("Desil", str(row.decile or "")),
        ("Periode", row.period),
        ("Nomor di daftar itu", row.outside_id),
        ("Dilihat", f"{row.checked_on:%d-%m-%Y} oleh {row.checked_by}"),
        ("Bukti", row.evidence),
    )
    return tuple((name, value) for name, value in told if value)
