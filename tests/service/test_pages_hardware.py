"""The page of the machine tells an admin which disk to change, and what to do about a room that is all but full."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask

from appliance.care import readings
from appliance.care.readings import Array, Disk, Member, Readings, Smart, Watchdog
from appliance.config import Settings, SpaceSettings
from appliance.models.roles import Role
from tests.support.web_client import Web, officer, web_app

pytestmark = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)


def page(settings: Settings, tmp_path: Path, found: Readings | None) -> str:
    folder = tmp_path / "care"
    folder.mkdir()
    if found:
        readings.write(found, folder)
    # so small a disk there is not: the page must say that it is full
    node = replace(settings, paths=replace(settings.paths, care=str(folder)), space=SpaceSettings(low_megabytes=100_000))
    app: Flask = web_app(node)
    with app.app_context():
        officer("admin.it", Role.ADMIN)
    web = Web(app)
    web.sign_in("admin.it")
    return web.get("/mesin").get_data(as_text=True)


def test_the_disk_to_change_is_named_by_its_port_and_number(settings: Settings, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    well = Smart(True, 0, 0, 0, None, 900, 33)
    first = Disk("sda", 1, "11AA", "ST4000NM", 4_000_000_000_000, False, well)
    second = Disk("sdb", 2, "4F2A", "ST4000NM", 4_000_000_000_000, False, replace(well, pending=7))
    array = Array(
        "md0", "raid1", 2, 1, members=(Member(0, "sda", "in_sync", first.title), Member(1, "sdb", "faulty", second.title))
    )
    text = page(
        settings,
        tmp_path,
        Readings(now, "", "ProLiant ML10", now, (second, first), (array,), (), (), (), Watchdog("hpwdt", True)),
    )
    assert "RAID md0 tinggal sebagian: disk di lubang SATA 2 (…4F2A) tidak bekerja" in text
    assert text.index("tinggal sebagian") < text.index("7 sektor yang diragukan") < text.index("Penjaga perangkat keras aktif")
    assert text.index("…11AA</td>") < text.index("…4F2A</td>"), "in the order of the ports"
    assert "docs/care.md" in text


def test_without_readings_it_says_so_and_tells_the_room(settings: Settings, tmp_path: Path) -> None:
    text = page(settings, tmp_path, None)
    assert "belum pernah diperiksa" in text
    assert "sudo systemctl start slrt-care" in text
    assert "mulai sempit" in text or "hampir penuh" in text
