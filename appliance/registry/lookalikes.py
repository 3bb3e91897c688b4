"""Who is known already and may be the one at the desk: candidates by indexes, judged by `likeness`. Reads only.

Each question to the database is narrow (a number, a day of birth in a village, words in a village and a year), so that the
answer costs the same among thousands of people and among millions.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from appliance.access import Actor, scope
from appliance.database import db
from appliance.models.area import Area
from appliance.models.duplicate import OldIdentifier
from appliance.models.person import NOT_VALID, Family, Person, PersonWord
from appliance.registry import nik
from appliance.registry.comparing import Row, beside_new
from appliance.registry.likeness import Identity, Likeness, Reason, compare, identity, near_numbers, swapped
from appliance.registry.names import searchable
from appliance.registry.people import NewPerson
from appliance.registry.people_search import PersonLine, lines_of

MOST = 10
# No question brings more rows than this: a default date of birth (1 July) is shared by hundreds.
MOST_ROWS = 400

Rows: TypeAlias = sa.Select[*tuple[Any, ...]]


@dataclass(frozen=True)
class Lookalike:
    """Somebody known who may be the one being registered; `rows` compare what was typed with what is known."""

    line: PersonLine
    likeness: Likeness
    rows: tuple[Row, ...]

    @property
    def has_her_nik(self) -> bool:
        """Whether her NIK is the one that was typed: then nobody else can be stored with it."""
        return Reason.SAME_NIK in self.likeness.reasons


def find_lookalikes(new: NewPerson, *, by: Actor, at: datetime) -> tuple[Lookalike, ...]:
    """The people `by` may see who may be `new`, the likest first, at most MOST of them."""
    found = alike(identity_of_new(new), by)[:MOST]
    statement = sa.select(Person).where(Person.id.in_([person_id for person_id, _ in found])).options(joinedload(Person.family))
    people = {person.id: person for person in db.session.scalars(statement)}
    lines = {line.id: line for line in lines_of(people.values(), at)}
    return tuple(Lookalike(lines[person_id], likeness, beside_new(new, people[person_id])) for person_id, likeness in found)


def alike(me: Identity, by: Actor) -> list[tuple[str, Likeness]]:
    """Identifiers of people in the scope of `by` who are like `me`, the likest first."""
    former = _formerly(me.nik)
    known: dict[str, Identity] = {}
    for statement in _questions(me, former):
        known |= {row.id: identity_of(row) for row in db.session.execute(scope(statement, Person, by))}
    judged = {person_id: _judge(me, other, person_id in former) for person_id, other in known.items()}
    found = [(person_id, likeness) for person_id, likeness in judged.items() if likeness]
    return sorted(found, key=lambda one: (-one[1].score, one[0]))


def identity_of_new(new: NewPerson) -> Identity:
    """What was typed, as the rules compare it."""
    return identity(
        new.name,
        sex=new.sex,
        village_code=new.village_code,
        birth_date=new.birth_date,
        estimated=new.birth_date_estimated,
        nik=nik.clean(new.nik),
        card=nik.clean(new.kk),
        mother=new.mother_name,
    )


def to_compare() -> Rows:
    """The columns of the people who count (no record that was merged away or taken back), for `identity_of`."""
    statement = sa.select(
        *(Person.id, Person.name_search, Person.sex, Person.village_code, Person.birth_date, Person.birth_date_estimated),
        *(Person.nik, Person.mother_name, Family.kk),
    )
    statement = statement.outerjoin(Family, Person.family_id == Family.id)
    return statement.where(Person.merged_into_id.is_(None), Person.status != NOT_VALID)


def identity_of(row: Any) -> Identity:
    """A row of `to_compare`; its name is normalised already."""
    return Identity(
        row.name_search,
        row.sex,
        row.village_code,
        row.birth_date,
        row.birth_date_estimated,
        row.nik or "",
        row.kk or "",
        searchable(row.mother_name) if row.mother_name else "",
    )


def _judge(me: Identity, other: Identity, formerly: bool) -> Likeness | None:
    return Likeness(100, (Reason.FORMER_NIK,)) if formerly else compare(me, other)


def _formerly(number: str) -> frozenset[str]:
    """Who had this NIK on a record that was merged into hers."""
    if not number:
        return frozenset()
    return frozenset(db.session.scalars(sa.select(OldIdentifier.person_id).where(OldIdentifier.number == number)))


def _questions(me: Identity, former: Collection[str]) -> Iterable[Rows]:
    if me.nik:
        yield to_compare().where(Person.nik.in_({me.nik} | near_numbers(me.nik)))
    if former:
        yield to_compare().where(Person.id.in_(former))
    if me.card:
        yield to_compare().where(Family.kk == me.card).limit(MOST_ROWS)
    if me.birth_date:
        days = [day for day in (me.birth_date, swapped(me.birth_date)) if day]
        yield _born_on(days, [me.village_code])
        yield _born_on(days[:1], _neighbours(me.village_code))
    if me.name:
        yield sharing_words(me.name.split(), me.village_code, me.birth_date)


def _born_on(days: Sequence[date], villages: Sequence[str]) -> Rows:
    return to_compare().where(Person.village_code.in_(villages), Person.birth_date.in_(days)).limit(MOST_ROWS)


def sharing_words(words: Sequence[str], village_code: str, birth_date: date | None) -> Rows:
    """People of the village who share a word of the name and may be born in the same year; the most shared words first."""
    shared = (
        sa.select(PersonWord.person_id, sa.func.count().label("words"))
        .where(PersonWord.word.in_(set(words)), PersonWord.village_code == village_code)
        .group_by(PersonWord.person_id)
        .subquery()
    )
    statement = to_compare().join(shared, shared.c.person_id == Person.id).order_by(shared.c.words.desc()).limit(MOST_ROWS)
    if birth_date is None:
        return statement
    year = Person.birth_date.between(date(birth_date.year, 1, 1), date(birth_date.year, 12, 31))
    return statement.where(sa.or_(year, Person.birth_date.is_(None)))


def _neighbours(village_code: str) -> list[str]:
    """The other villages of the subdistrict."""
    siblings = sa.select(Area.code).where(Area.parent_code == village_code.rpartition(".")[0], Area.code != village_code)
    return list(db.session.scalars(siblings))
