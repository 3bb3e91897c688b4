"""Who married, who was divorced, who lost her spouse: noted for both of a couple, with what follows on their family card.

A divorce may be noted before the couple has new cards; whoever leaves the card can be named with it. Each function of the first
part is one transaction and one fact in the journal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from appliance import audit
from appliance.access import EDITOR_ROLES, Actor, scope
from appliance.database import db, transaction
from appliance.errors import Conflict, InvalidInput
from appliance.models.person import Family, LifeKind, Person, Relation
from appliance.registry import life_events, nik
from appliance.registry.corrections import note_changes
from appliance.registry.families import ALIVE, Split, day_problems, living_members, living_person, part_members, part_problems

MARRIED, DIVORCED, WIDOWED = "2", "3", "4"
COUPLE = frozenset({Relation.HEAD.value, Relation.HUSBAND.value, Relation.WIFE.value})
LONGEST_NAME = 120


@dataclass(frozen=True)
class Divorce:
    """Of whom somebody was divorced: `spouse_id` of her family, or `spouse`, a name or the NIK of somebody registered.

    `leaving` are who gets a card of their own with it, as in `Split`; nobody when that is not settled yet.
    """

    on: date | None
    evidence: str = ""
    spouse_id: str = ""
    spouse: str = ""
    leaving: Split | None = None


@dataclass(frozen=True)
class _Told:
    """The day of an event and its paper, by whom it was told and when."""

    on: date | None
    evidence: str
    by: Actor
    at: datetime


def record_marriage(  # noqa: PLR0913  two people, a day and a paper
    person_id: str,
    *,
    spouse: str,
    on: date | None,
    evidence: str,
    row_version: int,
    by: Actor,
    at: datetime,
) -> None:
    """Note that somebody married. `spouse` is a name, or the NIK of somebody registered, who is noted as well.

    Raises NotFound, NotAllowed, Conflict, InvalidInput.
    """
    with transaction():
        person = living_person(person_id, row_version, by)
        problems = day_problems(on, at)
        if not spouse.strip():
            problems["spouse"] = "Tulis nama pasangan, atau NIK-nya bila sudah terdaftar."
        if problems:
            raise InvalidInput(problems)
        partner = _partner(spouse, person, by)
        for one, other in _both(person, partner):
            one.marital_status = MARRIED
            _note(LifeKind.MARRIED, one, other.name if other else _name(spouse), _Told(on, evidence, by, at))
        audit.record("kawin", f"person:{person.id}", by=by, at=at, detail={"pasangan": partner.id if partner else ""})


def record_divorce(person_id: str, divorce: Divorce, *, row_version: int, by: Actor, at: datetime) -> str:
    """Note that somebody was divorced, for both where both are known; the identifier of the new family of who left, or "".

    Raises NotFound, NotAllowed, Conflict, CardTaken, InvalidInput with all problems.
    """
    with transaction():
        person = living_person(person_id, row_version, by)
        if person.marital_status == DIVORCED:
            raise Conflict(
                "Warga ini sudah tercatat cerai hidup.", "Periksa peristiwanya; catat kawin dahulu bila ia kawin lagi."
            )
        family = db.session.get(Family, person.family_id) if person.family_id else None
        partner = _divorced_of(divorce, person, family, by, at)
        both = [(*two, MARRIED if _has_another(*two) else DIVORCED) for two in _both(person, partner)]
        parted = part_members(family, divorce.leaving, by, at) if family and divorce.leaving else None
        for one, other, status in both:
            one.marital_status = status
            told = _Told(divorce.on, divorce.evidence, by, at)
            _note(LifeKind.DIVORCED, one, other.name if other else _name(divorce.spouse), told)
        _no_longer_related(person, partner, by, at)
        audit.record("cerai", f"person:{person.id}", by=by, at=at, detail={"pasangan": partner.id if partner else ""})
        return parted.id if parted else ""


def note_widowed(dead: Person, by: Actor, at: datetime) -> None:
    """The spouse on the card of somebody who died is widowed, unless another one is there. Inside the running transaction."""
    for spouse in _spouses(dead):
        if spouse.marital_status == MARRIED and not _has_another(spouse, dead):
            changes = {"marital_status": [MARRIED, WIDOWED]}
            note_changes(changes, "Pasangan meninggal", person_id=spouse.id, by=by, at=at)
            spouse.marital_status = WIDOWED
            spouse.stamp(by.account_id, at)


def _spouses(person: Person) -> Sequence[Person]:
    """The living members of her card who stand beside her as husband or wife, whether they are or were."""
    if not person.family_id or person.relation not in COUPLE:
        return ()
    heads = Relation.HEAD.value
    return [
        one
        for one in living_members(person.family_id)
        if one.relation in COUPLE and one.sex != person.sex and (one.relation == heads) != (person.relation == heads)
    ]


def _has_another(person: Person, but: Person | None) -> bool:
    return but is not None and any(one is not but and one.marital_status == MARRIED for one in _spouses(person))


def _both(person: Person, partner: Person | None) -> list[tuple[Person, Person | None]]:
    return [(person, partner), (partner, person)] if partner else [(person, None)]


def _divorced_of(divorce: Divorce, person: Person, family: Family | None, by: Actor, at: datetime) -> Person | None:
    """The other of the two, if she is registered. Raises InvalidInput with all problems."""
    problems = day_problems(divorce.on, at)
    members = {one.id: one for one in living_members(family.id)} if family else {}
    if divorce.spouse_id and (divorce.spouse_id not in members or divorce.spouse_id == person.id):
        problems["spouse_id"] = "Pilih pasangan dari anggota keluarga ini."
    elif not divorce.spouse_id and not divorce.spouse.strip():
        problems["spouse_id"] = "Pilih pasangan, atau tulis nama atau NIK-nya."
    leaving = set(divorce.leaving.member_ids) if divorce.leaving else set()
    if divorce.leaving:
        problems |= part_problems(divorce.leaving, members.keys(), at)
    if divorce.spouse_id in leaving and person.id in leaving:
        problems["member_ids"] = (
            "Suami dan istri yang bercerai tidak pindah ke KK yang sama; pilih salah satu dengan anak yang ikut."
        )
    elif leaving and person.id not in leaving and divorce.spouse_id not in leaving:
        problems["member_ids"] = "Yang pindah ke KK baru ialah salah satu dari keduanya, dengan anak yang ikut."
    if problems:
        raise InvalidInput(problems)
    return members.get(divorce.spouse_id) or _partner(divorce.spouse, person, by)


def _no_longer_related(person: Person, partner: Person | None, by: Actor, at: datetime) -> None:
    """Nobody is called husband or wife of a head from whom she was divorced."""
    for one in (person, partner):
        if one is None or one.relation not in (Relation.HUSBAND, Relation.WIFE) or one.marital_status != DIVORCED:
            continue
        note_changes({"relation": [one.relation, Relation.OTHER.value]}, "Cerai", person_id=one.id, by=by, at=at)
        one.relation = Relation.OTHER.value


def _partner(spouse: str, person: Person, by: Actor) -> Person | None:
    digits = nik.clean(spouse)
    if not digits.isdigit():
        return None
    found = db.session.scalar(scope(sa.select(Person).where(Person.nik == digits), Person, by))
    if found is None or found.id == person.id or found.status != ALIVE or not by.has_in(found.village_code, *EDITOR_ROLES):
        raise InvalidInput({"spouse": "NIK itu tidak ditemukan di wilayah Anda; tulis nama pasangannya saja."})
    return found


def _name(spouse: str) -> str:
    return " ".join(spouse.split())[:LONGEST_NAME]


def _note(kind: LifeKind, person: Person, spouse: str, told: _Told) -> None:
    person.stamp(told.by.account_id, told.at)
    life_events.note(
        kind,
        person_id=person.id,
        family_id=person.family_id,
        on=told.on,
        detail={"pasangan": spouse},
        evidence=told.evidence,
        by=told.by.account_id,
        at=told.at,
    )
