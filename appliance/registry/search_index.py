"""The index that finds people by words: kept in step by whoever stores or changes a person, one call each.

A row of `person_word` is a word of her name or nickname, or two of them in the order of the alphabet ("aminah siti"), or her
telephone number. Pairs make two common words as quick as a rare one; `docs/architecture.md` has the figures.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations, islice
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from appliance.database import db
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


def index_person(person: Person) -> None:
    """Store what finds a person, inside the running transaction. Before a change of her row, `forget_person`."""
    db.session.flush()
    index_people([person])


def forget_person(person: Person) -> None:
    """Take away what finds the person as her row is now: by its keys, for nothing else is indexed."""
    mine = (
        PersonWord.word.in_(_keys(person).keys),
        PersonWord.village_code == person.village_code,
        PersonWord.person_id == person.id,
    )
    db.session.execute(sa.delete(PersonWord).where(*mine))


def index_people(people: Iterable[Person]) -> None:
    """The same for people whose rows are there already, some hundred at once: for imports. Safe to repeat."""
    found = [(person, _keys(person)) for person in people]
    _learn({word for _, keys in found for word in keys.names})
    rows = [
        {"word": key, "village_code": person.village_code, "person_id": person.id} for person, keys in found for key in keys.keys
    ]
    _add(PersonWord, sorted(rows, key=itemgetter("word", "village_code")))


def _keys(person: Person) -> Keys:
    return keys_of(person.name_search, person.nickname or "", person.phone or "")


def _learn(names: set[str]) -> None:
    """Put words into the vocabulary that were never seen before. Another process may be learning the same one."""
    known: set[str] = set()
    for some in _portions(sorted(names)):
        known.update(db.session.scalars(sa.select(NameWord.word).where(NameWord.word.in_(some))))
    unknown = sorted(names - known)
    if unknown:
        _add(NameWord, [{"word": word} for word in unknown])
        _add(NameVariant, [{"variant": variant, "word": word} for word in unknown for variant in sorted(variants(word))])


def _add(table: type[Any], rows: Sequence[dict[str, str]]) -> None:
    if not rows:
        return
    dialect = postgresql if db.engine.dialect.name == "postgresql" else sqlite
    db.session.execute(dialect.insert(table).on_conflict_do_nothing(), rows)


def _portions(items: Sequence[str]) -> Iterable[Sequence[str]]:
    return (items[start : start + ROWS_AT_ONCE] for start in range(0, len(items), ROWS_AT_ONCE))
