"""Every page for everybody: what axe finds, the keyboard alone, a visible focus, and no sideways scrolling on the tablet."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.support import journey
from tests.support.browser import Desks, Node
from tests.support.journey import Staff, Story

GRAVE = {"serious", "critical"}


@pytest.fixture(scope="module")
def story(node: Node, staff: Staff) -> Story:
    return journey.tell(node, staff, "7303015205859999")


# who looks, at what, pressing which button first
PAGES = [
    ("fo", "/", ""),
    ("fo", "/warga", ""),
    ("fo", "/warga?desa=73.03.01.1001", ""),
    ("fo", "/warga/baru", ""),
    ("fo", "/warga/baru", "Daftarkan warga"),
    ("fo", "/warga/{resident}", ""),
    ("fo", "/warga/{resident}/kasus-baru", ""),
    ("fo", "/warga/{resident}/kasus-baru", "Buka kasus"),
    ("fo", "/warga/{resident}/ubah", "Simpan perbaikan"),
    ("fo", "/warga/{resident}/peristiwa/pindah", "Simpan kepindahan"),
    ("fo", "/warga/{resident}/berkas", "Simpan berkas"),
    ("fo", "/warga/{resident}/telepon", "Simpan nomor"),
    ("bo", "/warga/{resident}/kesehatan", ""),
    ("fo", "/warga/{resident}/bantuan", ""),
    ("fo", "/warga/{resident}/kepesertaan-baru", "Simpan kepesertaan"),
    ("fo", "/warga/{resident}/profil-baru/regsosek-2022k-anggota", "Simpan profil"),
    ("fo", "/antrean", "Panggil berikutnya"),
    ("fo", "/antrean/waktu", ""),
    ("fo", "/buku-tamu", "Simpan kunjungan"),
    ("fo", "/layanan", ""),
    ("manajer", "/layanan/rumah/ubah", ""),
    ("manajer", "/layanan/baru", "Simpan layanan"),
    ("manajer", "/kasus/{case}/jejak", ""),
    ("fo", "/kasus", ""),
    ("fo", "/kasus/{case}", ""),
    ("bo", "/", ""),
    ("bo", "/kasus?tampil=semua", ""),
    ("bo", "/kasus/{case}?langkah=usulkan_keluar", ""),
    ("bo", "/kasus/{case}?langkah=batalkan", "Batalkan"),
    ("bo", "/kasus/{case}/rujukan-baru", ""),
    ("bo", "/kasus/{case}/berkas", "Simpan berkas"),
    ("supervisor", "/kunjungan", ""),
    ("supervisor", "/kasus/{case}?langkah=ubah_prioritas", "Ubah prioritas"),
    ("manajer", "/pendelegasian", "Simpan pendelegasian"),
    ("bo", "/rujukan", ""),
    ("bo", "/surat?tampil=register", ""),
    ("bo", "/kasus/{case}/surat-baru", ""),
    ("bo", "/kasus/{case}/surat-baru?naskah=penolakan", "Simpan konsep"),
    ("bo", "/kasus/{case}/slip", ""),
    ("bo", "/kartu-antrean?nomor=A1", ""),
    ("admin", "/naskah", ""),
    ("admin", "/naskah/kop", ""),
    ("admin", "/naskah/penanda-tangan", "Simpan penanda tangan"),
    ("admin", "/naskah/dokumen/sktm", ""),
    ("admin", "/periksa", ""),
    ("bo", "/ekspor", ""),
    ("bo", "/ekspor/baru", "Minta ekspor"),
    ("manajer", "/ekspor/susunan/siksng", ""),
    ("bo", "/program", ""),
    ("bo", "/program/aturan/baru", "Simpan aturan"),
    ("bo", "/program/daftar-nasional", ""),
    ("opd", "/", ""),
    ("opd", "/rujukan/{referral}", ""),
    ("opd", "/rujukan/{referral}?langkah=return", "Kembalikan"),
    ("pimpinan", "/", ""),
    ("supervisor", "/wilayah", ""),
    ("supervisor", "/wilayah/73.03.01", ""),
    ("supervisor", "/wilayah/73.03.01.1001", "Tambah ke daftar"),
    ("supervisor", "/serah-terima/baru", ""),
    ("supervisor", "/serah-terima", ""),
    ("admin", "/wilayah/73.03.04", ""),
    ("admin", "/", ""),
]


@pytest.mark.parametrize(("who", "path", "button"), PAGES)
def test_a_page_is_fit_for_everybody(desks: Desks, staff: Staff, story: Story, who: str, path: str, button: str) -> None:
    with desks.window(getattr(staff, who), viewport={"width": 1024, "height": 600}) as page:
        page.goto(path.format(**vars(story)))
        if button:
            page.get_by_role("main").get_by_role("button", name=button, exact=True).click()
            page.get_by_role("alert").wait_for()
        found = Axe().run(page).response["violations"]
        assert [(each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in GRAVE] == []
        _fits(page, 1024)
        _fits(page, 600)


def _fits(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 600})
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_keyboard_alone_opens_a_case_and_always_shows_where_it_is(desks: Desks, staff: Staff, story: Story) -> None:
    with desks.window(staff.fo) as page:
        expect(page.get_by_placeholder("NIK, nomor KK, atau nama")).to_be_focused()
        page.keyboard.type("7303015205859999")
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Nurhayati").wait_for()
        _tab_to(page, "Buka kasus baru")
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Buka kasus baru").wait_for()
        _tab_to(page, "service_type_id")
        page.keyboard.press("ArrowDown")
        _tab_to(page, "description")
        page.keyboard.type("Diketik tanpa tetikus.")
        _tab_to(page, "informed")
        page.keyboard.press("Space")
        _tab_to(page, "Buka kasus")
        page.keyboard.press("Enter")
        expect(page.get_by_text("Sampaikan nomor ini kepada warga")).to_be_visible()


FOCUSED = """() => {
    const here = document.activeElement, style = getComputedStyle(here)
    return {names: [here.name, here.value, (here.innerText || "").trim()], ring: style.outlineStyle != "none" && parseFloat(style.outlineWidth) >= 2}
}"""


def _tab_to(page: Page, name: str) -> None:
    """Press Tab until the control of that name or text has the focus; each one on the way must show that it has it."""
    for _ in range(80):
        page.keyboard.press("Tab")
        here = page.evaluate(FOCUSED)
        assert here["ring"], f"no visible focus on {here['names']}"
        if name in here["names"]:
            return
    raise AssertionError(f"Tab never came to {name!r}")
