"""Indexes by which the night finds one person in two villages, moves of villages to their new codes, and planned handovers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from appliance.migrations.building import code, stamped

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_person_birth_date_name_search", "person", ["birth_date", "name_search"])
    op.create_index("ix_duplicate_candidate_other_village_code_state", "duplicate_candidate", ["other_village_code", "state"])
    # Villages that were searched for themselves only are searched again.
    op.execute("DELETE FROM duplicate_search")
    _create_moves()
    _create_plans()


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


def _create_plans() -> None:
    op.create_table(
        "handover_plan",
        sa.Column("request_id", sa.String(64), nullable=False),
        sa.Column("from_account_id", sa.String(36), nullable=False),
        sa.Column("to_account_id", sa.String(36), nullable=False),
        sa.Column("village_codes", sa.JSON(), nullable=False),
        sa.Column("starts", sa.Date(), nullable=False),
        sa.Column("decree", sa.String(80), nullable=False),
        sa.Column("note", sa.String(1000), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("handover_id", sa.String(36), nullable=True),
        *stamped(),
        sa.ForeignKeyConstraint(["from_account_id"], ["account.id"], name="fk_handover_plan_from_account_id"),
        sa.ForeignKeyConstraint(["to_account_id"], ["account.id"], name="fk_handover_plan_to_account_id"),
        sa.ForeignKeyConstraint(["handover_id"], ["handover.id"], name="fk_handover_plan_handover_id"),
        sa.PrimaryKeyConstraint("id", name="pk_handover_plan"),
        sa.UniqueConstraint("request_id", name="uq_handover_plan_request_id"),
    )
    op.create_index("ix_handover_plan_state_starts", "handover_plan", ["state", "starts"])
