"""Who holds an aid, a need, a status or a profile: a person or her family, and whether the reader may see or write it.

The scope is that of the person's or the family's village, asked of `appliance.access` like everything else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar

import sqlalchemy as sa

from appliance.access import AREA_ROLES, Actor, require, require_area, scope
from appliance.database import Duplicate, changed_meanwhile, db, settings_in_use, transaction
from appliance.errors import InvalidInput, NotFound
from appliance.models.columns import Stamped
from appliance.models.person import Family, Person
from appliance.models.programme import Held
from appliance.models.roles import Role
from appliance.registry.people import person_in_scope

Row = TypeVar("Row", bound=Held)

# Those who write down what they see and hear; a signatory and the leaders only read.
RECORDER_ROLES = AREA_ROLES - {Role.PENANDATANGAN, Role.PIMPINAN}
# Families have a few members; a card with more than this is a mistake of an import, and a page shows the first ones.
MOST_MEMBERS = 40

_GONE = {"mati": "sudah meninggal", "pindah": "sudah pindah", "hilang": "tercatat hilang", "ganda": "adalah data ganda"}


@dataclass(frozen=True)
class Holder:
    """One person or one family; the other is None. `village_code` is where she or it lives."""

    person_id: str | None
    family_id: str | None
    village_code: str


@dataclass(frozen=True)
class Household:
    """A person with the members of her family whom the reader may see, herself first; `family` is None without one."""

    person: Person
    family: Family | None
    members: tuple[Person, ...]

    def name_of(self, row: Held) -> str:
        """Who holds the row, as a list names it."""
        if row.family_id:
            return "Keluarga"
        return next((member.name for member in self.members if member.id == row.person_id), "")


def holder_for(person_id: str, *, family: bool, by: Actor) -> Holder:
    """The person, or her family. Raises NotFound, and InvalidInput when she has no family that the reader may see."""
    person = person_in_scope(person_id, by)
    if not family:
        return Holder(person.id, None, person.village_code)
    found = _family(person.family_id, by)
    if found is None:
        raise InvalidInput({"family": "Warga ini belum punya keluarga (KK atau alamat). Catat untuk warga ini saja."})
    return Holder(None, found.id, found.village_code)


def holder_of(row: Held, by: Actor) -> Holder:
    """Who holds the row. Raises NotFound when the reader may not see her."""
    if row.person_id:
        return Holder(row.person_id, None, person_in_scope(row.person_id, by).village_code)
    found = _family(row.family_id, by)
    if found is None:
        raise NotFound("Data itu tidak ditemukan.", "Buka lagi dari halaman warga.")
    return Holder(None, found.id, found.village_code)


def held_row(table: type[Row], row_id: str, by: Actor) -> tuple[Row, Holder]:
    """One row that a person or family holds, with the holder, for a reader who may see her. Raises NotFound."""
    row = db.session.get(table, row_id)
    if row is None:
        raise NotFound("Data itu tidak ditemukan.", "Buka lagi dari halaman warga.")
    return row, holder_of(row, by)


def household_of(person_id: str, by: Actor) -> Household:
    """The person and her family. Raises NotFound."""
    person = person_in_scope(person_id, by)
    family = _family(person.family_id, by)
    if family is None:
        return Household(person, None, (person,))
    others = sa.select(Person).where(Person.family_id == family.id, Person.id != person.id, Person.merged_into_id.is_(None))
    found = db.session.scalars(scope(others, Person, by).order_by(Person.relation, Person.name).limit(MOST_MEMBERS)).all()
    return Household(person, family, (person, *found))


def belongs_to(table: type[Held], household: Household) -> sa.ColumnElement[bool]:
    """Whether a row of `table` belongs to somebody of the household or to the family itself."""
    ids = [member.id for member in household.members]
    mine = table.person_id.in_(ids)
    return sa.or_(mine, table.family_id == household.family.id) if household.family else mine


def face_of(row: Held, by: Actor) -> Person | None:
    """The person whose page leads to the row: the holder, or of a family its head or first member in scope."""
    if row.person_id:
        return person_in_scope(row.person_id, by)
    members = scope(sa.select(Person).where(Person.family_id == row.family_id), Person, by)
    family = _family(row.family_id, by)
    head = family.head_id if family else None
    return db.session.scalar(members.order_by(Person.id != head, Person.relation, Person.id).limit(1))


def gone(holder: Person | Family) -> str:
    """Why the holder should receive nothing any more, as the end of a sentence; "" for the living."""
    if isinstance(holder, Person):
        return _GONE.get(holder.status, "")
    return "sudah pindah" if holder.status == "pindah" else ""


def require_recorder(by: Actor, holder: Holder) -> None:
    """Raises NotAllowed unless `by` may write about the holder."""
    require(by, *RECORDER_ROLES)
    require_area(by, holder.village_code)


def subject_of(holder: Holder) -> str:
    """How the journal names the holder."""
    return f"person:{holder.person_id}" if holder.person_id else f"family:{holder.family_id}"


def require_version(row: Stamped, seen: int) -> None:
    """Raises Conflict when the row was changed since the form was shown."""
    if row.row_version != seen:
        raise changed_meanwhile()


def office_day(at: datetime) -> date:
    """The office's day."""
    return at.astimezone(settings_in_use().zone).date()


def too_long(given: object, limits: dict[str, int]) -> dict[str, str]:
    """A problem for each text that is longer than its column."""
    return {
        name: f"Terlalu panjang; paling banyak {most} huruf." for name, most in limits.items() if len(getattr(given, name)) > most
    }


def stored_once(table: type[Any], request_id: str, by: Actor, store: Callable[[], str]) -> str:
    """Run `store` in a transaction unless she sent the same request before; the identifier of its row either way."""

    def once() -> str:
        with transaction():
            known = sa.select(table.id).where(table.request_id == request_id, _writer(table) == by.account_id)
            return db.session.scalar(known) or store()

    try:
        return once()
    except Duplicate:
        # Another process was faster with the same request: the second look sees it.
        return once()


def _writer(table: type[Any]) -> Any:
    return table.created_by if issubclass(table, Stamped) else table.stored_by


def _family(family_id: str | None, by: Actor) -> Family | None:
    if family_id is None:
        return None
    return db.session.scalar(scope(sa.select(Family).where(Family.id == family_id), Family, by))
