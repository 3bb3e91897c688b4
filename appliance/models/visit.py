"""What is done about a case outside of its states: visits, papers, and the manager's right to decide handed over in writing."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from appliance.database import Model
from appliance.models.account import Account
from appliance.models.case import Case
from appliance.models.columns import ID_LENGTH, Identified, Moment, Stamped
from appliance.models.person import NAME_LENGTH, REASON_LENGTH

REQUIREMENT_LENGTH = 120


class Visit(Stamped, Model):
    """One visit to verify a case: planned by whoever leads, reported by whoever went, confirmed or returned by another."""

    __tablename__ = "visit"
    __table_args__ = (
        sa.Index("ix_visit_case_id", "case_id"),
        sa.Index("ix_visit_visitor_id_state", "visitor_id", "state"),
    )

    case_id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("case.id"))
    visitor_id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("account.id"))
    state: Mapped[str] = mapped_column(sa.String(14))
    planned_on: Mapped[date | None] = mapped_column(sa.Date)
    instruction: Mapped[str] = mapped_column(sa.Text, default="")
    visited_on: Mapped[date | None] = mapped_column(sa.Date)
    result: Mapped[str] = mapped_column(sa.String(16), default="")
    report: Mapped[str] = mapped_column(sa.Text, default="")
    # Who of the RT or RW, or which witness, signed the sheet.
    witness: Mapped[str] = mapped_column(sa.String(NAME_LENGTH), default="")
    latitude: Mapped[float | None] = mapped_column(sa.Float)
    longitude: Mapped[float | None] = mapped_column(sa.Float)
    judged_by: Mapped[str | None] = mapped_column(sa.String(ID_LENGTH))
    judgement: Mapped[str] = mapped_column(sa.Text, default="")

    case: Mapped[Case] = relationship()
    visitor: Mapped[Account] = relationship()
    returned: Mapped[list[VisitReport]] = relationship(order_by="VisitReport.position", viewonly=True)


class VisitReport(Identified, Model):
    """A report that was returned, as it was, with why. Triggers refuse changes: the next report stands in the visit."""

    __tablename__ = "visit_report"
    __table_args__ = (sa.UniqueConstraint("visit_id", "position"),)

    visit_id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("visit.id"))
    position: Mapped[int] = mapped_column(sa.Integer)
    visitor_id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("account.id"))
    visited_on: Mapped[date | None] = mapped_column(sa.Date)
    result: Mapped[str] = mapped_column(sa.String(16))
    report: Mapped[str] = mapped_column(sa.Text)
    witness: Mapped[str] = mapped_column(sa.String(NAME_LENGTH))
    latitude: Mapped[float | None] = mapped_column(sa.Float)
    longitude: Mapped[float | None] = mapped_column(sa.Float)
    judged_by: Mapped[str] = mapped_column(sa.String(ID_LENGTH))
    judged_at: Mapped[datetime] = mapped_column(Moment)
    judgement: Mapped[str] = mapped_column(sa.Text)

    visitor: Mapped[Account] = relationship()


class CasePaper(Stamped, Model):
    """A paper or photo of a case. Without `sha256` the original was shown at the desk and nobody kept a copy."""

    __tablename__ = "case_paper"
    __table_args__ = (sa.Index("ix_case_paper_case_id", "case_id"),)

    case_id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("case.id"))
    visit_id: Mapped[str | None] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("visit.id"), index=True)
    # The requirement of the service type that it answers, in its words; "" for any other paper.
    requirement: Mapped[str] = mapped_column(sa.String(REQUIREMENT_LENGTH), default="")
    title: Mapped[str] = mapped_column(sa.String(120), default="")
    state: Mapped[str] = mapped_column(sa.String(12))
    reason: Mapped[str] = mapped_column(sa.String(REASON_LENGTH), default="")
    media: Mapped[str] = mapped_column(sa.String(40), default="")
    size: Mapped[int] = mapped_column(sa.Integer, default=0)
    width: Mapped[int | None] = mapped_column(sa.Integer)
    height: Mapped[int | None] = mapped_column(sa.Integer)
    sha256: Mapped[str] = mapped_column(sa.String(64), default="")
    thumbnail: Mapped[str] = mapped_column(sa.String(64), default="")
    removed_at: Mapped[datetime | None] = mapped_column(Moment)


class Delegation(Stamped, Model):
    """The manager's right to decide, handed to somebody in writing for some days. Ended early, it keeps its row."""

    __tablename__ = "delegation"

    account_id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("account.id"), index=True)
    area_codes: Mapped[list[str]] = mapped_column(sa.JSON, default=list)
    starts: Mapped[date] = mapped_column(sa.Date)
    ends: Mapped[date] = mapped_column(sa.Date)  # the last day it holds
    document: Mapped[str] = mapped_column(sa.String(80))
    ended_at: Mapped[datetime | None] = mapped_column(Moment)

    account: Mapped[Account] = relationship()
