"""The counter: the cards of the queue, the cases that came of them, and the guest book."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from appliance.database import Model
from appliance.models.area import CODE_LENGTH
from appliance.models.columns import ID_LENGTH, Code, Moment, Stamped
from appliance.models.person import NAME_LENGTH, REASON_LENGTH


class Card(StrEnum):
    """The colour of a card. Red goes first: pregnant, elderly, disabled, victims of violence, children."""

    RED = "merah"
    GREEN = "hijau"


class TicketState(StrEnum):
    WAITING = "MENUNGGU"
    CALLED = "DIPANGGIL"
    SERVED = "DILAYANI"
    DONE = "SELESAI"
    ABSENT = "TIDAK_HADIR"

    @property
    def label(self) -> str:
        """The state as a page shows it."""
        return self.value.replace("_", " ").capitalize()


class QueueDay(Model):
    """One queue on one day. Whoever gives or calls a card holds this row, so that no number is given or called twice."""

    __tablename__ = "queue_day"

    place: Mapped[str] = mapped_column(Code(CODE_LENGTH), primary_key=True)
    day: Mapped[date] = mapped_column(sa.Date, primary_key=True)
    last_red: Mapped[int] = mapped_column(sa.Integer)
    last_green: Mapped[int] = mapped_column(sa.Integer)
    # How many red cards in a row went before a green one that was waiting.
    red_run: Mapped[int] = mapped_column(sa.Integer)


class QueueTicket(Stamped, Model):
    """One card: its colour and number, and when it was taken, called, served and finished. It knows no name.

    `place` is the area whose counter it is for: the district for the secretariat, the village for a Puskesos.
    """

    __tablename__ = "queue_ticket"
    __table_args__ = (
        sa.UniqueConstraint("place", "day", "card", "number"),
        sa.Index("ix_queue_ticket_place_day_state", "place", "day", "state"),
    )

    request_id: Mapped[str] = mapped_column(sa.String(64), unique=True)
    place: Mapped[str] = mapped_column(Code(CODE_LENGTH))
    day: Mapped[date] = mapped_column(sa.Date)
    card: Mapped[str] = mapped_column(sa.String(5))
    number: Mapped[int] = mapped_column(sa.Integer)
    vulnerable_groups: Mapped[list[str]] = mapped_column(sa.JSON, default=list)
    state: Mapped[str] = mapped_column(sa.String(12))
    taken_at: Mapped[datetime] = mapped_column(Moment)
    # The place in the line: `taken_at`, later for one who was passed over.
    waits_since: Mapped[datetime] = mapped_column(Moment)
    called_at: Mapped[datetime | None] = mapped_column(Moment)
    calls: Mapped[int] = mapped_column(sa.Integer, default=0)
    desk: Mapped[str] = mapped_column(sa.String(4), default="")
    officer_id: Mapped[str | None] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("account.id"))
    served_at: Mapped[datetime | None] = mapped_column(Moment)
    finished_at: Mapped[datetime | None] = mapped_column(Moment)


class TicketCase(Model):
    """That a case was opened for the holder of a card."""

    __tablename__ = "queue_ticket_case"

    case_id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("case.id"), primary_key=True)
    ticket_id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("queue_ticket.id"), index=True)


class Guest(Stamped, Model):
    """A visit to the counter without a case: who came, from where, what for, and what she was told."""

    __tablename__ = "guest"
    __table_args__ = (sa.Index("ix_guest_place_visited_at", "place", "visited_at"),)

    request_id: Mapped[str] = mapped_column(sa.String(64), unique=True)
    place: Mapped[str] = mapped_column(Code(CODE_LENGTH))
    visited_at: Mapped[datetime] = mapped_column(Moment)
    name: Mapped[str] = mapped_column(sa.String(NAME_LENGTH))
    origin: Mapped[str] = mapped_column(sa.String(REASON_LENGTH), default="")
    purpose: Mapped[str] = mapped_column(sa.String(REASON_LENGTH))
    answer: Mapped[str] = mapped_column(sa.Text, default="")
    ticket_id: Mapped[str | None] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("queue_ticket.id"), unique=True)


class StatusMiss(Model):
    """Wrong answers to "how far is my case", for one number or one device, since the first of them."""

    __tablename__ = "status_miss"

    bucket: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    misses: Mapped[int] = mapped_column(sa.Integer)
    since: Mapped[datetime] = mapped_column(Moment)
