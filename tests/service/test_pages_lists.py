"""Lists of the pages: narrowing, paging, and addresses that tell nothing and survive nonsense."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask

from appliance import database
from appliance.access import Actor
from appliance.casework import cases, catalogue
from appliance.config import Settings
from appliance.models.roles import Role
from appliance.registry import people
from tests.support.staff import AT, HOME, NEIGHBOUR, hire
from tests.support.web_client import Web, officer, web_app

MANY = 27  # two more than a page holds


@pytest.fixture
def pages(settings: Settings) -> Iterator[Flask]:
    app = web_app(settings)
    with app.app_context():
        officer("petugas.bo", Role.BO)
        officer("petugas.fo", Role.FO)
        staff = hire()
        for number in range(MANY):
            _case(staff.fo, number)
        database.db.session.remove()
    yield app
    with app.app_context():
        database.db.engine.dispose()


def _case(by: Actor, number: int) -> None:
    """Case `number` of a person named by it; the last one is of the neighbours' village."""
    village = NEIGHBOUR if number == MANY - 1 else HOME
    person = people.NewPerson(f"Warga {chr(65 + number)}mir", "L", village, nik=f"730301120580{number + 1:04d}")
    resident = people.register_person(person, request_id=f"p{number}", by=by, at=AT)
    new = cases.NewCase(resident, catalogue.service_types()[0].id, "saran", "Uraian", informed=True)
    cases.open_case(new, request_id=f"c{number}", by=by, at=AT + timedelta(minutes=number))


@pytest.fixture
def web(pages: Flask) -> Web:
    browser = Web(pages)
    browser.sign_in("petugas.bo")
    return browser


def _numbers(text: str) -> list[int]:
    return [int(found) for found in re.findall(r">SLRT-7303-\d{6}-(\d{5})</a>", text)]


def test_a_list_has_pages_and_they_keep_the_filter(web: Web) -> None:
    first = web.get("/kasus?tampil=semua&status=BARU").text
    assert _numbers(first) == list(range(27, 2, -1))
    assert f"{MANY} kasus" in first
    following = re.search(r'rel="next" href="([^"]+)"', first)
    assert following
    query = parse_qs(urlsplit(following[1].replace("&amp;", "&")).query)
    assert set(query) == {"sesudah", "tampil", "status"}
    assert (query["tampil"], query["status"]) == (["semua"], ["BARU"])
    assert _numbers(web.get(following[1].replace("&amp;", "&")).text) == [2, 1]


NARROWED: tuple[tuple[dict[str, object], list[int]], ...] = (
    ({"text": "730301120580 0003"}, [3]),
    ({"text": "cmir"}, [3]),
    ({"village_code": NEIGHBOUR}, [27]),
    ({"state": "DITUTUP"}, []),
    ({"area_code": NEIGHBOUR[:8], "owner": "belum", "age": "30-"}, []),
    ({"service_code": "bukan-layanan"}, []),
    ({"text": "SLRT-7303-202611-0002"}, [27, 26, 25, 24, 23, 22, 21, 20]),
)


def test_a_list_is_narrowed_and_its_address_tells_nothing(web: Web) -> None:
    for typed, found in NARROWED:
        web.get("/kasus")
        answer = web.post("/kasus/cari", {"view": "semua", **typed})
        assert answer.status_code == 303
        if "text" in typed:
            assert not re.search("cmir|7303", answer.location)
        shown = web.get(answer.location).text
        assert _numbers(shown) == found, typed
        assert f'value="{typed.get("text", "")}"' in shown


def test_a_whole_number_leads_straight_to_the_case_and_a_nik_to_the_person(web: Web) -> None:
    web.get("/warga")
    assert re.fullmatch(r"/kasus/[0-9a-f-]{36}", web.post("/warga/cari", {"q": "slrt-7303-202611-00005"}).location)
    assert re.fullmatch(r"/warga/[0-9a-f-]{36}", web.post("/warga/cari", {"q": "7303 0112 0580 0005"}).location)
    assert "Warga Emir" in web.get(web.post("/warga/cari", {"q": "emir"}).location).text


def test_a_search_that_finds_nobody_is_carried_into_the_form(pages: Flask) -> None:
    web = Web(pages)
    web.sign_in("petugas.fo")
    for typed, field in (("7303015205850099", "nik"), ("Tidak Pernah Ada", "name")):
        listing = web.get(web.post("/warga/cari", {"q": typed}).location).text
        link = re.search(r'href="(/warga/baru\?[^"]+)"', listing)
        assert link
        assert typed not in link[1]
        form = web.get(link[1].replace("&amp;", "&")).text
        assert re.search(rf'name="{field}"[^>]* value="{typed}"', form)


NONSENSE = (
    "/kasus?tampil=apa&status=XYZ&desa=9&sesudah=-3&cari=bukan-token&umur=9&petugas=x&kecamatan=%27&layanan=%00&prioritas=z",
    "/kasus?sesudah=0~0001-01-01~x&tampil=verifikasi",
    "/kasus?sesudah=2~2026-11-25~%00&tampil=verifikasi",
    "/rujukan?page=999999999999999999999",
    "/warga?cari=%00%ff&desa='",
    "/rujukan?status=NGAWUR&page=0",
)
MISSING = ("/kasus/x", "/warga/x", "/rujukan/x", "/kasus/x/rujukan-baru")


def test_nonsense_in_an_address_shows_a_list_and_what_is_not_there_is_not_found(web: Web) -> None:
    assert [(path, web.get(path).status_code) for path in NONSENSE] == [(path, 200) for path in NONSENSE]
    assert [(path, web.get(path).status_code) for path in MISSING] == [(path, 404) for path in MISSING]


def test_a_step_that_does_not_exist_is_not_taken(web: Web) -> None:
    first = re.search(r'href="(/kasus/[0-9a-f-]{36})"', web.get("/kasus?tampil=semua").text)
    assert first
    page = web.get(first[1]).text
    version = re.search(r'name="row_version" value="(\d+)"', page)
    assert version
    answer = web.post(f"{first[1]}/langkah/hapus", {"row_version": version[1]})
    assert answer.status_code == 422
    assert "Langkah ini tidak dikenal" in answer.text
    assert web.post("/rujukan/x/hapus").status_code == 404
