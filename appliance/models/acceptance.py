"""The acceptance of the node (serah terima): what was tried before it was handed over, who says so, and when."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from appliance.database import Model
from appliance.models.columns import ID_LENGTH, Moment
from appliance.models.person import NAME_LENGTH


class AcceptanceEntry(Model):
    """One confirmation. Never changed, never deleted: triggers refuse it; a later one of the same check counts instead.

    `evidence` is what the node saw by itself at that moment, `seen` whether that speaks for it (None: it sees nothing of this).
    """

    __tablename__ = "acceptance_entry"

    position: Mapped[int] = mapped_column(sa.Integer, primary_key=True, autoincrement=False)
    check_code: Mapped[str] = mapped_column(sa.String(20))
    result: Mapped[str] = mapped_column(sa.String(20))
    note: Mapped[str] = mapped_column(sa.Text)
    evidence: Mapped[str] = mapped_column(sa.Text)
    seen: Mapped[bool | None] = mapped_column(sa.Boolean)
    by_account: Mapped[str] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("account.id"))
    by_name: Mapped[str] = mapped_column(sa.String(NAME_LENGTH))
    at: Mapped[datetime] = mapped_column(Moment)
