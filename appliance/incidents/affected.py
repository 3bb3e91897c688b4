"""The list of people whom an incident touches, as its reader may see them; reading it stands in the journal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from appliance import audit
from appliance.access import Actor, require, scope
from appliance.database import db, one_of, transaction
from appliance.incidents.moving import incident_of
from appliance.incidents.rules import DECIDERS
from appliance.incidents.touched import Touch, Touched, Window, read_touched
from appliance.models.case import Case
from appliance.models.incident import Incident
from appliance.models.person import Person
from appliance.registry.people_search import PersonLine, lines_of


@dataclass(frozen=True)
class AffectedPerson:
    """A resident, the numbers of her cases that were touched, and when and how."""

    person: PersonLine
    cases: tuple[str, ...]
    touch: Touch


@dataclass(frozen=True)
class Affected:
    """The people in the reader's scope by village and name; `beyond` counts those outside of it.

    `lists` counts by name the whole lists that were handled; `until` is the end of the time that was read.
    """

    number: str
    since: datetime
    until: datetime
    people: tuple[AffectedPerson, ...]
    beyond: int
    lists: Mapping[str, int]


def count_affected(incident: Incident, at: datetime) -> int:
    """How many residents the journal tells of, whoever may see them; 0 when no account is named."""
    return len(_touched(incident, at).people)


def print_affected(incident_id: str, *, by: Actor, at: datetime) -> Affected:
    """The list for paper, noted in the journal with everybody on it. Raises NotFound, NotAllowed."""
    require(by, *sorted(DECIDERS))
    with transaction():
        incident = incident_of(incident_id, by)
        touched = _touched(incident, at)
        people = _people(touched, by, at)
        found = Affected(
            number=incident.number,
            since=incident.seen_from,
            until=incident.seen_until or at,
            people=people,
            beyond=len(touched.people) - len(people),
            lists=touched.lists,
        )
        detail = {"jumlah": len(people), "warga": [line.person.id for line in people]}
        audit.record("cetak_terdampak", f"incident:{incident.id}", by=by, at=at, detail=detail)
    return found


def _touched(incident: Incident, at: datetime) -> Touched:
    if incident.account_id is None:
        return Touched({}, {}, {})
    until = incident.seen_until or at
    return read_touched(Window(incident.account_id, incident.device, incident.seen_from, until))


def _people(touched: Touched, by: Actor, at: datetime) -> tuple[AffectedPerson, ...]:
    rows = db.session.scalars(scope(sa.select(Person).where(one_of(Person.id, list(touched.people))), Person, by)).all()
    cases = _cases(touched, by)
    lines = sorted(lines_of(rows, at), key=lambda line: (line.village, line.name, line.id))
    return tuple(AffectedPerson(line, tuple(cases[line.id]), touched.people[line.id]) for line in lines)


def _cases(touched: Touched, by: Actor) -> defaultdict[str, list[str]]:
    """The numbers of the touched cases that she may see, by their resident."""
    wanted = sa.select(Case.applicant_id, Case.number).where(one_of(Case.id, list(touched.cases))).order_by(Case.number)
    found: defaultdict[str, list[str]] = defaultdict(list)
    for person_id, number in db.session.execute(scope(wanted, Case, by)):
        found[person_id].append(number)
    return found
