"""OPD menolak: bukan wewenang. A request for a uniform comes back; it goes to Baznas, and the clock is not set back."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.support.browser import go
from tests.support.journey import go_to_case
from tests.support.printed import F4
from tests.support.scenes import (
    Complaint,
    Draft,
    Resident,
    Stage,
    citizen_reads,
    decide_to_refer,
    issue_letter,
    open_case,
    prepare_referral,
    register,
    state_of,
    verify,
)

MOTHER = "Rosmiati Daeng Ti'no"
COMPLAINT = Complaint("Bantuan pendidikan", "Anak kelas satu SD belum punya seragam.")


def test_what_is_not_theirs_goes_to_somebody_else(stage: Stage, nik: str) -> None:
    with stage.at(stage.staff.fo) as page:
        register(page, Resident(MOTHER, nik=nik))
        number = open_case(page, COMPLAINT)
    first = referred_to_the_school_office(stage, number)
    due = due_time(stage, number)
    returned_as_not_theirs(stage, first)
    assert "sedang dipelajari petugas" in citizen_reads(stage, number, nik[-4:])
    second = to_baznas_instead(stage, number, first)
    assert due_time(stage, number) == due, "a return sets no clock back"
    letter, paper = issue_letter(stage, number, Draft("Surat rujukan dengan lembar jawaban", "Rujukan", referral=second))
    assert paper.misses(letter, second, "Baznas Kabupaten/Kota", MOTHER) == []
    assert (paper.size, paper.pages) == (F4, 2)
    assert "ditangani instansi lain" in citizen_reads(stage, number, nik[-4:])


def referred_to_the_school_office(stage: Stage, number: str) -> str:
    with stage.at(stage.staff.bo) as page:
        verify(page, number)
        referral = prepare_referral(page, "Dinas Pendidikan", "Mohon bantuan seragam sekolah.", "Nama", "Alamat")
    decide_to_refer(stage, number, recommendation="Rujuk ke Dinas Pendidikan")
    return referral


def due_time(stage: Stage, number: str) -> str:
    """The due time of the case as its page tells it."""
    with stage.at(stage.staff.bo) as page:
        go_to_case(page, number)
        return page.locator("dt", has_text="Batas waktu").locator("..").inner_text()


def returned_as_not_theirs(stage: Stage, referral: str) -> None:
    with stage.at(stage.staff.other_opd) as page:
        page.goto("/")
        go(page, page.get_by_role("link", name=referral))
        go(page, page.get_by_role("link", name="Kembalikan"))
        page.get_by_label("Bukan wewenang kami").check()
        page.locator("[name=note]").fill("Seragam bukan urusan dinas kami; coba Baznas.")
        go(page, page.get_by_role("button", name="Kembalikan"))
        expect(page.get_by_role("heading", level=1)).to_contain_text("Dikembalikan")


def to_baznas_instead(stage: Stage, number: str, first: str) -> str:
    """The case is in review again; the answer stands beside the referral, and a message for the citizen can be copied."""
    with stage.at(stage.staff.bo) as page:
        go_to_case(page, number)
        assert state_of(page) == "Telaah"
        expect(page.locator("#rujukan")).to_contain_text("coba Baznas")
        second = prepare_referral(page, "Baznas", "Mohon bantuan seragam dan alat tulis.", "Nama", "Alamat")
    decide_to_refer(stage, number, recommendation="Rujuk ke Baznas")
    with stage.at(stage.staff.bo) as page:
        assert referral_states(page) == {first: "Dikembalikan", second: "Dikirim"}
        page.get_by_text("Salin teks WhatsApp").click()
        message = page.get_by_label("Teks untuk warga").input_value()
        assert number in message
        assert "instansi lain" in message
        assert "bukan urusan" not in message, "nothing internal is in it"
    return second


def referral_states(page: Page) -> dict[str, str]:
    """How each referral of the case stands."""
    found = page.locator("#rujukan article h3")
    return {each.get_by_role("link").inner_text(): each.locator(".badge").inner_text() for each in found.all()}
