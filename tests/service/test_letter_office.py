"""What the office makes its own, the check of a paper by anybody, slips, and the pages a letter goes through."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from zipfile import ZipFile

import pytest
import sqlalchemy as sa
from flask import Flask
from PIL import Image

from appliance import audit, database
from appliance.accounts import TooManyAttempts
from appliance.config import Settings
from appliance.database import db
from appliance.errors import Conflict, InvalidInput, NotAllowed, NotFound
from appliance.letters import book, check, letters, office, papers, register_file, slips, wordings
from appliance.letters.check import half_hidden
from appliance.letters.pdf import to_pdf
from appliance.letters.wording import Wording, from_data, to_data
from appliance.models.audit import AuditEntry
from appliance.models.letter import LetterWording
from appliance.models.roles import Role
from tests.support.desk import open_case, resident
from tests.support.letters import PURPOSE, issued, row, signers, version
from tests.support.staff import AT, Staff, hire
from tests.support.web_client import Web, officer, web_app


def _changed(code: str, **changes: object) -> Wording:
    known = wordings.wording_of(code)
    return from_data(code, known.version, to_data(known) | changes)


def test_a_wording_is_kept_version_by_version(staff: Staff) -> None:
    first = wordings.save_wording(_changed("sktm", title="Keterangan"), by=staff.admin, at=AT)
    second = wordings.save_wording(_changed("sktm", title="Keterangan Lain"), by=staff.manager, at=AT)
    assert (first.version, second.version, wordings.wording_of("sktm").title) == (1, 2, "Keterangan Lain")
    kept = db.session.scalars(sa.select(LetterWording.content).order_by(LetterWording.version))
    assert [content["title"] for content in kept] == ["Keterangan", "Keterangan Lain"]
    with pytest.raises(Conflict):
        wordings.save_wording(first, by=staff.admin, at=AT)
    with pytest.raises(NotAllowed):
        wordings.save_wording(second, by=staff.bo, at=AT)
    assert {one.code: one for one in wordings.list_wordings()}["sktm"] == second


def test_a_stored_wording_cannot_be_rewritten(staff: Staff) -> None:
    wordings.save_wording(_changed("sktm"), by=staff.admin, at=AT)
    with pytest.raises(sa.exc.DatabaseError), database.transaction() as session:
        session.execute(sa.update(LetterWording).values(version=9))


def test_a_wrong_wording_is_refused_with_line_and_reason(staff: Staff) -> None:
    wrong = _changed("sktm", body="Baik\n{pelapor.nama}", pattern="{n}", series="UMUM!", title="")
    with pytest.raises(InvalidInput) as refused:
        wordings.save_wording(wrong, by=staff.admin, at=AT)
    assert set(refused.value.problems) == {"body", "pattern", "series", "title"}
    assert "Baris 2: Isian {pelapor.nama}" in refused.value.problems["body"]


def test_a_document_stays_what_it_is_for(staff: Staff) -> None:
    """What a referral's letter may show is decided by its kind."""
    with pytest.raises(InvalidInput) as refused:
        wordings.save_wording(_changed("surat-rujukan", kind="surat", body="{warga.nik}"), by=staff.admin, at=AT)
    assert set(refused.value.problems) >= {"kind"}


def test_two_series_cannot_write_the_same_numbers(staff: Staff) -> None:
    with pytest.raises(InvalidInput) as refused:
        wordings.save_wording(_changed("penolakan", series="lain"), by=staff.admin, at=AT)
    assert set(refused.value.problems) == {"series"}
    wordings.save_wording(_changed("penolakan", series="lain", pattern="P/{n}/{tahun}"), by=staff.admin, at=AT)


def test_a_document_of_the_office_takes_no_code_of_another(staff: Staff) -> None:
    own = from_data("rekomendasi-modal", 0, to_data(wordings.wording_of("sktm")))
    assert wordings.add_wording(own, by=staff.admin, at=AT).version == 1
    for code in ("rekomendasi-modal", "penolakan"):
        with pytest.raises(InvalidInput) as refused:
            wordings.add_wording(from_data(code, 0, to_data(own)), by=staff.admin, at=AT)
        assert set(refused.value.problems) == {"code"}


def _picture() -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (40, 40), "green").save(made, "PNG")
    return made.getvalue()


def test_the_letterhead_with_its_logos(staff: Staff) -> None:
    usual = office.letterhead()
    assert (usual.government, usual.place, usual.version) == ("Pemerintah Kabupaten Bantaeng", "Bantaeng", 0)
    own = office.Head("Pemerintah Kabupaten Bantaeng", "Dinas Sosial", "Bantaeng", check_address="https://slrt.local")
    office.save_letterhead(own, {"logo_left": _picture(), "logo_right": b""}, by=staff.admin, at=AT)
    stored = office.letterhead()
    assert (stored.version, bool(stored.logo_left), stored.logo_right) == (1, True, "")
    with pytest.raises(Conflict):
        office.save_letterhead(own, {}, by=staff.admin, at=AT)
    with pytest.raises(InvalidInput):
        office.save_letterhead(stored, {"logo_left": b"%PDF-1.4"}, by=staff.admin, at=AT)
    assert papers.preview_wording(wordings.wording_of("sktm")).startswith(b"%PDF-")


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"name": " "}, "name"),
        ({"position": ""}, "position"),
        ({"nip": "123"}, "nip"),
        ({"by_order": "Sekretaris Daerah"}, "by_order"),
        ({"rank": "x" * 161}, "rank"),
    ],
)
def test_a_wrong_official(staff: Staff, changes: dict[str, str], wrong: str) -> None:
    fields = {"name": "Nurhayati", "position": "Kepala Dinas", **changes}
    with pytest.raises(InvalidInput) as refused:
        office.save_signatory(None, office.SignatoryFields(**fields), by=staff.admin, at=AT)
    assert set(refused.value.problems) == {wrong}


def test_a_paper_fetches_nothing(tmp_path: object) -> None:
    """Neither a file of the server nor an address gets into a paper, whatever stands in it."""
    plain = to_pdf("<p>x</p>")
    for source in ("file:///etc/passwd", "http://127.0.0.1:1/x.css", "//127.0.0.1/x"):
        made = to_pdf(
            f'<link rel="stylesheet" href="{source}"><link rel="attachment" href="{source}"><img src="{source}"><p>x</p>'
        )
        assert b"EmbeddedFile" not in made
        assert abs(len(made) - len(plain)) < 200


def test_anybody_may_check_a_paper_and_learns_little(staff: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    signer = signers(staff)
    case = open_case(staff.fo, resident(staff.fo, "Sitti Aminah", nik="7303014101800001"))
    letter = issued(staff, signer, case)
    code = row(letter).check_code or ""
    told = check.check_letter(f"{code[:4]}-{code[4:].lower()}", asker="10.0.0.9", at=AT)
    assert (told.number, told.person, told.state) == ("400.9.14/001/SLRT/XI/2026", "Si*** Am****", "TERBIT")
    assert "7303014101800001" not in str(told)
    assert PURPOSE not in str(told)
    assert check.check_letter(code, asker="10.0.0.9", at=AT + timedelta(days=31)).state == "KEDALUWARSA"
    letters.cancel_letter(letter, reason="Salah nama", row_version=version(letter), by=signer.head, at=AT)
    assert check.check_letter(code, asker="10.0.0.9", at=AT).state == "BATAL"
    assert audit.verify().ok
    assert [trace.who for trace in book.look_at_letter(letter, by=staff.bo, at=AT).trail].count("Pemeriksa surat") == 3
    monkeypatch.setattr(book, "MOST_TRAIL", 12)  # so many checks as there may be lines must hide nothing
    monkeypatch.setattr(book, "MOST_CHECKS", 4)
    for day in range(12):
        check.check_letter(code, asker="10.0.0.9", at=AT + timedelta(days=day))
    trail = [trace.what for trace in book.look_at_letter(letter, by=staff.bo, at=AT).trail]
    assert trail.count("Diperiksa lewat kode QR") == book.MOST_CHECKS
    assert (trail[0], "Diterbitkan" in trail, "Dibatalkan" in trail) == ("Konsep dibuat", True, True)


def test_checks_without_end_fill_no_journal_and_are_all_counted(staff: Staff) -> None:
    letter = issued(staff, signers(staff), open_case(staff.fo))
    held, code = row(letter).row_version, row(letter).check_code or ""
    for _ in range(21):
        check.check_letter(code, asker="10.0.0.9", at=AT)
    checks = sa.select(AuditEntry.detail).where(AuditEntry.action == "periksa_surat").order_by(AuditEntry.position)
    assert [json.loads(detail)["kali"] for detail in db.session.scalars(checks)] == [1, 2, 4, 8, 16]
    assert "16 kali pada hari itu" in [trace.note for trace in book.look_at_letter(letter, by=staff.bo, at=AT).trail]
    check.check_letter(code, asker="10.0.0.9", at=AT + timedelta(days=1))
    last = json.loads(list(db.session.scalars(checks))[-1])
    assert last == {"kali": 1, "sebelumnya": {"hari": "2026-11-20", "kali": 21}}
    assert row(letter).row_version == held


def test_whoever_guesses_codes_is_slowed_down_alone(staff: Staff) -> None:
    for seconds in range(3):
        with pytest.raises(NotFound):
            check.check_letter("AAAABBBBCCCCDDDD", asker="10.0.0.7", at=AT + timedelta(seconds=3 * seconds))
    with pytest.raises(TooManyAttempts, match="kode"):
        check.check_letter("AAAABBBBCCCCDDDD", asker="10.0.0.7", at=AT + timedelta(seconds=6))
    with pytest.raises(NotFound):
        check.check_letter("AAAABBBBCCCCDDDD", asker="10.0.0.8", at=AT + timedelta(seconds=6))
    with pytest.raises(NotFound):
        check.check_letter("x", asker="10.0.0.7", at=AT + check.FORGIVEN + timedelta(seconds=6))


@pytest.mark.parametrize(
    ("name", "shown"), [("Sitti Aminah", "Si*** Am****"), ("Bo", "B***"), ("", ""), ("M. Ali A", "M*** A*** ***")]
)
def test_half_a_name(name: str, shown: str) -> None:
    assert half_hidden(name) == shown


def test_the_slip_says_the_number_and_no_complaint(staff: Staff) -> None:
    case = open_case(staff.fo, description="Rahasia rumah tangga")
    slip = slips.print_slip(case, by=staff.fo, at=AT)
    assert (slip.number, slip.service, slip.due) == ("SLRT-7303-202611-00001", "Bantuan biaya perawatan", "25 November 2026")
    assert "Rahasia" not in str(slip)
    with pytest.raises(NotFound):
        slips.print_slip(case, by=staff.stranger, at=AT)
    secret = open_case(staff.fo, confidential=True)
    assert slips.print_slip(secret, by=staff.fo, at=AT).service == "", "others find the slip at home"


def test_the_register_as_a_spreadsheet(staff: Staff) -> None:
    letter = issued(staff, signers(staff))
    lines = book.register_part(book.LetterFilter(), by=staff.bo, at=AT).letters
    with ZipFile(io.BytesIO(register_file.to_workbook(lines, [("Baris", "1")]))) as opened:
        text = b"".join(opened.read(name) for name in opened.namelist() if name.endswith(".xml")).decode()
    assert (row(letter).number or "?") in text
    assert book.register_part(book.LetterFilter(), by=staff.stranger, at=AT) == book.RegisterPart((), "")


@pytest.fixture
def pages(settings: Settings) -> Iterator[Flask]:
    app = web_app(settings)
    yield app
    with app.app_context():
        database.db.engine.dispose()


def test_a_letter_goes_through_its_pages(pages: Flask) -> None:
    with pages.app_context():
        staff = hire()
        signer = signers(staff)
        case = open_case(staff.fo)
        for name, role in (("bo", Role.BO), ("manajer", Role.MANAJER), ("kadis", Role.PENANDATANGAN)):
            officer(name, role)
        db.session.remove()
    webs = {name: Web(pages) for name in ("bo", "manajer", "kadis")}
    for name, web in webs.items():
        assert web.sign_in(name).status_code == 303
    bo = webs["bo"]
    assert "Buat surat" in bo.get(f"/kasus/{case}").text
    form = bo.get(f"/kasus/{case}/surat-baru?naskah=sktm").text
    token = re.search(r'name="request_id" value="([^"]+)"', form)
    typed = {"wording": "sktm", "request_id": token[1] if token else "", "signatory_id": signer.signatory_id}
    refused = bo.post(f"/kasus/{case}/surat-baru", typed)
    assert (refused.status_code, "Pilih keperluan surat." in refused.text) == (422, True)
    made = bo.post(f"/kasus/{case}/surat-baru", {**typed, "purpose": PURPOSE})
    address = made.headers["Location"]
    assert bo.get(f"{address}/pratinjau.pdf").data.startswith(b"%PDF-")
    for name, step in (("manajer", "paraf"), ("kadis", "setujui"), ("bo", "terbitkan")):
        page = webs[name].get(address).text
        seen = re.search(r'name="row_version" value="(\d+)"', page)
        done = webs[name].post(f"{address}/langkah/{step}", {"row_version": seen[1] if seen else "0"})
        assert done.status_code == 303, (name, step, done.text)
    page = bo.get(address).text
    assert "400.9.14/001/SLRT/" in page
    paper = bo.get(f"{address}/surat.pdf")
    assert (paper.mimetype, paper.data) == ("application/pdf", bo.get(f"{address}/surat.pdf").data)
    code = re.search(r"[2-9A-Z]{4}(-[2-9A-Z]{4}){3}", page)
    stranger = Web(pages)
    asked = stranger.get("/periksa")
    assert "7303" not in asked.text
    found = stranger.post("/periksa", {"code": code[0].lower() if code else ""})
    told = stranger.get(found.headers["Location"])
    assert (told.status_code, "MASIH BERLAKU" in told.text, "Aminah" in told.text) == (200, True, False)
    assert stranger.get(address).status_code == 303
