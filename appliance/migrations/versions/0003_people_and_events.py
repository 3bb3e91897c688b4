"""Former cards of a family, what happened to people, and the fields of a person that were missing."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from appliance.migrations.building import refuse_changes, stamped
from appliance.migrations.codes_of_0003 import find, to_stored

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_former_cards()
    _create_life_events()
    _add_fields()
    _read_words_as_codes(op.get_bind())
    _read_phones(op.get_bind())
    _create_phones()
    _create_files()


def _create_former_cards() -> None:
    op.create_table(
        "former_card",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("family_id", sa.String(36), nullable=False),
        sa.Column("kk", sa.String(16), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("reason", sa.String(300), nullable=False),
        sa.ForeignKeyConstraint(["family_id"], ["family.id"], name="fk_former_card_family_id"),
        sa.PrimaryKeyConstraint("id", name="pk_former_card"),
    )
    op.create_index("ix_former_card_family_id", "former_card", ["family_id"])
    op.create_index("ix_former_card_kk", "former_card", ["kk"])
    # One former number a family so far: the family's identifier is unique among them.
    op.execute(
        "INSERT INTO former_card (id, family_id, kk, until, reason) "
        "SELECT id, id, kk_previous, NULL, '' FROM family WHERE kk_previous IS NOT NULL"
    )
    op.drop_index("ix_family_kk_previous", "family")
    op.drop_column("family", "kk_previous")


def _create_life_events() -> None:
    op.create_table(
        "life_event",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("person_id", sa.String(36), nullable=True),
        sa.Column("family_id", sa.String(36), nullable=True),
        sa.Column("happened_on", sa.Date(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.String(36), nullable=False),
        sa.Column("evidence", sa.String(300), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["family_id"], ["family.id"], name="fk_life_event_family_id"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_life_event_person_id"),
        sa.PrimaryKeyConstraint("id", name="pk_life_event"),
    )
    op.create_index("ix_life_event_person_id_recorded_at", "life_event", ["person_id", "recorded_at"])
    op.create_index("ix_life_event_family_id_recorded_at", "life_event", ["family_id", "recorded_at"])
    refuse_changes("life_event")


def _add_fields() -> None:
    op.add_column("person", sa.Column("nationality", sa.String(1), nullable=False, server_default=""))
    op.add_column("person", sa.Column("domicile", sa.String(300), nullable=False, server_default=""))
    op.add_column("person", sa.Column("photo_id", sa.String(36), nullable=True))
    op.add_column("person", sa.Column("status_since", sa.Date(), nullable=True))


def _read_words_as_codes(bind: sa.Connection) -> None:
    """What was typed in words becomes the code of its list; what no list knows stays as it is."""
    for field in ("religion", "education", "occupation", "marital_status"):
        column: sa.ColumnClause[str] = sa.column(field)
        person = sa.table("person", column)
        for text in bind.scalars(sa.select(column).select_from(person).distinct()).all():
            code = find(field, text) if text else None
            if code and code != text:
                bind.execute(sa.update(person).where(column == text).values({field: code}))


def _read_phones(bind: sa.Connection) -> None:
    """Two writings of one number become the same."""
    person = sa.table("person", sa.column("id"), sa.column("phone"))
    for row in bind.execute(sa.select(person.c.id, person.c.phone).where(person.c.phone != "")).all():
        number = to_stored(row.phone)
        if number and number != row.phone:
            bind.execute(sa.update(person).where(person.c.id == row.id).values(phone=number))


def _create_phones() -> None:
    op.create_table(
        "person_phone",
        sa.Column("person_id", sa.String(36), nullable=False),
        sa.Column("number", sa.String(20).with_variant(sa.String(20, collation="C"), "postgresql"), nullable=False),
        sa.Column("owner", sa.String(60), nullable=False),
        sa.Column("whatsapp", sa.Boolean(), nullable=False),
        *stamped(),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_person_phone_person_id"),
        sa.PrimaryKeyConstraint("id", name="pk_person_phone"),
        sa.UniqueConstraint("person_id", "number", name="uq_person_phone_person_id_number"),
    )
    op.create_index("ix_person_phone_number", "person_phone", ["number"])


def _create_files() -> None:
    op.create_table(
        "person_file",
        sa.Column("person_id", sa.String(36), nullable=True),
        sa.Column("family_id", sa.String(36), nullable=True),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("title", sa.String(120), nullable=False),
        sa.Column("media", sa.String(40), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("thumbnail", sa.String(64), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        *stamped(),
        sa.ForeignKeyConstraint(["family_id"], ["family.id"], name="fk_person_file_family_id"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_person_file_person_id"),
        sa.PrimaryKeyConstraint("id", name="pk_person_file"),
    )
    op.create_index("ix_person_file_family_id", "person_file", ["family_id"])
    op.create_index("ix_person_file_person_id", "person_file", ["person_id"])
