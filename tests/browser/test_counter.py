"""How much an officer at the counter types and presses until the citizen has her slip."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from playwright.sync_api import Page

from appliance.registry import people
from tests.support import journey
from tests.support.browser import Desks, Node, go
from tests.support.journey import Staff

# What the browser itself says was changed or pressed, each control once on each page; kept over the pages of one window.
COUNT = """
addEventListener("DOMContentLoaded", () => {
  const note = (kind, name) => {
    const noted = JSON.parse(sessionStorage.getItem(kind) || "[]"), mark = location.pathname + " " + name
    if (!noted.includes(mark)) sessionStorage.setItem(kind, JSON.stringify([...noted, mark]))
  }
  addEventListener("change", event => note("fields", event.target.name), true)
  addEventListener("click", event => {
    const pressed = event.target.closest("a, button, summary")
    if (pressed && event.isTrusted) note("presses", pressed.innerText)
  }, true)
})
"""
FEW = 12


@dataclass(frozen=True)
class Counted:
    """What was filled in, and what was pressed."""

    fields: list[str]
    presses: list[str]


def _counted(page: Page) -> Counted:
    fields, presses = page.evaluate("['fields', 'presses'].map(kind => JSON.parse(sessionStorage.getItem(kind) || '[]'))")
    return Counted(fields, presses)


def _to_the_slip(page: Page) -> Counted:
    """From the page of the citizen on."""
    go(page, page.get_by_role("link", name="Buka kasus baru").first)  # on half a page nothing is counted
    page.get_by_role("heading", name="Buka kasus baru").wait_for()
    page.get_by_label("Layanan yang diperlukan").select_option(index=1)
    page.get_by_label("Uraian", exact=True).fill(journey.DESCRIPTION)
    page.get_by_label("Pemberitahuan sudah dibacakan").check()
    go(page, page.get_by_role("button", name="Buka kasus"))
    go(page, page.get_by_role("link", name="Cetak slip"))
    page.get_by_role("heading", name="Tanda Terima").wait_for()
    return _counted(page)


def test_a_citizen_who_is_known_has_her_slip_after_fewer_than_twelve(desks: Desks, node: Node, staff: Staff, nik: str) -> None:
    new = people.NewPerson("Sitti Rabiah Daeng Te'ne", "P", journey.VILLAGE, nik=nik)
    node.run(lambda: people.register_person(new, request_id=nik, by=node.actor(staff.fo), at=datetime.now(UTC)))
    with desks.window(staff.fo) as page:
        page.context.add_init_script(COUNT)
        page.goto("/")
        page.get_by_placeholder("NIK, nomor KK, atau nama").fill(nik)
        go(page, page.get_by_role("button", name="Cari warga"))
        page.get_by_role("heading", name="Sitti Rabiah").wait_for()
        counted = _to_the_slip(page)
    assert len(counted.fields) == 4, counted.fields
    assert len(counted.fields) + len(counted.presses) < FEW, counted


def test_a_citizen_who_is_new_is_registered_and_served_with_fewer_than_twelve_inputs(desks: Desks, staff: Staff) -> None:
    with desks.window(staff.fo) as page:
        page.context.add_init_script(COUNT)
        page.goto("/")
        page.get_by_placeholder("NIK, nomor KK, atau nama").fill("7303024505789901")
        go(page, page.get_by_role("button", name="Cari warga"))
        go(page, page.get_by_role("main").get_by_role("link", name="Daftarkan warga baru").last)
        page.get_by_label("Nama lengkap").fill("Hasnah Daeng Ngalle")
        page.get_by_label("Perempuan").check()
        page.get_by_label("Desa atau kelurahan").select_option(journey.VILLAGE)
        page.get_by_label("Jalan, nomor, atau patokan").fill("Jl. Kartini 12, dekat masjid")
        go(page, page.get_by_role("button", name="Daftarkan warga"))
        page.get_by_role("heading", name="Hasnah Daeng Ngalle", level=1).wait_for()
        counted = _to_the_slip(page)
    assert len(counted.fields) == 8, counted.fields
