"""What happened to people and families: an append-only list, newest first.

`note` is for services, inside their own transaction. It opens none of its own and writes nothing into the journal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from appliance.access import AREA_ROLES, HEALTH_ROLES, Actor, scope
from appliance.database import db
from appliance.models.account import Account
from appliance.models.person import Family, LifeEvent, LifeKind, Person
from appliance.registry import codes, nik
from appliance.registry.areas import area_names

PAGE_SIZE = 30
CHANGES = "changes"
# What holds the code of a village.
PLACES = ("dari_desa", "ke_desa")
NUMBERS = frozenset({"nik", "kk"})
HEALTH_LISTS = {"disabilities": codes.DISABILITIES, "chronic_illnesses": codes.ILLNESSES}
HEALTH_FIELDS = frozenset({*HEALTH_LISTS, "pregnant"})


def note(  # noqa: PLR0913  the columns of an event
    kind: LifeKind | str,
    *,
    person_id: str | None = None,
    family_id: str | None = None,
    on: date | None = None,
    detail: Mapping[str, Any] | None = None,
    evidence: str = "",
    by: str,
    at: datetime,
) -> None:
    """Append one event inside the running transaction.

    `by` is an account's identifier, `on` the day it happened. `detail` is small and of plain values; what changed stands in it
    as `{"changes": {field: [before, after]}}`. Raises ValueError for an unknown kind or an event of nobody.
    """
    if person_id is None and family_id is None:
        raise ValueError("an event belongs to a person, a family, or both")
    db.session.add(
        LifeEvent(
            kind=LifeKind(kind).value,
            person_id=person_id,
            family_id=family_id,
            happened_on=on,
            recorded_at=at,
            recorded_by=by,
            evidence=evidence.strip()[:300],
            detail=dict(detail or {}),
        )
    )
    db.session.flush()


@dataclass(frozen=True)
class Change:
    """One field that was corrected, in words; numbers masked."""

    field: str
    before: str
    after: str


@dataclass(frozen=True)
class EventLine:
    """One event as a page shows it. `facts` are the plain words of its detail by their key; `person_name` is "" for a family's."""

    id: str
    kind: str
    person_id: str | None
    person_name: str
    family_id: str | None
    happened_on: date | None
    recorded_at: datetime
    by_name: str
    evidence: str
    facts: Mapping[str, str]
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class EventsFound:
    """Events, newest first. `following` is what to ask for with `after` to go on; "" at the end."""

    events: tuple[EventLine, ...]
    following: str


def of_person(person_id: str, *, by: Actor, after: str = "", most: int = PAGE_SIZE) -> EventsFound:
    """What happened to a person whom `by` may see; nothing of anybody else. A look at her is for the caller to record."""
    seen = scope(sa.select(Person.id).where(Person.id == person_id), Person, by)
    return _found(LifeEvent.person_id.in_(seen), by, after, most)


def of_family(family_id: str, *, by: Actor, after: str = "", most: int = PAGE_SIZE) -> EventsFound:
    """What happened to a family and in it."""
    seen = scope(sa.select(Family.id).where(Family.id == family_id), Family, by)
    return _found(LifeEvent.family_id.in_(seen), by, after, most)


def _found(whose: sa.ColumnElement[bool], by: Actor, after: str, most: int) -> EventsFound:
    statement = (
        sa.select(LifeEvent, Account.name, Person.name, Person.village_code)
        .outerjoin(Account, Account.id == LifeEvent.recorded_by)
        .outerjoin(Person, Person.id == LifeEvent.person_id)
        .where(whose)
        .order_by(LifeEvent.recorded_at.desc(), LifeEvent.id.desc())
        .limit(most + 1)
    )
    last = db.session.get(LifeEvent, after) if after else None
    if last is not None:
        older = sa.and_(LifeEvent.recorded_at == last.recorded_at, LifeEvent.id < last.id)
        statement = statement.where(sa.or_(LifeEvent.recorded_at < last.recorded_at, older))
    rows = db.session.execute(statement).all()
    places = area_names({event.detail[key] for event, *_ in rows for key in PLACES if event.detail.get(key)})
    lines = tuple(_line(event, by_name, name, village, by, places) for event, by_name, name, village in rows[:most])
    return EventsFound(lines, lines[-1].id if len(rows) > most else "")


def _line(
    event: LifeEvent, by_name: str | None, name: str | None, village: str | None, by: Actor, places: Mapping[str, str]
) -> EventLine:
    detail = {key: places.get(value, value) if key in PLACES else value for key, value in event.detail.items()}
    changes = detail.pop(CHANGES, {})
    if not by.has_in(village or "", *HEALTH_ROLES):
        changes = {field: change for field, change in changes.items() if field not in HEALTH_FIELDS}
    seen = name if village and by.has_in(village, *AREA_ROLES) else None
    return EventLine(
        id=event.id,
        kind=event.kind,
        person_id=event.person_id if seen else None,
        person_name=seen or "",
        family_id=event.family_id,
        happened_on=event.happened_on,
        recorded_at=event.recorded_at,
        by_name=by_name or "Sistem",
        evidence=event.evidence,
        facts={key: nik.mask_within(value) for key, value in detail.items() if isinstance(value, str) and value},
        changes=tuple(Change(field, _words(field, before), _words(field, after)) for field, (before, after) in changes.items()),
    )


def _words(field: str, value: Any) -> str:
    if value in (None, "", []):
        return ""
    if isinstance(value, bool):
        return "ya" if value else "tidak"
    if field in NUMBERS:
        return nik.mask(str(value))
    listed = HEALTH_LISTS.get(field)
    if listed:
        return ", ".join(listed.get(str(code), str(code)) for code in value)
    return codes.label(field, str(value)) if field in codes.LISTS else str(value)
