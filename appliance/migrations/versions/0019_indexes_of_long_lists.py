"""Indexes for lists of very many cases: one of the open ones alone, and walks from the newest for all others."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0017"
branch_labels = None
depends_on = None

ENDED = "'DIBATALKAN', 'DITOLAK', 'DITUTUP', 'DUPLIKAT', 'SELESAI', 'TIDAK_VALID'"
REPLACED = (
    *("state_village_code_received_at", "village_code_received_at", "state_deadline", "created_by_received_at"),
    *("received_at_id", "stage_due", "escalation_village_code", "ratify_due", "escalate_at"),
)
OPEN_COLUMNS = [
    *("state", "village_code", "received_at", "deadline", "priority", "confidential"),
    *("created_by", "owner_id", "service_type_id", "escalation", "state_since", "id"),
]
WALKED = ["service_type_id", "priority", "confidential"]
WALKS = {
    "newest": ["received_at", "id", "village_code", *WALKED],
    "newest_of_village": ["village_code", "received_at", "id", *WALKED],
    "newest_of_service": ["service_type_id", "received_at", "id", "village_code", "priority", "confidential"],
    "newest_of_state": ["state", "received_at", "id", "village_code", *WALKED],
    "newest_of_owner": ["owner_id", "received_at", "id", "village_code", *WALKED],
    "newest_of_creator": ["created_by", "received_at", "id", "village_code", *WALKED],
}


def upgrade() -> None:
    for name in REPLACED:
        op.drop_index(f"ix_case_{name}", "case")
    for name, columns in WALKS.items():
        op.create_index(f"ix_case_{name}", "case", columns)
    _index_some("ix_case_open", "case", OPEN_COLUMNS, f"state NOT IN ({ENDED})")
    for column in ("ratify_due", "escalate_at"):
        _index_some(f"ix_case_{column}", "case", [column], f"{column} IS NOT NULL")
    for table, column in (("letter", "area_code"), ("letter", "signatory_id"), ("case_paper", "visit_id")):
        op.create_index(f"ix_{table}_{column}", table, [column])


def _index_some(name: str, table: str, columns: list[str], condition: str) -> None:
    """An index of the rows of which the condition is true."""
    op.create_index(name, table, columns, sqlite_where=sa.text(condition), postgresql_where=sa.text(condition))
