"""Kuasa tanpa surat: a kader asks for a letter for a patient after a stroke. Visited first; the letter names the family only."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from tests.support.journey import ELSEWHERE, confirm, go_to_case, take_step
from tests.support.pictures import photo
from tests.support.printed import A4, F4
from tests.support.scenes import (
    Complaint,
    Draft,
    Resident,
    Stage,
    Visit,
    bring_paper,
    issue_letter,
    judge_papers,
    open_case,
    register,
    take_slip,
    visit_house,
)

PATIENT, KADER = "Baso Daeng Ngalle", "Rosdiana Kader"
COMPLAINT = Complaint(
    "Bantuan biaya perawatan",
    "Lumpuh sejak serangan stroke, perlu biaya perawatan.",
    ("Pelapor bertindak sebagai kuasa warga", "Penyandang disabilitas"),
    {"reporter_name": KADER, "reporter_relation": "Kader posyandu"},
)
LETTER = Draft(
    "Rekomendasi bantuan biaya", "Biaya perawatan", {"tujuan": "Direktur RSUD", "kebutuhan": "Perawatan sesudah stroke"}
)
PAPERS = ("KTP", "Kartu Keluarga", "SKTM", "Surat rawat inap kelas III")


def test_no_letter_before_the_family_was_seen(stage: Stage, nik: str, tmp_path: Path) -> None:
    picture = tmp_path / "foto.jpg"
    picture.write_bytes(photo())
    number = a_kader_at_the_counter(stage, nik)
    the_proxy_letter_is_missing(stage, number)
    visit = Visit("Pastikan keluarga setuju; minta surat kuasa.", "Pasien terbaring, istri setuju.", picture)
    sheet = visit_house(stage, number, visit)
    assert sheet.misses(number, PATIENT, stage.staff.fasilitator.name, visit.instruction) == []
    assert sheet.size == A4
    the_family_signs(stage, number, picture)
    letter, paper = issue_letter(stage, number, LETTER)
    assert paper.misses(letter, PATIENT, number, "Direktur RSUD", "Perawatan sesudah stroke") == []
    assert KADER not in paper.text
    assert paper.size == F4


def a_kader_at_the_counter(stage: Stage, nik: str) -> str:
    """Who speaks is not who is helped."""
    with stage.at(stage.staff.fo) as page:
        register(page, Resident(PATIENT, "Laki-laki", nik=nik, village=ELSEWHERE))
        number = open_case(page, COMPLAINT)
        expect(page.locator("aside")).to_contain_text(f"{KADER}, Kader posyandu")
        expect(page.locator("aside")).to_contain_text("Bertindak sebagai kuasa")
        slip = take_slip(page)
        assert slip.misses(number, PATIENT) == []
        assert KADER not in slip.text
    return number


def the_proxy_letter_is_missing(stage: Stage, number: str) -> None:
    """Everything else is right; without the paper of the proxy the case is not confirmed."""
    with stage.at(stage.staff.bo) as page:
        go_to_case(page, number)
        take_step(page, "Ambil untuk diverifikasi")
        judge_papers(page, dict.fromkeys(PAPERS, "sah"))
        expect(page.locator("#berkas li", has_text="Surat kuasa")).to_contain_text("Belum ada")
        expect(page.get_by_label("Langkah yang belum dapat dilakukan")).to_contain_text("berkas persyaratan yang belum sah")


def the_family_signs(stage: Stage, number: str, paper: Path) -> None:
    with stage.at(stage.staff.fasilitator) as page:
        go_to_case(page, number)
        bring_paper(page, "Surat kuasa", paper)
    with stage.at(stage.staff.bo) as page:
        go_to_case(page, number)
        judge_papers(page, {"Surat kuasa": "sah"})
        confirm(page)
        take_step(page, "Teruskan ke telaah")
