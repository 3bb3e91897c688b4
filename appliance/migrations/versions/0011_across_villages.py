"""Indexes by which the night finds one person in two villages."""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_person_birth_date_name_search", "person", ["birth_date", "name_search"])
    op.create_index("ix_duplicate_candidate_other_village_code_state", "duplicate_candidate", ["other_village_code", "state"])
    # Villages that were searched for themselves only are searched again.
    op.execute("DELETE FROM duplicate_search")
