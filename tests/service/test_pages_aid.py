"""The pages of aid and programmes: the panel, warnings before saving, surveys drawn from their definition, the catalogue."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from flask import Flask

from appliance import database
from appliance.access import Actor
from appliance.config import Settings
from appliance.database import db
from appliance.models.profile import Profile
from appliance.models.programme import Participation, Payment, Programme
from appliance.models.roles import Role
from appliance.registry.participants import PAGE_SIZE
from tests.support.aid import need, pay, programme, seen, survey, take_part
from tests.support.desk import resident
from tests.support.office_page import Page, read_page
from tests.support.staff import HOME, hire
from tests.support.web_client import Web, officer, web_app

CARD, NIK = "7303010101100001", "7303014101800001"


@dataclass
class Desk:
    """One officer at her browser, and the identifiers of what is there already."""

    web: Web
    app: Flask
    head: str
    wife: str
    pkh: str
    fo: Actor

    def page(self, path: str) -> Page:
        answer = self.web.get(path)
        return read_page(path, answer.status_code, answer.text)

    def count(self, table: type) -> int:
        with self.app.app_context():
            found = db.session.query(table).count()
            db.session.remove()
        return found


@pytest.fixture
def desk(settings: Settings) -> Iterator[Desk]:
    app = web_app(settings)
    with app.app_context():
        officer("petugas.bo", Role.BO)
        staff = hire()
        head = resident(staff.fo, "Baharuddin", kk=CARD, relation="1", nik=NIK)
        wife = resident(staff.fo, "Sitti Aminah", kk=CARD, relation="3")
        pkh = take_part(head, "pkh", staff.fo)
        pay(pkh, staff.fo, 750_000)
        seen(wife, staff.fo, decile=3, family=True)
        need(wife, staff.fo)
        database.db.session.remove()
    web = Web(app)
    web.sign_in("petugas.bo")
    yield Desk(web, app, head, wife, pkh, staff.fo)
    with app.app_context():
        database.db.engine.dispose()


def new_participation(desk: Desk, code: str, **typed: object) -> dict[str, object]:
    with desk.app.app_context():
        chosen = programme(code)
        db.session.remove()
    token = re.search(r'name="request_id" value="([^"]+)"', desk.web.get(f"/warga/{desk.wife}/kepesertaan-baru").text)
    assert token
    known = {"programme_id": chosen, "status": "aktif", "source": "kartu", "known_on": "20-11-2026", "request_id": token[1]}
    return {**known, **typed}


def test_one_screen_says_what_the_family_was_helped_with(desk: Desk) -> None:
    """Seen from the wife: the aid of the family, the last payment, the desil with its day, the need."""
    page = desk.page(f"/warga/{desk.wife}")
    for words in ("Program Keluarga Harapan (PKH)", "Rp750.000", "Desil 3", "dilihat 20-11-2026", "Perumahan", "Aktif"):
        assert words in page.text, words
    for link in ("Kepesertaan", "Kebutuhan", "Hasil cek daftar nasional", "Lihat semua dan riwayat", "Regsosek 2022.K, anggota"):
        assert desk.web.get(page.link(link)).status_code == 200, link
    assert NIK not in page.html


def test_a_warning_is_shown_once_and_never_refuses(desk: Desk) -> None:
    typed = new_participation(desk, "blt-desa", note="Dari kepala dusun")
    warned = desk.web.post(f"/warga/{desk.wife}/kepesertaan-baru", typed)
    assert warned.status_code == 422
    assert "BLT Dana Desa dan Program Keluarga Harapan (PKH) bersamaan dalam satu keluarga" in warned.text
    assert "Dari kepala dusun" in warned.text, "what was typed is still there"
    assert desk.count(Participation) == 1
    for _ in range(2):
        stored = desk.web.post(f"/warga/{desk.wife}/kepesertaan-baru", {**typed, "seen": "1"})
        assert (stored.status_code, stored.location) == (303, f"/warga/{desk.wife}/bantuan")
    assert desk.count(Participation) == 2
    assert "1 hal perlu diperiksa" in desk.web.get(f"/warga/{desk.head}").text


def test_without_a_warning_it_is_stored_at_once(desk: Desk) -> None:
    answer = desk.web.post(f"/warga/{desk.wife}/kepesertaan-baru", new_participation(desk, "pip"))
    assert answer.status_code == 303
    assert "Program Indonesia Pintar" in desk.web.get(answer.location).text


def test_problems_stand_beside_their_fields(desk: Desk) -> None:
    typed = new_participation(desk, "pip", status="nonaktif", known_on="31-02-2026", starts="kemarin")
    answer = desk.web.post(f"/warga/{desk.wife}/kepesertaan-baru", typed)
    assert answer.status_code == 422
    assert set(re.findall(r'id="(\w+)-problem"', answer.text)) == {"known_on", "starts"}
    answer = desk.web.post(f"/warga/{desk.wife}/kepesertaan-baru", {**typed, "known_on": "20-11-2026", "starts": ""})
    assert set(re.findall(r'id="(\w+)-problem"', answer.text)) == {"reason"}


def test_a_payment_is_typed_as_people_write_it(desk: Desk) -> None:
    path = f"/kepesertaan/{desk.pkh}"
    wrong = desk.web.post(f"{path}/penyaluran", {"paid_on": "20-11-2026", "form": "tunai", "amount": "banyak"})
    assert (wrong.status_code, "Tulis angka bulat saja" in wrong.text) == (422, True)
    typed = {"paid_on": "20 November 2026", "form": "tunai", "amount": "Rp1.250.000", "request_id": "once"}
    for _ in range(2):
        assert desk.web.post(f"{path}/penyaluran", typed).status_code == 303
    assert "Rp2.000.000" in desk.page(path).text
    struck = desk.page(path).form_with("Coret penyaluran")[0]
    sent = {field.name: field.value for field in struck.fields if field.name != "csrf_token"}
    assert desk.web.post(struck.action, {**sent, "struck_reason": "Salah tanggal"}).status_code == 303
    page = desk.page(path)
    assert ("Dicoret: Salah tanggal" in page.text, "Rp750.000" in page.text) == (True, True)
    assert desk.count(Payment) == 2


def test_who_was_slower_keeps_what_she_typed(desk: Desk) -> None:
    path = f"/kepesertaan/{desk.pkh}/ubah"
    typed = {"status": "graduasi", "source": "opd", "known_on": "20-11-2026", "reason": "Graduasi mandiri", "row_version": "1"}
    assert desk.web.post(path, typed).status_code == 303
    slower = desk.web.post(path, {**typed, "status": "nonaktif", "reason": "Pindah ke Makassar"})
    assert slower.status_code == 409
    assert "Pindah ke Makassar" in slower.text
    assert 'name="row_version" value="2"' in slower.text


def test_a_survey_is_drawn_and_keeps_what_was_typed(desk: Desk) -> None:
    path = f"/warga/{desk.wife}/profil-baru/regsosek-2022k-keluarga"
    page = desk.page(path)
    form, _ = page.form_with("Simpan profil")
    assert [words for _, words in form.field_for("q-307a").options][1:] == [  # type: ignore[union-attr]
        "Listrik PLN dengan meteran",
        "Listrik PLN tanpa meteran",
        "Listrik non-PLN",
        "Bukan listrik",
    ]
    typed = {"version": "1", "surveyed_on": "20-11-2026", "q-303": "8", "q-302": "luas", "q-301b": "1", "note": "Lantai tanah"}
    wrong = desk.web.post(path, typed)
    assert wrong.status_code == 422
    assert set(re.findall(r'id="(q-\w+)-problem"', wrong.text)) == {"q-302", "q-301b"}
    assert all(words in wrong.text for words in ('value="luas"', '<option value="8" selected>Tanah', "Lantai tanah"))
    stored = desk.web.post(path, {**typed, "q-302": "36", "q-301b": ""})
    assert stored.status_code == 303
    shown = desk.page(stored.location)
    assert all(words in shown.text for words in ("303. Jenis lantai terluas", "Tanah", "36 m²", "Lantai tanah"))
    assert desk.count(Profile) == 1


def test_several_answers_of_one_question(desk: Desk) -> None:
    path = f"/warga/{desk.wife}/profil-baru/slrt-18"
    stored = desk.web.post(path, {"version": "1", "surveyed_on": "20-11-2026", "q-10": ["kk", "ktp"], "opinion": "miskin"})
    shown = desk.page(stored.location).text
    assert ("KTP, Kartu Keluarga" in shown, "Miskin" in shown) == (True, True)
    assert "Miskin" in desk.page(f"/warga/{desk.head}").text


def test_a_look_into_a_list_and_a_need_find_their_way(desk: Desk) -> None:
    page = desk.page(f"/warga/{desk.wife}/status-data-baru")
    form, _ = page.form_with("Simpan hasil cek")
    lists = {words: value for value, words in form.field_for("list_id").options}  # type: ignore[union-attr]
    assert set(lists) == {"Pilih …", "DTSEN", "Cek Bansos"}
    typed = {"list_id": lists["Cek Bansos"], "listed": "tidak", "checked_on": "20-11-2026", "family": "tidak", "decile": "4"}
    assert 'id="decile-problem"' in desk.web.post(page.address, typed).text
    assert desk.web.post(page.address, {**typed, "decile": ""}).status_code == 303
    answer = desk.web.post(
        f"/warga/{desk.wife}/kebutuhan-baru",
        {"sector": "pangan", "priority": "mendesak", "reason": "Tidak ada beras", "noted_on": "20-11-2026", "family": "ya"},
    )
    page = desk.page(answer.location)
    assert ("Cek Bansos" in page.text, "Tidak ada beras" in page.text) == (True, True)
    need_page = desk.page(page.link("Pangan"))
    close, _ = need_page.form_with("Tutup kebutuhan")
    assert desk.web.post(close.action, {"row_version": "1", "outcome": ""}).status_code == 422
    assert desk.web.post(close.action, {"row_version": "1", "outcome": "terpenuhi"}).status_code == 303
    assert "Terpenuhi" in desk.page(need_page.address).text


def test_the_catalogue_is_edited(desk: Desk) -> None:
    typed = {
        "code": "bansos-air",
        "name": "Bantuan air",
        "level": "kabkota",
        "sector": "perumahan",
        "target": "keluarga",
        "active": "1",
    }
    desk.web.get("/program/baru")
    assert desk.web.post("/program/baru", {**typed, "code": "pkh"}).status_code == 422
    made = desk.web.post("/program/baru", typed)
    assert made.status_code == 303
    edit = f"{made.location}/ubah"
    assert desk.web.post(edit, {**typed, "name": "Air bersih", "row_version": "1", "max_decile": "sebelas"}).status_code == 422
    assert desk.web.post(edit, {**typed, "name": "Air bersih", "row_version": "1", "max_decile": "4"}).status_code == 303
    late = desk.web.post(edit, {**typed, "name": "Air minum", "row_version": "1"})
    assert (late.status_code, "Air minum" in late.text, "Sekarang tersimpan: Air bersih" in late.text) == (409, True, True)
    assert "Air bersih" in desk.web.get("/program").text
    assert desk.count(Programme) > 30


def test_a_rule_and_a_list_are_edited(desk: Desk) -> None:
    page = desk.page("/program/aturan/baru")
    assert (
        desk.web.post(page.address, {"kind": "terlalu_banyak", "within": "keluarga", "active": "1", "most": "0"}).status_code
        == 422
    )
    typed = {
        "kind": "terlalu_banyak",
        "within": "keluarga",
        "active": "1",
        "most": "1",
        "request_id": "r",
        "advice": "Bagi rata.",
    }
    take_one_more = new_participation(desk, "sembako")
    assert desk.web.post(page.address, typed).status_code == 303
    assert "Bagi rata." in desk.web.post(f"/warga/{desk.wife}/kepesertaan-baru", take_one_more).text
    lists = desk.page("/program/daftar-nasional")
    form, _ = lists.form_with("Simpan DTSEN")
    assert (
        desk.web.post(form.action, {"name": "DTSEN 2027", "has_decile": "1", "active": "1", "row_version": "1"}).status_code
        == 303
    )
    assert "DTSEN 2027" in desk.web.get(f"/warga/{desk.wife}").text


def test_participants_follow_page_after_page_and_the_address_tells_no_name(desk: Desk) -> None:
    with desk.app.app_context():
        for number in range(PAGE_SIZE):
            take_part(resident(desk.fo, f"Warga {number:02d}"), "pkh", desk.fo)
        pkh = programme("pkh")
        db.session.remove()
    first = desk.page(f"/program/{pkh}?desa={HOME}&status=aktif")
    assert "Baharuddin" in first.text
    assert NIK[6:] not in first.html
    following = first.link("Berikutnya")
    assert "warga" not in following.replace("/warga", "").lower()
    second = desk.page(following)
    assert f"Warga {PAGE_SIZE - 1:02d}" in second.text
    assert "Baharuddin" not in second.text


def test_a_survey_about_health_is_not_offered_to_the_counter(desk: Desk) -> None:
    with desk.app.app_context():
        officer("petugas.fo", Role.FO)
        filled = survey(desk.wife, desk.fo, answers={"404": ["1"]})
        db.session.remove()
    web = Web(desk.app)
    web.sign_in("petugas.fo")
    assert "HIV/AIDS" not in web.get(f"/warga/{desk.wife}/profil-baru/regsosek-2022k-anggota").text
    assert "HIV/AIDS" in desk.web.get(f"/warga/{desk.wife}/profil-baru/regsosek-2022k-anggota").text
    assert web.get(f"/profil/{filled}").status_code == 200
