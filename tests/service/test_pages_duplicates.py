"""The pages about people who may be registered twice."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

import pytest
from flask import Flask

from appliance import database
from appliance.config import Settings
from appliance.models.roles import Role
from tests.support.desk import resident
from tests.support.pairs import pair_of
from tests.support.staff import FAR, HOME, Staff, hire
from tests.support.web_client import Web, officer, web_app

NIK = "7303014503800001"


@pytest.fixture
def pages(settings: Settings) -> Iterator[Flask]:
    app = web_app(settings)
    yield app
    with app.app_context():
        database.db.engine.dispose()


@pytest.fixture
def staff(pages: Flask) -> Staff:
    with pages.app_context():
        officer("petugas.fo", Role.FO, areas=(HOME,))
        officer("petugas.supervisor", Role.SUPERVISOR)
        return hire()


def signed_in(pages: Flask, name: str) -> Web:
    web = Web(pages)
    assert web.sign_in(name).status_code == 303
    return web


def known(pages: Flask, staff: Staff, name: str = "St. Aminah", **more: str) -> str:
    with pages.app_context():
        return resident(staff.fo, name, **more)


def fields(page: str) -> dict[str, str]:
    """What the page's fields hold: hidden ones, texts, and the radios that are chosen."""
    found = {}
    for field in re.findall(r"<input [^>]+>", page):
        name, value = re.search(r'name="([^"]+)"', field), re.search(r'value="([^"]*)"', field)
        if name and (" checked" in field or ('type="radio"' not in field and 'type="checkbox"' not in field)):
            found[name[1]] = unescape(value[1]) if value else ""
    return found


TYPED = {
    "request_id": "r1",
    "name": "Sitti Aminah",
    "sex": "P",
    "birth_date": "01-01-1980",
    "village_code": HOME,
    "nik_reason": "KTP hilang",
    "address": "Jl. Poros 7",
    "relation": "11",
}


def test_a_lookalike_is_shown_beside_what_was_typed_and_nothing_typed_is_lost(pages: Flask, staff: Staff) -> None:
    one = known(pages, staff, address=TYPED["address"])
    web = signed_in(pages, "petugas.fo")
    answer = web.post("/warga/baru", dict(TYPED))
    assert answer.status_code == 422
    assert f'href="/warga/{one}"' in answer.text
    assert "tanggal lahir sama" in answer.text
    assert answer.text.count("berbeda</span>") == 1  # only the name is written otherwise
    kept = fields(answer.text)
    assert {name: kept[name] for name in ("name", "address", "nik_reason", "birth_date")} == {
        name: TYPED[name] for name in ("name", "address", "nik_reason", "birth_date")
    }
    again = web.post("/warga/baru", {**TYPED, "asked": "1", "despite": "x"})
    assert (again.status_code, "Tulis mengapa ini orang lain" in again.text) == (422, True)
    stored = web.post("/warga/baru", {**TYPED, "asked": "1", "despite": "Saudara kembar, dua KTP"})
    assert stored.status_code == 303
    listed = signed_in(pages, "petugas.supervisor").get("/data-ganda")
    assert "Petugas: Saudara kembar, dua KTP" in listed.text


def test_the_same_nik_cannot_be_kept(pages: Flask, staff: Staff) -> None:
    known(pages, staff, nik=NIK)
    answer = signed_in(pages, "petugas.fo").post("/warga/baru", {**TYPED, "nik": NIK})
    assert "NIK yang sama tidak dapat disimpan dua kali" in answer.text
    assert "Tetap buat baru" not in answer.text
    assert NIK not in re.sub(r'<input id="nik"[^>]+>', "", answer.text)


def test_a_nik_used_elsewhere_is_told_masked_with_the_next_step(pages: Flask, staff: Staff) -> None:
    holder = known(pages, staff, village=FAR, nik=NIK)
    answer = signed_in(pages, "petugas.fo").post("/warga/baru", {**TYPED, "nik": NIK})
    assert answer.status_code == 409
    assert "NIK sudah dipakai oleh S•••• A•••• di Desa" in answer.text
    assert "Cocokkan angkanya dengan KTP" in answer.text
    assert holder not in answer.text
    assert "St. Aminah" not in answer.text


def test_a_supervisor_merges_what_the_page_proposes_and_undoes_it(pages: Flask, staff: Staff) -> None:
    one, other = known(pages, staff, "Sitti Aminah", nik=NIK), known(pages, staff, phone="081234567890")
    with pages.app_context():
        pair = pair_of(one, other, staff.supervisor)
    web = signed_in(pages, "petugas.supervisor")
    seen = fields(web.get(f"/data-ganda/{pair}").text)
    assert (seen["survivor"], seen["pilih-phone"], seen["pilih-name"]) == (one, other, one)
    refused = web.post(f"/data-ganda/{pair}/gabung", {**seen, "pilih-name": other, "reason": ""})
    assert (refused.status_code, fields(refused.text)["pilih-name"]) == (422, other)
    done = web.post(f"/data-ganda/{pair}/gabung", {**seen, "pilih-name": other, "reason": "KTP yang sama"})
    assert done.status_code == 303
    assert "sudah digabungkan" in web.get(f"/data-ganda/{pair}").text
    assert web.get(f"/warga/{other}").headers["Location"] == f"/warga/{one}"
    person = web.get(f"/warga/{one}").text
    assert "<title>St. Aminah" in person
    assert done.headers["Location"] in person
    undo = done.headers["Location"] + "/batal"
    assert web.post(undo, {"reason": ""}).status_code == 422
    assert web.post(undo, {"reason": "Ternyata dua orang"}).status_code == 303
    assert "Ternyata dua orang" in web.get(done.headers["Location"]).text
    assert web.get(f"/warga/{other}").status_code == 200


def test_what_is_no_duplicate_leaves_the_list(pages: Flask, staff: Staff) -> None:
    one, other = known(pages, staff, "Sitti Aminah"), known(pages, staff)
    with pages.app_context():
        pair = pair_of(one, other, staff.supervisor)
    web = signed_in(pages, "petugas.supervisor")
    assert f"/data-ganda/{pair}" in web.get("/data-ganda").text
    assert f"/data-ganda/{pair}" in web.get(f"/warga/{one}").text
    seen = fields(web.get(f"/data-ganda/{pair}").text)
    assert web.post(f"/data-ganda/{pair}/bukan", {**seen, "other_reason": ""}).status_code == 422
    assert web.post(f"/data-ganda/{pair}/bukan", {**seen, "other_reason": "Dua orang, KTP berbeda"}).status_code == 303
    assert f"/data-ganda/{pair}" not in web.get("/data-ganda").text
    assert "Dua orang, KTP berbeda" in web.get(f"/data-ganda/{pair}").text


def test_the_list_goes_on_where_the_page_ended(pages: Flask, staff: Staff) -> None:
    with pages.app_context():
        made = {pair_of(resident(staff.fo), resident(staff.fo), staff.supervisor) for _ in range(27)}
    web = signed_in(pages, "petugas.supervisor")
    first = web.get(f"/data-ganda?wilayah={HOME}").text
    following = re.search(r'rel="next" href="([^"]+)"', first)
    assert following
    second = web.get(unescape(following[1])).text
    shown = [set(re.findall(r"/data-ganda/([0-9a-f-]{36})", page)) for page in (first, second)]
    assert (len(shown[0]), len(shown[1]), shown[0] | shown[1]) == (25, 2, made)
