"""The index that finds people by words: kept in step by whoever stores or changes a person, one call each.

A row of `person_word` is a word of her name or nickname, or two of them in the order of the alphabet ("aminah siti"), or her
telephone number. Pairs make two common words as quick as a rare one; `docs/architecture.md` has the figures.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations, islice

import sqlalchemy as sa

from appliance.database import add_new, db, one_of, remove
from appliance.models.person import Person, PersonWord
from appliance.models.search import NameVariant, NameWord
from appliance.registry.names import words
from appliance.registry.phones import search_key
from appliance.registry.spelling import variants

# Of longer names the first words are enough: six make fifteen pairs.
MOST_WORDS = 6
ROWS_AT_ONCE = 500


@dataclass(frozen=True)
class Keys:
    """What a person is found by: `names` are single words, `keys` these, their pairs and the telephone number."""

    names: list[str]
    keys: list[str]


def keys_of(name_search: str, nickname: str = "", phone: str = "") -> Keys:
    """The keys of one person; `name_search` is normalised, the others as they were typed."""
    names = sorted(set(islice((*name_search.split(), *(words(nickname) if nickname else ())), MOST_WORDS)))
    keys = [*names, *map(" ".join, combinations(names, 2))]  # in the order that `pair` makes: the names are sorted
    number = search_key(phone) if phone else ""
    return Keys(names, [*keys, number] if number else keys)


def pair(one: str, other: str) -> str:
    """The key of two words, whichever comes first."""
    return f"{one} {other}" if one <= other else f"{other} {one}"


@dataclass(frozen=True)
class Findable:
    """What of a person decides by which keys she is found. The name is normalised, the others are as they were typed."""

    person_id: str
    village_code: str
    name_search: str
    nickname: str = ""
    phone: str = ""

    @classmethod
    def of(cls, person: Person) -> Findable:
        """As her row is now."""
        return cls(person.id, person.village_code, person.name_search, person.nickname or "", person.phone or "")


def index_person(person: Person) -> None:
    """Store what finds a person, inside the running transaction. Before a change of her row, `forget_person`."""
    db.session.flush()
    index_people([Findable.of(person)])


def forget_person(person: Person) -> None:
    """Take away what finds the person as her row is now."""
    forget_people([Findable.of(person)])


def index_people(people: Iterable[Findable]) -> None:
    """Store what finds people whose rows are there already, some hundred at once. Safe to repeat."""
    found = [(person, keys_of(person.name_search, person.nickname, person.phone)) for person in people]
    _learn({word for _, keys in found for word in keys.names})
    add_new(PersonWord, sorted(row for person, keys in found for row in _rows(person, keys.keys)))


def forget_people(people: Iterable[Findable]) -> None:
    """Take away what finds people as described: by its keys, for there is no index by person."""
    rows = (_rows(person, keys_of(person.name_search, person.nickname, person.phone).keys) for person in people)
    remove(PersonWord, sorted(row for some in rows for row in some))


def _rows(person: Findable, keys: Iterable[str]) -> list[tuple[str, str, str]]:
    """In the order of the primary key of `person_word`."""
    return [(key, person.village_code, person.person_id) for key in keys]


def _learn(names: set[str]) -> None:
    """Put words into the vocabulary that were never seen before. Another process may be learning the same one."""
    known: set[str] = set()
    for some in _portions(sorted(names)):
        known.update(db.session.scalars(sa.select(NameWord.word).where(one_of(NameWord.word, list(some)))))
    unknown = sorted(names - known)
    if unknown:
        add_new(NameWord, [(word,) for word in unknown])
        add_new(NameVariant, [(variant, word) for word in unknown for variant in sorted(variants(word))])


def _portions(items: Sequence[str]) -> Iterable[Sequence[str]]:
    return (items[start : start + ROWS_AT_ONCE] for start in range(0, len(items), ROWS_AT_ONCE))
