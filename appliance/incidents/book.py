"""Reading incidents: the list, one with its clock and history, and what is late."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from appliance import audit
from appliance.access import Actor, require
from appliance.audit import SYSTEM
from appliance.database import db, transaction
from appliance.incidents.affected import count_affected
from appliance.incidents.moving import incident_of
from appliance.incidents.rules import (
    LABELS,
    READERS,
    TIME_TO_TELL,
    UNTOLD,
    Clock,
    IncidentKind,
    IncidentState,
    Line,
    allowed,
    clock,
)
from appliance.models.account import Account
from appliance.models.incident import Incident, IncidentEvent

PAGE_SIZE = 50


@dataclass(frozen=True)
class IncidentLine:
    """One incident in the list; `owner` is whose account it is about, "" for nobody's."""

    id: str
    number: str
    kind: IncidentKind
    state: IncidentState
    noticed_at: datetime
    owner: str
    clock: Clock


@dataclass(frozen=True)
class Event:
    """One fact of the history; `details` by their names for people."""

    at: datetime
    who: str
    label: str
    state_to: IncidentState
    note: str
    details: dict[str, str]


@dataclass(frozen=True)
class IncidentDetail:
    """Everything about one incident; `affected` is how many residents the journal tells of, None when no account is named."""

    line: IncidentLine
    row_version: int
    happened_at: datetime
    account_id: str
    device: str
    seen_from: datetime
    seen_until: datetime | None
    story: str
    data: str
    measures: str
    affected: int | None
    events: tuple[Event, ...]
    steps: tuple[Line, ...]


def list_incidents(*, by: Actor, at: datetime, before: str = "") -> tuple[IncidentLine, ...]:
    """The newest first, PAGE_SIZE at most; `before` goes on below a number. Raises NotAllowed."""
    require(by, *READERS)
    wanted = sa.select(Incident, Account.name).outerjoin(Account, Account.id == Incident.account_id)
    if before:
        wanted = wanted.where(Incident.number < before)
    rows = db.session.execute(wanted.order_by(Incident.number.desc()).limit(PAGE_SIZE))
    return tuple(_line(row, owner or "", at) for row, owner in rows)


def look_at_incident(incident_id: str, *, by: Actor, at: datetime, printed: bool = False) -> IncidentDetail:
    """One incident, the look noted in the journal. Raises NotFound, NotAllowed."""
    with transaction():
        incident = incident_of(incident_id, by)
        account = db.session.get(Account, incident.account_id) if incident.account_id else None
        events = db.session.scalars(
            sa.select(IncidentEvent).where(IncidentEvent.incident_id == incident.id).order_by(IncidentEvent.position)
        )
        found = IncidentDetail(
            line=_line(incident, account.name if account else "", at),
            row_version=incident.row_version,
            happened_at=incident.happened_at,
            account_id=incident.account_id or "",
            device=incident.device,
            seen_from=incident.seen_from,
            seen_until=incident.seen_until,
            story=incident.story,
            data=incident.data,
            measures=incident.measures,
            affected=count_affected(incident, at) if account else None,
            events=tuple(_event(row) for row in events),
            steps=allowed(IncidentState(incident.state), by.roles),
        )
        audit.record("cetak" if printed else "lihat", f"incident:{incident.id}", by=by, at=at)
    return found


def count_late(*, by: Actor, at: datetime) -> int:
    """How many incidents are past the 3 x 24 hours and nobody was told; 0 for whoever reads no incidents."""
    if not by.has(*READERS):
        return 0
    late = sa.select(sa.func.count()).select_from(Incident)
    late = late.where(Incident.state.in_(sorted(UNTOLD)), Incident.noticed_at < at - TIME_TO_TELL)
    return db.session.scalar(late) or 0


def accounts_to_name(*, by: Actor) -> tuple[tuple[str, str], ...]:
    """Every account as (identifier, name with user name), for the form. Raises NotAllowed."""
    require(by, *READERS)
    rows = db.session.execute(
        sa.select(Account.id, Account.name, Account.username).where(Account.id != SYSTEM).order_by(Account.name, Account.id)
    )
    return tuple((key, f"{name} ({username})") for key, name, username in rows)


def _line(incident: Incident, owner: str, at: datetime) -> IncidentLine:
    state = IncidentState(incident.state)
    return IncidentLine(
        id=incident.id,
        number=incident.number,
        kind=IncidentKind(incident.kind),
        state=state,
        noticed_at=incident.noticed_at,
        owner=owner,
        clock=clock(incident.noticed_at, state, at),
    )


def _event(row: IncidentEvent) -> Event:
    return Event(row.happened_at, row.account_name, LABELS[row.action], IncidentState(row.state_to), row.note, row.details)
