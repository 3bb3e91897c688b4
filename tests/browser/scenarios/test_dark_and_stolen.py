"""Listrik padam dan tablet hilang: a power cut in the middle of a form; later a tablet is stolen."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Page, expect

from appliance.models.roles import Role
from tests.support import journey
from tests.support.browser import PASSWORD, Officer
from tests.support.journey import ELSEWHERE, find
from tests.support.scenes import Complaint, Resident, Stage, open_case, register, take_slip

TYPED = "Atap roboh tertimpa pohon; tiga anak tidur di rumah tetangga."


def test_what_was_typed_when_the_power_went_is_there_again(stage: Stage, nik: str) -> None:
    with stage.desks.window(stage.staff.fo) as page:
        register(page, Resident("Sitti Marwah", nik=nik))
        page.get_by_role("link", name="Buka kasus baru").first.click()
        page.get_by_label("Uraian", exact=True).fill(TYPED)
        expect(page.locator("#draft-saved")).to_contain_text("Isian tersimpan sementara pukul")
        refused_while_the_battery_lasts(stage, page)
        stage.node.kill()
        stage.node.start()
        page.goto("/")
        page.get_by_role("link", name="Kasus baru").click()
        expect(page.get_by_label("Uraian", exact=True)).to_have_value(TYPED)
        journey.fill_case(page, TYPED)
        page.get_by_role("button", name="Buka kasus").click()
        page.get_by_text("Sampaikan nomor ini kepada warga").wait_for()
        page.goto("/")
        assert page.get_by_text("Isian yang belum disimpan").count() == 0, "it is a case now"


def refused_while_the_battery_lasts(stage: Stage, page: Page) -> None:
    """The node takes nothing new any more; the form stays as it was typed."""
    state = Path(stage.node.settings.power.runtime) / "state.json"
    told = {"at": datetime.now(UTC).isoformat(), "stage": "draining", "accepts_work": False, "mains": False}
    state.write_text(json.dumps(told))
    page.get_by_role("button", name="Buka kasus").click()
    page.get_by_text("tidak menerima simpanan baru").first.wait_for()
    state.unlink()


def test_a_stolen_tablet_is_signed_out_at_once(stage: Stage, nik: str) -> None:
    facilitator = stage.node.officer("arman.fasilitator", Role.FASILITATOR, "Arman Tahir", area_codes=(ELSEWHERE,))
    number = a_case_with_a_slip(stage, facilitator, nik)
    with stage.desks.window(facilitator, viewport={"width": 1024, "height": 600}) as thief:
        thief.goto("/warga")
        thief.get_by_role("heading", name="Cari warga").wait_for()
        once = signed_out_everywhere(stage, facilitator)
        thief.goto("/warga")
        expect(thief.get_by_label("Kata sandi")).to_be_visible()
        enter(thief, facilitator, PASSWORD)
        expect(thief.get_by_text("Nama pengguna atau kata sandi salah.")).to_be_visible()
        entered_again_from_the_slip(stage, facilitator, once, number)


def signed_out_everywhere(stage: Stage, facilitator: Officer) -> str:
    """The admin: off, so that no device has a session any more; on again with another password, which is shown once."""
    with stage.at(stage.staff.admin) as page:
        page.goto("/akun")
        page.get_by_label("Cari nama atau nama pengguna").fill(facilitator.username)
        page.get_by_role("main").get_by_role("button", name="Cari").click()
        page.get_by_role("link", name=facilitator.name).click()
        page.get_by_role("button", name="Nonaktifkan akun").click()
        page.get_by_text("dikeluarkan dari semua perangkat").wait_for()
        page.get_by_role("button", name="Aktifkan akun").click()
        page.get_by_role("button", name="Beri kata sandi baru").click()
        return page.locator(".secret").inner_text()


FROM_THE_FIELD = Complaint("Rumah tidak layak huni (RTLH)", "Rumah roboh setelah hujan.", texts={"channel": "lapangan"})
RESIDENT = "Basse Daeng Te'ne"


def a_case_with_a_slip(stage: Stage, facilitator: Officer, nik: str) -> str:
    """What reached the node before the tablet was gone; its slip is with the citizen."""
    with stage.at(facilitator) as page:
        register(page, Resident(RESIDENT, nik=nik, village=ELSEWHERE))
        number = open_case(page, FROM_THE_FIELD)
        assert take_slip(page).misses(number, RESIDENT) == []
    return number


def enter(page: Page, officer: Officer, password: str) -> None:
    """Try to sign in on the page that asks for it."""
    page.get_by_label("Nama pengguna").fill(officer.username)
    page.get_by_label("Kata sandi").fill(password)
    page.get_by_role("button", name="Masuk").click()


def entered_again_from_the_slip(stage: Stage, facilitator: Officer, once: str, number: str) -> None:
    """With the new password on another device she goes on: what she had recorded is there, the next case is entered."""
    context = stage.desks.browser.new_context(base_url=stage.node.url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/")
    enter(page, facilitator, once)
    page.get_by_label("Kata sandi sekarang").fill(once)
    for label in ("Kata sandi baru", "Ulangi kata sandi baru"):
        page.get_by_label(label, exact=True).fill(f"{PASSWORD}-lagi")
    page.get_by_role("button", name="Simpan kata sandi").click()
    page.get_by_text("Kata sandi Anda sudah diganti").wait_for()
    find(page, number)
    page.get_by_role("heading", name=number).wait_for()
    find(page, RESIDENT)
    page.get_by_role("link", name=RESIDENT).click()
    assert open_case(page, FROM_THE_FIELD) != number
    context.close()
