"""One person in two villages: who else, anywhere in the district, may be somebody of this village. Reads only.

Each question goes to an index with what is known of some hundred people: a name with its day of birth, a telephone number, a NIK
that stood on a merged record. Two people of one NIK there are not: the table refuses them. Who has not changed since the
last search is not asked about again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, TypeAlias

import sqlalchemy as sa

from appliance.database import db, one_of
from appliance.models.duplicate import DuplicateCandidate, OldIdentifier, PairState
from appliance.models.person import Person, PersonWord
from appliance.registry.likeness import Identity, Likeness, Reason, compare_elsewhere
from appliance.registry.lookalikes import identity_of, to_compare
from appliance.registry.phones import search_key

AT_ONCE = 400
# A number (of a village office) or a name with its day (a default one) that more people share tells nobody apart.
CROWD = 40
# A change may be stored a little after a later one was seen: a long import stamps its rows when it begins.
LATECOMERS = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Someone:
    """A person as she is compared; `phone` is the key of her main number."""

    id: str
    who: Identity
    phone: str


Key: TypeAlias = tuple[date, str]
Pair: TypeAlias = tuple[Someone, Someone, Likeness]
# Two identifiers: the one has the NIK that stood on a record which was merged into the other.
Former: TypeAlias = Collection[frozenset[str]]


def pairs_elsewhere(village: str, since: datetime | None) -> list[Pair]:
    """The pairs of the people of a village, who changed after `since`, with people of other villages; the likest first.

    A NIK that stood on a merged record is looked for in the village itself too.
    """
    found: dict[frozenset[str], Pair] = {}
    for some in _changed(village, since):
        former = _formerly(some)
        others = _candidates(some, village, former)
        for one, other in _to_judge(some, others, former):
            likeness = _judge(one, other, former)
            if likeness:
                found[frozenset((one.id, other.id))] = (one, other, likeness)
    return sorted(found.values(), key=lambda pair: (-pair[2].score, pair[0].id, pair[1].id))


def outdated(village: str, by: str) -> list[DuplicateCandidate]:
    """Open pairs of the village that `pairs_elsewhere` found for `by`, whose people are alike no longer."""
    table = DuplicateCandidate
    statement = sa.select(table).where(
        sa.or_(table.village_code == village, table.other_village_code == village),
        table.state == PairState.OPEN,
        table.created_by == by,
    )
    gone: list[DuplicateCandidate] = []
    pairs = [pair for pair in db.session.scalars(statement.order_by(table.id)) if found_elsewhere(pair)]
    for start in range(0, len(pairs), AT_ONCE):
        gone += _unlike(pairs[start : start + AT_ONCE])
    return gone


def found_elsewhere(pair: DuplicateCandidate) -> bool:
    """Whether the pair is one of those that `pairs_elsewhere` finds, and not the search within a village."""
    return pair.village_code != pair.other_village_code or Reason.FORMER_NIK in pair.reasons


def _unlike(pairs: Sequence[DuplicateCandidate]) -> Iterator[DuplicateCandidate]:
    known = _read(to_compare().where(one_of(Person.id, list({one for pair in pairs for one in (pair.first_id, pair.second_id)}))))
    former = _formerly(known.values())
    for pair in pairs:
        one, other = known.get(pair.first_id), known.get(pair.second_id)
        if one is None or other is None or _judge(one, other, former) is None:
            yield pair


def _judge(one: Someone, other: Someone, former: Former) -> Likeness | None:
    return compare_elsewhere(
        one.who,
        other.who,
        same_phone=bool(one.phone) and one.phone == other.phone,
        former_nik=frozenset((one.id, other.id)) in former,
    )


def _changed(village: str, since: datetime | None) -> Iterator[Sequence[Someone]]:
    """People of a village, some at once, in the order of their identifiers."""
    last = ""
    while True:
        statement = to_compare().where(Person.village_code == village, Person.id > last).order_by(Person.id).limit(AT_ONCE)
        if since is not None:
            statement = statement.where(Person.updated_at > since - LATECOMERS)
        some = list(_read(statement).values())
        if not some:
            return
        yield some
        last = some[-1].id


def _read(statement: sa.Select[*tuple[Any, ...]]) -> dict[str, Someone]:
    rows = db.session.execute(statement.add_columns(Person.phone))
    return {row.id: Someone(row.id, identity_of(row), search_key(row.phone) if row.phone else "") for row in rows}


def _candidates(some: Sequence[Someone], village: str, former: Former) -> dict[str, Someone]:
    """People of other villages who share what is asked for, and whoever had a NIK of theirs."""
    elsewhere = to_compare().where(Person.village_code != village)
    found: dict[str, Someone] = {}
    born = {(one.who.birth_date, one.who.name) for one in some if one.who.birth_date and one.who.name}
    if born:
        found |= _read(elsewhere.where(sa.tuple_(Person.birth_date, Person.name_search).in_(sorted(born))))
    shared = _shared_numbers({one.phone for one in some if one.phone and one.who.birth_date})
    if shared:
        days = {one.who.birth_date for one in some if one.phone in shared}
        numbered = elsewhere.join(PersonWord, PersonWord.person_id == Person.id).where(one_of(PersonWord.word, sorted(shared)))
        found |= _read(numbered.where(Person.birth_date.in_(days)))
    missing = {one for pair in former for one in pair} - {one.id for one in some} - found.keys()
    return found | (_read(to_compare().where(one_of(Person.id, sorted(missing)))) if missing else {})


def _shared_numbers(numbers: Iterable[str]) -> set[str]:
    """Telephone numbers that a few people share."""
    count = sa.func.count()
    statement = sa.select(PersonWord.word).where(one_of(PersonWord.word, sorted(numbers))).group_by(PersonWord.word)
    return set(db.session.scalars(statement.having(count.between(2, CROWD))))


def _formerly(some: Collection[Someone]) -> set[frozenset[str]]:
    """Who has the NIK that stood on a record which was merged into one of them, and the other way round."""
    holder, old = Person.id, OldIdentifier
    both = sa.select(holder, old.person_id).join(Person, Person.nik == old.number).where(holder != old.person_id)
    hers = both.where(one_of(old.number, [one.who.nik for one in some if one.who.nik]))
    merged = both.where(one_of(old.person_id, [one.id for one in some]))
    return {frozenset(row) for statement in (hers, merged) for row in db.session.execute(statement)}


def _to_judge(some: Sequence[Someone], others: Mapping[str, Someone], former: Former) -> Iterator[tuple[Someone, Someone]]:
    """Each of them with those who share a key; where a crowd does, with nobody."""
    known = {**{one.id: one for one in some}, **others}
    for pair in former:
        first, second = sorted(pair)
        if first in known and second in known:
            yield known[first], known[second]
    blocks: dict[Key, list[Someone]] = defaultdict(list)
    for other in others.values():
        for key in _keys(other):
            blocks[key].append(other)
    for one in some:
        for block in (blocks.get(key, ()) for key in _keys(one)):
            if len(block) <= CROWD:
                yield from ((one, other) for other in block)


def _keys(one: Someone) -> Iterator[Key]:
    """Her name and her number, each with the day of her birth: a key begins with a digit only for a number."""
    if one.who.birth_date:
        yield from ((one.who.birth_date, value) for value in (one.who.name, one.phone) if value)
