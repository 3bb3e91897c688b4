"""The pages of the sticks and of the recovery sheet: what an admin reads, what she may ask for, and what is in the journal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result
from flask import Flask

from appliance import database
from appliance.commands.backup_papers import check as check_sheet
from appliance.commands.door import Door
from appliance.config import Settings, render
from appliance.errors import Conflict, InvalidInput
from appliance.models.audit import AuditEntry
from appliance.models.roles import Role
from appliance.recovery import record
from appliance.sticks import book, order
from appliance.sticks.book import Seen, Sight, State, Stick, Stranger
from backups import outcome, passphrase
from backups.clock import moment
from backups.outcome import Outcome
from tests.support.web_client import Web, officer, web_app

NOW = datetime.now(UTC)
A = Stick("0a-uuid", "A", 64_000_000_000, NOW - timedelta(days=60), "ab" * 32)
B = Stick("0b-uuid", "B", 64_000_000_000, NOW - timedelta(days=60), "cd" * 32)


# one kind of database: nothing here asks it for more than the journal does everywhere
pytestmark = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)


@pytest.fixture
def node(settings: Settings, tmp_path: Path) -> Settings:
    """The settings with a folder of the keeper's own."""
    kept = replace(settings.backup, stick_state=str(tmp_path / "stick-state"))
    (tmp_path / "stick-state").mkdir()
    return replace(settings, backup=kept)


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


def journal(app: Flask) -> list[tuple[str, str]]:
    with app.app_context():
        found = database.db.session.execute(sa.select(AuditEntry.action, AuditEntry.subject).order_by(AuditEntry.position))
        return [(action, subject) for action, subject in found if action.startswith("backup.")]


def plugged_in(node: Settings, state: State) -> None:
    """A as given and written last night; B not seen for nine days; a stranger beside."""
    folder = Path(node.backup.stick_state)
    book.write_known(folder, [A, B])
    seen = {A.uuid: Seen(state, NOW, NOW - timedelta(days=2)), B.uuid: Seen(State.ABSENT, NOW - timedelta(days=9, hours=1))}
    book.write_sight(folder, Sight(NOW, seen, (Stranger("/dev/sdc1", 32_000_000_000, "vfat LIBURAN"),)))
    for stick in (A, B):
        place = book.state_of(node, stick)
        outcome.write(place, Outcome(moment(NOW - timedelta(hours=5)), True, "7", "Lengkap.", verified=True))


def test_without_sticks_the_page_says_how_to_begin(web: Web) -> None:
    page = web.get("/cadangan/stik")
    assert "Belum ada stik cadangan" in page.text
    assert "slrt backup disk prepare" in page.text


def test_the_page_tells_of_each_stick_and_lets_one_go(app: Flask, node: Settings, web: Web) -> None:
    plugged_in(node, State.READY)
    page = web.get("/cadangan/stik")
    for words in (
        "Stik A terpasang; cadangannya lengkap",
        "Stik B belum terlihat 9 hari.",
        "vfat LIBURAN",
        "Lepas Stik A dengan aman",
    ):
        assert words in page.text
    assert "Lepas Stik B" not in page.text
    asked = web.post("/cadangan/stik/A/lepas", {})
    assert asked.status_code == 303
    runtime = Path(node.paths.runtime)
    assert "sedang dikerjakan" in web.get("/cadangan/stik").text
    assert order.take(runtime) == A.uuid
    assert journal(app) == [("backup.stick-eject", "stick:A")]
    plugged_in(node, State.EJECTED)
    assert "boleh dicabut" in web.get("/cadangan/stik").text


@pytest.mark.parametrize(
    ("label", "state", "status"), [("B", State.READY, 409), ("A", State.EJECTED, 409), ("Z", State.READY, 404)]
)
def test_what_cannot_be_let_go(app: Flask, node: Settings, web: Web, label: str, state: State, status: int) -> None:
    plugged_in(node, state)
    assert web.post(f"/cadangan/stik/{label}/lepas", {}).status_code == status
    assert not order.is_waiting(Path(node.paths.runtime))
    assert journal(app) == []


def test_a_stick_being_written_is_not_let_go(node: Settings, web: Web) -> None:
    plugged_in(node, State.READY)
    outcome.write_attempt(book.state_of(node, A), moment(NOW))
    page = web.get("/cadangan/stik")
    assert "Jangan dicabut" in page.text
    assert "Lepas Stik A" not in page.text
    assert web.post("/cadangan/stik/A/lepas", {}).status_code == 409


def test_a_stick_of_a_former_node_is_not_told_to_be_erased_only(node: Settings, web: Web) -> None:
    strangers = (Stranger("/dev/sdc", 32_000_000_000, "vfat LIBURAN"), Stranger("/dev/sdd", 64_000_000_000, "SLRT-A ext4"))
    book.write_sight(Path(node.backup.stick_state), Sight(NOW, {}, strangers))
    page = web.get("/cadangan/stik").text
    assert "slrt backup disk adopt /dev/sdd" in page
    assert "adopt /dev/sdc" not in page


def test_the_sheet_is_proved_by_its_last_groups_only(app: Flask, node: Settings, web: Web) -> None:
    assert "belum dibuat" in web.get("/cadangan/lembar").text
    made = passphrase.generate()
    noted = record.note_passphrase(node, made, NOW)
    assert made not in record.file_of(node).read_text()
    page = web.get("/cadangan/lembar")
    assert noted.fingerprint in page.text
    assert "belum dicetak" in page.text
    record.note_printed(node, "", NOW)
    last = " ".join(made.lower().split("-")[-2:])
    wrong = web.post("/cadangan/lembar", {"paper": "kantor", "groups": "-".join(made.split("-")[:2])})
    assert wrong.status_code == 422
    assert "Tidak sama" in wrong.text
    for incomplete in ({"paper": "kantor", "groups": ""}, {"groups": last}, {"paper": "kedua", "groups": last}):
        assert web.post("/cadangan/lembar", incomplete).status_code == 422
    assert "belum diuji: lembar kepala dinas" in web.get("/cadangan/lembar").text
    assert web.post("/cadangan/lembar", {"paper": "kantor", "groups": last}).status_code == 303
    assert "belum diuji: lembar bidang TI" in web.get("/cadangan/lembar").text, "one paper says nothing of the other"
    assert web.post("/cadangan/lembar", {"paper": "ti", "groups": last}).status_code == 303
    assert "Semua lembar pemulihan sudah diuji" in web.get("/cadangan/lembar").text
    subject = f"sheet:{noted.fingerprint}"
    assert journal(app) == [("backup.sheet-wrong", subject), *[("backup.sheet-proved", subject)] * 2]
    # the second passphrase is on a paper of its own
    second = passphrase.generate()
    record.note_printed(node, second, NOW)
    assert "belum diuji: lembar kata sandi kedua" in web.get("/cadangan/lembar").text
    assert web.post("/cadangan/lembar", {"paper": "kedua", "groups": last}).status_code == 422
    assert web.post("/cadangan/lembar", {"paper": "kedua", "groups": "".join(second.split("-")[-2:])}).status_code == 303
    assert "Semua lembar pemulihan sudah diuji" in web.get("/cadangan/lembar").text
    # another passphrase: what was proved says nothing of its sheet
    record.note_passphrase(node, passphrase.generate(), NOW)
    assert "belum dicetak" in web.get("/cadangan/lembar").text


def test_a_sheet_is_tried_at_the_terminal_too(app: Flask, node: Settings, tmp_path: Path) -> None:
    made, file = passphrase.generate(), tmp_path / "appliance.toml"
    file.write_text(render(node))
    record.note_passphrase(node, made, NOW)
    record.note_printed(node, "", NOW)

    def check(paper: str, typed: str) -> Result:
        return CliRunner().invoke(check_sheet, [paper], input=f"{typed}\n", obj=Door(file))

    last = made[-11:]
    assert isinstance(check("kantor", "AAAAA-BBBBB").exception, InvalidInput)
    assert isinstance(check("kedua", last).exception, Conflict)
    assert "belum diuji: lembar bidang TI" in check("kantor", last).output
    assert "Semua lembar pemulihan sudah diuji" in check("ti", last).output
    assert [action for action, _ in journal(app)] == ["backup.sheet-wrong", "backup.sheet-proved", "backup.sheet-proved"]
