"""The power page: what the watcher last said, the chart, and the book of a month, on the screen and for a spreadsheet."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from appliance import database
from appliance.config import Settings
from appliance.drills import asked, records
from appliance.drills.records import Check, Level, Record, Result, Step
from appliance.models.audit import AuditEntry
from appliance.models.roles import Role
from appliance.power import journal, samples, state, stops
from appliance.power.chain_check import REPORT_FILE
from appliance.power.journal import Entry, Event
from appliance.power.policy import Cause
from appliance.power.reading import Reading
from tests.support.staff import HOME
from tests.support.web_client import Web, officer, web_app


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    app = web_app(settings)
    with app.app_context():
        officer("petugas.fo", Role.FO, areas=(HOME,))
        officer("manajer", Role.MANAJER)
    yield app
    with app.app_context():
        database.db.engine.dispose()


def signed_in(app: Flask, username: str) -> Web:
    web = Web(app)
    assert web.sign_in(username).status_code == 303
    return web


@pytest.fixture
def web(app: Flask) -> Web:
    return signed_in(app, "petugas.fo")


def note(settings: Settings, at: datetime, event: Event, **facts: object) -> None:
    journal.append(Path(settings.paths.runtime) / journal.JOURNAL_FILE, Entry(at, event, facts))


def test_a_node_without_a_watcher_says_so(web: Web) -> None:
    page = web.get("/listrik")
    assert page.status_code == 200
    assert "sedang tidak melapor" in page.text
    assert "Tidak ada pemadaman tercatat" in page.text


def test_the_state_the_chart_and_the_book_of_this_month(web: Web, settings: Settings) -> None:
    now = datetime.now(UTC)
    state.publish(
        Path(settings.paths.runtime),
        state.State(now, "online", True, True, 97, 2760, sentence="Listrik menyala.", mains_volts=221.5, load=12.0),
    )
    samples.append(Path(settings.paths.runtime), now - timedelta(minutes=1), Reading(frozenset({"OL"}), 97))
    samples.append(Path(settings.paths.runtime), now, Reading(frozenset({"OL"}), 97))
    note(settings, now - timedelta(seconds=90), Event.MAINS_LOST, charge=100, volts=221.5)
    note(settings, now - timedelta(seconds=30), Event.MAINS_BACK, charge=97, volts=220.0)
    stops.note(Path(settings.paths.data), stops.Stop(now - timedelta(seconds=60), "cadangan"))
    page = web.get("/listrik").text
    for words in ("Listrik menyala.", "221,5 V", "46 menit", "<polyline", "1 menit", "100 %", "Ditanggung baterai UPS"):
        assert words in page, words
    table = web.get("/listrik/buku.csv")
    assert table.headers["Content-Disposition"].startswith("attachment")
    rows = table.text.lstrip("\ufeff").splitlines()
    assert rows[0].split(";")[0] == "Padam"
    seen = "peringatan listrik padam pada setiap halaman"
    assert rows[1].split(";")[2:-1] == ["1 menit", "100", "97", "221,5", "ditanggung baterai UPS", "cadangan"]
    assert rows[1].endswith(seen)
    paper = web.get("/listrik/buku").text
    for words in ("Buku Pemadaman Listrik", "1 menit", "Dihentikan: cadangan.", "Petugas yang mencatat"):
        assert words in paper, words


def test_the_light_of_the_protection_is_on_the_page(web: Web, settings: Settings) -> None:
    runtime, now = Path(settings.paths.runtime), datetime.now(UTC)
    assert "Perlindungan TIDAK aktif karena pemeriksaan rantai" in web.get("/listrik").text
    state.publish(runtime, state.State(now, "online", True, True, 97, 2760, sentence="Listrik menyala."))
    finding = {"link": "cable", "cause": "tidak ada UPS pada USB", "remedy": "Periksa kabel data.", "grave": True}
    report = {"at": now.isoformat(), "since": (now - timedelta(minutes=2)).isoformat(), "findings": [finding]}
    state.replace_file(runtime / REPORT_FILE, json.dumps(report))
    page = web.get("/listrik").text
    assert "Perlindungan TIDAK aktif karena tidak ada UPS pada USB." in page
    assert "Periksa kabel data." in page
    state.replace_file(runtime / REPORT_FILE, json.dumps({**report, "findings": []}))
    assert "Perlindungan aktif:" in web.get("/listrik").text


@pytest.fixture
def admin(settings: Settings) -> Iterator[Web]:
    app: Flask = web_app(settings)
    with app.app_context():
        officer("petugas.admin", Role.ADMIN)
    web = Web(app)
    web.sign_in("petugas.admin")
    yield web
    with app.app_context():
        database.db.engine.dispose()


def calm(settings: Settings, **changes: object) -> None:
    values = {"at": datetime.now(UTC), "stage": "online", "accepts_work": True, "mains": True, "charge": 100, **changes}
    state.publish(Path(settings.paths.runtime), state.State(**values))  # type: ignore[arg-type]


def test_an_administrator_asks_for_a_drill_and_the_journal_knows(admin: Web, settings: Settings) -> None:
    calm(settings)
    page = admin.get("/listrik/latihan").text
    assert "Mulai latihan L0" in page
    assert "Perlindungan tidak aktif" in page, "L2 says why it may not begin"
    assert "Mulai latihan L2" not in page
    assert admin.post("/listrik/latihan", {"level": "L0"}).status_code == 303
    runtime = Path(settings.paths.runtime)
    assert admin.post("/listrik/latihan", {"level": "L1"}).status_code == 503, "one after the other"
    assert asked.take(runtime) == asked.Request(Level.TABLE_TOP, "Petugas.Admin")
    assert asked.take(runtime) is None
    with database.create_service(settings).app_context():
        entry = database.db.session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "latihan-listrik")).one()
        assert entry.subject == "drill:L0"


def test_a_drill_that_may_not_begin_says_why_and_leaves_nothing(admin: Web, settings: Settings) -> None:
    calm(settings)
    for level, status, words in (
        ("L2", 409, "Perlindungan tidak aktif"),
        ("L3", 403, "sudo slrt power drill"),
        ("x", 422, "Pilih latihan"),
    ):
        answer = admin.post("/listrik/latihan", {"level": level})
        assert answer.status_code == status, level
        assert words in answer.text
        assert not (Path(settings.paths.runtime) / asked.REQUEST).exists()


def test_a_record_is_read_on_the_screen_and_on_paper(admin: Web, settings: Settings) -> None:
    at = datetime(2026, 11, 28, 3, 0, tzinfo=UTC)
    record = Record("20261128-030000-L1", Level.DRAIN, "Dinas Sosial", "Rahma", at, at + timedelta(seconds=4), Result.PASSED)
    checks = (Check("Simpanan baru ditolak", ok=True, measured="0,9 detik"),)
    folder = records.folder_of(Path(settings.paths.data))
    sealed = records.close(folder, replace(record, checks=checks, steps=(Step(at, "Gerbang dibuka kembali."),)))
    assert "28-11-2026" in admin.get("/listrik/latihan").text
    for address in (f"/listrik/latihan/{record.id}", f"/listrik/latihan/{record.id}/lembar"):
        page = admin.get(address).text
        for words in ("Berhasil", "0,9 detik", "Gerbang dibuka kembali.", "Rahma", "4 detik", sealed.short_seal):
            assert words in page, words
        assert "TIDAK COCOK" not in page
    records.write(folder, replace(sealed, by="orang lain"))
    assert "TIDAK COCOK" in admin.get(f"/listrik/latihan/{record.id}/lembar").text


def test_another_month_and_nonsense_in_the_address(web: Web, settings: Settings) -> None:
    note(settings, datetime(2026, 1, 5, 4, tzinfo=UTC), Event.MAINS_LOST)
    facts = {"down_at": "2026-01-05T04:06:00+00:00", "cause": Cause.TIME, "clean": True}
    note(settings, datetime(2026, 1, 5, 7, tzinfo=UTC), Event.BACK, **facts)
    page = web.get("/listrik?bulan=2026-01").text
    assert "Januari 2026" in page
    assert "Sistem mati dengan tertib: listrik padam terlalu lama" in page
    assert "bulan=2025-12" in page
    assert "bulan=2026-02" in page
    for nonsense in ("2026-13", "x", "9999-01", "-1", "0001-01"):
        assert "Tidak ada pemadaman tercatat" in web.get(f"/listrik?bulan={nonsense}").text


def publish(settings: Settings, stage: str, **facts: object) -> None:
    found = state.State(datetime.now(UTC), stage, accepts_work=stage == "on-battery", sentence="Keadaan.", **facts)  # type: ignore[arg-type]
    state.publish(Path(settings.paths.runtime), found)


def test_a_node_that_is_held_is_opened_by_whoever_may(app: Flask, web: Web, settings: Settings) -> None:
    publish(settings, "boot-hold", mains=True)
    assert "Buka sekarang" not in web.get("/listrik").text
    other = signed_in(app, "manajer")  # which a node that is held lets pass
    assert "Buka sekarang" in other.get("/listrik").text
    answer = other.post("/listrik/mulai", {})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/listrik")
    assert (Path(settings.paths.runtime) / "start-now").read_text() == "manajer"
    with app.app_context():
        assert "power.start-now" in set(database.db.session.scalars(sa.select(AuditEntry.action)))


def test_a_node_on_battery_is_shut_down_by_whoever_may(app: Flask, settings: Settings) -> None:
    publish(settings, "on-battery", mains=False)
    other = signed_in(app, "manajer")
    assert "Matikan sekarang" in other.get("/listrik").text
    assert other.post("/listrik/matikan", {}).status_code == 303
    assert (Path(settings.paths.runtime) / "stop-now").exists()
    assert other.post("/listrik/mulai", {}).status_code == 409, "it is open already"
    assert not (Path(settings.paths.runtime) / "start-now").exists()
    publish(settings, "on-battery", mains=True)
    assert "Matikan sekarang" not in other.get("/listrik").text


def test_an_order_that_cannot_be_given_is_in_no_journal(app: Flask, settings: Settings) -> None:
    publish(settings, "boot-hold", mains=True)
    (Path(settings.paths.runtime) / "start-now").mkdir()
    other = signed_in(app, "manajer")
    answer = other.post("/listrik/mulai", {})
    assert answer.status_code == 500
    assert "tidak dapat dicatat" in answer.text
    with app.app_context():
        assert "power.start-now" not in set(database.db.session.scalars(sa.select(AuditEntry.action)))


def test_what_an_officer_should_know_is_told(web: Web, settings: Settings) -> None:
    publish(settings, "online", mains=True, notices=("frozen", "no-alarm", "from-a-later-version"))
    page = web.get("/listrik").text
    assert "Angka dari UPS tidak berubah" in page
    assert "menyala sendiri ketika listrik" in page
    at = datetime.now(UTC).isoformat()
    finding = {
        "link": "frozen",
        "cause": "angka UPS tidak berubah sama sekali",
        "remedy": "Cabut dan colok lagi.",
        "grave": False,
    }
    report = json.dumps({"at": at, "since": at, "findings": [finding]})
    state.replace_file(Path(settings.paths.runtime) / REPORT_FILE, report)
    page = web.get("/listrik").text
    assert "Angka UPS tidak berubah sama sekali" in page
    assert "Angka dari UPS tidak berubah" not in page, "the light says it already"
    assert "menyala sendiri ketika listrik" in page
