"""The calendar of the office, the limits of the stages of a case, and why a due time changed."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from appliance.database import Model
from appliance.models.columns import ID_LENGTH, Identified, Moment, Stamped
from appliance.models.person import NAME_LENGTH

# A day's hours as they are kept: ["08:00", "16:00"], or None for a free day. Seven of them make a week, from Monday.
StoredDay = list[str] | None


class Holiday(Stamped, Model):
    """A day on which the office does not work; `kind` is libur_nasional, cuti_bersama or libur_daerah."""

    __tablename__ = "holiday"

    day: Mapped[date] = mapped_column(sa.Date, unique=True)
    name: Mapped[str] = mapped_column(sa.String(120))
    kind: Mapped[str] = mapped_column(sa.String(16))


class OfficeHours(Stamped, Model):
    """The hours of a week: the usual ones (no dates), or those of a period such as Ramadan, both days included."""

    __tablename__ = "office_hours"

    name: Mapped[str] = mapped_column(sa.String(60))
    starts: Mapped[date | None] = mapped_column(sa.Date, unique=True)
    ends: Mapped[date | None] = mapped_column(sa.Date)
    week: Mapped[list[StoredDay]] = mapped_column(sa.JSON)


class StageLimit(Stamped, Model):
    """How long a case may stay in a state; `service_code` is "" for what holds for all services without a line of their own."""

    __tablename__ = "stage_limit"
    __table_args__ = (sa.UniqueConstraint("service_code", "state"),)

    service_code: Mapped[str] = mapped_column(sa.String(40))
    state: Mapped[str] = mapped_column(sa.String(20))
    amount: Mapped[int] = mapped_column(sa.Integer)
    unit: Mapped[str] = mapped_column(sa.String(12))


class DueChange(Identified, Model):
    """Why a case is due at another time than before. Never changed, never deleted: triggers refuse it."""

    __tablename__ = "due_change"
    __table_args__ = (sa.Index("ix_due_change_case_id", "case_id"),)

    case_id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("case.id"))
    old: Mapped[datetime | None] = mapped_column(Moment)
    new: Mapped[datetime] = mapped_column(Moment)
    cause: Mapped[str] = mapped_column(sa.String(12))
    note: Mapped[str] = mapped_column(sa.Text, default="")
    account_id: Mapped[str] = mapped_column(sa.String(ID_LENGTH))
    account_name: Mapped[str] = mapped_column(sa.String(NAME_LENGTH))
    at: Mapped[datetime] = mapped_column(Moment)


class CaseLook(Model):
    """Who has the page of a case open, and until when this is believed. Not the journal: rows go when they are old."""

    __tablename__ = "case_look"

    case_id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("case.id"), primary_key=True)
    account_id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("account.id"), primary_key=True)
    since: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment, index=True)
