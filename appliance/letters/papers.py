"""Papers as they come out of the printer: the one PDF of an issued letter, previews, and forms about a case.

An issued letter's paper is made once and kept by its hash; every copy is that one, to the byte.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from appliance import audit
from appliance.access import Actor, scope
from appliance.database import db, transaction
from appliance.errors import Conflict, InvalidInput, NotAllowed, NotFound
from appliance.letters import facts, sheet
from appliance.letters.life import READERS, LetterState
from appliance.letters.lookup import is_outsider, issue_of, letter_in_scope, sheet_of
from appliance.letters.markup import filled
from appliance.letters.markup_html import Content
from appliance.letters.office import letterhead
from appliance.letters.pdf import to_pdf
from appliance.letters.placeholders import PAPER, SAMPLE_TABLES, examples_for, tables_of
from appliance.letters.wording import Wording, problems_of
from appliance.letters.wordings import list_wordings, wording_of
from appliance.models.case import Case
from appliance.models.letter import Letter
from appliance.registry.file_store import content_path, put_content

_EXAMPLE = sheet.Signer("Dra. Hj. Nurhayati, M.Si.", "Kepala Dinas Sosial", "Pembina Utama Muda", "197001011995032001")


@dataclass(frozen=True)
class PaperFile:
    """A stored paper to send; the name tells neither person nor number of a card."""

    path: Path
    media: str
    name: str


def ensure_paper(letter_id: str) -> str:
    """The hash of an issued letter's paper, made now if there is none yet. Of two that make it at once, one counts."""
    letter = db.session.get(Letter, letter_id)
    if letter is None or letter.frozen is None or letter.number is None:
        raise NotFound("Surat ini belum diterbitkan.", "Terbitkan dahulu, lalu cetak.")
    if letter.pdf:
        return letter.pdf
    page = sheet.to_page(sheet.thaw(letter.frozen), issue_of(letter))
    db.session.rollback()  # nothing is held while the paper is made
    made = put_content(to_pdf(page))
    with transaction() as session:
        # Not by the row's version: the paper is no change that a form must know of.
        session.execute(sa.update(Letter).where(Letter.id == letter_id, Letter.pdf == "").values(pdf=made))
        kept = session.scalar(sa.select(Letter.pdf).where(Letter.id == letter_id))
    return kept or made


def print_letter(letter_id: str, *, by: Actor, at: datetime) -> PaperFile:
    """The paper of an issued letter. Counted, and written to the journal. Raises NotFound, NotAllowed, Conflict."""
    _readable(letter_id, by)
    sha256 = ensure_paper(letter_id)
    with transaction() as session:
        letter = _readable(letter_id, by)
        if letter.state == LetterState.CANCELLED:
            raise Conflict("Surat ini sudah dibatalkan dan tidak dicetak lagi.", "Buat surat baru bila masih diperlukan.")
        session.execute(sa.update(Letter).where(Letter.id == letter_id).values(prints=Letter.prints + 1))
        audit.record("cetak_surat", f"letter:{letter_id}", by=by, at=at, detail={"warga": letter.person_id})
    return PaperFile(content_path(sha256), "application/pdf", f"surat-{letter_id[-8:]}.pdf")


def open_scan(letter_id: str, *, by: Actor, at: datetime) -> PaperFile:
    """The scan of the signed paper. Written to the journal. Raises NotFound, NotAllowed."""
    with transaction():
        letter = _readable(letter_id, by)
        if not letter.scan or (letter.state == LetterState.CANCELLED and is_outsider(letter, by)):
            raise NotFound("Pindaian surat ini belum dilampirkan.", "Lampirkan dahulu dari halaman surat.")
        audit.record("lihat_pindaian", f"letter:{letter_id}", by=by, at=at, detail={"warga": letter.person_id})
        ending = "pdf" if letter.scan_media == "application/pdf" else "jpg"
        return PaperFile(content_path(letter.scan), letter.scan_media, f"pindaian-{letter_id[-8:]}.{ending}")


def preview_letter(letter_id: str, *, by: Actor, at: datetime) -> bytes:
    """The paper as it would become, marked as a draft. Written to the journal. Raises NotFound, NotAllowed."""
    with transaction():
        letter = _readable(letter_id, by)
        page = sheet.to_page(sheet_of(letter, by=by, at=at), issue_of(letter), "DRAF")
        audit.record("pratinjau_surat", f"letter:{letter_id}", by=by, at=at, detail={"warga": letter.person_id})
    return to_pdf(page)


def preview_wording(wording: Wording) -> bytes:
    """A wording with invented data. Raises InvalidInput for a wrong one."""
    problems = problems_of(wording)
    if problems:
        raise InvalidInput(problems)
    values = examples_for(wording.kind) | {f"isian.{question.code}": question.label for question in wording.questions}
    content = Content(values, {name: SAMPLE_TABLES[name] for name in tables_of(wording.kind)})
    addressee = filled(wording.addressee, values)
    page = sheet.to_page(sheet.Sheet(wording, letterhead(), _EXAMPLE, content, addressee), sheet.Issue(), "CONTOH")
    return to_pdf(page)


def forms() -> tuple[Wording, ...]:
    """The papers that are printed about a case without a number."""
    return tuple(wording for wording in list_wordings() if wording.kind == PAPER and wording.active)


def print_form(case_id: str, code: str, *, by: Actor, at: datetime) -> bytes:
    """A form filled with what is known of a case. Written to the journal. Raises NotFound, NotAllowed."""
    wording = wording_of(code)
    if wording.kind != PAPER:
        raise NotFound("Formulir itu tidak ada.", "Pilih dari daftar di halaman kasus.")
    with transaction():
        case = db.session.scalar(scope(sa.select(Case).where(Case.id == case_id), Case, by))
        if case is None:
            raise NotFound("Kasus tidak ditemukan.", "Cari lagi dengan nomor kasus atau nama pemohon.")
        _require_reader(by, case.village_code)
        about = facts.About(case, wording.kind, letterhead(), by.name)
        page = sheet.to_page(sheet.Sheet(wording, about.head, sheet.Signer(), facts.gather(about, by=by, at=at)), sheet.Issue())
        audit.record("cetak_formulir", f"case:{case_id}", by=by, at=at, detail={"formulir": code, "warga": case.applicant_id})
    return to_pdf(page)


def _readable(letter_id: str, by: Actor) -> Letter:
    letter = letter_in_scope(letter_id, by)
    if not is_outsider(letter, by):
        _require_reader(by, letter.area_code)
    return letter


def _require_reader(by: Actor, area_code: str) -> None:
    if not by.has_in(area_code, *sorted(READERS)):
        raise NotAllowed("Surat memuat NIK lengkap; peran Anda tidak membukanya.", "Minta petugas yang menangani kasus ini.")
