"""The page of the calendar: what is typed there, a decree as a file, and mistakes that change nothing. And the queues on the first page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from io import BytesIO

import pytest
import sqlalchemy as sa
from flask import Flask

from appliance import database
from appliance.config import Settings
from appliance.database import db
from appliance.models.deadline import Holiday, OfficeHours, StageLimit
from appliance.models.roles import Role
from tests.support.desk import open_case
from tests.support.staff import hire
from tests.support.web_client import Web, officer, web_app


@pytest.fixture
def pages(settings: Settings) -> Iterator[Flask]:
    app = web_app(settings)
    with app.app_context():
        officer("petugas.admin", Role.ADMIN)
        officer("petugas.bo", Role.BO)
        open_case(hire().fo)
        database.db.session.remove()
    yield app
    with app.app_context():
        database.db.engine.dispose()


def enter(pages: Flask, name: str) -> Web:
    web = Web(pages)
    web.sign_in(name)
    return web


def stored(pages: Flask) -> tuple[int, int]:
    with pages.app_context():
        tables: tuple[type[Holiday] | type[OfficeHours], ...] = (Holiday, OfficeHours)
        first, second = (db.session.scalar(sa.select(sa.func.count()).select_from(table)) or 0 for table in tables)
        return first, second


def test_days_hours_and_limits_are_kept_by_the_page(pages: Flask) -> None:
    web = enter(pages, "petugas.admin")
    days, hours = stored(pages)
    page = web.get("/kalender?tahun=2027").text
    assert "Hari Suci Nyepi" in page
    assert (
        web.post("/kalender/libur?tahun=2027", {"day": "7-12-2027", "name": "Hari Jadi", "kind": "libur_daerah"}).status_code
        == 303
    )
    decree = "tanggal;nama;jenis\n2028-01-01;Tahun Baru 2028;Libur nasional\n02-01-2028;Cuti;cuti bersama\n"
    assert "belum diisi" in web.get("/kalender?tahun=2028").text
    sent = web.post("/kalender/impor?tahun=2028", {"file": (BytesIO(decree.encode()), "skb.csv")})
    assert sent.status_code == 303
    shown = web.get(sent.location).text
    assert "Tahun Baru 2028" in shown
    assert "sedang dihitung ulang" in shown
    ramadan = {f"opens-{day}": "8.00" for day in range(5)} | {f"closes-{day}": "15.00" for day in range(5)}
    period = {"name": "Ramadan 1449 H", "starts": "28-01-2028", "ends": "26-02-2028", **ramadan}
    assert web.post("/kalender/jam", period).status_code == 303
    assert "Senin 08.00–15.00" in web.get("/kalender").text
    limit = {"service_code": "", "state": "TELAAH", "amount": "90", "unit": "menit"}
    assert web.post("/kalender/batas", limit).status_code == 303
    assert "90 menit kerja" in web.get("/kalender").text
    removal = re.search(r'action="(/kalender/libur/[^"]+/hapus[^"]*)"', web.get("/kalender?tahun=2028").text)
    assert removal
    assert web.post(removal[1]).status_code == 303
    assert stored(pages) == (days + 2, hours + 1)
    with pages.app_context():
        assert db.session.scalar(sa.select(StageLimit.amount).where(StageLimit.state == "TELAAH")) == 90
        assert db.session.scalar(sa.select(Holiday.day).where(Holiday.name == "Hari Jadi")) == date(2027, 12, 7)


def test_mistakes_are_shown_where_they_are_and_change_nothing(pages: Flask) -> None:
    web = enter(pages, "petugas.admin")
    before = stored(pages)
    wrong = "2028-01-01,Tahun Baru,libur nasional\n31-02-2028,,apa saja\n"
    for path, typed, told in (
        ("/kalender/libur", {"day": "31-02-2027", "name": "X", "kind": "libur_daerah"}, "Isi tanggal"),
        ("/kalender/libur", {"day": "25-12-2026", "name": "X", "kind": "libur_daerah"}, "sudah tercatat"),
        ("/kalender/impor", {"file": (BytesIO(wrong.encode()), "skb.csv")}, "Baris 2"),
        ("/kalender/impor", {"file": (BytesIO(b"\xff\xfe\x00"), "skb.csv")}, "tidak terbaca"),
        ("/kalender/jam", {"usual": "ya"}, "paling sedikit satu hari"),
        ("/kalender/jam", {"usual": "ya", "opens-0": "16.00", "closes-0": "8"}, "jam tutup"),
        ("/kalender/batas", {"state": "TELAAH", "amount": "-1", "unit": "menit"}, "0 sampai 9999"),
    ):
        answer = web.post(path, typed)
        assert answer.status_code == 422, path
        assert told in answer.text, path
    assert stored(pages) == before


def test_the_first_page_tells_what_waits_and_leads_there(pages: Flask) -> None:
    web = enter(pages, "petugas.bo")
    home = web.get("/").text
    assert "Perlu verifikasi" in home
    link = re.search(r'href="(/kasus\?tampil=verifikasi&amp;umur=[^"]+)">1<', home)
    assert link
    listing = web.get(link[1].replace("&amp;", "&")).text
    assert "1 kasus." in listing
    assert "tampil=perbaikan" not in listing, "not a queue of the back office"
