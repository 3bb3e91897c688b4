"""What proposals rest on: a meeting of the village or the statement of its head, from its agenda to the scan of the signed paper.

Each function is one transaction. The basis is locked before its proposals: all writers lock in this order. Without the signed
paper nothing goes on (`steps`, bertanda_tangan); once it is there, what the meeting said stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from appliance import audit
from appliance.access import Actor, require, require_area, scope
from appliance.casework.history import next_number
from appliance.casework.step_values import LONGEST_TEXT
from appliance.database import Duplicate, changed_meanwhile, db, transaction
from appliance.errors import Conflict, InvalidInput, NotFound
from appliance.models.person import NAME_LENGTH, REASON_LENGTH
from appliance.models.proposal import Proposal, ProposalBasis
from appliance.models.proposal_words import BasisKind, BasisState, Decision, ProposalState
from appliance.proposals.moving import accepted, facts_of, locked_proposals, record_step
from appliance.proposals.steps import CONVENERS, ProposalStep, follows
from appliance.registry.areas import active_villages
from appliance.registry.file_store import FileContent, store, whole_of
from appliance.registry.holders import office_day

SERIES = {BasisKind.MEETING: "MUS", BasisKind.STATEMENT: "SPT"}
MOST_PRESENT = 300
MOST_ON_AGENDA = 300
LONGEST_PLACE = 160
LONGEST_NUMBER = 80
_STEP_OF = {
    Decision.AGREED: ProposalStep.AGREE,
    Decision.REFUSED: ProposalStep.REFUSE,
    Decision.POSTPONED: ProposalStep.POSTPONE,
}


@dataclass(frozen=True)
class Meeting:
    """What is typed of a meeting or a statement. `leader` leads the meeting or makes the statement; `attendance` are name and role."""

    held_on: date | None
    place: str = ""
    leader: str = ""
    attendance: tuple[tuple[str, str], ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Said:
    """What the meeting said of a proposal: a code of Decision, and why it was refused or postponed."""

    decision: str
    reason: str = ""


@dataclass(frozen=True)
class Signed:
    """The signed paper: its scan (JPEG, PNG or PDF), the day it bears, and the village's own number of it."""

    scan: bytes
    signed_on: date | None
    number: str = ""


def begin_basis(village_code: str, kind: str, meeting: Meeting, *, request_id: str, by: Actor, at: datetime) -> str:
    """Prepare a meeting or a statement of a village; its identifier. The same `request_id` again gives the same one.

    Raises InvalidInput with all problems, NotAllowed.
    """
    require(by, *sorted(CONVENERS))
    try:
        with transaction():
            return _begun(request_id, by) or _begin(village_code, kind, meeting, request_id=request_id, by=by, at=at)
    except Duplicate:
        with transaction():
            return _begun(request_id, by) or _begin(village_code, kind, meeting, request_id=request_id, by=by, at=at)


def change_basis(basis_id: str, meeting: Meeting, *, row_version: int, by: Actor, at: datetime) -> None:
    """Write down place, leader and who was present, as long as it is not signed. Raises InvalidInput, Conflict, NotFound, NotAllowed."""
    with transaction():
        basis = _prepared(basis_id, row_version, by)
        _refuse(_meeting_problems(meeting))
        _fill(basis, meeting)
        _note(basis, "ubah", by, at)


def put_on_agenda(basis_id: str, proposal_ids: Sequence[str], *, row_version: int, by: Actor, at: datetime) -> None:
    """Lay proposals before the meeting; what the head of the village states is agreed with it.

    Raises InvalidInput, Conflict, NotFound, NotAllowed.
    """
    if not 0 < len(proposal_ids) <= MOST_ON_AGENDA:
        raise InvalidInput({"chosen": "Pilih usulan yang dibahas."})
    with transaction():
        basis = _prepared(basis_id, row_version, by)
        for proposal in locked_proposals(proposal_ids, by):
            if proposal.village_code != basis.village_code:
                raise Conflict(f"Usulan {proposal.number} dari desa/kelurahan lain.", "Muat ulang halaman, lalu pilih lagi.")
            proposal.basis, proposal.basis_id = basis, basis.id
            _follow(proposal, ProposalStep.PUT_ON, by, at, {"Dasar": basis.number})
            if basis.kind == BasisKind.STATEMENT:
                _decide(proposal, Said(Decision.AGREED), by, at)
        _note(basis, "agenda", by, at, {"usulan": len(proposal_ids)})


def take_off_agenda(basis_id: str, proposal_id: str, *, row_version: int, by: Actor, at: datetime) -> None:
    """Take a proposal from the agenda again; it waits for the next meeting. Raises Conflict, NotFound, NotAllowed."""
    with transaction():
        basis = _prepared(basis_id, row_version, by)
        (proposal,) = _of_basis(basis, [proposal_id], by)
        _follow(proposal, ProposalStep.TAKE_OFF, by, at, {"Dasar": basis.number})
        _let_go(proposal)
        _note(basis, "agenda", by, at, {"usulan": -1})


def decide_proposals(basis_id: str, said: Mapping[str, Said], *, row_version: int, by: Actor, at: datetime) -> None:
    """Note what the meeting said of each proposal (by identifier); before the signature it may be corrected.

    Raises InvalidInput with a problem for each wrong one, Conflict, NotFound, NotAllowed.
    """
    with transaction():
        basis = _prepared(basis_id, row_version, by)
        _refuse(_said_problems(basis, said))
        for proposal in _of_basis(basis, list(said), by):
            if (proposal.decision, proposal.decision_reason) != (said[proposal.id].decision, said[proposal.id].reason.strip()):
                _decide(proposal, said[proposal.id], by, at)
        _note(basis, "keputusan", by, at, {"usulan": len(said)})


def sign_basis(basis_id: str, signed: Signed, *, row_version: int, by: Actor, at: datetime) -> None:
    """Attach the scan of the signed paper: what was agreed on it goes on to the Dinas. Once more, it replaces a wrong scan.

    Raises InvalidInput with everything that is missing, Conflict, NotFound, NotAllowed.
    """
    stored = store(signed.scan)
    with transaction():
        basis = _locked(basis_id, row_version, by)
        if basis.state == BasisState.CANCELLED:
            raise _over(basis)
        proposals = _all_of(basis, by)
        _refuse(_signing_problems(basis, proposals, signed, at))
        basis.scan, basis.scan_media, basis.signed_on = stored.sha256, stored.media, signed.signed_on
        basis.paper_number, basis.state = signed.number.strip(), BasisState.SIGNED
        db.session.flush()
        for proposal in proposals:
            if proposal.state == ProposalState.AGREED:
                _follow(proposal, ProposalStep.SIGN, by, at, {"Dasar": basis.number})
        _note(basis, "tanda_tangan", by, at, {"berkas": stored.sha256[:12]})


def cancel_basis(basis_id: str, reason: str, *, row_version: int, by: Actor, at: datetime) -> None:
    """Call a meeting off that was not signed; its proposals wait for the next one. Raises InvalidInput, Conflict, NotFound, NotAllowed."""
    given = " ".join(reason.split())
    if len(given) < 5 or len(given) > REASON_LENGTH:
        raise InvalidInput({"reason": f"Tulis alasannya, 5 sampai {REASON_LENGTH} huruf."})
    with transaction():
        basis = _prepared(basis_id, row_version, by)
        for proposal in _all_of(basis, by):
            _follow(proposal, ProposalStep.TAKE_OFF, by, at, {"Dasar": f"{basis.number}, dibatalkan: {given}"})
            _let_go(proposal)
        basis.state, basis.cancel_reason = BasisState.CANCELLED, given
        _note(basis, "batal", by, at, {"alasan": given})


def open_scan(basis_id: str, *, by: Actor, at: datetime) -> FileContent:
    """The scan of the signed paper. Written to the journal. Raises NotFound, NotAllowed."""
    with transaction():
        basis = basis_in_scope(basis_id, by)
        if not basis.scan:
            raise NotFound("Pindaian belum dilampirkan.", "Lampirkan dahulu dari halaman ini.")
        require_area(by, basis.village_code, *sorted(CONVENERS))
        audit.record("lihat_pindaian", f"proposal_basis:{basis.id}", by=by, at=at)
        return whole_of(basis.scan, basis.scan_media, basis.id)


def basis_in_scope(basis_id: str, by: Actor) -> ProposalBasis:
    """One meeting or statement that `by` may see. Raises NotFound."""
    found = db.session.scalar(scope(sa.select(ProposalBasis).where(ProposalBasis.id == basis_id), ProposalBasis, by))
    if found is None:
        raise NotFound("Musyawarah atau SPTJM itu tidak ditemukan.", "Buka daftarnya di halaman Usulan.")
    return found


def _begun(request_id: str, by: Actor) -> str | None:
    known = sa.select(ProposalBasis.id).where(ProposalBasis.request_id == request_id, ProposalBasis.created_by == by.account_id)
    return db.session.scalar(known)


def _begin(village_code: str, kind: str, meeting: Meeting, *, request_id: str, by: Actor, at: datetime) -> str:
    problems = _meeting_problems(meeting)
    if kind not in set(BasisKind):
        problems["kind"] = "Pilih musyawarah atau SPTJM."
    if village_code not in {village.code for village in active_villages()}:
        problems["village_code"] = "Pilih desa/kelurahan."
    _refuse(problems)
    require_area(by, village_code, *sorted(CONVENERS))
    number = next_number(SERIES[BasisKind(kind)], at)
    basis = ProposalBasis(number=number, request_id=request_id, kind=kind, state=BasisState.PREPARED, village_code=village_code)
    _fill(basis, meeting)
    db.session.add(basis)
    _note(basis, "siapkan", by, at)
    return basis.id


def _fill(basis: ProposalBasis, meeting: Meeting) -> None:
    if meeting.held_on is not None:
        basis.held_on = meeting.held_on
    basis.place, basis.leader, basis.note = meeting.place.strip(), meeting.leader.strip(), meeting.note.strip()
    basis.attendance = [{"name": name, "role": role} for name, role in meeting.attendance]


def _locked(basis_id: str, row_version: int, by: Actor) -> ProposalBasis:
    wanted = sa.select(ProposalBasis).where(ProposalBasis.id == basis_id)
    basis = db.session.scalar(scope(wanted, ProposalBasis, by).with_for_update(of=ProposalBasis))
    if basis is None:
        raise NotFound("Musyawarah atau SPTJM itu tidak ditemukan.", "Buka daftarnya di halaman Usulan.")
    require_area(by, basis.village_code, *sorted(CONVENERS))
    if basis.row_version != row_version:
        raise changed_meanwhile()
    return basis


def _prepared(basis_id: str, row_version: int, by: Actor) -> ProposalBasis:
    basis = _locked(basis_id, row_version, by)
    if basis.state != BasisState.PREPARED:
        raise _over(basis)
    return basis


def _over(basis: ProposalBasis) -> Conflict:
    done = "sudah ditandatangani" if basis.state == BasisState.SIGNED else "sudah dibatalkan"
    return Conflict(f"{basis.number} {done}; isinya tidak berubah lagi.", "Buat musyawarah atau SPTJM yang baru bila perlu.")


def _all_of(basis: ProposalBasis, by: Actor) -> Sequence[Proposal]:
    ids = db.session.scalars(sa.select(Proposal.id).where(Proposal.basis_id == basis.id)).all()
    return locked_proposals(ids, by) if ids else ()


def _of_basis(basis: ProposalBasis, proposal_ids: Sequence[str], by: Actor) -> Sequence[Proposal]:
    found = locked_proposals(proposal_ids, by)
    if any(proposal.basis_id != basis.id for proposal in found):
        raise changed_meanwhile()
    return found


def _follow(proposal: Proposal, step: ProposalStep, by: Actor, at: datetime, details: Mapping[str, str], note: str = "") -> None:
    """Take a step that the act on the paper means for a proposal."""
    line = accepted(follows(step, ProposalState(proposal.state), facts_of(proposal, by, "")))
    record_step(proposal, line, by=by, at=at, note=note, details=details)


def _decide(proposal: Proposal, said: Said, by: Actor, at: datetime) -> None:
    decision = Decision(said.decision)
    _follow(proposal, _STEP_OF[decision], by, at, {}, said.reason.strip())
    proposal.decision, proposal.decision_reason = decision, said.reason.strip()
    if decision is Decision.POSTPONED:
        _let_go(proposal)


def _let_go(proposal: Proposal) -> None:
    proposal.basis, proposal.basis_id, proposal.decision, proposal.decision_reason = None, None, "", ""


def _note(basis: ProposalBasis, word: str, by: Actor, at: datetime, detail: Mapping[str, object] | None = None) -> None:
    basis.stamp(by.account_id, at)
    db.session.flush()
    told = {"aksi": word, "desa": basis.village_code, **(detail or {})}
    audit.record("dasar_usulan", f"proposal_basis:{basis.id}", by=by, at=at, detail=told)


def _refuse(problems: dict[str, str]) -> None:
    if problems:
        raise InvalidInput(problems)


def _meeting_problems(meeting: Meeting) -> dict[str, str]:
    problems = {}
    if meeting.held_on is None:
        problems["held_on"] = "Isi tanggalnya: hari-bulan-tahun, contoh 12-11-2026."
    limits = {"place": LONGEST_PLACE, "leader": NAME_LENGTH, "note": LONGEST_TEXT}
    problems |= {
        name: f"Terlalu panjang; paling banyak {most} huruf."
        for name, most in limits.items()
        if len(getattr(meeting, name)) > most
    }
    if len(meeting.attendance) > MOST_PRESENT:
        problems["attendance"] = f"Paling banyak {MOST_PRESENT} orang."
    elif any(not name or len(name) > NAME_LENGTH or len(role) > NAME_LENGTH for name, role in meeting.attendance):
        problems["attendance"] = "Satu orang per baris: nama, koma, lalu jabatan atau unsur."
    return problems


def _said_problems(basis: ProposalBasis, said: Mapping[str, Said]) -> dict[str, str]:
    if basis.kind != BasisKind.MEETING:
        return {"chosen": "SPTJM tidak memakai keputusan; keluarkan usulan yang tidak dinyatakan."}
    problems = {} if said else {"chosen": "Pilih keputusan untuk paling sedikit satu usulan."}
    for proposal_id, one in said.items():
        if one.decision not in set(Decision):
            problems[proposal_id] = "Pilih disepakati, tidak disepakati, atau ditunda."
        elif one.decision != Decision.AGREED and not one.reason.strip():
            problems[proposal_id] = "Tulis alasan mengapa tidak disepakati atau ditunda."
        elif len(one.reason) > REASON_LENGTH:
            problems[proposal_id] = f"Alasan terlalu panjang; paling banyak {REASON_LENGTH} huruf."
    return problems


def _signing_problems(basis: ProposalBasis, proposals: Sequence[Proposal], signed: Signed, at: datetime) -> dict[str, str]:
    problems, today = {}, office_day(at)
    if signed.signed_on is None or signed.signed_on > today:
        problems["signed_on"] = "Isi tanggal pada surat yang ditandatangani, paling lambat hari ini."
    elif signed.signed_on < basis.held_on:
        problems["signed_on"] = f"Tidak sebelum tanggal pelaksanaan {basis.held_on:%d-%m-%Y}."
    if len(signed.number) > LONGEST_NUMBER:
        problems["number"] = f"Terlalu panjang; paling banyak {LONGEST_NUMBER} huruf."
    if not basis.leader:
        problems["leader"] = "Nama pimpinan musyawarah atau pembuat pernyataan belum ditulis; lengkapi keterangannya dahulu."
    if basis.kind == BasisKind.MEETING and (not basis.place or not basis.attendance):
        problems["attendance"] = "Tempat dan daftar hadir belum ditulis; lengkapi keterangan musyawarah dahulu."
    if not proposals:
        problems["chosen"] = "Belum ada usulan di dalamnya."
    undecided = sum(proposal.state == ProposalState.DISCUSSED for proposal in proposals)
    if undecided:
        problems["chosen"] = f"{undecided} usulan belum ada keputusannya; catat dahulu, atau keluarkan dari agenda."
    return problems
