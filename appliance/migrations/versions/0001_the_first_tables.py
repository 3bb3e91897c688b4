"""The first tables, and the triggers that keep history and audit as they were written."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from appliance.migrations.building import code, refuse_changes, stamped

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

APPEND_ONLY = ("case_event", "audit_entry")


def upgrade() -> None:
    _create_areas_and_units()
    _create_accounts()
    _create_signing_in()
    _create_families()
    _create_people()
    _create_people_aside()
    _create_catalogue()
    _create_cases()
    _create_history()
    _create_referrals()
    _create_audit()
    for table in APPEND_ONLY:
        refuse_changes(table)


def _create_areas_and_units() -> None:
    op.create_table(
        "area",
        sa.Column("code", code(13), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("level", sa.String(length=10), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("parent_code", code(13), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["parent_code"], ["area.code"], name="fk_area_parent_code"),
        sa.PrimaryKeyConstraint("code", name="pk_area"),
    )
    op.create_index("ix_area_parent_code", "area", ["parent_code"])
    op.create_table(
        "unit",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=160), nullable=False),
        sa.Column("area_code", code(13), nullable=False),
        sa.Column("address", sa.String(length=300), nullable=False),
        sa.Column("phone", sa.String(length=40), nullable=False),
        sa.Column("email", sa.String(length=120), nullable=False),
        sa.Column("official_name", sa.String(length=160), nullable=False),
        sa.Column("official_nip", sa.String(length=18), nullable=False),
        sa.Column("has_accounts", sa.Boolean(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        *stamped(),
        sa.ForeignKeyConstraint(["area_code"], ["area.code"], name="fk_unit_area_code"),
        sa.PrimaryKeyConstraint("id", name="pk_unit"),
        sa.UniqueConstraint("code", name="uq_unit_code"),
    )
    op.create_index("ix_unit_area_code", "unit", ["area_code"])


def _create_accounts() -> None:
    op.create_table(
        "account",
        sa.Column("username", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("phone", sa.String(length=32), nullable=True),
        sa.Column("nip", sa.String(length=18), nullable=True),
        sa.Column("password_hash", sa.String(length=255), nullable=False),
        sa.Column("must_change_password", sa.Boolean(), nullable=False),
        sa.Column("password_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("password_changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        *stamped(),
        sa.PrimaryKeyConstraint("id", name="pk_account"),
        sa.UniqueConstraint("username", name="uq_account_username"),
    )
    op.create_table(
        "assignment",
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("unit_id", sa.String(length=36), nullable=True),
        sa.Column("area_codes", sa.JSON(), nullable=False),
        sa.Column("starts", sa.Date(), nullable=False),
        sa.Column("ends", sa.Date(), nullable=True),
        sa.Column("decree", sa.String(length=80), nullable=True),
        *stamped(),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_assignment_account_id"),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name="fk_assignment_unit_id"),
        sa.PrimaryKeyConstraint("id", name="pk_assignment"),
    )
    op.create_index("ix_assignment_account_id", "assignment", ["account_id"])
    op.create_index("ix_assignment_unit_id", "assignment", ["unit_id"])


def _create_signing_in() -> None:
    op.create_table(
        "known_device",
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("device_id", sa.String(length=64), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_known_device_account_id"),
        sa.PrimaryKeyConstraint("account_id", "device_id", name="pk_known_device"),
    )
    op.create_table(
        "sign_in_attempt",
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("device_id", sa.String(length=64), nullable=False),
        sa.Column("misses", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subject", "device_id", name="pk_sign_in_attempt"),
    )
    op.create_table(
        "web_session",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("device_id", sa.String(length=64), nullable=False),
        sa.Column("device", sa.String(length=80), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end_reason", sa.String(length=20), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_web_session_account_id"),
        sa.PrimaryKeyConstraint("id", name="pk_web_session"),
    )
    op.create_index("ix_web_session_account_id", "web_session", ["account_id"])


def _create_families() -> None:
    op.create_table(
        "family",
        sa.Column("kk", sa.String(length=16), nullable=True),
        sa.Column("kk_previous", sa.String(length=16), nullable=True),
        sa.Column("head_id", sa.String(length=36), nullable=True),
        sa.Column("address", sa.String(length=300), nullable=False),
        sa.Column("hamlet", sa.String(length=80), nullable=False),
        sa.Column("rw", sa.String(length=3), nullable=False),
        sa.Column("rt", sa.String(length=3), nullable=False),
        sa.Column("village_code", code(13), nullable=False),
        sa.Column("latitude", sa.Float(), nullable=True),
        sa.Column("longitude", sa.Float(), nullable=True),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        *stamped(),
        sa.ForeignKeyConstraint(["village_code"], ["area.code"], name="fk_family_village_code"),
        sa.PrimaryKeyConstraint("id", name="pk_family"),
        sa.UniqueConstraint("kk", name="uq_family_kk"),
    )
    op.create_index("ix_family_kk_previous", "family", ["kk_previous"])
    op.create_index("ix_family_village_code", "family", ["village_code"])


def _create_people() -> None:
    op.create_table(
        "person",
        sa.Column("request_id", sa.String(length=64), nullable=True),
        sa.Column("nik", sa.String(length=16), nullable=True),
        sa.Column("nik_status", sa.String(length=12), nullable=False),
        sa.Column("nik_reason", sa.String(length=300), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("nickname", sa.String(length=60), nullable=False),
        sa.Column("name_search", code(120), nullable=False),
        sa.Column("sex", sa.String(length=1), nullable=False),
        sa.Column("birth_place", sa.String(length=80), nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=True),
        sa.Column("birth_date_estimated", sa.Boolean(), nullable=False),
        sa.Column("family_id", sa.String(length=36), nullable=True),
        sa.Column("relation", sa.String(length=2), nullable=False),
        sa.Column("village_code", code(13), nullable=False),
        sa.Column("religion", sa.String(length=20), nullable=False),
        sa.Column("education", sa.String(length=40), nullable=False),
        sa.Column("occupation", sa.String(length=60), nullable=False),
        sa.Column("marital_status", sa.String(length=20), nullable=False),
        sa.Column("mother_name", sa.String(length=120), nullable=False),
        sa.Column("father_name", sa.String(length=120), nullable=False),
        sa.Column("phone", sa.String(length=20), nullable=False),
        sa.Column("insurance", sa.String(length=12), nullable=False),
        sa.Column("insurance_number", sa.String(length=20), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("merged_into_id", sa.String(length=36), nullable=True),
        *stamped(),
        sa.CheckConstraint("nik IS NOT NULL OR nik_reason <> ''", name=op.f("ck_person_nik_or_reason")),
        sa.ForeignKeyConstraint(["family_id"], ["family.id"], name="fk_person_family_id"),
        sa.ForeignKeyConstraint(["merged_into_id"], ["person.id"], name="fk_person_merged_into_id"),
        sa.ForeignKeyConstraint(["village_code"], ["area.code"], name="fk_person_village_code"),
        sa.PrimaryKeyConstraint("id", name="pk_person"),
        sa.UniqueConstraint("nik", name="uq_person_nik"),
        sa.UniqueConstraint("request_id", name="uq_person_request_id"),
    )
    op.create_index("ix_person_family_id", "person", ["family_id"])
    op.create_index("ix_person_village_code_name_search", "person", ["village_code", "name_search"])


def _create_people_aside() -> None:
    op.create_table(
        "person_health",
        sa.Column("person_id", sa.String(length=36), nullable=False),
        sa.Column("disabilities", sa.JSON(), nullable=False),
        sa.Column("chronic_illnesses", sa.JSON(), nullable=False),
        sa.Column("pregnant", sa.Boolean(), nullable=False),
        *stamped(),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_person_health_person_id"),
        sa.PrimaryKeyConstraint("id", name="pk_person_health"),
        sa.UniqueConstraint("person_id", name="uq_person_health_person_id"),
    )
    op.create_table(
        "person_word",
        sa.Column("word", code(120), nullable=False),
        sa.Column("village_code", code(13), nullable=False),
        sa.Column("person_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_person_word_person_id"),
        sa.PrimaryKeyConstraint("word", "village_code", "person_id", name="pk_person_word"),
        sqlite_with_rowid=False,
    )


def _create_catalogue() -> None:
    op.create_table(
        "service_type",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=160), nullable=False),
        sa.Column("category", sa.String(length=4), nullable=False),
        sa.Column("flow", sa.String(length=20), nullable=False),
        sa.Column("simple", sa.Boolean(), nullable=False),
        sa.Column("needs_visit", sa.Boolean(), nullable=False),
        sa.Column("requirements", sa.JSON(), nullable=False),
        sa.Column("working_days", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        *stamped(),
        sa.PrimaryKeyConstraint("id", name="pk_service_type"),
        sa.UniqueConstraint("code", "version", name="uq_service_type_code_version"),
    )
    op.create_table(
        "sequence",
        sa.Column("series", sa.String(length=32), nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("series", name="pk_sequence"),
    )


def _create_cases() -> None:
    op.create_table(
        "case",
        sa.Column("number", code(32), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=True),
        sa.Column("channel", sa.String(length=10), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("category", sa.String(length=4), nullable=False),
        sa.Column("service_type_id", sa.String(length=36), nullable=False),
        sa.Column("applicant_id", sa.String(length=36), nullable=False),
        sa.Column("reporter_name", sa.String(length=120), nullable=False),
        sa.Column("reporter_relation", sa.String(length=60), nullable=False),
        sa.Column("reporter_phone", sa.String(length=20), nullable=False),
        sa.Column("reporter_is_proxy", sa.Boolean(), nullable=False),
        sa.Column("village_code", code(13), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("expectation", sa.Text(), nullable=False),
        sa.Column("priority", sa.String(length=8), nullable=False),
        sa.Column("priority_reason", sa.String(length=300), nullable=False),
        sa.Column("vulnerable_groups", sa.JSON(), nullable=False),
        sa.Column("confidential", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("owner_unit_id", sa.String(length=36), nullable=True),
        sa.Column("owner_id", sa.String(length=36), nullable=True),
        sa.Column("deadline", sa.DateTime(timezone=True), nullable=True),
        sa.Column("clock_stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("origin_id", sa.String(length=36), nullable=True),
        sa.Column("duplicate_of_id", sa.String(length=36), nullable=True),
        sa.Column("recommendation", sa.Text(), nullable=False),
        sa.Column("outcome", sa.String(length=12), nullable=False),
        sa.Column("outcome_note", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("satisfaction", sa.Integer(), nullable=True),
        *stamped(),
        sa.ForeignKeyConstraint(["applicant_id"], ["person.id"], name="fk_case_applicant_id"),
        sa.ForeignKeyConstraint(["duplicate_of_id"], ["case.id"], name="fk_case_duplicate_of_id"),
        sa.ForeignKeyConstraint(["origin_id"], ["case.id"], name="fk_case_origin_id"),
        sa.ForeignKeyConstraint(["owner_id"], ["account.id"], name="fk_case_owner_id"),
        sa.ForeignKeyConstraint(["owner_unit_id"], ["unit.id"], name="fk_case_owner_unit_id"),
        sa.ForeignKeyConstraint(["service_type_id"], ["service_type.id"], name="fk_case_service_type_id"),
        sa.ForeignKeyConstraint(["village_code"], ["area.code"], name="fk_case_village_code"),
        sa.PrimaryKeyConstraint("id", name="pk_case"),
        sa.UniqueConstraint("number", name="uq_case_number"),
        sa.UniqueConstraint("request_id", name="uq_case_request_id"),
    )
    _index_cases()


def _index_cases() -> None:
    op.create_index("ix_case_applicant_id", "case", ["applicant_id"])
    op.create_index("ix_case_created_by_received_at", "case", ["created_by", "received_at"])
    op.create_index("ix_case_state_deadline", "case", ["state", "deadline"])
    op.create_index("ix_case_state_village_code_received_at", "case", ["state", "village_code", "received_at"])
    op.create_index("ix_case_village_code_received_at", "case", ["village_code", "received_at"])


def _create_history() -> None:
    op.create_table(
        "case_event",
        sa.Column("case_id", sa.String(length=36), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("state_from", sa.String(length=20), nullable=False),
        sa.Column("state_to", sa.String(length=20), nullable=False),
        sa.Column("action", sa.String(length=32), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("account_name", sa.String(length=120), nullable=False),
        sa.Column("role", sa.String(length=24), nullable=False),
        sa.Column("device", sa.String(length=64), nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("citizen_note", sa.Text(), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("seal", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_case_event_account_id"),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name="fk_case_event_case_id"),
        sa.PrimaryKeyConstraint("id", name="pk_case_event"),
        sa.UniqueConstraint("case_id", "position", name="uq_case_event_case_id_position"),
    )


def _create_referrals() -> None:
    op.create_table(
        "referral",
        sa.Column("number", code(32), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=True),
        sa.Column("case_id", sa.String(length=36), nullable=False),
        sa.Column("unit_id", sa.String(length=36), nullable=False),
        sa.Column("contact", sa.String(length=160), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("shared", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("sent_by_way", sa.String(length=8), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reply_due", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reply", sa.Text(), nullable=False),
        sa.Column("outcome", sa.String(length=12), nullable=False),
        sa.Column("return_reason", sa.Text(), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        *stamped(),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name="fk_referral_case_id"),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name="fk_referral_unit_id"),
        sa.PrimaryKeyConstraint("id", name="pk_referral"),
        sa.UniqueConstraint("number", name="uq_referral_number"),
        sa.UniqueConstraint("request_id", name="uq_referral_request_id"),
    )
    op.create_index("ix_referral_case_id", "referral", ["case_id"])
    op.create_index("ix_referral_unit_id_state", "referral", ["unit_id", "state"])


def _create_audit() -> None:
    op.create_table(
        "audit_entry",
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("device", sa.String(length=64), nullable=False),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("seal", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("position", name="pk_audit_entry"),
    )
    op.create_index("ix_audit_entry_subject_position", "audit_entry", ["subject", "position"])
