"""Reading cases and referrals: lists, counts and one case with its history. Everything goes through the scope of the reader.

Lists count to a limit instead of counting a million rows; a look at one case is a fact of the audit journal.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from appliance import audit
from appliance.access import AREA_ROLES, REVEAL_ROLES, Actor, in_areas, scope
from appliance.casework import queues
from appliance.casework.case_detail import CaseDetail, case_detail
from appliance.casework.case_lines import CaseLine, ReferralLine, case_lines, referral_lines, stuck_since
from appliance.casework.case_order import NEWEST_FIRST, URGENT_FIRST
from appliance.casework.delegations import delegated_areas
from appliance.casework.looking import note_look
from appliance.casework.moving import case_not_found
from appliance.casework.office_calendar import calendar_in_use
from appliance.casework.referral_moving import referral_not_found
from appliance.casework.referral_steps import AWAITING_REPLY
from appliance.casework.transitions import queue_of
from appliance.database import begins_with, db, transaction
from appliance.models.case import Case, Referral, ServiceType
from appliance.models.roles import Role
from appliance.models.states import OPEN, CaseState
from appliance.registry import nik
from appliance.registry.people_search import matching_ids

PAGE_SIZE = 25
MOST_COUNTED = 1000
NOBODY = "-"
_NUMBER_PREFIX = "SLRT-"
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class CaseFilter:
    """What a list shows. `queue`: what waits for a step of her roles; `mine`: what she opened or has taken;
    `to_ratify`: emergencies that were referred without a decision; `in_queue`: the key of one of her queues; `told`: lateness
    that was told to her; `stuck`: what waits too long for an outside body; `owner` is an account, or "-" for none; `age` a key
    of `queues.AGES`; `area_code` a village or above.
    """

    state: str = ""
    queue: bool = False
    mine: bool = False
    open_only: bool = False
    overdue: bool = False
    to_ratify: bool = False
    due_today: bool = False
    told: bool = False
    stuck: bool = False
    in_queue: str = ""
    text: str = ""
    village_code: str = ""
    area_code: str = ""
    service_code: str = ""
    priority: str = ""
    age: str = ""
    owner: str = ""
    applicant_id: str = ""


@dataclass(frozen=True)
class CasesFound:
    """One page of cases. `capped`: there are more than `total`. `following`: where the next page begins, "" on the last."""

    cases: tuple[CaseLine, ...]
    total: int
    capped: bool
    following: str


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
    """One referral with what was shared of the case, as pairs of label and value: none once the line is not `shown`.

    `reply_paper_id` only for who sees the case.
    """

    line: ReferralLine
    shared: tuple[tuple[str, str], ...]
    contact: str
    accepted_at: datetime | None
    finished_at: datetime | None
    replied_on: date | None
    reply_paper_id: str | None


def list_cases(wanted: CaseFilter, *, by: Actor, at: datetime, after: str = "") -> CasesFound:
    """A page of the cases in scope: a queue by urgency and deadline, any other list the newest first.

    `after` is the `following` of the page before; what was moved meanwhile is neither shown twice nor left out.
    """
    matching = _filtered(scope(sa.select(Case), Case, by), wanted, by, at)
    order = URGENT_FIRST if wanted.queue or wanted.in_queue else NEWEST_FIRST
    total, capped = _count(matching)
    statement = order.page(matching, after).options(joinedload(Case.applicant), joinedload(Case.service_type))
    found = db.session.scalars(statement.limit(PAGE_SIZE + 1)).all()
    following = order.place_of(found[PAGE_SIZE - 1]) if len(found) > PAGE_SIZE else ""
    return CasesFound(tuple(case_lines(found[:PAGE_SIZE], at)), total, capped, following)


def count_matching(wanted: CaseFilter, *, by: Actor, at: datetime) -> int:
    """How many cases in scope match, to a limit."""
    return _count(_filtered(scope(sa.select(Case), Case, by), wanted, by, at))[0]


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
        note_look(case_id, by, at)
        audit.record("lihat", f"case:{case_id}", by=by, at=at)
    return detail


def list_referrals(*, by: Actor, at: datetime, state: str = "", late: bool = False, page: int = 1) -> ReferralsFound:
    """A page of the referrals in scope, for an organisation those sent to it; what is due first comes first.

    `late`: only those whose reply is overdue.
    """
    matching = scope(sa.select(Referral), Referral, by)
    if state:
        matching = matching.where(Referral.state == state)
    if late:
        matching = matching.where(_is_late(at))
    total, capped, page, pages = _place(matching, page)
    statement = (
        matching.options(joinedload(Referral.unit), joinedload(Referral.case))
        .order_by(Referral.finished_at.is_not(None), Referral.reply_due, Referral.id)
        .limit(PAGE_SIZE)
        .offset((page - 1) * PAGE_SIZE)
    )
    return ReferralsFound(tuple(referral_lines(db.session.scalars(statement).all(), by, at)), total, capped, page, pages)


def count_late_referrals(*, by: Actor, at: datetime) -> int:
    """How many referrals in scope wait for a reply that is overdue, to a limit."""
    return _count(scope(sa.select(Referral), Referral, by).where(_is_late(at)))[0]


def _is_late(at: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(Referral.state.in_(AWAITING_REPLY), Referral.reply_due < at)


def look_at_referral(referral_id: str, *, by: Actor, at: datetime) -> ReferralDetail:
    """One referral with the shared part of its case. Written to the journal. Raises NotFound."""
    referral = db.session.scalar(scope(sa.select(Referral).where(Referral.id == referral_id), Referral, by))
    if referral is None:
        raise referral_not_found()
    (line,) = referral_lines([referral], by, at)
    shared = _shared(referral, by) if line.shown else ()
    detail = ReferralDetail(
        line,
        shared,
        referral.contact if line.shown else "",
        referral.accepted_at,
        referral.finished_at,
        referral.replied_on,
        referral.reply_paper_id if line.case_id else None,
    )
    with transaction():
        audit.record("lihat", f"referral:{referral_id}", by=by, at=at)
    return detail


def _shared(referral: Referral, by: Actor) -> tuple[tuple[str, str], ...]:
    """What the organisation gets to see; the number whole for it, and in the office for who handles papers."""
    whole = by.speaks_for(referral.unit_id) or by.has_in(referral.case.village_code, *REVEAL_ROLES)
    return tuple((label, text if whole else nik.mask_within(text)) for label, text in referral.shared.items())


def _filtered(statement: sa.Select[Case], wanted: CaseFilter, by: Actor, at: datetime) -> sa.Select[Case]:
    if wanted.state:
        statement = statement.where(Case.state == wanted.state)
    if wanted.mine:
        statement = statement.where(sa.or_(Case.created_by == by.account_id, Case.owner_id == by.account_id))
    if wanted.stuck:
        statement = statement.where(Case.state == CaseState.WAITING_OUTSIDE, Case.state_since <= stuck_since(at))
    if wanted.to_ratify:
        # Few of very many: as a list of identifiers, and as a range, or SQLite would read all cases instead of the index.
        statement = statement.where(Case.id.in_(sa.select(Case.id).where(Case.ratify_due > _LONG_AGO)))
    if wanted.applicant_id:
        statement = statement.where(Case.applicant_id == wanted.applicant_id)
    return _with_text(_narrowed(_waiting(statement, wanted, by, at), wanted, at), wanted.text.strip(), by)


def _waiting(statement: sa.Select[Case], wanted: CaseFilter, by: Actor, at: datetime) -> sa.Select[Case]:
    if wanted.queue:
        statement = statement.where(_in_queue(by, at))
    if wanted.in_queue:
        statement = statement.where(queues.in_queue(wanted.in_queue, by))
    if wanted.open_only:
        statement = statement.where(Case.state.in_(OPEN))
    if wanted.overdue:
        statement = statement.where(queues.is_late(at))
    if wanted.due_today:
        statement = statement.where(queues.is_due_today(calendar_in_use(), at))
    if wanted.told:
        statement = statement.where(queues.is_told_to(by))
    return statement


def _narrowed(statement: sa.Select[Case], wanted: CaseFilter, at: datetime) -> sa.Select[Case]:
    if wanted.village_code:
        statement = statement.where(Case.village_code == wanted.village_code)
    if wanted.area_code:
        statement = statement.where(in_areas(Case.village_code, (wanted.area_code,)))
    if wanted.service_code:
        kinds = sa.select(ServiceType.id).where(ServiceType.code == wanted.service_code)
        statement = statement.where(Case.service_type_id.in_(kinds))
    if wanted.priority:
        statement = statement.where(Case.priority == wanted.priority)
    if wanted.age:
        statement = statement.where(queues.has_age(wanted.age, calendar_in_use(), at))
    if wanted.owner:
        statement = statement.where(Case.owner_id.is_(None) if wanted.owner == NOBODY else Case.owner_id == wanted.owner)
    return statement


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


def _count(matching: sa.Select[Any]) -> tuple[int, bool]:
    """How many there are, to a limit, and whether the limit was met."""
    limited = matching.with_only_columns(sa.literal(1)).order_by(None).limit(MOST_COUNTED + 1).subquery()
    count = db.session.scalar(sa.select(sa.func.count()).select_from(limited)) or 0
    return min(count, MOST_COUNTED), count > MOST_COUNTED


def _place(matching: sa.Select[Any], page: int) -> tuple[int, bool, int, int]:
    """How many there are (to a limit), whether the limit was met, the page that exists, and how many pages."""
    total, capped = _count(matching)
    pages = max(1, -(-total // PAGE_SIZE))
    return total, capped, min(max(1, page), pages), pages
