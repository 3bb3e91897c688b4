"""The guest book: who came to the counter without a case, what for, and what she was told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import sqlalchemy as sa

from appliance import audit
from appliance.access import Actor, require
from appliance.casework.tickets import COUNTER_ROLES, counter_of, finish_within
from appliance.database import Duplicate, db, settings_in_use, transaction
from appliance.errors import InvalidInput
from appliance.models.counter import Guest
from appliance.models.person import NAME_LENGTH, REASON_LENGTH
from appliance.models.roles import Role

READERS = COUNTER_ROLES | {Role.SUPERVISOR, Role.MANAJER}
LONGEST_ANSWER = 2000
MOST_SHOWN = 200


@dataclass(frozen=True)
class NewGuest:
    """What is written into the book; with `ticket_id`, the card in the officer's hand that ends with it."""

    name: str
    purpose: str
    origin: str = ""
    answer: str = ""
    ticket_id: str = ""


@dataclass(frozen=True)
class GuestLine:
    """One line of the book."""

    visited_at: datetime
    name: str
    origin: str
    purpose: str
    answer: str


def write_guest(new: NewGuest, *, request_id: str, by: Actor, at: datetime) -> str:
    """Write one visit into the book of her counter and end the card; the same `request_id` again writes nothing more.

    Raises InvalidInput, NotAllowed.
    """
    place = counter_of(by)
    problems = _problems(new)
    if problems:
        raise InvalidInput(problems)
    try:
        with transaction():
            return _written(request_id, by) or _write(new, place, request_id, by, at)
    except Duplicate:
        with transaction():
            return _written(request_id, by) or _write(new, place, request_id, by, at)


def guests_of(day: date, *, by: Actor, at: datetime) -> tuple[GuestLine, ...]:
    """The visits of one day, the newest first; at most 200. The look is recorded. Raises NotAllowed."""
    require(by, *READERS)
    place = counter_of(by) if by.has(*COUNTER_ROLES) else settings_in_use().node.district
    start = datetime.combine(day, time(), settings_in_use().zone)
    wanted = (
        sa.select(Guest)
        .where(Guest.place == place, Guest.visited_at >= start, Guest.visited_at < start + timedelta(days=1))
        .order_by(Guest.visited_at.desc(), Guest.id.desc())
        .limit(MOST_SHOWN)
    )
    with transaction():
        found = list(db.session.scalars(wanted))
        audit.record("lihat_buku_tamu", f"guests:{place}", by=by, at=at, detail={"hari": day, "jumlah": len(found)})
    return tuple(GuestLine(row.visited_at, row.name, row.origin, row.purpose, row.answer) for row in found)


def _written(request_id: str, by: Actor) -> str | None:
    return db.session.scalar(sa.select(Guest.id).where(Guest.request_id == request_id, Guest.created_by == by.account_id))


def _write(new: NewGuest, place: str, request_id: str, by: Actor, at: datetime) -> str:
    if new.ticket_id:
        finish_within(new.ticket_id, by=by, at=at)
    row = Guest(
        request_id=request_id,
        place=place,
        visited_at=at,
        name=new.name.strip(),
        origin=new.origin.strip(),
        purpose=new.purpose.strip(),
        answer=new.answer.strip(),
        ticket_id=new.ticket_id or None,
    )
    row.stamp(by.account_id, at)
    db.session.add(row)
    db.session.flush()
    audit.record("buku_tamu", f"guest:{row.id}", by=by, at=at)
    return row.id


def _problems(new: NewGuest) -> dict[str, str]:
    longest = {"name": NAME_LENGTH, "origin": REASON_LENGTH, "purpose": REASON_LENGTH, "answer": LONGEST_ANSWER}
    problems = {
        name: f"Terlalu panjang; paling banyak {most} huruf." for name, most in longest.items() if len(getattr(new, name)) > most
    }
    if not new.name.strip():
        problems["name"] = "Tulis nama tamu."
    if not new.purpose.strip():
        problems["purpose"] = "Tulis keperluan tamu."
    return problems
