"""Who takes part in a programme, as a handed-over sheet says. Only people who are registered join; nobody new is made here.

Whoever takes part already, herself or her family, is left as she is. To take an import back ends what it recorded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from appliance.database import db, table_of
from appliance.errors import NotFound
from appliance.models.columns import new_id
from appliance.models.imports import Verdict
from appliance.models.programme import Participation, ParticipationStatus, Programme, Source, Target
from appliance.registry.bulk import Decision, Stored

ENDED = (ParticipationStatus.STOPPED.value, ParticipationStatus.REFUSED.value, ParticipationStatus.GRADUATED.value)
UNDONE = "Impornya dibatalkan."


def judge_joining(decisions: Sequence[Decision], options: Mapping[str, str]) -> None:
    """Turn what a list says of people into what it says of their part in the programme. Reads only. Raises NotFound."""
    programme = db.session.get(Programme, options.get("programme_id", ""))
    if programme is None:
        raise NotFound("Program itu tidak ada.", "Pilih program dari daftar.")
    known = [one for one in decisions if one.person and one.verdict is Verdict.SKIPPED and not one.person["merged_into_id"]]
    taken = _taking_part(programme.id, [one.person for one in known if one.person])
    for decision in decisions:
        if decision.verdict is Verdict.NEW:
            decision.verdict, decision.reason = Verdict.WRONG, "Orang ini belum terdaftar; kepesertaannya tidak dicatat."
            decision.advice = "Impor data penduduknya dahulu, atau daftarkan orangnya."
    for decision in known:
        holder = holder_of(decision.person or {}, programme)
        if holder in taken:
            decision.verdict, decision.reason = Verdict.SAME, f"Sudah tercatat sebagai peserta {programme.name}."
        else:
            decision.verdict, decision.reason = Verdict.CHANGED, f"Dicatat sebagai peserta {programme.name}."
            taken.add(holder)


def holder_of(person: Mapping[str, Any], programme: Programme) -> tuple[str, str]:
    """Whose the participation is: the family's where the programme is meant for families and she has one."""
    family = programme.target == Target.FAMILY and person["family_id"]
    return ("family_id", person["family_id"]) if family else ("person_id", person["id"])


def _taking_part(programme_id: str, people: list[dict[str, Any]]) -> set[tuple[str, str]]:
    persons = [person["id"] for person in people]
    families = [person["family_id"] for person in people if person["family_id"]]
    found = db.session.execute(
        sa.select(Participation.person_id, Participation.family_id).where(
            Participation.programme_id == programme_id,
            Participation.status.not_in(ENDED),
            sa.or_(Participation.person_id.in_(persons), Participation.family_id.in_(families)),
        )
    )
    return {("person_id", person) if person else ("family_id", str(family)) for person, family in found}


def join(decisions: Sequence[Decision], import_id: str, options: Mapping[str, str], *, by: str, at: datetime) -> list[Stored]:
    """Record the new participations of a part, inside the running transaction."""
    programme = db.session.get_one(Programme, options["programme_id"])
    rows, stored = [], []
    stamp = {"created_at": at, "created_by": by, "updated_at": at, "updated_by": by, "row_version": 1}
    for decision in decisions:
        if decision.verdict is not Verdict.CHANGED or decision.person is None:
            continue
        column, holder = holder_of(decision.person, programme)
        number, row_id = decision.candidate.number, new_id()
        row: dict[str, Any] = {"person_id": None, "family_id": None, "starts": None, "ends": None, "reason": ""}
        row |= {
            "id": row_id,
            "request_id": f"{import_id}:{number}",
            "programme_id": programme.id,
            "card_number": str(decision.candidate.values.get("card_number", "")),
            "status": ParticipationStatus.ACTIVE.value,
            "source": Source.IMPORT.value,
            "known_on": date.fromisoformat(options["checked_on"]),
            "note": "Dari daftar peserta yang diimpor",
        }
        rows.append(row | {column: holder} | stamp)
        stored.append(Stored(number, decision.person["id"], decision.person["row_version"], undo={"participation": row_id}))
    if rows:
        db.session.execute(sa.insert(table_of(Participation)), rows)
    return stored


def leave(participation_id: str, *, by: str, at: datetime) -> str:
    """End a participation that an import recorded; "ya", or why it stays."""
    row = db.session.get(Participation, participation_id)
    if row is None or row.row_version != 1:
        return "kepesertaannya sudah diubah petugas"
    row.status, row.reason, row.ends = ParticipationStatus.STOPPED.value, UNDONE, at.date()
    row.stamp(by, at)
    return "ya"
