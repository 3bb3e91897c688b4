"""Reading the rows of a list, village after village, in the order in which people look for them: hamlet, RW, RT, family.

Only the keys of one village are held at a time, and the rows are read a page of them at once; each page goes through the scope
of the person who asked. So a list of a million rows needs no more memory than its largest village.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from appliance.access import Actor, in_areas, scope
from appliance.database import db
from appliance.exchange.export_filter import (
    ListFilter,
    Statement,
    narrow_cases,
    narrow_families,
    narrow_participants,
    narrow_people,
    narrow_proposals,
)
from appliance.exchange.export_layouts import Subject
from appliance.models.account import Account
from appliance.models.area import Area, Level
from appliance.models.case import Case, ServiceType
from appliance.models.person import Family, Person
from appliance.models.programme import Participation, Programme
from appliance.models.proposal import Proposal, ProposalBasis

PAGE_ROWS = 2000


@dataclass(frozen=True)
class Village:
    """A village with the areas it lies in."""

    code: str
    name: str
    bps_code: str
    subdistrict_code: str
    subdistrict: str
    district: str
    postcode: str


@dataclass(frozen=True)
class Rows:
    """The rows of one list: what is asked for, where, and by whom."""

    subject: Subject
    wanted: ListFilter
    area_codes: tuple[str, ...]
    by: Actor
    today: date

    def count(self) -> int:
        """How many there are now."""
        counts = []
        for source in _SOURCES[self.subject]:
            keys = self._narrowed(source, source.keys.where(in_areas(source.table.village_code, self.area_codes)))
            counts.append(db.session.scalar(sa.select(sa.func.count()).select_from(keys.subquery())) or 0)
        return sum(counts)

    def villages(self) -> list[Village]:
        """The villages of the list in the order of their codes, closed ones too: people may still be written there."""
        above, top = aliased(Area), aliased(Area)
        columns = (Area.code, Area.name, sa.func.coalesce(Area.bps_code, ""), above.code, above.name)
        statement = (
            sa.select(*columns, sa.func.coalesce(top.name, ""), Area.postcode)
            .join(above, Area.parent_code == above.code)
            .outerjoin(top, above.parent_code == top.code)
            .where(Area.level == Level.VILLAGE, in_areas(Area.code, self.area_codes))
            .order_by(Area.code)
        )
        return [Village(*(str(part) for part in row)) for row in db.session.execute(statement)]

    def pages(self, village_code: str) -> Iterator[list[Any]]:
        """The rows of one village, PAGE_ROWS at a time. Every page is a look of its own at the database."""
        for source in _SOURCES[self.subject]:
            keys = self._narrowed(source, source.keys.where(source.table.village_code == village_code))
            ids = [row[0] for row in sorted(db.session.execute(keys), key=source.order)]
            for start in range(0, len(ids), PAGE_ROWS):
                some = ids[start : start + PAGE_ROWS]
                page = self._narrowed(source, source.rows.where(source.id.in_(some)))
                found = {row.id: row for row in db.session.execute(page)}
                yield [found[one] for one in some if one in found]

    def _narrowed(self, source: _Source, statement: Statement) -> Statement:
        return source.narrow(scope(statement, source.table, self.by), self.wanted, self.today)


@dataclass(frozen=True)
class _Source:
    """How a kind of row is read: the table whose scope holds, the identifier, the sort keys (the identifier first), the
    columns, and the conditions."""

    table: Any
    id: Any
    keys: Statement
    order: Callable[[Any], Any]
    rows: Statement
    narrow: Callable[[Statement, ListFilter, date], Statement]


def _people_in_order(row: Any) -> tuple[Any, ...]:
    """By place and card, the head of the family first; who has no card comes last in her neighbourhood."""
    relation = int(row.relation) if row.relation.isdigit() else 99
    return (row.hamlet or "", row.rw or "", row.rt or "", row.kk is None, row.kk or "", row.family_id or "", relation, row.id)


def _places_in_order(row: Any) -> tuple[Any, ...]:
    return (row.hamlet or "", row.rw or "", row.rt or "", row.kk is None, row.kk or "", row[0])


def _cases_in_order(row: Any) -> tuple[Any, ...]:
    return (row.received_at, row[0])


_head, _owner = aliased(Person), aliased(Account)
_members = (
    sa.select(sa.func.count())
    .where(Person.family_id == Family.id, Person.status == "hidup", Person.merged_into_id.is_(None))
    .correlate(Family)
    .scalar_subquery()
)
_place = (Family.hamlet, Family.rw, Family.rt, Family.kk)
_family_columns = (*_place, Family.address, Family.latitude, Family.longitude)
_person_columns = (
    *(Person.nik, Person.nik_status, Person.nik_reason, Person.name, Person.nickname, Person.sex, Person.birth_place),
    *(Person.birth_date, Person.relation, Person.religion, Person.education, Person.occupation, Person.marital_status),
    *(Person.mother_name, Person.father_name, Person.phone, Person.insurance, Person.insurance_number, Person.nationality),
    *(Person.domicile, Person.status),
)
_proposal_columns = (
    *(Proposal.id, Proposal.number, Proposal.kind.label("proposal_kind"), Proposal.period, Proposal.state, Proposal.reason),
    *(Proposal.entered_on, Proposal.person_id, Programme.name.label("programme"), ProposalBasis.kind.label("basis_kind")),
    *(ProposalBasis.signed_on, ProposalBasis.number.label("basis_number"), ProposalBasis.paper_number),
)
_participation_columns = (
    *(Participation.id, Participation.family_id, Participation.card_number, Participation.status.label("participation")),
    *(Participation.starts, Participation.ends, Participation.source, Participation.known_on),
    Programme.name.label("programme"),
)
# A head who lives elsewhere is not named: whoever sees the family may not see her.
_is_head = sa.and_(_head.id == Family.head_id, _head.village_code == Family.village_code)


def _with_family(*columns: Any) -> Statement:
    return sa.select(*columns).select_from(Person).outerjoin(Family, Person.family_id == Family.id)


def _of_people(*columns: Any) -> Statement:
    return _with_family(*columns).join(Participation, Participation.person_id == Person.id).join(Programme)


def _of_families(*columns: Any) -> Statement:
    joined = sa.select(*columns).select_from(Family).outerjoin(_head, _is_head)
    return joined.join(Participation, Participation.family_id == Family.id).join(Programme)


def _proposed(*columns: Any) -> Statement:
    joined = sa.select(*columns).select_from(Proposal).join(Person, Person.id == Proposal.person_id)
    joined = joined.outerjoin(Family, Person.family_id == Family.id).outerjoin(Programme, Programme.id == Proposal.programme_id)
    return joined.outerjoin(ProposalBasis, ProposalBasis.id == Proposal.basis_id)


def _holders(person: Any) -> tuple[Any, ...]:
    """What is told of a participant."""
    same = (person.nik, person.name, person.sex, person.birth_place, person.birth_date, person.mother_name, person.phone)
    return (*same, person.status)


_SOURCES: Mapping[Subject, tuple[_Source, ...]] = {
    Subject.PEOPLE: (
        _Source(
            Person,
            Person.id,
            _with_family(Person.id, Person.family_id, Person.relation, *_place),
            _people_in_order,
            _with_family(Person.id, *_person_columns, *_family_columns),
            narrow_people,
        ),
    ),
    Subject.FAMILIES: (
        _Source(
            Family,
            Family.id,
            sa.select(Family.id, *_place),
            _places_in_order,
            sa.select(
                Family.id,
                *_family_columns,
                *(_head.name.label("head_name"), _head.nik.label("head_nik"), _head.phone.label("head_phone")),
                _members.label("members"),
            ).outerjoin(_head, _is_head),
            narrow_families,
        ),
    ),
    Subject.PARTICIPANTS: (
        _Source(
            Person,
            Participation.id,
            _of_people(Participation.id, *_place).where(Person.merged_into_id.is_(None)),
            _places_in_order,
            _of_people(*_participation_columns, *_holders(Person), *_family_columns),
            narrow_participants,
        ),
        _Source(
            Family,
            Participation.id,
            _of_families(Participation.id, *_place),
            _places_in_order,
            _of_families(*_participation_columns, *_holders(_head), *_family_columns),
            narrow_participants,
        ),
    ),
    Subject.PROPOSALS: (
        _Source(
            Proposal,
            Proposal.id,
            _proposed(Proposal.id, *_place),
            _places_in_order,
            _proposed(*_proposal_columns, *_person_columns, *_family_columns),
            narrow_proposals,
        ),
    ),
    Subject.CASES: (
        _Source(
            Case,
            Case.id,
            sa.select(Case.id, Case.received_at),
            _cases_in_order,
            sa.select(
                *(Case.id, Case.number, Case.received_at, Case.kind, Case.category, Case.priority, Case.confidential),
                *(Case.state, Case.state_since, Case.deadline, Case.outcome, Case.closed_at),
                *(Person.name, Person.nik, Person.sex, Person.birth_date),
                *(ServiceType.name.label("service"), _owner.name.label("owner")),
            )
            .join(Person, Person.id == Case.applicant_id)
            .join(ServiceType, ServiceType.id == Case.service_type_id)
            .outerjoin(_owner, _owner.id == Case.owner_id),
            narrow_cases,
        ),
    ),
}
