"""What an officer may order the power watcher to do, from the page: each order is in the audit journal before the watcher hears it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from appliance import audit
from appliance.access import Actor
from appliance.config import Settings
from appliance.database import transaction
from appliance.errors import ApplianceError, Conflict, NotAllowed
from appliance.models.roles import Role
from appliance.power import state
from appliance.power.handover import ask
from appliance.power.policy import Asked, Stage

MAY_ORDER = frozenset({Role.ADMIN, Role.MANAJER, Role.PIMPINAN, Role.SUPERVISOR})
# order → the stage in which it means something, and what is told in any other
MEANT_FOR = {
    Asked.START: (Stage.HOLD, "Sistem tidak sedang menunggu; pekerjaan sudah dapat disimpan."),
    Asked.STOP: (Stage.ON_BATTERY, "Listrik tidak sedang padam, jadi sistem tidak dimatikan dari sini."),
}


def may_order(by: Actor) -> bool:
    """Whether this person may order anything."""
    return bool(MAY_ORDER & by.roles)


def give_order(settings: Settings, asked: Asked, *, by: Actor, at: datetime) -> None:
    """Ask the watcher in the name of `by`. Raises NotAllowed, Conflict when the node is not at the stage for it, ApplianceError."""
    if not may_order(by):
        raise NotAllowed("Perintah ini bukan untuk peran Anda.", "Bila Anda memerlukannya, mintalah kepada admin.")
    stage, else_told = MEANT_FOR[asked]
    found = state.read(Path(settings.power.runtime) / state.STATE_FILE)
    if found is None or found.stage != stage:
        raise Conflict(else_told, "Muat ulang halaman Listrik untuk melihat keadaannya.")
    try:
        with transaction():
            audit.record(f"power.{asked}", "node:power", by=by, at=at)
            ask(Path(settings.paths.runtime), asked, by.username)
    except OSError as error:
        raise ApplianceError(f"Perintah tidak dapat dicatat ({error.strerror}).", "Beri tahu admin.") from error
