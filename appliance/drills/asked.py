"""Asking for a drill from a page: the pages may run nothing themselves, so they leave a request that systemd starts the drill for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from appliance import audit
from appliance.access import Actor
from appliance.config import Settings
from appliance.database import transaction
from appliance.drills.records import Level
from appliance.drills.rules import refusals
from appliance.drills.run import DrillRefused, situation
from appliance.errors import NotAllowed, TryLater
from appliance.models.roles import Role

REQUEST = "drill-request"
FROM_PAGES = (Level.TABLE_TOP, Level.DRAIN, Level.PLUG)  # a full drill needs somebody at the machine


@dataclass(frozen=True)
class Request:
    """Who wants which drill."""

    level: Level
    by: str


def ask(level: Level, settings: Settings, *, by: Actor, at: datetime) -> None:
    """Ask for a drill to begin now. Raises NotAllowed, DrillRefused, or TryLater when one was asked for already."""
    if not by.has(Role.ADMIN) or level not in FROM_PAGES:
        raise NotAllowed("Latihan ini tidak dapat dimulai dari halaman.", "Jalankan di server: sudo slrt power drill")
    found = refusals(level, situation(settings, at))
    if found:
        raise DrillRefused(found)
    place = Path(settings.paths.runtime) / REQUEST
    if place.exists():
        raise TryLater("Latihan sudah diminta dan segera dimulai.", "Tunggu sebentar, lalu muat ulang halaman.")
    with transaction():
        audit.record("latihan-listrik", f"drill:{level}", by=by, at=at)
    beside = place.with_name(f".{REQUEST}.new")
    beside.write_text(json.dumps({"level": level, "by": by.name}), encoding="utf-8")
    beside.replace(place)


def take(runtime: Path) -> Request | None:
    """Take the request away; None when there is none that makes sense. Raises OSError."""
    place = runtime / REQUEST
    try:
        found = json.loads(place.read_bytes())
        request = Request(Level(found["level"]), str(found["by"]))
    except (OSError, ValueError, TypeError, KeyError):
        request = None
    place.unlink(missing_ok=True)
    return request if request and request.level in FROM_PAGES else None
