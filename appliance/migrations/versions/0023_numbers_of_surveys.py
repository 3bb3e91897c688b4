"""The number by which a survey knows a household, kept with its profile, and found by it as by the number in a national list."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("profile", sa.Column("outside_id", sa.String(40), nullable=False, server_default=""))
    given = sa.text("outside_id != ''")
    for table in ("profile", "list_status"):
        op.create_index(f"ix_{table}_outside_id", table, ["outside_id"], sqlite_where=given, postgresql_where=given)
