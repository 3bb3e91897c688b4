"""Closing by the node itself what was settled and told, when nobody came back for some working days."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from appliance.casework.deadlines import close_of
from appliance.casework.history import Fact
from appliance.casework.moving import record_move
from appliance.casework.node_actor import node_actor
from appliance.casework.office_calendar import calendar_in_use
from appliance.casework.transitions import Action, effect
from appliance.config import Settings
from appliance.database import db, transaction
from appliance.models.case import Case
from appliance.models.states import CaseState

MOST_AT_ONCE = 50


def close_settled(settings: Settings, *, at: datetime) -> int:
    """Close cases that are SELESAI for longer than the setting says; how many. Each is a transaction of its own."""
    days = settings.casework.close_after_days
    # Working days are never fewer than days: what began later than this cannot be due.
    candidates = (
        sa.select(Case.id, Case.state_since)
        .where(Case.state == CaseState.DONE, Case.state_since <= at - timedelta(days=days - 1))
        .order_by(Case.state_since)
        .limit(MOST_AT_ONCE)
    )
    calendar = calendar_in_use()
    ripe = [row.id for row in db.session.execute(candidates) if close_of(calendar, row.state_since, days) <= at]
    return sum(_close(case_id, at) for case_id in ripe)


def _close(case_id: str, at: datetime) -> bool:
    line = effect(Action.CLOSE_BY_TIME)
    with transaction():
        case = db.session.scalars(sa.select(Case).where(Case.id == case_id).with_for_update(of=Case)).one()
        if CaseState(case.state) not in line.sources:  # somebody took it up again a moment ago
            return False
        record_move(case, line, Fact(line.action, None), by=node_actor(at), at=at)
        return True
