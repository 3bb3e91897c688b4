"""The pages of incidents: from the list of devices to the form on paper, as the manager uses them."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask

from appliance.config import Settings
from appliance.database import db
from appliance.models.roles import Role
from tests.support.databases import SqliteTemplate
from tests.support.desk import resident
from tests.support.staff import HOME, hire
from tests.support.web_client import Web, officer, web_app

NIK = "7303014101800001"
FIELDS = {"kind": "perangkat_hilang", "story": "Dicuri dari motor.", "data_seen": "Nama dan alamat"}


@pytest.fixture
def settings(sqlite: SqliteTemplate, tmp_path: Path) -> Settings:
    return sqlite.fresh(tmp_path)


@pytest.fixture
def pages(settings: Settings) -> Flask:
    app = web_app(settings)
    with app.app_context():
        officer("hasan", Role.MANAJER)
        officer("nur", Role.FASILITATOR, areas=(HOME,))
        db.session.remove()
    return app


@pytest.fixture
def manager(pages: Flask) -> Web:
    web = Web(pages)
    web.sign_in("hasan")
    return web


def times(settings: Settings, ago: timedelta) -> dict[str, str]:
    """When it happened and was noticed, as it is typed."""
    moment = (datetime.now(UTC) - ago).astimezone(settings.zone)
    typed = {"": f"{moment:%d-%m-%Y}", "_clock": f"{moment:%H.%M}"}
    return {f"{name}{part}": text for name in ("happened_at", "noticed_at") for part, text in typed.items()}


def test_from_the_device_to_the_list_of_people(pages: Flask, settings: Settings, manager: Web) -> None:
    with pages.app_context():
        person = resident(hire().fo, "Sitti Aminah", nik=NIK)
        db.session.remove()
    tablet = Web(pages)
    tablet.sign_in("nur")
    assert tablet.get(f"/warga/{person}").status_code == 200
    found = re.search(r'href="(/insiden/baru\?akun=[^"]+)"[^>]*Nur"', manager.get("/perangkat").text)
    assert found
    form = manager.get(html.unescape(found[1])).text
    chosen = re.findall(r'<option value="([^"]*)" selected>', form)
    assert chosen[0] == "perangkat_hilang"
    assert chosen[2].startswith("Chrome di Linux #")
    typed = FIELDS | times(settings, timedelta(hours=2)) | {"account_id": chosen[1], "device": chosen[2], "request_id": "r"}
    made = manager.post("/insiden/baru", dict(typed))
    assert made.status_code == 303
    shown = manager.get(made.location).text
    assert "2 hari 21 jam" in shown or "2 hari 22 jam" in shown
    assert re.search(r"Warga terdampak menurut jurnal</dt><dd>1<", shown)
    paper = manager.get(f"{made.location}/terdampak").text
    assert "Sitti Aminah" in paper
    assert NIK not in paper
    assert NIK[:6] in paper
    assert "Dicuri dari motor." in manager.get(f"{made.location}/cetak").text
    assert "insiden data lewat" not in manager.get("/").text


def test_everything_wrong_is_told_beside_its_field_and_what_was_typed_stays(settings: Settings, manager: Web) -> None:
    manager.get("/insiden/baru")
    wrong = {**FIELDS, "data_seen": "", **times(settings, timedelta()), "noticed_at_clock": "25.00"}
    answer = manager.post("/insiden/baru", wrong)
    assert answer.status_code == 422
    assert "Jam “25.00” tidak terbaca" in answer.text
    assert "Dicuri dari motor." in answer.text
    answer = manager.post("/insiden/baru", wrong | {"noticed_at_clock": "0:01", "happened_at_clock": "0.01"})
    assert answer.status_code == 422
    for name in ("data_seen", "account_id"):
        assert f'id="{name}-problem"' in answer.text


def test_what_is_late_stands_on_the_managers_first_page_until_it_was_told(settings: Settings, manager: Web) -> None:
    manager.get("/insiden/baru")
    made = manager.post("/insiden/baru", FIELDS | {"kind": "salah_kirim"} | times(settings, timedelta(days=5)))
    for page in ("/", "/insiden"):
        assert "1 insiden data melewati 3 x 24 jam" in manager.get(page).text
    step = manager.get(f"{made.location}?langkah=beritahukan").text
    version = re.search(r'name="row_version" value="(\d+)"', step)
    assert version
    today = f"{datetime.now(UTC).astimezone(settings.zone):%d-%m-%Y}"
    told = {
        "subjects_on": today,
        "authority_on": "31-02-2026",
        "authority": "Komdigi",
        "note": "Surat",
        "row_version": version[1],
    }
    assert "tidak ada di kalender" in manager.post(f"{made.location}/langkah/beritahukan", dict(told)).text
    told["authority_on"] = today
    refused = manager.post(f"{made.location}/langkah/beritahukan", dict(told))
    assert (refused.status_code, "tulis alasannya" in refused.text) == (422, True)
    answer = manager.post(f"{made.location}/langkah/beritahukan", told | {"late_reason": "Jalan putus"})
    assert answer.status_code == 303
    for page in ("/", "/insiden"):
        assert "insiden data lewat" not in manager.get(page).text


def test_a_change_begins_with_what_is_noted(settings: Settings, manager: Web) -> None:
    manager.get("/insiden/baru")
    moments = times(settings, timedelta(days=1))
    typed = FIELDS | {"kind": "salah_kirim"} | moments
    made = manager.post("/insiden/baru", dict(typed))
    form = manager.get(f"{made.location}/ubah").text
    shown = dict(re.findall(r'name="(\w+)" type="text" value="([^"]*)"', form))
    for name, text in moments.items():
        assert shown[name] == text
    assert (shown["seen_from"], shown["seen_until"]) == (shown["happened_at"], "")
    version = re.search(r'name="row_version" value="(\d+)"', form)
    assert version
    changed = typed | {"seen_until": shown["happened_at"], "story": "Salah alamat.", "row_version": version[1]}
    assert manager.post(f"{made.location}/ubah", dict(changed)).status_code == 303
    assert 'name="seen_until_clock" type="text" value="23.59"' in manager.get(f"{made.location}/ubah").text
    assert manager.post(f"{made.location}/ubah", dict(changed)).status_code == 409
