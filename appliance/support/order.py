"""Asking for a support file on a page: the pages may not read the machine, so they leave an order that root's unit takes.

It is begun once. What did not end stands as a file beside the support files, which root alone writes: then the page tells why.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from appliance import audit
from appliance.access import Actor
from appliance.config import Settings
from appliance.database import transaction
from appliance.errors import ApplianceError, NotAllowed, TryLater
from appliance.models.roles import Role
from appliance.support.packing import shelf_of
from backups import lock
from backups.files import write_whole

REQUEST, UNFINISHED = "support-order", "support-unfinished.json"
ACTION, SUBJECT = "berkas-dukungan", "node:support"
CUT_OFF = (
    "Berkas dukungan tidak selesai dibuat: prosesnya terhenti, mungkin karena memori habis atau listrik padam. "
    "Buat lagi; bila terulang, buat di server: sudo slrt support --to /media/stik"
)


@dataclass(frozen=True)
class Unfinished:
    """An order that did not end: when it was begun, and why not."""

    at: datetime
    text: str


def ask(settings: Settings, *, by: Actor, at: datetime) -> None:
    """Ask for a support file. Raises NotAllowed, TryLater while one is being made."""
    _require_admin(by)
    if is_under_way(settings):
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


def is_under_way(settings: Settings) -> bool:
    """Whether an order waits or is being carried out."""
    return _place(settings).exists() or lock.is_running(shelf_of(settings))


@contextmanager
def carried_out(settings: Settings) -> Iterator[bool]:
    """Take the order, if there is one: whether there was. A run that is killed inside is not begun again; one that fails says why."""
    shelf = shelf_of(settings)
    shelf.mkdir(mode=0o755, exist_ok=True)
    with lock.only_run(shelf):
        if not _place(settings).exists():
            yield False
            return
        begun = datetime.now(UTC)
        _note(settings, Unfinished(begun, CUT_OFF))
        _place(settings).unlink(missing_ok=True)
        try:
            yield True
        except ApplianceError as error:
            _note(settings, Unfinished(begun, f"Berkas dukungan tidak jadi dibuat. {error.message} {error.hint}"))
            raise
        with suppress(OSError):
            (shelf / UNFINISHED).unlink()


def read_unfinished(settings: Settings) -> Unfinished | None:
    """The last order, if it did not end and none is under way."""
    try:
        found = json.loads((shelf_of(settings) / UNFINISHED).read_bytes())
        told = Unfinished(datetime.fromisoformat(found["at"]), str(found["text"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return None if is_under_way(settings) else told


def _note(settings: Settings, what: Unfinished) -> None:
    """On a full disk nothing is noted; the order is taken all the same, or the unit would begin it again at once."""
    place = shelf_of(settings) / UNFINISHED
    with suppress(OSError):
        write_whole(place, json.dumps({"at": what.at.isoformat(), "text": what.text}).encode())
        place.chmod(0o644)


def _require_admin(by: Actor) -> None:
    if not by.has(Role.ADMIN):
        raise NotAllowed("Berkas dukungan dibuat oleh admin.", "Bila Anda memerlukannya, mintalah kepada admin.")


def _place(settings: Settings) -> Path:
    return Path(settings.paths.runtime) / REQUEST
