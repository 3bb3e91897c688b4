"""Lansia telantar tanpa NIK: the head of an RT brings an old man, confused and without papers. Shelter first, identity beside it."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import expect

from appliance.models.roles import Role
from tests.support.browser import go
from tests.support.journey import go_to_case, take_step
from tests.support.pictures import photo
from tests.support.scenes import (
    Complaint,
    Draft,
    Resident,
    Stage,
    accept,
    answer,
    case_list,
    day,
    issue_letter,
    open_case,
    prepare_referral,
    register,
    send_referrals,
    state_of,
    take_slip,
)

OLD_MAN = Resident("Lelaki tua dari pasar", "Laki-laki", nik_reason="Orang telantar, identitas tidak diketahui")
SHELTER, REGISTER = "Balai atau panti sosial", "Dinas Kependudukan dan Pencatatan Sipil"
COMPLAINT = Complaint(
    "Orang telantar dan pemulangan",
    "Ditemukan di pasar, bingung, tidak membawa surat apa pun.",
    ("Darurat", "Lanjut usia"),
    {"priority_reason": "Tidak ada tempat bermalam", "reporter_name": "Ketua RT 3", "reporter_relation": "Ketua RT"},
)


def test_shelter_tonight_and_an_identity_in_parallel(stage: Stage, tmp_path: Path) -> None:
    number = without_a_number(stage)
    referrals = two_at_once(stage, number)
    draft = Draft("Surat rujukan dengan lembar jawaban", "Rujukan", referral=referrals[SHELTER])
    letter, paper = issue_letter(stage, number, draft)
    assert paper.misses(letter, referrals[SHELTER], SHELTER, OLD_MAN.name) == []
    answered_one_after_the_other(stage, number, referrals, tmp_path)


def without_a_number(stage: Stage) -> str:
    """A red card; registered with the reason why there is no NIK; sent out at once with the ministry's category."""
    with stage.at(stage.staff.fo) as page:
        page.goto("/antrean")
        page.locator("#groups").get_by_label("Lanjut usia").check()
        go(page, page.get_by_role("button", name="Kartu merah"))
        assert re.fullmatch(r"M\d+|M-\d+", page.locator(".code").inner_text())
        register(page, OLD_MAN)
        expect(page.get_by_text("Belum ada NIK")).to_be_visible()
        number = open_case(page, COMPLAINT)
        expect(page.locator("h1")).to_contain_text("Kartu merah")
        go(page, page.get_by_role("link", name="Rujuk darurat"))
        page.locator("#langkah [name=note]").fill("Perlu tempat bermalam")
        go(page, page.get_by_role("button", name="Rujuk darurat"))
        expect(page.get_by_role("alert")).to_contain_text("Kategori PPKS wajib diisi")
        assert len(page.get_by_label("Kategori PPKS").locator("option").all()) == 1 + 26
        take_step(page, "Rujuk darurat", ppks="lansia_telantar")
        expect(page.locator("#riwayat")).to_contain_text("Kategori PPKS: Lanjut usia telantar")
        assert take_slip(page).misses(number, OLD_MAN.name, "Sudah dirujuk") == []
    return number


def two_at_once(stage: Stage, number: str) -> dict[str, str]:
    with stage.at(stage.staff.bo) as page:
        go_to_case(page, number)
        made = {SHELTER: prepare_referral(page, SHELTER, "Mohon tempat penampungan malam ini.", "Nama", "Kelompok rentan")}
        made[REGISTER] = prepare_referral(page, REGISTER, "Mohon perekaman biometrik untuk mengetahui identitas.", "Nama")
        send_referrals(page, number)
        assert page.locator("#rujukan .badge").all_inner_texts() == ["Dikirim", "Dikirim"]
    with stage.at(stage.staff.manajer) as page:
        assert number in case_list(page, "darurat")
        go_to_case(page, number)
        take_step(page, "Sahkan rujukan darurat")
    return made


def answered_one_after_the_other(stage: Stage, number: str, referrals: dict[str, str], folder: Path) -> None:
    """The shelter on paper, the register through its own officer; the case goes on only when the second has answered."""
    scan = folder / "balasan.jpg"
    scan.write_bytes(photo("ivory"))
    with stage.at(stage.staff.bo) as page:
        go_to_case(page, number)
        go(page, page.get_by_role("link", name=referrals[SHELTER]))
        go(page, page.get_by_role("button", name="Terima rujukan"))
        answer(page, "Terpenuhi", "Diterima di panti.", dated=day(), scan=str(scan))
        go_to_case(page, number)
        assert state_of(page) == "Dirujuk"
    with stage.at(stage.node.officer("rusli.disdukcapil", Role.OPD, "Rusli", unit="disdukcapil")) as page:
        accept(page, referrals[REGISTER])
        answer(page, "Terpenuhi", "Identitas ditemukan lewat biometrik.")
    with stage.at(stage.staff.bo) as page:
        go_to_case(page, number)
        assert state_of(page) == "Tindak lanjut"
