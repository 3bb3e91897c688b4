"""From what was typed into the search box to the people it may mean, best first: by which key, in which villages, and why.

Who was merged into another is found by what her old record says, and the other is shown for her.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from appliance.access import Actor, scope
from appliance.database import begins_with, db, one_of
from appliance.models.duplicate import OldIdentifier
from appliance.models.person import NOT_VALID, Family, FormerCard, Person, PersonPhone
from appliance.registry import nik
from appliance.registry.candidates import Within, by_key, candidates
from appliance.registry.names import words
from appliance.registry.phones import search_key, stored_key
from appliance.registry.places import Place, named_places
from appliance.registry.ranking import Match, kept, match

# A record may have been merged into one that was merged itself.
MOST_MERGES = 5
FORMER_CARD = "KK lama"
OTHER_PHONE = "nomor telepon lain"
MERGED = " pada data yang sudah digabung"
# With both given, the place decides before the name does.
PLACED = 0.3


@dataclass(frozen=True)
class Hit:
    """A person that was found, before her row is read in full (unless it was: `person`)."""

    id: str
    name: str
    match: Match
    person: Person | None = None


def hits_of(text: str, by: Actor, most: int, village_code: str = "") -> list[Hit]:
    """At most `most` hits, best first. `text` is not empty."""
    number, within = whole_number(text), Within(by, (village_code,) if village_code else ())
    if number:
        return _in_order(_by_number(number, within, most), most)
    phone = search_key(text)
    if phone:
        return _in_order(_by_phone(phone, within, most), most)
    typed = words(text)
    return _in_order(_by_words(typed, within, most), most) if typed else []


def listed(village_code: str, by: Actor, most: int) -> list[Hit]:
    """The first people of a village in the order of their names."""
    statement = sa.select(Person.id, Person.name_search).where(
        Person.village_code == village_code, Person.merged_into_id.is_(None), Person.status != NOT_VALID
    )
    ordered = scope(statement, Person, by).order_by(Person.village_code, Person.name_search).limit(most)
    return [Hit(row.id, row.name_search, Match(1.0, "")) for row in db.session.execute(ordered)]


def whole_number(text: str) -> str:
    """The digits of a NIK or family card if `text` is one, else ""."""
    number = nik.clean(text)
    return number if number.isascii() and number.isdigit() and len(number) == nik.LENGTH else ""


def _by_number(number: str, within: Within, most: int) -> dict[str, Hit]:
    """The holder of the NIK, the families that have or had the card, who got the number by a merge. One query: it must be quick."""
    asked = {"number": number}
    people = db.session.scalars(within.narrowed(_numbered(), Person).limit(most), asked).all()
    by_what = {person.id: _by_what(person, number) for person in people}
    if any(judged.why == FORMER_CARD for judged in by_what.values()):
        by_what |= dict.fromkeys(by_what.keys() & set(db.session.scalars(_merged(), asked)), Match(0.9, "nomor lama"))
    return _resolved(people, within, by_what)


@cache
def _numbered() -> sa.Select[Person]:
    """The people behind a `number`, made once: making it takes longer than asking it."""
    number: sa.BindParameter[str] = sa.bindparam("number")
    former = sa.select(FormerCard.family_id).where(FormerCard.kk == number)
    families = sa.union_all(sa.select(Family.id).where(Family.kk == number), former)
    # One list of identifiers: for "this, or in that list, or in the other" PostgreSQL reads everybody.
    known = sa.union(
        sa.select(Person.id).where(Person.nik == number), sa.select(Person.id).where(Person.family_id.in_(families)), _merged()
    )
    return sa.select(Person).where(Person.id.in_(known)).options(joinedload(Person.family))


@cache
def _merged() -> sa.Select[str]:
    """Who got a `number` by a merge."""
    return sa.select(OldIdentifier.person_id).where(OldIdentifier.number == sa.bindparam("number"))


def _by_what(person: Person, number: str) -> Match:
    if person.nik == number:
        return Match(1.0, "NIK")
    return Match(0.95, "KK") if person.family and person.family.kk == number else Match(0.9, FORMER_CARD)


def _by_phone(key: str, within: Within, most: int) -> dict[str, Hit]:
    """People by the number to call first, then those of whom it is another number: a neighbour's, a former one."""
    main = _known(by_key(key, within, most), within, lambda row: Match(1.0, "telepon"))
    others = sa.select(PersonPhone.person_id).join(Person, Person.id == PersonPhone.person_id)
    others = others.where(begins_with(PersonPhone.number, stored_key(key))).limit(most)
    ids = list(dict.fromkeys(db.session.scalars(within.narrowed(others, Person))))
    return _known(ids, within, lambda row: Match(0.95, OTHER_PHONE)) | main


def _by_words(typed: list[str], within: Within, most: int) -> dict[str, Hit]:
    """People with such a name; those of a village that is named beside it come first."""
    placed: dict[str, Hit] = {}
    for place in named_places(typed, within.by):
        villages = tuple(set(place.villages) & set(within.villages or place.villages))
        if villages:
            there = _named(place.others, replace(within, villages=villages), most)
            placed |= {key: _placed(hit, place) for key, hit in there.items()}
    # Somebody may be called like the village: then her name has all the words.
    return _named(typed, within, most, tolerant=not placed) | placed


def _placed(hit: Hit, place: Place) -> Hit:
    return replace(hit, match=Match(hit.match.score + PLACED, f"{hit.match.why} + {place.kind}"))


def _named(typed: list[str], within: Within, most: int, *, tolerant: bool = True) -> dict[str, Hit]:
    ids = candidates(typed, within, most, tolerant=tolerant)
    rows = db.session.execute(_rows(within).where(one_of(Person.id, ids))).all() if ids else []
    return _resolved(rows, within, {row.id: _judged(typed, row) for row in rows})


def _judged(typed: list[str], row: Any) -> Match:
    return match(typed, row.name_search.split(), words(row.nickname) if row.nickname else ())


def _known(ids: list[str], within: Within, judge: Any) -> dict[str, Hit]:
    rows = db.session.execute(_rows(within).where(one_of(Person.id, ids))).all() if ids else []
    return _resolved(rows, within, {row.id: judge(row) for row in rows})


def _rows(within: Within) -> sa.Select[str, str, str, str | None]:
    """What ranking needs of a person, of those whom the reader may see."""
    return within.narrowed(sa.select(Person.id, Person.name_search, Person.nickname, Person.merged_into_id), Person)


def _resolved(rows: Any, within: Within, judged: Mapping[str, Match]) -> dict[str, Hit]:
    """Hits by identifier; a merged record is replaced by the one it was merged into, if the reader may see that."""
    found = {row.id: _hit(row, judged[row.id]) for row in rows if row.merged_into_id is None}
    merged = {row.merged_into_id: judged[row.id] for row in rows if row.merged_into_id is not None}
    for _ in range(MOST_MERGES):
        if not merged:
            break
        anywhere = replace(within, villages=())
        targets = db.session.execute(_rows(anywhere).where(one_of(Person.id, list(merged)))).all()
        for row in targets:
            if row.merged_into_id is None and row.id not in found:
                found[row.id] = _hit(row, replace(merged[row.id], why=merged[row.id].why + MERGED))
        merged = {row.merged_into_id: merged[row.id] for row in targets if row.merged_into_id is not None}
    return found


def _hit(row: Any, judged: Match) -> Hit:
    return Hit(row.id, row.name_search, judged, row if isinstance(row, Person) else None)


def _in_order(found: dict[str, Hit], most: int) -> list[Hit]:
    """The best first, and without those that are so much worse than the best."""
    least = kept([hit.match.score for hit in found.values()])
    good = (hit for hit in found.values() if hit.match.score >= least)
    return sorted(good, key=lambda hit: (-round(hit.match.score, 3), hit.name, hit.id))[:most]
