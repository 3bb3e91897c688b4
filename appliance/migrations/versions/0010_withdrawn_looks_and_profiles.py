"""Looks into national lists and filled blanks that came with an import can be withdrawn with it; they stay in the history."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TABLES = ("list_status", "profile")


def upgrade() -> None:
    for table in TABLES:
        op.add_column(table, sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True))
        op.add_column(table, sa.Column("withdrawn_reason", sa.String(300), nullable=False, server_default=""))
        _withdraw_once(table)


def _withdraw_once(table: str) -> None:
    """What was withdrawn stays so, as the rest of the row stays as it was written."""
    again = f"BEFORE UPDATE OF withdrawn_at, withdrawn_reason ON {table} FOR EACH ROW WHEN (OLD.withdrawn_at IS NOT NULL)"
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"CREATE TRIGGER {table}_withdraws_once {again} EXECUTE FUNCTION {table}_is_append_only()")
    else:
        op.execute(f"CREATE TRIGGER {table}_withdraws_once {again} BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END")
