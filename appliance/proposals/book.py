"""Reading proposals and what they rest on: lists, one with its history and the steps of the reader, the queues with their counts.

Everything is in the reader's scope; looking at one is a look at its resident and stands in the journal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from appliance import audit
from appliance.access import AREA_ROLES, Actor, in_areas, scope
from appliance.database import db, transaction
from appliance.models.case import Case
from appliance.models.programme import Programme
from appliance.models.proposal import Proposal, ProposalBasis, ProposalEvent
from appliance.models.proposal_words import AWAITING_RESULT, BEFORE_ENTRY, ProposalKind, ProposalState
from appliance.models.roles import Role
from appliance.proposals.effects import cautions_of
from appliance.proposals.kinds import KINDS
from appliance.proposals.moving import facts_of, is_late, proposal_not_found
from appliance.proposals.steps import (
    CHECKERS,
    CONVENERS,
    ENTERERS,
    LABELS,
    RELEASERS,
    WRITERS,
    Line,
    allowed,
    blocked,
    held_because,
)
from appliance.proposals.window_rules import window_now
from appliance.registry.areas import area_name, area_names
from appliance.registry.people_search import PersonLine, lines_of

Statement: TypeAlias = "sa.Select[*tuple[Any, ...]]"
PAGE_SIZE = 50
S = ProposalState
LATE, RESULT_LATE = "lewat-jendela", "hasil-terlambat"


@dataclass(frozen=True)
class Queue:
    """Proposals of some states that wait for some roles, each in its own areas; `late` narrows them further."""

    key: str
    label: str
    states: frozenset[ProposalState]
    roles: frozenset[Role]


QUEUES = (
    Queue("musyawarah", "Menunggu musyawarah atau SPTJM", frozenset({S.SUBMITTED}), CONVENERS),
    Queue("agenda", "Di agenda, belum diputuskan", frozenset({S.DISCUSSED}), CONVENERS),
    Queue("tanda-tangan", "Ditahan: belum ditandatangani", frozenset({S.AGREED}), CONVENERS | RELEASERS),
    Queue("periksa", "Perlu diperiksa Dinas", frozenset({S.SIGNED}), CHECKERS),
    Queue("tetapkan", "Menunggu penetapan", frozenset({S.CHECKED}), RELEASERS | CHECKERS),
    Queue("siap-entri", "Siap entri", frozenset({S.READY}), ENTERERS | RELEASERS),
    Queue("hasil", "Menunggu hasil pusat", AWAITING_RESULT, ENTERERS | RELEASERS),
    Queue("perbaikan", "Perlu perbaikan", frozenset({S.DRAFT, S.NEEDS_REPAIR}), WRITERS),
    Queue(LATE, "Lewat jendela", BEFORE_ENTRY, WRITERS | CHECKERS | RELEASERS),
    Queue(RESULT_LATE, "Hasil pusat terlambat", AWAITING_RESULT, ENTERERS | RELEASERS),
)
BY_KEY = {queue.key: queue for queue in QUEUES}


@dataclass(frozen=True)
class ProposalFilter:
    """What narrows the list; empty leaves a condition out. `queue` is a key of QUEUES."""

    queue: str = ""
    state: str = ""
    kind: str = ""
    period: str = ""
    village_code: str = ""
    person_id: str = ""
    case_id: str = ""
    basis_id: str = ""


@dataclass(frozen=True)
class ProposalLine:
    """One proposal in a list. `held`: why it cannot go on; `late`: its month is over. Numbers of the resident are masked."""

    id: str
    number: str
    kind: ProposalKind
    kind_label: str
    state: ProposalState
    state_since: datetime
    period: str
    person_id: str
    person_name: str
    nik_masked: str
    address: str
    whole_family: bool
    village_code: str
    village: str
    basis_number: str
    decision: str
    decision_reason: str
    held: str
    late: bool
    result_late: bool
    row_version: int


@dataclass(frozen=True)
class ProposalsFound:
    """A page of a list, newest first; `following` is where the next one begins, "" at the end."""

    proposals: tuple[ProposalLine, ...]
    following: str


@dataclass(frozen=True)
class EventLine:
    """One fact of a proposal's history."""

    label: str
    state_to: ProposalState
    changed: bool
    by_name: str
    role: str
    at: datetime
    note: str
    details: Mapping[str, str]


@dataclass(frozen=True)
class ProposalDetail:
    """Everything of one proposal that a page shows, with the steps the reader may take, and those that lack something."""

    line: ProposalLine
    person: PersonLine
    reason: str
    evidence: str
    programme: str
    programme_id: str
    case_id: str
    case_number: str
    basis_id: str
    entered_on: date | None
    outside_number: str
    result_due: datetime | None
    result_on: date | None
    result_note: str
    cautions: tuple[str, ...]
    steps: tuple[Line, ...]
    blocked: tuple[tuple[str, str], ...]
    events: tuple[EventLine, ...]


@dataclass(frozen=True)
class QueueCount:
    """One queue of the reader."""

    queue: Queue
    count: int


@dataclass(frozen=True)
class BasisLine:
    """One meeting or statement in a list; `proposals` counts what is on it."""

    id: str
    number: str
    kind: str
    state: str
    village: str
    held_on: date
    proposals: int


@dataclass(frozen=True)
class BasisDetail:
    """One meeting or statement with its proposals, and those of the village that could be put on it."""

    row: ProposalBasis
    village: str
    proposals: tuple[ProposalLine, ...]
    waiting: tuple[ProposalLine, ...]
    may_write: bool


def list_proposals(wanted: ProposalFilter, *, by: Actor, at: datetime, after: str = "") -> ProposalsFound:
    """A page of the proposals in the reader's scope, the newest first, from the one after the identifier `after`."""
    period = window_now(at).window.period
    statement = _narrowed(sa.select(Proposal), wanted, by, at, period).order_by(Proposal.id.desc())
    if after:
        statement = statement.where(Proposal.id < after)
    rows = db.session.scalars(statement.limit(PAGE_SIZE + 1).options(*_TOGETHER)).all()
    more = len(rows) > PAGE_SIZE
    return ProposalsFound(_lines(rows[:PAGE_SIZE], by, at, period), rows[PAGE_SIZE - 1].id if more else "")


def count_queues(*, by: Actor, at: datetime) -> tuple[QueueCount, ...]:
    """Her queues with their counts: those in which something waits."""
    period, counts = window_now(at).window.period, []
    for queue in QUEUES:
        if by.has(*queue.roles):
            counted = _narrowed(sa.select(sa.func.count(Proposal.id)), ProposalFilter(queue=queue.key), by, at, period)
            counts.append(QueueCount(queue, db.session.scalar(counted) or 0))
    return tuple(found for found in counts if found.count)


def look_at_proposal(proposal_id: str, *, by: Actor, at: datetime) -> ProposalDetail:
    """One proposal. The look is written to the journal. Raises NotFound."""
    proposal = db.session.scalar(scope(sa.select(Proposal).where(Proposal.id == proposal_id), Proposal, by).options(*_TOGETHER))
    if proposal is None:
        raise proposal_not_found()
    detail = _detail(proposal, by, at)
    with transaction():  # only now: nobody who writes waits while a page is gathered
        audit.record("lihat", f"person:{proposal.person_id}", by=by, at=at, detail={"usulan": proposal_id})
    return detail


def proposals_of_person(person_id: str, *, by: Actor, at: datetime) -> tuple[ProposalLine, ...]:
    """The newest proposals about a resident, for her page."""
    return list_proposals(ProposalFilter(person_id=person_id), by=by, at=at).proposals


def proposals_of_case(case_id: str, *, by: Actor, at: datetime) -> tuple[ProposalLine, ...]:
    """The proposals that arose from a case, for its page."""
    return list_proposals(ProposalFilter(case_id=case_id), by=by, at=at).proposals


def list_bases(*, by: Actor, after: str = "") -> tuple[tuple[BasisLine, ...], str]:
    """A page of the meetings and statements in her scope, the newest first, and where the next page begins."""
    counted = sa.select(sa.func.count()).where(Proposal.basis_id == ProposalBasis.id).correlate(ProposalBasis).scalar_subquery()
    statement = scope(sa.select(ProposalBasis, counted), ProposalBasis, by).order_by(ProposalBasis.id.desc())
    if after:
        statement = statement.where(ProposalBasis.id < after)
    rows = db.session.execute(statement.limit(PAGE_SIZE + 1)).all()
    villages = area_names({row.village_code for row, _ in rows})
    lines = tuple(
        BasisLine(row.id, row.number, row.kind, row.state, villages.get(row.village_code, row.village_code), row.held_on, count)
        for row, count in rows[:PAGE_SIZE]
    )
    return lines, lines[-1].id if len(rows) > PAGE_SIZE else ""


def basis_detail(row: ProposalBasis, *, by: Actor, at: datetime) -> BasisDetail:
    """A meeting or statement of the reader's scope with its proposals; looking is written to the journal."""
    period = window_now(at).window.period
    mine = scope(sa.select(Proposal).where(Proposal.basis_id == row.id), Proposal, by).order_by(Proposal.id)
    waiting = scope(sa.select(Proposal), Proposal, by).where(
        Proposal.village_code == row.village_code, Proposal.state == S.SUBMITTED
    )
    proposals = db.session.scalars(mine.options(*_TOGETHER)).all()
    others = db.session.scalars(waiting.order_by(Proposal.id).options(*_TOGETHER)).all()
    detail = BasisDetail(
        row, area_name(row.village_code), _lines(proposals, by, at, period), _lines(others, by, at, period),
        by.has_in(row.village_code, *CONVENERS),
    )  # fmt: skip
    with transaction():
        audit.record("lihat_dasar_usulan", f"proposal_basis:{row.id}", by=by, at=at)
    return detail


_TOGETHER = (joinedload(Proposal.person), joinedload(Proposal.basis))


def _narrowed(statement: Statement, wanted: ProposalFilter, by: Actor, at: datetime, period: str) -> Statement:
    statement = scope(statement, Proposal, by)
    queue = BY_KEY.get(wanted.queue)
    if queue is not None:
        statement = statement.where(
            Proposal.state.in_(sorted(queue.states)), in_areas(Proposal.village_code, by.areas_of(queue.roles))
        )
        if queue.key == LATE:
            statement = statement.where(Proposal.period < period)
        if queue.key == RESULT_LATE:
            statement = statement.where(Proposal.result_due < at)
    for column, value in (
        (Proposal.state, wanted.state),
        (Proposal.kind, wanted.kind),
        (Proposal.period, wanted.period),
        (Proposal.village_code, wanted.village_code),
        (Proposal.person_id, wanted.person_id),
        (Proposal.case_id, wanted.case_id),
        (Proposal.basis_id, wanted.basis_id),
    ):
        if value:
            statement = statement.where(column == value)
    return statement


def _lines(rows: Iterable[Proposal], by: Actor, at: datetime, period: str) -> tuple[ProposalLine, ...]:
    rows = list(rows)
    people = {line.id: line for line in lines_of([row.person for row in rows], at)}
    villages = area_names({row.village_code for row in rows})
    return tuple(_line(row, people[row.person_id], villages.get(row.village_code, ""), by, at, period) for row in rows)


def _line(row: Proposal, person: PersonLine, village: str, by: Actor, at: datetime, period: str) -> ProposalLine:
    state, kind = ProposalState(row.state), ProposalKind(row.kind)
    return ProposalLine(
        id=row.id,
        number=row.number,
        kind=kind,
        kind_label=KINDS[kind].label,
        state=state,
        state_since=row.state_since,
        period=row.period,
        person_id=row.person_id,
        person_name=person.name,
        nik_masked=person.nik_masked,
        address=person.address,
        whole_family=row.family_id is not None,
        village_code=row.village_code,
        village=village,
        basis_number=row.basis.number if row.basis else "",
        decision=row.decision,
        decision_reason=row.decision_reason,
        held=held_because(state, facts_of(row, by, period)),
        late=is_late(row, period),
        result_late=state in AWAITING_RESULT and row.result_due is not None and row.result_due < at,
        row_version=row.row_version,
    )


def _detail(row: Proposal, by: Actor, at: datetime) -> ProposalDetail:
    period = window_now(at).window.period
    (line,) = _lines([row], by, at, period)
    (person,) = lines_of([row.person], at)
    roles, facts = by.roles_in(row.village_code), facts_of(row, by, period)
    case = _case_of(row, by)
    programme = db.session.get(Programme, row.programme_id) if row.programme_id else None
    return ProposalDetail(
        line=line,
        person=person,
        reason=row.reason,
        evidence=row.evidence,
        programme=programme.name if programme else "",
        programme_id=row.programme_id or "",
        case_id=case.id if case else "",
        case_number=case.number if case else "",
        basis_id=row.basis_id or "",
        entered_on=row.entered_on,
        outside_number=row.outside_number,
        result_due=row.result_due,
        result_on=row.result_on,
        result_note=row.result_note,
        cautions=cautions_of(row) if line.state in BEFORE_ENTRY and roles & AREA_ROLES else (),
        steps=allowed(line.state, roles, facts),
        blocked=tuple((found.label, sentence) for found, sentence in blocked(line.state, roles, facts)),
        events=_events(row),
    )


def _case_of(row: Proposal, by: Actor) -> Case | None:
    return db.session.scalar(scope(sa.select(Case).where(Case.id == row.case_id), Case, by)) if row.case_id else None


def _events(row: Proposal) -> tuple[EventLine, ...]:
    found: Sequence[ProposalEvent] = db.session.scalars(
        sa.select(ProposalEvent).where(ProposalEvent.proposal_id == row.id).order_by(ProposalEvent.position)
    ).all()
    return tuple(
        EventLine(
            label=LABELS.get(event.action, event.action),
            state_to=ProposalState(event.state_to),
            changed=event.state_from != event.state_to,
            by_name=event.account_name,
            role=Role(event.role).label if event.role else "",
            at=event.happened_at,
            note=event.note,
            details=event.details,
        )
        for event in found
    )
