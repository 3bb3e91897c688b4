"""The page of the backups: the nights, the proof, what is going on, and an order that the scheduler takes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from appliance import backup_news, backup_orders, database
from appliance.backup_orders import Order, Wish
from appliance.config import PathSettings, Settings
from appliance.models.audit import AuditEntry
from appliance.models.roles import Role
from appliance.recovery import record
from appliance.recovery.record import Paper
from backups import book, progress
from backups.lock import only_run
from backups.progress import Teller
from backups.schedule import Depth
from tests.support.nights import proof, some_weeks
from tests.support.web_client import Web, officer, web_app


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    app = web_app(settings)
    with app.app_context():
        officer("manajer", Role.MANAJER)
        officer("supervisor", Role.SUPERVISOR)
    yield app
    with app.app_context():
        database.db.engine.dispose()


@pytest.fixture
def state(settings: Settings) -> Path:
    folder = Path(settings.paths.data) / "backup"
    folder.mkdir(exist_ok=True)
    return folder


def signed_in(app: Flask, username: str) -> Web:
    web = Web(app)
    assert web.sign_in(username).status_code == 303
    return web


def test_a_node_without_any_backup_says_what_to_do(app: Flask) -> None:
    page = signed_in(app, "manajer").get("/cadangan")
    assert page.status_code == 200
    assert "Belum ada cadangan" in page.text
    assert "belum pernah" in page.text


def test_a_sheet_that_nobody_tried_stands_above_everything(app: Flask, settings: Settings, state: Path) -> None:
    at = datetime.now(UTC)
    record.note_passphrase(settings, "kata sandi", at)
    page = signed_in(app, "manajer").get("/cadangan").text
    assert "Lembar pemulihan belum dicetak. Bila simpul hilang sekarang" in page
    assert page.index("Lembar pemulihan belum dicetak") < page.index("Bukti")
    record.note_printed(settings, "", at)
    for paper, told in ((Paper.OFFICE, True), (Paper.DISTRICT, False)):
        record.note_proved(settings, paper, "admin.it", at)
        assert ("belum diuji: lembar bidang TI" in signed_in(app, "manajer").get("/cadangan").text) is told


def test_the_nights_of_a_month_and_one_of_them_in_full(app: Flask, settings: Settings, state: Path) -> None:
    until = datetime.now(UTC) - timedelta(hours=1)
    some_weeks(state, until)
    web = signed_in(app, "supervisor")
    local = until.astimezone(settings.zone).date()
    # that month: the page opens with the one of today, which may have begun since
    assert "412,6 MB" in web.get(f"/cadangan?bulan={local:%Y-%m}").text
    failed = web.get(f"/cadangan?hari={local - timedelta(days=4)}").text
    assert "hanya punya 120 MB" in failed
    assert "slrt backup run" in failed
    restored = web.get(f"/cadangan?hari={local - timedelta(days=5)}").text
    assert "58 tabel sama isinya" in restored
    assert ">terbukti<" in restored
    assert "sudah dihapus" in web.get(f"/cadangan?hari={local - timedelta(days=20)}").text
    assert "Tidak ada cadangan pada hari ini" in web.get(f"/cadangan?hari={local - timedelta(days=8)}").text


def test_how_much_would_be_lost_is_told_and_a_log_that_stands_still_is_a_warning(
    app: Flask, settings: Settings, state: Path
) -> None:
    now = datetime.now(UTC)
    lines = some_weeks(state, now - timedelta(hours=1))
    web = signed_in(app, "supervisor")
    assert "bila disk data rusak sekarang</dt><dd>–" in web.get("/cadangan").text
    backup_news.publish(settings, backup_news.of(settings, lines, now - timedelta(seconds=20)))
    page = web.get("/cadangan").text
    seconds = re.search(r"bila disk data rusak sekarang</dt><dd>(\d+) detik terakhir", page)
    assert seconds
    assert 20 <= int(seconds[1]) < 60
    assert "hanya ada di disk data" not in page
    backup_news.publish(settings, backup_news.of(settings, lines, now - timedelta(minutes=100)))
    page = web.get("/cadangan").text
    assert "hanya ada di disk data" in page
    assert "1 jam 40 menit" in page


def test_any_address_is_answered(app: Flask) -> None:
    web = signed_in(app, "manajer")
    for words in ("hari=2026-13-40", "bulan=x", "hari=9999-12-31", "bulan=0001-01", "hari=2020-01-01"):
        assert web.get(f"/cadangan?{words}").status_code == 200, words


def test_a_failed_proof_is_at_the_top(app: Flask, state: Path) -> None:
    some_weeks(state, datetime.now(UTC) - timedelta(hours=1))
    book.add(state, proof(datetime.now(UTC), None, Depth.ALL_DATA, ok=False))
    page = signed_in(app, "manajer").get("/cadangan").text
    assert "Uji pemulihan gagal: Bagian repositori cadangan rusak: data/0/2." in page


def test_what_goes_on_is_told_with_the_time_that_is_left(app: Flask, state: Path) -> None:
    some_weeks(state, datetime.now(UTC) - timedelta(hours=1))
    told: list[str] = []
    with only_run(state):
        tell = Teller(state, book.BACKUP, 6, told.append)
        tell("Memeriksa sumber")
        tell("Menyimpan basis data")
        page = signed_in(app, "manajer").get("/cadangan").text
        assert "langkah 2 dari 6" in page
        assert "Kira-kira 2 menit" in page or "Kira-kira 1 menit" in page  # 98 s by the last run's steps
        assert "Cadangkan sekarang" not in page
        found = progress.read(state, datetime.now(UTC))
        assert found is not None
        # of the 30 s of this step some have passed, or all on a busy machine
        assert 68 <= (found.seconds_left or 0) <= 98
    # what a killed run left shows nothing once its lock is gone
    assert progress.read(state, datetime.now(UTC)) is None
    assert "langkah 2 dari 6" not in signed_in(app, "manajer").get("/cadangan").text


def test_an_order_is_journalled_and_waits_for_the_scheduler(app: Flask, settings: Settings, state: Path) -> None:
    web = signed_in(app, "manajer")
    web.get("/cadangan")
    assert web.post("/cadangan", {"wish": "backup"}).status_code == 303
    assert "Permintaan sudah diterima" in web.get("/cadangan").text
    with app.app_context():
        entry = database.db.session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "cadangan-backup")).one()
        assert entry.subject == "node:backup"
    assert web.post("/cadangan", {"wish": "rehearsal"}).status_code == 503
    assert backup_orders.take(settings) == Order(Wish.BACKUP, "manajer")
    assert backup_orders.take(settings) is None


def test_no_order_while_a_run_goes_on(app: Flask, state: Path) -> None:
    web = signed_in(app, "manajer")
    web.get("/cadangan")
    with only_run(state):
        assert web.post("/cadangan", {"wish": "backup"}).status_code == 503


@pytest.mark.parametrize("content", ["", "{", "[]", '{"wish": "format"}', '{"wish": "backup"}', json.dumps({"by": "x"})])
def test_an_order_that_makes_no_sense_is_thrown_away(tmp_path: Path, content: str) -> None:
    settings = Settings(paths=PathSettings(runtime=str(tmp_path)))
    place = tmp_path / backup_orders.REQUEST
    place.write_text(content)
    assert backup_orders.take(settings) is None
    assert not place.exists()
