"""Writing proposals and taking them through their life. Each function is one transaction and one fact in the history of each.

What a step means besides the state is in `effects`; what is done with the meeting or the statement is in `bases`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa

from appliance.access import Actor, require, require_area
from appliance.casework.history import next_number
from appliance.casework.numbers import find_numbered
from appliance.casework.step_values import LONGEST_TEXT, field_problems, shown_value
from appliance.database import Duplicate, changed_meanwhile, db, transaction
from appliance.errors import Conflict, InvalidInput, NotAllowed
from appliance.models.case import Case
from appliance.models.person import REASON_LENGTH, Person
from appliance.models.programme import Programme
from appliance.models.proposal import Proposal
from appliance.models.proposal_words import PROPOSAL_OPEN, ProposalKind, ProposalState
from appliance.proposals.effects import AFTER, problems_before
from appliance.proposals.kinds import KINDS, fits
from appliance.proposals.moving import line_for, locked_proposal, locked_proposals, record_step
from appliance.proposals.steps import TABLE, WRITERS, Line, ProposalStep
from appliance.proposals.window_rules import window_now
from appliance.registry.people import person_in_scope

SERIES = "USL"
MOST_AT_ONCE = 200
SHORTEST_REASON = 10


@dataclass(frozen=True)
class Wish:
    """What is typed of a proposal. `family`: it is about the whole family; `programme_id` is for aid only."""

    kind: str
    reason: str
    evidence: str = ""
    family: bool = True
    programme_id: str = ""


@dataclass(frozen=True)
class Act:
    """A step for one of several proposals, what was typed for it (dates ISO), and the version that was seen, if any was."""

    step: str
    typed: Mapping[str, str] = field(default_factory=dict)
    row_version: int | None = None


def propose(  # noqa: PLR0913  whom, what, from which case, and the stamp
    person_id: str, wish: Wish, *, case_number: str = "", submit: bool = True, request_id: str, by: Actor, at: datetime
) -> str:
    """Write a proposal about a resident, and with `submit` hand it to the next meeting; its identifier.

    `case_number` is the case it arose from, as it was typed. The same `request_id` again gives the same proposal.
    Raises InvalidInput with all problems, NotFound, NotAllowed.
    """
    require(by, *sorted(WRITERS))
    try:
        with transaction():
            return _written(request_id, by) or _write(person_id, wish, case_number, submit, request_id, by, at)
    except Duplicate:
        # Another process was faster with the same request or began the month's series: the second look sees it.
        with transaction():
            return _written(request_id, by) or _write(person_id, wish, case_number, submit, request_id, by, at)


def change_proposal(proposal_id: str, wish: Wish, *, row_version: int, by: Actor, at: datetime) -> None:
    """Write a draft or a returned proposal anew. Another kind, or another circle, must be agreed upon anew.

    Raises InvalidInput with all problems, NotFound, NotAllowed, Conflict.
    """
    with transaction():
        proposal = locked_proposal(proposal_id, by)
        _require_version(proposal, row_version)
        line = line_for(proposal, ProposalStep.CHANGE, by, window_now(at).window.period)
        _refuse(_wish_problems(wish, proposal.person, besides=proposal.id))
        before = (proposal.kind, proposal.family_id, proposal.programme_id)
        _fill(proposal, wish)
        if before != (proposal.kind, proposal.family_id, proposal.programme_id):
            proposal.basis_id, proposal.decision, proposal.decision_reason = None, "", ""
        proposal.writers = sorted({*proposal.writers, by.account_id})
        record_step(proposal, line, by=by, at=at)


def take_step(proposal_id: str, step: str, typed: Mapping[str, str], *, row_version: int, by: Actor, at: datetime) -> None:
    """Take one step of the table. Dates in `typed` are ISO. Raises InvalidInput with all problems, NotFound, NotAllowed, Conflict."""
    with transaction():
        proposal = locked_proposal(proposal_id, by)
        _require_version(proposal, row_version)
        _take(proposal, _known(step), typed, by, at)


def take_steps(acts: Mapping[str, Act], *, by: Actor, at: datetime) -> int:
    """A step for each of several proposals (by identifier), for all or for none; how many.

    Raises InvalidInput with a problem for each that cannot, under its identifier; NotFound.
    """
    if not 0 < len(acts) <= MOST_AT_ONCE:
        raise InvalidInput({"chosen": f"Pilih 1 sampai {MOST_AT_ONCE} usulan."})
    problems: dict[str, str] = {}
    with transaction():
        for proposal in locked_proposals(list(acts), by):
            act = acts[proposal.id]
            try:
                _require_version(proposal, proposal.row_version if act.row_version is None else act.row_version)
                _take(proposal, _known(act.step), act.typed, by, at)
            except InvalidInput as error:
                problems[proposal.id] = f"{proposal.number}: {' '.join(error.problems.values())}"
            except (Conflict, NotAllowed) as error:
                problems[proposal.id] = f"{proposal.number}: {error.message}"
        if problems:
            raise InvalidInput(problems, "Belum ada yang disimpan.")
    return len(acts)


def _take(proposal: Proposal, step: ProposalStep, typed: Mapping[str, str], by: Actor, at: datetime) -> None:
    line = line_for(proposal, step, by, window_now(at).window.period)
    values = {field.name: typed.get(field.name, "").strip() for field in line.fields}
    _refuse(field_problems(line.fields, values) or problems_before(proposal, line, values | {"seen": typed.get("seen", "")}, at))
    after = AFTER.get(step)
    details = after(proposal, values, by, at) if after else {}
    told = {
        field.label: shown_value(field, values[field.name])
        for field in line.fields
        if field.name != "note" and values[field.name]
    }
    record_step(proposal, line, by=by, at=at, note=values.get("note", ""), details=told | dict(details))


def _known(step: str) -> ProposalStep:
    if step not in {line.step for line in TABLE if line.by} - {ProposalStep.CHANGE}:
        raise InvalidInput({"step": "Langkah itu tidak dikenal."})
    return ProposalStep(step)


def _require_version(proposal: Proposal, seen: int) -> None:
    if proposal.row_version != seen:
        raise changed_meanwhile()


def _refuse(problems: dict[str, str]) -> None:
    if problems:
        raise InvalidInput(problems)


def _written(request_id: str, by: Actor) -> str | None:
    known = sa.select(Proposal.id).where(Proposal.request_id == request_id, Proposal.created_by == by.account_id)
    return db.session.scalar(known)


def _write(  # noqa: PLR0913, PLR0917  as `propose`
    person_id: str, wish: Wish, case_number: str, submit: bool, request_id: str, by: Actor, at: datetime
) -> str:
    person = person_in_scope(person_id, by)
    require_area(by, person.village_code, *sorted(WRITERS))
    case, problem = _case_of(case_number, person, by)
    _refuse(_wish_problems(wish, person) | problem)
    proposal = Proposal(
        number=next_number(SERIES, at),
        request_id=request_id,
        state=ProposalState.DRAFT,
        state_since=at,
        period=window_now(at).window.period,
        case_id=case.id if case else None,
        village_code=person.village_code,
        writers=[by.account_id],
    )
    proposal.person, proposal.person_id = person, person.id
    _fill(proposal, wish)
    proposal.stamp(by.account_id, at)
    db.session.add(proposal)
    db.session.flush()
    record_step(proposal, _line_of(ProposalStep.WRITE), by=by, at=at)
    if submit:
        _take(proposal, ProposalStep.SUBMIT, {}, by, at)
    return proposal.id


def _line_of(step: ProposalStep) -> Line:
    return next(line for line in TABLE if line.step is step)


def _fill(proposal: Proposal, wish: Wish) -> None:
    proposal.kind, proposal.reason, proposal.evidence = wish.kind, wish.reason.strip(), wish.evidence.strip()
    proposal.family_id = proposal.person.family_id if wish.family else None
    proposal.programme_id = wish.programme_id if KINDS[ProposalKind(wish.kind)].wants_programme else None


def _case_of(number: str, person: Person, by: Actor) -> tuple[Case | None, dict[str, str]]:
    """The case with the number, if it is hers or of somebody of her family; the problem otherwise."""
    if not number.strip():
        return None, {}
    found = find_numbered(number, by=by)
    case = db.session.get(Case, found.id) if found and found.kind == "kasus" else None
    if case is None or not (case.applicant_id == person.id or _of_family(case.applicant, person)):
        return None, {"case_number": "Kasus itu tidak ditemukan, atau bukan kasus warga ini dan keluarganya."}
    return case, {}


def _of_family(one: Person, other: Person) -> bool:
    return one.family_id is not None and one.family_id == other.family_id


def _wish_problems(wish: Wish, person: Person, besides: str = "") -> dict[str, str]:
    problems = {}
    if wish.kind not in set(ProposalKind):
        problems["kind"] = "Pilih jenis usulan."
    elif problem := fits(ProposalKind(wish.kind), person.status):
        problems["kind"] = problem
    elif other := _standing(person, wish.kind, besides):
        problems["kind"] = f"Warga ini sudah mempunyai usulan yang sama dan belum selesai ({other})."
    if len(wish.reason.strip()) < SHORTEST_REASON:
        problems["reason"] = "Tulis apa yang diusulkan dan mengapa, paling sedikit satu kalimat."
    elif len(wish.reason) > LONGEST_TEXT:
        problems["reason"] = f"Terlalu panjang; paling banyak {LONGEST_TEXT} huruf."
    if len(wish.evidence) > REASON_LENGTH:
        problems["evidence"] = f"Terlalu panjang; paling banyak {REASON_LENGTH} huruf."
    if wish.family and person.family_id is None:
        problems["family"] = "Warga ini belum punya keluarga (KK atau alamat). Usulkan untuk warga ini saja."
    return problems | _programme_problem(wish)


def _programme_problem(wish: Wish) -> dict[str, str]:
    wanted = wish.kind in set(ProposalKind) and KINDS[ProposalKind(wish.kind)].wants_programme
    if wanted and (not wish.programme_id or db.session.get(Programme, wish.programme_id) is None):
        return {"programme_id": "Pilih program yang diusulkan."}
    return {}


def _standing(person: Person, kind: str, besides: str) -> str | None:
    """The number of an unfinished proposal of the same kind about her."""
    same = sa.select(Proposal.number).where(Proposal.person_id == person.id, Proposal.kind == kind, Proposal.id != besides)
    return db.session.scalar(same.where(Proposal.state.in_(sorted(PROPOSAL_OPEN))).limit(1))
