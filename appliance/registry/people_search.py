"""Finding people among millions: by NIK, by the number of the family card, or by words of the name in any order.

Reads only. A search ends at a fixed number of hits instead of counting all of them; the page then asks for more words.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from appliance.access import Actor, scope
from appliance.database import begins_with, db
from appliance.models.person import Family, FormerCard, Person, PersonWord
from appliance.registry import nik
from appliance.registry.areas import area_names
from appliance.registry.names import words
from appliance.registry.person_fields import today

PAGE_SIZE = 20
MOST_HITS = 200
# How far a word's frequency is looked into before it counts as "very common".
COMMON = 2000


@dataclass(frozen=True)
class PersonLine:
    """One person in a list: numbers masked, `age` in years or None, `village` and `address` as sentences."""

    id: str
    name: str
    nickname: str
    nik_masked: str
    nik_status: str
    sex: str
    birth_date: date | None
    age: int | None
    village_code: str
    village: str
    address: str
    kk_masked: str
    relation: str
    status: str


@dataclass(frozen=True)
class PeopleFound:
    """One page of hits. `capped`: there are more than `total`; the search should be narrowed."""

    people: tuple[PersonLine, ...]
    total: int
    capped: bool
    page: int
    pages: int


def find_people(text: str, *, by: Actor, at: datetime, village_code: str = "", page: int = 1) -> PeopleFound:
    """People in the scope of `by` whose NIK or family card is `text`, or whose name has words that begin like its words.

    An empty `text` lists the village. At most MOST_HITS hits, ordered by name.
    """
    number = nik.clean(text)
    typed = words(text)
    if number.isascii() and number.isdigit() and len(number) == nik.LENGTH:
        statement: sa.Select[Person] | None = _by_number(number)
    elif typed:
        statement = _by_words(typed, village_code, by)
    else:
        statement = sa.select(Person) if village_code else None
    if statement is None:
        return PeopleFound((), 0, False, 1, 0)
    if village_code:
        statement = statement.where(Person.village_code == village_code)
    hits = list(db.session.scalars(_narrowed(statement, by, in_order=not typed)))
    return _page(hits, page, at)


def matching_ids(text: str, by: Actor) -> sa.Select[str] | None:
    """The identifiers of the people that `text` (a NIK, a card number, words of a name) means; None for no text."""
    number, typed = nik.clean(text), words(text)
    if number.isascii() and number.isdigit() and len(number) == nik.LENGTH:
        return _by_number(number).with_only_columns(Person.id)
    return _by_words(typed, "", by).with_only_columns(Person.id) if typed else None


def lines_of(people: Iterable[Person], at: datetime) -> list[PersonLine]:
    """The rows as lines, with the names of their villages read at once."""
    people = list(people)
    villages = area_names({person.village_code for person in people})
    return [_line(person, villages.get(person.village_code, person.village_code), today(at)) for person in people]


def family_of(family_id: str | None, by: Actor) -> Sequence[Person]:
    """The members of a family whom `by` may see, by their relation and age."""
    if family_id is None:
        return ()
    statement = sa.select(Person).where(Person.family_id == family_id).options(joinedload(Person.family))
    members = db.session.scalars(scope(statement, Person, by)).all()
    return sorted(members, key=lambda member: (int(member.relation), member.birth_date or date.max, member.name))


def _by_number(number: str) -> sa.Select[Person]:
    former = sa.select(FormerCard.family_id).where(FormerCard.kk == number)
    families = sa.union_all(sa.select(Family.id).where(Family.kk == number), former)
    return sa.select(Person).where(sa.or_(Person.nik == number, Person.family_id.in_(families)))


def _by_words(typed: list[str], village_code: str, by: Actor) -> sa.Select[Person]:
    """Begin with the rarest word, then look at the whole name for the others: "muhamad" alone is a fifth of all men."""
    rarest = min(dict.fromkeys(typed), key=lambda word: (_frequency(word, village_code), -len(word)))
    # The scope is asked of the index of words already: most of a common word's people live elsewhere.
    statement = sa.select(Person).join(PersonWord, PersonWord.person_id == Person.id).where(begins_with(PersonWord.word, rarest))
    statement = scope(statement, PersonWord, by)
    if village_code:
        statement = statement.where(PersonWord.village_code == village_code)
    for word in typed:
        if word != rarest:
            padded = sa.literal(" ") + Person.name_search
            statement = statement.where(padded.contains(f" {word}", autoescape=True))
    return statement.distinct()


def _frequency(word: str, village_code: str) -> int:
    """How many people have such a word, counted to COMMON at most."""
    statement = sa.select(sa.literal(1)).where(begins_with(PersonWord.word, word))
    if village_code:
        statement = statement.where(PersonWord.village_code == village_code)
    return db.session.scalar(sa.select(sa.func.count()).select_from(statement.limit(COMMON).subquery())) or 0


def _narrowed(statement: sa.Select[Person], by: Actor, *, in_order: bool) -> sa.Select[Person]:
    """In scope, one more than the most hits. Ordered by the index where there is one to order by; else while paging."""
    statement = scope(statement, Person, by).where(Person.merged_into_id.is_(None)).options(joinedload(Person.family))
    if in_order:
        statement = statement.order_by(Person.village_code, Person.name_search)
    return statement.limit(MOST_HITS + 1)


def _page(hits: list[Person], page: int, at: datetime) -> PeopleFound:
    capped = len(hits) > MOST_HITS
    hits = sorted(hits[:MOST_HITS], key=lambda person: (person.name_search, person.id))
    pages = max(1, -(-len(hits) // PAGE_SIZE))
    page = min(max(1, page), pages)
    shown = hits[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
    return PeopleFound(tuple(lines_of(shown, at)), len(hits), capped, page, pages)


def _line(person: Person, village: str, today: date) -> PersonLine:
    family = person.family
    return PersonLine(
        id=person.id,
        name=person.name,
        nickname=person.nickname,
        nik_masked=nik.mask(person.nik),
        nik_status=person.nik_status,
        sex=person.sex,
        birth_date=person.birth_date,
        age=age(person.birth_date, today),
        village_code=person.village_code,
        village=village,
        address=_address(family) if family else "",
        kk_masked=nik.mask(family.kk if family else None),
        relation=person.relation,
        status=person.status,
    )


def age(birth_date: date | None, today: date) -> int | None:
    """Full years of life."""
    if birth_date is None:
        return None
    return today.year - birth_date.year - ((today.month, today.day) < (birth_date.month, birth_date.day))


def _address(family: Family) -> str:
    place = f"RT {family.rt} / RW {family.rw}" if family.rt and family.rw else ""
    return ", ".join(part for part in (family.address, family.hamlet, place) if part)
