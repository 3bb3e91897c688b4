"""The pages of an import on the tablet, without a script: fit for everybody at each step, and nothing scrolls sideways."""

from __future__ import annotations

from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.support.browser import Desks, Node, still
from tests.support.importing import work
from tests.support.journey import VILLAGE, Staff
from tests.support.opensid import FAMILY, HEAD, population

GRAVE = {"serious", "critical"}


def test_an_import_from_the_upload_to_the_undo(desks: Desks, node: Node, staff: Staff, tmp_path: Path) -> None:
    file = tmp_path / "penduduk.xlsx"
    file.write_bytes(population(*FAMILY, HEAD | {"nik": "7.303E+15"}))
    with desks.window(staff.bo, viewport={"width": 1024, "height": 600}) as page:
        page.goto("/impor")
        _is_fit(page)
        page.get_by_label("Berkas Excel").set_input_files(file)
        page.get_by_role("button", name="Unggah dan kenali").click()
        page.get_by_role("button", name="Periksa berkas").click()
        page.get_by_role("alert").get_by_role("link", name="Pilih desa/kelurahan").wait_for()
        _is_fit(page)
        page.get_by_label("Desa atau kelurahan").select_option(VILLAGE)
        page.get_by_role("button", name="Periksa berkas").click()
        page.get_by_role("heading", name="Memeriksa berkas").wait_for()
        _is_fit(page)
        node.run(lambda: work(node.settings))
        # the page looks again by itself
        page.get_by_role("heading", name="Laporan pemeriksaan").wait_for()
        _is_fit(page)
        page.get_by_role("button", name="Simpan 3 baris").click()
        node.run(lambda: work(node.settings))
        page.get_by_role("heading", name="Impor selesai").wait_for()
        page.get_by_role("button", name="Batalkan impor ini").click()
        node.run(lambda: work(node.settings))
        page.get_by_text("3 baris dibatalkan.").wait_for()
        _is_fit(page)


def _is_fit(page: Page) -> None:
    page.wait_for_load_state()
    with still(page):
        found = Axe().run(page).response["violations"]
        assert [(each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in GRAVE] == []
        for width in (600, 1024):
            page.set_viewport_size({"width": width, "height": 600})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
