"""Asking for a stick from a page: the pages may mount nothing, so they leave an order that root's keeper takes."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from appliance import audit
from appliance.access import Actor
from appliance.config import Settings
from appliance.database import transaction
from appliance.errors import ApplianceError, Conflict, NotAllowed, NotFound
from appliance.models.roles import Role
from appliance.sticks import book, order, rules
from appliance.sticks.book import Stick
from appliance.sticks.rules import Verdict
from backups import outcome


def list_sticks(settings: Settings, at: datetime) -> list[tuple[Stick, Verdict]]:
    """Our sticks by their label, each with what is to be said of it."""
    folder = book.folder_of(settings)
    sight = book.read_sight(folder)
    return [
        (stick, rules.judge(stick, sight.of(stick), outcome.read(book.state_of(settings, stick)), at))
        for stick in book.read_known(folder)
    ]


def ask_back(settings: Settings, label: str, *, by: Actor, at: datetime) -> None:
    """Ask for a stick so that it may be pulled. Raises NotAllowed, NotFound, Conflict when it cannot be let go now."""
    if not by.has(Role.ADMIN):
        raise NotAllowed("Stik cadangan dilepas oleh admin.", "Bila Anda memerlukannya, mintalah kepada admin.")
    found = next(((stick, verdict) for stick, verdict in list_sticks(settings, at) if stick.label == label), None)
    if found is None:
        raise NotFound("Tidak ada stik dengan label itu.", "Muat ulang halaman Stik cadangan.")
    stick, verdict = found
    if not verdict.may_eject:
        raise Conflict(f"{stick.name} tidak dapat dilepas sekarang. {verdict.text}", "Tunggu sebentar, lalu muat ulang halaman.")
    try:
        with transaction():
            audit.record("backup.stick-eject", f"stick:{stick.label}", by=by, at=at)
            order.leave(Path(settings.paths.runtime), stick.uuid)
    except OSError as error:
        raise ApplianceError(f"Permintaan tidak dapat dicatat ({error.strerror}).", "Beri tahu admin.") from error
