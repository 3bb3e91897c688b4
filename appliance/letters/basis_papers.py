"""The paper of a meeting or a statement that proposals rest on: the berita acara with its attendance, or the SPTJM. To be signed by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from appliance import audit
from appliance.access import Actor, scope
from appliance.casework.day_words import day_in_words, long_day
from appliance.database import db, transaction
from appliance.errors import NotAllowed
from appliance.letters import facts, sheet
from appliance.letters.life import READERS
from appliance.letters.markup_html import Content, Grid
from appliance.letters.office import letterhead
from appliance.letters.pdf import to_pdf
from appliance.letters.placeholders import SAMPLE_TABLES
from appliance.letters.wordings import wording_of
from appliance.models.area import Area
from appliance.models.proposal import Proposal, ProposalBasis
from appliance.models.proposal_words import BasisKind, Decision, ProposalKind
from appliance.proposals.bases import basis_in_scope
from appliance.proposals.kinds import KINDS
from appliance.registry import nik
from appliance.registry.areas import called
from appliance.registry.people_search import lines_of

WORDINGS = {BasisKind.MEETING: "berita-acara-usulan", BasisKind.STATEMENT: "sptjm-usulan"}
_RESULTS = {Decision.AGREED: "Disepakati", Decision.REFUSED: "Tidak disepakati"}


def print_basis(basis_id: str, *, by: Actor, at: datetime) -> bytes:
    """The paper as a PDF, as things stand now. Written to the journal. Raises NotFound, NotAllowed."""
    with transaction():
        basis = basis_in_scope(basis_id, by)
        if not by.has_in(basis.village_code, *sorted(READERS)):
            raise NotAllowed(
                "Surat ini memuat data banyak warga; peran Anda tidak membukanya.", "Minta petugas desa atau Back Office."
            )
        wording, head = wording_of(WORDINGS[BasisKind(basis.kind)]), letterhead()
        proposals = _proposals_of(basis, by)
        values = facts.office_values(head, None, at) | _values(basis, proposals) | {"petugas.nama": by.name}
        page = sheet.to_page(
            sheet.Sheet(wording, head, sheet.Signer(), Content(values, _tables(basis, proposals, at))), sheet.Issue()
        )
        told = {"formulir": wording.code, "warga": [proposal.person_id for proposal in proposals]}
        audit.record("cetak_formulir", f"proposal_basis:{basis_id}", by=by, at=at, detail=told)
    return to_pdf(page)


def _proposals_of(basis: ProposalBasis, by: Actor) -> Sequence[Proposal]:
    mine = sa.select(Proposal).where(Proposal.basis_id == basis.id).order_by(Proposal.number).options(joinedload(Proposal.person))
    return db.session.scalars(scope(mine, Proposal, by)).all()


def _values(basis: ProposalBasis, proposals: Sequence[Proposal]) -> dict[str, str]:
    decisions = [proposal.decision for proposal in proposals]
    village, subdistrict = (db.session.get(Area, code) for code in (basis.village_code, basis.village_code.rpartition(".")[0]))
    return {
        "dasar.nomor": basis.number,
        "dasar.desa": called(village.kind, village.name) if village else "",
        "dasar.kecamatan": subdistrict.name if subdistrict else "",
        "dasar.tanggal": long_day(basis.held_on),
        "dasar.tanggal.huruf": day_in_words(basis.held_on),
        "dasar.tempat": basis.place or "." * 40,
        "dasar.pimpinan": basis.leader or "." * 40,
        "dasar.catatan": basis.note,
        "dasar.jumlah": str(len(proposals)),
        "dasar.disepakati": str(decisions.count(Decision.AGREED)),
        "dasar.ditolak": str(decisions.count(Decision.REFUSED)),
        "dasar.hadir": str(len(basis.attendance)),
    }


def _tables(basis: ProposalBasis, proposals: Sequence[Proposal], at: datetime) -> dict[str, Grid]:
    addresses = [line.address for line in lines_of([proposal.person for proposal in proposals], at)]
    masked: list[tuple[str, ...]] = []
    whole: list[tuple[str, ...]] = []
    for proposal, address in zip(proposals, addresses, strict=True):
        person, kind = proposal.person, KINDS[ProposalKind(proposal.kind)].label
        kk = person.family.kk if person.family else None
        masked.append((person.name, nik.mask(person.nik), address, kind, _result(proposal)))
        whole.append((person.name, nik.spaced(person.nik), nik.spaced(kk), address, kind))
    present: list[tuple[str, ...]] = [(one["name"], one["role"], "") for one in basis.attendance]
    rows: dict[str, list[tuple[str, ...]]] = {"daftar usulan": masked, "daftar usulan lengkap": whole, "peserta hadir": present}
    return {name: Grid(SAMPLE_TABLES[name].headings, tuple(lines), SAMPLE_TABLES[name].empty) for name, lines in rows.items()}


def _result(proposal: Proposal) -> str:
    said = _RESULTS.get(Decision(proposal.decision), "") if proposal.decision else ""
    return f"{said}: {proposal.decision_reason}" if proposal.decision_reason else said
