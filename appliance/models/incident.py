"""Incidents with personal data, and their history."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from appliance.database import Model
from appliance.models.case import NUMBER_LENGTH, STATE_LENGTH
from appliance.models.columns import ID_LENGTH, Code, Identified, Moment, Stamped
from appliance.models.person import NAME_LENGTH


class Incident(Stamped, Model):
    """A device or data that may be in wrong hands. Never deleted: triggers refuse it.

    Between `seen_from` and `seen_until` (None: until now) whatever the account did, on one `device` as the journal names it or on
    all (""), may have been somebody else's doing or have come to her eyes: whom that touches is read from the journal.
    """

    __tablename__ = "incident"

    number: Mapped[str] = mapped_column(Code(NUMBER_LENGTH), unique=True)
    request_id: Mapped[str] = mapped_column(sa.String(64), unique=True)
    kind: Mapped[str] = mapped_column(sa.String(20))
    state: Mapped[str] = mapped_column(sa.String(STATE_LENGTH), index=True)
    happened_at: Mapped[datetime] = mapped_column(Moment)
    noticed_at: Mapped[datetime] = mapped_column(Moment)
    account_id: Mapped[str | None] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("account.id"))
    device: Mapped[str] = mapped_column(sa.String(64), default="")
    seen_from: Mapped[datetime] = mapped_column(Moment)
    seen_until: Mapped[datetime | None] = mapped_column(Moment)
    story: Mapped[str] = mapped_column(sa.Text)
    data: Mapped[str] = mapped_column(sa.Text)
    measures: Mapped[str] = mapped_column(sa.Text, default="")


class IncidentEvent(Identified, Model):
    """One fact of an incident's history. Never changed, never deleted: triggers refuse it."""

    __tablename__ = "incident_event"
    __table_args__ = (sa.UniqueConstraint("incident_id", "position"),)

    incident_id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("incident.id"))
    position: Mapped[int] = mapped_column(sa.Integer)
    action: Mapped[str] = mapped_column(sa.String(32))
    state_from: Mapped[str] = mapped_column(sa.String(STATE_LENGTH))
    state_to: Mapped[str] = mapped_column(sa.String(STATE_LENGTH))
    account_id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("account.id"))
    account_name: Mapped[str] = mapped_column(sa.String(NAME_LENGTH))
    happened_at: Mapped[datetime] = mapped_column(Moment)
    note: Mapped[str] = mapped_column(sa.Text, default="")
    details: Mapped[dict[str, Any]] = mapped_column(sa.JSON, default=dict)
