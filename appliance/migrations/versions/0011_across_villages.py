"""Indexes by which the night finds one person in two villages, and the moves of villages to their new codes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from appliance.migrations.building import code

revision = "0011"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_person_birth_date_name_search", "person", ["birth_date", "name_search"])
    op.create_index("ix_duplicate_candidate_other_village_code_state", "duplicate_candidate", ["other_village_code", "state"])
    # Villages that were searched for themselves only are searched again.
    op.execute("DELETE FROM duplicate_search")
    _create_moves()


def _create_moves() -> None:
    op.create_table(
        "area_move",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("old_code", code(13), nullable=False),
        sa.Column("hamlets", sa.JSON(), nullable=False),
        sa.Column("rest_code", code(13), nullable=False),
        sa.Column("asked_by", sa.String(36), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("cases", sa.Integer(), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["old_code"], ["area.code"], name="fk_area_move_old_code"),
        sa.ForeignKeyConstraint(["rest_code"], ["area.code"], name="fk_area_move_rest_code"),
        sa.ForeignKeyConstraint(["asked_by"], ["account.id"], name="fk_area_move_asked_by"),
        sa.PrimaryKeyConstraint("id", name="pk_area_move"),
    )
    op.create_index("ix_area_move_old_code_asked_at", "area_move", ["old_code", "asked_at"])
