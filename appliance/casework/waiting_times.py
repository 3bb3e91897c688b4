"""How long people waited at the counter and how long serving them took, day by day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from statistics import median

import sqlalchemy as sa

from appliance.access import Actor, require
from appliance.casework.tickets import COUNTER_ROLES, counter_of
from appliance.database import db, settings_in_use
from appliance.models.counter import Card, QueueTicket, TicketState
from appliance.models.roles import Role

READERS = COUNTER_ROLES | {Role.SUPERVISOR, Role.MANAJER, Role.PIMPINAN}
DAYS = 30


@dataclass(frozen=True)
class DayTimes:
    """One day: cards given of each colour, how many never came, and minutes. None where nobody was served."""

    day: date
    red: int
    green: int
    absent: int
    red_wait: int | None
    green_wait: int | None
    longest_wait: int | None
    service: int | None


def waiting_times(*, by: Actor, at: datetime) -> tuple[DayTimes, ...]:
    """The last thirty days with cards, the newest first; waits are medians in whole minutes. Raises NotAllowed."""
    require(by, *READERS)
    settings = settings_in_use()
    place = counter_of(by) if by.has(*COUNTER_ROLES) else settings.node.district
    since = at.astimezone(settings.zone).date() - timedelta(days=DAYS)
    rows = db.session.scalars(
        sa.select(QueueTicket).where(QueueTicket.place == place, QueueTicket.day > since).order_by(QueueTicket.day.desc())
    )
    return tuple(_day_times(day, list(tickets)) for day, tickets in groupby(rows, key=lambda row: row.day))


def _day_times(day: date, tickets: list[QueueTicket]) -> DayTimes:
    waits = {card: [_wait(row) for row in tickets if row.card == card and row.served_at] for card in Card}
    everybody = [wait for part in waits.values() for wait in part]
    served = [_minutes(row.served_at, row.finished_at) for row in tickets if row.served_at and row.finished_at]
    return DayTimes(
        day=day,
        red=sum(row.card == Card.RED for row in tickets),
        green=sum(row.card == Card.GREEN for row in tickets),
        absent=sum(row.state == TicketState.ABSENT for row in tickets),
        red_wait=_middle(waits[Card.RED]),
        green_wait=_middle(waits[Card.GREEN]),
        longest_wait=round(max(everybody)) if everybody else None,
        service=_middle(served),
    )


def _wait(ticket: QueueTicket) -> float:
    return _minutes(ticket.taken_at, ticket.served_at or ticket.taken_at)


def _minutes(begin: datetime, end: datetime) -> float:
    return (end - begin).total_seconds() / 60


def _middle(minutes: list[float]) -> int | None:
    return round(median(minutes)) if minutes else None
