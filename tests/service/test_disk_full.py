"""A real small disk that fills up: bulk work waits, cases are still stored, at the very end a save is refused whole, and all goes on
by itself when there is room."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from appliance import background, database
from appliance.care import reserve
from appliance.care.reserve import DiskTight
from appliance.care.space import MEGABYTE, Level
from appliance.config import PowerSettings, Settings, SpaceSettings, render
from appliance.database import db
from appliance.errors import ApplianceError
from appliance.exchange import imports
from appliance.exchange.export_layouts import LAYOUTS
from appliance.exchange.exports import NewExport, ask_export
from appliance.models.person import Person
from appliance.registry import area_counts
from tests.support.databases import SqliteTemplate
from tests.support.desk import request, resident
from tests.support.staff import AT, Staff, hire
from tests.support.sticks import Slot, own_mounts

DISK_BYTES = 160 * MEGABYTE
RESERVE = 8
LIST = NewExport("warga", "csv-koma", "verifikasi", "Pencocokan data tahunan", "Operator desa", masked=not LAYOUTS["warga"].whole)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A folder on an ext4 of its own."""
    own_mounts()
    image, place = tmp_path / "disk", tmp_path / "node"
    with image.open("wb") as file:
        file.truncate(DISK_BYTES)
    slot = Slot(image)
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", slot.plug()], check=True)
    place.mkdir()
    subprocess.run(["mount", slot.device, str(place)], check=True)
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)
    slot.pull()


@pytest.fixture
def settings(small: Path, sqlite: SqliteTemplate) -> Settings:
    space = SpaceSettings(low_percent=95, low_megabytes=60, tight_percent=99, tight_megabytes=30, reserve_megabytes=RESERVE)
    power = PowerSettings(ups="none", runtime=str(small / "run"), state=str(small / "run"))
    return replace(sqlite.fresh(small), space=space, power=power)


def fill(place: Path, leave: int) -> None:
    """Let so many bytes be free."""
    with (place / "ballast").open("ab") as file:
        while (free := os.statvfs(place).f_bavail * os.statvfs(place).f_frsize) > leave:
            try:
                file.write(bytes(free - leave))
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                break
    if not leave:  # the last bytes of what other files have begun
        with suppress(OSError):
            (place / "crumb").write_bytes(b"x" * 4096)


def people() -> int:
    return db.session.scalars(sa.select(sa.func.count()).select_from(Person)).one()


def work(settings: Settings, folder: Path) -> str:
    """What the worker says."""
    file = folder / "appliance.toml"
    if not file.exists():
        file.write_text(render(settings))
    command = [sys.executable, "-c", "from appliance.cli import main; main()", "--config", str(file), "work"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def ask(staff: Staff) -> str:
    return ask_export(LIST, request_id=request(), by=staff.manager, at=datetime.now(UTC))


def register_many(staff: Staff) -> None:
    for letter in "abcdefghijklmnopqrst" * 20:
        resident(staff.fo, f"Warga {letter * 3}")


def upload(staff: Staff) -> str:
    return imports.receive(io.BytesIO(b"nama,nik\nSiti,\n"), "daftar.csv", request_id=request(), by=staff.bo, at=AT)


def test_a_disk_that_fills_up_stops_bulk_work_first_and_loses_nothing(settings: Settings, small: Path, tmp_path: Path) -> None:
    with database.create_service(settings).app_context():
        staff = hire()
        assert reserve.watch(settings).of_data is Level.ROOMY
        assert reserve.held(settings) >= RESERVE * MEGABYTE, "its room is really taken"
        area_counts.ask_nightly(datetime.now(UTC), settings.zone)

        fill(small, 20 * MEGABYTE)
        assert reserve.watch(settings).of_data is Level.TIGHT
        for attempt in (ask, upload):
            with pytest.raises(DiskTight) as told:
                attempt(staff)
            assert "Kasus dan data warga tetap dapat disimpan" in told.value.message
        assert "Tidak ada" in work(settings, tmp_path), "the worker begins nothing"
        assert background.is_waiting(area_counts.KIND, area_counts.SUBJECT)
        resident(staff.fo, "Aminah")
        assert people() == 1

        fill(small, 0)
        assert reserve.watch(settings).of_data is Level.LAST
        assert reserve.held(settings) == 0, "the reserve is given up"
        resident(staff.fo, "Baharuddin")
        assert people() == 2
        assert reserve.watch(settings).of_data is Level.LAST, "the room of the reserve is nobody's"

        fill(small, 0)
        with pytest.raises(ApplianceError) as full:
            register_many(staff)
        assert "Penyimpanan penuh" in full.value.message
        stored = people()

        (small / "ballast").unlink()
        (small / "crumb").unlink(missing_ok=True)
        assert reserve.watch(settings).of_data is Level.ROOMY
        assert reserve.held(settings) >= RESERVE * MEGABYTE, "it comes back by itself"
        assert people() == stored
        resident(staff.fo, "Cahaya")
        assert people() == stored + 1
        assert database.integrity(settings).ok
        assert "1 pekerjaan selesai" in work(settings, tmp_path), "what had waited goes on"
        db.session.remove()
        db.engine.dispose()
