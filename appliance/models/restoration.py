"""That the data were brought back: from when they are, who did it and why, and what was done since."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from appliance.database import Model
from appliance.models.columns import ID_LENGTH, Moment
from appliance.models.person import NAME_LENGTH


class Restoration(Model):
    """One restore, or one that took a restore back. Never changed, never deleted: triggers refuse it.

    `epoch` rises with each and is never given twice, so that a device knows that its server has forgotten something. `taken_at` is the
    state that came back, `run` the backup (None: what an earlier restore had replaced). `exact`: the numbers given out since were all
    known. `missed` are facts after that state, by account; `numbers` what no series gives any more: name → [first, last].
    """

    __tablename__ = "restoration"

    epoch: Mapped[int] = mapped_column(sa.Integer, primary_key=True, autoincrement=False)
    id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), unique=True)
    restored_at: Mapped[datetime] = mapped_column(Moment)
    taken_at: Mapped[datetime] = mapped_column(Moment)
    run: Mapped[int | None] = mapped_column(sa.Integer)
    part: Mapped[str] = mapped_column(sa.String(12))
    by_name: Mapped[str] = mapped_column(sa.String(NAME_LENGTH))
    reason: Mapped[str] = mapped_column(sa.Text)
    exact: Mapped[bool] = mapped_column(sa.Boolean)
    missed: Mapped[dict[str, Any]] = mapped_column(sa.JSON, default=dict)
    numbers: Mapped[dict[str, Any]] = mapped_column(sa.JSON, default=dict)
