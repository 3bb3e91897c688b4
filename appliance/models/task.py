"""Long work that people ask for and that the node does by itself: imports, exports, the nightly search for duplicates."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from appliance.database import Model
from appliance.models.columns import ID_LENGTH, Identified, Moment


class TaskState(StrEnum):
    WAITING = "menunggu"
    RUNNING = "berjalan"
    DONE = "selesai"
    FAILED = "gagal"
    CANCELLED = "dibatalkan"

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen."""
        return self in {TaskState.DONE, TaskState.FAILED, TaskState.CANCELLED}


class Task(Identified, Model):
    """One piece of long work. `kind` names what does it, `subject` the row it is about.

    `done` of `total` is what is stored for good: after a power cut the work goes on from there.
    """

    __tablename__ = "task"
    __table_args__ = (sa.Index("ix_task_state_asked_at", "state", "asked_at"),)

    kind: Mapped[str] = mapped_column(sa.String(20))
    subject: Mapped[str] = mapped_column(sa.String(ID_LENGTH), index=True)
    state: Mapped[str] = mapped_column(sa.String(12))
    done: Mapped[int] = mapped_column(sa.Integer, default=0)
    total: Mapped[int | None] = mapped_column(sa.Integer)
    text: Mapped[str] = mapped_column(sa.Text, default="")
    attempts: Mapped[int] = mapped_column(sa.Integer, default=0)
    asked_by: Mapped[str] = mapped_column(sa.String(ID_LENGTH))
    asked_at: Mapped[datetime] = mapped_column(Moment)
    begun_at: Mapped[datetime | None] = mapped_column(Moment)
    moved_at: Mapped[datetime | None] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
