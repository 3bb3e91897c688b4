"""One proposal or several under lock, what the table asks of them, and putting them into their next state. For services."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa

from appliance import audit
from appliance.access import Actor, scope
from appliance.casework.transitions import Refusal
from appliance.database import db, next_position
from appliance.errors import Conflict, NotAllowed, NotFound
from appliance.models.proposal import Proposal, ProposalEvent
from appliance.models.proposal_words import BEFORE_ENTRY, BasisState, ProposalKind, ProposalState
from appliance.proposals.steps import Facts, Line, ProposalStep, may


def locked_proposal(proposal_id: str, by: Actor) -> Proposal:
    """The proposal, if `by` may see it, kept from all other writers until the transaction ends. Raises NotFound."""
    return locked_proposals([proposal_id], by)[0]


def locked_proposals(proposal_ids: Collection[str], by: Actor) -> Sequence[Proposal]:
    """These proposals, locked in the order of their identifiers. Raises NotFound unless all are there for `by`."""
    wanted = sa.select(Proposal).where(Proposal.id.in_(proposal_ids)).order_by(Proposal.id)
    found = db.session.scalars(scope(wanted, Proposal, by).with_for_update(of=Proposal)).all()
    if len(found) < len(set(proposal_ids)):
        raise proposal_not_found()
    return found


def proposal_not_found() -> NotFound:
    """The one answer for what is not there and for what is not the reader's."""
    return NotFound("Usulan tidak ditemukan.", "Buka daftar usulan, lalu pilih dari sana.")


def facts_of(proposal: Proposal, by: Actor, period_now: str) -> Facts:
    """How things stand for the table; `period_now` is the month that entries count for now."""
    basis = proposal.basis
    return Facts(
        kind=ProposalKind(proposal.kind),
        status=proposal.person.status,
        has_nik=bool(proposal.person.nik),
        basis=basis.kind if basis else "",
        signed=basis is not None and basis.state == BasisState.SIGNED and bool(basis.scan),
        by_writer=by.account_id in proposal.writers,
        by_checker=by.account_id == proposal.checked_by,
        late=is_late(proposal, period_now),
    )


def is_late(proposal: Proposal, period_now: str) -> bool:
    """Whether its month is over and it was not entered."""
    return ProposalState(proposal.state) in BEFORE_ENTRY and proposal.period < period_now


def line_for(proposal: Proposal, step: ProposalStep, by: Actor, period_now: str) -> Line:
    """The line of the table by which `by` may take the step now. Raises Conflict, NotAllowed."""
    roles = by.roles_in(proposal.village_code)
    return accepted(may(step, ProposalState(proposal.state), roles, facts_of(proposal, by, period_now)))


def accepted(answer: Line | Refusal) -> Line:
    """The line, or the refusal as the error it is."""
    if isinstance(answer, Line):
        return answer
    hint = "Muat ulang halaman usulan untuk melihat langkah yang tersedia."
    raise Conflict(answer.text, hint) if answer.impossible else NotAllowed(answer.text, hint)


def record_step(
    proposal: Proposal, line: Line, *, by: Actor, at: datetime, note: str = "", details: Mapping[str, str] | None = None
) -> None:
    """Put the proposal where the line leads, and write the fact to its history and to the journal."""
    before = ProposalState(proposal.state)
    after = line.leads_to(before)
    proposal.state = after
    if after is not before:
        proposal.state_since = at
    proposal.stamp(by.account_id, at)
    db.session.flush()
    event = ProposalEvent(
        proposal_id=proposal.id,
        position=next_position(ProposalEvent.position, ProposalEvent.proposal_id == proposal.id),
        action=line.step,
        state_from=before,
        state_to=after,
        account_id=by.account_id,
        account_name=by.name,
        role=next(iter(sorted(by.roles_in(proposal.village_code) & (line.by or by.roles))), ""),
        happened_at=at,
        note=note,
        details=dict(details or {}),
    )
    db.session.add(event)
    detail = {"aksi": line.step.value, "ke": after.value, "warga": proposal.person_id}
    audit.record("usulan", f"proposal:{proposal.id}", by=by, at=at, detail=detail)
