"""Asking for a support file on a page: the pages may not read the machine, so they leave an order that root's unit takes."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from appliance import audit
from appliance.access import Actor
from appliance.config import Settings
from appliance.database import transaction
from appliance.errors import ApplianceError, NotAllowed, TryLater
from appliance.models.roles import Role

REQUEST = "support-order"
ACTION, SUBJECT = "berkas-dukungan", "node:support"


def ask(settings: Settings, *, by: Actor, at: datetime) -> None:
    """Ask for a support file. Raises NotAllowed, TryLater while one is being made."""
    _require_admin(by)
    if is_waiting(settings):
        raise TryLater("Berkas dukungan sedang dibuat.", "Tunggu satu menit, lalu muat ulang halaman.")
    try:
        with transaction():
            audit.record(ACTION, SUBJECT, by=by, at=at)
            _place(settings).touch(mode=0o640)
    except OSError as error:
        raise ApplianceError(f"Permintaan tidak dapat dicatat ({error.strerror}).", "Beri tahu admin.") from error


def note_download(name: str, *, by: Actor, at: datetime) -> None:
    """Write down that somebody takes a support file away. Raises NotAllowed."""
    _require_admin(by)
    with transaction():
        audit.record(f"{ACTION}-unduh", SUBJECT, by=by, at=at, detail={"berkas": name})


def is_waiting(settings: Settings) -> bool:
    """Whether one was asked for that is not ready."""
    return _place(settings).exists()


def take(settings: Settings) -> None:
    """Take the order away, when it is done or cannot be done; a killed run leaves it, and is begun anew."""
    _place(settings).unlink(missing_ok=True)


def _require_admin(by: Actor) -> None:
    if not by.has(Role.ADMIN):
        raise NotAllowed("Berkas dukungan dibuat oleh admin.", "Bila Anda memerlukannya, mintalah kepada admin.")


def _place(settings: Settings) -> Path:
    return Path(settings.paths.runtime) / REQUEST
