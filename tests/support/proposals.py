"""Short ways to proposals and the meetings they rest on, for tests that need them to be there already."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from appliance.access import Actor
from appliance.proposals import bases, book, proposals
from appliance.proposals.bases import Meeting, Said, Signed
from appliance.proposals.book import ProposalDetail
from appliance.proposals.proposals import Wish
from tests.support.desk import request, resident
from tests.support.pictures import photo
from tests.support.staff import AT, HOME, Staff

HELD = date(2026, 11, 12)
MEETING = Meeting(HELD, "Kantor Kelurahan Bonto Sunggu", "H. Baso Amir", (("H. Baso Amir", "Ketua RW 02"), ("Hasnah", "Warga")))
REASON = "Keluarga tidak mampu dan belum terdaftar."


def proposed(
    by: Actor, person: str | None = None, at: datetime = AT, *, case_number: str = "", submit: bool = True, **changes: Any
) -> str:
    """A proposal that waits for a meeting; its identifier."""
    person = person or resident(by, address="Jl. Kartini 12", kk="", nik_reason="Belum merekam KTP-el")
    wish = Wish(**{"kind": "usul_baru", "reason": REASON, "family": False, **changes})
    return proposals.propose(person, wish, case_number=case_number, submit=submit, request_id=request(), by=by, at=at)


def seen(proposal: str, by: Actor, at: datetime = AT) -> ProposalDetail:
    return book.look_at_proposal(proposal, by=by, at=at)


def step(proposal: str, by: Actor, action: str, at: datetime = AT, **typed: str) -> None:
    """One step on the proposal as it is now."""
    proposals.take_step(proposal, action, typed, row_version=seen(proposal, by, at).line.row_version, by=by, at=at)


def version(basis: str, by: Actor) -> int:
    return bases.basis_in_scope(basis, by).row_version


def meeting(by: Actor, *on_agenda: str, kind: str = "musyawarah", village: str = HOME, at: datetime = AT) -> str:
    """A meeting or a statement with these on it; its identifier."""
    basis = bases.begin_basis(village, kind, MEETING, request_id=request(), by=by, at=at)
    if on_agenda:
        bases.put_on_agenda(basis, on_agenda, row_version=version(basis, by), by=by, at=at)
    return basis


def agree(basis: str, by: Actor, *agreed: str, at: datetime = AT) -> None:
    said = dict.fromkeys(agreed, Said("setuju"))
    bases.decide_proposals(basis, said, row_version=version(basis, by), by=by, at=at)


def sign(basis: str, by: Actor, at: datetime = AT, **changes: Any) -> None:
    """Attach the signed paper."""
    signed = Signed(**{"scan": photo(), "signed_on": HELD, "number": "140/12/BS", **changes})
    bases.sign_basis(basis, signed, row_version=version(basis, by), by=by, at=at)


def agreed_and_signed(staff: Staff, *on_agenda: str) -> str:
    """A meeting that agreed to these, with its signed paper; its identifier."""
    basis = meeting(staff.facilitator, *on_agenda)
    agree(basis, staff.facilitator, *on_agenda)
    sign(basis, staff.facilitator)
    return basis


def ready(staff: Staff, *persons: str, kind: str = "usul_baru", **changes: Any) -> list[str]:
    """Proposals about these residents that may be entered; their identifiers."""
    made = [proposed(staff.facilitator, person, kind=kind, **changes) for person in persons]
    agreed_and_signed(staff, *made)
    for proposal in made:
        step(proposal, staff.bo, "periksa", seen="ya")
        step(proposal, staff.manager, "tetapkan")
    return made


def entered(staff: Staff, *persons: str, on: str = "2026-11-20", kind: str = "usul_baru", **changes: Any) -> list[str]:
    """Proposals that were entered in SIKS-NG; their identifiers."""
    made = ready(staff, *persons, kind=kind, **changes)
    for proposal in made:
        step(proposal, staff.bo, "entri", entered_on=on)
    return made
