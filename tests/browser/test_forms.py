"""What happens when somebody types something wrong, presses twice, or is slower than a colleague: nothing typed is lost."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.support import journey
from tests.support.browser import Desks, go
from tests.support.journey import Staff


@pytest.mark.parametrize("javascript", [True, False])
def test_a_wrong_registration_keeps_everything_that_was_typed(desks: Desks, staff: Staff, javascript: bool) -> None:
    typed = {
        "nik": "7303 0152 0585",
        "name": "Sitti Rabiah",
        "birth_place": "Bantaeng",
        "birth_date": "31-02-1985",
        "address": "Jl. Bakri 3",
        "rt": "2",
        "kk": "123",
        "phone": "0812 3456 7890",
    }
    with desks.window(staff.fo, javascript=javascript) as page:
        page.goto("/warga/baru")
        for name, value in typed.items():
            page.locator(f"main [name={name}]").fill(value)
        page.get_by_label("Perempuan").check()
        page.get_by_label("Hubungan dengan kepala keluarga").select_option("3")
        go(page, page.get_by_role("button", name="Daftarkan warga"))
        problems = page.get_by_role("alert").get_by_role("listitem")
        expect(problems).to_have_count(4)
        for name in ("nik", "birth_date", "village_code", "kk"):
            expect(page.locator(f"main [name={name}]")).to_have_attribute("aria-invalid", "true")
            expect(page.locator(f"#{name}-problem")).to_be_visible()
        assert {name: page.locator(f"main [name={name}]").input_value() for name in typed} == typed
        expect(page.get_by_label("Perempuan")).to_be_checked()
        expect(page.get_by_label("Hubungan dengan kepala keluarga")).to_have_value("3")


def test_a_person_without_nik_needs_a_reason_and_then_is_registered(desks: Desks, staff: Staff) -> None:
    with desks.window(staff.fo) as page:
        page.goto("/warga/baru")
        page.get_by_label("Nama lengkap").fill("Ambo Tanpa Nama")
        page.get_by_label("Laki-laki").check()
        page.get_by_label("Desa atau kelurahan").select_option(journey.VILLAGE)
        go(page, page.get_by_role("button", name="Daftarkan warga"))
        expect(page.locator("#nik-problem")).to_contain_text("alasan")
        page.get_by_label("Alasan tanpa NIK").fill("Orang telantar, identitas tidak diketahui")
        go(page, page.get_by_role("button", name="Daftarkan warga"))
        expect(page.get_by_role("heading", name="Ambo Tanpa Nama")).to_be_visible()
        expect(page.get_by_text("Belum ada NIK")).to_be_visible()


def test_a_namesake_is_shown_before_a_second_person_is_made(desks: Desks, staff: Staff, nik: str) -> None:
    with desks.window(staff.fo) as page:
        journey.register(page, nik, "Hasnawati Kembar")
        page.goto("/warga/baru")
        page.get_by_label("Nama lengkap").fill("Hasnawati Kembar")
        page.get_by_label("Perempuan").check()
        page.get_by_label("Alasan tanpa NIK").fill("KTP hilang, NIK tidak diingat")
        page.get_by_label("Desa atau kelurahan").select_option(journey.VILLAGE)
        go(page, page.get_by_role("button", name="Daftarkan warga"))
        asked = page.get_by_role("region", name="Mungkin warga ini sudah terdaftar")
        expect(asked.get_by_role("link", name="Hasnawati Kembar")).to_be_visible()
        asked.get_by_label("Bila orang lain").fill("KTP-nya berbeda, saudara kembar")
        go(page, page.get_by_role("button", name="Tetap buat baru"))
        expect(page.get_by_text("Warga terdaftar")).to_be_visible()


def test_a_nik_that_is_taken_leads_to_the_person_who_has_it(desks: Desks, staff: Staff, nik: str) -> None:
    with desks.window(staff.fo) as page:
        journey.register(page, nik, "Pemilik Pertama")
        page.goto("/warga/baru")
        page.get_by_label("NIK (boleh kosong)").fill(nik)
        page.get_by_label("Nama lengkap").fill("Orang Kedua")
        page.get_by_label("Perempuan").check()
        page.get_by_label("Desa atau kelurahan").select_option(journey.VILLAGE)
        go(page, page.get_by_role("button", name="Daftarkan warga"))
        expect(page.locator("#nik-problem")).to_contain_text("sudah dipakai oleh Pemilik Pertama")
        expect(page.get_by_label("Nama lengkap")).to_have_value("Orang Kedua")
        with page.expect_popup() as opened:
            page.get_by_role("link", name="buka data Pemilik Pertama").click()
        expect(opened.value.get_by_role("heading", name="Pemilik Pertama", level=1)).to_be_visible()


def test_a_wrong_case_keeps_everything_that_was_typed(desks: Desks, staff: Staff, nik: str) -> None:
    with desks.window(staff.fo) as page:
        journey.register(page, nik)
        go(page, page.get_by_role("link", name="Buka kasus baru").first)
        page.get_by_label("Uraian", exact=True).fill("Baris satu\nBaris dua")
        page.get_by_text("Jenis, prioritas, dan rincian lain").click()
        page.get_by_label("Darurat").check()
        page.get_by_label("Lanjut usia").check()
        page.get_by_text("Pelapor, bila bukan warga sendiri").click()
        page.get_by_label("Nama pelapor").fill("Baso, tetangga")
        page.get_by_label("Rahasiakan kasus ini").check()
        go(page, page.get_by_role("button", name="Buka kasus"))
        wrong = [link.get_attribute("href") for link in page.get_by_role("alert").get_by_role("link").all()]
        assert wrong == ["#service_type_id", "#priority_reason", "#informed"]
        expect(page.get_by_label("Uraian", exact=True)).to_have_value("Baris satu\nBaris dua")
        expect(page.get_by_label("Nama pelapor")).to_have_value("Baso, tetangga")
        for label in ("Darurat", "Lanjut usia", "Rahasiakan kasus ini"):
            expect(page.get_by_label(label)).to_be_checked()


def test_pressing_twice_opens_one_case(desks: Desks, staff: Staff, nik: str) -> None:
    with desks.window(staff.fo, javascript=False) as page:
        journey.register(page, nik)
        resident = page.url
        go(page, page.get_by_role("link", name="Buka kasus baru").first)
        journey.fill_case(page)
        _press_twice(page, "Buka kasus")
        # and once more from the history, as after a lost answer
        page.goto(resident)
        expect(page.get_by_role("link", name="SLRT-")).to_have_count(1)


def _press_twice(page: Page, name: str) -> None:
    """Send the very same form a second time, as an impatient hand or a slow network does."""
    with page.expect_request(lambda request: request.method == "POST") as sent:
        page.get_by_role("button", name=name).click()
    page.wait_for_load_state()
    request = sent.value
    again = page.request.post(
        request.url, data=request.post_data, headers={"Content-Type": "application/x-www-form-urlencoded", "Origin": request.url}
    )
    assert again.ok, again.text()


def test_whoever_is_slower_is_told_what_changed_and_keeps_the_note(desks: Desks, staff: Staff, nik: str) -> None:
    with desks.window(staff.fo) as page:
        journey.register(page, nik)
        number = journey.open_case(page)
    with desks.window(staff.supervisor) as slow, desks.window(staff.bo) as fast:
        journey.go_to_case(slow, number)
        go(slow, slow.get_by_role("link", name="Kembalikan untuk diperbaiki"))
        slow.get_by_label("Uraian belum jelas").check()
        slow.get_by_label("Petunjuk untuk petugas").fill("KK belum difoto")
        journey.go_to_case(fast, number)
        journey.take_step(fast, "Ambil untuk diverifikasi", note="Saya tangani")
        go(slow, slow.get_by_role("button", name="Kembalikan untuk diperbaiki"))
        told = slow.get_by_role("alert")
        expect(told).to_contain_text("Langkah Anda belum tersimpan")
        expect(told).to_contain_text("Ambil untuk diverifikasi oleh Irwan Saputra")
        expect(slow.get_by_label("Uraian belum jelas")).to_be_checked()
        expect(slow.get_by_label("Petunjuk untuk petugas")).to_have_value("KK belum difoto")
        go(slow, slow.get_by_role("button", name="Kembalikan untuk diperbaiki"))
        expect(slow.get_by_role("heading", level=1)).to_contain_text("Perlu perbaikan")


def test_a_step_that_came_too_late_shows_what_was_written(desks: Desks, staff: Staff, nik: str) -> None:
    with desks.window(staff.fo) as page:
        journey.register(page, nik)
        number = journey.open_case(page)
    with desks.window(staff.supervisor) as slow, desks.window(staff.bo) as fast:
        journey.go_to_case(slow, number)
        slow.get_by_label("Catatan internal").fill("Ditelepon, benar ada")
        journey.go_to_case(fast, number)
        journey.take_step(fast, "Ambil untuk diverifikasi")
        go(slow, slow.get_by_role("button", name="Ambil untuk diverifikasi"))
        told = slow.get_by_role("alert")
        expect(told).to_contain_text("tidak diperlukan lagi")
        expect(told).to_contain_text("Ditelepon, benar ada")


def test_back_from_a_person_leads_to_the_hits_again(desks: Desks, staff: Staff, nik: str) -> None:
    with desks.window(staff.fo) as page:
        journey.register(page, nik, "Rosdiana Kembali")
        journey.find(page, "Rosdiana")
        assert "Rosdiana" not in page.url
        go(page, page.get_by_role("link", name="Rosdiana Kembali"))
        page.get_by_role("heading", name="Rosdiana Kembali").wait_for()
        page.go_back()
        expect(page.get_by_role("link", name="Rosdiana Kembali")).to_be_visible()
