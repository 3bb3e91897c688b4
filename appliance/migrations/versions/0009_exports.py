"""Lists that leave the office, and the office's own layouts for them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_exports()
    _create_layouts()


def _create_exports() -> None:
    op.create_table(
        "export",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("request_id", sa.String(64), nullable=False),
        sa.Column("layout", sa.String(20), nullable=False),
        sa.Column("format", sa.String(16), nullable=False),
        sa.Column("masked", sa.Boolean(), nullable=False),
        sa.Column("area_codes", sa.JSON(), nullable=False),
        sa.Column("filters", sa.JSON(), nullable=False),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.Column("reason", sa.String(20), nullable=False),
        sa.Column("reason_note", sa.String(300), nullable=False),
        sa.Column("recipient", sa.String(160), nullable=False),
        sa.Column("asked_by", sa.String(36), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("device", sa.String(64), nullable=False),
        sa.Column("starts", sa.Integer(), nullable=False),
        sa.Column("row_count", sa.Integer(), nullable=True),
        sa.Column("file_size", sa.BigInteger(), nullable=True),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("downloads", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["asked_by"], ["account.id"], name="fk_export_asked_by"),
        sa.PrimaryKeyConstraint("id", name="pk_export"),
        sa.UniqueConstraint("request_id", name="uq_export_request_id"),
    )
    op.create_index("ix_export_asked_by_asked_at", "export", ["asked_by", "asked_at"])
    op.create_index("ix_export_removed_at_expires_at", "export", ["removed_at", "expires_at"])


def _create_layouts() -> None:
    op.create_table(
        "export_layout",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("code", sa.String(20), nullable=False),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(36), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by", sa.String(36), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_export_layout"),
        sa.UniqueConstraint("code", name="uq_export_layout_code"),
    )
