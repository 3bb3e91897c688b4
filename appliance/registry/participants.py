"""Who takes part in a programme, village by village: pages that follow each other by a key, never by counting.

A village is asked for on purpose: its people are few thousands, a programme's in a district may be half a million.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from appliance.access import AREA_ROLES, Actor, require, scope
from appliance.database import db
from appliance.models.person import Family, Person
from appliance.models.programme import Participation, ParticipationStatus
from appliance.registry import nik

PAGE_SIZE = 25


@dataclass(frozen=True)
class ParticipantsWanted:
    """Whose list: a programme in a village, of one status or "" for any, after the last line of the page before."""

    programme_id: str
    village_code: str
    status: str = ""
    after: str = ""


@dataclass(frozen=True)
class ParticipantLine:
    """One participation. For a family `name` is that of its head, if known; numbers are masked."""

    id: str
    person_id: str | None
    name: str
    family: bool
    nik_masked: str
    kk_masked: str
    card_number: str
    status: str
    starts: date | None
    source: str
    known_on: date


@dataclass(frozen=True)
class Participants:
    """One page by name. `following` is the key of the next page, or ""."""

    lines: tuple[ParticipantLine, ...]
    following: str


def list_participants(wanted: ParticipantsWanted, *, by: Actor) -> Participants:
    """One page of the people and families of a village in a programme, as far as `by` may see them. Raises NotAllowed."""
    require(by, *AREA_ROLES)
    both = sa.union_all(_people(wanted, by), _families(wanted, by)).subquery()
    statement = sa.select(both.c.id, both.c.name).order_by(both.c.name, both.c.id).limit(PAGE_SIZE + 1)
    if wanted.after:
        name, _, last = wanted.after.rpartition("|")
        statement = statement.where(sa.or_(both.c.name > name, sa.and_(both.c.name == name, both.c.id > last)))
    keys = db.session.execute(statement).all()
    following = f"{keys[PAGE_SIZE - 1].name}|{keys[PAGE_SIZE - 1].id}" if len(keys) > PAGE_SIZE else ""
    return Participants(tuple(_lines([key.id for key in keys[:PAGE_SIZE]])), following)


def _people(wanted: ParticipantsWanted, by: Actor) -> sa.Select[str, str]:
    statement = sa.select(Participation.id, Person.name_search.label("name")).join(Person, Person.id == Participation.person_id)
    statement = scope(statement.where(Person.village_code == wanted.village_code), Person, by)
    return _narrowed(statement.where(Person.merged_into_id.is_(None)), wanted)


def _families(wanted: ParticipantsWanted, by: Actor) -> sa.Select[str, str]:
    head = aliased(Person)
    statement = (
        sa.select(Participation.id, sa.func.coalesce(head.name_search, "").label("name"))
        .join(Family, Family.id == Participation.family_id)
        .outerjoin(head, sa.and_(head.id == Family.head_id, head.village_code == Family.village_code))
    )
    return _narrowed(scope(statement.where(Family.village_code == wanted.village_code), Family, by), wanted)


def _narrowed(statement: sa.Select[str, str], wanted: ParticipantsWanted) -> sa.Select[str, str]:
    statement = statement.where(Participation.programme_id == wanted.programme_id)
    if wanted.status in set(ParticipationStatus):
        statement = statement.where(Participation.status == wanted.status)
    return statement


def _lines(ids: list[str]) -> list[ParticipantLine]:
    """The rows of a page with whom they belong to, in the order of `ids`."""
    person, family = aliased(Person), aliased(Family)
    statement = (
        sa.select(Participation, person, family)
        .outerjoin(family, family.id == Participation.family_id)
        .outerjoin(person, sa.or_(person.id == Participation.person_id, _is_head(person, family)))
        .where(Participation.id.in_(ids))
    )
    found = {row.id: _line(row, who, card) for row, who, card in db.session.execute(statement)}
    return [found[one] for one in ids]


def _is_head(person: Any, family: Any) -> sa.ColumnElement[bool]:
    """A head who lives elsewhere is not named: whoever sees the family may not see her."""
    return sa.and_(person.id == family.head_id, person.village_code == family.village_code)


def _line(row: Participation, person: Person | None, family: Family | None) -> ParticipantLine:
    return ParticipantLine(
        id=row.id,
        person_id=person.id if person else None,
        name=person.name if person else "",
        family=family is not None,
        nik_masked=nik.mask(person.nik if person else None),
        kk_masked=nik.mask(family.kk if family else None),
        card_number=row.card_number,
        status=row.status,
        starts=row.starts,
        source=row.source,
        known_on=row.known_on,
    )
