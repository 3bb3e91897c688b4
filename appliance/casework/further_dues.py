"""Until when an organisation's reply and the manager's ratification are due, computed again after the calendar changed.

For services: the cases are locked. Both are counted from the day on which they began, as they were when it began.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import cast

import sqlalchemy as sa

from appliance.casework.deadlines import Calendar, close_of
from appliance.casework.due_times import Cause, Why, note_change
from appliance.casework.referral_steps import REFERRAL_OPEN
from appliance.casework.transitions import Action
from appliance.database import db, settings_in_use
from appliance.models.case import Case, CaseEvent, Referral

_SETTLED = (Action.RATIFY, Action.REFUSE_TO_RATIFY)


def recount_further(cases: Sequence[Case], calendar: Calendar, at: datetime) -> None:
    """Put the replies and ratifications of these locked cases where the calendar of now has them; each change with its reason."""
    _recount_replies([case.id for case in cases], calendar, at)
    _recount_ratifications([case for case in cases if case.ratify_due is not None], calendar, at)


def _recount_replies(case_ids: list[str], calendar: Calendar, at: datetime) -> None:
    rows = cast("sa.Table", Referral.__table__)
    wanted = sa.select(rows).where(rows.c.case_id.in_(case_ids), rows.c.state.in_(REFERRAL_OPEN), rows.c.reply_days.is_not(None))
    for row in db.session.execute(wanted.order_by(rows.c.id)).all():
        due = close_of(calendar, row.sent_at or row.created_at, row.reply_days)
        if due == row.reply_due:
            continue
        values: dict[str, object] = {"reply_due": due}
        if due > at:  # what is no longer late is told anew when it is late again
            values |= {"reminded_at": None, "escalated_at": None}
        # Past the version of the row: whoever is writing an answer just now needs not be told of it.
        db.session.execute(sa.update(rows).where(rows.c.id == row.id).values(values))
        note_change(row.case_id, row.reply_due, due, Why(Cause.REPLY, at, note=row.number))


def _recount_ratifications(cases: Iterable[Case], calendar: Calendar, at: datetime) -> None:
    days = settings_in_use().casework.ratify_days
    for case in cases:
        begun = _emergency_began(case.id)
        due = close_of(calendar, begun, days) if begun else None
        if due is None or case.ratify_due is None or due == case.ratify_due:
            continue
        note_change(case.id, case.ratify_due, due, Why(Cause.RATIFICATION, at))
        case.ratify_due = due


def _emergency_began(case_id: str) -> datetime | None:
    """When the case went out as an emergency for the first time since the manager last spoke about it."""
    events = sa.select(CaseEvent.action, CaseEvent.happened_at).where(
        CaseEvent.case_id == case_id, CaseEvent.action.in_((Action.REFER_AT_ONCE, *_SETTLED))
    )
    begun: datetime | None = None
    for action, happened_at in db.session.execute(events.order_by(CaseEvent.position)):
        begun = None if action in _SETTLED else begun or happened_at
    return begun
