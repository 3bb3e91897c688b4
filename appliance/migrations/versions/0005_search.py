"""The vocabulary of names, and everybody who is there in the index again: with pairs of words, nicknames and telephones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

from appliance.migrations.building import code
from appliance.migrations.words_of_0005 import keys_of, searchable, variants

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ROWS_AT_ONCE = 1000


def upgrade() -> None:
    op.create_table(
        "name_word",
        sa.Column("word", code(120), nullable=False),
        sa.PrimaryKeyConstraint("word", name="pk_name_word"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "name_variant",
        sa.Column("variant", code(120), nullable=False),
        sa.Column("word", code(120), nullable=False),
        sa.ForeignKeyConstraint(["word"], ["name_word.word"], name="fk_name_variant_word"),
        sa.PrimaryKeyConstraint("variant", "word", name="pk_name_variant"),
        sqlite_with_rowid=False,
    )
    _index_everybody(op.get_bind())


def _index_everybody(bind: sa.Connection) -> None:
    """Names are normalised a little differently from here on, so that the normalised name is written again, too."""
    columns = ("id", "name", "name_search", "nickname", "phone", "village_code")
    person = sa.table("person", *map(sa.column, columns))
    word = sa.table("person_word", sa.column("word"), sa.column("village_code"), sa.column("person_id"))
    known: set[str] = set()
    bind.execute(sa.delete(word))
    for people in _portions(bind, sa.select(*person.c).order_by(person.c.id), person.c.id):
        rows = []
        for one in people:
            name = searchable(one.name)
            names, keys = keys_of(name, one.nickname, one.phone)
            known.update(names)
            rows += [{"word": key, "village_code": one.village_code, "person_id": one.id} for key in keys]
            if name != one.name_search:
                bind.execute(sa.update(person).where(person.c.id == one.id).values(name_search=name))
        bind.execute(sa.insert(word), rows)
    _learn(bind, sorted(known))


def _portions(bind: sa.Connection, statement: sa.Select[Any], key: sa.ColumnElement[str]) -> Iterator[Sequence[sa.Row[Any]]]:
    last = ""
    while people := bind.execute(statement.where(key > last).limit(ROWS_AT_ONCE)).all():
        yield people
        last = people[-1].id


def _learn(bind: sa.Connection, known: list[str]) -> None:
    name_word = sa.table("name_word", sa.column("word"))
    name_variant = sa.table("name_variant", sa.column("variant"), sa.column("word"))
    for some in (known[start : start + ROWS_AT_ONCE] for start in range(0, len(known), ROWS_AT_ONCE)):
        bind.execute(sa.insert(name_word), [{"word": word} for word in some])
        bind.execute(sa.insert(name_variant), [{"variant": one, "word": word} for word in some for one in variants(word)])
