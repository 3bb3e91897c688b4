"""Cases and referrals as the rows of a list. For services; what comes in is in the reader's scope."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from appliance.access import AREA_ROLES, Actor, scope
from appliance.casework.referral_moving import answers_on_paper, steps_for
from appliance.database import db, settings_in_use
from appliance.models.account import Account
from appliance.models.case import Case, Referral
from appliance.models.states import CLOCK_STOPPED, OPEN, SHOWN_TO_RECEIVER, CaseState, Priority, ReferralState
from appliance.registry.areas import area_names


@dataclass(frozen=True)
class CaseLine:
    """One case in a list. `red_card`: a vulnerable person or an emergency, to be served first.

    `stuck`: it waits for an outside body for longer than the office's limit.
    """

    id: str
    number: str
    state: CaseState
    state_since: datetime
    applicant_id: str
    applicant_name: str
    village_code: str
    village: str
    service: str
    category: str
    priority: str
    red_card: bool
    confidential: bool
    received_at: datetime
    deadline: datetime | None
    overdue: bool
    stuck: bool
    owner_name: str


@dataclass(frozen=True)
class ReferralLine:
    """One referral. `case_id` is None for a reader who may not see the case; `steps` are what she may do now.

    `reply_due` is None until it is sent: the `reply_days` of the office run from then on.
    `on_paper`: she enters for the organisation what came on paper. `ended_for` tells why it ended without an answer; from then on
    the organisation is not `shown` any more what was asked and shared.
    """

    id: str
    number: str
    case_id: str | None
    case_number: str
    unit_name: str
    state: ReferralState
    summary: str
    sent_at: datetime | None
    reply_due: datetime | None
    reply_days: int | None
    overdue: bool
    reply: str
    outcome: str
    ended_for: str
    missing: tuple[str, ...]
    reminded_at: datetime | None
    escalated_at: datetime | None
    on_paper: bool
    shown: bool
    row_version: int
    steps: tuple[str, ...]


def case_lines(cases: Iterable[Case], at: datetime) -> list[CaseLine]:
    """The rows as lines, with the names of villages and owners read at once."""
    cases = list(cases)
    villages = area_names({case.village_code for case in cases})
    owners = account_names({case.owner_id for case in cases if case.owner_id})
    return [_case_line(case, villages.get(case.village_code, ""), owners.get(case.owner_id or "", ""), at) for case in cases]


def _case_line(case: Case, village: str, owner: str, at: datetime) -> CaseLine:
    state = CaseState(case.state)
    running = state in OPEN and state not in CLOCK_STOPPED
    return CaseLine(
        id=case.id,
        number=case.number,
        state=state,
        state_since=case.state_since,
        applicant_id=case.applicant_id,
        applicant_name=case.applicant.name,
        village_code=case.village_code,
        village=village,
        service=case.service_type.name,
        category=case.category,
        priority=case.priority,
        red_card=bool(case.vulnerable_groups) or case.priority == Priority.EMERGENCY,
        confidential=case.confidential,
        received_at=case.received_at,
        deadline=case.deadline,
        overdue=running and case.deadline is not None and case.deadline < at,
        stuck=state is CaseState.WAITING_OUTSIDE and case.state_since <= stuck_since(at),
        owner_name=owner,
    )


def stuck_since(at: datetime) -> datetime:
    """What waits for an outside body since then or longer is stuck."""
    return at - timedelta(days=settings_in_use().casework.outside_days)


def referral_lines(referrals: Sequence[Referral], by: Actor, at: datetime) -> list[ReferralLine]:
    """The rows as lines, each with what `by` may do; a case she may not see is not named by its identifier."""
    cases = {referral.case_id for referral in referrals}
    visible = scope(sa.select(Case.id).where(Case.id.in_(cases)), Case, by)
    seen = set(db.session.scalars(visible)) if by.has(*AREA_ROLES) else set()
    paper = answers_on_paper(referrals, at)
    return [_referral_line(referral, referral.case_id in seen, referral.id in paper, by, at) for referral in referrals]


def _is_overdue(referral: Referral, at: datetime) -> bool:
    waits = referral.sent_at is not None and referral.finished_at is None
    return waits and referral.reply_due is not None and referral.reply_due < at


def _referral_line(referral: Referral, sees_case: bool, on_paper: bool, by: Actor, at: datetime) -> ReferralLine:
    shown = sees_case or ReferralState(referral.state) in SHOWN_TO_RECEIVER
    return ReferralLine(
        id=referral.id,
        number=referral.number,
        case_id=referral.case_id if sees_case else None,
        case_number=referral.case.number,
        unit_name=referral.unit.name,
        state=ReferralState(referral.state),
        summary=referral.summary if shown else "",
        sent_at=referral.sent_at,
        reply_due=referral.reply_due if referral.sent_at else None,
        reply_days=referral.reply_days,
        overdue=_is_overdue(referral, at),
        reply=referral.reply,
        outcome=referral.outcome,
        ended_for=referral.return_reason,
        missing=tuple(referral.missing),
        reminded_at=referral.reminded_at,
        escalated_at=referral.escalated_at,
        on_paper=on_paper and not by.speaks_for(referral.unit_id),
        shown=shown,
        row_version=referral.row_version,
        steps=tuple(step.value for step in steps_for(referral, sees_case, on_paper, by)),
    )


def account_names(ids: set[str]) -> dict[str, str]:
    """The names of accounts, by identifier; what is no account is left out."""
    rows = db.session.execute(sa.select(Account.id, Account.name).where(Account.id.in_(ids))) if ids else ()
    return {row.id: row.name for row in rows}
