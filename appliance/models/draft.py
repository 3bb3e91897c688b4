"""What somebody was typing when she was called away: kept sealed for some days, for her alone."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from appliance.database import Model
from appliance.models.columns import ID_LENGTH, Code, Moment

FORM_LENGTH = 160


class Draft(Model):
    """The unfinished content of one form of one account. `form` names the form by the path it is sent to."""

    __tablename__ = "draft"
    __table_args__ = (sa.Index("ix_draft_saved_at", "saved_at"),)

    account_id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("account.id"), primary_key=True)
    form: Mapped[str] = mapped_column(Code(FORM_LENGTH), primary_key=True)
    sealed: Mapped[str] = mapped_column(sa.Text)
    saved_at: Mapped[datetime] = mapped_column(Moment)
