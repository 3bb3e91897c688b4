"""What every answer of the pages carries and what no request gets past, for all routes at once."""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask, request
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from appliance.config import Settings
from appliance.database import db, transaction
from appliance.errors import ApplianceError, Conflict, InvalidInput, NotFound, TryLater
from appliance.models.account import Account, WebSession
from appliance.models.roles import Role
from tests.support.databases import PostgresTemplate, SqliteTemplate
from tests.support.web_client import PASSWORD, Web, officer, web_app
from webui.session import EVERYBODY, access_of, public, signed_in
from webui.sign_in import device_name, inner_path

AT_REST = (
    "Content-Security-Policy",
    "X-Content-Type-Options",
    "X-Frame-Options",
    "Referrer-Policy",
    "Strict-Transport-Security",
    "Cache-Control",
)
OPEN_TO_ALL = {
    *("static", "health.show", "power_banner.state", "sign_in.enter", "sign_in.enter_now"),
    *("queue.screen", "citizen.ask", "citizen.answer", "citizen.notice"),
    *("letter_check.ask", "letter_check.search", "letter_check.show"),
    *("network.ask_to_confirm", "network.confirm"),
}


def _raise(error: Exception) -> None:
    raise error


def _probes(app: Flask) -> None:
    """Views that fail in every way there is."""
    errors = {
        "salah": InvalidInput({"name": "Tulis namanya."}),
        "hilang": NotFound("Itu tidak ada.", "Cari lagi."),
        "bentrok": Conflict("Sudah diubah.", "Muat ulang."),
        "nanti": TryLater("Sedang sibuk.", "Tunggu."),
        "penuh": ApplianceError("Penyimpanan penuh.", "Beri tahu admin."),
        "rusak": RuntimeError("secret detail 7303010101010001"),
    }
    for name, error in errors.items():
        app.add_url_rule(f"/uji/{name}", name, public(lambda error=error: _raise(error)), methods=["GET", "POST"])
    app.add_url_rule("/uji/simpan", "simpan", signed_in()(lambda: f"tersimpan {request.form['name']}"), methods=["POST"])
    app.add_url_rule("/uji/asal", "asal", public(lambda: f"{request.remote_addr} {request.scheme}"))
    app.add_url_rule("/uji/tanpa-tanda", "tanpa-tanda", lambda: "tidak boleh terbaca")


@pytest.fixture
def settings(sqlite: SqliteTemplate, tmp_path: Path) -> Settings:
    """Nothing here depends on the kind of database, so one is enough; `either` is for what does."""
    return sqlite.fresh(tmp_path)


@pytest.fixture(params=["sqlite", "postgres"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    template: SqliteTemplate | PostgresTemplate = request.getfixturevalue(request.param)
    return template.fresh(tmp_path)


@pytest.fixture
def pages(settings: Settings) -> Flask:
    app = web_app(settings)
    _probes(app)
    with app.app_context():
        officer("rahma", Role.FO)
        officer("budi", Role.ADMIN)
        officer("baru", Role.FO, own_password=False)
        db.session.remove()
    return app


@pytest.fixture
def web(pages: Flask) -> Web:
    return Web(pages)


def _rules(app: Flask) -> list[Rule]:
    return [rule for rule in app.url_map.iter_rules() if not rule.endpoint.startswith("uji")]


def _path(rule: Rule) -> str:
    return re.sub(r"<[^>]+>", "x", rule.rule)


ANSWERS = {
    "/masuk": 200, "/": 303, "/tidak-ada": 404, "/uji/salah": 422, "/uji/hilang": 404, "/uji/bentrok": 409, "/uji/nanti": 503,
    "/uji/penuh": 500, "/uji/rusak": 500, "/keluar": 405, "/static/app.css": 200, "/healthz": 200, "/power.json": 200,
}  # fmt: skip


def test_every_answer_carries_the_headers(web: Web) -> None:
    for path, status in ANSWERS.items():
        response = web.get(path)
        assert response.status_code == status, path
        _has_headers(response)


def _has_headers(response: TestResponse) -> None:
    for name in AT_REST:
        assert name in response.headers, name
    policy = response.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert response.headers["Cache-Control"] == "no-store"
    assert "Access-Control-Allow-Origin" not in response.headers


def test_no_page_needs_what_the_policy_forbids(web: Web) -> None:
    web.sign_in("budi")
    for path in ("/masuk", "/", "/akun", "/akun/baru", "/akun-saya", "/akun-saya/kata-sandi", "/tidak-ada"):
        text = web.get(path).text
        assert " style=" not in text, path
        assert not re.search(r"\son\w+=", text), path
        assert not re.search(r"<script(?! src=\"/static/)", text), path
        assert not re.search(r"(src|href)=\"(https?:)?//", text), path


def test_static_files_are_kept_for_long_only_at_an_address_that_names_their_content(web: Web) -> None:
    address = re.search(r'href="(/static/app\.css\?v=[0-9a-f]{12})"', web.get("/masuk").text)
    assert address
    assert "immutable" in web.get(address[1]).headers["Cache-Control"]
    assert web.get("/static/app.css").headers["Cache-Control"] == "no-store"
    assert web.get("/static/../webui/__init__.py").status_code == 404


def test_cookies_can_be_read_by_no_script_and_set_by_no_other_host(web: Web) -> None:
    web.get("/masuk")
    response = web.post("/masuk", {"username": "rahma", "password": PASSWORD})
    cookies = response.headers.getlist("Set-Cookie")
    assert len(cookies) >= 2
    for cookie in cookies:
        assert cookie.startswith("__Host-slrt-")
        for word in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
            assert word in cookie
        assert "Domain" not in cookie


def test_the_demonstration_without_tls_works_with_plain_cookies(settings: Settings) -> None:
    app = web_app(settings, https=False)
    with app.app_context():
        officer("rahma", Role.FO)
        db.session.remove()
    web = Web(app)
    response = web.sign_in("rahma")
    assert all("Secure" not in cookie for cookie in response.headers.getlist("Set-Cookie"))
    assert "Strict-Transport-Security" not in web.get("/masuk").headers
    assert web.get("/akun-saya").status_code == 200


def test_every_view_says_who_may_open_it(pages: Flask) -> None:
    with pages.app_context():
        marks = {rule.endpoint: access_of(rule.endpoint) for rule in _rules(pages)}
    ours = {endpoint: mark for endpoint, mark in marks.items() if "." in endpoint or endpoint == "static"}
    assert [endpoint for endpoint, mark in ours.items() if mark is None] == []
    assert {endpoint for endpoint, mark in ours.items() if mark == EVERYBODY} == OPEN_TO_ALL


def test_a_stranger_gets_past_the_sign_in_page_nowhere(pages: Flask, web: Web) -> None:
    for rule in _rules(pages):
        if rule.endpoint in OPEN_TO_ALL or "." not in rule.endpoint:
            continue
        if "GET" in (rule.methods or ()):
            response = web.get(_path(rule))
            assert response.status_code == 303, rule
            assert response.location.startswith("/masuk"), rule
        if "POST" in (rule.methods or ()):
            assert web.post(_path(rule), {"name": "x"}).status_code == 401, rule


def test_a_view_that_forgot_its_mark_is_closed(web: Web) -> None:
    assert web.get("/uji/tanpa-tanda").status_code == 303
    web.sign_in("budi")
    assert web.get("/uji/tanpa-tanda").status_code == 403


def test_no_form_is_taken_without_the_token_of_this_session(pages: Flask, web: Web) -> None:
    """Without one, with a made-up one, with that of another session, and with the one of before the sign-in."""
    other = Web(pages)
    other.sign_in("budi")
    web.get("/masuk")
    before = web.token
    web.sign_in("rahma")
    mine = web.token
    for rule in _rules(pages):
        if "POST" not in (rule.methods or ()) or rule.endpoint in {"sign_in.leave", "sign_in.leave_elsewhere"}:
            continue
        for token in ("", "made-up", other.token, before):
            assert web.post(_path(rule), {"name": "x"}, token=token).status_code == 403, (rule, token)
    assert web.post("/uji/simpan", {"name": "x"}, token=mine).status_code == 200
    for token in ("", other.token, before):
        assert web.post("/keluar", token=token).status_code == 403
    assert web.get("/akun-saya").status_code == 200


@pytest.mark.parametrize("origin", ["https://jahat.example", "http://192.168.1.66", "null", "https://slrt.jahat.example"])
def test_a_form_of_another_site_is_refused_even_with_the_right_token(web: Web, origin: str) -> None:
    web.sign_in("rahma")
    refused = web.post("/uji/simpan", {"name": "Nurhayati"}, origin=origin)
    assert refused.status_code == 403
    assert "Simpan lagi" not in refused.text


def test_reading_changes_nothing(pages: Flask, web: Web) -> None:
    web.sign_in("budi")

    def stored() -> list[object]:
        with pages.app_context():
            return [
                tuple(row) for table in (Account, WebSession) for row in db.session.execute(sa.select(*table.__table__.columns))
            ]

    before = stored()
    for path in ("/akun", "/akun/baru", "/akun-saya", "/akun-saya/kata-sandi", "/masuk", "/healthz", "/power.json"):
        web.get(path)
    assert stored() == before


def test_the_session_is_another_one_after_signing_in_and_dead_after_signing_out(pages: Flask, web: Web) -> None:
    web.client.set_cookie("__Host-slrt-session", "planted-by-somebody", domain="slrt", secure=True, path="/")
    web.sign_in("rahma")
    mine = web.cookie("session")
    assert mine not in {None, "planted-by-somebody"}
    assert web.post("/keluar").status_code == 303
    thief = Web(pages)
    thief.client.set_cookie("__Host-slrt-session", str(mine), domain="slrt", secure=True, path="/")
    assert thief.get("/akun-saya").status_code == 303


def test_what_was_typed_is_not_lost_when_the_session_ended(pages: Flask, web: Web) -> None:
    web.sign_in("rahma")
    with pages.app_context():
        db.session.execute(sa.update(WebSession).values(last_seen_at=datetime.now(UTC) - timedelta(minutes=31)))
        db.session.commit()
    ended = web.post("/uji/simpan", {"name": "Nurhayati <b>"})
    assert ended.status_code == 401
    assert "Nurhayati &lt;b&gt;" in ended.text
    web_again = web.sign_in("rahma")
    assert web_again.status_code == 303
    assert web.post("/uji/simpan", {"name": "Nurhayati"}).text == "tersimpan Nurhayati"


def test_a_one_time_password_opens_only_the_page_that_replaces_it(pages: Flask, web: Web) -> None:
    web.sign_in("baru")
    for path in ("/", "/akun-saya", "/akun"):
        assert web.get(path).location == "/akun-saya/kata-sandi"
    assert web.post("/uji/simpan", {"name": "x"}).location == "/akun-saya/kata-sandi"
    web.get("/akun-saya/kata-sandi")
    new = {"current": PASSWORD, "new": "sungai mengalir tenang", "again": "sungai mengalir tenang"}
    assert web.post("/akun-saya/kata-sandi", new).status_code == 303
    assert web.get("/akun-saya").status_code == 200


def test_the_pages_of_the_admin_are_for_the_admin(pages: Flask, web: Web) -> None:
    web.sign_in("rahma")
    for rule in _rules(pages):
        if rule.endpoint.startswith("accounts."):
            method = web.get if "GET" in (rule.methods or ()) else web.post
            assert method(_path(rule)).status_code == 403, rule
    assert '/akun"' not in web.get("/akun-saya").text


def _publish(settings: Settings, **state: object) -> None:
    whole = {"at": datetime.now(UTC).isoformat(), "stage": "online", "accepts_work": True, **state}
    (Path(settings.paths.runtime) / "state.json").write_text(json.dumps(whole))


def test_before_a_shutdown_nothing_is_taken_and_nothing_typed_is_lost(settings: Settings, web: Web) -> None:
    web.sign_in("rahma")
    _publish(settings, stage="draining", accepts_work=False)
    refused = web.post("/uji/simpan", {"name": "Nurhayati", "note": "baris satu\nbaris dua"})
    assert refused.status_code == 503
    assert int(refused.headers["Retry-After"]) > 0
    assert 'value="Nurhayati"' in refused.text
    assert "baris satu" in refused.text
    assert "Simpan lagi" in refused.text
    assert web.get("/akun-saya").status_code == 200
    _publish(settings)
    assert web.post("/uji/simpan", {"name": "Nurhayati"}).text == "tersimpan Nurhayati"


def test_no_password_is_shown_again(settings: Settings, web: Web) -> None:
    web.sign_in("rahma")
    _publish(settings, stage="draining", accepts_work=False)
    refused = web.post("/akun-saya/kata-sandi", {"current": PASSWORD, "new": "sungai mengalir tenang", "again": "x"})
    assert refused.status_code == 503
    assert PASSWORD not in refused.text
    assert "sungai" not in refused.text
    web.get("/masuk")
    half = web.post("/masuk", {"username": "rahma", "password": PASSWORD})
    assert half.status_code == 503
    assert "Simpan lagi</button>" not in half.text  # without the password it could not be sent again anyway


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'{"at": 1, "stage": []}', b"\xff"])
def test_a_broken_state_file_breaks_no_page(settings: Settings, web: Web, content: bytes) -> None:
    (Path(settings.paths.runtime) / "state.json").write_bytes(content)
    (Path(settings.paths.runtime) / "journal.jsonl").write_bytes(content)
    assert web.sign_in("rahma").status_code == 303
    assert web.get("/akun-saya").status_code == 200
    assert web.get("/power.json").json == {"tone": "good", "sentence": "", "seconds": None}


def test_the_banner_stands_on_every_page_and_can_be_asked_for_without_a_session(settings: Settings, web: Web) -> None:
    _publish(settings, stage="on-battery", mains=False, seconds_left=240)
    for path in ("/masuk", "/tidak-ada"):
        assert "sistem mati dalam 4 menit" in web.get(path).text
    assert web.get("/power.json").json["tone"] == "warn"


def test_asking_for_the_banner_keeps_no_session_alive(pages: Flask, web: Web) -> None:
    web.sign_in("rahma")
    long_ago = datetime.now(UTC) - timedelta(minutes=20)
    with pages.app_context():
        db.session.execute(sa.update(WebSession).values(last_seen_at=long_ago))
        db.session.commit()
        web.get("/power.json")
        db.session.rollback()
        assert db.session.scalars(sa.select(WebSession.last_seen_at)).one() == long_ago


def test_a_fault_shows_a_number_that_the_journal_knows_and_nothing_else(web: Web, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        response = web.get("/uji/rusak?cari=7303010101010001")
    number = re.search(r'<p class="secret code">([0-9A-F]{6})</p>', response.text)
    assert number
    assert any(number[1] in record.getMessage() and record.exc_info for record in caplog.records)
    assert all("7303010101010001" not in record.getMessage() for record in caplog.records)
    assert "secret detail" not in response.text
    assert "Traceback" not in response.text


def test_too_big_a_request_is_refused_in_words(web: Web) -> None:
    web.sign_in("rahma")
    response = web.post("/uji/simpan", {"name": "x" * (9 * 1024 * 1024)})
    assert response.status_code == 413
    assert "Kiriman terlalu besar" in response.text


def test_the_wait_of_the_throttle_is_told(web: Web) -> None:
    web.get("/masuk")
    answers: list[TestResponse] = []
    # Each miss doubles the wait: a slow machine, which needs longer than the first one, meets a later one.
    while len(answers) < 8 and [answer.status_code for answer in answers[2:]][-1:] != [429]:
        answers.append(web.post("/masuk", {"username": "rahma", "password": "salah"}))
    assert {answer.status_code for answer in answers[:-1]} == {422}
    assert answers[-1].status_code == 429
    wait = int(answers[-1].headers["Retry-After"])
    assert wait >= 1
    assert f"Tunggu {wait} detik" in answers[-1].text


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/kasus?page=2", "/kasus?page=2"),
        (None, "/"),
        ("", "/"),
        ("kasus", "/"),
        ("//jahat.example", "/"),
        ("/\\jahat.example", "/"),
        ("https://jahat.example/", "/"),
        ("/a\r\nSet-Cookie: x=1", "/"),
        ("/ a", "/"),
        ("javascript:alert(1)", "/"),
    ],
)
def test_after_signing_in_one_stays_on_this_site(target: str | None, path: str) -> None:
    assert inner_path(target) == path


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (
            "Mozilla/5.0 (Linux; Android 4.4.2; A3500) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/81.0 Safari/537.36",
            "Chrome di Android",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36 Edg/120.0",
            "Edge di Windows",
        ),
        ("curl/8", "Peramban lain"),
        ("", "Peramban lain"),
    ],
)
def test_a_browser_has_a_name_its_owner_knows(agent: str, name: str) -> None:
    assert device_name(agent) == name


@pytest.mark.parametrize(("peer", "seen"), [("", "192.168.1.23 https"), ("127.0.0.1", "127.0.0.1 http")])
def test_only_the_front_on_the_socket_is_believed_about_addresses(pages: Flask, peer: str, seen: str) -> None:
    headers = {"X-Forwarded-For": "192.168.1.23", "X-Forwarded-Proto": "https"}
    response = pages.test_client().get(
        "/uji/asal", base_url="http://slrt", headers=headers, environ_overrides={"REMOTE_ADDR": peer}
    )
    assert response.text == seen


def test_healthz_tells_whether_a_change_could_be_stored(either: Settings) -> None:
    pages = web_app(either)
    web = Web(pages)
    well = web.get("/healthz")
    assert (well.status_code, well.json["ok"], well.json["database"]) == (200, True, "ok")
    with pages.app_context():
        db.session.execute(sa.text("DROP TABLE alembic_version"))
        db.session.commit()
    ill = web.get("/healthz")
    assert (ill.status_code, ill.json["ok"], ill.json["database"]) == (503, False, "missing")
    assert set(ill.json) == {"ok", "database", "accepts_work", "version", "epoch"}


def test_the_screen_on_the_wall_keeps_no_session_alive(pages: Flask, web: Web) -> None:
    web.sign_in("budi")
    long_ago = datetime.now(UTC) - timedelta(minutes=5)
    with pages.app_context(), transaction() as session:
        session.execute(sa.update(WebSession).values(last_seen_at=long_ago))
    web.get("/layar-antrean")
    with pages.app_context():
        assert db.session.scalars(sa.select(WebSession.last_seen_at)).all() == [long_ago]
