"""What the migrations build tables with. It stays as it is: a migration must do in years what it does today."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


def code(length: int) -> sa.types.TypeEngine[str]:
    """Text compared by its bytes on both databases."""
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def stamped() -> list[sa.Column[object]]:
    """The columns of a row that people change; each table takes its own."""
    return [
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(36), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by", sa.String(36), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
    ]


def refuse_changes(table: str) -> None:
    """What is written stays: the database itself refuses, whoever asks. A later migration that rebuilds the table
    (batch mode on SQLite) must make the triggers again."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"CREATE FUNCTION {table}_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{table} is append-only'; END $$"
        )
        for when, each in (("UPDATE OR DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
            op.execute(
                f"CREATE TRIGGER {table}_keeps_{each.lower()}s BEFORE {when} ON {table} "
                f"FOR EACH {each} EXECUTE FUNCTION {table}_is_append_only()"
            )
        return
    for when in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {table}_refuses_{when.lower()} BEFORE {when} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )


def refuse_removal(table: str) -> None:
    """What is in the table may change but never goes; see `refuse_changes` for what a later rebuild must do."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"CREATE FUNCTION {table}_is_kept() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{table} is never deleted'; END $$"
        )
        for when, each in (("DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
            op.execute(
                f'CREATE TRIGGER {table}_refuses_{when.lower()} BEFORE {when} ON "{table}" '
                f"FOR EACH {each} EXECUTE FUNCTION {table}_is_kept()"
            )
        return
    op.execute(
        f'CREATE TRIGGER {table}_refuses_delete BEFORE DELETE ON "{table}" '
        f"BEGIN SELECT RAISE(ABORT, '{table} is never deleted'); END"
    )
