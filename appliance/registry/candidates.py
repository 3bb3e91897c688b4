"""Who may be meant by the words of a name: at most some hundred identifiers, nearest first, from the index of words.

Every step is bounded: a typed word becomes the known words that are spelled like it, these (or their pairs) are looked up one
tier of closeness after the other, and further tiers are left out once there are enough. Nothing here counts or sorts millions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any, TypeVarTuple

import sqlalchemy as sa

from appliance.access import Actor, scope
from appliance.database import begins_with, db, one_of
from appliance.models.person import PersonWord
from appliance.models.search import NameVariant, NameWord
from appliance.registry.search_index import MOST_WORDS, pair
from appliance.registry.spelling import distance, slips, variants

Columns = TypeVarTuple("Columns")

# With so many, people whose names are less alike are not looked for.
ENOUGH = 60
# Near words that are looked up one by one, so that a common one does not crowd out its neighbours.
APART = 5
SHARE = 40
# The known words that begin like the typed one, and the near words that are paired with near words.
MOST_BEGINNINGS = 300
MOST_PAIRED = 30
# How many of the rarest pair are looked through for the other words of a long name.
LOOKED_THROUGH = 4000
COMMON = 1000
FARTHEST = 2


@dataclass(frozen=True)
class Within:
    """Where to look: what `by` may see, and of that only `villages` if there are any."""

    by: Actor
    villages: tuple[str, ...] = ()

    def narrowed(self, statement: sa.Select[*Columns], table: type[Any] = PersonWord) -> sa.Select[*Columns]:
        """`statement` over `table` (of words or of people) with both."""
        statement = scope(statement, table, self.by)
        return statement.where(one_of(table.village_code, list(self.villages))) if self.villages else statement


def candidates(typed: Sequence[str], within: Within, most: int, *, tolerant: bool = True) -> list[str]:
    """Identifiers of people with names like the normalised words `typed`: with all of two words, with most of more.

    Unless `tolerant`, with exactly all of them.

    More than `most` is never returned; so many mean that there are probably more.
    """
    typed = list(dict.fromkeys(typed))[:MOST_WORDS]
    found: dict[str, None] = {}
    if len(typed) > 2:
        found.update(dict.fromkeys(_with_all(typed, within, most)))
    for keys, share in _portions(typed, tolerant):
        if len(found) >= ENOUGH:
            break
        found.update(dict.fromkeys(_holders(keys, within, min(share or most, most))))
    return list(found)[:most]


def by_key(key: str, within: Within, most: int) -> list[str]:
    """Identifiers of people with a key that begins so: a telephone number."""
    statement = sa.select(PersonWord.person_id).where(begins_with(PersonWord.word, key)).limit(most)
    return list(dict.fromkeys(db.session.scalars(within.narrowed(statement))))


def near_words(word: str) -> dict[str, int]:
    """Known words like `word`, nearest first: 0 for the word itself, 1 for a longer one or one slip, 2 for two slips."""
    longer = sa.select(NameWord.word).where(begins_with(NameWord.word, word)).limit(MOST_BEGINNINGS) if len(word) > 1 else None
    near = dict.fromkeys(db.session.scalars(longer), 1) if longer is not None else {}
    most = slips(word)
    if most:
        alike = sa.select(NameVariant.word).where(one_of(NameVariant.variant, list(variants(word))))
        for other in set(db.session.scalars(alike)):
            far = distance(word, other, most)
            if far <= most:
                near[other] = min(near.get(other, far), far)
    near[word] = 0
    return dict(sorted(near.items(), key=lambda one: (one[1], abs(len(one[0]) - len(word)), one[0])))


def _exact_keys(typed: Sequence[str]) -> list[str]:
    return list(typed) if len(typed) == 1 else [pair(one, other) for one, other in combinations(typed, 2)]


def _portions(typed: Sequence[str], tolerant: bool) -> Iterator[tuple[list[str], int]]:
    """Keys to look up together, nearest first, with how many people each portion may bring (0: no limit of its own)."""
    if len(typed) < 3:
        yield _exact_keys(typed), 0
    if not tolerant:
        return
    if len(typed) > 2:
        yield from (([key], SHARE) for key in _exact_keys(typed))
    near = [near_words(word) for word in typed]
    if len(near) > 1:
        yield from ((keys, 0) for keys in _pair_tiers(near))
        return
    for keys in _tiers(near[0]):
        yield from (([key], SHARE) for key in keys[:APART])
        yield keys[APART:], 0


def _tiers(near: dict[str, int]) -> Iterator[list[str]]:
    for cost in range(1, FARTHEST + 1):
        yield _at(near, cost)


def _pair_tiers(near: Sequence[dict[str, int]]) -> Iterator[list[str]]:
    for cost in range(1, FARTHEST + 1):
        keys: dict[str, None] = {}
        for one, other in combinations(near, 2):
            for first in range(cost + 1):
                some, more = _at(one, first), _at(other, cost - first)
                if 0 < first < cost:
                    some, more = some[:MOST_PAIRED], more[:MOST_PAIRED]
                keys.update(dict.fromkeys(pair(*both) for both in product(some, more) if both[0] != both[1]))
        yield list(keys)


def _at(near: dict[str, int], cost: int) -> list[str]:
    return [word for word, far in near.items() if far == cost]


def _holders(keys: list[str], within: Within, most: int) -> Sequence[str]:
    if not keys:
        return ()
    statement = sa.select(PersonWord.person_id).where(one_of(PersonWord.word, keys))
    return db.session.scalars(within.narrowed(statement).limit(most)).all()


def _with_all(typed: Sequence[str], within: Within, most: int) -> Sequence[str]:
    """People who have every one of three or more words: of the rarest pair, those with the pairs of the other words."""
    rarest = min(combinations(typed, 2), key=lambda both: _frequency(pair(*both), within))
    others = [word for word in typed if word not in rarest]
    first = within.narrowed(sa.select(PersonWord.person_id, PersonWord.village_code).where(PersonWord.word == pair(*rarest)))
    some = first.limit(LOOKED_THROUGH).subquery()
    statement = sa.select(some.c.person_id)
    for word in others:
        one = sa.orm.aliased(PersonWord)
        same = sa.and_(one.word == word, one.village_code == some.c.village_code, one.person_id == some.c.person_id)
        statement = statement.where(sa.exists().where(same))
    return db.session.scalars(statement.limit(most)).all()


def _frequency(key: str, within: Within) -> int:
    """How many people have the key, counted to COMMON at most."""
    statement = within.narrowed(sa.select(sa.literal(1)).where(PersonWord.word == key)).limit(COMMON)
    return db.session.scalar(sa.select(sa.func.count()).select_from(statement.subquery())) or 0
