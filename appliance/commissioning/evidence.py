"""What the node saw of each check by itself: drills, the array, proofs, devices, sheets, accounts. Reads only."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from appliance import audit, custody
from appliance.care import readings
from appliance.care.readings import Readings
from appliance.commissioning.rules import Evidence
from appliance.config import Settings
from appliance.database import db
from appliance.drills import records
from appliance.drills.records import Level, Result
from appliance.models.account import Account, WebSession
from appliance.recovery import record as recovery_record
from backups import book
from backups.schedule import Depth

TABLETS = ("Android", "iPad")


def look(settings: Settings, at: datetime) -> dict[str, Evidence]:
    """By check; what is not named here the node cannot see."""
    zone = settings.zone
    return {
        "steker": _drill(settings, (Level.PLUG, Level.FULL, Level.RACE)),
        "hidup-lagi": _drill(settings, (Level.FULL, Level.RACE)),
        "disk": of_array(readings.read(Path(settings.paths.care)), zone),
        "cadangan": _proof(settings),
        "lembar": _sheets(settings),
        "tablet": _tablet(zone),
        "jam": _clock(at, zone),
        "akun": _accounts(),
        "sandi": _passwords(),
    }


def _drill(settings: Settings, levels: tuple[Level, ...]) -> Evidence:
    for one in records.list_records(records.folder_of(Path(settings.paths.data))):
        if one.level in levels and one.result is Result.PASSED:
            return Evidence(True, f"Latihan {one.id} berhasil pada {_when(one.begun_at, settings.zone)}.")
    return Evidence(False, "Belum ada latihan yang berhasil.")


def of_array(found: Readings | None, zone: ZoneInfo) -> Evidence:
    """Whether an array was seen without one of its disks, and whole again after that."""
    if found is None or not found.arrays:
        return Evidence(None, "Tidak ada RAID di mesin ini.")
    if found.degraded_at is None:
        return Evidence(False, "RAID belum pernah terlihat tanpa satu disk.")
    if found.whole_again_at is None or found.whole_again_at < found.degraded_at:
        return Evidence(False, f"RAID tinggal sebagian sejak {_when(found.degraded_at, zone)} dan belum lengkap kembali.")
    return Evidence(
        True, f"RAID tinggal sebagian pada {_when(found.degraded_at, zone)}, lengkap kembali {_when(found.whole_again_at, zone)}."
    )


def _proof(settings: Settings) -> Evidence:
    proof = book.last_good(book.lines(custody.state_of(settings)), *Depth)
    if proof is None:
        return Evidence(False, "Cadangan belum pernah dipulihkan sebagai uji.")
    return Evidence(True, f"Cadangan dipulihkan sebagai uji pada {_when(proof.moment.at, settings.zone)}.")


def _sheets(settings: Settings) -> Evidence:
    sheet = recovery_record.read(settings)
    if sheet is None:
        return Evidence(False, "Lembar pemulihan belum dibuat.")
    proved = [paper for paper in sheet.papers if paper in sheet.proved]
    text = f"{len(proved)} dari {len(sheet.papers)} lembar sudah diuji dari kertasnya."
    return Evidence(bool(proved) and len(proved) == len(sheet.papers), text)


def _tablet(zone: ZoneInfo) -> Evidence:
    seen = sa.select(sa.func.max(WebSession.last_seen_at)).where(sa.or_(*(WebSession.device.contains(name) for name in TABLETS)))
    last = db.session.scalar(seen)
    if last is None:
        return Evidence(False, "Belum ada tablet yang masuk.")
    return Evidence(True, f"Sebuah tablet terakhir memakai halaman pada {_when(last, zone)}.")


def _clock(at: datetime, zone: ZoneInfo) -> Evidence:
    newest = audit.newest_moment()
    if newest is not None and newest > at:
        return Evidence(False, f"Jam lebih lama daripada catatan terakhir ({_when(newest, zone)}).")
    return Evidence(None, f"Jam sistem sekarang {_when(at, zone)}; bandingkan dengan jam resmi.")


def _accounts() -> Evidence:
    count = _count(Account.active.is_(True))
    return Evidence(count > 1, f"Ada {count} akun aktif.")


def _passwords() -> Evidence:
    waiting = _count(Account.active.is_(True), Account.must_change_password.is_(True))
    return Evidence(waiting == 0, f"{waiting} akun masih memakai sandi sekali pakai.")


def _count(*conditions: sa.ColumnElement[bool]) -> int:
    return db.session.scalars(sa.select(sa.func.count()).select_from(Account).where(*conditions)).one()


def _when(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%d-%m-%Y %H.%M}"
