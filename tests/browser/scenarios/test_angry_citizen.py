"""Marah di loket: she came three times, and the organisation has been silent for 22 working days."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from tests.support import journey
from tests.support.browser import go
from tests.support.journey import DESCRIPTION, Story, go_to_case, take_step
from tests.support.scenes import Stage, accept, answer, case_list, citizen_reads, take_slip

APOLOGY = "Mohon maaf atas keterlambatan ini. Manajer kami menghubungi Dinas Kesehatan hari ini."
REPLY = "Berkas sempat tertinggal; kepesertaan aktif kembali mulai hari ini."


@pytest.fixture
def story(stage: Stage, nik: str) -> Story:
    """A case that was referred 22 working days ago, in the middle of that day."""
    return journey.tell(stage.node, stage.staff, nik, datetime.now(UTC) - timedelta(days=32))


def test_the_manager_is_told_and_the_answer_comes(stage: Stage, story: Story, nik: str) -> None:
    found_by_the_slip_and_by_the_kiosk(stage, story, nik)
    apologised_and_raised(stage, story)
    assert f"Pesan petugas: {APOLOGY}" in citizen_reads(stage, story.number, nik[-4:])
    the_manager_finds_it(stage, story)
    the_organisation_answers(stage, story)
    with stage.at(stage.staff.bo) as page:
        go_to_case(page, story.number)
        expect(page.locator("#rujukan")).to_contain_text(REPLY)


def found_by_the_slip_and_by_the_kiosk(stage: Stage, story: Story, nik: str) -> None:
    """What is read out to her is the stage; neither the complaint nor what the office wrote for itself."""
    said = citizen_reads(stage, story.number.removeprefix("SLRT-7303-"), nik[-4:])
    assert "sedang ditangani instansi lain" in said
    assert not [secret for secret in (DESCRIPTION, "Reaktivasi PBI-JK", stage.staff.bo.name) if secret in said]
    assert "tidak cocok" in citizen_reads(stage, story.number, "0000")
    with stage.at(stage.staff.fo) as page:
        page.goto("/kasus")
        go_to_case(page, story.number)
        expect(page.locator("dt", has_text="Batas waktu").locator("..")).to_contain_text("Lewat")
        assert take_slip(page).misses(story.number, "Sudah dirujuk ke instansi yang berwenang") == []


def apologised_and_raised(stage: Stage, story: Story) -> None:
    with stage.at(stage.staff.fo) as page:
        go(page, page.get_by_role("link", name="Naikkan kepada manajer"))
        go(page, page.get_by_role("button", name="Naikkan kepada manajer"))
        expect(page.get_by_role("alert")).to_contain_text("wajib diisi")
        take_step(page, "Naikkan kepada manajer", note="Datang tiga kali, marah", citizen_note=APOLOGY)
        expect(page.locator("#riwayat")).to_contain_text(f"Untuk warga: {APOLOGY}")
        assert page.get_by_role("link", name="Naikkan kepada manajer").count() == 0, "once is enough"
        assert story.number not in case_list(page, "disampaikan")


def the_manager_finds_it(stage: Stage, story: Story) -> None:
    with stage.at(stage.staff.manajer) as page:
        page.goto("/")
        go(page, page.get_by_role("link", name="keterlambatan disampaikan kepada Anda"))
        go(page, page.get_by_role("link", name=story.number))
        expect(page.locator("#riwayat")).to_contain_text("Datang tiga kali, marah")


def the_organisation_answers(stage: Stage, story: Story) -> None:
    """After the manager's call."""
    with stage.at(stage.staff.opd) as page:
        page.goto("/")
        referral = page.locator("tr", has_text="Lewat").get_by_role("link", name="RJK-").first.inner_text()
        accept(page, referral)
        answer(page, "Terpenuhi", REPLY)
