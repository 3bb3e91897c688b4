"""Closing by the node itself what was settled and told, when nobody came back for some working days."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from appliance.access import Actor
from appliance.audit import SYSTEM
from appliance.casework import sla
from appliance.casework.history import Fact
from appliance.casework.moving import record_move
from appliance.casework.transitions import Action, effect
from appliance.config import Settings
from appliance.database import db, transaction
from appliance.models.account import Account
from appliance.models.case import Case
from appliance.models.states import CaseState

MOST_AT_ONCE = 50
# No officer can have this user name.
_USERNAME = "(simpul)"
_NAME = "Simpul SLRT"
_UNUSABLE = "!"


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
    ripe = [row.id for row in db.session.execute(candidates) if sla.due(row.state_since, days, settings.zone) <= at]
    return sum(_close(case_id, at) for case_id in ripe)


def _close(case_id: str, at: datetime) -> bool:
    line = effect(Action.CLOSE_BY_TIME)
    with transaction():
        case = db.session.scalars(sa.select(Case).where(Case.id == case_id).with_for_update(of=Case)).one()
        if CaseState(case.state) not in line.sources:  # somebody took it up again a moment ago
            return False
        record_move(case, line, Fact(line.action, None), by=node_actor(at), at=at)
        return True


def node_actor(at: datetime) -> Actor:
    """The node as who acts: a row for the histories to name, with which nobody can sign in."""
    if db.session.get(Account, SYSTEM) is None:
        account = Account(
            id=SYSTEM, username=_USERNAME, name=_NAME, password_hash=_UNUSABLE, password_changed_at=at, active=False
        )
        account.stamp(SYSTEM, at)
        db.session.add(account)
        db.session.flush()
    return Actor(SYSTEM, _NAME, _USERNAME, frozenset(), device="penjadwal")
