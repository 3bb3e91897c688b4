"""Reading cases and referrals: lists, counts and one case with its history. Everything goes through the scope of the reader.

Lists count to a limit instead of counting a million rows; a look at one case is a fact of the audit journal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from appliance import audit
from appliance.access import AREA_ROLES, Actor, in_areas, scope
from appliance.casework.cases import facts_of
from appliance.casework.catalogue import CATEGORIES
from appliance.casework.referrals import referral_not_found, steps_for
from appliance.casework.transitions import LABELS, MAY_PREPARE_REFERRAL, Field, allowed, queue_of
from appliance.database import begins_with, db, transaction
from appliance.errors import NotFound
from appliance.models.account import Account
from appliance.models.case import Case, CaseEvent, Referral
from appliance.models.roles import Role
from appliance.models.states import CLOCK_STOPPED, OPEN, CaseState, Priority, ReferralState
from appliance.registry.areas import area_names
from appliance.registry.people_search import PersonLine, lines_of, matching_ids

PAGE_SIZE = 25
MOST_COUNTED = 1000
_URGENCY = sa.case({Priority.EMERGENCY.value: 0, Priority.FAST.value: 1}, value=Case.priority, else_=2)
_NUMBER_PREFIX = "SLRT-"


@dataclass(frozen=True)
class CaseFilter:
    """What a list shows. `queue`: what waits for a step of her roles; `mine`: what she opened or has taken."""

    state: str = ""
    queue: bool = False
    mine: bool = False
    open_only: bool = False
    overdue: bool = False
    text: str = ""
    village_code: str = ""
    applicant_id: str = ""


@dataclass(frozen=True)
class CaseLine:
    """One case in a list. `red_card`: a vulnerable person or an emergency, to be served first."""

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
    owner_name: str


@dataclass(frozen=True)
class CasesFound:
    """One page of cases. `capped`: there are more than `total`."""

    cases: tuple[CaseLine, ...]
    total: int
    capped: bool
    page: int
    pages: int


@dataclass(frozen=True)
class EventLine:
    """One fact of the history, with the labels a page shows."""

    position: int
    action: str
    action_label: str
    state_from: str
    state_to: str
    state_to_label: str
    by_name: str
    role_label: str
    at: datetime
    note: str
    citizen_note: str
    details: Mapping[str, str]


@dataclass(frozen=True)
class ActionOffer:
    """A step the reader may do now, and what it asks for."""

    action: str
    label: str
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class ReferralLine:
    """One referral. `case_id` is None for a reader who may not see the case; `steps` are what she may do now."""

    id: str
    number: str
    case_id: str | None
    case_number: str
    unit_name: str
    state: ReferralState
    summary: str
    sent_at: datetime | None
    reply_due: datetime | None
    overdue: bool
    reply: str
    outcome: str
    return_reason: str
    row_version: int
    steps: tuple[str, ...]


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


@dataclass(frozen=True)
class CaseDetail:
    """Everything of one case that a page shows, with the steps the reader may do."""

    line: CaseLine
    channel: str
    kind: str
    category_text: str
    description: str
    expectation: str
    priority_reason: str
    vulnerable_groups: tuple[str, ...]
    reporter_name: str
    reporter_relation: str
    reporter_phone: str
    reporter_is_proxy: bool
    recommendation: str
    outcome: str
    outcome_note: str
    closed_at: datetime | None
    created_by_name: str
    requirements: tuple[str, ...]
    applicant: PersonLine
    events: tuple[EventLine, ...]
    referrals: tuple[ReferralLine, ...]
    actions: tuple[ActionOffer, ...]
    may_refer: bool
    row_version: int


def list_cases(wanted: CaseFilter, *, by: Actor, at: datetime, page: int = 1) -> CasesFound:
    """A page of the cases in scope: a queue by urgency and deadline, any other list the newest first."""
    matching = _filtered(scope(sa.select(Case), Case, by), wanted, by, at)
    order = (_URGENCY, Case.deadline, Case.id) if wanted.queue else (Case.received_at.desc(), Case.id.desc())
    statement = matching.options(joinedload(Case.applicant), joinedload(Case.service_type)).order_by(*order)
    total, capped, page, pages = _place(matching, page)
    found = db.session.scalars(statement.limit(PAGE_SIZE).offset((page - 1) * PAGE_SIZE)).all()
    return CasesFound(tuple(case_lines(found, at)), total, capped, page, pages)


def count_cases(*, by: Actor) -> dict[CaseState, int]:
    """How many cases in scope are in each state; states without any are left out."""
    statement = scope(sa.select(Case.state, sa.func.count()), Case, by).group_by(Case.state)
    return {CaseState(state): count for state, count in db.session.execute(statement)}


def look_at_case(case_id: str, *, by: Actor, at: datetime) -> CaseDetail:
    """One case with its history, its referrals and the next steps. Written to the journal. Raises NotFound."""
    with transaction():
        statement = scope(sa.select(Case).where(Case.id == case_id), Case, by)
        case = db.session.scalar(statement.options(joinedload(Case.applicant), joinedload(Case.service_type)))
        if case is None:
            raise NotFound("Kasus tidak ditemukan.", "Cari lagi dengan nomor kasus atau nama pemohon.")
        detail = _case_detail(case, by, at)
        audit.record("lihat", f"case:{case.id}", by=by, at=at)
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
    return ReferralsFound(tuple(_referral_lines(db.session.scalars(statement).all(), by, at)), total, capped, page, pages)


def look_at_referral(referral_id: str, *, by: Actor, at: datetime) -> ReferralDetail:
    """One referral with the shared part of its case. Written to the journal. Raises NotFound."""
    with transaction():
        referral = db.session.scalar(scope(sa.select(Referral).where(Referral.id == referral_id), Referral, by))
        if referral is None:
            raise referral_not_found()
        (line,) = _referral_lines([referral], by, at)
        shared = tuple(referral.shared.items())
        detail = ReferralDetail(line, shared, referral.contact, referral.accepted_at, referral.finished_at)
        audit.record("lihat", f"referral:{referral.id}", by=by, at=at)
        return detail


def case_lines(cases: Iterable[Case], at: datetime) -> list[CaseLine]:
    """The rows as lines, with the names of villages and owners read at once."""
    cases = list(cases)
    villages = area_names({case.village_code for case in cases})
    owners = _account_names({case.owner_id for case in cases if case.owner_id})
    return [_case_line(case, villages.get(case.village_code, ""), owners.get(case.owner_id or "", ""), at) for case in cases]


def _filtered(statement: sa.Select[Case], wanted: CaseFilter, by: Actor, at: datetime) -> sa.Select[Case]:
    if wanted.state:
        statement = statement.where(Case.state == wanted.state)
    if wanted.queue:
        statement = statement.where(_in_queue(by))
    if wanted.mine:
        statement = statement.where(sa.or_(Case.created_by == by.account_id, Case.owner_id == by.account_id))
    if wanted.open_only:
        statement = statement.where(Case.state.in_(OPEN))
    if wanted.overdue:
        statement = statement.where(Case.state.in_(OPEN - CLOCK_STOPPED), Case.deadline < at)
    if wanted.village_code:
        statement = statement.where(Case.village_code == wanted.village_code)
    if wanted.applicant_id:
        statement = statement.where(Case.applicant_id == wanted.applicant_id)
    return _with_text(statement, wanted.text.strip(), by)


def _in_queue(by: Actor) -> sa.ColumnElement[bool]:
    """Cases in a state that waits for one of her roles, each role in its own areas."""
    roles: dict[tuple[str, ...], set[Role]] = {}
    for role in sorted(by.roles & AREA_ROLES):
        roles.setdefault(by.areas_of({role}), set()).add(role)
    waiting = {areas: Case.state.in_(queue_of(frozenset(held))) for areas, held in roles.items()}
    if len(waiting) == 1:  # the scope asks for these areas already
        return next(iter(waiting.values()))
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
        owner_name=owner,
    )


def _case_detail(case: Case, by: Actor, at: datetime) -> CaseDetail:
    (line,) = case_lines([case], at)
    (applicant,) = lines_of([case.applicant], at)
    referrals = db.session.scalars(sa.select(Referral).where(Referral.case_id == case.id).order_by(Referral.created_at)).all()
    events = db.session.scalars(sa.select(CaseEvent).where(CaseEvent.case_id == case.id).order_by(CaseEvent.position))
    roles = by.roles_in(case.village_code)
    offers = allowed(line.state, roles, facts_of(case, by, at))
    return CaseDetail(
        line=line,
        channel=case.channel,
        kind=case.kind,
        category_text=CATEGORIES.get(case.category, case.category),
        description=case.description,
        expectation=case.expectation,
        priority_reason=case.priority_reason,
        vulnerable_groups=tuple(case.vulnerable_groups),
        reporter_name=case.reporter_name,
        reporter_relation=case.reporter_relation,
        reporter_phone=case.reporter_phone,
        reporter_is_proxy=case.reporter_is_proxy,
        recommendation=case.recommendation,
        outcome=case.outcome,
        outcome_note=case.outcome_note,
        closed_at=case.closed_at,
        created_by_name=_account_names({case.created_by}).get(case.created_by, ""),
        requirements=tuple(case.service_type.requirements),
        applicant=applicant,
        events=tuple(_event_line(event) for event in events),
        referrals=tuple(_referral_lines(referrals, by, at)),
        actions=tuple(ActionOffer(offer.action.value, offer.label, offer.fields) for offer in offers),
        may_refer=Role.BO in roles and line.state in MAY_PREPARE_REFERRAL,
        row_version=case.row_version,
    )


def _event_line(event: CaseEvent) -> EventLine:
    return EventLine(
        position=event.position,
        action=event.action,
        action_label=LABELS.get(event.action, event.action),
        state_from=event.state_from,
        state_to=event.state_to,
        state_to_label=CaseState(event.state_to).label,
        by_name=event.account_name,
        role_label=Role(event.role).label if event.role else "",
        at=event.happened_at,
        note=event.note,
        citizen_note=event.citizen_note,
        details=event.details,
    )


def _referral_lines(referrals: Sequence[Referral], by: Actor, at: datetime) -> list[ReferralLine]:
    cases = {referral.case_id for referral in referrals}
    visible = scope(sa.select(Case.id).where(Case.id.in_(cases)), Case, by)
    seen = set(db.session.scalars(visible)) if by.has(*AREA_ROLES) else set()
    return [_referral_line(referral, referral.case_id in seen, by, at) for referral in referrals]


def _referral_line(referral: Referral, sees_case: bool, by: Actor, at: datetime) -> ReferralLine:
    return ReferralLine(
        id=referral.id,
        number=referral.number,
        case_id=referral.case_id if sees_case else None,
        case_number=referral.case.number,
        unit_name=referral.unit.name,
        state=ReferralState(referral.state),
        summary=referral.summary,
        sent_at=referral.sent_at,
        reply_due=referral.reply_due,
        overdue=referral.finished_at is None and referral.reply_due is not None and referral.reply_due < at,
        reply=referral.reply,
        outcome=referral.outcome,
        return_reason=referral.return_reason,
        row_version=referral.row_version,
        steps=tuple(step.value for step in steps_for(referral, referral.case.state, sees_case, by)),
    )


def _account_names(ids: set[str]) -> dict[str, str]:
    rows = db.session.execute(sa.select(Account.id, Account.name).where(Account.id.in_(ids)))
    return {row.id: row.name for row in rows}
