"""Ibu Rabiah, KK lama: she brings a card of 2016; her son has a family of his own. Found, not registered a second time."""

from __future__ import annotations

from datetime import UTC, date, datetime

from playwright.sync_api import Page, expect

from appliance.registry import families, people
from tests.support.browser import go
from tests.support.journey import VILLAGE, find, go_to_case, take_step
from tests.support.printed import F4
from tests.support.scenes import (
    Complaint,
    Draft,
    Stage,
    day,
    issue_letter,
    open_case,
    prepare_referral,
    send_referrals,
    state_of,
    take_slip,
    verify,
)

CARD_OF_2016, CARD_OF_2024, CARD_OF_HER_SON = "7399010203160041", "7399010203240043", "7399010511260042"
MOTHER, SON, GRANDCHILD = "Sitti Rabiah", "Muhammad Arifin", "Nur Fadillah"
COMPLAINT = Complaint("Administrasi kependudukan", "Masih memakai KK lama; anaknya sudah berkeluarga sendiri.")
CORRECTION = Draft(
    "Permohonan perbaikan data KIS/adminduk",
    "Perbaikan data kependudukan",
    {"tujuan": "Kepala Disdukcapil", "salah": "Satu KK tiga generasi", "benar": "Dua KK sejak anaknya menikah"},
)


def test_she_is_found_by_the_card_of_2016_and_nobody_is_made_twice(stage: Stage, nik: str) -> None:
    stage.node.run(lambda: the_family_of_2016(stage, nik))
    number = found_and_split(stage)
    referred_to_the_register(stage, number)
    letter, paper = issue_letter(stage, number, CORRECTION)
    assert paper.misses(letter, MOTHER, "Kepala Disdukcapil", "Dua KK sejak anaknya menikah", "Dra. Hj. Nurhayati") == []
    assert (paper.size, paper.pages) == (F4, 1)


def the_family_of_2016(stage: Stage, nik: str) -> None:
    """Three people on one card, which got another number in 2024."""
    at, by = datetime.now(UTC), stage.node.actor(stage.staff.fo)
    rest = {"kk": CARD_OF_2016, "address": "Jl. Bakri 3"}
    known = [
        people.NewPerson(MOTHER, "P", VILLAGE, relation="1", nik=nik, birth_date=date(1985, 5, 12), **rest),
        people.NewPerson(SON, "L", VILLAGE, relation="4", nik_reason="Belum membawa KTP", **rest),
        people.NewPerson(GRANDCHILD, "P", VILLAGE, relation="6", nik_reason="Belum membawa KTP", **rest),
    ]
    made = [people.register_person(each, request_id=f"2016 {each.name}", by=by, at=at) for each in known]
    family = people.look_at_person(made[0], by=by, at=at).family_id or ""
    version = families.look_at_family(family, by=by, at=at).row_version
    renewed = {"reason": "Kartu diganti", "on": date(2024, 3, 2), "row_version": version}
    families.renew_card(family, CARD_OF_2024, **renewed, by=by, at=at)


def people_found(page: Page, text: str) -> list[str]:
    """Who is found by this, by name."""
    find(page, text)
    return sorted(page.locator("tbody td[data-label=Nama] a").all_inner_texts())


def found_and_split(stage: Stage) -> str:
    """The front office: found by the old number; the son's family parted; the case of the mother."""
    with stage.at(stage.staff.fo) as page:
        assert people_found(page, CARD_OF_2016) == [SON, GRANDCHILD, MOTHER]
        go(page, page.get_by_role("link", name=MOTHER))
        go(page, page.get_by_role("link", name="Buka halaman keluarga"))
        go(page, page.get_by_role("link", name="Pecah KK"))
        for name in (SON, GRANDCHILD):
            page.locator("#member_ids").get_by_label(name).check()
        head = page.get_by_label("Kepala keluarga baru")
        head.select_option(head.locator("option", has_text=SON).get_attribute("value"))
        page.get_by_label("Nomor KK baru").fill(CARD_OF_HER_SON)
        page.get_by_label("Sejak tanggal").fill(day())
        page.get_by_label("Bukti").fill("Buku nikah diperlihatkan")
        go(page, page.get_by_role("button", name="Simpan KK baru"))
        page.get_by_text("Pecah KK: tersimpan.").wait_for()
        expect(page.get_by_role("heading", name="Peristiwa").locator("..")).to_contain_text("Pecah KK")
        assert people_found(page, CARD_OF_2016) == [SON, GRANDCHILD, MOTHER], "the old number finds both families"
        assert people_found(page, CARD_OF_HER_SON) == [SON, GRANDCHILD]
        find(page, MOTHER)
        go(page, page.get_by_role("link", name=MOTHER))
        number = open_case(page, COMPLAINT)
        assert take_slip(page).misses(number, MOTHER, "Administrasi kependudukan") == []
    return number


def referred_to_the_register(stage: Stage, number: str) -> None:
    with stage.at(stage.staff.bo) as page:
        verify(page, number)
        referral = prepare_referral(page, "Dinas Kependudukan", "Mohon pemecahan KK dicatat.", "Nama", "NIK", "Alamat")
        take_step(page, "Ajukan untuk ditetapkan", recommendation="Rujuk ke Disdukcapil")
    with stage.at(stage.staff.manajer) as page:
        go_to_case(page, number)
        take_step(page, "Tetapkan: dirujuk")
    with stage.at(stage.staff.bo) as page:
        send_referrals(page, number)
        assert state_of(page) == "Dirujuk"
        go(page, page.get_by_role("link", name=referral))
        expect(page.get_by_role("heading", level=1)).to_contain_text("Dikirim")
