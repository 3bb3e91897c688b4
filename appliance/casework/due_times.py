"""Keeping what a case's row says of its due times: until when it is due and why that changed, its stage, its escalation.

For services: the case is locked, and the rules are in `casework.deadlines`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum

import sqlalchemy as sa

from appliance.access import Actor
from appliance.audit import SYSTEM
from appliance.casework import office_calendar
from appliance.casework.deadlines import (
    PRIORITY_CHANGED,
    REOPENED,
    STANDING,
    Calendar,
    Limit,
    Step,
    close_of,
    due_after,
    due_of,
)
from appliance.casework.node_actor import NODE_NAME
from appliance.casework.transitions import Action
from appliance.database import db, settings_in_use
from appliance.errors import InvalidInput
from appliance.models.case import Case, CaseEvent
from appliance.models.deadline import DueChange
from appliance.models.states import ENDED, CaseState, Priority

HIGHEST_LEVEL = 4
MANAGER_LEVEL = 3


class Cause(StrEnum):
    """Why a due time changed; the value is stored, the label read."""

    PRIORITY = "prioritas"
    PAUSE = "jeda"
    REOPENED = "dibuka_lagi"
    CALENDAR = "kalender"
    HAND = "tangan"
    REPLY = "rujukan"
    RATIFICATION = "pengesahan"

    @property
    def label(self) -> str:
        """The cause as a page shows it."""
        return _LABELS[self]


_LABELS = {
    Cause.PRIORITY: "Prioritas diubah",
    Cause.PAUSE: "Waktu berhenti sementara menunggu warga atau pihak luar",
    Cause.REOPENED: "Kasus dibuka kembali",
    Cause.CALENDAR: "Kalender kerja diubah",
    Cause.HAND: "Diubah oleh manajer",
    Cause.REPLY: "Kalender kerja diubah, batas jawaban rujukan",
    Cause.RATIFICATION: "Kalender kerja diubah, batas pengesahan darurat",
}


@dataclass(frozen=True)
class Why:
    """What is kept of a change of a due time; without `by` the node itself made it."""

    cause: Cause
    at: datetime
    by: Actor | None = None
    note: str = ""


def begin(case: Case, at: datetime) -> None:
    """The first due times of a case that is being opened."""
    calendar = office_calendar.calendar_in_use()
    case.deadline = due_after(calendar, case.received_at, _limit_of(case))
    settle(case, calendar, office_calendar.stage_limits(), at)


def follow_step(case: Case, step: Step, before: CaseState, by: Actor) -> None:
    """What a step into another state means: the clock runs again, a stage begins or everything is over."""
    if step.state_to == before:
        return
    calendar = office_calendar.calendar_in_use()
    if before.value in STANDING and step.state_to not in STANDING:
        cause = Cause.REOPENED if step.action == REOPENED else Cause.PAUSE
        _recount(case, calendar, (*_steps(case), step), Why(cause, step.at, by))
    settle(case, calendar, office_calendar.stage_limits(), step.at)


def follow_priority(case: Case, note: str, by: Actor, at: datetime) -> None:
    """The case has another priority: it is due as if it had had it from the beginning."""
    calendar = office_calendar.calendar_in_use()
    steps = (*_steps(case), Step(PRIORITY_CHANGED, case.state, at))
    _recount(case, calendar, steps, Why(Cause.PRIORITY, at, by, note))
    settle(case, calendar, office_calendar.stage_limits(), at)


def set_by_hand(case: Case, day: date, note: str, by: Actor, at: datetime) -> None:
    """Due when the office closes on `day`. Raises InvalidInput for a free day, one that is over, or no change."""
    calendar = office_calendar.calendar_in_use()
    hours = calendar.hours_on(day)
    if hours is None:
        raise InvalidInput({"due_date": "Kantor libur pada tanggal itu; pilih hari kerja."})
    if hours[1] <= at:
        raise InvalidInput({"due_date": "Batas waktu baru harus belum lewat."})
    if hours[1] == case.deadline:
        raise InvalidInput({"due_date": "Batas waktunya sudah demikian."})
    _change(case, hours[1], Why(Cause.HAND, at, by, note))
    settle(case, calendar, office_calendar.stage_limits(), at)


def is_late(case: Case, at: datetime) -> bool:
    """Whether the case or its present stage should be over by now."""
    return any(due is not None and due <= at for due in (case.deadline, case.stage_due))


def raise_to_manager(case: Case, at: datetime) -> None:
    """Its lateness is told to the manager now; if nothing happens, to the head after as many working days as ever."""
    days = settings_in_use().casework.escalate_after_days
    case.escalation, case.escalate_at = MANAGER_LEVEL, close_of(office_calendar.calendar_in_use(), at, days)


def settle(case: Case, calendar: Calendar, limits: dict[tuple[str, str], Limit], at: datetime) -> None:
    """Until when the stage is due, and when its lateness is told next. A case that is no longer late begins anew."""
    if case.state in STANDING:
        case.stage_due = case.escalate_at = None
        case.escalation = None if CaseState(case.state) in ENDED else case.escalation
        return
    limit = limits.get((case.service_type.code, case.state)) or limits.get(("", case.state))
    begun = case.state_since
    case.stage_due = due_after(calendar, begun, limit.for_priority(Priority(case.priority))) if limit else None
    first = min(due for due in (case.deadline, case.stage_due, datetime.max.replace(tzinfo=UTC)) if due)
    if first > at or case.escalation is None:
        case.escalation, case.escalate_at = None, first
    elif case.escalate_at is None and case.escalation < HIGHEST_LEVEL:
        case.escalate_at = at


def recount_for_calendar(cases: Iterable[Case], calendar: Calendar, limits: dict[tuple[str, str], Limit], at: datetime) -> int:
    """Compute the due times of these locked open cases again after the calendar changed; how many are due at another time."""
    rows = list(cases)
    steps = _steps_of([case.id for case in rows])
    changed = 0
    for case in rows:
        changed += _recount(case, calendar, steps.get(case.id, ()), Why(Cause.CALENDAR, at))
        settle(case, calendar, limits, at)
    return changed


def changes_of(case_id: str) -> list[DueChange]:
    """Why the case is due when it is, the newest first."""
    return list(
        db.session.scalars(
            sa.select(DueChange).where(DueChange.case_id == case_id).order_by(DueChange.at.desc(), DueChange.id.desc())
        )
    )


def _recount(case: Case, calendar: Calendar, steps: Sequence[Step], why: Why) -> bool:
    due = due_of(calendar, case.received_at, _limit_of(case), steps)
    if due == case.deadline:
        return False
    _change(case, due, why)
    return True


def _change(case: Case, due: datetime, why: Why) -> None:
    note_change(case.id, case.deadline, due, why)
    case.deadline = due


def note_change(case_id: str, old: datetime | None, new: datetime, why: Why) -> None:
    """Keep why something of the case is due at another time. For services that hold the case."""
    db.session.add(
        DueChange(
            case_id=case_id,
            old=old,
            new=new,
            cause=why.cause,
            note=why.note,
            account_id=why.by.account_id if why.by else SYSTEM,
            account_name=why.by.name if why.by else NODE_NAME,
            at=why.at,
        )
    )


def _limit_of(case: Case) -> Limit:
    return Limit(case.service_type.working_days).for_priority(Priority(case.priority))


def _steps(case: Case) -> list[Step]:
    return _steps_of([case.id]).get(case.id, [])


def _steps_of(case_ids: list[str]) -> dict[str, list[Step]]:
    """The histories of cases as far as due times go; what was set by hand stands with the step that set it."""
    by_hand = sa.select(DueChange.case_id, DueChange.new).where(DueChange.case_id.in_(case_ids), DueChange.cause == Cause.HAND)
    hands: dict[str, list[datetime]] = {}
    for case_id, due in db.session.execute(by_hand.order_by(DueChange.at, DueChange.id)):
        hands.setdefault(case_id, []).append(due)
    events = sa.select(CaseEvent.case_id, CaseEvent.action, CaseEvent.state_to, CaseEvent.happened_at)
    found: dict[str, list[Step]] = {}
    for row in db.session.execute(events.where(CaseEvent.case_id.in_(case_ids)).order_by(CaseEvent.case_id, CaseEvent.position)):
        by_hand_due = hands[row.case_id].pop(0) if row.action == Action.SET_DUE and hands.get(row.case_id) else None
        found.setdefault(row.case_id, []).append(Step(row.action, row.state_to, row.happened_at, by_hand_due))
    return found
