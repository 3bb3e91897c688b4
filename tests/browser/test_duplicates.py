"""The supervisor's way in a browser: find who is registered twice, compare, merge, undo; every page fit for everybody."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from appliance.registry import people
from tests.support import journey
from tests.support.browser import Desks, Node
from tests.support.journey import Staff
from tests.support.pairs import pair_of

GRAVE = {"serious", "critical"}


@pytest.fixture(scope="module")
def pair(node: Node, staff: Staff) -> str:
    def make() -> str:
        at, by = datetime.now(UTC), node.actor(staff.fo)
        rest: dict[str, Any] = {"village_code": journey.VILLAGE, "birth_date": date(1964, 3, 9), "nik_reason": "KTP hilang"}
        both = [
            people.NewPerson(name, "P", phone=phone, **rest)
            for name, phone in (("Sitti Kanang", ""), ("St. Kanang", "081234567890"))
        ]
        ids = [people.register_person(one, request_id=f"twin {one.name}", by=by, at=at) for one in both]
        return pair_of(*ids, by=node.actor(staff.supervisor))

    found: str = node.run(make)
    return found


def test_a_supervisor_compares_merges_and_undoes(desks: Desks, staff: Staff, pair: str) -> None:
    with desks.window(staff.supervisor, viewport={"width": 1024, "height": 600}) as page:
        page.goto("/data-ganda")
        fit(page)
        page.get_by_role("link", name="Bandingkan Sitti Kanang dan St. Kanang").click()
        fit(page)
        page.get_by_label("0812-3456-7890").check()
        page.get_by_label("Alasan digabungkan").fill("Orang yang sama")
        page.get_by_role("button", name="Gabungkan").click()
        expect(page.get_by_text("Kedua data sudah digabungkan")).to_be_visible()
        fit(page)
        page.get_by_label("Alasan membatalkan").fill("Ternyata dua orang")
        page.get_by_role("button", name="Batalkan penggabungan").click()
        expect(page.get_by_text("kedua data kembali seperti semula")).to_be_visible()


def test_who_is_like_the_new_one_is_shown_to_everybody_who_can_look(desks: Desks, staff: Staff, pair: str) -> None:
    with desks.window(staff.fo, viewport={"width": 1024, "height": 600}) as page:
        page.goto("/warga/baru")
        page.get_by_label("Nama lengkap").fill("Sitti Kanang")
        page.get_by_label("Perempuan").check()
        page.get_by_label("Alasan tanpa NIK").fill("KTP hilang, NIK tidak diingat")
        page.get_by_label("Desa atau kelurahan").select_option(journey.VILLAGE)
        page.get_by_role("button", name="Daftarkan warga").click()
        expect(page.get_by_role("heading", name="Mungkin warga ini sudah terdaftar")).to_be_visible()
        fit(page)


def fit(page: Page) -> None:
    """Nothing grave that axe finds, and no sideways scrolling on the tablet, held either way."""
    page.wait_for_load_state()
    found = Axe().run(page).response["violations"]
    assert [(each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in GRAVE] == []
    for width in (600, 1024):
        page.set_viewport_size({"width": width, "height": 600})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
