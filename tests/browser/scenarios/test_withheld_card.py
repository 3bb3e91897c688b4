"""KKS tertahan di orang lain, saldo nol: perhaps an illegal levy. In confidence, the manager's own, to PKH and the bank."""

from __future__ import annotations

from playwright.sync_api import expect

from appliance.models.roles import Role
from tests.support.browser import go
from tests.support.journey import VILLAGE, confirm, go_to_case, take_step
from tests.support.scenes import (
    Complaint,
    Draft,
    Resident,
    Stage,
    case_list,
    decide_to_refer,
    issue_letter,
    open_case,
    prepare_referral,
    register,
    state_of,
)

WIDOW = "Saripa Daeng Baji"
COMPLAINT = Complaint(
    "Kartu bantuan bermasalah (KKS, KIS, KIP)",
    "KKS dipegang ketua kelompok sejak Maret, saldo nol; diminta uang administrasi.",
    ("Rahasiakan kasus ini",),
    {"category": "PR5"},
)


def test_it_is_the_managers_own_and_not_settled_in_the_village(stage: Stage, nik: str) -> None:
    number = told_at_the_counter(stage, nik)
    handed_to_the_manager(stage, number)
    not_for_the_village(stage, number)
    referrals = referred_to_both(stage, number)
    for unit, referral in referrals.items():
        draft = Draft("Surat rujukan dengan lembar jawaban", "Rujukan", referral=referral)
        letter, paper = issue_letter(stage, number, draft)
        assert paper.misses(letter, referral, unit, WIDOW) == []
        assert "uang administrasi" not in paper.text, "what was not shared is not in the letter"


def told_at_the_counter(stage: Stage, nik: str) -> str:
    with stage.at(stage.staff.fo) as page:
        register(page, Resident(WIDOW, nik=nik))
        number = open_case(page, COMPLAINT)
        expect(page.locator("aside")).to_contain_text("Pungutan liar")
        expect(page.locator("h1")).to_contain_text("Rahasia")
    return number


def handed_to_the_manager(stage: Stage, number: str) -> None:
    """The back office verifies; the manager makes the case her own."""
    with stage.at(stage.staff.bo) as page:
        go_to_case(page, number)
        take_step(page, "Ambil untuk diverifikasi")
        confirm(page)
    with stage.at(stage.staff.manajer) as page:
        go_to_case(page, number)
        go(page, page.get_by_role("link", name="Alihkan ke petugas lain"))
        owner = page.get_by_label("Petugas baru")
        offered = owner.locator("option").all_inner_texts()
        assert not [name for name in offered if stage.staff.fo.name in name], "only who may read what is confidential"
        choice = owner.locator("option", has_text=stage.staff.manajer.name).get_attribute("value") or ""
        take_step(page, "Alihkan ke petugas lain", new_owner=choice, note="Dugaan pungutan, saya tangani sendiri")
        expect(page.locator("dt", has_text="Ditangani oleh").locator("..")).to_contain_text(stage.staff.manajer.name)
        assert number in case_list(page, "saya")


def not_for_the_village(stage: Stage, number: str) -> None:
    """The coordinator of the village's Puskesos does not even see it."""
    coordinator = stage.node.officer("sulaiman.koordinator", Role.KOORDINATOR_PUSKESOS, "Sulaiman", area_codes=(VILLAGE,))
    with stage.at(coordinator) as page:
        assert number not in case_list(page, "semua")
    with stage.at(stage.staff.bo) as page:
        go_to_case(page, number)
        assert state_of(page) == "Terverifikasi"
        assert page.get_by_role("link", name="Tangani di desa").count() == 0


def referred_to_both(stage: Stage, number: str) -> dict[str, str]:
    """To the coordinator of PKH and to the bank, side by side; the referrals by the name of the organisation."""
    with stage.at(stage.staff.bo) as page:
        take_step(page, "Teruskan ke telaah")
        made = {}
        for unit in ("Koordinator PKH", "Bank penyalur bantuan sosial"):
            made[unit] = prepare_referral(page, unit, "Mohon kartu dikembalikan dan mutasi rekening diperiksa.", "Nama", "NIK")
    decide_to_refer(stage, number, recommendation="Rujuk ke Koordinator PKH dan bank; tidak diselesaikan di desa")
    with stage.at(stage.staff.bo) as page:
        assert page.locator("#rujukan .badge").all_inner_texts() == ["Dikirim", "Dikirim"]
    return made
