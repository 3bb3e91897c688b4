"""Families and persons, their former cards, the words their names are found by, what happened to them, and their health."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from appliance.database import Model
from appliance.models.area import CODE_LENGTH
from appliance.models.columns import ID_LENGTH, Code, Identified, Moment, Stamped

NAME_LENGTH = 120
REASON_LENGTH = 300
# The status of a record that was a mistake, such as one whose import was taken back. It stays for the history's sake.
NOT_VALID = "tidak_valid"


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


class LifeKind(StrEnum):
    """What happens to people and families. The last ones are what the registry itself did."""

    BORN = "lahir"
    DIED = "meninggal"
    MOVED = "pindah"
    MISSING = "hilang"
    CAME = "datang"
    SPLIT = "pecah_kk"
    MARRIED = "kawin"
    DIVORCED = "cerai"
    CORRECTED = "perbaikan"
    RECODED = "ganti_kode"
    MERGED = "gabung"
    UNMERGED = "batal_gabung"
    IMPORTED = "impor"


class Family(Stamped, Model):
    """A family with one card (KK). Its number changes when a family splits; a `FormerCard` keeps each one before."""

    __tablename__ = "family"

    kk: Mapped[str | None] = mapped_column(sa.String(16), unique=True)
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


class FormerCard(Identified, Model):
    """A card number that a family had before. The people still carry the old paper: it finds them."""

    __tablename__ = "former_card"

    family_id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("family.id"), index=True)
    kk: Mapped[str] = mapped_column(sa.String(16), index=True)
    until: Mapped[date | None] = mapped_column(sa.Date)
    reason: Mapped[str] = mapped_column(sa.String(REASON_LENGTH), default="")


class Person(Stamped, Model):
    """A resident. `village_code` is where she lives, and decides who may see her."""

    __tablename__ = "person"
    __table_args__ = (
        sa.CheckConstraint("nik IS NOT NULL OR nik_reason <> ''", name="nik_or_reason"),
        sa.Index("ix_person_village_code_name_search", "village_code", "name_search"),
        sa.Index("ix_person_village_code_birth_date", "village_code", "birth_date"),
        sa.Index("ix_person_birth_date_name_search", "birth_date", "name_search"),
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
    nationality: Mapped[str] = mapped_column(sa.String(1), default="")
    # Where she really stays, when that is another place than the address of the card.
    domicile: Mapped[str] = mapped_column(sa.String(300), default="")
    # No foreign key: person and file would each need the other first.
    photo_id: Mapped[str | None] = mapped_column(sa.String(ID_LENGTH))
    status: Mapped[str] = mapped_column(sa.String(12), default="hidup")
    status_since: Mapped[date | None] = mapped_column(sa.Date)
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


class LifeEvent(Identified, Model):
    """One fact of a person's or a family's life. Never changed, never deleted: triggers refuse it.

    `detail` may hold what was there before and after; it is read through `registry.life_events` only, which hides what the
    reader may not see.
    """

    __tablename__ = "life_event"
    __table_args__ = (
        sa.Index("ix_life_event_person_id_recorded_at", "person_id", "recorded_at"),
        sa.Index("ix_life_event_family_id_recorded_at", "family_id", "recorded_at"),
    )

    kind: Mapped[str] = mapped_column(sa.String(16))
    person_id: Mapped[str | None] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("person.id"))
    family_id: Mapped[str | None] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("family.id"))
    # The day it happened, if known, and when this server learnt of it.
    happened_on: Mapped[date | None] = mapped_column(sa.Date)
    recorded_at: Mapped[datetime] = mapped_column(Moment)
    recorded_by: Mapped[str] = mapped_column(sa.String(ID_LENGTH))
    evidence: Mapped[str] = mapped_column(sa.String(REASON_LENGTH), default="")
    detail: Mapped[dict[str, Any]] = mapped_column(sa.JSON, default=dict)


class PersonPhone(Stamped, Model):
    """A telephone number of a person, with whose telephone it is. The one to call first stands in `Person.phone` as well."""

    __tablename__ = "person_phone"
    __table_args__ = (sa.UniqueConstraint("person_id", "number"),)

    person_id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("person.id"))
    number: Mapped[str] = mapped_column(Code(20), index=True)
    owner: Mapped[str] = mapped_column(sa.String(60), default="")
    whatsapp: Mapped[bool] = mapped_column(sa.Boolean, default=False)


class PersonFile(Stamped, Model):
    """A photo or paper of a person or a family. Its content lies below the attachments, named by `sha256`; `thumbnail` likewise.

    What belongs to a filled profile or proves a look into a national list names that too; its holder is the holder of both.
    """

    __tablename__ = "person_file"

    person_id: Mapped[str | None] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("person.id"), index=True)
    family_id: Mapped[str | None] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("family.id"), index=True)
    profile_id: Mapped[str | None] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("profile.id"), index=True)
    list_status_id: Mapped[str | None] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("list_status.id"), index=True)
    kind: Mapped[str] = mapped_column(sa.String(12))
    title: Mapped[str] = mapped_column(sa.String(120), default="")
    media: Mapped[str] = mapped_column(sa.String(40))
    size: Mapped[int] = mapped_column(sa.Integer)
    width: Mapped[int | None] = mapped_column(sa.Integer)
    height: Mapped[int | None] = mapped_column(sa.Integer)
    sha256: Mapped[str] = mapped_column(sa.String(64))
    thumbnail: Mapped[str] = mapped_column(sa.String(64), default="")
    removed_at: Mapped[datetime | None] = mapped_column(Moment)
