"""The acceptance: what the node saw, who confirmed what, that nothing of it can be changed, and the sheet that is signed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from flask import Flask

from appliance import database
from appliance.care.look import _wholeness
from appliance.care.readings import Array, Readings
from appliance.commands.commissioning import command
from appliance.commands.door import Door
from appliance.commissioning import record
from appliance.commissioning.evidence import of_array
from appliance.commissioning.rules import CHECKS, Evidence, Result, is_complete, problems_of
from appliance.config import Settings, render
from appliance.database import db
from appliance.drills import records
from appliance.drills.records import Level, Record
from appliance.errors import InvalidInput, NotAllowed
from appliance.models.acceptance import AcceptanceEntry
from appliance.models.audit import AuditEntry
from appliance.models.roles import Role
from tests.support.staff import AT, Staff
from tests.support.web_client import Web, officer, web_app

SQLITE = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
WITA = ZoneInfo("Asia/Makassar")


@pytest.mark.parametrize(
    ("result", "note", "seen", "wrong"),
    [
        ("lulus", "", True, set()),
        ("lulus", "", None, set()),
        ("lulus", "pendek", False, {"note"}),
        ("lulus", "Dilihat sendiri oleh Hasnah", False, set()),
        ("gagal", "", True, {"note"}),
        ("gagal", "UPS mati sebelum waktunya", True, set()),
        ("tidak-berlaku", "", None, {"note"}),
        ("", "", True, {"result"}),
        ("lulus", "x" * 501, True, {"note"}),
    ],
)
def test_a_confirmation_against_the_evidence_needs_a_reason(result: str, note: str, seen: bool | None, wrong: set[str]) -> None:
    assert problems_of("steker", result, note, Evidence(seen, "Belum ada.")).keys() == wrong
    assert "check" in problems_of("lain", result, note, Evidence(seen, ""))


@pytest.mark.parametrize(
    ("course", "seen"),
    [("ww", False), ("wd", False), ("wdd", False), ("wdw", True), ("wdww", True), ("wdwd", False), ("", None), ("-", None)],
)
def test_a_pulled_disk_counts_once_the_array_is_whole_again(course: str, seen: bool | None) -> None:
    """w: whole, d: degraded, -: no array."""
    found: Readings | None = None
    for number, letter in enumerate(course):
        at = AT + timedelta(minutes=10 * number)
        arrays = () if letter == "-" else (Array("md0", "raid1", 2, int(letter == "d")),)
        degraded, whole = _wholeness(arrays, found, at)
        found = Readings(at, arrays=arrays, degraded_at=degraded, whole_again_at=whole)
    assert of_array(found, WITA).seen is seen


def test_what_is_confirmed_stays_and_the_last_word_counts(app: Flask, settings: Settings, staff: Staff) -> None:
    with pytest.raises(NotAllowed):
        record.confirm(settings, "alamat", "lulus", "", by=staff.manager, at=AT)
    with pytest.raises(InvalidInput) as wrong:
        record.confirm(settings, "steker", "lulus", "", by=staff.admin, at=AT)
    assert "Belum ada latihan" in wrong.value.problems["note"]
    record.confirm(settings, "alamat", "gagal", "Router memberi alamat lain", by=staff.admin, at=AT)
    record.confirm(settings, "alamat", "lulus", "", by=staff.admin, at=AT + timedelta(hours=1))
    drill = Record("20261120-020000-L2", Level.PLUG, "Dinsos", "It", AT, AT, records.Result.PASSED)
    records.close(records.folder_of(Path(settings.paths.data)), drill)
    record.confirm(settings, "steker", "lulus", "", by=staff.admin, at=AT)
    lines = {line.check.code: line for line in record.look(settings, AT)}
    assert (lines["alamat"].last and lines["alamat"].last.result, lines["steker"].evidence.seen) == (Result.PASSED, True)
    assert [one.evidence for one in record.confirmations() if one.code == "steker"] == [
        "Latihan 20261120-020000-L2 berhasil pada 20-11-2026 10.00."
    ]
    assert len(record.confirmations()) == 3, "nothing was replaced"
    for attempt in (sa.update(AcceptanceEntry).values(result="lulus"), sa.delete(AcceptanceEntry)):
        with pytest.raises(sa.exc.DatabaseError), database.transaction() as session:
            session.execute(attempt)
    actions = db.session.scalars(sa.select(AuditEntry.detail).where(AuditEntry.action == "serah-terima")).all()
    assert len(actions) == 3


def test_it_is_complete_when_nothing_is_open_or_failed(app: Flask, settings: Settings, staff: Staff) -> None:
    for check in CHECKS:
        assert not is_complete(record.look(settings, AT))
        record.confirm(settings, check.code, "lulus", "Dicoba di depan Kepala Dinas", by=staff.admin, at=AT)
    assert is_complete(record.look(settings, AT))
    record.confirm(settings, "jam", "gagal", "Jam terlambat satu jam", by=staff.admin, at=AT)
    assert not is_complete(record.look(settings, AT))


@SQLITE
def test_an_admin_is_guided_and_the_sheet_is_signed(settings: Settings, tmp_path: Path) -> None:
    app = web_app(replace(settings, paths=replace(settings.paths, care=str(tmp_path))))
    with app.app_context():
        officer("admin.it", Role.ADMIN)
    web = Web(app)
    web.sign_in("admin.it")
    assert f"{len(CHECKS)} dari {len(CHECKS)} pemeriksaan belum selesai" in web.get("/mesin/serah-terima").text
    assert "cabut steker UPS" in web.get("/mesin/serah-terima/steker").text
    refused = web.post("/mesin/serah-terima/steker", {"result": "lulus", "note": "lihat"})
    assert (refused.status_code, "Tulis mengapa ini tetap lulus" in refused.text, "lihat</textarea>" in refused.text) == (
        422,
        True,
        True,
    )
    assert web.post("/mesin/serah-terima/alamat", {"result": "lulus", "note": "Sesudah router <mati>"}).status_code == 303
    sheet = web.get("/mesin/serah-terima/cetak").text
    assert "Belum lengkap" in sheet
    assert "Sesudah router &lt;mati&gt;" in sheet
    assert "Yang menerima" in sheet
    assert web.get("/mesin/serah-terima/lain").status_code == 404
    with app.app_context():
        db.engine.dispose()


@SQLITE
def test_the_terminal_shows_it(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text(render(settings))
    shown = CliRunner().invoke(command, ["show"], obj=Door(tmp_path / "c.toml"))
    assert (shown.exit_code, "Belum selesai" in shown.output) == (1, True)
    assert shown.output.count("belum ") >= len(CHECKS)
