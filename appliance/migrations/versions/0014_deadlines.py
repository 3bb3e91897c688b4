"""The office's calendar, limits of stages, why due times change, how far lateness was told, and who looks at a case."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from appliance.migrations.building import refuse_changes, stamped

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

RUNNING = ("BARU", "VERIFIKASI", "TERVERIFIKASI", "TELAAH", "MENUNGGU_PENETAPAN", "DITANGANI", "DIRUJUK", "TINDAK_LANJUT")


def upgrade() -> None:
    _create_calendar()
    _create_due_changes()
    _create_looks()
    op.add_column("case", sa.Column("stage_due", sa.DateTime(timezone=True), nullable=True))
    op.add_column("case", sa.Column("escalation", sa.Integer(), nullable=True))
    op.add_column("case", sa.Column("escalate_at", sa.DateTime(timezone=True), nullable=True))
    case = sa.table("case", sa.column("state", sa.String), sa.column("deadline"), sa.column("escalate_at"))
    op.execute(case.update().where(case.c.state.in_(RUNNING)).values(escalate_at=case.c.deadline))
    op.create_index("ix_case_received_at_id", "case", ["received_at", "id"])
    op.create_index("ix_case_stage_due", "case", ["stage_due"])
    op.create_index("ix_case_escalate_at", "case", ["escalate_at"])
    op.create_index("ix_case_escalation_village_code", "case", ["escalation", "village_code"])


def _create_calendar() -> None:
    op.create_table(
        "holiday",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        *stamped(),
        sa.PrimaryKeyConstraint("id", name="pk_holiday"),
        sa.UniqueConstraint("day", name="uq_holiday_day"),
    )
    op.create_table(
        "office_hours",
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("starts", sa.Date(), nullable=True),
        sa.Column("ends", sa.Date(), nullable=True),
        sa.Column("week", sa.JSON(), nullable=False),
        *stamped(),
        sa.PrimaryKeyConstraint("id", name="pk_office_hours"),
        sa.UniqueConstraint("starts", name="uq_office_hours_starts"),
    )
    op.create_table(
        "stage_limit",
        sa.Column("service_code", sa.String(40), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("unit", sa.String(12), nullable=False),
        *stamped(),
        sa.PrimaryKeyConstraint("id", name="pk_stage_limit"),
        sa.UniqueConstraint("service_code", "state", name="uq_stage_limit_service_code_state"),
    )


def _create_due_changes() -> None:
    op.create_table(
        "due_change",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("case_id", sa.String(36), nullable=False),
        sa.Column("old", sa.DateTime(timezone=True), nullable=True),
        sa.Column("new", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cause", sa.String(12), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("account_id", sa.String(36), nullable=False),
        sa.Column("account_name", sa.String(120), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name="fk_due_change_case_id"),
        sa.PrimaryKeyConstraint("id", name="pk_due_change"),
    )
    op.create_index("ix_due_change_case_id", "due_change", ["case_id"])
    refuse_changes("due_change")


def _create_looks() -> None:
    op.create_table(
        "case_look",
        sa.Column("case_id", sa.String(36), nullable=False),
        sa.Column("account_id", sa.String(36), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name="fk_case_look_case_id"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_case_look_account_id"),
        sa.PrimaryKeyConstraint("case_id", "account_id", name="pk_case_look"),
    )
    op.create_index("ix_case_look_expires_at", "case_look", ["expires_at"])
