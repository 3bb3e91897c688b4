"""Short ways to programmes and participations that a test needs to be there already."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from appliance.access import Actor
from appliance.database import db
from appliance.models.programme import Programme
from appliance.registry import participation
from appliance.registry.holders import office_day
from tests.support.desk import request
from tests.support.staff import AT


def programme(code: str) -> str:
    """The identifier of a seeded programme."""
    return db.session.scalars(sa.select(Programme.id).where(Programme.code == code)).one()


def take_part(person: str, code: str, by: Actor, **changes: Any) -> str:
    """Record that somebody is in a programme, known from her card today; the identifier."""
    known = {"status": "aktif", "source": "kartu", "known_on": office_day(AT), **changes}
    new = participation.NewParticipation(programme(code), **known)
    return participation.record_participation(person, new, request_id=request(), by=by, at=AT)
