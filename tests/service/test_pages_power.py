"""The power page: what the watcher last said, the chart, and the book of a month, on the screen and for a spreadsheet."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask

from appliance import database
from appliance.config import Settings
from appliance.models.roles import Role
from appliance.power import journal, samples, state
from appliance.power.journal import Entry, Event
from appliance.power.policy import Cause
from appliance.power.reading import Reading
from tests.support.staff import HOME
from tests.support.web_client import Web, officer, web_app


@pytest.fixture
def web(settings: Settings) -> Iterator[Web]:
    app: Flask = web_app(settings)
    with app.app_context():
        officer("petugas.fo", Role.FO, areas=(HOME,))
    web = Web(app)
    web.sign_in("petugas.fo")
    yield web
    with app.app_context():
        database.db.engine.dispose()


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
    page = web.get("/listrik").text
    for words in ("Listrik menyala.", "221,5 V", "46 menit", "<polyline", "1 menit", "100 %", "Ditanggung baterai UPS"):
        assert words in page, words
    table = web.get("/listrik/buku.csv")
    assert table.headers["Content-Disposition"].startswith("attachment")
    rows = table.text.lstrip("\ufeff").splitlines()
    assert rows[0].split(";")[0] == "Padam"
    assert rows[1].split(";")[2:] == ["1 menit", "100", "97", "221,5", "ditanggung baterai UPS"]


def test_another_month_and_nonsense_in_the_address(web: Web, settings: Settings) -> None:
    note(settings, datetime(2026, 1, 5, 4, tzinfo=UTC), Event.MAINS_LOST)
    facts = {"down_at": "2026-01-05T04:06:00+00:00", "cause": Cause.TIME, "clean": True}
    note(settings, datetime(2026, 1, 5, 7, tzinfo=UTC), Event.BACK, **facts)
    page = web.get("/listrik?bulan=2026-01").text
    assert "Januari 2026" in page
    assert "Sistem mati dengan tertib: listrik padam terlalu lama" in page
    assert "bulan=2025-12" in page
    assert "bulan=2026-02" in page
    for nonsense in ("2026-13", "x", "9999-01", "-1"):
        assert "Tidak ada pemadaman tercatat" in web.get(f"/listrik?bulan={nonsense}").text
