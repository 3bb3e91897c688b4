"""Which other cases a collective letter names: who may read the letter depends on them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_letter_cases()


def _create_letter_cases() -> None:
    named = op.create_table(
        "letter_case",
        sa.Column("letter_id", sa.String(36), nullable=False),
        sa.Column("case_id", sa.String(36), nullable=False),
        sa.ForeignKeyConstraint(["letter_id"], ["letter.id"], name="fk_letter_case_letter_id"),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name="fk_letter_case_case_id"),
        sa.PrimaryKeyConstraint("letter_id", "case_id", name="pk_letter_case"),
    )
    op.create_index("ix_letter_case_case_id", "letter_case", ["case_id"])
    letters = sa.table("letter", sa.column("id", sa.String), sa.column("typed", sa.JSON))
    connection = op.get_bind()
    for letter in connection.execute(sa.select(letters.c.id, letters.c.typed)).all():
        rows = [{"letter_id": letter.id, "case_id": case} for case in _cases_named(connection, letter.typed)]
        if rows:
            connection.execute(named.insert(), rows)


def _cases_named(connection: sa.Connection, typed: dict[str, Any]) -> list[str]:
    """The cases whose numbers were typed, one a line."""
    numbers = {line.strip().upper() for line in typed.get("daftar_kasus", "").splitlines() if line.strip()}
    cases = sa.table("case", sa.column("id", sa.String), sa.column("number", sa.String))
    if not numbers:
        return []
    return list(connection.scalars(sa.select(cases.c.id).where(cases.c.number.in_(sorted(numbers)))))
