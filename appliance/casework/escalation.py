"""Telling lateness further: to the owner, then the supervisor, the manager, the head; a level after some working days.

Only while the office is open, never at night: whoever begins her day finds it on her first page. Each is a fact of the history.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from appliance import audit
from appliance.casework.deadlines import Calendar, close_of
from appliance.casework.due_times import HIGHEST_LEVEL
from appliance.casework.history import Fact, add_fact
from appliance.casework.node_actor import node_actor
from appliance.casework.office_calendar import calendar_in_use
from appliance.config import Settings
from appliance.database import db, transaction
from appliance.models.case import Case
from appliance.models.roles import Role
from appliance.models.states import CLOCK_STOPPED, ENDED

MOST_AT_ONCE = 50
ESCALATED = "eskalasi"
LEVELS = {1: "Petugas yang menangani", 2: "Supervisor", 3: "Manajer", 4: "Pimpinan"}
# Whom a level is told to, beside the owner of level 1.
ROLES_OF_LEVEL = {
    2: frozenset({Role.SUPERVISOR, Role.KOORDINATOR_PUSKESOS}),
    3: frozenset({Role.MANAJER}),
    4: frozenset({Role.PIMPINAN}),
}
_QUIET = frozenset(CLOCK_STOPPED | ENDED)


def escalate_late(settings: Settings, *, at: datetime) -> int:
    """Tell the lateness of cases one level further, if the office is open; how many. Each is a transaction of its own."""
    calendar = calendar_in_use()
    if not calendar.is_open(at):
        return 0
    late = sa.select(Case.id).where(Case.escalate_at <= at).order_by(Case.escalate_at).limit(MOST_AT_ONCE)
    found = list(db.session.scalars(late))
    return sum(_escalate(case_id, calendar, settings.casework.escalate_after_days, at) for case_id in found)


def _escalate(case_id: str, calendar: Calendar, days: int, at: datetime) -> bool:
    with transaction():
        case = db.session.scalars(sa.select(Case).where(Case.id == case_id).with_for_update(of=Case)).one()
        if case.escalate_at is None or case.escalate_at > at or case.state in _QUIET:
            return False  # somebody was at work on it a moment ago
        level = (case.escalation or 0) + 1
        case.escalation = level
        case.escalate_at = close_of(calendar, at, days) if level < HIGHEST_LEVEL else None
        late = case.deadline if case.deadline and case.deadline <= at else case.stage_due
        details = {"Kepada": LEVELS[level]}
        if late:
            details["Batas yang lewat"] = f"{late.astimezone(calendar.zone):%d-%m-%Y %H.%M}"
        add_fact(case, Fact(ESCALATED, None, details=details), state_from=case.state, by=node_actor(at), at=at)
        audit.record("kasus", f"case:{case.id}", by=node_actor(at), at=at, detail={"aksi": ESCALATED, "tingkat": level})
        return True
