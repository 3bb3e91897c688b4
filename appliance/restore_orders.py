"""What may be ordered from the pages: to check a backup, to bring back all of it, its database or single papers, to take that back, and to
look at one case as it was. Root's unit takes the order.

The order is a file that the service writes and root reads, so it is believed only as far as it names numbers, hashes, a name and a
reason. How far it is stands in another file that the service user alone writes; it outlives the restart of the pages.

An administrator brings data back and reads no case; whoever leads reads cases and brings nothing back. So a look at a case is ordered by
the one who may read it, and by nobody else: with an administrator's consent on top, people would go to the terminal instead.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, tzinfo
from enum import StrEnum
from pathlib import Path
from typing import Any

from appliance import audit, backup_news
from appliance.access import Actor
from appliance.config import Settings
from appliance.custody import restores_of
from appliance.database import transaction
from appliance.errors import InvalidInput, NotAllowed, TryLater
from appliance.models.roles import Role
from backups import exchange, lock
from backups.files import NAMED_BY_HASH, write_whole

REQUEST = "restore-order"
PROGRESS = "restore.json"
LARGEST = 16384
LEAST_REASON, MOST_REASON = 10, 300
MOST_PAPERS = 100
MOMENT = "%d-%m-%Y %H:%M:%S"
_MOMENT = re.compile(r"(\d{2}-\d{2}-\d{4} \d{2}:\d{2}:\d{2})?")
_CASE = re.compile(r"([A-Z]{2,8}(-[0-9]{1,12}){2,3})?")


class Wish(StrEnum):
    """What can be ordered."""

    CHECK = "check"
    RESTORE = "restore"
    DATABASE = "database"
    REVERT = "revert"
    SEARCH = "search"
    PAPERS = "papers"
    LOOK = "look"


# What replaces data, so that it has to be typed and told why.
GRAVE = frozenset({Wish.RESTORE, Wish.DATABASE, Wish.REVERT})
ADMINS, LOOKERS = frozenset({Role.ADMIN}), frozenset({Role.MANAJER, Role.SUPERVISOR})


@dataclass(frozen=True)
class Order:
    """Who wants what and why; `run` is the number of the backup (0 where none is meant).

    `papers` are the hashes for `PAPERS`. For `LOOK` there is the number of the `case`. For it and for `RESTORE` there may be, in place of a
    backup, a `moment` between two of them, written as in `MOMENT` by the office's clock.
    """

    wish: Wish
    run: int
    by: str
    reason: str = ""
    papers: tuple[str, ...] = ()
    case: str = ""
    moment: str = ""


@dataclass(frozen=True)
class Progress:
    """How far an order is, or how the last one ended: `ok` is None until then. `at` is when this was written.

    `by` is the user name of who looks at a case, and `result` the name of what she may read then.
    """

    wish: Wish
    run: int
    text: str
    at: datetime
    step: int = 0
    total: int = 0
    ok: bool | None = None
    next_step: str = ""
    by: str = ""
    result: str = ""


def confirmation_of(order: Order) -> str:
    """What has to be typed before the data are replaced."""
    wanted = order.moment[:16].replace(":", ".") or order.run
    return {
        Wish.REVERT: "BATALKAN",
        Wish.DATABASE: f"BASIS DATA {order.run}",
    }.get(order.wish, f"PULIHKAN {wanted}")


def reachable(settings: Settings) -> tuple[datetime, datetime] | None:
    """From when until when everything can be brought back to any moment, as last told; None for only the backups themselves."""
    news = backup_news.read(settings)
    if news is None or news.reaches is None or news.reaches_back is None or news.reaches <= news.reaches_back:
        return None
    return news.reaches_back, news.reaches


def problem_of_moment(settings: Settings, moment: datetime | None) -> str:
    """Why everything cannot be brought back to a moment; empty when it can."""
    span = reachable(settings)
    if span is None:
        return "Saat di antara dua cadangan belum dapat dicapai; pilih cadangan dari daftar."
    if moment is None or not span[0] <= moment <= span[1]:
        first, last = (at.astimezone(settings.zone) for at in span)
        return f"Tulis saat antara {first:%d-%m-%Y %H.%M} dan {last:%d-%m-%Y %H.%M}."
    return ""


def read_moment(text: str, zone: tzinfo) -> datetime | None:
    """The moment in an order; None for none."""
    try:
        return datetime.strptime(text, MOMENT).replace(tzinfo=zone)
    except ValueError:
        return None


def give(settings: Settings, order: Order, typed: str, *, by: Actor, at: datetime) -> None:
    """Leave an order. Raises NotAllowed, InvalidInput with all problems, TryLater while another one is under way."""
    if not by.has(*(LOOKERS if order.wish is Wish.LOOK else ADMINS)):
        raise NotAllowed(
            "Perintah ini bukan untuk peran Anda.", "Bila Anda memerlukannya, mintalah kepada petugas yang berwenang."
        )
    problems = _problems(order, typed)
    if order.wish is Wish.RESTORE and order.moment:
        wrong = problem_of_moment(settings, read_moment(order.moment, settings.zone))
        problems |= {"day": wrong} if wrong else {}
    if problems:
        raise InvalidInput(problems)
    if order.wish is Wish.REVERT and not exchange.replaced(Path(settings.paths.data)):
        raise InvalidInput({"typed": "Tidak ada pemulihan yang dapat dibatalkan."})
    if is_under_way(settings):
        raise TryLater("Pemulihan atau pemeriksaan lain sedang berjalan.", "Tunggu sampai selesai, lalu muat ulang halaman.")
    with transaction():
        audit.record(f"pulihkan-{order.wish}", "node:backup", by=by, at=at, detail=_told(order))
    begun = Progress(order.wish, order.run, "Perintah diterima dan segera dijalankan.", at, by=_reader(order))
    tell(settings, begun)
    write_whole(_place(settings), json.dumps(asdict(order)).encode())


def _told(order: Order) -> dict[str, object]:
    """What the journal says of an order."""
    more = {"kasus": order.case, "saat": order.moment, "berkas": len(order.papers)}
    return {"cadangan": order.run, "alasan": order.reason, **{name: value for name, value in more.items() if value}}


def _reader(order: Order) -> str:
    return order.by if order.wish is Wish.LOOK else ""


def _problems(order: Order, typed: str) -> dict[str, str]:
    problems = {}
    few = 1 <= len(order.papers) <= MOST_PAPERS and all(map(NAMED_BY_HASH.fullmatch, order.papers))
    if order.wish is Wish.PAPERS and not few:
        problems["papers"] = f"Tandai berkas yang akan dikembalikan, paling banyak {MOST_PAPERS} sekaligus."
    if order.wish is Wish.LOOK and not (order.case and _CASE.fullmatch(order.case)):
        problems["case"] = "Tulis nomor kasus seperti pada slip, contoh SLRT-7303-202611-00042."
    if order.wish is Wish.LOOK and not (order.run or order.moment):
        problems["run"] = "Pilih cadangan, atau tulis tanggal dan jamnya."
    if order.wish in GRAVE | {Wish.LOOK} and not LEAST_REASON <= len(order.reason) <= MOST_REASON:
        readers = "semua petugas akan membacanya" if order.wish in GRAVE else "tercatat dalam jurnal"
        problems["reason"] = f"Tulis alasannya, {LEAST_REASON} sampai {MOST_REASON} huruf; {readers}."
    if order.wish in GRAVE and " ".join(typed.upper().split()) != confirmation_of(order):
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
        return _read(dict(json.loads(text)))
    except (ValueError, TypeError, KeyError):
        return None


def _read(found: Mapping[str, Any]) -> Order:
    """The order in a file. Raises ValueError, TypeError or KeyError for what makes no sense as one."""
    papers = tuple(map(str, found.get("papers", ())))[:MOST_PAPERS]
    case, moment = str(found.get("case", "")), str(found.get("moment", ""))
    if not (all(map(NAMED_BY_HASH.fullmatch, papers)) and _CASE.fullmatch(case) and _MOMENT.fullmatch(moment)):
        raise ValueError("not an order")
    by, reason = str(found["by"])[:64], str(found["reason"])[:MOST_REASON]
    return Order(Wish(found["wish"]), int(found["run"]), by, reason, papers, case, moment)


def tell(settings: Settings, progress: Progress) -> None:
    """Put down how far it is. Only as the service user: the folder is hers."""
    state = restores_of(settings)
    state.mkdir(mode=0o750, exist_ok=True)
    write_whole(state / PROGRESS, json.dumps({**asdict(progress), "at": progress.at.isoformat()}).encode())


def read_progress(settings: Settings, restored_at: datetime | None = None) -> Progress | None:
    """How far the last order is or how it ended; None when there never was one.

    One that nobody carries out any more was cut off; a restore may have ended by itself since: `restored_at` is when the newest did.
    """
    try:
        found: dict[str, Any] = json.loads((restores_of(settings) / PROGRESS).read_bytes())
        told = Progress(**{**found, "wish": Wish(found["wish"]), "at": datetime.fromisoformat(found["at"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None
    if told.ok is None and not is_under_way(settings):
        return _cut_off(told, restored_at)
    return told


def _cut_off(told: Progress, restored_at: datetime | None) -> Progress:
    ok, then = False, "Periksa data, lalu ulangi bila perlu."
    if told.wish not in GRAVE:
        text = "Terputus sebelum selesai, mungkin karena listrik padam."
    elif restored_at is None or restored_at < told.at:
        text = "Terputus sebelum selesai, mungkin karena listrik padam. Yang sudah mulai ditukar diselesaikan saat layanan mulai."
    else:
        ok, text = True, "Terputus, lalu diselesaikan sendiri sebelum layanan mulai."
        then = "Data sudah dipulihkan; jangan diulang."
    return Progress(told.wish, told.run, text, told.at, ok=ok, next_step=then, by=told.by)


def ended(order: Order, *, ok: bool, text: str, next_step: str = "", result: str = "") -> Progress:
    """The last word on an order."""
    at = datetime.now(UTC)
    return Progress(order.wish, order.run, text, at, ok=ok, next_step=next_step, by=_reader(order), result=result)


def _place(settings: Settings) -> Path:
    return Path(settings.paths.runtime) / REQUEST
