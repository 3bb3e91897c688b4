"""Programmes, who takes part, payments, needs, the national lists, and socio-economic profiles."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from appliance.migrations.building import stamped

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# What was seen stays; only the holder may change, when two records of one person are merged.
APPEND_ONLY = {
    "list_status": (
        *("id", "request_id", "list_id", "listed", "outside_id", "decile", "period"),
        *("checked_on", "checked_by", "evidence", "stored_at", "stored_by"),
    ),
    "profile": (
        *("id", "request_id", "instrument", "version", "surveyed_on", "surveyed_by"),
        *("opinion", "answers", "note", "stored_at", "stored_by"),
    ),
}


def upgrade() -> None:
    _create_programmes()
    _create_participations()
    _create_payments_and_needs()
    _create_lists()
    _create_profiles()
    for table, columns in APPEND_ONLY.items():
        _refuse_changes(table, columns)


def _refuse_changes(table: str, columns: tuple[str, ...]) -> None:
    listed = ", ".join(columns)
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"CREATE FUNCTION {table}_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{table} is append-only'; END $$"
        )
        for name, when, each in (
            ("changes", f"UPDATE OF {listed}", "ROW"),
            ("rows", "DELETE", "ROW"),
            ("statements", "TRUNCATE", "STATEMENT"),
        ):
            op.execute(
                f"CREATE TRIGGER {table}_keeps_{name} BEFORE {when} ON {table} "
                f"FOR EACH {each} EXECUTE FUNCTION {table}_is_append_only()"
            )
        return
    for name, when in (("update", f"UPDATE OF {listed}"), ("delete", "DELETE")):
        op.execute(
            f"CREATE TRIGGER {table}_refuses_{name} BEFORE {when} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )


def _held(table: str) -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("person_id", sa.String(36), nullable=True),
        sa.Column("family_id", sa.String(36), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=f"fk_{table}_person_id"),
        sa.ForeignKeyConstraint(["family_id"], ["family.id"], name=f"fk_{table}_family_id"),
        # alembic's convention adds the table's name in front
        sa.CheckConstraint("(person_id IS NULL) <> (family_id IS NULL)", name=op.f(f"ck_{table}_one_holder")),
    ]


def _create_programmes() -> None:
    op.create_table(
        "programme",
        sa.Column("code", sa.String(40), nullable=False),
        sa.Column("name", sa.String(160), nullable=False),
        sa.Column("level", sa.String(10), nullable=False),
        sa.Column("sector", sa.String(16), nullable=False),
        sa.Column("target", sa.String(10), nullable=False),
        sa.Column("unit_id", sa.String(36), nullable=True),
        sa.Column("max_decile", sa.Integer(), nullable=True),
        sa.Column("starts", sa.Date(), nullable=True),
        sa.Column("ends", sa.Date(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        *stamped(),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name="fk_programme_unit_id"),
        sa.PrimaryKeyConstraint("id", name="pk_programme"),
        sa.UniqueConstraint("code", name="uq_programme_code"),
    )
    op.create_table(
        "combination_rule",
        sa.Column("code", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("within", sa.String(10), nullable=False),
        sa.Column("first_id", sa.String(36), nullable=True),
        sa.Column("second_id", sa.String(36), nullable=True),
        sa.Column("sector", sa.String(16), nullable=False),
        sa.Column("most", sa.Integer(), nullable=True),
        sa.Column("advice", sa.String(300), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        *stamped(),
        sa.ForeignKeyConstraint(["first_id"], ["programme.id"], name="fk_combination_rule_first_id"),
        sa.ForeignKeyConstraint(["second_id"], ["programme.id"], name="fk_combination_rule_second_id"),
        sa.PrimaryKeyConstraint("id", name="pk_combination_rule"),
        sa.UniqueConstraint("code", name="uq_combination_rule_code"),
    )


def _create_participations() -> None:
    op.create_table(
        "participation",
        sa.Column("request_id", sa.String(64), nullable=True),
        sa.Column("programme_id", sa.String(36), nullable=False),
        sa.Column("card_number", sa.String(40), nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("starts", sa.Date(), nullable=True),
        sa.Column("ends", sa.Date(), nullable=True),
        sa.Column("reason", sa.String(300), nullable=False),
        sa.Column("source", sa.String(12), nullable=False),
        sa.Column("known_on", sa.Date(), nullable=False),
        sa.Column("note", sa.String(300), nullable=False),
        *stamped(),
        *_held("participation"),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name="fk_participation_programme_id"),
        sa.PrimaryKeyConstraint("id", name="pk_participation"),
        sa.UniqueConstraint("request_id", name="uq_participation_request_id"),
    )
    op.create_index("ix_participation_person_id_programme_id", "participation", ["person_id", "programme_id"])
    op.create_index("ix_participation_family_id_programme_id", "participation", ["family_id", "programme_id"])


def _create_payments_and_needs() -> None:
    op.create_table(
        "payment",
        sa.Column("request_id", sa.String(64), nullable=True),
        sa.Column("participation_id", sa.String(36), nullable=False),
        sa.Column("period", sa.String(40), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=True),
        sa.Column("form", sa.String(10), nullable=False),
        sa.Column("goods", sa.String(40), nullable=False),
        sa.Column("evidence", sa.String(300), nullable=False),
        sa.Column("struck_reason", sa.String(300), nullable=False),
        *stamped(),
        sa.ForeignKeyConstraint(["participation_id"], ["participation.id"], name="fk_payment_participation_id"),
        sa.PrimaryKeyConstraint("id", name="pk_payment"),
        sa.UniqueConstraint("request_id", name="uq_payment_request_id"),
    )
    op.create_index("ix_payment_participation_id_paid_on", "payment", ["participation_id", "paid_on"])
    op.create_table(
        "need",
        sa.Column("request_id", sa.String(64), nullable=True),
        sa.Column("programme_id", sa.String(36), nullable=True),
        sa.Column("sector", sa.String(16), nullable=False),
        sa.Column("priority", sa.String(10), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("noted_on", sa.Date(), nullable=False),
        sa.Column("outcome", sa.String(12), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("outcome_note", sa.String(300), nullable=False),
        *stamped(),
        *_held("need"),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name="fk_need_programme_id"),
        sa.PrimaryKeyConstraint("id", name="pk_need"),
        sa.UniqueConstraint("request_id", name="uq_need_request_id"),
    )
    op.create_index("ix_need_person_id", "need", ["person_id"])
    op.create_index("ix_need_family_id", "need", ["family_id"])


def _create_lists() -> None:
    op.create_table(
        "national_list",
        sa.Column("code", sa.String(40), nullable=False),
        sa.Column("name", sa.String(160), nullable=False),
        sa.Column("has_decile", sa.Boolean(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        *stamped(),
        sa.PrimaryKeyConstraint("id", name="pk_national_list"),
        sa.UniqueConstraint("code", name="uq_national_list_code"),
    )
    op.create_table(
        "list_status",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("request_id", sa.String(64), nullable=True),
        sa.Column("list_id", sa.String(36), nullable=False),
        sa.Column("listed", sa.String(6), nullable=False),
        sa.Column("outside_id", sa.String(40), nullable=False),
        sa.Column("decile", sa.Integer(), nullable=True),
        sa.Column("period", sa.String(40), nullable=False),
        sa.Column("checked_on", sa.Date(), nullable=False),
        sa.Column("checked_by", sa.String(120), nullable=False),
        sa.Column("evidence", sa.String(300), nullable=False),
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stored_by", sa.String(36), nullable=False),
        *_held("list_status"),
        sa.ForeignKeyConstraint(["list_id"], ["national_list.id"], name="fk_list_status_list_id"),
        sa.PrimaryKeyConstraint("id", name="pk_list_status"),
        sa.UniqueConstraint("request_id", name="uq_list_status_request_id"),
    )
    op.create_index("ix_list_status_person_id_checked_on", "list_status", ["person_id", "checked_on"])
    op.create_index("ix_list_status_family_id_checked_on", "list_status", ["family_id", "checked_on"])


def _create_profiles() -> None:
    op.create_table(
        "profile",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("request_id", sa.String(64), nullable=True),
        sa.Column("instrument", sa.String(40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("surveyed_on", sa.Date(), nullable=False),
        sa.Column("surveyed_by", sa.String(120), nullable=False),
        sa.Column("opinion", sa.String(16), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stored_by", sa.String(36), nullable=False),
        *_held("profile"),
        sa.PrimaryKeyConstraint("id", name="pk_profile"),
        sa.UniqueConstraint("request_id", name="uq_profile_request_id"),
    )
    op.create_index("ix_profile_person_id_surveyed_on", "profile", ["person_id", "surveyed_on"])
    op.create_index("ix_profile_family_id_surveyed_on", "profile", ["family_id", "surveyed_on"])
