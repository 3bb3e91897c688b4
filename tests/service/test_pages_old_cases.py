"""A case as it was on the pages: from the order to the paper and the erasing, with what is another today marked."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from appliance import database, restore_orders
from appliance.casework import casebook
from appliance.commands import backup_ordered
from appliance.config import Settings
from appliance.models.audit import AuditEntry
from appliance.models.case import Case
from appliance.models.roles import Role
from appliance.restoration.looking import as_words
from appliance.restore_orders import Order, Wish
from backups.lock import only_run
from tests.support.databases import SqliteTemplate
from tests.support.desk import open_case
from tests.support.nights import some_weeks
from tests.support.staff import Staff, hire
from tests.support.web_client import Web, officer, web_app

WHY = "warga menanyakan catatan lama"
THEN = datetime(2026, 11, 20, 14, tzinfo=UTC)


@pytest.fixture
def settings(sqlite: SqliteTemplate, tmp_path: Path) -> Settings:
    found = sqlite.fresh(tmp_path)
    state = Path(found.paths.data) / "backup"
    state.mkdir()
    some_weeks(state, datetime.now(UTC) - timedelta(hours=3))
    return found


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    app = web_app(settings)
    with app.app_context():
        officer("kepala", Role.MANAJER)
        officer("lain", Role.MANAJER)
    yield app
    with app.app_context():
        database.db.engine.dispose()


@pytest.fixture
def staff(app: Flask) -> Staff:
    with app.app_context():
        return hire()


@pytest.fixture
def case_id(app: Flask, staff: Staff) -> str:
    with app.app_context():
        return open_case(staff.fo)


def signed_in(app: Flask, username: str) -> Web:
    web = Web(app)
    assert web.sign_in(username).status_code == 303
    return web


def number_of(app: Flask, case_id: str) -> str:
    with app.app_context():
        return str(database.db.session.scalar(sa.select(Case.number).where(Case.id == case_id)))


def answered(app: Flask, settings: Settings, staff: Staff, case_id: str, order: Order, known_as: str = "") -> None:
    """What root's unit does with the order; the backup holds the case as it is now, perhaps under another identifier."""
    with app.app_context():
        case = as_words(casebook.look_at_case(case_id, by=staff.manager, at=datetime.now(UTC)))
    case["line"]["id"] = known_as or case_id
    answer = json.dumps({"run": 39, "taken_at": THEN.isoformat(), "case": case})
    outcome = backup_ordered._outcome(settings, order, subprocess.CompletedProcess([], 0, answer, ""))
    restore_orders.tell(settings, outcome)


def test_a_look_is_ordered_with_a_night_or_a_moment_and_a_reason(app: Flask, settings: Settings, case_id: str) -> None:
    web, number = signed_in(app, "kepala"), number_of(app, case_id)
    assert f'value="{number}"' in web.get(f"/keadaan-dahulu?kasus={case_id}").text
    assert 'value="SLRT' not in web.get("/keadaan-dahulu?kasus=nobody").text

    refused = web.post("/keadaan-dahulu", {"case": "--from", "run": "saat", "day": "", "reason": "iseng"})
    assert refused.status_code == 422
    for sentence in ("Tulis nomor kasus", "tulis tanggal dan jamnya", "Tulis alasannya"):
        assert sentence in refused.text
    wrong = web.post("/keadaan-dahulu", {"case": number, "run": "saat", "day": "31-02-2026", "clock": "25.00", "reason": WHY})
    assert ("tidak ada di kalender" in wrong.text, "tidak terbaca" in wrong.text) == (True, True)
    assert restore_orders.take(settings) is None, "nothing half right is done"

    form = {"case": number.lower(), "run": "39", "day": "", "clock": "", "reason": WHY}
    assert web.post("/keadaan-dahulu", form).status_code == 303
    assert web.post("/keadaan-dahulu", form).status_code == 503, "one after the other"
    assert restore_orders.take(settings) == Order(Wish.LOOK, 39, "kepala", WHY, case=number)
    typed = {**form, "run": "saat", "day": "28-11-2026", "clock": "14.05"}
    assert web.post("/keadaan-dahulu", typed).status_code == 303
    assert restore_orders.take(settings) == Order(Wish.LOOK, 0, "kepala", WHY, case=number, moment="28-11-2026 14:05:00")
    with app.app_context():
        entry = database.db.session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "pulihkan-look")).first()
    assert entry is not None
    assert json.loads(entry.detail) == {"alasan": WHY, "cadangan": 39, "kasus": number}


def test_what_differs_from_today_is_marked_until_it_is_closed(app: Flask, settings: Settings, staff: Staff, case_id: str) -> None:
    web, number = signed_in(app, "kepala"), number_of(app, case_id)
    web.get("/keadaan-dahulu")
    web.post("/keadaan-dahulu", {"case": number, "run": "39", "reason": WHY})
    with only_run(Path(settings.paths.runtime)):
        order = restore_orders.take(settings)
        assert 'http-equiv="refresh"' in web.get("/keadaan-dahulu").text
        assert "Perintah diterima" not in signed_in(app, "lain").get("/keadaan-dahulu").text
    assert order is not None
    answered(app, settings, staff, case_id, order)
    found = re.search(r'href="(/keadaan-dahulu/[^"]+)"', web.get("/keadaan-dahulu").text)
    assert found is not None
    assert "Sama seperti sekarang" in web.get(found[1]).text

    with app.app_context(), database.transaction() as session:
        session.execute(sa.update(Case).values(description="Sudah lain", expectation=""))
    page = web.get(found[1]).text
    assert page.count('class="was-other"') == 1
    assert ("Butuh biaya berobat" in page, "Sudah lain" in page, "1 isian berbeda" in page) == (True, True, True)
    sheet = web.get(f"{found[1]}/cetak").text
    assert ("Butuh biaya berobat" in sheet, "Sekarang: Sudah lain" in sheet) == (True, True)
    assert signed_in(app, "lain").get(found[1]).status_code == 404
    web.get(found[1])
    assert web.post(f"{found[1]}/tutup").status_code == 303
    assert web.get(found[1]).status_code == 404
    assert "Baca keadaan dahulu" not in web.get("/keadaan-dahulu").text
    with app.app_context():
        opened = database.db.session.scalars(sa.select(AuditEntry.detail).where(AuditEntry.action == "lihat-cadangan")).all()
    assert [json.loads(one)["tindakan"] for one in opened] == ["membaca", "membaca", "mencetak", "membaca"]


def test_a_case_that_is_gone_is_shown_as_it_was(app: Flask, settings: Settings, staff: Staff, case_id: str) -> None:
    web = signed_in(app, "kepala")
    answered(app, settings, staff, case_id, Order(Wish.LOOK, 39, "kepala", WHY), known_as="a case that was restored away")
    told = restore_orders.read_progress(settings)
    assert told is not None
    page = web.get(f"/keadaan-dahulu/{told.result}")
    assert "Kasus ini tidak ada lagi dalam data sekarang" in page.text
    assert "Butuh biaya berobat" in page.text
