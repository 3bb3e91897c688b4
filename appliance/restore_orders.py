"""What an administrator may order from the pages: to check a backup, to bring it back, to take that back. Root's unit takes the order.

The order is a file that the service writes and root reads, so it is believed only as far as it names a number, a name and a reason.
How far it is stands in another file that the service user alone writes; it outlives the restart of the pages.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from appliance import audit
from appliance.access import Actor
from appliance.config import Settings
from appliance.custody import restores_of
from appliance.database import transaction
from appliance.errors import InvalidInput, NotAllowed, TryLater
from appliance.models.roles import Role
from backups import exchange, lock
from backups.files import write_whole

REQUEST = "restore-order"
PROGRESS = "restore.json"
LARGEST = 4096
LEAST_REASON, MOST_REASON = 10, 300


class Wish(StrEnum):
    """What can be ordered."""

    CHECK = "check"
    RESTORE = "restore"
    REVERT = "revert"


@dataclass(frozen=True)
class Order:
    """Who wants what and why; `run` is the number of the backup (0 for `REVERT`)."""

    wish: Wish
    run: int
    by: str
    reason: str = ""


@dataclass(frozen=True)
class Progress:
    """How far an order is, or how the last one ended: `ok` is None until then. `at` is when this was written."""

    wish: Wish
    run: int
    text: str
    at: datetime
    step: int = 0
    total: int = 0
    ok: bool | None = None
    next_step: str = ""


def confirmation_of(order: Order) -> str:
    """What has to be typed before the data are replaced."""
    return "BATALKAN" if order.wish is Wish.REVERT else f"PULIHKAN {order.run}"


def give(settings: Settings, order: Order, typed: str, *, by: Actor, at: datetime) -> None:
    """Leave an order. Raises NotAllowed, InvalidInput with all problems, TryLater while another one is under way."""
    if not by.has(Role.ADMIN):
        raise NotAllowed("Perintah ini bukan untuk peran Anda.", "Bila Anda memerlukannya, mintalah kepada admin.")
    if order.wish is not Wish.CHECK and (problems := _problems(order, typed)):
        raise InvalidInput(problems)
    if order.wish is Wish.REVERT and not exchange.replaced(Path(settings.paths.data)):
        raise InvalidInput({"typed": "Tidak ada pemulihan yang dapat dibatalkan."})
    if is_under_way(settings):
        raise TryLater("Pemulihan atau pemeriksaan lain sedang berjalan.", "Tunggu sampai selesai, lalu muat ulang halaman.")
    with transaction():
        audit.record(
            f"pulihkan-{order.wish}", "node:backup", by=by, at=at, detail={"cadangan": order.run, "alasan": order.reason}
        )
    tell(settings, Progress(order.wish, order.run, "Perintah diterima dan segera dijalankan.", at))
    write_whole(_place(settings), json.dumps(asdict(order)).encode())


def _problems(order: Order, typed: str) -> dict[str, str]:
    problems = {}
    if not LEAST_REASON <= len(order.reason) <= MOST_REASON:
        problems["reason"] = f"Tulis alasannya, {LEAST_REASON} sampai {MOST_REASON} huruf; semua petugas akan membacanya."
    if " ".join(typed.upper().split()) != confirmation_of(order):
        problems["typed"] = f"Ketik {confirmation_of(order)} untuk memastikan."
    return problems


def is_under_way(settings: Settings) -> bool:
    """Whether an order waits or is being carried out."""
    return _place(settings).exists() or lock.is_running(Path(settings.paths.runtime))


def take(settings: Settings) -> Order | None:
    """Take the order away; None when there is none that makes sense. Follows no link and waits for nothing."""
    text = b""
    with suppress(OSError):
        handle = os.open(_place(settings), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            text = os.read(handle, LARGEST)
        finally:
            os.close(handle)
    with suppress(OSError):
        _place(settings).unlink()
    try:
        found: dict[str, Any] = json.loads(text)
        return Order(Wish(found["wish"]), int(found["run"]), str(found["by"])[:64], str(found["reason"])[:MOST_REASON])
    except (ValueError, TypeError, KeyError):
        return None


def tell(settings: Settings, progress: Progress) -> None:
    """Put down how far it is. Only as the service user: the folder is hers."""
    state = restores_of(settings)
    state.mkdir(mode=0o750, exist_ok=True)
    write_whole(state / PROGRESS, json.dumps({**asdict(progress), "at": progress.at.isoformat()}).encode())


def read_progress(settings: Settings) -> Progress | None:
    """How far the last order is or how it ended; None when there never was one. One that nobody carries out any more was cut off."""
    try:
        found: dict[str, Any] = json.loads((restores_of(settings) / PROGRESS).read_bytes())
        told = Progress(**{**found, "wish": Wish(found["wish"]), "at": datetime.fromisoformat(found["at"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None
    if told.ok is None and not is_under_way(settings):
        cut = "Terputus sebelum selesai, mungkin karena listrik padam. Yang sudah mulai ditukar diselesaikan saat layanan mulai."
        return Progress(told.wish, told.run, cut, told.at, ok=False, next_step="Periksa data, lalu ulangi bila perlu.")
    return told


def ended(order: Order, *, ok: bool, text: str, next_step: str = "") -> Progress:
    """The last word on an order."""
    return Progress(order.wish, order.run, text, datetime.now(UTC), ok=ok, next_step=next_step)


def _place(settings: Settings) -> Path:
    return Path(settings.paths.runtime) / REQUEST
