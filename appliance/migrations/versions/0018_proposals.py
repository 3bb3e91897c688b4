"""DTSEN proposals: what they rest on, their history, and the monthly window."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from appliance.migrations.building import code, refuse_changes, refuse_removal, stamped

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

INDEXES = {
    "ix_proposal_state_village_code": ("state", "village_code"),
    "ix_proposal_village_code_id": ("village_code", "id"),
    "ix_proposal_person_id": ("person_id",),
    "ix_proposal_family_id": ("family_id",),
    "ix_proposal_case_id": ("case_id",),
    "ix_proposal_basis_id": ("basis_id",),
}


def upgrade() -> None:
    _bases()
    _proposals()
    _events()
    op.create_table(
        "proposal_window",
        *stamped(),
        sa.Column("period", sa.String(7), nullable=False),
        sa.Column("opens_day", sa.Integer(), nullable=False),
        sa.Column("closes_day", sa.Integer(), nullable=False),
        sa.Column("result_days", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_proposal_window"),
        sa.UniqueConstraint("period", name="uq_proposal_window_period"),
    )
    for table in ("proposal", "proposal_basis"):
        refuse_removal(table)
    refuse_changes("proposal_event")


def _bases() -> None:
    op.create_table(
        "proposal_basis",
        *stamped(),
        sa.Column("number", code(32), nullable=False),
        sa.Column("request_id", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("village_code", code(13), nullable=False),
        sa.Column("held_on", sa.Date(), nullable=False),
        sa.Column("place", sa.String(160), nullable=False),
        sa.Column("leader", sa.String(120), nullable=False),
        sa.Column("attendance", sa.JSON(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("paper_number", sa.String(80), nullable=False),
        sa.Column("signed_on", sa.Date(), nullable=True),
        sa.Column("scan", sa.String(64), nullable=False),
        sa.Column("scan_media", sa.String(40), nullable=False),
        sa.Column("cancel_reason", sa.String(300), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_proposal_basis"),
        sa.UniqueConstraint("number", name="uq_proposal_basis_number"),
        sa.UniqueConstraint("request_id", name="uq_proposal_basis_request_id"),
        sa.ForeignKeyConstraint(["village_code"], ["area.code"], name="fk_proposal_basis_village_code"),
    )
    op.create_index("ix_proposal_basis_village_code_held_on", "proposal_basis", ["village_code", "held_on"])


def _proposals() -> None:
    op.create_table(
        "proposal",
        *stamped(),
        sa.Column("number", code(32), nullable=False),
        sa.Column("request_id", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("state_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("period", sa.String(7), nullable=False),
        sa.Column("person_id", sa.String(36), nullable=False),
        sa.Column("family_id", sa.String(36), nullable=True),
        sa.Column("case_id", sa.String(36), nullable=True),
        sa.Column("programme_id", sa.String(36), nullable=True),
        sa.Column("village_code", code(13), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("evidence", sa.String(300), nullable=False),
        sa.Column("basis_id", sa.String(36), nullable=True),
        sa.Column("decision", sa.String(8), nullable=False),
        sa.Column("decision_reason", sa.String(300), nullable=False),
        sa.Column("writers", sa.JSON(), nullable=False),
        sa.Column("checked_by", sa.String(36), nullable=True),
        sa.Column("entered_on", sa.Date(), nullable=True),
        sa.Column("outside_number", sa.String(40), nullable=False),
        sa.Column("result_due", sa.DateTime(timezone=True), nullable=True),
        sa.Column("result_on", sa.Date(), nullable=True),
        sa.Column("result_note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_proposal"),
        sa.UniqueConstraint("number", name="uq_proposal_number"),
        sa.UniqueConstraint("request_id", name="uq_proposal_request_id"),
        *(
            sa.ForeignKeyConstraint([column], [target], name=f"fk_proposal_{column}")
            for column, target in (
                ("person_id", "person.id"),
                ("family_id", "family.id"),
                ("case_id", "case.id"),
                ("programme_id", "programme.id"),
                ("village_code", "area.code"),
                ("basis_id", "proposal_basis.id"),
            )
        ),
    )
    for name, columns in INDEXES.items():
        op.create_index(name, "proposal", list(columns))


def _events() -> None:
    op.create_table(
        "proposal_event",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("proposal_id", sa.String(36), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("state_from", sa.String(20), nullable=False),
        sa.Column("state_to", sa.String(20), nullable=False),
        sa.Column("account_id", sa.String(36), nullable=False),
        sa.Column("account_name", sa.String(120), nullable=False),
        sa.Column("role", sa.String(24), nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_proposal_event"),
        sa.UniqueConstraint("proposal_id", "position", name="uq_proposal_event_proposal_id_position"),
        sa.ForeignKeyConstraint(["proposal_id"], ["proposal.id"], name="fk_proposal_event_proposal_id"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_proposal_event_account_id"),
    )
