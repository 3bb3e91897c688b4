"""Reading cases and referrals: lists, counts and one case with its history. Everything goes through the scope of the reader.

Lists count to a limit instead of counting a million rows; a look at one case is a fact of the audit journal.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from appliance import audit
from appliance.access import AREA_ROLES, Actor, in_areas, scope
from appliance.casework.case_detail import CaseDetail, case_detail
from appliance.casework.case_lines import CaseLine, ReferralLine, case_lines, referral_lines
from appliance.casework.delegations import delegated_areas
from appliance.casework.moving import case_not_found
from appliance.casework.referrals import referral_not_found
from appliance.casework.transitions import queue_of
from appliance.database import begins_with, db, transaction
from appliance.models.case import Case, Referral
from appliance.models.roles import Role
from appliance.models.states import CLOCK_STOPPED, OPEN, CaseState, Priority
from appliance.registry.people_search import matching_ids

PAGE_SIZE = 25
MOST_COUNTED = 1000
_URGENCY = sa.case({Priority.EMERGENCY.value: 0, Priority.FAST.value: 1}, value=Case.priority, else_=2)
_NUMBER_PREFIX = "SLRT-"
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class CaseFilter:
    """What a list shows. `queue`: what waits for a step of her roles; `mine`: what she opened or has taken;
    `to_ratify`: emergencies that were referred without a decision."""

    state: str = ""
    queue: bool = False
    mine: bool = False
    open_only: bool = False
    overdue: bool = False
    to_ratify: bool = False
    text: str = ""
    village_code: str = ""
    applicant_id: str = ""


@dataclass(frozen=True)
class CasesFound:
    """One page of cases. `capped`: there are more than `total`."""

    cases: tuple[CaseLine, ...]
    total: int
    capped: bool
    page: int
    pages: int


@dataclass(frozen=True)
class ReferralsFound:
    """One page of referrals, those due first."""

    referrals: tuple[ReferralLine, ...]
    total: int
    capped: bool
    page: int
    pages: int


@dataclass(frozen=True)
class ReferralDetail:
    """One referral with what was shared of the case, as pairs of label and value."""

    line: ReferralLine
    shared: tuple[tuple[str, str], ...]
    contact: str
    accepted_at: datetime | None
    finished_at: datetime | None


def list_cases(wanted: CaseFilter, *, by: Actor, at: datetime, page: int = 1) -> CasesFound:
    """A page of the cases in scope: a queue by urgency and deadline, any other list the newest first."""
    matching = _filtered(scope(sa.select(Case), Case, by), wanted, by, at)
    order = (_URGENCY, Case.deadline, Case.id) if wanted.queue else (Case.received_at.desc(), Case.id.desc())
    statement = matching.options(joinedload(Case.applicant), joinedload(Case.service_type)).order_by(*order)
    total, capped, page, pages = _place(matching, page)
    found = db.session.scalars(statement.limit(PAGE_SIZE).offset((page - 1) * PAGE_SIZE)).all()
    return CasesFound(tuple(case_lines(found, at)), total, capped, page, pages)


def count_matching(wanted: CaseFilter, *, by: Actor, at: datetime) -> int:
    """How many cases in scope the filter lets pass, MOST_COUNTED at most: for a number without its list."""
    return _place(_filtered(scope(sa.select(Case), Case, by), wanted, by, at), 1)[0]


def count_cases(*, by: Actor) -> dict[CaseState, int]:
    """How many cases in scope are in each state; states without any are left out."""
    statement = scope(sa.select(Case.state, sa.func.count()), Case, by).group_by(Case.state)
    return {CaseState(state): count for state, count in db.session.execute(statement)}


def look_at_case(case_id: str, *, by: Actor, at: datetime) -> CaseDetail:
    """One case with its history, its referrals and the next steps. Written to the journal. Raises NotFound."""
    statement = scope(sa.select(Case).where(Case.id == case_id), Case, by)
    case = db.session.scalar(statement.options(joinedload(Case.applicant), joinedload(Case.service_type)))
    if case is None:
        raise case_not_found()
    detail = case_detail(case, by, at)
    with transaction():  # only now: nobody who writes waits while a page is gathered
        audit.record("lihat", f"case:{case_id}", by=by, at=at)
    return detail


def list_referrals(*, by: Actor, at: datetime, state: str = "", page: int = 1) -> ReferralsFound:
    """A page of the referrals in scope, for an organisation those sent to it; what is due first comes first."""
    matching = scope(sa.select(Referral), Referral, by)
    if state:
        matching = matching.where(Referral.state == state)
    total, capped, page, pages = _place(matching, page)
    statement = (
        matching.options(joinedload(Referral.unit), joinedload(Referral.case))
        .order_by(Referral.finished_at.is_not(None), Referral.reply_due, Referral.id)
        .limit(PAGE_SIZE)
        .offset((page - 1) * PAGE_SIZE)
    )
    return ReferralsFound(tuple(referral_lines(db.session.scalars(statement).all(), by, at)), total, capped, page, pages)


def look_at_referral(referral_id: str, *, by: Actor, at: datetime) -> ReferralDetail:
    """One referral with the shared part of its case. Written to the journal. Raises NotFound."""
    referral = db.session.scalar(scope(sa.select(Referral).where(Referral.id == referral_id), Referral, by))
    if referral is None:
        raise referral_not_found()
    (line,) = referral_lines([referral], by, at)
    shared = tuple(referral.shared.items())
    detail = ReferralDetail(line, shared, referral.contact, referral.accepted_at, referral.finished_at)
    with transaction():
        audit.record("lihat", f"referral:{referral_id}", by=by, at=at)
    return detail


def _filtered(statement: sa.Select[Case], wanted: CaseFilter, by: Actor, at: datetime) -> sa.Select[Case]:
    if wanted.state:
        statement = statement.where(Case.state == wanted.state)
    if wanted.queue:
        statement = statement.where(_in_queue(by, at))
    if wanted.mine:
        statement = statement.where(sa.or_(Case.created_by == by.account_id, Case.owner_id == by.account_id))
    if wanted.open_only:
        statement = statement.where(Case.state.in_(OPEN))
    if wanted.overdue:
        statement = statement.where(Case.state.in_(OPEN - CLOCK_STOPPED), Case.deadline < at)
    if wanted.to_ratify:
        # Few of very many: as a list of identifiers, and as a range, or SQLite would read all cases instead of the index.
        statement = statement.where(Case.id.in_(sa.select(Case.id).where(Case.ratify_due > _LONG_AGO)))
    if wanted.village_code:
        statement = statement.where(Case.village_code == wanted.village_code)
    if wanted.applicant_id:
        statement = statement.where(Case.applicant_id == wanted.applicant_id)
    return _with_text(statement, wanted.text.strip(), by)


def _in_queue(by: Actor, at: datetime) -> sa.ColumnElement[bool]:
    """Cases in a state that waits for one of her roles, each role in its own areas, and what she decides for the manager."""
    roles: dict[tuple[str, ...], set[Role]] = {}
    for role in sorted(by.roles & AREA_ROLES):
        roles.setdefault(by.areas_of({role}), set()).add(role)
    waiting: dict[tuple[str, ...], sa.ColumnElement[bool]] = {
        areas: Case.state.in_(queue_of(frozenset(held))) for areas, held in roles.items()
    }
    delegated = delegated_areas(by, at)
    if len(waiting) == 1 and not delegated:  # the scope asks for these areas already
        return next(iter(waiting.values()))
    if delegated:
        decisions = Case.state.in_(queue_of(frozenset({Role.MANAJER})))
        waiting[delegated] = sa.or_(waiting[delegated], decisions) if delegated in waiting else decisions
    return sa.or_(sa.false(), *(sa.and_(condition, in_areas(Case.village_code, areas)) for areas, condition in waiting.items()))


def _with_text(statement: sa.Select[Case], text: str, by: Actor) -> sa.Select[Case]:
    if not text:
        return statement
    if text.upper().startswith(_NUMBER_PREFIX):
        return statement.where(begins_with(Case.number, text.upper()))
    people = matching_ids(text, by)
    return statement.where(Case.applicant_id.in_(people) if people is not None else sa.false())


def _place(matching: sa.Select[Any], page: int) -> tuple[int, bool, int, int]:
    """How many there are (to a limit), whether the limit was met, the page that exists, and how many pages."""
    limited = matching.with_only_columns(sa.literal(1)).order_by(None).limit(MOST_COUNTED + 1).subquery()
    count = db.session.scalar(sa.select(sa.func.count()).select_from(limited)) or 0
    total = min(count, MOST_COUNTED)
    pages = max(1, -(-total // PAGE_SIZE))
    return total, count > MOST_COUNTED, min(max(1, page), pages), pages
