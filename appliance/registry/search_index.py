"""The index that finds people by words: kept in step by whoever stores or changes a person, one call each."""

from __future__ import annotations

import sqlalchemy as sa

from appliance.database import db
from appliance.models.person import Person, PersonWord


def entries_of(person: Person) -> frozenset[tuple[str, str]]:
    """The words of this row, each with the village: what to hand to `index_person` as `before` when the row is changed."""
    return frozenset((word, person.village_code) for word in person.name_search.split())


def index_person(person: Person, *, before: frozenset[tuple[str, str]] = frozenset()) -> None:
    """Make the index say what the row of this person says now. Inside a transaction, after the row was flushed.

    `before` are the entries it had; only what changed is written, by its key, for nothing else is indexed.
    """
    now = entries_of(person)
    gone = before - now
    if gone:
        pairs = sa.tuple_(PersonWord.word, PersonWord.village_code)
        db.session.execute(sa.delete(PersonWord).where(PersonWord.person_id == person.id, pairs.in_(sorted(gone))))
    db.session.add_all(PersonWord(word=word, village_code=village, person_id=person.id) for word, village in now - before)
    db.session.flush()
