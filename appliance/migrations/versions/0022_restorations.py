"""That the data were brought back from a backup, so that people and devices learn of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from appliance.migrations.building import refuse_changes

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "restoration",
        sa.Column("epoch", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("restored_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("run", sa.Integer(), nullable=True),
        sa.Column("part", sa.String(12), nullable=False),
        sa.Column("by_name", sa.String(120), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("exact", sa.Boolean(), nullable=False),
        sa.Column("missed", sa.JSON(), nullable=False),
        sa.Column("numbers", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("epoch", name="pk_restoration"),
        sa.UniqueConstraint("id", name="uq_restoration_id"),
    )
    refuse_changes("restoration")
