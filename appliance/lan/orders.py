"""What an administrator may order of the network from the pages. The pages may change none of it: root's keeper takes the order.

The order is a file that the service writes and root reads, so root believes it only as far as an address of an office goes, or a word
that root itself gave out.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from appliance import audit
from appliance.access import Actor
from appliance.config import Settings
from appliance.database import transaction
from appliance.errors import Conflict, InvalidInput, NotAllowed, NotFound, TryLater
from appliance.lan import trial
from appliance.lan.rules import Typed, read_wanted
from appliance.lan.trial import Trial
from appliance.models.roles import Role
from backups.files import write_whole

REQUEST = "network-order"
LARGEST = 2048
SUBJECT = "node:network"


class Wish(StrEnum):
    """What can be ordered."""

    SET = "set"
    CONFIRM = "confirm"
    UNDO = "undo"
    LOOK = "look"


@dataclass(frozen=True)
class Order:
    """What is wished; `typed` for `SET`, `token` for `CONFIRM`."""

    wish: Wish
    by: str = ""
    typed: Typed = field(default_factory=lambda: Typed(""))
    token: str = ""


def ask_for(settings: Settings, typed: Typed, *, by: Actor, at: datetime) -> None:
    """Order an address to be tried. Raises NotAllowed, InvalidInput with all problems, TryLater while another one is under way."""
    _be_admin(by)
    wanted, problems = read_wanted(typed)
    if problems or wanted is None:
        raise InvalidInput(problems)
    if is_waiting(settings) or trial.read_trial(settings):
        raise TryLater("Perubahan alamat lain sedang berjalan.", "Tunggu satu menit, lalu muat ulang halaman.")
    detail = {"alamat": str(wanted.address), "gerbang": wanted.gateway, "dns": list(wanted.dns)}
    with transaction():
        audit.record("jaringan-coba", SUBJECT, by=by, at=at, detail=detail)
    _leave(settings, Order(Wish.SET, by.username, typed))


def ask_back(settings: Settings, *, by: Actor, at: datetime) -> None:
    """Order the address on trial to be taken back now. Raises NotAllowed, Conflict when there is none."""
    _be_admin(by)
    if trial.read_trial(settings) is None:
        raise Conflict("Tidak ada alamat yang sedang dicoba.", "Muat ulang halaman Jaringan.")
    with transaction():
        audit.record("jaringan-batal", SUBJECT, by=by, at=at)
    _leave(settings, Order(Wish.UNDO, by.username))


def ask_to_look(settings: Settings, *, by: Actor) -> None:
    """Order a fresh look at the network. Raises NotAllowed."""
    _be_admin(by)
    if not is_waiting(settings):
        _leave(settings, Order(Wish.LOOK, by.username))


def find_trial(settings: Settings, token: str) -> Trial:
    """The trial that this word confirms. Raises NotFound when it is over or the word is another one."""
    found = trial.read_trial(settings)
    if found is None or not found.fits(token) or found.is_late():
        raise NotFound("Alamat ini tidak sedang menunggu konfirmasi.", "Buka halaman Jaringan untuk melihat keadaannya.")
    return found


def confirm(settings: Settings, token: str, host: str, *, at: datetime) -> None:
    """Order the address to be kept. Who holds the word has reached the page at `host`, so nobody need sign in there once more.

    Raises NotFound, and Conflict at any other address than the new one: what is not reached proves nothing.
    """
    found = find_trial(settings, token)
    if host != found.wanted.host:
        raise Conflict(
            "Halaman ini dibuka di alamat yang lama.", f"Buka https://{found.wanted.host}/ lalu tekan Konfirmasi di sana."
        )
    with transaction():
        audit.record("jaringan-tetap", SUBJECT, by=None, at=at, detail={"alamat": found.wanted.host, "oleh": found.by})
    _leave(settings, Order(Wish.CONFIRM, found.by, token=token))


def is_waiting(settings: Settings) -> bool:
    """Whether an order has not been taken yet."""
    return _place(settings).exists()


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
        found = json.loads(text)
        typed = Typed(*(str(found["typed"][name])[:200] for name in ("address", "gateway", "dns")))
        return Order(Wish(found["wish"]), str(found["by"])[:64], typed, str(found["token"])[:64])
    except (ValueError, TypeError, KeyError):
        return None


def _leave(settings: Settings, order: Order) -> None:
    write_whole(_place(settings), json.dumps(asdict(order)).encode())


def _place(settings: Settings) -> Path:
    return Path(settings.paths.runtime) / REQUEST


def _be_admin(by: Actor) -> None:
    if not by.has(Role.ADMIN):
        raise NotAllowed("Alamat jaringan diatur oleh admin.", "Bila Anda memerlukannya, mintalah kepada admin.")
