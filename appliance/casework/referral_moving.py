"""One step of a referral: who may take it, taking it under lock, and writing that it was done. For services."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from appliance import audit
from appliance.access import Actor, scope
from appliance.casework import officers
from appliance.casework.history import Fact, add_fact
from appliance.casework.referral_steps import REFERRAL_OPEN, REFERRAL_STEPS, ReferralStep, referral_steps
from appliance.casework.step_values import LONGEST_TEXT
from appliance.database import changed_meanwhile, db
from appliance.errors import Conflict, NotAllowed, NotFound
from appliance.models.case import Case, Referral
from appliance.models.roles import Role
from appliance.models.states import CaseState, ReferralState
from appliance.registry.holders import office_day

# What the organisation reads; why the case ended stays in the office.
ENDED_WITH_CASE = "Kasusnya sudah berakhir di kantor kami; rujukan ini tidak perlu dikerjakan lagi."


def steps_for(referral: Referral, sees_case: bool, on_paper: bool, by: Actor) -> tuple[ReferralStep, ...]:
    """What `by` may do with the referral now; `on_paper` is what `answers_on_paper` says of it. For services."""
    case_state = referral.case.state
    sender = sees_case and by.has_in(referral.case.village_code, Role.BO)
    receiver = by.speaks_for(referral.unit_id) or (sender and on_paper)
    return referral_steps(ReferralState(referral.state), CaseState(case_state), sender=sender, receiver=receiver)


def answers_on_paper(referrals: Sequence[Referral], at: datetime) -> set[str]:
    """The identifiers of those to which the back office enters what comes: the organisation has no account or nobody there who
    may answer now, or the referral went out as a letter.
    """
    answering = officers.staffed({one.unit_id for one in referrals if one.unit.has_accounts}, office_day(at))
    return {one.id for one in referrals if not one.unit.has_accounts or one.sent_by_way != "akun" or one.unit_id not in answering}


def take_step(referral_id: str, step: ReferralStep, row_version: int, by: Actor, at: datetime) -> tuple[Referral, Case]:
    """The referral and its case, locked, if `by` may do the step now."""
    case_id = db.session.scalar(scope(sa.select(Referral.case_id).where(Referral.id == referral_id), Referral, by))
    if case_id is None:
        raise referral_not_found()
    # The case first: all writers lock in this order, and the case's history is written in every step.
    case = db.session.scalars(sa.select(Case).where(Case.id == case_id).with_for_update(of=Case)).one()
    referral = db.session.get_one(Referral, referral_id)
    if referral.row_version != row_version:
        raise changed_meanwhile()
    sees_case = db.session.scalar(scope(sa.select(Case.id).where(Case.id == case_id), Case, by)) is not None
    if step in steps_for(referral, sees_case, referral_id in answers_on_paper([referral], at), by):
        return referral, case
    if step in referral_steps(ReferralState(referral.state), CaseState(case.state), sender=True, receiver=True):
        raise NotAllowed("Peran Anda tidak boleh melakukan langkah ini pada rujukan.", "Minta petugas yang berwenang.")
    raise Conflict(
        f"Rujukan berstatus {ReferralState(referral.state).label} dan kasusnya {CaseState(case.state).label}; langkah ini tidak dapat dilakukan.",
        "Muat ulang halaman untuk melihat langkah yang tersedia.",
    )


def referral_not_found() -> NotFound:
    """The one answer for what is not there and for what is not the reader's."""
    return NotFound("Rujukan tidak ditemukan.", "Buka daftar rujukan, lalu pilih dari sana.")


def step_done(referral: Referral, case: Case, step: ReferralStep, text: str, *, by: Actor, at: datetime) -> None:
    """Put the referral where the step leads; `text` is what the history tells of it."""
    _, target, word = REFERRAL_STEPS[step]
    referral.state = target
    referral.stamp(by.account_id, at)
    details = {"Rujukan": referral.number, "Kepada": referral.unit.name}
    add_fact(case, Fact(word, _role_at(referral, case, by), note=text, details=details), state_from=case.state, by=by, at=at)
    audit.record("rujukan", f"referral:{referral.id}", by=by, at=at, detail={"aksi": word, "kasus": case.id})


def end_with_case(case: Case, *, by: Actor, at: datetime) -> None:
    """Take back what is still open of a case that ends now: the organisation has nothing to do any more. The case is locked."""
    still = sa.select(Referral).where(Referral.case_id == case.id, Referral.state.in_(REFERRAL_OPEN)).order_by(Referral.id)
    for referral in db.session.scalars(still).all():
        unsent = referral.state == ReferralState.DRAFT
        referral.return_reason, referral.finished_at = "" if unsent else ENDED_WITH_CASE, at
        step = ReferralStep.CANCEL if unsent else ReferralStep.WITHDRAW
        step_done(referral, case, step, referral.return_reason, by=by, at=at)


def _role_at(referral: Referral, case: Case, by: Actor) -> Role | None:
    """In which role she acts: for the organisation, as the back office that sends, or as whoever ends the case."""
    if by.speaks_for(referral.unit_id):
        return Role.OPD
    roles = by.roles_in(case.village_code)
    return Role.BO if Role.BO in roles else next(iter(sorted(roles)), None)


def was_answered(case: Case) -> bool:
    """Whether an organisation answered a referral of this case."""
    answered = sa.select(Referral.id).where(Referral.case_id == case.id, Referral.state == ReferralState.ANSWERED)
    return db.session.scalar(answered.limit(1)) is not None


def text_problem(name: str, text: str, label: str) -> dict[str, str]:
    """The problem of a text that must be there and fit, under its field's `name`."""
    if not text.strip():
        return {name: f"{label} wajib diisi."}
    return {name: f"Terlalu panjang; paling banyak {LONGEST_TEXT} huruf."} if len(text) > LONGEST_TEXT else {}
