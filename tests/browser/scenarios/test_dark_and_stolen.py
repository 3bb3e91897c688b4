"""Listrik padam dan tablet hilang: a power cut in the middle of a form; later a tablet is stolen."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.sync_api import Page, expect

from appliance.models.roles import Role
from tests.support import journey
from tests.support.browser import PASSWORD, PATIENCE, Officer, go
from tests.support.journey import ELSEWHERE, find
from tests.support.printed import A4, print_page
from tests.support.scenes import Complaint, Resident, Stage, day, open_case, register, take_slip

TYPED = "Atap roboh tertimpa pohon; tiga anak tidur di rumah tetangga."


def test_what_was_typed_when_the_power_went_is_there_again(stage: Stage, nik: str) -> None:
    with stage.desks.window(stage.staff.fo) as page:
        register(page, Resident("Sitti Marwah", nik=nik))
        go(page, page.get_by_role("link", name="Buka kasus baru").first)  # whole: its script keeps what is typed
        page.get_by_label("Uraian", exact=True).fill(TYPED)
        expect(page.locator("#draft-saved")).to_contain_text("Isian tersimpan sementara pukul")
        refused_while_the_battery_lasts(stage, page)
        stage.node.kill()
        stage.node.start()
        page.goto("/")
        go(page, page.get_by_role("link", name="Kasus baru"))
        expect(page.get_by_label("Uraian", exact=True)).to_have_value(TYPED)
        journey.fill_case(page, TYPED)
        go(page, page.get_by_role("button", name="Buka kasus"))
        page.get_by_text("Sampaikan nomor ini kepada warga").wait_for()
        page.goto("/")
        assert page.get_by_text("Isian yang belum disimpan").count() == 0, "it is a case now"


def refused_while_the_battery_lasts(stage: Stage, page: Page) -> None:
    """The node takes nothing new any more; the form stays as it was typed."""
    state = Path(stage.node.settings.power.runtime) / "state.json"
    told = {"at": datetime.now(UTC).isoformat(), "stage": "draining", "accepts_work": False, "mains": False}
    state.write_text(json.dumps(told))
    go(page, page.get_by_role("button", name="Buka kasus"))
    page.get_by_text("tidak menerima simpanan baru").first.wait_for()
    state.unlink()


def test_a_stolen_tablet_is_cut_off_and_told_of(stage: Stage, nik: str) -> None:
    facilitator = stage.node.officer("arman.fasilitator", Role.FASILITATOR, "Arman Tahir", area_codes=(ELSEWHERE,))
    with stage.desks.window(facilitator, javascript=False, viewport={"width": 1024, "height": 600}) as tablet:
        numbers = cases_with_slips(tablet, nik)
        device = cut_off(stage, facilitator)
        tablet.goto("/warga")
        expect(tablet.get_by_label("Kata sandi")).to_be_visible()
        once = another_password(stage, facilitator)
        enter(tablet, facilitator, PASSWORD)
        expect(tablet.get_by_text("Nama pengguna atau kata sandi salah.")).to_be_visible()
    incident_with_its_papers(stage, facilitator, device, numbers)
    entered_again_from_the_slips(stage, facilitator, once, numbers)


FROM_THE_FIELD = Complaint("Rumah tidak layak huni (RTLH)", "Rumah roboh setelah hujan.", texts={"channel": "lapangan"})
RESIDENTS = ("Basse Daeng Te'ne", "Kamaruddin", "Hj. Sitti Hawang", "Jumriati", "Syamsul Bahri")


def cases_with_slips(tablet: Page, nik: str) -> dict[str, str]:
    """Five cases that reached the node before the tablet was gone, by their resident; each slip is with its citizen."""
    numbers = {}
    for position, name in enumerate(RESIDENTS):
        known = {"nik": nik} if position == 0 else {"nik_reason": "Belum merekam KTP-el"}
        register(tablet, Resident(name, village=ELSEWHERE, **known))
        numbers[name] = open_case(tablet, FROM_THE_FIELD)
        assert take_slip(tablet).misses(numbers[name], name) == []
    return numbers


def cut_off(stage: Stage, facilitator: Officer) -> str:
    """The supervisor ends the session of the tablet; the name of the device."""
    with stage.at(stage.staff.supervisor) as page:
        page.goto("/perangkat")
        page.get_by_label("Cari nama atau nama pengguna").fill(facilitator.username)
        go(page, page.get_by_role("main").get_by_role("button", name="Cari"))
        row = page.get_by_role("row", name=facilitator.name)
        device = row.locator("[data-label=Perangkat]").inner_text()
        row.get_by_role("button", name="Putus perangkat ini").click()
        page.get_by_text("Perangkat sudah diputus").wait_for()
        page.get_by_text("Tidak ada perangkat yang sedang masuk").wait_for()
    return device


def another_password(stage: Stage, facilitator: Officer) -> str:
    """The admin gives one that is shown once, for the thief may know the old one."""
    with stage.at(stage.staff.admin) as page:
        page.goto("/akun")
        page.get_by_label("Cari nama atau nama pengguna").fill(facilitator.username)
        go(page, page.get_by_role("main").get_by_role("button", name="Cari"))
        go(page, page.get_by_role("link", name=facilitator.name))
        go(page, page.get_by_role("button", name="Beri kata sandi baru"))
        return page.locator(".secret").inner_text()


def incident_with_its_papers(stage: Stage, facilitator: Officer, device: str, numbers: Mapping[str, str]) -> None:
    """The manager notes it, sees how long there is, and prints the form and the list of everybody it touches."""
    with stage.at(stage.staff.manajer) as page:
        page.goto("/insiden/baru")
        page.get_by_label("Jenis insiden").select_option(label="Perangkat hilang atau dicuri")
        page.get_by_label("Akun atau pemegang perangkat").select_option(label=f"{facilitator.name} ({facilitator.username})")
        for name, text in {"happened_at": day(), "seen_from": day(timedelta(days=-1)), "story": STORY}.items():
            page.locator(f"main [name={name}]").fill(text)
        go(page, page.get_by_role("button", name="Buka insiden"))
        expect(page.get_by_role("alert")).to_contain_text("Tulis data apa yang mungkin terungkap.")
        page.get_by_label("Data apa").fill("Nama, NIK, alamat, dan keluhan")
        page.locator("#device").select_option(device)
        go(page, page.get_by_role("button", name="Buka insiden"))
        page.get_by_role("heading", name="Sisa waktu 2 hari 23 jam").wait_for()
        go(page, page.get_by_role("link", name="Daftar warga terdampak"))
        listed = print_page(page)
        assert listed.misses("5 orang", *numbers) == []
        assert all(number in listed.text.replace(" ", "") for number in numbers.values())
        go(page, page.get_by_role("link", name="Kembali"))
        go(page, page.get_by_role("link", name="Formulir insiden"))
        form = print_page(page)
        assert (listed.size, form.size) == (A4, A4)
        assert form.misses(STORY, "Nama, NIK, alamat, dan keluhan", device, "5 orang menurut jurnal", "Batas pemberitahuan") == []
        page.goto("/")


STORY = "Tas berisi tablet dijambret di Pasar Sentral."


def enter(page: Page, officer: Officer, password: str) -> None:
    """Try to sign in on the page that asks for it."""
    page.get_by_label("Nama pengguna").fill(officer.username)
    page.get_by_label("Kata sandi").fill(password)
    go(page, page.get_by_role("button", name="Masuk"))


def entered_again_from_the_slips(stage: Stage, facilitator: Officer, once: str, numbers: Mapping[str, str]) -> None:
    """With the new password on another device: each slip's case is there, and what had not been sent is entered from its paper."""
    context = stage.desks.browser.new_context(base_url=stage.node.url, java_script_enabled=False)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto("/")
    enter(page, facilitator, once)
    page.get_by_label("Kata sandi sekarang").fill(once)
    for label in ("Kata sandi baru", "Ulangi kata sandi baru"):
        page.get_by_label(label, exact=True).fill(f"{PASSWORD}-lagi")
    go(page, page.get_by_role("button", name="Simpan kata sandi"))
    page.get_by_text("Kata sandi Anda sudah diganti").wait_for()
    for name, number in numbers.items():
        find(page, number)
        page.get_by_role("heading", name=number).wait_for()
        go(page, page.get_by_role("main").get_by_role("link", name=name).first)
        assert open_case(page, FROM_THE_FIELD) not in numbers.values()
    context.close()
