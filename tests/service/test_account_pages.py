"""The pages of accounts, as an admin and the person herself use them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask

from appliance.casework.catalogue import unit_id
from appliance.config import Settings
from appliance.database import db
from appliance.models.roles import Role
from tests.support.databases import SqliteTemplate
from tests.support.web_client import PASSWORD, Web, officer, web_app

SITI = {"name": "Siti Aminah", "username": "siti.aminah", "role": "fo", "starts": "20-11-2026"}
OWN = "sungai mengalir tenang"


@pytest.fixture
def settings(sqlite: SqliteTemplate, tmp_path: Path) -> Settings:
    return sqlite.fresh(tmp_path)


@pytest.fixture
def pages(settings: Settings) -> Flask:
    app = web_app(settings)
    with app.app_context():
        officer("budi", Role.ADMIN, areas=())
        db.session.remove()
    return app


@pytest.fixture
def admin(pages: Flask) -> Web:
    web = Web(pages)
    web.sign_in("budi")
    return web


def _secret(text: str) -> str:
    found = re.search(r'<p class="secret code">([^<]+)</p>', text)
    assert found, text
    return found[1]


def _address(text: str) -> str:
    found = re.search(r'href="(/akun/[0-9a-f-]{36})"', text)
    assert found, text
    return found[1]


def test_a_new_officer_signs_in_with_what_the_admin_was_shown_and_chooses_her_own(pages: Flask, admin: Web) -> None:
    made = admin.post("/akun/baru", dict(SITI))
    password = _secret(made.text)
    assert made.headers["Cache-Control"] == "no-store"
    assert password not in admin.get(_address(made.text)).text
    siti = Web(pages)
    assert siti.sign_in("siti.aminah", password).location == "/akun-saya/kata-sandi"
    weak = siti.post("/akun-saya/kata-sandi", {"current": password, "new": "siti.aminah1", "again": "siti.aminah1"})
    assert (weak.status_code, "nama Anda" in weak.text) == (422, True)
    assert siti.post("/akun-saya/kata-sandi", {"current": password, "new": OWN, "again": OWN}).location == "/"
    assert "Front Office" in siti.get("/akun-saya").text
    assert Web(pages).sign_in("siti.aminah", password).status_code == 422


def test_all_problems_stand_beside_their_fields_and_what_was_typed_stays(admin: Web) -> None:
    wrong = admin.post("/akun/baru", {"name": "Siti <Aminah>", "username": "S", "role": "opd", "starts": "31-02-2026"})
    assert wrong.status_code == 422
    assert 'value="Siti &lt;Aminah&gt;"' in wrong.text
    assert 'id="starts-problem"' in wrong.text
    wrong = admin.post("/akun/baru", {"name": "", "username": "S", "role": "opd", "starts": "21-11-2026", "nip": "1"})
    for field in ("name", "username", "unit_id", "nip"):
        assert f'id="{field}-problem"' in wrong.text, field
        assert f'href="#{field}"' in wrong.text, field
    assert '<option value="opd" selected>' in wrong.text


def test_fields_that_the_form_does_not_have_change_nothing(pages: Flask, admin: Web) -> None:
    """Mass assignment: what a column is called is no way to set it."""
    extra = {"active": "0", "must_change_password": "0", "password_hash": "x", "id": "1", "created_by": "x", "row_version": "9"}
    made = admin.post("/akun/baru", {**SITI, **extra})
    page = admin.get(_address(made.text)).text
    assert "belum membuat kata sandi" in page


def test_an_admin_gives_a_role_and_takes_it_away(pages: Flask, admin: Web) -> None:
    address = _address(admin.post("/akun/baru", dict(SITI)).text)
    with pages.app_context():
        dinkes = unit_id("dinkes")
    more = {"role": "opd", "unit_id": dinkes, "starts": "21 November 2026", "decree": "SK 460/12"}
    assert admin.post(f"{address}/penugasan", {"role": "opd", "starts": "x"}).status_code == 422
    assert admin.post(f"{address}/penugasan", more).status_code == 303
    page = admin.get(address).text
    assert "SK 460/12" in page
    end = re.search(r'action="(/akun/[^"]+/akhiri)"', page)
    assert end
    assert admin.post(end[1]).status_code == 303


def test_a_plan_is_shown_as_such_and_can_be_dropped(admin: Web) -> None:
    address = _address(admin.post("/akun/baru", dict(SITI)).text)
    admin.post(f"{address}/penugasan", {"role": "fasilitator", "area_codes": "73.03.01.1001", "starts": "1 Januari 2090"})
    page = admin.get(address).text
    assert "direncanakan" in page
    drop = re.search(r'action="([^"]+/akhiri)"(?:(?!</form>).)*Batalkan rencana', page, re.DOTALL)
    assert drop
    assert admin.post(drop[1]).status_code == 303
    page = admin.get(address).text
    assert "direncanakan" not in page
    assert "Batalkan rencana" not in page


def test_a_reset_and_a_deactivation_throw_her_out_at_once(pages: Flask, admin: Web) -> None:
    with pages.app_context():
        account = officer("rahma", Role.FO)
        db.session.remove()
    rahma = Web(pages)
    rahma.sign_in("rahma")
    password = _secret(admin.post(f"/akun/{account}/kata-sandi").text)
    assert rahma.get("/akun-saya").status_code == 303
    assert rahma.sign_in("rahma", password).status_code == 303
    assert admin.post(f"/akun/{account}/nonaktif").status_code == 303
    assert "nonaktif" in admin.get(f"/akun/{account}").text
    assert rahma.get("/akun-saya/kata-sandi").location.startswith("/masuk")
    assert rahma.sign_in("rahma", password).status_code == 422
    assert admin.post(f"/akun/{account}/aktif").status_code == 303
    assert rahma.sign_in("rahma", password).status_code == 303


def test_the_last_admin_is_told_why_not(admin: Web) -> None:
    page = admin.get("/akun").text
    refused = admin.post(f"{_address(page)}/nonaktif")
    assert refused.status_code == 409
    assert "admin terakhir" in refused.text


def test_one_sees_and_ends_the_own_sessions(pages: Flask, admin: Web) -> None:
    other = Web(pages)
    other.sign_in("budi", PASSWORD)
    page = admin.get("/akun-saya").text
    assert page.count("Chrome di Linux") == 3, "two rows, and the button that cuts off the other one"
    assert page.count("Putus perangkat ini: Chrome di Linux") == 1
    assert admin.post("/akun-saya/keluarkan").status_code == 303
    assert other.get("/akun-saya").status_code == 303
    assert admin.get("/akun-saya").text.count("Chrome di Linux") == 1
