"""The pages around a case's steps, as a browser sends them: checklist, photos, visits, delegates, a new linked case."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

import pytest
from flask import Flask
from werkzeug.datastructures import MultiDict

from appliance import database
from appliance.casework import casebook
from appliance.config import Settings
from appliance.models.roles import Role
from appliance.models.states import VisitState
from tests.support.desk import open_case, resident, service
from tests.support.office_page import Page, read_page
from tests.support.pictures import photo
from tests.support.staff import AT, HOME, Staff, hire
from tests.support.web_client import Web, officer, web_app

OFFICERS = {"bo": Role.BO, "spv": Role.SUPERVISOR, "fas": Role.FASILITATOR, "mgr": Role.MANAJER, "fo": Role.FO}


@pytest.fixture
def pages(settings: Settings) -> Iterator[Flask]:
    app = web_app(settings)
    yield app
    with app.app_context():
        database.db.engine.dispose()


@pytest.fixture
def staff(pages: Flask) -> Staff:
    with pages.app_context():
        for name, role in OFFICERS.items():
            officer(f"petugas.{name}", role, areas=(HOME,))
        staff = hire()
        database.db.session.remove()
        return staff


class Desk:
    """One officer at the page of one case."""

    def __init__(self, pages: Flask, name: str, case: str) -> None:
        self.web, self.address = Web(pages), f"/kasus/{case}"
        assert self.web.sign_in(f"petugas.{name}").status_code == 303

    def page(self, query: str = "") -> Page:
        answer = self.web.get(f"{self.address}{query}")
        return read_page(self.address, answer.status_code, answer.text)

    def press(self, words: str, query: str = "", status: int = 303, **answers: object) -> str:
        """Fill the form with the button `words` and send it; the text of the answer. A list is sent as it is."""
        page = self.page(query)
        form, button = page.form_with(words)
        typed = {name: value for name, value in answers.items() if isinstance(value, str)}
        sent: dict[str, object] = {name: value for name, value in form.filled(typed, button) if name != "csrf_token"}
        sent |= {name: value for name, value in answers.items() if not isinstance(value, str)}
        answer = self.web.post(form.action, sent)
        assert answer.status_code == status, answer.text
        return answer.text


def test_the_checklist_and_the_step_back_with_what_is_missing(pages: Flask, staff: Staff) -> None:
    with pages.app_context():
        case = open_case(staff.fo, service_type_id=service("kartu-bantuan"))
        database.db.session.remove()
    bo = Desk(pages, "bo", case)
    bo.press("Ambil untuk diverifikasi")
    assert "Sahkan belum dapat: Masih ada berkas" in bo.page().text
    told = bo.press("Simpan pemeriksaan", status=422, **{"state-0": "Perlu ganti", "state-1": "Sah"})
    assert "belum ada berkasnya" in told or "tulis mengapa" in told
    bo.press("Simpan pemeriksaan", **{"state-1": "Sah"})
    assert re.search(r"Kartu Keluarga\s+Sah", bo.page().text)
    step = "?langkah=kembalikan"
    refused = bo.press("Kembalikan untuk diperbaiki", step, 422, note="Lengkapi", return_reasons=["berkas_kurang"])
    assert "Pilih berkas mana yang kurang." in refused
    assert 'value="berkas_kurang" checked' in refused
    bo.press("Kembalikan untuk diperbaiki", step, note="Lengkapi", return_reasons=["berkas_kurang", "lain"], missing_papers=["0"])
    text = bo.page().text
    assert "Mengapa dikembalikan: Berkas kurang; Alasan lain" in text
    assert "Berkas yang harus dilengkapi: KTP" in text


def test_a_paper_is_brought_shown_and_taken_away_again(pages: Flask, staff: Staff) -> None:
    with pages.app_context():
        case = open_case(staff.fo)
        database.db.session.remove()
    fo = Desk(pages, "fo", case)
    form = read_page("", 200, fo.web.get(f"{fo.address}/berkas").text)
    assert [words for _, words in form.form_with("Simpan berkas")[0].field_for("requirement").options] == [  # type: ignore[union-attr]
        "Berkas lain", "KTP", "Kartu Keluarga", "SKTM", "Surat rawat inap kelas III",
    ]  # fmt: skip
    wrong = fo.web.post(f"{fo.address}/berkas", {"requirement": "KTP", "file": (io.BytesIO(b"GIF89a"), "ktp.jpg")})
    assert (wrong.status_code, "bukan foto JPEG, PNG, atau PDF" in wrong.text) == (422, True)
    files = [(io.BytesIO(photo(colour)), "7303014101800001.jpg") for colour in ("peru", "navy")]
    assert fo.web.post(f"{fo.address}/berkas", {"requirement": "KTP", "file": files}).status_code == 303
    links = re.findall(r'src="(/berkas-kasus/[^"]+/kecil)"', fo.page().html)
    assert len(links) == 2
    small = fo.web.get(links[0])
    assert (small.mimetype, "sandbox" in small.headers["Content-Security-Policy"]) == ("image/jpeg", True)
    whole = fo.web.get(links[0].removesuffix("/kecil"))
    assert "7303014101800001" not in str(whole.headers)
    assert "Menunggu diperiksa" in fo.page().text
    fo.press("Hapus")
    assert len(re.findall("/kecil", fo.page().html)) == 1


def test_a_visit_from_the_plan_to_the_signed_sheet(pages: Flask, staff: Staff) -> None:
    with pages.app_context():
        case = open_case(staff.facilitator, service_type_id=service("rumah"), channel="lapangan", received_at=AT)
        database.db.session.remove()
    spv, fas = Desk(pages, "spv", case), Desk(pages, "fas", case)
    spv.press("Ambil untuk diverifikasi")
    spv.press("Jadwalkan kunjungan", "?langkah=jadwalkan_kunjungan", visitor="Petugas.Fas", planned_date="1 Januari 2099")
    listed = read_page("", 200, fas.web.get("/kunjungan").text)
    assert "01-01-2099" in listed.text
    blank = fas.web.get(listed.link("Lembar")).text
    assert ("Tidak bertemu" in blank, "Ketua RT/RW" in blank) == (True, True)
    photos = [(io.BytesIO(photo()), "rumah.jpg")]
    fas.press(
        "Isi hasil kunjungan", visit_result="Sesuai", visit_date="20-11-2026", note="Atap roboh", witness="H. Baso", photos=photos
    )
    assert "Hasil yang menunggu pemeriksaan Anda" in spv.web.get("/kunjungan").text
    sheet = spv.web.get(listed.link("Lembar")).text
    assert ("Atap roboh" in sheet, "<u>H. Baso</u>" in sheet, "/berkas-kasus/" in sheet) == (True, True, True)
    spv.press("Sahkan hasil kunjungan")
    with pages.app_context():
        (visit,) = casebook.look_at_case(case, by=staff.supervisor, at=AT).visits
        assert visit.state is VisitState.CONFIRMED
        database.db.session.remove()


def test_the_manager_hands_her_decisions_over_and_takes_them_back(pages: Flask, staff: Staff) -> None:
    web = Web(pages)
    web.sign_in("petugas.mgr")
    page = read_page("", 200, web.get("/pendelegasian").text)
    form, _ = page.form_with("Simpan pendelegasian")
    (_, (supervisor, _)) = form.field_for("account_id").options  # type: ignore[union-attr]
    wrong = web.post("/pendelegasian", {"account_id": supervisor, "starts": "kapan", "ends": "2-1-2099", "document": "ND 1"})
    assert (wrong.status_code, "Isi hari pertama" in wrong.text, 'value="kapan"' in wrong.text) == (422, True, True)
    given = {"account_id": supervisor, "starts": "1-1-2099", "ends": "2-1-2099", "document": "ND 1"}
    assert web.post("/pendelegasian", given).status_code == 303
    page = read_page("", 200, web.get("/pendelegasian").text)
    assert "Belum mulai" in page.text
    form, _ = page.form_with("Akhiri")
    version = next(field.value for field in form.fields if field.name == "row_version")
    assert web.post(form.action, {"row_version": version}).status_code == 303
    assert "Diakhiri" in web.get("/pendelegasian").text


def test_an_ended_case_leads_to_a_new_linked_one(pages: Flask, staff: Staff) -> None:
    with pages.app_context():
        person = resident(staff.fo)
        case = open_case(staff.fo, person, service_type_id=service("informasi"))
        database.db.session.remove()
    fo = Desk(pages, "fo", case)
    fo.press("Selesaikan langsung", outcome="Informasi", outcome_note="Dijelaskan", citizen_note="Syarat PKH")
    form = read_page("", 200, fo.web.get(fo.page().link("Buka kasus baru yang terkait")).text)
    (found, button) = form.form_with("Buka kasus")
    answers = {"kind": "Pertanyaan", "description": "Lagi", "informed": "ya"}
    with pages.app_context():
        answers["service_type_id"] = service("informasi")
    sent = dict(found.filled(answers, button))
    del sent["csrf_token"]
    opened = fo.web.post(f"/warga/{person}/kasus-baru", dict(sent))
    assert opened.status_code == 303, opened.text
    assert "Lanjutan dari" in fo.web.get(opened.location).text


def test_the_counter_solves_a_simple_case_with_five_answers_after_the_search(pages: Flask, staff: Staff) -> None:
    """From the card to the slip: search, service, description, read out, result, what was told: six inputs of the twelve allowed."""
    with pages.app_context():
        officer("fo.cepat", Role.FO)
        resident(staff.fo, "Hasnah Daeng Kanang")
        choice = service("informasi")
        database.db.session.remove()
    web = Web(pages)
    web.sign_in("fo.cepat")
    web.get("/antrean")
    web.post("/antrean/kartu", {"request_id": "k", "card": "merah", "groups": "hamil"})
    web.post("/antrean/panggil", {"loket": "1"})
    found = web.get(web.post("/warga/cari", {"q": "Hasnah Kanang"}).location)
    person = web.get(read_page("", 200, found.text).link("Hasnah Daeng Kanang"))
    page = read_page("", 200, web.get(read_page("", 200, person.text).link("Buka kasus baru")).text)
    answers = {
        "service_type_id": choice,
        "description": "Bertanya syarat PKH",
        "informed": "ya",
        "outcome": "informasi",
        "citizen_note": "Syaratnya dijelaskan",
    }
    form, button = page.form_with("Buka kasus")
    sent = MultiDict((name, value) for name, value in form.filled(answers, button) if name != "csrf_token")
    assert sent["vulnerable_groups"] == "hamil"
    opened = web.post(form.action, sent)  # type: ignore[arg-type]
    assert opened.status_code == 303, opened.text
    with pages.app_context():
        case = casebook.look_at_case(opened.location.rpartition("/")[2], by=staff.bo, at=AT)
        assert (case.line.state, case.kind, case.channel) == ("SELESAI", "pertanyaan", "kantor")
        assert [event.action for event in case.events] == ["kirim", "selesaikan_langsung"]
        assert case.events[-1].citizen_note == "Syaratnya dijelaskan"
        assert case.vulnerable_groups == ("hamil",)
    assert case.line.number in web.get("/antrean").text
