"""Reading the rows of a list, village after village, in the order in which people look for them: hamlet, RW, RT, family.

Only the keys of one village are held at a time, and the rows are read a page of them at once; each page goes through the scope
of the person who asked. So a list of a million rows needs no more memory than its largest village.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from appliance.access import Actor, scope
from appliance.database import begins_with, db
from appliance.exchange.export_layouts import Subject
from appliance.models.area import Area, Level
from appliance.models.person import Family, Person

PAGE_ROWS = 2000
Statement: TypeAlias = "sa.Select[*tuple[Any, ...]]"


@dataclass(frozen=True)
class ListFilter:
    """Whom a list holds. Empty texts and None leave a condition out; ages are full years on the day of the asking."""

    status: str = "hidup"
    without_nik: bool = False
    sex: str = ""
    age_from: int | None = None
    age_to: int | None = None


@dataclass(frozen=True)
class Village:
    """A village with the areas it lies in."""

    code: str
    name: str
    subdistrict_code: str
    subdistrict: str
    district: str


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
        source = _SOURCES[self.subject]
        inside = in_areas(source.table.village_code, self.area_codes)
        counted = sa.select(sa.func.count()).select_from(source.table).where(inside)
        return db.session.scalar(self._narrowed(counted)) or 0

    def villages(self) -> list[Village]:
        """The villages of the list in the order of their codes, closed ones too: people may still be written there."""
        above, top = aliased(Area), aliased(Area)
        statement = (
            sa.select(
                Area.code, Area.name, above.code, above.name, sa.func.coalesce(top.kind, ""), sa.func.coalesce(top.name, "")
            )
            .join(above, Area.parent_code == above.code)
            .outerjoin(top, above.parent_code == top.code)
            .where(Area.level == Level.VILLAGE, in_areas(Area.code, self.area_codes))
            .order_by(Area.code)
        )
        return [Village(*row) for row in db.session.execute(statement)]

    def pages(self, village_code: str) -> Iterator[list[Any]]:
        """The rows of one village, PAGE_ROWS at a time. Every page is a look of its own at the database."""
        source = _SOURCES[self.subject]
        keys = self._narrowed(source.keys.where(source.table.village_code == village_code))
        ids = [row[0] for row in sorted(db.session.execute(keys), key=source.order)]
        for start in range(0, len(ids), PAGE_ROWS):
            some = ids[start : start + PAGE_ROWS]
            found = {row.id: row for row in db.session.execute(self._narrowed(source.rows.where(source.table.id.in_(some))))}
            yield [found[one] for one in some if one in found]

    def _narrowed(self, statement: Statement) -> Statement:
        source = _SOURCES[self.subject]
        return source.narrow(scope(statement, source.table, self.by), self.wanted, self.today)


def in_areas(column: Any, codes: Sequence[str]) -> sa.ColumnElement[bool]:
    """Whether a village code lies in one of the areas."""
    return sa.or_(sa.false(), *(sa.or_(column == code, begins_with(column, f"{code}.")) for code in codes))


@dataclass(frozen=True)
class _Source:
    """How a kind of row is read: its table, its sort keys (the first is the identifier), its columns, its filter."""

    table: Any
    keys: Statement
    order: Callable[[Any], Any]
    rows: Statement
    narrow: Callable[[Statement, ListFilter, date], Statement]


def years_before(today: date, years: int) -> date:
    """The same day so many years earlier; the last of February in the place of the 29th."""
    try:
        return today.replace(year=today.year - years)
    except ValueError:
        return today.replace(year=today.year - years, day=28)


def _narrow_people(statement: Statement, wanted: ListFilter, today: date) -> Statement:
    statement = statement.where(Person.merged_into_id.is_(None))
    if wanted.status:
        statement = statement.where(Person.status == wanted.status)
    if wanted.without_nik:
        statement = statement.where(Person.nik.is_(None))
    if wanted.sex:
        statement = statement.where(Person.sex == wanted.sex)
    if wanted.age_from is not None:
        statement = statement.where(Person.birth_date <= years_before(today, wanted.age_from))
    if wanted.age_to is not None:
        # who turns a year older today is too old already
        statement = statement.where(Person.birth_date > years_before(today, wanted.age_to + 1))
    return statement


def _narrow_families(statement: Statement, wanted: ListFilter, today: date) -> Statement:
    return statement.where(Family.status == "aktif")


def _people_in_order(row: Any) -> tuple[Any, ...]:
    """By place and card, the head of the family first; who has no card comes last in her neighbourhood."""
    relation = int(row.relation) if row.relation.isdigit() else 99
    return (row.hamlet or "", row.rw or "", row.rt or "", row.kk is None, row.kk or "", row.family_id or "", relation, row.id)


def _families_in_order(row: Any) -> tuple[Any, ...]:
    return (row.hamlet, row.rw, row.rt, row.kk is None, row.kk or "", row.id)


_head = aliased(Person)
_members = (
    sa.select(sa.func.count())
    .where(Person.family_id == Family.id, Person.status == "hidup", Person.merged_into_id.is_(None))
    .correlate(Family)
    .scalar_subquery()
)
_family_columns = (Family.kk, Family.address, Family.hamlet, Family.rw, Family.rt, Family.latitude, Family.longitude)
_person_columns = (
    *(Person.id, Person.nik, Person.nik_status, Person.nik_reason, Person.name, Person.nickname, Person.sex),
    *(Person.birth_place, Person.birth_date, Person.relation, Person.religion, Person.education, Person.occupation),
    *(Person.marital_status, Person.mother_name, Person.father_name, Person.phone, Person.insurance, Person.insurance_number),
    Person.status,
)

_SOURCES: Mapping[Subject, _Source] = {
    Subject.PEOPLE: _Source(
        Person,
        sa.select(Person.id, Person.family_id, Person.relation, Family.hamlet, Family.rw, Family.rt, Family.kk).outerjoin(
            Family, Person.family_id == Family.id
        ),
        _people_in_order,
        sa.select(*_person_columns, *_family_columns).outerjoin(Family, Person.family_id == Family.id),
        _narrow_people,
    ),
    Subject.FAMILIES: _Source(
        Family,
        sa.select(Family.id, Family.hamlet, Family.rw, Family.rt, Family.kk),
        _families_in_order,
        sa.select(
            Family.id,
            *_family_columns,
            *(_head.name.label("head_name"), _head.nik.label("head_nik"), _head.phone.label("head_phone")),
            _members.label("members"),
        ).outerjoin(_head, Family.head_id == _head.id),
        _narrow_families,
    ),
}
