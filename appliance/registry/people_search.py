"""Finding people among millions by one box: NIK, family card (also a former one), telephone, name, name with village, nickname.

A search ends at a fixed number of hits instead of counting all of them; the page then asks for more words. What finds
them is in `hits` and `candidates`, what orders them in `ranking`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from appliance import audit
from appliance.access import Actor, scope
from appliance.database import db, one_of, transaction
from appliance.models.person import Family, Person
from appliance.registry import nik
from appliance.registry.areas import area_names
from appliance.registry.hits import Hit, hits_of, listed, whole_number
from appliance.registry.person_fields import today

PAGE_SIZE = 20
MOST_HITS = 200


@dataclass(frozen=True)
class PersonLine:
    """One person in a list: numbers masked, `age` in years or None, `village` and `address` as sentences.

    `why` says for a hit what it matched by: "NIK", "KK lama", "telepon", "nama mirip: …", "nama + desa".
    """

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
    why: str = ""


@dataclass(frozen=True)
class PeopleFound:
    """One page of hits. `capped`: there are more than `total`; the search should be narrowed."""

    people: tuple[PersonLine, ...]
    total: int
    capped: bool
    page: int
    pages: int


def find_people(text: str, *, by: Actor, at: datetime, village_code: str = "", page: int = 1) -> PeopleFound:
    """People in the scope of `by` whom `text` may mean, the most likely first; each says why it was found.

    `text` is a NIK, the number of a family card, a telephone number or words of a name in any order and in nearly any spelling,
    with or without the village. An empty `text` lists the village by name. At most MOST_HITS hits.
    """
    if not text.strip():
        return _page(listed(village_code, by, MOST_HITS + 1), page, at) if village_code else PeopleFound((), 0, False, 1, 0)
    return _page(hits_of(text, by, MOST_HITS + 1, village_code), page, at)


def search_people(text: str, *, by: Actor, at: datetime, village_code: str = "") -> PeopleFound:
    """`find_people` for somebody who pressed the button: that she looked for a number is written to the journal.

    The journal gets who was found, or "tidak ditemukan", never the number.
    """
    if not whole_number(text):
        return find_people(text, by=by, at=at, village_code=village_code)
    with transaction():
        found = find_people(text, by=by, at=at, village_code=village_code)
        subjects = [f"person:{line.id}" for line in found.people] or ["tidak ditemukan"]
        audit.record("cari", subjects[0], by=by, at=at, detail={"menurut": "NIK atau KK", "ditemukan": found.total})
        return found


def matching_ids(text: str, by: Actor) -> sa.Select[str] | None:
    """The identifiers of the people that `text` means, for a condition in another query; None for no text."""
    if not text.strip():
        return None
    return sa.select(Person.id).where(one_of(Person.id, [hit.id for hit in hits_of(text, by, MOST_HITS)]))


def lines_of(people: Iterable[Person], at: datetime) -> list[PersonLine]:
    """The rows as lines, with the names of their villages read at once."""
    people = list(people)
    villages = area_names({person.village_code for person in people})
    return [_line(person, villages.get(person.village_code, person.village_code), today(at)) for person in people]


def family_of(family_id: str | None, by: Actor) -> Sequence[Person]:
    """The members of a family whom `by` may see, by their relation and age."""
    if family_id is None:
        return ()
    statement = sa.select(Person).where(Person.family_id == family_id, Person.merged_into_id.is_(None))
    statement = statement.options(joinedload(Person.family))
    members = db.session.scalars(scope(statement, Person, by)).all()
    return sorted(members, key=lambda member: (int(member.relation), member.birth_date or date.max, member.name))


def _page(hits: list[Hit], page: int, at: datetime) -> PeopleFound:
    capped = len(hits) > MOST_HITS
    hits = hits[:MOST_HITS]
    pages = max(1, -(-len(hits) // PAGE_SIZE))
    page = min(max(1, page), pages)
    shown = hits[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
    lines = {line.id: line for line in lines_of(_read(shown), at)}
    found = tuple(replace(lines[hit.id], why=hit.match.why) for hit in shown if hit.id in lines)
    return PeopleFound(found, len(hits), capped, page, pages)


def _read(hits: Sequence[Hit]) -> list[Person]:
    """The rows of the hits, those read that are not there already."""
    there = [hit.person for hit in hits if hit.person]
    missing = [hit.id for hit in hits if not hit.person]
    statement = sa.select(Person).where(one_of(Person.id, missing)).options(joinedload(Person.family))
    return [*there, *db.session.scalars(statement)] if missing else there


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
