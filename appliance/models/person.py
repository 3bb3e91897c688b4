"""Families and persons, the words their names are found by, and what is known of their health."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from appliance.database import Model
from appliance.models.area import CODE_LENGTH
from appliance.models.columns import ID_LENGTH, Code, Stamped

NAME_LENGTH = 120
REASON_LENGTH = 300


class NikStatus(StrEnum):
    """Numbers are doubted, never refused: many real ones disagree with the person's papers."""

    VALID = "valid"
    DOUBTFUL = "meragukan"
    TEMPORARY = "sementara"
    NONE = "tidak_ada"


class Sex(StrEnum):
    MALE = "L"
    FEMALE = "P"


class Relation(StrEnum):
    """Relation to the head of the family, with the numbers that villages' sheets use."""

    HEAD = "1"
    HUSBAND = "2"
    WIFE = "3"
    CHILD = "4"
    CHILD_IN_LAW = "5"
    GRANDCHILD = "6"
    PARENT = "7"
    PARENT_IN_LAW = "8"
    RELATIVE = "9"
    HELPER = "10"
    OTHER = "11"


class Family(Stamped, Model):
    """A family with one card (KK). The number changes when a family splits; the former one stays findable."""

    __tablename__ = "family"

    kk: Mapped[str | None] = mapped_column(sa.String(16), unique=True)
    kk_previous: Mapped[str | None] = mapped_column(sa.String(16), index=True)
    # No foreign key: family and person would each need the other first.
    head_id: Mapped[str | None] = mapped_column(sa.String(ID_LENGTH))
    address: Mapped[str] = mapped_column(sa.String(300), default="")
    hamlet: Mapped[str] = mapped_column(sa.String(80), default="")
    rw: Mapped[str] = mapped_column(sa.String(3), default="")
    rt: Mapped[str] = mapped_column(sa.String(3), default="")
    village_code: Mapped[str] = mapped_column(Code(CODE_LENGTH), sa.ForeignKey("area.code"), index=True)
    latitude: Mapped[float | None] = mapped_column(sa.Float)
    longitude: Mapped[float | None] = mapped_column(sa.Float)
    status: Mapped[str] = mapped_column(sa.String(10), default="aktif")
    note: Mapped[str] = mapped_column(sa.Text, default="")


class Person(Stamped, Model):
    """A resident. `village_code` is where she lives, and decides who may see her."""

    __tablename__ = "person"
    __table_args__ = (
        sa.CheckConstraint("nik IS NOT NULL OR nik_reason <> ''", name="nik_or_reason"),
        sa.Index("ix_person_village_code_name_search", "village_code", "name_search"),
        sa.Index("ix_person_village_code_birth_date", "village_code", "birth_date"),
    )

    request_id: Mapped[str | None] = mapped_column(sa.String(64), unique=True)
    nik: Mapped[str | None] = mapped_column(sa.String(16), unique=True)
    nik_status: Mapped[str] = mapped_column(sa.String(12))
    nik_reason: Mapped[str] = mapped_column(sa.String(REASON_LENGTH), default="")
    name: Mapped[str] = mapped_column(sa.String(NAME_LENGTH))
    nickname: Mapped[str] = mapped_column(sa.String(60), default="")
    name_search: Mapped[str] = mapped_column(Code(NAME_LENGTH))
    sex: Mapped[str] = mapped_column(sa.String(1))
    birth_place: Mapped[str] = mapped_column(sa.String(80), default="")
    birth_date: Mapped[date | None] = mapped_column(sa.Date)
    birth_date_estimated: Mapped[bool] = mapped_column(sa.Boolean, default=False)
    family_id: Mapped[str | None] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("family.id"), index=True)
    relation: Mapped[str] = mapped_column(sa.String(2), default=Relation.OTHER)
    village_code: Mapped[str] = mapped_column(Code(CODE_LENGTH), sa.ForeignKey("area.code"))
    religion: Mapped[str] = mapped_column(sa.String(20), default="")
    education: Mapped[str] = mapped_column(sa.String(40), default="")
    occupation: Mapped[str] = mapped_column(sa.String(60), default="")
    marital_status: Mapped[str] = mapped_column(sa.String(20), default="")
    mother_name: Mapped[str] = mapped_column(sa.String(NAME_LENGTH), default="")
    father_name: Mapped[str] = mapped_column(sa.String(NAME_LENGTH), default="")
    phone: Mapped[str] = mapped_column(sa.String(20), default="")
    insurance: Mapped[str] = mapped_column(sa.String(12), default="")
    insurance_number: Mapped[str] = mapped_column(sa.String(20), default="")
    status: Mapped[str] = mapped_column(sa.String(12), default="hidup")
    merged_into_id: Mapped[str | None] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("person.id"))

    family: Mapped[Family | None] = relationship(foreign_keys=[family_id])


class PersonWord(Model):
    """One word of a person's normalised name: the index that finds "aminah" among the names that begin with "siti"."""

    __tablename__ = "person_word"
    __table_args__ = ({"sqlite_with_rowid": False},)

    word: Mapped[str] = mapped_column(Code(NAME_LENGTH), primary_key=True)
    village_code: Mapped[str] = mapped_column(Code(CODE_LENGTH), primary_key=True)
    person_id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("person.id"), primary_key=True)


class PersonHealth(Stamped, Model):
    """Disability, illness and pregnancy: specific personal data, apart from the rest and with a right of its own."""

    __tablename__ = "person_health"

    person_id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("person.id"), unique=True)
    disabilities: Mapped[list[str]] = mapped_column(sa.JSON, default=list)
    chronic_illnesses: Mapped[list[str]] = mapped_column(sa.JSON, default=list)
    pregnant: Mapped[bool] = mapped_column(sa.Boolean, default=False)
