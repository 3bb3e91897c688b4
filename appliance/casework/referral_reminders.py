"""Referrals that are not answered in time: the node reminds the organisation, and some days later tells the manager.

Both are facts of the case's history, told once each, at the opening of an office day.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa

from appliance import audit
from appliance.casework.deadlines import Calendar, close_of
from appliance.casework.history import Fact, add_fact
from appliance.casework.node_actor import node_actor
from appliance.casework.office_calendar import calendar_in_use
from appliance.casework.referral_moving import end_with_case
from appliance.casework.referral_steps import AWAITING_REPLY, REFERRAL_OPEN, Reminder, reminder_due
from appliance.database import by_index, db, settings_in_use, transaction
from appliance.models.case import Case, Referral
from appliance.models.states import ENDED, OPEN, CaseState, ReferralState

MOST_AT_ONCE = 50


def remind_late(*, at: datetime) -> int:
    """Remind and escalate what is late at `at`, only while the office is open; how many. Each is a transaction of its own."""
    calendar = calendar_in_use()
    if not calendar.is_open(at):
        return 0
    late = (
        sa.select(Referral.id, Referral.case_id, Referral.reply_due, Referral.reminded_at, Referral.escalated_at)
        .join(Case, Case.id == Referral.case_id)
        .where(Referral.state.in_(AWAITING_REPLY), Referral.reply_due < at, Case.state.in_(OPEN))
        .where(Referral.escalated_at.is_(None))
        .order_by(Referral.reply_due)
    )
    ripe = [row for row in db.session.execute(late) if _due(row, calendar, at)][:MOST_AT_ONCE]
    return sum(_remind(row.id, row.case_id, calendar, at) for row in ripe)


def end_left_over(*, at: datetime) -> int:
    """Take back what is open although its case has ended, from before a case took its referrals along; how many cases.

    Each is a transaction of its own, so that a kill leaves the rest for the next time.
    """
    left = (
        sa.select(Referral.case_id)
        .join(Case, Case.id == Referral.case_id)
        .where(Referral.finished_at.is_(None), Referral.state.in_(REFERRAL_OPEN), Case.state.in_(ENDED))
        .distinct()
        .limit(MOST_AT_ONCE)
    )
    cases = db.session.scalars(by_index(left, Referral, "ix_referral_open")).all()
    return sum(_end_left_over(case_id, at) for case_id in cases)


def _end_left_over(case_id: str, at: datetime) -> bool:
    with transaction():
        case = db.session.scalars(sa.select(Case).where(Case.id == case_id).with_for_update(of=Case)).one()
        if CaseState(case.state) not in ENDED:
            return False  # opened again a moment ago
        end_with_case(case, by=node_actor(at), at=at)
        return True


def _due(row: Any, calendar: Calendar, at: datetime) -> Reminder | None:
    """What a referral (the row itself or these columns of it) asks for now."""
    return reminder_due(
        row.reply_due,
        close_of(calendar, row.reply_due, settings_in_use().casework.referral_escalate_days),
        reminded=row.reminded_at is not None,
        escalated=row.escalated_at is not None,
        at=at,
    )


def _remind(referral_id: str, case_id: str, calendar: Calendar, at: datetime) -> bool:
    with transaction():
        case = db.session.scalars(sa.select(Case).where(Case.id == case_id).with_for_update(of=Case)).one()
        referral = db.session.get_one(Referral, referral_id)
        if CaseState(case.state) not in OPEN or ReferralState(referral.state) not in AWAITING_REPLY:
            return False  # somebody ended it a moment ago
        step = _due(referral, calendar, at)
        if step:
            _note(referral, case, step, at)
        return step is not None


def _note(referral: Referral, case: Case, step: Reminder, at: datetime) -> None:
    column = "reminded_at" if step is Reminder.REMIND else "escalated_at"
    # Past the version of the row: whoever is writing an answer just now needs not be told of it.
    rows = cast("sa.Table", Referral.__table__)
    db.session.execute(sa.update(rows).where(rows.c.id == referral.id).values({column: at}))
    details = {"Rujukan": referral.number, "Kepada": referral.unit.name}
    add_fact(case, Fact(step, None, details=details), state_from=case.state, by=node_actor(at), at=at)
    audit.record("rujukan", f"referral:{referral.id}", by=node_actor(at), at=at, detail={"aksi": step.value, "kasus": case.id})
