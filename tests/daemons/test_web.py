"""The pages as the machine runs them: killed workers, a stop amid requests, the gate, and what the journal gets to know."""

from __future__ import annotations

import json
import os
import re
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from appliance import database
from appliance.casework import casebook, cases
from appliance.config import Settings
from appliance.database import db
from appliance.gate import Gate
from appliance.models.account import Account, WebSession
from appliance.models.roles import Role
from appliance.models.visit import CasePaper, Visit
from tests.support.databases import SqliteTemplate, sqlite_template
from tests.support.desk import move, new_case, resident
from tests.support.pictures import photo
from tests.support.staff import HOME, hire_one
from tests.support.waiting import wait_for
from tests.support.web_client import PASSWORD, officer, web_settings
from tests.support.web_daemon import WebDaemon
from webui.security import FRONT_BYTES, MEGABYTE, MOST_UPLOADED


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> SqliteTemplate:
    return sqlite_template(tmp_path_factory.mktemp("prepared"))


@pytest.fixture
def settings(prepared: SqliteTemplate, tmp_path: Path) -> Settings:
    return web_settings(prepared.fresh(tmp_path), https=False)


@pytest.fixture
def web(settings: Settings, tmp_path: Path) -> Iterator[WebDaemon]:
    with database.create_service(settings).app_context():
        officer("rahma", Role.FO)
        db.engine.dispose()
    daemon = WebDaemon(settings, tmp_path)
    daemon.start()
    try:
        yield daemon
    finally:
        daemon.kill()


@contextmanager
def _writer_busy(settings: Settings) -> Iterator[None]:
    """Somebody else holds the writer's turn, so that a request that wants it is under way for as long as we like."""
    with database.create_service(settings).app_context():
        with database.transaction():
            yield
        db.engine.dispose()


def _sessions(settings: Settings) -> int:
    with database.create_service(settings).app_context():
        found = db.session.scalar(sa.select(sa.func.count()).select_from(WebSession))
        db.engine.dispose()
        return found or 0


def _gate(settings: Settings) -> Gate:
    return Gate(Path(settings.paths.runtime) / "gate.lock", Path(settings.power.runtime) / "state.json")


def _signing_in(settings: Settings, web: WebDaemon) -> tuple[threading.Thread, list[int]]:
    """A sign-in that is under way, in a thread of its own; its status when it is answered."""
    statuses: list[int] = []
    typed = {"username": "rahma", "password": PASSWORD}
    thread = threading.Thread(target=lambda: statuses.append(web.post("/masuk", typed)[0]))
    thread.start()
    wait_for(lambda: not _gate(settings).wait_until_idle(0), what="the change holds the gate")
    return thread, statuses


def test_it_serves_on_the_socket_that_it_inherits(web: WebDaemon) -> None:
    status, body = web.get("/healthz")
    assert (status, json.loads(body)["ok"]) == (200, True)
    web.sign_in("rahma", PASSWORD)
    assert "Rahma" in web.get("/akun-saya")[1]


def test_every_worker_can_draw_letters_before_it_is_asked(web: WebDaemon) -> None:
    def ready() -> bool:
        workers = web.workers()
        return len(workers) == 2 and all("libpango" in Path(f"/proc/{worker}/maps").read_text() for worker in workers)

    wait_for(ready, what="both workers have loaded what draws letters")


def test_a_killed_worker_is_replaced_and_nobody_is_signed_out(web: WebDaemon) -> None:
    web.sign_in("rahma", PASSWORD)
    before = wait_for(lambda: len(web.workers()) == 2 and web.workers(), what="two workers")
    for worker in before:
        os.kill(worker, signal.SIGKILL)
    assert web.get("/akun-saya")[0] == 200
    wait_for(lambda: len(web.workers()) == 2 and not set(web.workers()) & set(before), what="two new workers")


def test_a_stop_answers_the_request_that_is_under_way(settings: Settings, web: WebDaemon) -> None:
    web.get("/masuk")
    with _writer_busy(settings):
        thread, statuses = _signing_in(settings, web)
        web.process.send_signal(signal.SIGTERM)
        wait_for(lambda: "Handling signal: term" in web.log.read_text(), what="gunicorn has heard it")
        assert statuses == []
    thread.join(120)
    assert statuses == [303]
    assert web.process.wait(120) == 0
    assert _sessions(settings) == 1


def test_a_stop_ends_at_once_and_leaves_the_log_of_the_database_to_whoever_carries_it_over(
    settings: Settings, web: WebDaemon
) -> None:
    web.sign_in("rahma", PASSWORD)
    web.process.send_signal(signal.SIGTERM)
    assert web.process.wait(30) == 0
    assert "Shutting down: Master" in web.log.read_text()
    assert Path(f"{settings.database_file}-wal").exists(), "nobody has taken the trouble to close everything"


def test_the_gate_is_held_while_a_change_is_under_way_and_by_nobody_else(settings: Settings, web: WebDaemon) -> None:
    web.get("/masuk")
    assert _gate(settings).wait_until_idle(5)
    with _writer_busy(settings):
        thread, _statuses = _signing_in(settings, web)
    thread.join(120)
    assert _gate(settings).wait_until_idle(5)


def test_a_closed_gate_takes_nothing(settings: Settings, web: WebDaemon) -> None:
    state = Path(settings.power.runtime) / "state.json"
    web.get("/masuk")
    state.write_text(json.dumps({"at": datetime.now(UTC).isoformat(), "stage": "draining", "accepts_work": False}))
    status, body = web.post("/masuk", {"username": "rahma", "password": PASSWORD})
    assert status == 503
    assert "tidak menerima simpanan baru" in body
    assert _sessions(settings) == 0
    assert web.get("/masuk")[0] == 200
    state.unlink()
    assert web.post("/masuk", {"username": "rahma", "password": PASSWORD})[0] == 303
    assert _sessions(settings) == 1


def test_what_was_answered_is_there_after_the_whole_of_it_was_killed(settings: Settings, web: WebDaemon) -> None:
    web.sign_in("rahma", PASSWORD)
    workers = web.workers()
    web.process.kill()
    web.process.wait(120)
    for worker in workers:
        os.kill(worker, signal.SIGKILL)
    web.socket.unlink()
    web.start()
    assert web.get("/akun-saya")[0] == 200
    with database.create_service(settings).app_context():
        assert db.session.scalar(sa.select(sa.func.count()).select_from(Account)) == 1
        db.engine.dispose()


def _large_photos(count: int, megabytes: int) -> list[bytes]:
    """Photos as big as a camera makes them: what follows the end of a JPEG is read by nobody."""
    colours = ("peru", "navy", "olive", "gold", "teal", "plum", "tan", "coral")
    return [(small := photo(colour)) + bytes(megabytes * MEGABYTE - len(small)) for colour in colours[:count]]


def test_eight_photos_of_a_visit_pass_and_of_too_large_ones_the_words_are_kept(settings: Settings, web: WebDaemon) -> None:
    at = datetime.now(UTC)
    with database.create_service(settings).app_context():
        officer("nur", Role.FASILITATOR, areas=(HOME,))
        fo, supervisor = hire_one("fo.sari", Role.FO, ("73.03",)), hire_one("supervisor.rahma", Role.SUPERVISOR, ("73.03",))
        case = cases.open_case(new_case(resident(fo)), request_id="r", by=fo, at=at).id
        move(case, supervisor, "ambil", at)
        version = casebook.look_at_case(case, by=supervisor, at=at).row_version
        day = at.astimezone(settings.zone)
        db.engine.dispose()
    web.sign_in("nur", PASSWORD)
    path = f"/kasus/{case}/langkah/isi_kunjungan"
    report = {
        "visit_result": "sesuai",
        "visit_date": f"{day:%d-%m-%Y}",
        "note": "Atap roboh di dapur",
        "row_version": str(version),
    }
    status, body = web.post_files(path, report, "photos", _large_photos(8, 6))
    assert (status, "tersimpan sebagai draf" in body) == (413, True)
    again = re.search(r'href="(/kasus/[^"]+draf=1)"', body)
    assert again
    assert "Atap roboh di dapur" in web.get(again[1].replace("&amp;", "&"))[1]
    assert web.post_files(path, report, "photos", _large_photos(8, 5))[0] == 303
    with database.create_service(settings).app_context():
        assert db.session.scalar(sa.select(Visit.report)) == "Atap roboh di dapur"
        assert db.session.scalar(sa.select(sa.func.count()).select_from(CasePaper)) == 8
        db.engine.dispose()


def test_the_front_lets_pass_what_the_pages_refuse_themselves() -> None:
    front = (Path(__file__).parents[2] / "provision/templates/web/nginx.conf").read_text()
    assert re.findall(r"client_max_body_size (\w+);", front) == [f"{FRONT_BYTES // MEGABYTE}m"]
    assert MOST_UPLOADED < FRONT_BYTES


def test_the_journal_learns_nothing_of_what_is_asked_and_is_not_filled_by_open_pages(web: WebDaemon) -> None:
    web.get("/masuk?next=/warga%3Fcari%3D7303010101010001")
    web.get("/tidak-ada?nik=7303010101010001", {"Referer": "http://slrt/warga?nik=7303010101010001"})
    for path in ("/power.json", "/healthz", "/static/app.css"):
        web.get(path)
    text = wait_for(lambda: (log := web.log.read_text()).count("GET /tidak-ada 404") and log, what="the line of the last request")
    assert "GET /masuk 200" in text
    assert "7303010101010001" not in text
    for path in ("/power.json", "/healthz", "/static/"):
        assert path not in text
