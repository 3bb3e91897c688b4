"""Villages handed over from one facilitator to another: a frozen record, from which the sheet is printed again at any time."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from appliance.database import Model
from appliance.models.area import CODE_LENGTH
from appliance.models.case import NUMBER_LENGTH
from appliance.models.columns import ID_LENGTH, Code, Identified, Moment


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
