"""Lists that leave the office: who asked for which people, why and for whom, the file that was made, and the layouts of lists."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from appliance.database import Model
from appliance.models.account import Account
from appliance.models.columns import ID_LENGTH, Identified, Moment, Stamped

LAYOUT_LENGTH = 20
NOTE_LENGTH = 300
RECIPIENT_LENGTH = 160


class Export(Identified, Model):
    """One request for a list and the file it became. `columns` (keys and headings) and `area_codes` are frozen when it is asked.

    `file_size` is None until the file is whole; `removed_at` says that it is gone. `starts` counts the attempts to write it.
    """

    __tablename__ = "export"
    __table_args__ = (
        sa.Index("ix_export_asked_by_asked_at", "asked_by", "asked_at"),
        sa.Index("ix_export_removed_at_expires_at", "removed_at", "expires_at"),
    )

    request_id: Mapped[str] = mapped_column(sa.String(64), unique=True)
    layout: Mapped[str] = mapped_column(sa.String(LAYOUT_LENGTH))
    format: Mapped[str] = mapped_column(sa.String(16))
    masked: Mapped[bool] = mapped_column(sa.Boolean)
    area_codes: Mapped[list[str]] = mapped_column(sa.JSON)
    filters: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    columns: Mapped[list[list[str]]] = mapped_column(sa.JSON)
    reason: Mapped[str] = mapped_column(sa.String(20))
    reason_note: Mapped[str] = mapped_column(sa.String(NOTE_LENGTH))
    recipient: Mapped[str] = mapped_column(sa.String(RECIPIENT_LENGTH))
    asked_by: Mapped[str] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("account.id"))
    asked_at: Mapped[datetime] = mapped_column(Moment)
    device: Mapped[str] = mapped_column(sa.String(64))
    starts: Mapped[int] = mapped_column(sa.Integer, default=0)
    row_count: Mapped[int | None] = mapped_column(sa.Integer)
    file_size: Mapped[int | None] = mapped_column(sa.BigInteger)
    sha256: Mapped[str] = mapped_column(sa.String(64), default="")
    finished_at: Mapped[datetime | None] = mapped_column(Moment)
    expires_at: Mapped[datetime | None] = mapped_column(Moment)
    removed_at: Mapped[datetime | None] = mapped_column(Moment)
    downloads: Mapped[int] = mapped_column(sa.Integer, default=0)

    asker: Mapped[Account] = relationship()


class ExportLayout(Stamped, Model):
    """The office's own order of columns for a list, in the place of the one that comes with the program."""

    __tablename__ = "export_layout"

    code: Mapped[str] = mapped_column(sa.String(LAYOUT_LENGTH), unique=True)
    columns: Mapped[list[list[str]]] = mapped_column(sa.JSON)
