"""The support file: whose names it knows to leave out, how it is packed, and the page on which it is read before it is taken away."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from appliance.casework import units
from appliance.config import Settings, render
from appliance.database import db
from appliance.errors import ApplianceError
from appliance.models.audit import AuditEntry
from appliance.models.roles import Role
from appliance.support import gathering, order, packing
from appliance.support.names import names_in
from tests.support.desk import AT, open_case, resident
from tests.support.staff import Staff
from tests.support.web_client import Web, officer, web_app

SQLITE = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)


def test_the_names_of_everybody_are_known(app: Flask, settings: Settings, staff: Staff) -> None:
    person = resident(staff.fo, "Sitti Ngaisah Binti Tjollong", mother_name="Puang Rannu", nickname="Caya")
    open_case(staff.fo, person, reporter_name="Kartolo Sudarmo")
    text = units.UnitText("RSUD Contoh", "faskes", official_name="drg. Baharuddin Lologau")
    units.add_unit("rs-contoh", text, by=staff.admin, at=AT)
    found = names_in(settings)
    assert {
        "sitti",
        "ngaisah",
        "tjollong",
        "puang",
        "rannu",
        "caya",
        "kartolo",
        "sudarmo",
        "sari",
        "baharuddin",
        "lologau",
    } <= found
    assert not {word for word in found if not word.isalpha()}


def test_it_is_written_whole_for_its_owner_alone_and_says_why_when_it_cannot(tmp_path: Path) -> None:
    texts = {"BACA.txt": "baca dahulu", "jurnal.txt": "é" * 1000}
    file = packing.save(packing.pack(texts, "x"), tmp_path, "slrt-dukungan-20261122-090000")
    assert (file.stat().st_mode & 0o777, packing.unpack(file)) == (0o600, texts)
    listed = subprocess.run(["tar", "-tzf", str(file)], capture_output=True, text=True, check=True)
    assert listed.stdout.split() == ["x/BACA.txt", "x/jurnal.txt"]
    with pytest.raises(ApplianceError, match="tidak dapat ditulis"):
        packing.save(b"", tmp_path / "gone", "x")
    for number in range(5):
        (tmp_path / f"slrt-dukungan-2026112{number}-090000.tar.gz").touch()
    packing.forget_old(tmp_path)
    assert len(list(tmp_path.glob(packing.PATTERN))) == packing.KEPT
    assert packing.newest(tmp_path) == tmp_path / "slrt-dukungan-20261124-090000.tar.gz"


def test_a_link_in_a_folder_of_a_service_does_not_choose_what_root_reads(tmp_path: Path) -> None:
    (tmp_path / "shadow").write_text("root:secret")
    (tmp_path / "book").symlink_to(tmp_path / "shadow")
    assert gathering.last_lines(tmp_path / "book").startswith("(tidak terbaca")
    (tmp_path / "book").unlink()
    os.mkfifo(tmp_path / "book")
    assert gathering.last_lines(tmp_path / "book") == ""
    assert gathering.last_lines(tmp_path / "shadow") == "root:secret"
    assert "tidak terbaca" not in gathering.versions(), "what Debian says of itself is behind a link in /etc"


@SQLITE  # many programs are asked; once is enough
def test_without_the_names_no_free_text_goes_in(settings: Settings, tmp_path: Path) -> None:
    """The database is away: what may name somebody is left out, and the rest is masked all the same."""
    node = replace(settings, paths=replace(settings.paths, data=str(tmp_path / "gone"), care=str(tmp_path)))
    node = replace(node, database=replace(node.database, url=""))
    file = tmp_path / "appliance.toml"
    file.write_text(render(node) + "# 7303014101800001\n")
    texts = packing.gather(node, file, 1)
    assert {name for name, text in texts.items() if text == packing.WITHOUT_NAMES} == packing.FREE_TEXT
    assert "7303014101800001" not in "".join(texts.values())
    assert "[node]" in texts["pengaturan.toml"]
    assert (Path(node.paths.secrets) / "audit-key").read_text() not in "".join(texts.values())


@SQLITE
def test_a_folder_that_is_not_there_is_told_before_anything_is_read(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text(render(settings))
    command = [
        sys.executable,
        "-c",
        "from appliance.cli import main; main()",
        "--config",
        str(tmp_path / "c.toml"),
        "support",
        "--to",
        "/x",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, "Folder /x tidak ada" in done.stderr) == (2, True)


@SQLITE
def test_an_admin_asks_reads_and_takes_it_away(settings: Settings, tmp_path: Path) -> None:
    shelf = tmp_path / "care"
    shelf.mkdir()
    node = replace(settings, paths=replace(settings.paths, care=str(shelf)))
    app = web_app(node)
    with app.app_context():
        officer("admin.it", Role.ADMIN)
    web = Web(app)
    web.sign_in("admin.it")
    assert "Belum ada berkas dukungan" in web.get("/mesin/dukungan").text
    assert web.post("/mesin/dukungan").status_code == 303
    assert order.is_under_way(node)
    assert web.post("/mesin/dukungan").status_code == 503
    assert "sedang dibuat" in web.get("/mesin/dukungan").text
    with order.carried_out(node) as wanted:
        assert wanted
        assert "sedang dibuat" in web.get("/mesin/dukungan").text, "the order is taken, its run goes on"
    name = packing.name_at(datetime.now(UTC))
    packing.save(packing.pack({packing.README: "isi", "jurnal.txt": "<b>baris</b>"}, name), shelf, name)
    assert "&lt;b&gt;baris" in web.get("/mesin/dukungan?bagian=jurnal.txt").text
    assert "isi</pre>" in web.get("/mesin/dukungan?bagian=../x").text
    taken = web.post("/mesin/dukungan/unduh")
    assert (taken.status_code, taken.mimetype) == (200, "application/gzip")
    with app.app_context():
        actions = db.session.scalars(sa.select(AuditEntry.action).where(AuditEntry.subject == order.SUBJECT)).all()
        db.session.remove()
        db.engine.dispose()
    assert list(actions) == ["berkas-dukungan", "berkas-dukungan-unduh"]


KILLED = """
import os, signal, sys
from pathlib import Path
from appliance.config import load
from appliance.support import order
with order.carried_out(load(Path(sys.argv[1]))):
    os.kill(os.getpid(), signal.SIGKILL)
"""


@SQLITE
def test_an_order_that_did_not_end_is_told_and_not_begun_again(settings: Settings, tmp_path: Path) -> None:
    """Killed for its memory it would be killed again and again, for as long as the order lies there."""
    node = replace(settings, paths=replace(settings.paths, care=str(tmp_path / "care"), runtime=str(tmp_path)))
    place = tmp_path / order.REQUEST
    (tmp_path / "c.toml").write_text(render(node))
    place.touch()
    assert subprocess.run([sys.executable, "-c", KILLED, tmp_path / "c.toml"], check=False).returncode == -9
    assert not order.is_under_way(node)
    cut = order.read_unfinished(node)
    assert cut is not None
    assert "memori habis" in cut.text
    with order.carried_out(node) as wanted:
        assert not wanted
    place.touch()
    assert order.read_unfinished(node) is None, "the next one waits"
    with pytest.raises(ApplianceError), order.carried_out(node) as wanted:
        packing.save(b"", tmp_path / "gone", "x")
    failed = order.read_unfinished(node)
    assert failed is not None
    assert "tidak dapat ditulis" in failed.text
    place.touch()
    with order.carried_out(node) as wanted:
        assert wanted
    assert (order.read_unfinished(node), order.is_under_way(node)) == (None, False)


def test_a_text_that_is_too_long_begins_with_a_whole_line() -> None:
    digits = "7303014101800001"
    text = gathering.end_of(f"{digits}\n{'x' * (gathering.LONGEST - 9)}")
    assert (len(text), digits[-8:] in text) == (gathering.LONGEST - 9, False)
    assert gathering.end_of("pendek") == "pendek"


@SQLITE
def test_an_order_is_taken_although_nothing_can_be_noted(settings: Settings, tmp_path: Path) -> None:
    """As on a full disk: an order that lies there would be begun again at once."""
    node = replace(settings, paths=replace(settings.paths, care=str(tmp_path / "care"), runtime=str(tmp_path)))
    (packing.shelf_of(node) / order.UNFINISHED).mkdir(parents=True)
    (tmp_path / order.REQUEST).touch()
    with order.carried_out(node) as wanted:
        assert wanted
        assert not (tmp_path / order.REQUEST).exists()
    assert not order.is_under_way(node)
