"""The counter: the queue and the cases that came of it, the guest book, notes on requirements, drafts, the kiosk."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from appliance.migrations.building import code, stamped

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_queue()
    _create_guests()
    _create_drafts()
    op.create_table(
        "status_miss",
        sa.Column("bucket", sa.String(64), nullable=False),
        sa.Column("misses", sa.Integer(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("bucket", name="pk_status_miss"),
    )
    op.add_column("service_type", sa.Column("requirement_notes", sa.JSON(), nullable=False, server_default="{}"))


def _create_queue() -> None:
    op.create_table(
        "queue_day",
        sa.Column("place", code(13), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("last_red", sa.Integer(), nullable=False),
        sa.Column("last_green", sa.Integer(), nullable=False),
        sa.Column("red_run", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("place", "day", name="pk_queue_day"),
    )
    op.create_table(
        "queue_ticket",
        sa.Column("request_id", sa.String(64), nullable=False),
        sa.Column("place", code(13), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("card", sa.String(5), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("vulnerable_groups", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("waits_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("called_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("desk", sa.String(4), nullable=False),
        sa.Column("officer_id", sa.String(36), nullable=True),
        sa.Column("served_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        *stamped(),
        sa.ForeignKeyConstraint(["officer_id"], ["account.id"], name="fk_queue_ticket_officer_id"),
        sa.PrimaryKeyConstraint("id", name="pk_queue_ticket"),
        sa.UniqueConstraint("request_id", name="uq_queue_ticket_request_id"),
        sa.UniqueConstraint("place", "day", "card", "number", name="uq_queue_ticket_place_day_card_number"),
    )
    op.create_index("ix_queue_ticket_place_day_state", "queue_ticket", ["place", "day", "state"])
    op.create_table(
        "queue_ticket_case",
        sa.Column("case_id", sa.String(36), nullable=False),
        sa.Column("ticket_id", sa.String(36), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name="fk_queue_ticket_case_case_id"),
        sa.ForeignKeyConstraint(["ticket_id"], ["queue_ticket.id"], name="fk_queue_ticket_case_ticket_id"),
        sa.PrimaryKeyConstraint("case_id", name="pk_queue_ticket_case"),
    )
    op.create_index("ix_queue_ticket_case_ticket_id", "queue_ticket_case", ["ticket_id"])


def _create_guests() -> None:
    op.create_table(
        "guest",
        sa.Column("request_id", sa.String(64), nullable=False),
        sa.Column("place", code(13), nullable=False),
        sa.Column("visited_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("origin", sa.String(300), nullable=False),
        sa.Column("purpose", sa.String(300), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("ticket_id", sa.String(36), nullable=True),
        *stamped(),
        sa.ForeignKeyConstraint(["ticket_id"], ["queue_ticket.id"], name="fk_guest_ticket_id"),
        sa.PrimaryKeyConstraint("id", name="pk_guest"),
        sa.UniqueConstraint("request_id", name="uq_guest_request_id"),
        sa.UniqueConstraint("ticket_id", name="uq_guest_ticket_id"),
    )
    op.create_index("ix_guest_place_visited_at", "guest", ["place", "visited_at"])


def _create_drafts() -> None:
    op.create_table(
        "draft",
        sa.Column("account_id", sa.String(36), nullable=False),
        sa.Column("form", code(160), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_draft_account_id"),
        sa.PrimaryKeyConstraint("account_id", "form", name="pk_draft"),
    )
    op.create_index("ix_draft_saved_at", "draft", ["saved_at"])
