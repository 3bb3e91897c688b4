"""From where a device was used last; incidents with their history; and an index by which one account's acts are read."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from appliance.migrations.building import code, refuse_changes, refuse_removal, stamped

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("web_session", sa.Column("address", sa.String(45), nullable=False, server_default=""))
    op.create_index("ix_audit_entry_account_id_at", "audit_entry", ["account_id", "at"])
    _create_incidents()
    _create_events()
    refuse_removal("incident")
    refuse_changes("incident_event")


def _create_incidents() -> None:
    op.create_table(
        "incident",
        *stamped(),
        sa.Column("number", code(32), nullable=False),
        sa.Column("request_id", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("noticed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("account_id", sa.String(36), nullable=True),
        sa.Column("device", sa.String(64), nullable=False),
        sa.Column("seen_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("story", sa.Text(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("measures", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_incident_account_id"),
        sa.PrimaryKeyConstraint("id", name="pk_incident"),
        sa.UniqueConstraint("number", name="uq_incident_number"),
        sa.UniqueConstraint("request_id", name="uq_incident_request_id"),
    )
    op.create_index("ix_incident_state", "incident", ["state"])


def _create_events() -> None:
    op.create_table(
        "incident_event",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("incident_id", sa.String(36), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("state_from", sa.String(20), nullable=False),
        sa.Column("state_to", sa.String(20), nullable=False),
        sa.Column("account_id", sa.String(36), nullable=False),
        sa.Column("account_name", sa.String(120), nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_incident_event_incident_id"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_incident_event_account_id"),
        sa.PrimaryKeyConstraint("id", name="pk_incident_event"),
        sa.UniqueConstraint("incident_id", "position", name="uq_incident_event_incident_id_position"),
    )
