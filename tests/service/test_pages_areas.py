"""The pages of areas and handovers, as a supervisor, an admin and a Puskesos coordinator use them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from appliance.accounts import actor_of
from appliance.casework import catalogue
from appliance.casework.cases import NewCase, open_case
from appliance.config import Settings
from appliance.database import db, transaction
from appliance.models.account import Account
from appliance.models.area import Area
from appliance.models.person import Family, Person
from appliance.models.roles import Role
from appliance.registry.areas import area_name
from appliance.registry.people import NewPerson, register_person
from tests.support.databases import SqliteTemplate
from tests.support.importing import work
from tests.support.staff import AT, HOME, NEIGHBOUR
from tests.support.web_client import Web, officer, web_app

OLD = "73.03.99"


@pytest.fixture
def settings(sqlite: SqliteTemplate, tmp_path: Path) -> Settings:
    return sqlite.fresh(tmp_path)


@pytest.fixture
def people(settings: Settings) -> dict[str, str]:
    """The identifiers of the accounts, filled with the application."""
    return {}


@pytest.fixture
def pages(settings: Settings, people: dict[str, str]) -> Flask:
    app = web_app(settings)
    with app.app_context():
        people["sari"] = officer("sari", Role.FASILITATOR, areas=(HOME, NEIGHBOUR))
        people["nur"] = officer("nur", Role.FASILITATOR, areas=("73.03.02.1001",))
        officer("rahma", Role.SUPERVISOR)
        officer("budi", Role.ADMIN, areas=())
        officer("kiki", Role.KOORDINATOR_PUSKESOS, areas=(HOME,))
        officer("fitri", Role.FO)
        with transaction() as session:
            session.add(Area(code=OLD, name="Lama", level="kecamatan", kind="kecamatan", parent_code="73.03", active=False))
        by = actor_of(db.session.get_one(Account, people["sari"]), AT, "test", settings.zone)
        person = register_person(NewPerson("Aminah", "P", HOME, nik_reason="Hilang"), request_id="p", by=by, at=AT)
        new = NewCase(person, catalogue.service_types()[0].id, "pengaduan", "Kartu hilang", channel="lapangan", informed=True)
        people["case"] = open_case(new, request_id="c", by=by, at=AT).number
        db.session.remove()
    return app


def web(pages: Flask, name: str) -> Web:
    browser = Web(pages)
    browser.sign_in(name)
    return browser


def hidden(text: str) -> dict[str, object]:
    """What the form of a page carries unseen."""
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', text))


def test_a_village_changes_hands(pages: Flask, people: dict[str, str]) -> None:
    supervisor, sari, nur = web(pages, "rahma"), web(pages, "sari"), web(pages, "nur")
    assert people["case"] in sari.get("/kasus?tampil=semua").text
    assert "Serahkan ke pengganti" in supervisor.get(f"/wilayah/{HOME}").text
    form = supervisor.get(f"/serah-terima/baru?dari={people['sari']}&desa={HOME}")
    assert re.search(rf'value="{HOME}" checked', form.text)
    typed = {
        "from_account_id": people["sari"],
        "to_account_id": people["nur"],
        "village_codes": HOME,
        "starts": re.search(r'name="starts"[^>]* value="([^"]+)"', form.text)[1],  # type: ignore[index]
        "decree": "SK 12",
        "note": "<b>Pindah</b>",
    }
    shown = supervisor.post("/serah-terima/tinjau", typed)
    assert shown.status_code == 200
    assert people["case"] in shown.text
    assert people["case"] in sari.get("/kasus?tampil=semua").text, "looking changes nothing"
    carried = hidden(shown.text) | {"note": typed["note"]}
    first = supervisor.post("/serah-terima/serahkan", carried, token=supervisor.token)
    again = supervisor.post("/serah-terima/serahkan", carried)
    assert (first.status_code, again.status_code) == (303, 303)
    assert first.headers["Location"] == again.headers["Location"]
    assert people["case"] not in sari.get("/kasus?tampil=semua").text
    assert people["case"] in nur.get("/kasus?tampil=saya").text
    sheet = supervisor.get(first.headers["Location"] + "/cetak")
    for said in ("Berita Acara Serah Terima Wilayah", "BAST-7303-", people["case"], "SK 12", "Sari", "Nur", "&lt;b&gt;Pindah"):
        assert said in sheet.text, said
    assert "Aminah" not in sheet.text
    assert web(pages, "sari").get(first.headers["Location"]).status_code == 200, "she signed it"
    assert web(pages, "fitri").get(first.headers["Location"]).status_code == 404
    assert "BAST-7303-" in supervisor.get("/serah-terima").text
    assert "BAST-7303-" in supervisor.get(f"/wilayah/{HOME}").text


def test_a_list_that_changed_is_shown_again_and_a_wrong_date_beside_its_field(pages: Flask, people: dict[str, str]) -> None:
    supervisor = web(pages, "rahma")
    form = supervisor.get(f"/serah-terima/baru?dari={people['sari']}")
    starts = re.search(r'name="starts"[^>]* value="([^"]+)"', form.text)[1]  # type: ignore[index]
    typed = {"from_account_id": people["sari"], "to_account_id": people["nur"], "village_codes": HOME, "starts": starts}
    old = supervisor.post("/serah-terima/serahkan", {**typed, "seen": "old"})
    assert old.status_code == 409
    assert "berubah sejak ditampilkan" in old.text
    assert hidden(old.text)["seen"] != "old"
    for wrong in ("besok", "01-01-2090", "01-01-2020", ""):
        refused = supervisor.post("/serah-terima/tinjau", {**typed, "starts": wrong})
        assert refused.status_code == 422
        assert 'id="starts-problem"' in refused.text


def test_a_handover_is_planned_and_called_off(pages: Flask, people: dict[str, str]) -> None:
    supervisor = web(pages, "rahma")
    later = f"{datetime.now(UTC) + timedelta(days=30):%d-%m-%Y}"
    typed = {"from_account_id": people["sari"], "to_account_id": people["nur"], "village_codes": HOME, "starts": later}
    supervisor.get(f"/serah-terima/baru?dari={people['sari']}")
    shown = supervisor.post("/serah-terima/tinjau", typed)
    assert "Simpan rencana" in shown.text
    assert "Serahkan sekarang" not in shown.text
    carried = hidden(shown.text)
    first, again = (supervisor.post("/serah-terima/rencanakan", carried) for _ in range(2))
    assert (first.status_code, first.headers["Location"]) == (303, again.headers["Location"])
    page = supervisor.get(first.headers["Location"]).text
    assert "Belum dilaksanakan" in page
    assert people["case"] in page
    sheet = supervisor.get(first.headers["Location"] + "/cetak").text
    assert "RENCANA, belum dilaksanakan" in sheet
    assert "BAST-" not in sheet
    assert "menunggu harinya" in supervisor.get("/serah-terima").text
    assert people["case"] not in web(pages, "sari").get(first.headers["Location"]).text
    assert web(pages, "sari").get(first.headers["Location"] + "/cetak").status_code == 404
    assert supervisor.post("/serah-terima/rencanakan", {**typed, "starts": "01-01-2020"}).status_code == 422
    version = re.search(r'name="row_version" value="(\d+)"', page)[1]  # type: ignore[index]
    assert supervisor.post(first.headers["Location"] + "/batal", {"row_version": version}).status_code == 303
    assert "dibatalkan" in supervisor.get(first.headers["Location"]).text


def test_the_admin_names_codes(pages: Flask) -> None:
    admin = web(pages, "budi")
    assert "belum disebut" in admin.get("/wilayah").text
    wrong = admin.post(f"/wilayah/{OLD}/kode", {"successor_code": "73.03.98", "valid_since": "kapan", "bps_code": ""})
    assert wrong.status_code == 422
    assert 'id="valid_since-problem"' in wrong.text
    saved = admin.post(f"/wilayah/{OLD}/kode", {"successor_code": "73.03.04", "valid_since": "01-02-2026", "bps_code": "7303099"})
    assert saved.status_code == 303
    page = admin.get(f"/wilayah/{OLD}").text
    assert "Penggantinya 73.03.04." in page
    assert "7303099" in page
    taken = admin.post("/wilayah/73.03.05/kode", {"bps_code": "7303099"})
    assert "sudah dipakai untuk Lama" in taken.text


def test_hamlets_are_kept_and_suggested(pages: Flask) -> None:
    keeper, counter = web(pages, "kiki"), web(pages, "fitri")
    keeper.get(f"/wilayah/{HOME}")
    assert keeper.post(f"/wilayah/{HOME}/dusun", {"name": "Barania", "rw": "1", "rt": "1-2"}).status_code == 303
    assert keeper.post(f"/wilayah/{NEIGHBOUR}/dusun", {"name": "Barania"}).status_code == 404
    wrong = keeper.post(f"/wilayah/{HOME}/dusun", {"name": "", "rw": "x", "rt": "1"})
    assert (wrong.status_code, 'id="name-problem"' in wrong.text, 'id="rw-problem"' in wrong.text) == (422, True, True)
    assert counter.get(f"/wilayah/{HOME}/dusun.json").json == {"hamlet": ["Barania"], "rw": ["001"], "rt": ["001", "002"]}
    assert '<option value="Barania">' in counter.get(f"/warga/baru?desa={HOME}").text
    assert '<option value="Barania">' not in counter.get(f"/warga/baru?desa={NEIGHBOUR}").text
    assert '<option value="Barania">' in web(pages, "sari").get("/warga/baru").text, "her two villages are few"
    remove = re.findall(rf"/wilayah/{HOME}/dusun/[0-9a-f-]+/hapus", keeper.get(f"/wilayah/{HOME}").text)
    assert len(remove) == 2
    assert "hapus" not in counter.get(f"/wilayah/{HOME}").text
    assert keeper.post(remove[0]).status_code == 303
    assert keeper.post(remove[0]).status_code == 404


def test_everybody_reads_her_own_areas(pages: Flask) -> None:
    sari = web(pages, "sari")
    with pages.app_context():
        name = area_name(HOME).partition(",")[0]
    assert "belum dihitung" in sari.get("/wilayah").text.lower()
    assert name in sari.get("/wilayah/73.03.01").text
    assert sari.get(f"/wilayah/{HOME}").status_code == 200
    for foreign in ("73.03.02", "73.03.06.2001", OLD, "99", "73"):
        assert sari.get(f"/wilayah/{foreign}").status_code == 404, foreign
    supervisor = web(pages, "rahma")
    assert "64 desa/kelurahan tanpa fasilitator" in supervisor.get("/wilayah").text
    supervisor.post("/wilayah/hitung")
    assert "Sedang dihitung" in supervisor.get("/wilayah").text
    assert "Serahkan" not in sari.get(f"/wilayah/{HOME}").text


def test_the_own_account_says_which_role_holds_where(pages: Flask) -> None:
    page = web(pages, "sari").get("/akun-saya").text
    assert "Wilayah tugas hari ini" in page
    assert "Kec. Bissappu" in page


def test_the_admin_moves_what_a_split_village_left(pages: Flask, settings: Settings) -> None:
    code = f"{OLD}.2001"
    with pages.app_context(), transaction() as session:
        session.add(Area(code=code, name="Bonto Lama", level="desa", kind="desa", parent_code=OLD, active=False))
        session.flush()
        family = session.scalars(sa.select(Family)).first() or Family(village_code=code)
        family.village_code, family.hamlet = code, "Barania"
        family.stamp("system", AT)
        session.add(family)
        session.flush()
        person = session.scalars(sa.select(Person)).one()
        person.family_id, person.village_code = family.id, code
    admin = web(pages, "budi")
    assert "warganya belum dipindahkan" in admin.get("/wilayah").text
    page = admin.get(f"/wilayah/{code}").text
    assert "1 warga" in page
    assert "Barania (1 keluarga)" in page
    typed = {"nama-dusun-1": "Barania", "dusun-1": NEIGHBOUR, "rest_code": ""}
    wrong = admin.post(f"/wilayah/{code}/pindahkan", typed)
    assert (wrong.status_code, f'value="{NEIGHBOUR}" selected' in wrong.text) == (422, True)
    assert 'id="rest_code-problem"' in wrong.text
    assert admin.post(f"/wilayah/{code}/pindahkan", {**typed, "rest_code": HOME}).status_code == 303
    assert "sedang berjalan" in admin.get(f"/wilayah/{code}").text
    assert admin.post(f"/wilayah/{code}/pindahkan", {**typed, "rest_code": HOME}).status_code == 409
    with pages.app_context():
        work(settings)
        assert db.session.scalars(sa.select(Person.village_code)).one() == NEIGHBOUR
    assert "Tidak ada lagi warga" in admin.get(f"/wilayah/{code}").text
