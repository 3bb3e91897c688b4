"""The audit journal: one row for each look, change, print, export and sign-in, chained by a keyed seal."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from appliance.database import Model
from appliance.models.columns import ID_LENGTH, Moment


class AuditEntry(Model):
    """`position` counts from 1 without gaps; `seal` covers the row and the seal before it. Triggers refuse any change."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        sa.Index("ix_audit_entry_subject_position", "subject", "position"),
        sa.Index("ix_audit_entry_account_id_at", "account_id", "at"),
    )

    position: Mapped[int] = mapped_column(sa.Integer, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(Moment)
    # Not a foreign key: a failed sign-in names somebody who does not exist, and the node itself is "system".
    account_id: Mapped[str] = mapped_column(sa.String(ID_LENGTH))
    device: Mapped[str] = mapped_column(sa.String(64))
    action: Mapped[str] = mapped_column(sa.String(40))
    # "person:<id>", "case:<id>", "account:<id>" …: never a NIK
    subject: Mapped[str] = mapped_column(sa.String(64))
    detail: Mapped[str] = mapped_column(sa.Text)
    seal: Mapped[str] = mapped_column(sa.String(64))
