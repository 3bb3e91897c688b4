"""Putting right what is stored of a person or a family: with a reason, never over a newer state, with before and after kept.

Each function is one transaction and one fact in the journal. What the fields held stands in the life events of the registry;
the journal names the fields only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from appliance import audit
from appliance.access import EDITOR_ROLES, Actor, scope
from appliance.database import changed_meanwhile, db, transaction
from appliance.errors import InvalidInput, NotFound
from appliance.models.person import Family, LifeKind, Person
from appliance.registry import life_events, person_fields, search_index
from appliance.registry.coordinates import place_problems
from appliance.registry.people import PLACE_LIMITS, person_in_scope, require_there, three_digits
from appliance.registry.person_fields import PersonFields

REASONS = (
    "Salah ketik",
    "Sesuai KTP/KK yang ditunjukkan",
    "Sesuai data Disdukcapil",
    "NIK sudah terbit",
    "Keterangan warga",
)


@dataclass(frozen=True)
class FamilyFields:
    """Where a family lives, as it is typed."""

    address: str = ""
    hamlet: str = ""
    rt: str = ""
    rw: str = ""
    latitude: float | None = None
    longitude: float | None = None
    note: str = ""


def correct_person(
    person_id: str, typed: PersonFields, *, reason: str, row_version: int, by: Actor, at: datetime
) -> tuple[str, ...]:
    """Store what was typed over what `row_version` held; the names of the fields that changed, none when nothing did.

    An empty `nik` without a `nik_reason` leaves the number as it is: the form does not show it.
    Raises NotFound, NotAllowed, Conflict (somebody changed her meanwhile), InvalidInput with all problems, NikTaken.
    """
    with person_fields.telling_of_taken_numbers(by, at), transaction():
        person = person_in_scope(person_id, by)
        require_there(by, person.village_code, *EDITOR_ROLES)
        require_version(person, row_version)
        before = person_fields.fields_of(person)
        if not (typed.nik or typed.nik_reason.strip()):
            typed = replace(typed, nik=before.nik, nik_reason=before.nik_reason)
        number = person_fields.check(typed)
        problems = person_fields.problems_of(typed, number, at, known=before) | reason_problems(reason)
        if problems:
            raise InvalidInput(problems)
        if number:
            person_fields.refuse_taken(number.digits, by, but=person.id)
        search_index.forget_person(person)
        person_fields.write(person, typed, number)
        search_index.index_person(person)
        changes = differences(asdict(before), asdict(person_fields.fields_of(person)))
        if changes:
            person.stamp(by.account_id, at)
            note_changes(changes, reason, person_id=person.id, by=by, at=at)
            audit.record("perbaiki", f"person:{person.id}", by=by, at=at, detail={"kolom": sorted(changes)})
        return tuple(changes)


def correct_family(
    family_id: str, typed: FamilyFields, *, reason: str, row_version: int, by: Actor, at: datetime
) -> tuple[str, ...]:
    """The same for the place of a family."""
    with transaction():
        family = family_in_scope(family_id, by)
        require_there(by, family.village_code, *EDITOR_ROLES)
        require_version(family, row_version)
        problems = _family_problems(typed) | reason_problems(reason)
        if problems:
            raise InvalidInput(problems)
        before = asdict(family_fields_of(family))
        _write_family(family, typed)
        changes = differences(before, asdict(family_fields_of(family)))
        if changes:
            family.stamp(by.account_id, at)
            note_changes(changes, reason, family_id=family.id, by=by, at=at)
            audit.record("perbaiki", f"family:{family.id}", by=by, at=at, detail={"kolom": sorted(changes)})
        return tuple(changes)


def family_in_scope(family_id: str, by: Actor) -> Family:
    """The row of a family that `by` may see. Raises NotFound. For services."""
    family = db.session.scalar(scope(sa.select(Family).where(Family.id == family_id), Family, by))
    if family is None:
        raise NotFound("Data keluarga tidak ditemukan.", "Cari lagi dengan nomor KK atau nama anggotanya.")
    return family


def family_fields_of(family: Family) -> FamilyFields:
    """What is stored of a family's place, as it would be typed."""
    return FamilyFields(
        address=family.address,
        hamlet=family.hamlet,
        rt=family.rt,
        rw=family.rw,
        latitude=family.latitude,
        longitude=family.longitude,
        note=family.note,
    )


def require_version(row: Person | Family, seen: int) -> None:
    """Raises Conflict when the row is not as the writer saw it."""
    if row.row_version != seen:
        raise changed_meanwhile()


def reason_problems(reason: str) -> dict[str, str]:
    """A change needs a reason, if only a short one."""
    return {} if len(reason.strip()) >= 3 else {"reason": "Pilih atau tulis alasan perbaikan."}


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The fields that differ, each with what was there before and after, as they can be kept in a life event."""
    return {name: [_plain(before[name]), _plain(after[name])] for name in after if before[name] != after[name]}


def note_changes(
    changes: Mapping[str, list[Any]],
    reason: str,
    *,
    person_id: str | None = None,
    family_id: str | None = None,
    by: Actor,
    at: datetime,
) -> None:
    """Keep a correction among the life events, inside the running transaction."""
    detail = {"alasan": reason.strip()[:300], life_events.CHANGES: dict(changes)}
    life_events.note(LifeKind.CORRECTED, person_id=person_id, family_id=family_id, detail=detail, by=by.account_id, at=at)


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return f"{value:%d-%m-%Y}"
    return list(value) if isinstance(value, tuple) else value


def _family_problems(typed: FamilyFields) -> dict[str, str]:
    problems = {
        name: f"Terlalu panjang; paling banyak {longest} huruf."
        for name, longest in PLACE_LIMITS.items()
        if len(getattr(typed, name)) > longest
    }
    return problems | place_problems(typed.latitude, typed.longitude)


def _write_family(family: Family, typed: FamilyFields) -> None:
    family.address, family.hamlet, family.note = typed.address.strip(), typed.hamlet.strip(), typed.note.strip()
    family.rt, family.rw = three_digits(typed.rt), three_digits(typed.rw)
    family.latitude, family.longitude = typed.latitude, typed.longitude
