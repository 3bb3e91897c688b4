"""The administrator's way to an upgrade: look at the stick, order, and read afterwards what became of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from appliance import __version__, database, upgrade_orders
from appliance.config import Settings
from appliance.models.audit import AuditEntry
from appliance.models.roles import Role
from provision.host import LocalHost
from provision.upgrade import ordered
from provision.upgrade.journal import Place, Told, write
from provision.upgrade.node import Node
from tests.support.databases import SqliteTemplate
from tests.support.web_client import Web, officer, web_app

WHY = "memasang perbaikan cetak surat"
RELEASE = "0.2.0+1a2b3c4d"


@pytest.fixture
def settings(sqlite: SqliteTemplate, tmp_path: Path) -> Settings:
    return sqlite.fresh(tmp_path)


@pytest.fixture
def node(settings: Settings) -> Node:
    """Where root's unit writes what the pages read."""
    place = Place(
        *(Path(settings.paths.data).parent / name for name in ("install", "run")), Path(f"{settings.paths.data}-upgrade")
    )
    place.public.mkdir()
    return Node(settings, LocalHost(), place)


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    app = web_app(settings)
    with app.app_context():
        officer("admin", Role.ADMIN)
    yield app
    with app.app_context():
        database.db.engine.dispose()


@pytest.fixture
def web(app: Flask) -> Web:
    """The administrator's browser."""
    web = Web(app)
    assert web.sign_in("admin").status_code == 303
    return web


def publish_found(node: Node, **facts: Any) -> None:
    """As root's look at the stick leaves it."""
    ordered._found(node, **{"version": "0.2.0", "release": RELEASE, "file": "slrt-node-0.2.0.slrt", **facts})


def take(settings: Settings) -> ordered.Order | None:
    """As root's unit reads the order."""
    return ordered.take(Path(settings.paths.runtime) / upgrade_orders.REQUEST)


def test_from_the_stick_to_an_order_that_root_understands(app: Flask, web: Web, settings: Settings, node: Node) -> None:
    page = web.get("/pembaruan").text
    assert __version__ in page
    assert "Perbarui program" not in page, "nothing was looked at yet"
    assert web.post("/pembaruan", {"wish": "look"}).status_code == 303
    assert 'http-equiv="refresh"' in web.get("/pembaruan").text
    assert web.post("/pembaruan", {"wish": "look"}).status_code == 503, "one after the other"
    assert take(settings) == ordered.Order("look", "admin", "")

    publish_found(node)
    assert "Ketik PERBARUI 0.2.0" in web.get("/pembaruan").text
    form = {"wish": "start", "release": RELEASE, "reason": "x", "typed": "perbarui"}
    refused = web.post("/pembaruan", form)
    assert refused.status_code == 422
    assert "Tulis alasannya" in refused.text
    assert take(settings) is None
    assert web.post("/pembaruan", {**form, "reason": WHY, "typed": " perbarui  0.2.0 "}).status_code == 303
    assert take(settings) == ordered.Order("start", "admin", RELEASE)
    with app.app_context():
        entry = database.db.session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "pembaruan-start")).one()
    assert json.loads(entry.detail) == {"alasan": WHY, "rilis": RELEASE}


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"problem": "Bundel rusak.", "next_step": "Salin lagi."}, "Bundel rusak. Salin lagi."),
        ({"refusals": [("Listrik padam.", "Tunggu.")]}, "Listrik padam. Tunggu."),
    ],
)
def test_what_may_not_begin_is_told_and_refused(
    web: Web, settings: Settings, node: Node, facts: dict[str, Any], words: str
) -> None:
    publish_found(node, **facts)
    page = web.get("/pembaruan").text
    assert words in page
    assert "Perbarui program" not in page
    form = {"wish": "start", "release": RELEASE, "reason": WHY, "typed": "PERBARUI 0.2.0"}
    assert web.post("/pembaruan", form).status_code == 422
    assert take(settings) is None


def test_another_bundle_than_the_one_that_was_shown_is_not_ordered(web: Web, settings: Settings, node: Node) -> None:
    publish_found(node)
    form = {"wish": "start", "release": "0.2.0+ffffffff", "reason": WHY, "typed": "PERBARUI 0.2.0"}
    assert web.post("/pembaruan", form).status_code == 422
    assert take(settings) is None


def test_the_progress_the_end_and_a_cut_are_told(web: Web, settings: Settings, node: Node) -> None:
    working = Path(f"{settings.paths.runtime}-upgrade") / upgrade_orders.WORKING
    working.parent.mkdir()
    working.touch()
    ordered.tell(node, "[4/6] Menyalin basis data")
    assert "[4/6] Menyalin basis data" in web.get("/pembaruan").text
    working.unlink()
    page = web.get("/pembaruan").text
    assert "mungkin karena listrik padam" in page, "after a power cut nobody has written down the end"
    assert "Menyalin basis data" not in page
    ordered.end_cut_off(node)
    assert "Terputus sebelum selesai" in web.get("/pembaruan").text
    at = datetime.now(UTC).isoformat()
    write(
        node.place.last, Told(False, "0.1.0+a", RELEASE, at, "admin", "Pergantian gagal dan dibatalkan sendiri: halaman rusak.")
    )
    page = web.get("/pembaruan").text
    assert "Dibatalkan" in page
    assert "halaman rusak" in page


def test_an_order_is_believed_no_further_than_it_makes_sense(settings: Settings, tmp_path: Path) -> None:
    place = Path(settings.paths.runtime) / upgrade_orders.REQUEST
    good = {"wish": "start", "by": "admin", "release": RELEASE, "reason": ""}
    for bad in ({}, {**good, "wish": "rm"}, {**good, "by": "a b"}, {**good, "by": "--cold"}, {**good, "by": ""}):
        place.write_text(json.dumps(bad))
        assert take(settings) is None
        assert not place.exists()
    secret = tmp_path / "secret"
    secret.write_text(json.dumps(good))
    place.symlink_to(secret)
    assert take(settings) is None
    assert secret.exists()
