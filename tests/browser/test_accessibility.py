"""Every page for everybody: what axe finds on its forms and their mistakes, and no sideways scrolling on the tablet."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.support import journey
from tests.support.browser import Desks, Node, go
from tests.support.journey import Staff, Story

GRAVE = {"serious", "critical"}


@pytest.fixture(scope="module")
def story(node: Node, staff: Staff) -> Story:
    return journey.tell(node, staff, "7303015205859999")


# Who looks, at what, pressing which button first: what the walk over every page does not show.
PAGES = [
    ("fo", "/", ""),
    ("fo", "/warga?desa=73.03.01.1001", ""),
    ("fo", "/warga/baru", "Daftarkan warga"),
    ("fo", "/warga/{resident}/kasus-baru", "Buka kasus"),
    ("fo", "/warga/{resident}/ubah", "Simpan perbaikan"),
    ("fo", "/warga/{resident}/peristiwa/pindah", "Simpan kepindahan"),
    ("fo", "/warga/{resident}/berkas", "Simpan berkas"),
    ("fo", "/warga/{resident}/telepon", "Simpan nomor"),
    ("fo", "/warga/{resident}/kepesertaan-baru", "Simpan kepesertaan"),
    ("fo", "/warga/{resident}/profil-baru/regsosek-2022k-anggota", "Simpan profil"),
    ("fo", "/antrean", "Panggil berikutnya"),
    ("fo", "/buku-tamu", "Simpan kunjungan"),
    ("manajer", "/layanan/baru", "Simpan layanan"),
    ("bo", "/", ""),
    ("bo", "/kasus?tampil=semua", ""),
    ("bo", "/kasus/{case}?langkah=usulkan_keluar", ""),
    ("bo", "/kasus/{case}?langkah=batalkan", "Batalkan"),
    ("bo", "/kasus/{case}/berkas", "Simpan berkas"),
    ("supervisor", "/kasus/{case}?langkah=ubah_prioritas", "Ubah prioritas"),
    ("manajer", "/pendelegasian", "Simpan pendelegasian"),
    ("bo", "/surat?tampil=register", ""),
    ("bo", "/kasus/{case}/surat-baru?naskah=penolakan", "Simpan konsep"),
    ("bo", "/kartu-antrean?nomor=A1", ""),
    ("admin", "/naskah/penanda-tangan", "Simpan penanda tangan"),
    ("bo", "/ekspor/baru", "Minta ekspor"),
    ("bo", "/program/aturan/baru", "Simpan aturan"),
    ("opd", "/", ""),
    ("opd", "/rujukan/{referral}?langkah=return", "Kembalikan"),
    ("pimpinan", "/", ""),
    ("supervisor", "/wilayah/73.03.01", ""),
    ("supervisor", "/wilayah/73.03.01.1001", "Tambah ke daftar"),
    ("admin", "/wilayah/73.03.04", ""),
    ("admin", "/", ""),
]


@pytest.mark.parametrize(("who", "path", "button"), PAGES)
def test_a_page_is_fit_for_everybody(desks: Desks, staff: Staff, story: Story, who: str, path: str, button: str) -> None:
    with desks.window(getattr(staff, who), viewport={"width": 1024, "height": 600}) as page:
        page.goto(path.format(**vars(story)))
        if button:
            go(page, page.get_by_role("main").get_by_role("button", name=button, exact=True))
            page.get_by_role("alert").first.wait_for()
        found = Axe().run(page).response["violations"]
        assert [(each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in GRAVE] == []
        _fits(page, 1024)
        _fits(page, 600)


def _fits(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 600})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
