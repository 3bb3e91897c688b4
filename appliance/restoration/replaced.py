"""What restores put aside, beside the data: how much room it takes, and when it may go.

Only the oldest may go, for whoever takes a restore back gets the newest that is there. It goes by an administrator's word, or by itself
once nobody will want it: after thirty days, and not before a backup of after the restore was brought back whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from appliance import audit, custody
from appliance.access import Actor, require
from appliance.config import Settings
from appliance.database import transaction
from appliance.errors import Conflict, InvalidInput, NotFound, TryLater
from appliance.models.roles import Role
from backups import book, exchange
from backups.errors import Busy
from backups.files import measure
from backups.lock import only_run

KEPT_FOR = timedelta(days=30)


@dataclass(frozen=True)
class Replaced:
    """The state that restore or revert `number` put aside `at` some moment, and how many bytes it takes."""

    number: int
    at: datetime
    bytes: int


def confirmation_of(number: int) -> str:
    """What has to be typed before it is erased."""
    return f"HAPUS {number}"


def list_replaced(settings: Settings) -> list[Replaced]:
    """All states beside the data, the oldest first."""
    found = []
    for folder in exchange.replaced(_data(settings)):
        at = datetime.fromtimestamp(folder.stat().st_mtime, UTC)
        found.append(Replaced(exchange.number_of(folder), at, measure(folder)[1]))
    return found


def due(found: Sequence[Replaced], proven: Sequence[datetime], at: datetime) -> list[int]:
    """Which of the states, the oldest first, nobody will want any more; `proven` are the moments of backups that were brought back whole."""
    numbers: list[int] = []
    for one in found:
        if at - one.at < KEPT_FOR or not any(made > one.at for made in proven):
            break
        numbers.append(one.number)
    return numbers


def remove(settings: Settings, number: int, typed: str, *, by: Actor, at: datetime) -> None:
    """Erase the oldest state by an administrator's word. Raises NotAllowed, InvalidInput, NotFound, Conflict, TryLater."""
    require(by, Role.ADMIN)
    if " ".join(typed.upper().split()) != confirmation_of(number):
        raise InvalidInput({"removal": f"Ketik {confirmation_of(number)} untuk memastikan."})
    found = list_replaced(settings)
    chosen = next((one for one in found if one.number == number), None)
    if chosen is None:
        raise NotFound("Keadaan lama itu tidak ada lagi.", "Muat ulang halaman.")
    if chosen != found[0]:
        raise Conflict("Yang lebih lama belum dihapus.", f"Hapus dahulu keadaan lama nomor {found[0].number}.")
    _remove(settings, chosen, by, at)


def remove_due(settings: Settings, at: datetime) -> int:
    """Erase what nobody will want any more, and what a cut left of an erasing; how many states went."""
    exchange.clear_removed(_data(settings))
    found, lines = list_replaced(settings), book.lines(custody.state_of(settings))
    whole = book.proven(lines)
    proven = [line.moment.at for line in lines if line.kind == book.BACKUP and line.ok and line.number in whole]
    numbers = due(found, proven, at)
    for one in found[: len(numbers)]:
        _remove(settings, one, None, at)
    return len(numbers)


def _remove(settings: Settings, chosen: Replaced, by: Actor | None, at: datetime) -> None:
    data = _data(settings)
    try:
        with only_run(Path(settings.paths.runtime)):
            if exchange.is_cut_off(data) or (data / exchange.NOTE).exists():
                raise TryLater("Pemulihan belum selesai.", "Tunggu sampai layanan selesai menyesuaikan data, lalu ulangi.")
            with transaction():
                told = {"nomor": chosen.number, "bita": chosen.bytes, "sejak": chosen.at.isoformat()}
                audit.record("hapus-keadaan-lama", "node:backup", by=by, at=at, detail=told)
                exchange.set_removed(data, chosen.number)
    except Busy as error:
        raise TryLater("Pemulihan atau pemeriksaan lain sedang berjalan.", "Tunggu sampai selesai, lalu ulangi.") from error
    exchange.clear_removed(data)


def _data(settings: Settings) -> Path:
    return Path(settings.paths.data)
