"""What is known of how people live: their place in the national lists, and answers to the blanks of a survey.

Both are append-only: the newest counts, the older ones stay. Only the holder may change, when two records are merged; and a
row that came with an import is withdrawn, once, when the import is taken back.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, declared_attr, mapped_column, relationship

from appliance.database import Model
from appliance.models.columns import ID_LENGTH, Identified, Moment, Stamped, rows_where
from appliance.models.person import NAME_LENGTH, REASON_LENGTH
from appliance.models.programme import CODE_WORD, ONE_HOLDER, TITLE_LENGTH, Held


class Listed(StrEnum):
    """Whether somebody stands in a national list."""

    YES = "ya"
    NO = "tidak"
    UNCHECKED = "belum"


class Opinion(StrEnum):
    """The officer's view after the visit. It is no desil: that one is only ever copied from a national list."""

    VERY_POOR = "sangat_miskin"
    POOR = "miskin"
    VULNERABLE = "rentan"
    ABLE = "mampu"


class NationalList(Stamped, Model):
    """A national list by the name it has now: BDT became DTKS became DTSEN."""

    __tablename__ = "national_list"

    code: Mapped[str] = mapped_column(sa.String(CODE_WORD), unique=True)
    name: Mapped[str] = mapped_column(sa.String(TITLE_LENGTH))
    # A desil can be copied from it.
    has_decile: Mapped[bool] = mapped_column(sa.Boolean, default=True)
    position: Mapped[int] = mapped_column(sa.Integer, default=0)
    active: Mapped[bool] = mapped_column(sa.Boolean, default=True)


class Withdrawable:
    """What was written down and does not count any more. It stays, with the moment and the reason."""

    @declared_attr
    def withdrawn_at(cls) -> Mapped[datetime | None]:  # noqa: N805
        """When it stopped counting; None while it counts."""
        return mapped_column(Moment)

    @declared_attr
    def withdrawn_reason(cls) -> Mapped[str]:  # noqa: N805
        """Why, as a sentence."""
        return mapped_column(sa.String(REASON_LENGTH), default="", server_default="")


class ListStatus(Held, Withdrawable, Identified, Model):
    """What one look into a national list showed, that day. Triggers refuse a change of what was seen."""

    __tablename__ = "list_status"
    __table_args__ = (
        sa.CheckConstraint(ONE_HOLDER, name="one_holder"),
        sa.Index("ix_list_status_person_id_checked_on", "person_id", "checked_on"),
        sa.Index("ix_list_status_family_id_checked_on", "family_id", "checked_on"),
        sa.Index("ix_list_status_outside_id", "outside_id", **rows_where("outside_id != ''")),
    )

    request_id: Mapped[str | None] = mapped_column(sa.String(64), unique=True)
    list_id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("national_list.id"))
    listed: Mapped[str] = mapped_column(sa.String(6))
    outside_id: Mapped[str] = mapped_column(sa.String(CODE_WORD), default="")
    decile: Mapped[int | None] = mapped_column(sa.Integer)
    period: Mapped[str] = mapped_column(sa.String(CODE_WORD), default="")
    checked_on: Mapped[date] = mapped_column(sa.Date)
    checked_by: Mapped[str] = mapped_column(sa.String(NAME_LENGTH))
    evidence: Mapped[str] = mapped_column(sa.String(REASON_LENGTH), default="")
    stored_at: Mapped[datetime] = mapped_column(Moment)
    stored_by: Mapped[str] = mapped_column(sa.String(ID_LENGTH))

    list: Mapped[NationalList] = relationship(lazy="joined", innerjoin=True)


class Profile(Held, Withdrawable, Identified, Model):
    """One filled blank about a family or a person: answers by the code of the question, in the version that was asked."""

    __tablename__ = "profile"
    __table_args__ = (
        sa.CheckConstraint(ONE_HOLDER, name="one_holder"),
        sa.Index("ix_profile_person_id_surveyed_on", "person_id", "surveyed_on"),
        sa.Index("ix_profile_family_id_surveyed_on", "family_id", "surveyed_on"),
        sa.Index("ix_profile_outside_id", "outside_id", **rows_where("outside_id != ''")),
    )

    request_id: Mapped[str | None] = mapped_column(sa.String(64), unique=True)
    instrument: Mapped[str] = mapped_column(sa.String(CODE_WORD))
    version: Mapped[int] = mapped_column(sa.Integer)
    surveyed_on: Mapped[date] = mapped_column(sa.Date)
    surveyed_by: Mapped[str] = mapped_column(sa.String(NAME_LENGTH))
    opinion: Mapped[str] = mapped_column(sa.String(16), default="")
    # By which the survey knows the household (IDBDT).
    outside_id: Mapped[str] = mapped_column(sa.String(CODE_WORD), default="", server_default="")
    answers: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    note: Mapped[str] = mapped_column(sa.Text, default="")
    # Where it was filled, in degrees.
    latitude: Mapped[float | None] = mapped_column(sa.Float)
    longitude: Mapped[float | None] = mapped_column(sa.Float)
    stored_at: Mapped[datetime] = mapped_column(Moment)
    stored_by: Mapped[str] = mapped_column(sa.String(ID_LENGTH))
