"""One case under lock, and putting it into its next state with the fact that says so. For services."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from appliance import audit
from appliance.access import Actor, scope
from appliance.casework import due_times
from appliance.casework.deadlines import Step
from appliance.casework.history import Fact, add_fact
from appliance.casework.transitions import Transition
from appliance.database import db
from appliance.errors import NotFound
from appliance.models.case import Case
from appliance.models.states import CLOCK_STOPPED, CaseState


def locked_case(case_id: str, by: Actor) -> Case:
    """The case, if `by` may see it, kept from all other writers until the transaction ends. Raises NotFound."""
    statement = scope(sa.select(Case).where(Case.id == case_id), Case, by).with_for_update(of=Case)
    case = db.session.scalar(statement)
    if case is None:
        raise case_not_found()
    return case


def case_not_found() -> NotFound:
    """The one answer for what is not there and for what is not the reader's."""
    return NotFound("Kasus tidak ditemukan.", "Cari lagi dengan nomor kasus atau nama pemohon.")


def record_move(case: Case, line: Transition, fact: Fact, *, by: Actor, at: datetime) -> None:
    """Put the case where the line leads and write the fact to its history and to the journal."""
    before = CaseState(case.state)
    after = line.leads_to(before)
    _turn_clock(case, after, at)
    if after != before:
        case.state_since = at
        case.closed_at = at if after is CaseState.CLOSED else None
    case.state = after
    due_times.follow_step(case, Step(fact.action, after, at), before, by)
    add_fact(case, fact, state_from=before, by=by, at=at)
    audit.record("kasus", f"case:{case.id}", by=by, at=at, detail={"aksi": fact.action, "ke": after.value})


def _turn_clock(case: Case, after: CaseState, at: datetime) -> None:
    """The clock stands while the citizen or somebody outside is to act; what that means for the deadline is in `due_times`."""
    case.clock_stopped_at = (case.clock_stopped_at or at) if after in CLOCK_STOPPED else None
