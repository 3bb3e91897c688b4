"""Pairs that may be one person, merges, and the numbers that merged records had."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from appliance.migrations.building import code

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The search for duplicates asks for people of a village by the day of their birth.
    op.create_index("ix_person_village_code_birth_date", "person", ["village_code", "birth_date"])
    _create_pairs()
    _create_merges()


def _create_pairs() -> None:
    op.create_table(
        "duplicate_candidate",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(36), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by", sa.String(36), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.Column("first_id", sa.String(36), nullable=False),
        sa.Column("second_id", sa.String(36), nullable=False),
        sa.Column("village_code", code(13), nullable=False),
        sa.Column("other_village_code", code(13), nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("identity", sa.String(64), nullable=False),
        sa.Column("note", sa.String(300), nullable=False),
        sa.Column("reason", sa.String(300), nullable=False),
        sa.Column("decided_by", sa.String(36), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_duplicate_candidate"),
        sa.ForeignKeyConstraint(["first_id"], ["person.id"], name="fk_duplicate_candidate_first_id"),
        sa.ForeignKeyConstraint(["second_id"], ["person.id"], name="fk_duplicate_candidate_second_id"),
        sa.ForeignKeyConstraint(["village_code"], ["area.code"], name="fk_duplicate_candidate_village_code"),
        sa.ForeignKeyConstraint(["other_village_code"], ["area.code"], name="fk_duplicate_candidate_other_village_code"),
        sa.UniqueConstraint("first_id", "second_id", name="uq_duplicate_candidate_first_id_second_id"),
    )
    op.create_index("ix_duplicate_candidate_second_id", "duplicate_candidate", ["second_id"])
    op.create_index("ix_duplicate_candidate_state_score_id", "duplicate_candidate", ["state", "score", "id"])
    op.create_index(
        "ix_duplicate_candidate_village_code_state_score_id", "duplicate_candidate", ["village_code", "state", "score", "id"]
    )
    op.create_table(
        "duplicate_search",
        sa.Column("village_code", code(13), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("searched_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("village_code", name="pk_duplicate_search"),
        sa.ForeignKeyConstraint(["village_code"], ["area.code"], name="fk_duplicate_search_village_code"),
    )


def _create_merges() -> None:
    op.create_table(
        "person_merge",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("request_id", sa.String(64), nullable=False),
        sa.Column("pair_id", sa.String(36), nullable=False),
        sa.Column("survivor_id", sa.String(36), nullable=False),
        sa.Column("merged_id", sa.String(36), nullable=False),
        sa.Column("reason", sa.String(300), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("after", sa.JSON(), nullable=False),
        sa.Column("moved", sa.JSON(), nullable=False),
        sa.Column("merged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("merged_by", sa.String(36), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_by", sa.String(36), nullable=True),
        sa.Column("undo_reason", sa.String(300), nullable=False),
        sa.Column("undo_kept", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_person_merge"),
        sa.ForeignKeyConstraint(["pair_id"], ["duplicate_candidate.id"], name="fk_person_merge_pair_id"),
        sa.ForeignKeyConstraint(["survivor_id"], ["person.id"], name="fk_person_merge_survivor_id"),
        sa.ForeignKeyConstraint(["merged_id"], ["person.id"], name="fk_person_merge_merged_id"),
        sa.UniqueConstraint("request_id", name="uq_person_merge_request_id"),
    )
    op.create_index("ix_person_merge_survivor_id", "person_merge", ["survivor_id"])
    op.create_index("ix_person_merge_merged_id", "person_merge", ["merged_id"])
    op.create_table(
        "old_identifier",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("number", sa.String(16), nullable=False),
        sa.Column("kind", sa.String(3), nullable=False),
        sa.Column("person_id", sa.String(36), nullable=False),
        sa.Column("merge_id", sa.String(36), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_old_identifier"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_old_identifier_person_id"),
        sa.ForeignKeyConstraint(["merge_id"], ["person_merge.id"], name="fk_old_identifier_merge_id"),
    )
    for column in ("number", "person_id", "merge_id"):
        op.create_index(f"ix_old_identifier_{column}", "old_identifier", [column])
