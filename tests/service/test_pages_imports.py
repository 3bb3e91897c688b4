"""The pages of imports, walked through by a browser without scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from io import BytesIO
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from python_calamine import CalamineWorkbook
from werkzeug.test import TestResponse
from xlsxwriter import Workbook

from appliance import database
from appliance.access import Actor, Grant
from appliance.config import Settings
from appliance.database import db
from appliance.exchange.sheets import MEGABYTE, MOST_BYTES
from appliance.models.imports import Import
from appliance.models.person import Person
from appliance.models.programme import Programme
from appliance.models.roles import Role
from tests.support.desk import resident
from tests.support.importing import work
from tests.support.opensid import CARD, CHILD, FAMILY, HEAD, population
from tests.support.staff import HOME
from tests.support.surveys import HOUSE, MAN, WOMAN, bdt
from tests.support.web_client import Web, officer, web_app

MIXED = population(*FAMILY, HEAD | {"nama": "=cmd|' /C calc'!A0", "nik": "7.303E+15"})


@pytest.fixture
def pages(settings: Settings) -> Iterator[Flask]:
    app = web_app(settings)
    with app.app_context():
        officer("bo.andi", Role.BO)
        officer("bo.lain", Role.BO, areas=("73.03.06",))
        db.session.remove()
    yield app
    with app.app_context():
        database.db.engine.dispose()


@pytest.fixture
def web(pages: Flask) -> Web:
    web = Web(pages)
    web.sign_in("bo.andi")
    web.get("/impor")
    return web


def upload(web: Web, content: bytes, name: str = "penduduk.xlsx", request_id: str = "r1") -> TestResponse:
    return web.post("/impor", {"file": (BytesIO(content), name), "request_id": request_id})


def typed(page: TestResponse) -> dict[str, object]:
    """The form of the mapping screen as it stands there, with the village chosen."""
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text))
    for name, options in re.findall(r'<select id="[^"]+" name="(kolom-[\w.-]+)".*?>(.*?)</select>', page.text, re.DOTALL):
        chosen = re.search(r'value="(\d+)" selected', options)
        if chosen:
            fields[name] = chosen[1]
    fields.pop("csrf_token")
    return {**fields, "village_code": HOME, "existing": "isi"}


def work_off(pages: Flask, settings: Settings) -> None:
    with pages.app_context():
        assert work(settings) == 1
        db.session.remove()


def test_from_the_upload_to_the_undo(pages: Flask, web: Web, settings: Settings) -> None:
    answer = upload(web, MIXED)
    assert answer.status_code == 303
    path = answer.location
    mapping = web.get(path)
    assert "Pasangkan kolom" in mapping.text
    assert "7303011206750001" not in mapping.text
    assert web.post(f"{path}/periksa", typed(mapping)).status_code == 303
    waiting = web.get(path)
    assert (waiting.headers["Refresh"], "Menunggu giliran" in waiting.text) == ("3", True)
    work_off(pages, settings)
    report = web.get(path)
    assert "Refresh" not in report.headers
    assert "Simpan 3 baris" in report.text
    assert "G5" in web.get(f"{path}?isi=salah").text
    version = re.search(r'name="row_version" value="(\d+)"', report.text)
    assert version
    assert web.post(f"{path}/simpan", {"row_version": version[1]}).status_code == 303
    work_off(pages, settings)
    done = web.get(path)
    assert "Tersimpan" in done.text
    assert re.search(r'href="/warga/[\w-]+">BAHARUDDIN', done.text)
    assert web.post(f"{path}/batal").status_code == 303
    work_off(pages, settings)
    assert "3 baris dibatalkan." in web.get(path).text


def test_the_report_is_a_workbook_of_text(pages: Flask, web: Web, settings: Settings, tmp_path: Path) -> None:
    path = upload(web, MIXED).location
    web.post(f"{path}/periksa", typed(web.get(path)))
    work_off(pages, settings)
    answer = web.get(f"{path}/laporan.xlsx")
    assert "attachment" in answer.headers["Content-Disposition"]
    (tmp_path / "laporan.xlsx").write_bytes(answer.data)
    book = CalamineWorkbook.from_path(tmp_path / "laporan.xlsx")
    rows = book.get_sheet_by_name("Laporan").to_python()
    assert rows[0][:4] == ["Baris", "Nama", "Hasil", "Sel"]
    wrong = next(row for row in rows if row[2] == "salah")
    assert wrong[:4] == ["5", "=cmd|' /C calc'!A0", "salah", "G5"]
    assert b"<f>" not in answer.data
    assert "7303011206750001" not in str(rows)


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"<html><table></table></html>", "penduduk.xls", "halaman web"),
        (b"", "kosong.xlsx", "kosong"),
        (population()[:4000], "potong.xlsx", "terpotong"),
        (b"a;b\n1;2\n", "tanpa-judul.csv", "Tidak ada baris judul"),
    ],
)
def test_a_file_that_cannot_be_read_says_why_and_leaves_nothing(
    pages: Flask, web: Web, settings: Settings, content: bytes, name: str, said: str
) -> None:
    answer = upload(web, content, name)
    assert (answer.status_code, said in answer.text) == (422, True)
    assert not list((Path(settings.paths.data) / "imports").iterdir())
    with pages.app_context():
        assert db.session.scalar(sa.select(sa.func.count()).select_from(Import)) == 0


def test_too_big_a_file_is_refused_early(web: Web) -> None:
    answer = upload(web, bytes(MOST_BYTES + 2 * MEGABYTE))
    assert answer.status_code == 413
    web.get("/impor")
    answer = upload(web, b"PK" + bytes(MOST_BYTES), request_id="r2")
    assert (answer.status_code, "lebih besar dari 40 MB" in answer.text) == (422, True)


def test_no_other_door_takes_as_much(web: Web) -> None:
    assert web.post("/warga/cari", {"q": "x" * (9 * MEGABYTE)}).status_code == 413


def test_the_same_click_twice_keeps_one_file(web: Web) -> None:
    first = upload(web, population())
    assert upload(web, population()).location == first.location


def test_another_layout_can_be_chosen_by_hand(web: Web) -> None:
    path = upload(web, population(CHILD)).location
    page = web.get(f"{path}/kolom?jenis=daftar_nasional&lembar=Data+Penduduk&judul=1")
    assert 'name="kolom-decile"' in page.text
    assert "Daftar nasional" in page.text
    refused = web.post(f"{path}/periksa", typed(page))
    assert (refused.status_code, "Pilih daftar nasional" in refused.text, "Tulis tanggal data" in refused.text) == (
        422,
        True,
        True,
    )
    assert "Lembar “Tiada” tidak ada" in web.get(f"{path}/kolom?lembar=Tiada").text


def test_the_wrong_sheet_says_what_it_lacks_and_the_right_one_goes_on(pages: Flask, web: Web, settings: Settings) -> None:
    path = upload(web, population()).location
    page = web.get(f"{path}/kolom?lembar=Kode+Data")
    refused = web.post(f"{path}/periksa", typed(page))
    assert refused.status_code == 422
    assert all(said in refused.text for said in ("Pilih kolom yang berisi nama.", "tanpa itu orangnya tidak dapat dikenali"))
    assert web.post(f"{path}/periksa", typed(web.get(f"{path}/kolom?lembar=Data+Penduduk"))).status_code == 303
    work_off(pages, settings)
    assert "Simpan 3 baris" in web.get(path).text


def test_a_stranger_does_not_learn_that_there_is_an_import(pages: Flask, web: Web) -> None:
    path = upload(web, population()).location
    other = Web(pages)
    other.sign_in("bo.lain")
    for door in ("", "/kolom", "/laporan.xlsx"):
        assert other.get(path + door).status_code == 404
    for door in ("/periksa", "/simpan", "/batal", "/lanjut", "/buang"):
        assert other.post(path + door, {"row_version": 1}).status_code == 404
    assert "penduduk.xlsx" not in other.get("/impor").text


def test_a_dropped_file_is_gone_and_nobody_was_stored(pages: Flask, web: Web, settings: Settings) -> None:
    path = upload(web, population()).location
    assert web.post(f"{path}/buang").status_code == 303
    assert not list((Path(settings.paths.data) / "imports").iterdir())
    with pages.app_context():
        assert db.session.scalar(sa.select(sa.func.count()).select_from(Person)) == 0


def participants(programme: list[list[object]]) -> bytes:
    """OpenSID's workbook of a programme: what it is, and who takes part."""
    rows = [["Peserta", "No. Peserta", "NIK", "Nama", "Tempat Lahir", "Tanggal Lahir", "Alamat"]]
    rows += [[HEAD["nik"], "RT-1", HEAD["nik"], "Baharuddin", "", "", ""], ["", "###"]]
    file = BytesIO()
    with Workbook(file) as book:
        for name, lines in (("Program", programme), ("Peserta", rows)):
            page = book.add_worksheet(name)
            for number, line in enumerate(lines):
                page.write_row(number, 0, line)
    return file.getvalue()


NEW = [
    ["ID", ""], ["Nama", "Bedah Rumah Bantaeng"], ["Sasaran", 2], ["Keterangan", "x"], ["Asal Dana", "Kab/Kota"],
    ["Awal", "2026-01-01"], ["Akhir", "2026-12-31"], ["###"],
]  # fmt: skip


def test_a_programme_that_comes_with_the_file_is_confirmed_and_added_once(pages: Flask, web: Web, settings: Settings) -> None:
    path = upload(web, population()).location
    web.post(f"{path}/periksa", typed(web.get(path)))
    work_off(pages, settings)
    web.post(f"{path}/simpan", {"row_version": re.findall(r'name="row_version" value="(\d+)"', web.get(path).text)[0]})
    work_off(pages, settings)
    path = upload(web, participants(NEW), request_id="r2").location
    page = web.get(path)
    assert "menyebut: Bedah Rumah Bantaeng" in page.text
    assert re.search(r'value="baru" selected', page.text)
    assert all(f'value="{told}"' in page.text for told in ("bedah-rumah-bantaeng", "01-01-2026", "31-12-2026"))
    assert re.search(r'value="kabkota" selected', page.text)
    form = typed(page) | {
        "programme_id": "baru", "program-code": "bedah-rumah", "program-name": "Bedah Rumah Bantaeng", "program-level": "kabkota",
        "program-target": "keluarga", "program-starts": "01-01-2026", "program-ends": "31-12-2026",
    }  # fmt: skip
    refused = web.post(f"{path}/periksa", form)
    assert (refused.status_code, "Pilih sektor." in refused.text, "Tulis tanggal data itu" in refused.text) == (422, True, True)
    with pages.app_context():
        assert not db.session.scalars(sa.select(Programme).where(Programme.code == "bedah-rumah")).all()
    assert web.post(f"{path}/periksa", form | {"program-sector": "perumahan", "checked_on": "1-11-2026"}).status_code == 303
    work_off(pages, settings)
    assert "Dicatat sebagai peserta Bedah Rumah Bantaeng" in web.get(f"{path}?isi=berubah").text
    with pages.app_context():
        (added,) = db.session.scalars(sa.select(Programme).where(Programme.name == "Bedah Rumah Bantaeng")).all()
        assert (added.code, added.level, added.target, added.ends) == ("bedah-rumah", "kabkota", "keluarga", date(2026, 12, 31))
        known = added.id
    again = web.get(upload(web, participants(NEW), request_id="r3").location)
    assert re.search(rf'value="{known}" selected', again.text), "what is in the catalogue is not offered as new"
    taken = web.post(f"{path}/periksa", form | {"program-sector": "perumahan", "checked_on": "1-11-2026"})
    assert (taken.status_code, "Kode ini sudah dipakai" in taken.text) == (422, True)


def test_whoever_may_not_add_programmes_is_told_whom_to_ask(pages: Flask, web: Web) -> None:
    with pages.app_context():
        officer("spv.ani", Role.SUPERVISOR)
        db.session.remove()
    other = Web(pages)
    other.sign_in("spv.ani")
    other.get("/impor")
    path = upload(other, participants(NEW), request_id="r9").location
    page = other.get(path)
    assert "minta BO atau manajer menambahkannya" in page.text
    assert 'name="program-code"' not in page.text
    form = typed(page) | {"programme_id": "baru", "checked_on": "1-11-2026", "program-code": "x", "program-name": "X"}
    form |= {"program-level": "desa", "program-target": "keluarga", "program-sector": "pangan"}
    assert other.post(f"{path}/periksa", form).status_code == 403


def test_a_survey_asks_for_its_day_and_shows_its_questions(pages: Flask, web: Web, settings: Settings) -> None:
    path = upload(web, bdt(MAN, WOMAN)).location
    page = web.get(path)
    assert re.search(r"Jawaban survei: (\d+ dari \d+) pertanyaan", page.text)[1] == "23 dari 69"
    assert "Kolom yang tidak disimpan: Percentile." in page.text
    form = {name: value for name, value in typed(page).items() if not name.startswith(("kolom-bps", "kolom-village"))}
    refused = web.post(f"{path}/periksa", form)
    assert (refused.status_code, "Tulis tanggal data itu" in refused.text) == (422, True)
    assert web.post(f"{path}/periksa", form | {"checked_on": "1 Juni 2015"}).status_code == 303
    work_off(pages, settings)
    report = web.get(path)
    assert "Jawaban atas 23 pertanyaan disimpan sebagai profil menurut pendataan 01-06-2015" in report.text


def test_a_sheet_of_households_asks_for_its_day_only(pages: Flask, web: Web, settings: Settings) -> None:
    with pages.app_context():
        by = Actor.holding("fo", "Sari", "fo.sari", [Grant(Role.FO, (HOME,))])
        resident(by, "Baharuddin", kk=CARD)
        db.session.remove()
    path = upload(web, bdt(HOUSE)).location
    page = web.get(path)
    assert ("BDT 2015: rumah tangga" in page.text, 'name="village_code"' in page.text) == (True, False)
    assert CARD not in page.text
    form = {name: value for name, value in typed(page).items() if name != "village_code"} | {"existing": "lewati"}
    assert web.post(f"{path}/periksa", form).status_code == 422
    assert web.post(f"{path}/periksa", form | {"checked_on": "1 Juni 2015"}).status_code == 303
    work_off(pages, settings)
    report = web.get(path)
    assert "1 keluarga mendapat profil dari berkas ini" in report.text
    assert (CARD in report.text, "warga akan didaftarkan" in report.text) == (False, False)
