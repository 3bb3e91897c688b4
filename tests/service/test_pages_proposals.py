"""The pages of proposals: the way from the resident to the entry, what is told of the window, and what comes too late."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from appliance import database
from appliance.config import Settings
from appliance.database import db
from appliance.models.proposal import Proposal
from appliance.models.roles import Role
from tests.support.desk import resident
from tests.support.pictures import photo
from tests.support.staff import HOME, hire
from tests.support.web_client import Web, officer, web_app

NIK = "7303014101800001"
ROLES = {"nur": Role.FASILITATOR, "andi": Role.BO, "rahma": Role.SUPERVISOR, "hasan": Role.MANAJER}


@pytest.fixture
def pages(settings: Settings) -> Iterator[Flask]:
    app = web_app(settings)
    with app.app_context():
        for name, role in ROLES.items():
            officer(f"petugas.{name}", role, areas=(HOME,) if role is Role.FASILITATOR else ("73.03",))
        database.db.session.remove()
    yield app
    with app.app_context():
        database.db.engine.dispose()


@pytest.fixture
def person(pages: Flask) -> str:
    """Somebody of HOME on a card, with a NIK that agrees with her papers."""
    with pages.app_context():
        made = resident(hire().fo, nik=NIK, kk="7303010101100001", address="Jl. Kartini 12")
        database.db.session.remove()
        return made


def enter(pages: Flask, name: str) -> Web:
    web = Web(pages)
    assert web.sign_in(f"petugas.{name}").status_code == 303
    return web


def stored(pages: Flask) -> tuple[str, str, int]:
    """The identifier, state and version of the one proposal."""
    with pages.app_context():
        row = db.session.execute(sa.select(Proposal.id, Proposal.state, Proposal.row_version)).one()
        return row.id, row.state, row.row_version


def step(web: Web, pages: Flask, action: str, **typed: str) -> TestResponse:
    """Open the page of the proposal and press the button of a step."""
    proposal, _, version = stored(pages)
    web.get(f"/usulan/{proposal}?langkah={action}")
    return web.post(f"/usulan/{proposal}/langkah/{action}", {"row_version": str(version), **typed})


def hold_meeting(village: Web, proposal: str) -> None:
    """A meeting agrees to the proposal, and its paper is signed."""
    village.get("/usulan/musyawarah/baru")
    meeting = {
        "kind": "musyawarah",
        "village_code": HOME,
        "held_on": "12-11-2026",
        "leader": "H. Baso",
        "place": "Kantor",
        "request_id": "m",
    }
    made = village.post("/usulan/musyawarah/baru", {**meeting, "attendance": "H. Baso, lurah\nHasnah"}).headers["Location"]

    def act(what: str, **typed: object) -> TestResponse:
        found = re.search(r'name="row_version" value="(\d+)"', village.get(made).text)
        assert found
        return village.post(f"{made}/{what}", {"row_version": found[1], **typed})

    assert act("agenda", chosen=proposal).status_code == 303
    unreasoned = act("keputusan", proposal=proposal, **{f"decision-{proposal}": "tolak"})
    assert (unreasoned.status_code, "Tulis alasan" in unreasoned.text) == (422, True)
    assert act("keputusan", proposal=proposal, all="1").status_code == 303
    assert "ditahan" in village.get(made).text
    assert act("tanda-tangan", signed_on="13-11-2026", file=(BytesIO(b"bukan foto"), "a.jpg")).status_code == 422
    assert act("tanda-tangan", signed_on="13-11-2026", file=(BytesIO(photo()), "a.jpg")).status_code == 303
    assert village.get(f"{made}/pindaian").mimetype == "image/jpeg"


def test_from_the_residents_page_to_the_tick(pages: Flask, person: str) -> None:
    village = enter(pages, "nur")
    assert "Usulkan ke DTSEN" in village.get(f"/warga/{person}").text
    village.get(f"/warga/{person}/usulan-baru")
    empty = village.post(f"/warga/{person}/usulan-baru", {"reason": "Belum terdaftar dan tidak mampu.", "family": "ya"})
    assert (empty.status_code, "Pilih jenis usulan." in empty.text, "Belum terdaftar dan tidak mampu." in empty.text) == (
        422,
        True,
        True,
    )
    known = {"kind": "usul_baru", "family": "ya", "reason": "Belum terdaftar dan tidak mampu.", "request_id": "once"}
    for _ in range(2):
        assert village.post(f"/warga/{person}/usulan-baru", known).status_code == 303
    proposal, state, _ = stored(pages)
    assert state == "DIAJUKAN"
    hold_meeting(village, proposal)

    office = enter(pages, "andi")
    assert step(office, pages, "periksa").status_code == 303
    manager = enter(pages, "hasan")
    listed = manager.get("/usulan?antrean=tetapkan").text
    assert f'value="{proposal}" checked' in listed
    version = str(stored(pages)[2])
    assert manager.post("/usulan/bersama/tetapkan", {"chosen": proposal, f"version-{proposal}": "1"}).status_code == 422
    assert manager.post("/usulan/bersama/tetapkan", {"chosen": proposal, f"version-{proposal}": version}).status_code == 303

    assert NIK not in office.get(f"/usulan/entri?desa={HOME}").text
    rows = office.post("/usulan/entri/salin", {"desa": HOME}).text
    assert f'value="{NIK}"' in rows
    assert f"{NIK}\t7303010101100001\tSitti Aminah" in rows
    version = str(stored(pages)[2])
    ticked = {
        "desa": HOME,
        "entered": proposal,
        f"version-{proposal}": version,
        f"outside-{proposal}": "S-1",
        "entered_on": "20-11-2026",
    }
    assert office.post("/usulan/entri/tandai", {**ticked, "entered_on": "besok"}).status_code == 422
    assert office.post("/usulan/entri/tandai", ticked).status_code == 303
    assert stored(pages)[1] == "DIENTRI"
    sheet = (BytesIO(f"NIK;Hasil\n{NIK};diterima\n".encode()), "hasil.csv")
    assert office.post("/usulan/hasil", {"result_on": "21-11-2026", "file": sheet}).status_code == 303
    assert stored(pages)[1] == "DITERIMA"


def test_the_last_day_is_told(pages: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    web = enter(pages, "nur")
    for day, words in ((16, "1 hari kerja lagi"), (17, "Hari ini hari terakhir"), (18, "Jendela Desember 2026 belum dibuka")):
        monkeypatch.setattr("webui.proposals.now", lambda day=day: datetime(2026, 11, day, 2, tzinfo=UTC))
        assert words in web.get("/usulan").text, day


def test_the_manager_sets_the_window(pages: Flask) -> None:
    manager = enter(pages, "hasan")
    manager.get("/usulan/jendela")
    days = {"opens_day": "1", "closes_day": "20", "result_days": "15"}
    assert manager.post("/usulan/jendela", {**days, "special": "1", "period": "kapan-kapan"}).status_code == 422
    assert manager.post("/usulan/jendela", {**days, "closes_day": "x"}).status_code == 422
    assert manager.post("/usulan/jendela", {**days, "special": "1", "period": "3-2099"}).status_code == 303
    assert "Maret 2099" in manager.get("/usulan/jendela").text
    assert manager.post("/usulan/jendela/hapus", {"period": "2099-03"}).status_code == 303
    assert "Maret 2099" not in manager.get("/usulan/jendela").text


def test_who_is_slower_keeps_what_she_typed(pages: Flask, person: str) -> None:
    village, office = enter(pages, "nur"), enter(pages, "andi")
    village.get(f"/warga/{person}/usulan-baru")
    known = {
        "kind": "usul_baru",
        "family": "ya",
        "reason": "Belum terdaftar dan tidak mampu.",
        "request_id": "once",
        "draft": "1",
    }
    assert village.post(f"/warga/{person}/usulan-baru", known).status_code == 303
    proposal, state, old = stored(pages)
    assert state == "DRAF"
    office.get(f"/usulan/{proposal}/ubah")
    mine = {"kind": "usul_baru", "family": "ya", "reason": "Alasan dari Back Office.", "row_version": str(old)}
    assert office.post(f"/usulan/{proposal}/ubah", mine).status_code == 303
    village.get(f"/usulan/{proposal}/ubah")
    late = village.post(f"/usulan/{proposal}/ubah", {**mine, "reason": "Alasan dari desa."})
    assert (late.status_code, "Alasan dari desa." in late.text) == (409, True)
    tried = village.post(f"/usulan/{proposal}/langkah/tarik", {"row_version": str(old), "note": "Keliru orang"})
    assert (tried.status_code, "diubah oleh petugas lain" in tried.text) == (409, True)
    assert step(village, pages, "ajukan").status_code == 303
    assert step(village, pages, "terbang").status_code == 422
    assert stored(pages)[1] == "DIAJUKAN"
