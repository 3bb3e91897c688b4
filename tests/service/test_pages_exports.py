"""The pages of exports: asking with a reason, fetching the file, asking again when it is gone, choosing columns."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.datastructures import MultiDict

from appliance import database
from appliance.config import Settings
from appliance.exchange.exports import remove_expired
from appliance.gate import Gate
from appliance.models.roles import Role
from appliance.work import Work, do_everything
from tests.support.desk import resident
from tests.support.staff import HOME, hire
from tests.support.web_client import Web, officer, web_app
from webui.forms.exports import columns_typed

NIK = "7303014101800001"
TYPED = {
    "layout": "siksng",
    "masked": "lengkap",
    "format": "xlsx",
    "area_codes": HOME,
    "status": "hidup",
    "age_from": "18",
    "reason": "siksng",
    "reason_note": "Usulan bulan November",
    "recipient": "Operator SIKS-NG",
}


@pytest.fixture
def pages(settings: Settings) -> Iterator[Flask]:
    app = web_app(settings)
    with app.app_context():
        for name, role in (("bo", Role.BO), ("bo.lain", Role.BO), ("manajer", Role.MANAJER), ("pimpinan", Role.PIMPINAN)):
            officer(name, role)
        resident(hire().fo, "Sitti Aminah", nik=NIK)
    yield app
    with app.app_context():
        database.db.engine.dispose()


def enter(pages: Flask, name: str) -> Web:
    web = Web(pages)
    assert web.sign_in(name).status_code == 303
    return web


def work_through(pages: Flask, settings: Settings) -> None:
    folder = Path(settings.paths.runtime)
    with pages.app_context():
        do_everything(Work(settings, lambda: datetime.now(UTC), lambda: False), Gate(folder / "gate.lock", folder / "state.json"))


def test_a_list_is_asked_for_fetched_and_gone(pages: Flask, settings: Settings) -> None:
    web = enter(pages, "bo")
    assert "Belum ada ekspor" in web.get("/ekspor").text
    web.get("/ekspor/baru")
    where = web.post("/ekspor/baru", {"request_id": "a", **TYPED}).headers["Location"]
    assert "Menunggu giliran" in web.get(where).text
    assert web.get(f"{where}/keadaan").json == {"state": "menunggu", "percent": None, "done": "0"}
    assert web.get(f"{where}/berkas").status_code == 409
    work_through(pages, settings)
    page = web.get(where).text
    assert "Siap diunduh: 1 baris" in page
    assert "umur 18 tahun ke atas" in page
    file = web.get(f"{where}/berkas")
    assert file.status_code == 200
    assert file.headers["Content-Disposition"].startswith("attachment; filename=daftar-siksng-")
    assert file.headers["Cache-Control"] == "no-store"
    assert file.data.startswith(b"PK")
    assert "Unduh" in web.get("/ekspor").text
    assert enter(pages, "bo.lain").get(f"{where}/berkas").status_code == 404
    with pages.app_context():
        assert remove_expired(settings, at=datetime.now(UTC) + timedelta(hours=25)) == 1
    gone = web.get(f"{where}/berkas")
    assert gone.status_code == 410
    assert "kedaluwarsa" in gone.text
    again = web.get(f"/ekspor/baru?dari={where.rpartition('/')[2]}").text
    assert f'value="{HOME}" checked' in again
    assert "Operator SIKS-NG" in again
    assert "Usulan bulan November" not in again


def test_a_file_is_deleted_early(pages: Flask, settings: Settings) -> None:
    web = enter(pages, "bo")
    where = web.post("/ekspor/baru", {"request_id": "a", **TYPED}).headers["Location"]
    work_through(pages, settings)
    web.get(where)
    assert "sudah dihapus" in web.get(web.post(f"{where}/hapus").headers["Location"]).text
    assert web.get(f"{where}/berkas").status_code == 410


def test_what_is_missing_is_told_beside_what_was_typed(pages: Flask) -> None:
    web = enter(pages, "bo")
    answer = web.post("/ekspor/baru", {**TYPED, "request_id": "a", "reason": "", "age_from": "x9"})
    assert answer.status_code == 422
    assert "Tulis umur dengan angka" in answer.text
    answer = web.post("/ekspor/baru", {**TYPED, "request_id": "a", "reason": "", "masked": "samar"})
    assert "Pilih alasan." in answer.text
    assert "hanya berguna dengan NIK dan nomor KK lengkap" in answer.text
    assert "Usulan bulan November" in answer.text


def test_who_sees_masked_numbers_is_offered_nothing_else(pages: Flask) -> None:
    page = enter(pages, "pimpinan").get("/ekspor/baru").text
    assert "Urutan SIKS-NG" not in page
    assert 'value="lengkap"' not in page
    assert "Urutan SIKS-NG" in enter(pages, "bo").get("/ekspor/baru").text


def test_the_manager_chooses_the_columns(pages: Flask) -> None:
    web = enter(pages, "manajer")
    assert "Urutan SIKS-NG" in web.get("/ekspor/susunan").text
    page = web.get("/ekspor/susunan/siksng").text
    assert page.index('name="place-nik"') < page.index('name="place-nama"') < page.index('name="place-agama"')
    typed = {"row_version": "0", "place-nama": "1", "heading-nama": "NAMA", "place-nik": "2", "heading-nik": "NIK"}
    assert web.post("/ekspor/susunan/siksng", typed).status_code == 303
    page = web.get("/ekspor/susunan/siksng").text
    assert page.index('name="place-nama"') < page.index('name="place-nik"')
    assert 'value="NAMA"' in page
    assert web.post("/ekspor/susunan/siksng", typed).status_code == 409
    assert web.post("/ekspor/susunan/siksng", {**typed, "row_version": "1", "heading-nik": ""}).status_code == 422
    assert web.post("/ekspor/susunan/siksng", {"row_version": "1", "bawaan": "1"}).status_code == 303
    assert 'value="NAMA"' not in web.get("/ekspor/susunan/siksng").text
    assert web.get("/ekspor/susunan/lain").status_code == 404


def test_columns_are_read_by_their_numbers() -> None:
    typed = MultiDict({"place-a": "2", "heading-a": " A  a ", "place-b": "1", "heading-b": "B", "place-c": "", "place-d": "x"})
    assert columns_typed(typed, ["a", "b", "c", "d", "e"]) == [("b", "B"), ("a", "A a")]
