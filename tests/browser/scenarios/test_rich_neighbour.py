"""“Tetangga saya kaya dapat PKH”: the reporter fears being named. Nobody outside of a few officers ever reads her name."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.support.browser import go
from tests.support.journey import ELSEWHERE, confirm, go_to_case, take_step
from tests.support.pictures import photo
from tests.support.printed import A4, F4, open_paper
from tests.support.scenes import (
    Complaint,
    Draft,
    Resident,
    Stage,
    Visit,
    case_list,
    citizen_reads,
    decide_to_refer,
    issue_letter,
    note_list_check,
    open_case,
    prepare_referral,
    register,
    state_of,
    take_slip,
    visit_house,
)

NEIGHBOUR, REPORTER = "Haji Baharuddin Tompo", "Nurlaela Penakut"
COMPLAINT = Complaint(
    "Sanggah penerima bantuan",
    "Penerima PKH punya dua mobil dan rumah batu.",
    ("Rahasiakan kasus ini",),
    {"reporter_name": REPORTER, "reporter_relation": "Tetangga", "reporter_phone": "081355556666"},
)
ASKED = "Mohon ditinjau kepesertaan PKH berdasarkan hasil kunjungan."


@pytest.fixture
def house(tmp_path: Path) -> Path:
    file = tmp_path / "rumah.jpg"
    file.write_bytes(photo())
    return file


def test_the_reporter_is_never_named(stage: Stage, nik: str, house: Path) -> None:
    number = told_in_confidence(stage, nik)
    others_see_nothing(stage, number, nik)
    visited_without_her_name(stage, number, house)
    on_the_agenda_of_the_village(stage, number)
    referral_without_her_name(stage, number)
    letter, paper = issue_letter(stage, number, Draft("Surat rujukan dengan lembar jawaban", "Rujukan"))
    assert paper.misses(letter, "Koordinator PKH", NEIGHBOUR, ASKED) == []
    assert REPORTER not in paper.text
    assert paper.size == F4


def told_in_confidence(stage: Stage, nik: str) -> str:
    with stage.at(stage.staff.fo) as page:
        register(page, Resident(NEIGHBOUR, "Laki-laki", nik=nik, village=ELSEWHERE))
        number = open_case(page, COMPLAINT)
        expect(page.get_by_text("Salah sasaran (sanggah)")).to_be_visible()
        expect(page.locator("h1")).to_contain_text("Rahasia")
        expect(page.locator("aside")).to_contain_text(REPORTER)
        slip = take_slip(page)
        assert slip.misses(number) == []
        assert REPORTER not in slip.text
    return number


def others_see_nothing(stage: Stage, number: str, nik: str) -> None:
    for officer in (stage.staff.pimpinan, stage.staff.fasilitator):
        with stage.at(officer) as page:
            assert number not in case_list(page, "semua"), officer.name
    assert "tidak cocok" in citizen_reads(stage, number, nik[-4:]), "the kiosk knows nothing of it"


def visited_without_her_name(stage: Stage, number: str, house: Path) -> None:
    """Whoever visits sees the case for that, without the reporter; the sheet that a neighbour signs says nothing of the complaint."""
    with stage.at(stage.staff.supervisor) as page:
        go_to_case(page, number)
        take_step(page, "Ambil untuk diverifikasi")
    sheet = visit_house(stage, number, Visit("Lihat keadaan rumah dan kendaraan.", "Dua mobil, rumah batu.", house))
    assert sheet.misses(number, NEIGHBOUR) == []
    assert sheet.size == A4
    assert [text for text in (REPORTER, COMPLAINT.description, "rumah dan kendaraan") if text in sheet.text] == []
    with stage.at(stage.staff.fasilitator) as page:
        assert number not in case_list(page, "semua"), "the visit is over, and with it what she sees"


def on_the_agenda_of_the_village(stage: Stage, number: str) -> None:
    with stage.at(stage.staff.bo) as page:
        go_to_case(page, number)
        note_list_check(page, NEIGHBOUR, "7")
    with stage.at(stage.staff.supervisor) as page:
        go_to_case(page, number)
        confirm(page)
        take_step(page, "Teruskan ke telaah")
    invitation = Draft(
        "Undangan musyawarah desa/kelurahan",
        "Musyawarah",
        {"undangan": "Anggota BPD", "hari": "Senin pukul 09.00", "tempat": "Aula desa"},
    )
    letter, paper = issue_letter(stage, number, invitation)
    assert paper.misses(letter, "Aula desa", "Anggota BPD") == []
    with stage.at(stage.staff.bo) as page:
        go_to_case(page, number)
        page.get_by_text("Formulir dan lembar").click()
        minutes = open_paper(page, "Berita acara musyawarah")
        assert minutes.misses(number, NEIGHBOUR) == []
        assert REPORTER not in paper.text + minutes.text


def referral_without_her_name(stage: Stage, number: str) -> None:
    """Written into what is asked, her name is refused; nothing of it is among what is shared."""
    with stage.at(stage.staff.bo) as page:
        go_to_case(page, number)
        go(page, page.get_by_role("link", name="Siapkan rujukan"))
        page.get_by_label("OPD atau lembaga tujuan").select_option(label="Koordinator PKH (lewat surat)")
        page.get_by_label("Yang diminta dari OPD").fill(f"Menurut {REPORTER}, warga ini mampu.")
        go(page, page.get_by_role("button", name="Simpan rujukan"))
        expect(page.get_by_role("alert")).to_contain_text("Nama pelapor tidak boleh ikut ke luar")
        go_to_case(page, number)
        referral = prepare_referral(page, "Koordinator PKH", ASKED, "Nama", "Alamat", "Uraian keluhan")
    decide_to_refer(stage, number, recommendation="Rujuk ke Koordinator PKH dan musyawarah desa")
    with stage.at(stage.staff.bo) as page:
        assert state_of(page) == "Dirujuk"
        go(page, page.get_by_role("link", name=referral))
        shared = page.get_by_role("heading", name="Data yang dibagikan").locator("..")
        expect(shared).to_contain_text(NEIGHBOUR)
        expect(page.get_by_role("main")).not_to_contain_text(REPORTER)
