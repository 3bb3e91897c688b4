"""What the conditions of the transition table ask about one case and the person who acts. For services.

Only what can matter in the state of the case is looked up: each look is one narrow question of an index.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from appliance.access import REGISTRAR_ROLES, Actor
from appliance.casework import delegations, due_times, officers, papers, visits
from appliance.casework.referral_steps import REFERRAL_OPEN
from appliance.casework.transitions import Action, Facts
from appliance.database import db, settings_in_use
from appliance.models.case import Case, CaseEvent, Referral
from appliance.models.person import Person
from appliance.models.profile import Listed, ListStatus
from appliance.models.states import CaseState, Channel, Priority

# A look into the national list counts when it is not older than this before the case was received.
LIST_CHECK_DAYS = 30


def facts_of(case: Case, by: Actor, at: datetime) -> Facts:
    """The facts of this case as `by` stands to it at `at`."""
    return Facts(
        channel=Channel(case.channel),
        by_creator=case.created_by == by.account_id,
        by_recommender=case.recommended_by == by.account_id,
        by_referrer=case.ratify_due is not None and _ever_did(case, Action.REFER_AT_ONCE, by),
        simple=case.service_type.simple,
        village_may=case.service_type.village_may_handle and not case.confidential,
        emergency=case.priority == Priority.EMERGENCY,
        to_ratify=case.ratify_due is not None,
        to_raise=due_times.is_late(case, at) and (case.escalation or 0) < due_times.MANAGER_LEVEL,
        referrals_open=_referrals_open(case),
        days_since_end=(at - case.state_since).days,
        **_of_state(case, by, at),
    )


def _of_state(case: Case, by: Actor, at: datetime) -> dict[str, Any]:
    found: dict[str, Any] = {}
    match CaseState(case.state):
        case CaseState.NEEDS_REPAIR:
            found["stands_in"] = _stands_in(case, by, at)
        case CaseState.VERIFYING:
            visit = visits.unsettled_visit(case.id)
            found["visit"] = visit.state if visit else ""
            found["by_visitor"] = visit is not None and visits.reported_by(visit, by.account_id)
            found["visit_wanted"] = case.service_type.needs_visit and not visits.was_visited(case.id)
            found["papers_open"] = papers.count_open(case)
        case CaseState.FOLLOW_UP:
            found["papers_promised"] = papers.count_promised(case)
        case CaseState.REVIEW:
            found["list_check_wanted"] = case.service_type.needs_list_check and not _was_looked_up(case)
    if case.state == CaseState.AWAITING_DECISION or case.ratify_due is not None:
        found["by_verifier"] = _ever_did(case, Action.CONFIRM_TRUE, by)
        found["delegated"] = delegations.may_decide_for(case.village_code, by, at)
    return found


def _ever_did(case: Case, action: Action, by: Actor) -> bool:
    """Whether she ever took this step: that another took it again later makes no stranger of who was first."""
    hers = (CaseEvent.case_id == case.id, CaseEvent.action == action, CaseEvent.account_id == by.account_id)
    return db.session.scalar(sa.select(CaseEvent.id).where(*hers).limit(1)) is not None


def _referrals_open(case: Case) -> int:
    statement = sa.select(sa.func.count()).where(Referral.case_id == case.id, Referral.state.in_(REFERRAL_OPEN))
    return db.session.scalar(statement) or 0


def _stands_in(case: Case, by: Actor, at: datetime) -> bool:
    """The case was passed to her, or who recorded it has no part in the village any more."""
    if case.owner_id == by.account_id:
        return True
    today = at.astimezone(settings_in_use().zone).date()
    return not officers.serves(case.created_by, case.village_code, REGISTRAR_ROLES, today)


def _was_looked_up(case: Case) -> bool:
    """Whether a look into a national list is on record for the applicant or her family."""
    earliest: date = (case.received_at - timedelta(days=LIST_CHECK_DAYS)).date()
    family = sa.select(Person.family_id).where(Person.id == case.applicant_id).scalar_subquery()
    statement = sa.select(ListStatus.id).where(
        sa.or_(ListStatus.person_id == case.applicant_id, ListStatus.family_id == family),
        ListStatus.checked_on >= earliest,
        ListStatus.listed != Listed.UNCHECKED,
    )
    return db.session.scalar(statement.limit(1)) is not None
