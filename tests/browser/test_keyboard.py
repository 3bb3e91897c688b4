"""The keyboard alone: each task of the office from signing in to the visit, always with a visible focus and never in a trap."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from playwright.sync_api import Page, expect

from appliance.casework import cases, catalogue
from appliance.letters import office
from appliance.registry import people
from tests.support import journey
from tests.support.browser import PASSWORD, Desks, Node
from tests.support.journey import Staff
from tests.support.keyboard import Keyboard

RESIDENT = "Hj. Sitti Nurhaedah Daeng Baji"


def _register(node: Node, staff: Staff, nik: str, village: str = journey.VILLAGE) -> str:
    person = people.NewPerson(RESIDENT, "P", village, nik=nik, address="Jl. Kartini 12")
    found: str = node.run(
        lambda: people.register_person(person, request_id=f"key {nik}", by=node.actor(staff.fo), at=datetime.now(UTC))
    )
    return found


def _go_to(page: Page, number: str) -> Keyboard:
    keys = Keyboard(page)
    keys.type("q", number)
    keys.enter()
    page.get_by_role("heading", name=number).wait_for()
    return keys


def _saved(page: Page) -> None:
    expect(page.get_by_text("Langkah tersimpan")).to_be_visible()


def test_signing_in_and_jumping_over_the_menu(desks: Desks, staff: Staff) -> None:
    with desks.strange_window() as page:
        page.goto("/masuk")
        expect(page.get_by_label("Nama pengguna")).to_be_focused()
        page.keyboard.type(staff.manajer.username)
        keys = Keyboard(page)
        keys.type("password", PASSWORD)
        keys.press("Masuk")
        page.get_by_role("heading", name="Beranda").wait_for()
        page.goto("/kasus")
        page.keyboard.press("Tab")
        expect(page.get_by_text("Langsung ke isi halaman")).to_be_focused()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        assert page.evaluate("document.querySelector('main').contains(document.activeElement)")
        Keyboard(page).press("Kantor")
        Keyboard(page).press("Kalender kerja")
        page.get_by_role("heading", name="Kalender kerja").wait_for()
        keys = Keyboard(page)
        keys.tab_to("Andi Tenri")
        page.keyboard.press("Enter")
        keys.press("Keluar")
        page.get_by_role("heading", name="Masuk").wait_for()


def test_a_case_from_the_counter_to_the_referral_with_its_letter(desks: Desks, node: Node, staff: Staff, nik: str) -> None:
    _register(node, staff, nik)
    signatory = office.SignatoryFields("Dra. Hj. Nurhayati, M.Si.", "Kepala Dinas Sosial", "Pembina", "197001011995032001")
    node.run(lambda: office.save_signatory(None, signatory, by=node.actor(staff.admin), at=datetime.now(UTC)))
    with desks.window(staff.fo) as page:
        number = _open_case(page, nik)
    with desks.window(staff.bo) as page:
        _verify(page, number)
        _write_letter(page, number)
        _refer(page, number)
    with desks.window(staff.manajer) as page:
        _go_to(page, number).press("Tetapkan: dirujuk")
        _saved(page)


def _open_case(page: Page, nik: str) -> str:
    expect(page.get_by_placeholder("NIK, nomor KK, atau nama")).to_be_focused()
    page.keyboard.type(nik)
    Keyboard(page).enter()
    page.get_by_role("heading", name=RESIDENT).wait_for()
    Keyboard(page).press("Buka kasus baru")
    page.get_by_role("heading", name="Buka kasus baru").wait_for()
    keys = Keyboard(page)
    keys.choose("service_type_id", "Adm")
    keys.type("description", "Diketik tanpa tetikus.")
    keys.tick("informed")
    keys.press("Buka kasus")
    page.get_by_text("Sampaikan nomor ini kepada warga").wait_for()
    number = page.get_by_role("heading", level=1).inner_text().split()[0]
    Keyboard(page).press("Cetak slip")
    page.get_by_role("heading", name="Tanda Terima").wait_for()
    Keyboard(page).tab_to("Cetak")
    return number


def _verify(page: Page, number: str) -> None:
    _go_to(page, number).press("Ambil untuk diverifikasi")
    _saved(page)
    keys = Keyboard(page)
    keys.choose("state-0", "Sah")
    keys.press("Simpan pemeriksaan")
    page.get_by_text("Pemeriksaan berkas tersimpan").wait_for()
    keys = Keyboard(page)
    keys.tick("duplicates_seen")
    keys.press("Sahkan")
    _saved(page)
    Keyboard(page).press("Teruskan ke telaah")
    _saved(page)


def _write_letter(page: Page, number: str) -> None:
    Keyboard(page).press("Buat surat")
    page.get_by_role("heading", name="Buat surat").wait_for()
    Keyboard(page).press("Rekomendasi umum")
    page.get_by_role("heading", name="Rekomendasi umum").wait_for()
    keys = Keyboard(page)
    keys.choose("purpose", "Bantuan sosial")
    keys.choose("signatory_id", "Dra. Hj. Nurhayati")
    for required in page.locator("main form textarea[required]").all():
        keys.type(required.get_attribute("name") or "", "Keluarga ini memerlukan bantuan.")
    keys.press("Simpan konsep")
    page.get_by_text("Konsep tersimpan").wait_for()


def _refer(page: Page, number: str) -> None:
    _go_to(page, number).press("Siapkan rujukan")
    page.get_by_role("heading", name="Siapkan rujukan").wait_for()
    keys = Keyboard(page)
    keys.choose("unit_id", "Dinas Kesehatan")
    keys.type("summary", "Mohon reaktivasi kepesertaan PBI-JK.")
    keys.press("Simpan rujukan")
    page.get_by_text("Rujukan tersimpan sebagai draf").wait_for()
    keys = _go_to(page, number)
    keys.type("recommendation", "Reaktivasi PBI-JK lewat Dinas Kesehatan.")
    keys.press("Ajukan untuk ditetapkan")
    _saved(page)


def test_an_organisation_receives_and_answers_a_referral(desks: Desks, node: Node, staff: Staff, nik: str) -> None:
    story = journey.tell(node, staff, nik)
    with desks.window(staff.opd) as page:
        Keyboard(page).press("Rujukan")
        number = page.locator(f'a[href="/rujukan/{story.referral}"]').first.inner_text()
        Keyboard(page).press(number)
        Keyboard(page).press("Terima rujukan")
        Keyboard(page).press("Jawab")
        keys = Keyboard(page)
        keys.tick("outcome")
        keys.type("reply", "Kartu sudah diaktifkan kembali hari ini.")
        keys.press("Kirim jawaban")
        expect(page.get_by_text("Kartu sudah diaktifkan kembali hari ini.")).to_be_visible()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Dijawab")


def test_a_visit_is_planned_and_reported(desks: Desks, node: Node, staff: Staff, nik: str) -> None:
    resident = _register(node, staff, nik, journey.ELSEWHERE)
    kind = node.run(lambda: next(kind.id for kind in catalogue.service_types() if kind.code == "rumah"))
    new = cases.NewCase(resident, kind, "permohonan", "Atap roboh.", channel="lapangan", informed=True)
    number: str = node.run(
        lambda: cases.open_case(new, request_id=f"visit {nik}", by=node.actor(staff.fasilitator), at=datetime.now(UTC)).number
    )
    today = datetime.now(ZoneInfo("Asia/Makassar"))
    tomorrow = today + timedelta(days=1)  # a plan for today is refused after midnight
    with desks.window(staff.supervisor) as page:
        _go_to(page, number).press("Ambil untuk diverifikasi")
        _saved(page)
        Keyboard(page).press("Jadwalkan kunjungan")
        page.locator("#langkah [name=visitor]").wait_for()
        keys = Keyboard(page)
        keys.choose("visitor", "Daeng Rani")
        keys.type("planned_date", f"{tomorrow:%d-%m-%Y}")
        keys.press("Jadwalkan kunjungan")
        _saved(page)
    with desks.window(staff.fasilitator) as page:
        Keyboard(page).press("Kunjungan")
        Keyboard(page).press(number)
        keys = Keyboard(page)
        keys.type("visit_date", f"{today:%d-%m-%Y}")
        keys.choose("visit_result", "Sesuai")
        keys.type("note", "Atap roboh, keluarga menumpang.")
        keys.press("Isi hasil kunjungan")
        _saved(page)
