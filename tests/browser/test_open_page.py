"""What happens on a page that stands open: the mains fails, the gate closes, the server is gone; and signing in without scripts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import expect

from appliance import accounts
from tests.support.browser import PASSWORD, Desks, Node
from tests.support.journey import Staff


@contextmanager
def _power(node: Node, **state: object) -> Iterator[None]:
    """What the watcher publishes, for as long as the context lasts."""
    file = Path(node.settings.power.runtime) / "state.json"
    file.write_text(json.dumps({"at": datetime.now(UTC).isoformat(), "stage": "online", "accepts_work": True, **state}))
    try:
        yield
    finally:
        file.unlink()


def test_the_banner_comes_and_goes_without_a_reload(node: Node, desks: Desks, staff: Staff) -> None:
    with desks.window(staff.fo) as page:
        page.evaluate("window.notReloaded = true")
        banner = page.locator("#power")
        expect(banner).to_be_hidden()
        with _power(node, stage="on-battery", mains=False, seconds_left=230):
            expect(banner).to_contain_text("sistem mati dalam 3 menit")
            expect(banner).to_be_visible()
        expect(banner).to_be_hidden(timeout=15_000)
        assert page.evaluate("window.notReloaded")


@pytest.mark.parametrize("javascript", [True, False])
def test_what_was_typed_before_a_shutdown_can_be_saved_when_it_did_not_come(
    node: Node, desks: Desks, staff: Staff, javascript: bool
) -> None:
    username = f"siti.{'dengan' if javascript else 'tanpa'}"
    with desks.window(staff.admin, javascript=javascript) as page:
        page.goto("/akun/baru")
        page.get_by_label("Nama lengkap").fill("Siti Aminah")
        page.get_by_label("Nama pengguna").fill(username)
        page.get_by_label("Peran").select_option("fo")
        with _power(node, stage="draining", mains=False, accepts_work=False):
            page.get_by_role("button", name="Buat akun").click()
            page.get_by_text("tidak menerima simpanan baru").first.wait_for()
            expect(page.locator("input[value='Siti Aminah']")).to_be_visible()
        page.get_by_role("button", name="Simpan lagi").click()
        page.get_by_role("heading", name="Akun dibuat").wait_for()


def test_when_the_server_is_gone_the_open_page_says_to_stay(desks: Desks, staff: Staff) -> None:
    with desks.window(staff.fo) as page:
        page.context.set_offline(True)
        expect(page.locator("#power")).to_contain_text("Jangan tutup halaman ini")
        page.context.set_offline(False)
        expect(page.locator("#power")).to_be_hidden(timeout=15_000)


def test_the_first_sign_in_works_without_scripts(node: Node, desks: Desks, staff: Staff) -> None:
    password = node.run(
        lambda: accounts.reset_password(accounts.find_account(staff.pimpinan.username), by=None, at=datetime.now(UTC))
    )
    context = desks.browser.new_context(base_url=node.url, java_script_enabled=False, viewport={"width": 1024, "height": 600})
    page = context.new_page()
    page.goto("/kasus")
    page.get_by_label("Nama pengguna").fill(staff.pimpinan.username)
    page.get_by_label("Kata sandi").fill(password)
    page.get_by_role("button", name="Masuk").click()
    page.get_by_label("Kata sandi sekarang").fill(password)
    page.get_by_label("Kata sandi baru", exact=True).fill(PASSWORD)
    page.get_by_label("Ulangi kata sandi baru").fill(PASSWORD)
    page.get_by_role("button", name="Simpan kata sandi").click()
    page.get_by_text("Kata sandi Anda sudah diganti").wait_for()
    page.locator("details.who summary").click()
    page.get_by_role("button", name="Keluar").click()
    page.get_by_text("Anda sudah keluar.").wait_for()
    context.close()
