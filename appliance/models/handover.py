"""Villages handed over from one facilitator to another: a frozen record, from which the sheet is printed again at any time; and
what is planned for a later day."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from appliance.database import Model
from appliance.models.area import CODE_LENGTH
from appliance.models.case import NUMBER_LENGTH
from appliance.models.columns import ID_LENGTH, Code, Identified, Moment, Stamped


class Handover(Identified, Model):
    """One act. `sheet` is what was printed and signed. Never changed, never deleted: triggers refuse it."""

    __tablename__ = "handover"

    number: Mapped[str] = mapped_column(Code(NUMBER_LENGTH), unique=True)
    request_id: Mapped[str] = mapped_column(sa.String(64), unique=True)
    from_account_id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("account.id"), index=True)
    to_account_id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("account.id"), index=True)
    starts: Mapped[date] = mapped_column(sa.Date)
    cases: Mapped[int] = mapped_column(sa.Integer)
    sheet: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    done_at: Mapped[datetime] = mapped_column(Moment)
    done_by: Mapped[str] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("account.id"))


class HandoverVillage(Model):
    """One village of a handover: decides who finds the record."""

    __tablename__ = "handover_village"

    village_code: Mapped[str] = mapped_column(Code(CODE_LENGTH), sa.ForeignKey("area.code"), primary_key=True)
    handover_id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("handover.id"), primary_key=True, index=True)


class PlanState(StrEnum):
    """`REFUSED`: on its day it could no longer be done; `reason` says why."""

    WAITING = "menunggu"
    DONE = "selesai"
    REFUSED = "ditolak"
    CANCELLED = "dibatalkan"


class HandoverPlan(Stamped, Model):
    """A handover of a later day. Nothing of it holds before the day; then the act is done with the rights of who planned it."""

    __tablename__ = "handover_plan"
    __table_args__ = (sa.Index("ix_handover_plan_state_starts", "state", "starts"),)

    request_id: Mapped[str] = mapped_column(sa.String(64), unique=True)
    from_account_id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("account.id"))
    to_account_id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("account.id"))
    village_codes: Mapped[list[str]] = mapped_column(sa.JSON)
    starts: Mapped[date] = mapped_column(sa.Date)
    decree: Mapped[str] = mapped_column(sa.String(80), default="")
    note: Mapped[str] = mapped_column(sa.String(1000), default="")
    state: Mapped[str] = mapped_column(sa.String(12), default=PlanState.WAITING)
    reason: Mapped[str] = mapped_column(sa.Text, default="")
    handover_id: Mapped[str | None] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("handover.id"))
