"""Visits and papers of cases, the manager's delegates, and that no case is ever deleted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from appliance.migrations.building import refuse_removal, stamped

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

KEPT = ("case", "referral", "visit", "case_paper", "delegation")
# What the service types of a fresh node have: a look into the national list first, or the Puskesos settles it.
LIST_CHECKED = ("reaktivasi-pbi", "usulan-dtsen", "sk-dtsen", "sanggah", "bantuan-belum-cair")
IN_VILLAGE = ("informasi", "cek-kepesertaan", "pangan", "adminduk")


def upgrade() -> None:
    _extend_service_types()
    op.add_column("case", sa.Column("recommended_by", sa.String(36), nullable=True))
    op.add_column("case", sa.Column("ratify_due", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_case_ratify_due", "case", ["ratify_due"])
    _create_visits()
    _create_papers()
    _create_delegations()
    for table in KEPT:
        refuse_removal(table)


def _extend_service_types() -> None:
    for column, codes in (("needs_list_check", LIST_CHECKED), ("village_may_handle", IN_VILLAGE)):
        op.add_column("service_type", sa.Column(column, sa.Boolean(), nullable=False, server_default=sa.false()))
        kind = sa.table("service_type", sa.column("code", sa.String), sa.column(column, sa.Boolean))
        op.execute(kind.update().where(kind.c.code.in_(codes)).values({column: True}))


def _create_visits() -> None:
    op.create_table(
        "visit",
        sa.Column("case_id", sa.String(36), nullable=False),
        sa.Column("visitor_id", sa.String(36), nullable=False),
        sa.Column("state", sa.String(14), nullable=False),
        sa.Column("planned_on", sa.Date(), nullable=True),
        sa.Column("instruction", sa.Text(), nullable=False),
        sa.Column("visited_on", sa.Date(), nullable=True),
        sa.Column("result", sa.String(16), nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        sa.Column("witness", sa.String(120), nullable=False),
        sa.Column("latitude", sa.Float(), nullable=True),
        sa.Column("longitude", sa.Float(), nullable=True),
        sa.Column("judged_by", sa.String(36), nullable=True),
        sa.Column("judgement", sa.Text(), nullable=False),
        *stamped(),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name="fk_visit_case_id"),
        sa.ForeignKeyConstraint(["visitor_id"], ["account.id"], name="fk_visit_visitor_id"),
        sa.PrimaryKeyConstraint("id", name="pk_visit"),
    )
    op.create_index("ix_visit_case_id", "visit", ["case_id"])
    op.create_index("ix_visit_visitor_id_state", "visit", ["visitor_id", "state"])


def _create_papers() -> None:
    op.create_table(
        "case_paper",
        sa.Column("case_id", sa.String(36), nullable=False),
        sa.Column("visit_id", sa.String(36), nullable=True),
        sa.Column("requirement", sa.String(120), nullable=False),
        sa.Column("title", sa.String(120), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("reason", sa.String(300), nullable=False),
        sa.Column("media", sa.String(40), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("thumbnail", sa.String(64), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        *stamped(),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name="fk_case_paper_case_id"),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name="fk_case_paper_visit_id"),
        sa.PrimaryKeyConstraint("id", name="pk_case_paper"),
    )
    op.create_index("ix_case_paper_case_id", "case_paper", ["case_id"])


def _create_delegations() -> None:
    op.create_table(
        "delegation",
        sa.Column("account_id", sa.String(36), nullable=False),
        sa.Column("area_codes", sa.JSON(), nullable=False),
        sa.Column("starts", sa.Date(), nullable=False),
        sa.Column("ends", sa.Date(), nullable=False),
        sa.Column("document", sa.String(80), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        *stamped(),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_delegation_account_id"),
        sa.PrimaryKeyConstraint("id", name="pk_delegation"),
    )
    op.create_index("ix_delegation_account_id", "delegation", ["account_id"])
