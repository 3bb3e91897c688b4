"""Indexes for lists of very many cases: one of the open ones alone, and walks from the newest for all others."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
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
    asked = ["state", "unit_id", "case_id", "sent_at"]
    _index_some("ix_referral_open", "referral", ["reply_due", "id", *asked], "finished_at IS NULL")
    _index_some("ix_referral_finished", "referral", ["finished_at", "id", *asked], "finished_at IS NOT NULL")
    op.create_index("ix_referral_unit_id_finished_at", "referral", ["unit_id", "finished_at", "id", "state", "sent_at"])
    _index_letters()
    for table, column in (("letter", "area_code"), ("letter", "signatory_id"), ("case_paper", "visit_id")):
        op.create_index(f"ix_{table}_{column}", table, [column])


def _index_letters() -> None:
    for name in ("ix_letter_state_created_at", "ix_letter_issued_at_id"):
        op.drop_index(name, "letter")
    asked = ["state", "area_code", "case_id", "wording", "initialled_by", "referral_id", "number"]
    issued = ["issued_at", "id", *asked, "valid_until"]
    _index_some("ix_letter_issued", "letter", issued, "issued_at IS NOT NULL")
    _index_some("ix_letter_unissued", "letter", ["created_at", "id", *asked], "issued_at IS NULL")


def _index_some(name: str, table: str, columns: list[str], condition: str) -> None:
    """An index of the rows of which the condition is true."""
    op.create_index(name, table, columns, sqlite_where=sa.text(condition), postgresql_where=sa.text(condition))
