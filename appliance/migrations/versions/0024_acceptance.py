"""What was tried before the node was handed over, who says so, and when."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from appliance.migrations.building import refuse_changes

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "acceptance_entry",
        sa.Column("position", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("check_code", sa.String(20), nullable=False),
        sa.Column("result", sa.String(20), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("seen", sa.Boolean(), nullable=True),
        sa.Column("by_account", sa.String(36), nullable=False),
        sa.Column("by_name", sa.String(120), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("position", name="pk_acceptance_entry"),
        sa.ForeignKeyConstraint(["by_account"], ["account.id"], name="fk_acceptance_entry_by_account"),
    )
    refuse_changes("acceptance_entry")
