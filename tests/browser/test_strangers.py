"""What is not yours does not exist: not by its address, not in a list, not in a search."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.support import journey
from tests.support.browser import Desks, Node
from tests.support.journey import Staff


def _status(page: Page, path: str) -> int:
    answer = page.goto(path)
    assert answer is not None
    return answer.status


def test_another_organisation_sees_neither_the_referral_nor_the_case(node: Node, desks: Desks, staff: Staff, nik: str) -> None:
    story = journey.tell(node, staff, nik)
    with desks.window(staff.opd) as page:
        assert _status(page, f"/rujukan/{story.referral}") == 200
        assert _status(page, f"/kasus/{story.case}") == 403
        assert _status(page, f"/warga/{story.resident}") == 403
    with desks.window(staff.other_opd) as page:
        expect(page.get_by_text("Tidak ada rujukan yang menunggu.")).to_be_visible()
        assert _status(page, f"/rujukan/{story.referral}") == 404
        # it may have referrals of other stories on this node
        page.goto("/rujukan")
        expect(page.get_by_role("main")).to_contain_text("rujukan")
        expect(page.locator(f'a[href="/rujukan/{story.referral}"]')).to_have_count(0)


def test_a_facilitator_of_another_village_sees_nothing_of_it(node: Node, desks: Desks, staff: Staff, nik: str) -> None:
    story = journey.tell(node, staff, nik)
    with desks.window(staff.fasilitator) as page:
        for path in (f"/kasus/{story.case}", f"/warga/{story.resident}", f"/rujukan/{story.referral}"):
            assert _status(page, path) == 404
        journey.find(page, nik)
        expect(page.get_by_text("Tidak ada warga yang cocok.")).to_be_visible()
        page.get_by_label("Cari warga atau nomor kasus").fill(story.number)
        page.get_by_role("banner").get_by_role("button", name="Cari").click()
        expect(page.get_by_text("Tidak ada warga yang cocok.")).to_be_visible()
        # her own village has cases of other stories on this node
        page.goto("/kasus?tampil=semua")
        expect(page.get_by_role("main")).to_contain_text("kasus")
        expect(page.get_by_role("link", name=story.number)).to_have_count(0)
        expect(page.get_by_role("main")).not_to_contain_text("Nurhayati")


def test_the_organisation_reads_only_what_was_shared(node: Node, desks: Desks, staff: Staff, nik: str) -> None:
    story = journey.tell(node, staff, nik)
    with desks.window(staff.opd) as page:
        page.goto(f"/rujukan/{story.referral}")
        shown = page.get_by_role("main").inner_text()
        assert "Nurhayati" in shown
        for hidden in (nik, nik[-4:], "Kartini", "Rahmawati", "hipertensi", "1985"):
            assert hidden not in shown, hidden


def test_the_nik_is_shown_only_when_asked_for(node: Node, desks: Desks, staff: Staff, nik: str) -> None:
    story = journey.tell(node, staff, nik)
    grouped = " ".join(nik[start : start + 4] for start in range(0, 16, 4))
    with desks.window(staff.fo) as page:
        page.goto(f"/warga/{story.resident}")
        assert nik not in page.content()
        assert grouped not in page.content()
        page.get_by_text("Tampilkan NIK dan KK lengkap").click()
        page.get_by_label("Alasan", exact=True).select_option(index=1)
        page.get_by_role("button", name="Tampilkan", exact=True).click()
        expect(page.get_by_text(grouped)).to_be_visible()
        assert nik not in page.url
