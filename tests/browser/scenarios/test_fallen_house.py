"""Rumah roboh setelah hujan: three cases from the field, recorded two days later; two of them are the same house."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from tests.support.browser import go
from tests.support.journey import ELSEWHERE, confirm, go_to_case, take_step
from tests.support.pictures import photo
from tests.support.scenes import (
    Complaint,
    Draft,
    Resident,
    Stage,
    Visit,
    bring_paper,
    decide_to_refer,
    issue_letter,
    open_case,
    prepare_referral,
    register,
    state_of,
    visit_house,
)

CARD, OTHER_CARD = "7399010101160071", "7399010101160072"
FATHER, DAUGHTER, OTHER = "Abdul Rahman Sila", "Hasnah Sila", "Baharuddin Lallo"
HOUSE = Complaint("Rumah tidak layak huni (RTLH)", "Roboh setelah hujan, belum ada tempat tinggal.", ("Cepat",))


def test_one_house_is_one_case_and_no_photo_is_lost(stage: Stage, tmp_path: Path) -> None:
    picture, ruin = tmp_path / "depan.jpg", tmp_path / "roboh.jpg"
    picture.write_bytes(photo("navy"))
    ruin.write_bytes(photo("peru"))
    first, other, again = recorded_after_two_days(stage, ruin)
    marked_as_the_same_house(stage, first, other, again)
    visit_house(stage, first, Visit("Lihat keadaan rumah.", "Atap dan dinding roboh.", picture))
    referrals = referred_for_house_and_food(stage, first)
    unit = "Dinas Perumahan"
    draft = Draft("Surat rujukan dengan lembar jawaban", "Rujukan", referral=referrals[unit])
    letter, paper = issue_letter(stage, first, draft)
    assert paper.misses(letter, referrals[unit], unit, FATHER) == []


def recorded_after_two_days(stage: Stage, ruin: Path) -> tuple[str, str, str]:
    """The facilitator is back where the node can be reached; the third case comes with a photo."""
    numbers = []
    with stage.at(stage.staff.fasilitator) as page:
        for name, sex, card in ((FATHER, "Laki-laki", CARD), (OTHER, "Laki-laki", OTHER_CARD), (DAUGHTER, "Perempuan", CARD)):
            more = {"kk": card, "address": "Dusun Bonto"}
            register(page, Resident(name, sex, nik_reason="KTP hanyut", village=ELSEWHERE, more=more))
            numbers.append(open_case(page, HOUSE))
        bring_paper(page, "Foto rumah", ruin)
    return numbers[0], numbers[1], numbers[2]


def marked_as_the_same_house(stage: Stage, first: str, other: str, again: str) -> None:
    """The supervisor sees what else the family has asked for before she confirms anything."""
    with stage.at(stage.staff.supervisor) as page:
        for number in (first, other, again):
            go_to_case(page, number)
            take_step(page, "Ambil untuk diverifikasi")
        go(page, page.get_by_role("link", name="Tandai duplikat"))
        take_step(page, "Tandai duplikat", duplicate_of=first, note="Rumah yang sama")
        assert state_of(page) == "Duplikat"
        expect(page.locator("dt", has_text="Duplikat dari").locator("..")).to_contain_text(first)
        kept = page.locator("#berkas").get_by_role("link", name="Foto rumah").get_attribute("href") or ""
        assert page.request.get(kept).headers["content-type"] == "image/jpeg", "the photo of the second report is kept"


def referred_for_house_and_food(stage: Stage, number: str) -> dict[str, str]:
    with stage.at(stage.staff.supervisor) as page:
        go_to_case(page, number)
        confirm(page)
        assert state_of(page) == "Telaah", "what came from the field goes on by itself"
    with stage.at(stage.staff.bo) as page:
        go_to_case(page, number)
        made = {}
        for unit, asked in (("Dinas Perumahan", "Mohon bantuan RTLH."), ("Dinas Ketahanan Pangan", "Mohon bantuan logistik.")):
            made[unit] = prepare_referral(page, unit, asked, "Nama", "Alamat")
    decide_to_refer(stage, number, recommendation="RTLH dan logistik")
    return made
