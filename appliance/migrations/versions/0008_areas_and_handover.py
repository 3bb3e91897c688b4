"""Areas over time and in BPS's codes, hamlets, counts for the area page, and villages handed over."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from appliance.migrations.building import code, refuse_changes

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

APPEND_ONLY = ("handover", "handover_village")


def upgrade() -> None:
    op.add_column("area", sa.Column("successor_code", code(13), nullable=True))
    op.add_column("area", sa.Column("valid_since", sa.Date(), nullable=True))
    op.add_column("area", sa.Column("bps_code", code(10), nullable=True))
    op.create_index("ix_area_successor_code", "area", ["successor_code"])
    op.create_index("ix_area_bps_code", "area", ["bps_code"], unique=True)
    _create_inside_villages()
    _create_handovers()
    for table in APPEND_ONLY:
        refuse_changes(table)


def _create_inside_villages() -> None:
    op.create_table(
        "hamlet",
        sa.Column("village_code", code(13), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("rw", sa.String(3), nullable=False),
        sa.Column("rt", sa.String(3), nullable=False),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(36), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by", sa.String(36), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["village_code"], ["area.code"], name="fk_hamlet_village_code"),
        sa.PrimaryKeyConstraint("id", name="pk_hamlet"),
        sa.UniqueConstraint("village_code", "name", "rw", "rt", name="uq_hamlet_village_code_name_rw_rt"),
    )
    op.create_table(
        "area_count",
        sa.Column("village_code", code(13), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("families", sa.Integer(), nullable=False),
        sa.Column("open_cases", sa.Integer(), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["village_code"], ["area.code"], name="fk_area_count_village_code"),
        sa.PrimaryKeyConstraint("village_code", name="pk_area_count"),
    )


def _create_handovers() -> None:
    op.create_table(
        "handover",
        sa.Column("number", code(32), nullable=False),
        sa.Column("request_id", sa.String(64), nullable=False),
        sa.Column("from_account_id", sa.String(36), nullable=False),
        sa.Column("to_account_id", sa.String(36), nullable=False),
        sa.Column("starts", sa.Date(), nullable=False),
        sa.Column("cases", sa.Integer(), nullable=False),
        sa.Column("sheet", sa.JSON(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_by", sa.String(36), nullable=False),
        sa.Column("id", sa.String(36), nullable=False),
        sa.ForeignKeyConstraint(["from_account_id"], ["account.id"], name="fk_handover_from_account_id"),
        sa.ForeignKeyConstraint(["to_account_id"], ["account.id"], name="fk_handover_to_account_id"),
        sa.ForeignKeyConstraint(["done_by"], ["account.id"], name="fk_handover_done_by"),
        sa.PrimaryKeyConstraint("id", name="pk_handover"),
        sa.UniqueConstraint("number", name="uq_handover_number"),
        sa.UniqueConstraint("request_id", name="uq_handover_request_id"),
    )
    op.create_index("ix_handover_from_account_id", "handover", ["from_account_id"])
    op.create_index("ix_handover_to_account_id", "handover", ["to_account_id"])
    op.create_table(
        "handover_village",
        sa.Column("village_code", code(13), nullable=False),
        sa.Column("handover_id", sa.String(36), nullable=False),
        sa.ForeignKeyConstraint(["village_code"], ["area.code"], name="fk_handover_village_village_code"),
        sa.ForeignKeyConstraint(["handover_id"], ["handover.id"], name="fk_handover_village_handover_id"),
        sa.PrimaryKeyConstraint("village_code", "handover_id", name="pk_handover_village"),
    )
    op.create_index("ix_handover_village_handover_id", "handover_village", ["handover_id"])
