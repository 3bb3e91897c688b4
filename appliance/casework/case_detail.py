"""One case with everything around it, as its page shows it. For `casework.casebook`, which looks in the reader's scope."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from appliance.access import REGISTRAR_ROLES, Actor, knows_reporter, scope
from appliance.casework.case_lines import CaseLine, ReferralLine, account_names, case_lines, referral_lines
from appliance.casework.catalogue import CATEGORIES
from appliance.casework.due_times import Cause, changes_of
from appliance.casework.facts import facts_of
from appliance.casework.looking import Onlooker, others_at
from appliance.casework.papers import BRINGERS, CHECKERS, PaperList, papers_of
from appliance.casework.referral_steps import MAY_PREPARE_REFERRAL
from appliance.casework.similar import similar_to
from appliance.casework.step_fields import Field
from appliance.casework.step_values import with_choices
from appliance.casework.transitions import LABELS, Transition, allowed, blocked
from appliance.casework.visits import VisitLine, visits_of
from appliance.database import db
from appliance.models.case import Case, CaseEvent, Referral
from appliance.models.deadline import DueChange
from appliance.models.roles import Role
from appliance.models.states import ENDED, OPEN, CaseState
from appliance.registry.people_search import PersonLine, lines_of

# Stands for the number of a case that the reader may not see.
ELSEWHERE = "kasus lain"


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
class CaseName:
    """Another case that this one speaks of."""

    id: str
    number: str


@dataclass(frozen=True)
class DueChangeLine:
    """Why the case is due at `new` and no longer at `old`."""

    old: datetime | None
    new: datetime
    cause: str
    note: str
    by_name: str
    at: datetime


@dataclass(frozen=True)
class CaseDetail:
    """Everything of one case that a page shows, with the steps the reader may do.

    `blocked` are steps that would be hers, each with what is missing. `similar` stands while the case is verified.
    `may_bring` and `may_check` papers; `may_link` a new case to this ended one.
    """

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
    stage_due: datetime | None
    due_changes: tuple[DueChangeLine, ...]
    ratify_due: datetime | None
    ratify_late: bool
    origin: CaseName | None
    duplicate_of: CaseName | None
    papers: PaperList
    visits: tuple[VisitLine, ...]
    similar: tuple[CaseLine, ...]
    applicant: PersonLine
    events: tuple[EventLine, ...]
    referrals: tuple[ReferralLine, ...]
    actions: tuple[ActionOffer, ...]
    blocked: tuple[tuple[str, str], ...]
    others: tuple[Onlooker, ...]
    may_refer: bool
    may_bring: bool
    may_check: bool
    may_link: bool
    row_version: int


def case_detail(case: Case, by: Actor, at: datetime) -> CaseDetail:
    """The whole case as `by` stands to it."""
    (line,) = case_lines([case], at)
    (applicant,) = lines_of([case.applicant], at)
    referrals = db.session.scalars(sa.select(Referral).where(Referral.case_id == case.id).order_by(Referral.created_at)).all()
    events = db.session.scalars(sa.select(CaseEvent).where(CaseEvent.case_id == case.id).order_by(CaseEvent.position)).all()
    foreign = _foreign_numbers(events, by)
    roles, facts = by.roles_in(case.village_code), facts_of(case, by, at)
    told = knows_reporter(case, by)
    similar = similar_to(case, by).cases if line.state is CaseState.VERIFYING else ()
    return CaseDetail(
        line=line,
        channel=case.channel,
        kind=case.kind,
        category_text=CATEGORIES.get(case.category, case.category),
        description=case.description,
        expectation=case.expectation,
        priority_reason=case.priority_reason,
        vulnerable_groups=tuple(case.vulnerable_groups),
        reporter_name=case.reporter_name if told else "",
        reporter_relation=case.reporter_relation if told else "",
        reporter_phone=case.reporter_phone if told else "",
        reporter_is_proxy=case.reporter_is_proxy,
        recommendation=case.recommendation,
        outcome=case.outcome,
        outcome_note=case.outcome_note,
        closed_at=case.closed_at,
        created_by_name=account_names({case.created_by}).get(case.created_by, ""),
        stage_due=case.stage_due,
        due_changes=tuple(_due_change_line(change) for change in changes_of(case.id)),
        ratify_due=case.ratify_due,
        ratify_late=case.ratify_due is not None and case.ratify_due < at,
        origin=_named(case.origin_id, by),
        duplicate_of=_named(case.duplicate_of_id, by),
        papers=papers_of(case, by),
        visits=visits_of(case, at),
        similar=tuple(case_lines(similar, at)),
        applicant=applicant,
        events=tuple(_event_line(event, foreign) for event in events),
        referrals=tuple(referral_lines(referrals, by, at)),
        actions=tuple(_offer(case, step, by, at) for step in allowed(line.state, roles, facts)),
        blocked=tuple((step.label, sentence) for step, sentence in blocked(line.state, roles, facts)),
        others=others_at(case.id, by, at),
        may_refer=Role.BO in roles and line.state in MAY_PREPARE_REFERRAL,
        may_bring=line.state in OPEN and bool(roles & BRINGERS),
        may_check=line.state in OPEN and bool(roles & CHECKERS) and not facts.by_creator,
        may_link=line.state in ENDED and bool(roles & REGISTRAR_ROLES),
        row_version=case.row_version,
    )


def _offer(case: Case, step: Transition, by: Actor, at: datetime) -> ActionOffer:
    return ActionOffer(step.action.value, step.label, with_choices(step, case, by, at).fields)


def _named(case_id: str | None, by: Actor) -> CaseName | None:
    """None also for a case that the reader may not see: that there is another one may be what is confidential."""
    if case_id is None:
        return None
    found = db.session.execute(scope(sa.select(Case.id, Case.number).where(Case.id == case_id), Case, by)).first()
    return CaseName(found.id, found.number) if found else None


def _due_change_line(change: DueChange) -> DueChangeLine:
    return DueChangeLine(change.old, change.new, Cause(change.cause).label, change.note, change.account_name, change.at)


def _foreign_numbers(events: Sequence[CaseEvent], by: Actor) -> set[str]:
    """What the history names of cases that the reader may not see, as it is written there."""
    named = {value for event in events for value in event.details.values() if value.upper().startswith("SLRT-")}
    if not named:
        return set()
    numbers = sa.select(Case.number).where(Case.number.in_({value.upper() for value in named}))
    seen = set(db.session.scalars(scope(numbers, Case, by)))
    return {value for value in named if value.upper() not in seen}


def _event_line(event: CaseEvent, foreign: Collection[str]) -> EventLine:
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
        details={label: ELSEWHERE if value in foreign else value for label, value in event.details.items()},
    )
