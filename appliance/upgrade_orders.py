"""What an administrator may order from the pages: to look for a bundle on the stick, and to upgrade to the one that was found.

The order is a file that the service writes and root reads, so it is believed only as far as it names a release, a name and a reason. What was
found, how far it is and how it ended stand in files of root's that the pages only read; they outlive the restart of the pages.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from appliance import audit
from appliance.access import Actor
from appliance.config import Settings
from appliance.database import transaction
from appliance.errors import InvalidInput, NotAllowed, TryLater
from appliance.models.roles import Role
from backups.files import write_whole

REQUEST, WORKING = "upgrade-order", "working"
FOUND, PROGRESS, LAST = "found.json", "progress.json", "last.json"
LEAST_REASON, MOST_REASON = 10, 300
CUT_OFF = (
    "Terputus sebelum selesai, mungkin karena listrik padam. Bila program sudah mulai diganti, simpul menyelesaikannya sendiri."
)


class Wish(StrEnum):
    """What can be ordered."""

    LOOK = "look"
    START = "start"


@dataclass(frozen=True)
class Order:
    """Who wants what and why; `release` is the one that was found, "" to look."""

    wish: Wish
    by: str
    release: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Found:
    """What is on the stick: `problem` says why nothing of it can be used, `refusals` why the upgrade may not begin now."""

    at: datetime
    version: str
    release: str
    file: str
    problem: str
    next_step: str
    refusals: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Ended:
    """How the last upgrade or way back ended: `ok` whether the wanted release runs; `seconds` the pages were closed."""

    ok: bool
    at: datetime
    by: str
    text: str


@dataclass(frozen=True)
class Progress:
    """How far the order is; `ok` is None until it has ended."""

    at: datetime
    text: str
    ok: bool | None


def confirmation_of(version: str) -> str:
    """What has to be typed before the program is replaced."""
    return f"PERBARUI {version}"


def give(settings: Settings, order: Order, typed: str, *, by: Actor, at: datetime) -> None:
    """Leave an order. Raises NotAllowed, InvalidInput with all problems, TryLater while another one is under way."""
    if not by.has(Role.ADMIN):
        raise NotAllowed("Perintah ini bukan untuk peran Anda.", "Bila Anda memerlukannya, mintalah kepada admin.")
    if order.wish is Wish.START and (problems := _problems(settings, order, typed)):
        raise InvalidInput(problems)
    if is_under_way(settings):
        raise TryLater("Pencarian atau pembaruan lain sedang berjalan.", "Tunggu sampai selesai, lalu muat ulang halaman.")
    with transaction():
        detail = {"rilis": order.release, "alasan": order.reason} if order.wish is Wish.START else {}
        audit.record(f"pembaruan-{order.wish}", "node:program", by=by, at=at, detail=detail)
    write_whole(Path(settings.paths.runtime) / REQUEST, json.dumps(asdict(order)).encode())


def _problems(settings: Settings, order: Order, typed: str) -> dict[str, str]:
    found, problems = read_found(settings), {}
    if found is None or found.problem or found.refusals or found.release != order.release:
        problems["typed"] = "Bundel itu tidak dapat dipasang sekarang. Cari lagi di stik."
    elif " ".join(typed.upper().split()) != confirmation_of(found.version):
        problems["typed"] = f"Ketik {confirmation_of(found.version)} untuk memastikan."
    if not LEAST_REASON <= len(order.reason) <= MOST_REASON:
        problems["reason"] = f"Tulis alasannya, {LEAST_REASON} sampai {MOST_REASON} huruf."
    return problems


def is_under_way(settings: Settings) -> bool:
    """Whether an order waits or is being carried out."""
    return (Path(settings.paths.runtime) / REQUEST).exists() or (Path(f"{settings.paths.runtime}-upgrade") / WORKING).exists()


def read_found(settings: Settings) -> Found | None:
    """What the last look brought; None before the first."""
    found = _read(settings, FOUND)
    try:
        texts = {name: str(found[name]) for name in ("version", "release", "file", "problem", "next_step")}
        refusals = tuple((str(text), str(hint)) for text, hint in found["refusals"])
        return Found(at=datetime.fromisoformat(found["at"]), refusals=refusals, **texts)
    except (KeyError, TypeError, ValueError):
        return None


def read_progress(settings: Settings) -> Progress | None:
    """How far the last order is or how it ended; None when there never was one. One that nobody carries out any more was cut off."""
    found = _read(settings, PROGRESS)
    try:
        told = Progress(datetime.fromisoformat(found["at"]), str(found["text"]), found["ok"])
    except (KeyError, TypeError, ValueError):
        return None
    if told.ok is None and not is_under_way(settings):
        return Progress(told.at, CUT_OFF, ok=False)
    return told


def read_ended(settings: Settings) -> Ended | None:
    """How the last change of the program ended, also one from a terminal; None before the first."""
    found = _read(settings, LAST)
    try:
        return Ended(bool(found["ok"]), datetime.fromisoformat(found["at"]), str(found["by"]), str(found["text"]))
    except (KeyError, TypeError, ValueError):
        return None


def _read(settings: Settings, name: str) -> dict[str, Any]:
    try:
        found = json.loads((Path(f"{settings.paths.data}-upgrade") / name).read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
