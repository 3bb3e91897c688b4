"""Programmes of aid, who takes part in them, what was paid out, what is still needed, and the rules that warn of combinations.

Who receives is a person or a family, never both; the rows of one who was merged into another move with her.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, declared_attr, mapped_column, relationship

from appliance.database import Model
from appliance.models.columns import ID_LENGTH, Stamped
from appliance.models.person import REASON_LENGTH

CODE_WORD = 40
TITLE_LENGTH = 160


class Level(StrEnum):
    """Who pays for a programme."""

    NATIONAL = "pusat"
    PROVINCE = "provinsi"
    DISTRICT = "kabkota"
    VILLAGE = "desa"
    PRIVATE = "swasta"


class Sector(StrEnum):
    """The nine sectors that staff must know."""

    HEALTH = "kesehatan"
    EDUCATION = "pendidikan"
    SOCIAL = "sosial_ekonomi"
    FOOD = "pangan"
    ENERGY = "energi"
    FARMING = "pertanian"
    FISHING = "perikanan"
    HOUSING = "perumahan"
    PAPERS = "adminduk"


class Target(StrEnum):
    """Whom a programme is given to."""

    PERSON = "penduduk"
    FAMILY = "keluarga"
    GROUP = "kelompok"


class ParticipationStatus(StrEnum):
    ACTIVE = "aktif"
    STOPPED = "nonaktif"
    PROPOSED = "diusulkan"
    REFUSED = "ditolak"
    GRADUATED = "graduasi"


class Source(StrEnum):
    """Where it is known from."""

    CITIZEN = "warga"
    CARD = "kartu"
    SIKS_NG = "siks_ng"
    CEK_BANSOS = "cek_bansos"
    VILLAGE = "desa"
    AGENCY = "opd"
    IMPORT = "impor"
    OTHER = "lain"


class PaymentForm(StrEnum):
    CASH = "tunai"
    ACCOUNT = "rekening"
    GOODS = "barang"
    SERVICE = "jasa"
    DISCOUNT = "potongan"


class NeedPriority(StrEnum):
    URGENT = "mendesak"
    HIGH = "tinggi"
    NORMAL = "biasa"


class NeedOutcome(StrEnum):
    OPEN = ""
    FULFILLED = "terpenuhi"
    DROPPED = "tidak_jadi"


class RuleKind(StrEnum):
    """What a rule looks for. A rule warns, it never refuses."""

    TOGETHER = "bersamaan"
    TWICE = "ganda"
    TOO_MANY = "terlalu_banyak"
    DECILE = "desil"
    GONE = "tidak_ada"


class Within(StrEnum):
    """Among whose aids a rule looks."""

    PERSON = "orang"
    FAMILY = "keluarga"


class Programme(Stamped, Model):
    """One programme of aid. `max_decile` is the highest desil it is meant for; none for no limit. Never deleted."""

    __tablename__ = "programme"

    code: Mapped[str] = mapped_column(sa.String(CODE_WORD), unique=True)
    name: Mapped[str] = mapped_column(sa.String(TITLE_LENGTH))
    level: Mapped[str] = mapped_column(sa.String(10))
    sector: Mapped[str] = mapped_column(sa.String(16))
    target: Mapped[str] = mapped_column(sa.String(10))
    unit_id: Mapped[str | None] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("unit.id"))
    max_decile: Mapped[int | None] = mapped_column(sa.Integer)
    starts: Mapped[date | None] = mapped_column(sa.Date)
    ends: Mapped[date | None] = mapped_column(sa.Date)
    active: Mapped[bool] = mapped_column(sa.Boolean, default=True)


class CombinationRule(Stamped, Model):
    """A warning about aids that should not come together. Which of the columns count depends on `kind`."""

    __tablename__ = "combination_rule"

    code: Mapped[str] = mapped_column(sa.String(CODE_WORD), unique=True)
    kind: Mapped[str] = mapped_column(sa.String(16))
    within: Mapped[str] = mapped_column(sa.String(10), default=Within.FAMILY)
    first_id: Mapped[str | None] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("programme.id"))
    second_id: Mapped[str | None] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("programme.id"))
    sector: Mapped[str] = mapped_column(sa.String(16), default="")
    most: Mapped[int | None] = mapped_column(sa.Integer)
    advice: Mapped[str] = mapped_column(sa.String(REASON_LENGTH), default="")
    active: Mapped[bool] = mapped_column(sa.Boolean, default=True)


class Held:
    """What belongs to a person or to a family: exactly one of the two."""

    @declared_attr
    def person_id(cls) -> Mapped[str | None]:  # noqa: N805
        """The person it belongs to."""
        return mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("person.id"))

    @declared_attr
    def family_id(cls) -> Mapped[str | None]:  # noqa: N805
        """Or the family."""
        return mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("family.id"))


ONE_HOLDER = "(person_id IS NULL) <> (family_id IS NULL)"


class Participation(Held, Stamped, Model):
    """Somebody in a programme, as far as the office knows from `source`. Ended, never deleted."""

    __tablename__ = "participation"
    __table_args__ = (
        sa.CheckConstraint(ONE_HOLDER, name="one_holder"),
        sa.Index("ix_participation_person_id_programme_id", "person_id", "programme_id"),
        sa.Index("ix_participation_family_id_programme_id", "family_id", "programme_id"),
    )

    request_id: Mapped[str | None] = mapped_column(sa.String(64), unique=True)
    programme_id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("programme.id"))
    card_number: Mapped[str] = mapped_column(sa.String(CODE_WORD), default="")
    status: Mapped[str] = mapped_column(sa.String(10))
    starts: Mapped[date | None] = mapped_column(sa.Date)
    ends: Mapped[date | None] = mapped_column(sa.Date)
    reason: Mapped[str] = mapped_column(sa.String(REASON_LENGTH), default="")
    source: Mapped[str] = mapped_column(sa.String(12))
    # The day the office learnt it from that source.
    known_on: Mapped[date] = mapped_column(sa.Date)
    note: Mapped[str] = mapped_column(sa.String(REASON_LENGTH), default="")

    programme: Mapped[Programme] = relationship(lazy="joined", innerjoin=True)


class Payment(Stamped, Model):
    """Something that was given out. A wrong one is struck out with a reason, never deleted. `amount` is in whole Rupiah."""

    __tablename__ = "payment"
    __table_args__ = (sa.Index("ix_payment_participation_id_paid_on", "participation_id", "paid_on"),)

    request_id: Mapped[str | None] = mapped_column(sa.String(64), unique=True)
    participation_id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("participation.id"))
    period: Mapped[str] = mapped_column(sa.String(CODE_WORD), default="")
    paid_on: Mapped[date] = mapped_column(sa.Date)
    amount: Mapped[int | None] = mapped_column(sa.Integer)
    form: Mapped[str] = mapped_column(sa.String(10))
    # What was given when it was no money: "beras 10 kg".
    goods: Mapped[str] = mapped_column(sa.String(CODE_WORD), default="")
    evidence: Mapped[str] = mapped_column(sa.String(REASON_LENGTH), default="")
    struck_reason: Mapped[str] = mapped_column(sa.String(REASON_LENGTH), default="")


class Need(Held, Stamped, Model):
    """What a person or family needs: a programme, or only a sector."""

    __tablename__ = "need"
    __table_args__ = (
        sa.CheckConstraint(ONE_HOLDER, name="one_holder"),
        sa.Index("ix_need_person_id", "person_id"),
        sa.Index("ix_need_family_id", "family_id"),
    )

    request_id: Mapped[str | None] = mapped_column(sa.String(64), unique=True)
    programme_id: Mapped[str | None] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("programme.id"))
    sector: Mapped[str] = mapped_column(sa.String(16))
    priority: Mapped[str] = mapped_column(sa.String(10))
    reason: Mapped[str] = mapped_column(sa.Text)
    noted_on: Mapped[date] = mapped_column(sa.Date)
    outcome: Mapped[str] = mapped_column(sa.String(12), default=NeedOutcome.OPEN)
    closed_on: Mapped[date | None] = mapped_column(sa.Date)
    outcome_note: Mapped[str] = mapped_column(sa.String(REASON_LENGTH), default="")

    programme: Mapped[Programme | None] = relationship(lazy="joined")
