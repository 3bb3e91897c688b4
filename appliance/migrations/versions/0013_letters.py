"""Letters, their wordings and heads, and who signs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from appliance.migrations.building import code, refuse_changes, stamped

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_wordings()
    _create_signatories()
    _create_letters()


def _create_wordings() -> None:
    op.create_table(
        "letter_wording",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("code", sa.String(40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stored_by", sa.String(36), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_letter_wording"),
        sa.UniqueConstraint("code", "version", name="uq_letter_wording_code_version"),
    )
    op.create_table(
        "letterhead",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stored_by", sa.String(36), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_letterhead"),
        sa.UniqueConstraint("version", name="uq_letterhead_version"),
    )
    refuse_changes("letter_wording")
    refuse_changes("letterhead")


def _create_signatories() -> None:
    op.create_table(
        "signatory",
        *stamped(),
        sa.Column("name", sa.String(160), nullable=False),
        sa.Column("position", sa.String(160), nullable=False),
        sa.Column("rank", sa.String(160), nullable=False),
        sa.Column("nip", sa.String(18), nullable=False),
        sa.Column("on_behalf", sa.String(160), nullable=False),
        sa.Column("by_order", sa.String(160), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_signatory"),
    )


def _create_letters() -> None:
    op.create_table(
        "letter",
        *stamped(),
        sa.Column("request_id", sa.String(64), nullable=False),
        sa.Column("wording", sa.String(40), nullable=False),
        sa.Column("title", sa.String(160), nullable=False),
        sa.Column("case_id", sa.String(36), nullable=False),
        sa.Column("referral_id", sa.String(36), nullable=True),
        sa.Column("person_id", sa.String(36), nullable=False),
        sa.Column("area_code", code(13), nullable=False),
        sa.Column("signatory_id", sa.String(36), nullable=True),
        sa.Column("purpose", sa.String(160), nullable=False),
        sa.Column("addressee", sa.Text(), nullable=False),
        sa.Column("typed", sa.JSON(), nullable=False),
        sa.Column("frozen", sa.JSON(), nullable=True),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("drafters", sa.JSON(), nullable=False),
        sa.Column("initialled_by", sa.String(36), nullable=True),
        sa.Column("approved_by", sa.String(36), nullable=True),
        sa.Column("series", sa.String(16), nullable=True),
        sa.Column("year", sa.Integer(), nullable=True),
        sa.Column("count", sa.Integer(), nullable=True),
        sa.Column("number", sa.String(80), nullable=True),
        sa.Column("outside_number", sa.String(80), nullable=False),
        sa.Column("day", sa.Date(), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("check_code", sa.String(16), nullable=True),
        sa.Column("pdf", sa.String(64), nullable=False),
        sa.Column("prints", sa.Integer(), nullable=False),
        sa.Column("cancel_reason", sa.Text(), nullable=False),
        sa.Column("scan", sa.String(64), nullable=False),
        sa.Column("scan_media", sa.String(40), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name="fk_letter_case_id"),
        sa.ForeignKeyConstraint(["referral_id"], ["referral.id"], name="fk_letter_referral_id"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_letter_person_id"),
        sa.ForeignKeyConstraint(["area_code"], ["area.code"], name="fk_letter_area_code"),
        sa.ForeignKeyConstraint(["signatory_id"], ["signatory.id"], name="fk_letter_signatory_id"),
        sa.ForeignKeyConstraint(["initialled_by"], ["account.id"], name="fk_letter_initialled_by"),
        sa.ForeignKeyConstraint(["approved_by"], ["account.id"], name="fk_letter_approved_by"),
        sa.PrimaryKeyConstraint("id", name="pk_letter"),
        sa.UniqueConstraint("request_id", name="uq_letter_request_id"),
        sa.UniqueConstraint("series", "year", "count", name="uq_letter_series_year_count"),
        sa.UniqueConstraint("number", name="uq_letter_number"),
        sa.UniqueConstraint("check_code", name="uq_letter_check_code"),
    )
    op.create_index("ix_letter_state_created_at", "letter", ["state", "created_at"])
    op.create_index("ix_letter_issued_at_id", "letter", ["issued_at", "id"])
    op.create_index("ix_letter_person_id_wording", "letter", ["person_id", "wording"])
    op.create_index("ix_letter_case_id", "letter", ["case_id"])
    op.create_index("ix_letter_referral_id", "letter", ["referral_id"])
