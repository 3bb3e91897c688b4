"""What an administrator does about the clock from the pages: have it set, or say that it is right.

Setting it is root's: the pages leave an order, `clock_keeper` takes it. It names how long the machine was up when it was given, so that
what passes until it is taken is not lost.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from appliance import accounts, audit
from appliance.accounts import SignedIn
from appliance.clock import LATEST, Reading, judge, mark_file, read_mark, why_not, write_mark
from appliance.clock_watch import SUBJECT, ticks
from appliance.config import Settings
from appliance.database import transaction
from appliance.errors import Conflict, InvalidInput, NotAllowed, TryLater
from appliance.models.roles import Role
from backups.files import write_whole

REQUEST = "clock-order"
LARGEST = 1024


@dataclass(frozen=True)
class Order:
    """`at` is what the clock shall have shown when the machine was up for `up` seconds."""

    at: str
    up: float
    by: str

    def target(self, up: timedelta) -> datetime:
        """What the clock shall show when the machine is up for `up`. Raises ValueError."""
        passed = up - timedelta(seconds=self.up)
        if not timedelta() <= passed < timedelta(minutes=10):
            raise ValueError("an order of another start or of long ago")
        return datetime.fromisoformat(self.at).astimezone(UTC) + passed


def set_clock(settings: Settings, wanted: datetime, typed_date: str, password: str, *, by: SignedIn, at: datetime) -> None:
    """Have the clock set to `wanted` (aware). Raises NotAllowed, InvalidInput with all problems, TryLater while another order waits."""
    _be_admin(by)
    problems = why_not(wanted, at, read_mark(mark_file(settings)), typed_date, settings.zone)
    _prove(by, password, problems, at)
    if _place(settings).exists():
        raise TryLater("Perintah lain untuk jam sedang dikerjakan.", "Tunggu beberapa detik, lalu muat ulang halaman.")
    with transaction():
        audit.record("jam-atur", SUBJECT, by=by.actor, at=at, detail={"menjadi": wanted.isoformat(timespec="seconds")})
    order = Order(wanted.isoformat(), ticks().total_seconds(), by.actor.username)
    write_whole(_place(settings), json.dumps(asdict(order)).encode())


def call_it_right(settings: Settings, typed_date: str, password: str, *, by: SignedIn, at: datetime) -> None:
    """Say that a clock far beyond the last record is right, as after months without power. Raises as `set_clock`, and Conflict."""
    _be_admin(by)
    mark = read_mark(mark_file(settings))
    if mark is None or judge(at, mark) is not Reading.AHEAD:
        raise Conflict("Jam simpul tidak sedang diragukan.", "Muat ulang halaman Jam.")
    problems = why_not(at, mark.at, mark, typed_date, settings.zone)
    _prove(by, password, problems, at)
    with transaction():
        audit.record("jam-benar", SUBJECT, by=by.actor, at=at, detail={"sejak": mark.at.isoformat(timespec="seconds")})
    write_mark(mark_file(settings), replace(mark, at=at))


def _prove(by: SignedIn, password: str, problems: dict[str, str], at: datetime) -> None:
    """Ask for the password only when nothing else is wrong: a wrong one counts as an attempt. Raises InvalidInput."""
    if not password:
        problems = {**problems, "password": "Ketik kata sandi Anda."}
    if problems:
        raise InvalidInput(problems)
    accounts.prove_again(by, password, at=at)


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
        order = Order(str(found["at"]), float(found["up"]), str(found["by"])[:64])
        return order if order.target(timedelta(seconds=order.up)) < LATEST else None
    except (ValueError, TypeError, KeyError, OverflowError):
        return None


def _place(settings: Settings) -> Path:
    return Path(settings.paths.runtime) / REQUEST


def _be_admin(by: SignedIn) -> None:
    if not by.actor.has(Role.ADMIN):
        raise NotAllowed("Jam simpul diatur oleh admin.", "Bila jamnya salah, beri tahu admin.")
