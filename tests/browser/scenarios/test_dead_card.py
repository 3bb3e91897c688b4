"""Kartu KIS mati di IGD: a wife in labour, her card inactive for four weeks, and the hospital's letter still to come."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

from playwright.sync_api import expect

from tests.support.browser import go
from tests.support.journey import go_to_case, take_step
from tests.support.pictures import photo
from tests.support.printed import F4
from tests.support.scenes import (
    Complaint,
    Draft,
    Resident,
    Stage,
    accept,
    answer,
    bring_paper,
    case_list,
    citizen_reads,
    day,
    issue_letter,
    judge_papers,
    note_list_check,
    open_case,
    prepare_referral,
    register,
    send_referrals,
    state_of,
    take_slip,
)

WIFE = "Hasnawati Daeng Kanang"
LETTER = "Surat fasilitas kesehatan"
COMPLAINT = Complaint(
    "Reaktivasi PBI-JK (KIS)",
    "Istri akan melahirkan di IGD RSUD; kartu KIS tidak aktif.",
    ("Darurat", "Hamil"),
    {"priority_reason": "Pasien di IGD, kartu tidak aktif", "reporter_name": "Syarifuddin", "reporter_relation": "Suami"},
)


def test_a_letter_within_the_hour_and_the_card_afterwards(stage: Stage, nik: str, tmp_path: Path) -> None:
    number = red_card_and_emergency(stage, nik)
    referral = sent_to_the_hospital(stage, number, nik)
    the_manager_ratifies(stage, number)
    the_hospital_answers(stage, referral)
    the_card_goes_to_the_ministry(stage, number)
    nothing_is_finished_before_the_letter_came(stage, number, tmp_path)
    assert "sudah selesai dan ditutup" in citizen_reads(stage, number, nik[-4:])


def red_card_and_emergency(stage: Stage, nik: str) -> str:
    """The front office: a red card, the case from the card, sent out before anybody decided."""
    with stage.at(stage.staff.fo) as page:
        page.goto("/antrean")
        page.locator("#groups").get_by_label("Hamil").check()
        go(page, page.get_by_role("button", name="Kartu merah"))
        assert page.locator(".code").inner_text().startswith("M")
        expect(page.get_by_text("KARTU MERAH", exact=True)).to_be_visible()
        go(page, page.get_by_role("link", name="Kembali ke antrean"))
        page.get_by_label("Loket Anda").fill("1")
        go(page, page.get_by_role("button", name="Panggil berikutnya"))
        go(page, page.get_by_role("button", name="Mulai layani"))
        register(page, Resident(WIFE, nik=nik, more={"birth_date": "12-05-1985"}))
        number = open_case(page, COMPLAINT)
        take_step(page, "Rujuk darurat", note="Akan melahirkan; surat faskes menyusul")
        assert state_of(page) == "Dirujuk"
        expect(page.get_by_text("Manajer mengesahkannya paling lambat")).to_be_visible()
        assert take_slip(page).misses(number, WIFE, "Sudah dirujuk ke instansi yang berwenang", "GRATIS") == []
        page.goto("/antrean")
        go(page, page.get_by_role("button", name=re.compile("^Selesai")))
    return number


def sent_to_the_hospital(stage: Stage, number: str, nik: str) -> str:
    """The back office: the missing letter is promised, the referral goes out with its letter."""
    with stage.at(stage.staff.bo) as page:
        assert case_list(page, "terbuka")[0] == number, "an emergency stands above everything else"
        go_to_case(page, number)
        told = judge_papers(page, {"KTP": "sah", "Kartu Keluarga": "sah", LETTER: "menyusul"})
        expect(told).to_contain_text("tulis siapa yang menyerahkan dan kapan")
        judge_papers(page, {"KTP": "sah", "Kartu Keluarga": "sah", LETTER: "menyusul"}, "Suami, setelah persalinan")
        expect(page.locator("#berkas")).to_contain_text("Menyusul")
        referral = prepare_referral(
            page, "Rumah Sakit Umum Daerah", "Mohon dilayani; kartu sedang direaktivasi.", "Nama", "Desa/kelurahan"
        )
        send_referrals(page, number)
    letter, paper = issue_letter(stage, number, Draft("Surat rujukan dengan lembar jawaban", "Rujukan"))
    assert (
        paper.misses(letter, referral, WIFE, "Rumah Sakit Umum Daerah", "LEMBAR JAWABAN RUJUKAN", "Dra. Hj. Nurhayati, M.Si.")
        == []
    )
    assert (paper.size, paper.pages) == (F4, 2)
    assert nik not in paper.text.replace(" ", ""), "what was not shared is not in the letter"
    return referral


def the_manager_ratifies(stage: Stage, number: str) -> None:
    with stage.at(stage.staff.manajer) as page:
        page.goto("/")
        go(page, page.get_by_role("link", name="Darurat belum disahkan"))
        go(page, page.get_by_role("link", name=number))
        take_step(page, "Sahkan rujukan darurat", note="Setuju, pasien di IGD")
        expect(page.get_by_text("Manajer mengesahkannya paling lambat")).to_have_count(0)
        assert number not in case_list(page, "darurat")


def the_hospital_answers(stage: Stage, referral: str) -> None:
    with stage.at(stage.staff.rsud) as page:
        accept(page, referral)
        answer(page, "Terpenuhi sebagian", "Ibu dan bayi sehat; jaminan sementara sampai kartu aktif.")


def the_card_goes_to_the_ministry(stage: Stage, number: str) -> None:
    """The second half: the card itself. The ministry's time is not the office's."""
    with stage.at(stage.staff.bo) as page:
        go_to_case(page, number)
        take_step(page, "Belum tuntas", note="Kartu belum aktif")
        note_list_check(page, WIFE, "4")
        go_to_case(page, number)
        facts = {"advice": "layak", "inactive_reason": "tidak_padan", "reactivated": "belum", "need": "darurat"}
        facts |= {"inactive_date": day(-timedelta(days=28)), "recommendation": "Nonaktif empat minggu, pertama kali"}
        take_step(page, "Ajukan untuk ditetapkan", **facts)
    with stage.at(stage.staff.manajer) as page:
        go_to_case(page, number)
        take_step(page, "Tetapkan: ditangani sendiri")
    letter, paper = issue_letter(stage, number, PBI_LETTER)
    assert paper.misses(letter, WIFE, "Reaktivasi Peserta PBI-JK", "RSUD", "menyusul", "Desil 4 (empat)", number) == []
    with stage.at(stage.staff.bo) as page:
        go_to_case(page, number)
        take_step(page, "Usulkan ke luar (Kemensos/BPJS/provinsi)", outside_to="kemensos", outside_date=day())
        expect(page.locator("aside")).to_contain_text("Batas waktu berhenti")
        take_step(page, "Catat keputusan dari luar", outside_decision="disetujui", decided_date=day(), note="Aktif kembali")


PBI_LETTER = Draft(
    "Rekomendasi reaktivasi PBI-JK",
    "Reaktivasi PBI-JK",
    {"faskes": "RSUD Prof. Dr. H. M. Anwar Makkatutu", "surat_faskes": "menyusul"},
)
RESULT = {
    "outcome": "terpenuhi",
    "outcome_note": "PBI-JK aktif kembali",
    "citizen_note": "Kartu aktif kembali",
    "told_way": "telepon",
}


def nothing_is_finished_before_the_letter_came(stage: Stage, number: str, folder: Path) -> None:
    scan = folder / "surat.jpg"
    scan.write_bytes(photo())
    with stage.at(stage.staff.fo) as page:
        go_to_case(page, number)
        bring_paper(page, LETTER, scan)
    with stage.at(stage.staff.bo) as page:
        go_to_case(page, number)
        expect(page.get_by_label("Langkah yang belum dapat dilakukan")).to_contain_text("Masih ada berkas yang menyusul")
        judge_papers(page, {LETTER: "sah"})
        take_step(page, "Catat hasil", **RESULT)
    with stage.at(stage.staff.fo) as page:
        go_to_case(page, number)
        take_step(page, "Tutup: warga sudah diberi tahu", satisfaction="4")
