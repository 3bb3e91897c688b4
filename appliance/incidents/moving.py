"""One incident under lock, and writing a fact to its history and to the journal. For services."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa

from appliance import audit
from appliance.access import Actor, require
from appliance.database import db, next_position
from appliance.errors import NotFound
from appliance.incidents.rules import READERS, IncidentState, Line
from appliance.models.incident import Incident, IncidentEvent


def incident_of(incident_id: str, by: Actor, *, locked: bool = False) -> Incident:
    """The incident for whoever may read incidents; `locked`: kept from other writers until the transaction ends.

    Raises NotFound, NotAllowed.
    """
    require(by, *READERS)
    wanted = sa.select(Incident).where(Incident.id == incident_id)
    found = db.session.scalar(wanted.with_for_update() if locked else wanted)
    if found is None:
        raise NotFound("Insiden tidak ditemukan.", "Buka daftar insiden, lalu pilih dari sana.")
    return found


def record_step(
    incident: Incident, line: Line, *, by: Actor, at: datetime, note: str = "", details: Mapping[str, str] | None = None
) -> None:
    """Put the incident where the line leads, and write the fact to its history and to the journal."""
    before = IncidentState(incident.state)
    after = line.leads_to(before)
    incident.state = after
    incident.stamp(by.account_id, at)
    db.session.flush()
    event = IncidentEvent(
        incident_id=incident.id,
        position=next_position(IncidentEvent.position, IncidentEvent.incident_id == incident.id),
        action=line.step,
        state_from=before,
        state_to=after,
        account_id=by.account_id,
        account_name=by.name,
        happened_at=at,
        note=note,
        details=dict(details or {}),
    )
    db.session.add(event)
    audit.record("insiden", f"incident:{incident.id}", by=by, at=at, detail={"aksi": line.step.value, "ke": after.value})
