"""What an officer may ask the scheduler for from the page: a backup or a proof now. The pages may not touch the repository themselves.

Each order is in the audit journal before the scheduler can see it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from appliance import audit, custody
from appliance.access import Actor
from appliance.config import Settings
from appliance.database import transaction
from appliance.errors import NotAllowed, TryLater
from appliance.models.roles import Role
from appliance.power.state import replace_file
from backups import lock

REQUEST = "backup-request"
MAY_ORDER = frozenset({Role.ADMIN, Role.MANAJER})


class Wish(StrEnum):
    """What can be asked for."""

    BACKUP = "backup"
    REHEARSAL = "rehearsal"
    ALL_DATA = "all-data"


@dataclass(frozen=True)
class Order:
    """Who wants what."""

    wish: Wish
    by: str


def may_order(by: Actor) -> bool:
    """Whether this person may ask for anything."""
    return bool(MAY_ORDER & by.roles)


def give(settings: Settings, wish: Wish, *, by: Actor, at: datetime) -> None:
    """Ask for it in the name of `by`. Raises NotAllowed, or TryLater while a backup or another order is under way."""
    if not may_order(by):
        raise NotAllowed("Perintah ini bukan untuk peran Anda.", "Bila Anda memerlukannya, mintalah kepada admin.")
    if is_waiting(settings) or lock.is_running(custody.state_of(settings)):
        raise TryLater("Pencadangan sudah diminta atau sedang berjalan.", "Tunggu sampai selesai, lalu muat ulang halaman.")
    with transaction():
        audit.record(f"cadangan-{wish}", "node:backup", by=by, at=at)
    replace_file(_place(settings), json.dumps({"wish": wish, "by": by.username}))


def is_waiting(settings: Settings) -> bool:
    """Whether something was asked for that the scheduler has not taken yet."""
    return _place(settings).exists()


def take(settings: Settings) -> Order | None:
    """Take the order away; None when there is none that makes sense."""
    place = _place(settings)
    try:
        found = json.loads(place.read_bytes())
        order = Order(Wish(found["wish"]), str(found["by"]))
    except (OSError, ValueError, TypeError, KeyError):
        order = None
    place.unlink(missing_ok=True)
    return order


def _place(settings: Settings) -> Path:
    return Path(settings.paths.runtime) / REQUEST
