"""The page of the node's address: what an admin reads and orders, who may confirm and where, and what is in the journal."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from ipaddress import IPv4Interface
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from pypdf import PdfReader

from appliance import __version__, database
from appliance.config import Settings
from appliance.lan import card, orders, trial
from appliance.lan.orders import Order, Wish
from appliance.lan.rules import Present, Typed, Wanted
from appliance.lan.trial import Told, Trial
from appliance.letters.pdf import to_pdf
from appliance.models.audit import AuditEntry
from appliance.models.roles import Role
from provision.certificates import make_authority
from provision.identity import handout
from tests.support.web_client import Web, officer, web_app

OLD, NEW = Present("eno1", ("192.168.1.77/24",), "192.168.1.1", (), "ifupdown", False), IPv4Interface("192.168.1.10/24")
TYPED = {"address": str(NEW), "gateway": "192.168.1.1", "dns": "192.168.1.1"}
WORD = "kata-rahasia"

pytestmark = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)


@pytest.fixture
def node(settings: Settings, tmp_path: Path) -> Settings:
    """The settings with a folder of root's own."""
    (tmp_path / "lan").mkdir()
    (tmp_path / "tls").mkdir()
    network, paths = (
        replace(settings.network, state=str(tmp_path / "lan")),
        replace(settings.paths, certificates=str(tmp_path / "tls")),
    )
    found = replace(settings, network=network, paths=paths)
    (tmp_path / "lan" / trial.SEEN).write_text(json.dumps(asdict(OLD)))
    return found


@pytest.fixture
def app(node: Settings) -> Iterator[Flask]:
    app = web_app(node)
    with app.app_context():
        officer("admin.it", Role.ADMIN)
    yield app
    with app.app_context():
        database.db.engine.dispose()


@pytest.fixture
def web(app: Flask) -> Web:
    web = Web(app)
    assert web.sign_in("admin.it").status_code == 303
    return web


def on_trial(node: Settings, seconds: float = 60) -> None:
    """As root's keeper leaves it."""
    begun = Trial(Wanted(NEW), "eno1", "ifupdown", True, "admin.it", WORD, "", 0, datetime.now(UTC))
    trial._write(node, trial._timed(begun, seconds))


def journal(app: Flask) -> list[str]:
    with app.app_context():
        found = database.db.session.scalars(sa.select(AuditEntry.action).order_by(AuditEntry.position))
        return [action for action in found if action.startswith("jaringan-")]


def at(web: Web, host: str) -> Web:
    web.base = f"https://{host}"
    return web


def test_the_page_tells_how_the_node_is_on_the_network(web: Web, node: Settings) -> None:
    text = web.get("/jaringan").text
    assert "192.168.1.77/24" in text
    assert "dari router kantor (DHCP)" in text
    trial.tell(node, Told(datetime.now(UTC), False, "Alamat itu tidak jadi dipakai.", "Mulai lagi."))
    assert "Alamat itu tidak jadi dipakai." in web.get("/jaringan").text


def test_a_wish_becomes_an_order_with_its_fact_in_the_journal(web: Web, node: Settings, app: Flask) -> None:
    web.get("/jaringan")
    assert web.post("/jaringan/coba", dict(TYPED)).status_code == 303
    assert "sedang dikerjakan" in web.get("/jaringan").text
    assert orders.take(node) == Order(Wish.SET, "admin.it", Typed(**TYPED))
    assert orders.take(node) is None
    assert journal(app) == ["jaringan-coba"]


def test_a_wrong_wish_changes_nothing_and_tells_all(web: Web, node: Settings, app: Flask) -> None:
    web.get("/jaringan")
    answer = web.post("/jaringan/coba", {"address": "192.168.1.255/24", "gateway": "10.0.0.1", "dns": "router"})
    assert answer.status_code == 422
    for sentence in ("untuk menyapa semua mesin", "Tulis alamat IPv4 saja"):
        assert sentence in answer.text
    assert 'value="192.168.1.255/24"' in answer.text
    assert (orders.take(node), journal(app)) == (None, [])


def test_one_at_a_time_is_tried(web: Web, node: Settings) -> None:
    on_trial(node)
    page = web.get("/jaringan").text
    assert f"https://192.168.1.10/jaringan/konfirmasi/{WORD}" in page
    assert web.post("/jaringan/coba", dict(TYPED)).status_code == 503
    assert orders.take(node) is None


def test_the_new_address_is_confirmed_at_itself_without_a_sign_in(node: Settings, app: Flask) -> None:
    on_trial(node)
    web = at(Web(app), "192.168.1.10")
    page = web.get(f"/jaringan/konfirmasi/{WORD}").text
    assert "Konfirmasi</button>" in page
    assert web.post(f"/jaringan/konfirmasi/{WORD}").status_code == 200
    assert orders.take(node) == Order(Wish.CONFIRM, "admin.it", token=WORD)
    assert journal(app) == ["jaringan-tetap"]


def test_the_old_address_proves_nothing(node: Settings, app: Flask) -> None:
    on_trial(node)
    web = at(Web(app), "192.168.1.77")
    page = web.get(f"/jaringan/konfirmasi/{WORD}").text
    assert "Konfirmasi</button>" not in page
    web.get("/masuk")
    assert web.post(f"/jaringan/konfirmasi/{WORD}").status_code == 409
    assert (orders.take(node), journal(app)) == (None, [])


@pytest.mark.parametrize(("word", "seconds"), [("kata-lain", 60.0), (WORD, -1.0)])
def test_another_word_or_a_late_one_confirms_nothing(node: Settings, app: Flask, word: str, seconds: float) -> None:
    on_trial(node, seconds)
    web = at(Web(app), "192.168.1.10")
    web.get("/masuk")
    assert web.get(f"/jaringan/konfirmasi/{word}").status_code == 404
    web.get("/masuk")
    assert web.post(f"/jaringan/konfirmasi/{word}").status_code == 404
    assert orders.take(node) is None


def test_a_trial_can_be_taken_back_at_once(web: Web, node: Settings, app: Flask) -> None:
    on_trial(node)
    web.get("/jaringan")
    assert web.post("/jaringan/batal").status_code == 303
    taken = orders.take(node)
    assert taken is not None
    assert taken.wish is Wish.UNDO
    assert journal(app) == ["jaringan-batal"]


def test_a_trial_of_before_the_last_start_is_over(node: Settings) -> None:
    on_trial(node)
    found = trial.read_trial(node)
    assert found is not None
    assert not found.is_over()
    assert replace(found, boot="another").is_over()
    assert found.ends_at - datetime.now(UTC) <= timedelta(seconds=60)


def test_the_card_shows_the_address_and_the_fingerprint_of_the_page_that_hands_out_the_certificate(
    web: Web, node: Settings
) -> None:
    authority = make_authority("slrt", datetime.now(UTC))
    assert web.get("/jaringan/kartu.pdf").status_code == 409, "no certificate yet"
    (Path(node.paths.certificates) / "ca.crt").write_bytes(authority.pem)
    answer = web.get("/jaringan/kartu.pdf")
    assert answer.mimetype == "application/pdf"
    words = " ".join(page.extract_text() for page in PdfReader(BytesIO(answer.data)).pages)
    page = handout(authority.certificate, "slrt", ()).decode()
    for line in card.fingerprint_lines(authority.certificate):
        assert line in words
        assert line in page
    assert {"http://192.168.1.77/", "https://192.168.1.77/", "https://slrt.home.arpa/"} <= set(words.split())
    assert "dapat berubah" in words
    (Path(node.network.state) / trial.SEEN).unlink()
    assert web.get("/jaringan/kartu.pdf").status_code == 409, "no address yet"


def test_the_record_of_the_acceptance_says_of_which_node_it_is(web: Web, node: Settings) -> None:
    bare = web.get("/mesin/serah-terima/cetak").text
    assert '<td>Sidik jari CA</td><td class="lines">.....</td>' in re.sub(r"\.{6,}", ".....", bare), "no certificate yet"
    authority = make_authority("slrt", datetime.now(UTC))
    (Path(node.paths.certificates) / "ca.crt").write_bytes(authority.pem)
    signed = web.get("/mesin/serah-terima/cetak").text
    assert "\n".join(card.fingerprint_lines(authority.certificate)) in signed
    assert [text for text in ("192.168.1.77", node.node.hostname, __version__) if f"<td>{text}</td>" not in signed] == []
    assert re.search(r"Pada hari ini, \w+ tanggal .+ bulan \w+ tahun dua ribu", signed)


def test_the_card_is_one_page_and_names_the_name_where_devices_ask_the_node_for_it(node: Settings) -> None:
    (Path(node.paths.certificates) / "ca.crt").write_bytes(make_authority("slrt", datetime.now(UTC)).pem)
    serving = replace(node, network=replace(node.network, dhcp="192.168.1.100-192.168.1.200"))
    for settings, opened in ((node, "https://192.168.1.77/"), (serving, "https://slrt.home.arpa/")):
        drawn = card.draw(settings, OLD, datetime.now(UTC))
        assert f'<p class="address">{opened}</p>' in drawn
        assert len(PdfReader(BytesIO(to_pdf(drawn))).pages) == 1


@pytest.mark.parametrize("text", ["", "[]", '{"wish": "reboot"}', '{"wish": "set", "by": "x"}', "\xff"])
def test_root_takes_no_order_that_makes_no_sense(node: Settings, text: str) -> None:
    place = Path(node.paths.runtime) / orders.REQUEST
    place.write_text(text)
    assert orders.take(node) is None
    assert not place.exists()
    place.symlink_to("/etc/shadow")
    assert orders.take(node) is None


def test_a_node_that_has_just_started_can_be_moved_as_well(web: Web, node: Settings, app: Flask) -> None:
    """It takes no cases yet, but its address is no case."""
    held = {"accepts_work": False, "stage": "boot-hold"}
    (Path(app.config["SLRT_SETTINGS"].power.runtime) / "state.json").write_text(json.dumps(held))
    web.get("/jaringan")
    assert web.post("/jaringan/coba", dict(TYPED)).status_code == 303
    orders.take(node)
    on_trial(node)
    stranger = at(Web(app), "192.168.1.10")
    stranger.get(f"/jaringan/konfirmasi/{WORD}")
    assert stranger.post(f"/jaringan/konfirmasi/{WORD}").status_code == 200
