"""What is done once after data came back, before anybody works with them: a new epoch, numbers above all that were given out, a line
in the journal.

The note that the exchange left is the order for it; it goes when everything is stored. Whoever opens the data first does it, and again
after a kill, so nobody can be given a number in between.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask

from appliance import audit, database
from appliance.accounts.sessions import end_where
from appliance.casework.handover import SERIES as HANDOVERS
from appliance.config import Settings, read_secret
from appliance.database import db, transaction
from appliance.errors import TryLater
from appliance.incidents.register import SERIES as INCIDENTS
from appliance.letters.letters import series_key
from appliance.letters.wordings import list_wordings
from appliance.models.case import Sequence
from appliance.models.restoration import Restoration
from appliance.proposals.bases import SERIES as BASES
from appliance.proposals.proposals import SERIES as PROPOSALS
from appliance.restoration.numbers import Lost, passed_over, raised
from appliance.restoration.shut_out import keep_shut_out
from backups import exchange, restore
from backups.errors import Busy
from backups.lock import only_run

MONTHLY = ("SLRT", "RJK", HANDOVERS, INCIDENTS, PROPOSALS, *BASES.values())
AUDIT_KEY = "audit-key"
PATIENCE_SECONDS = 20.0
POLL_SECONDS = 0.1


def complete(settings: Settings, service: Flask) -> bool:
    """Finish a restore that was cut off and settle what came back. Called before the data are used, by whoever comes first.

    Whether there was something. Raises TryLater while a restore is under way, and BackupError when the data cannot be put in place.
    """
    data, deadline = Path(settings.paths.data), time.monotonic() + PATIENCE_SECONDS
    while exchange.is_cut_off(data) or (data / exchange.NOTE).exists():
        try:
            with only_run(data):
                restore.finish(data, settings.server_url)
                return settle(settings, lambda: service)
        except Busy as error:
            # another process of the pages has begun with it, or a restore is under way
            if time.monotonic() > deadline:
                raise TryLater("Data sedang dipulihkan.", "Tunggu sampai selesai.") from error
            time.sleep(POLL_SECONDS)
    return False


def settle(settings: Settings, open_service: Callable[[], Flask]) -> bool:
    """Store what the note says and take it away. Whether it could be: not while the tables are those of an older program, nor while
    the journal's key lies with the data that came from another machine; root's command goes on there."""
    place = Path(settings.paths.data) / exchange.NOTE
    note = _read(place)
    if note is None or not database.quick_check(settings).ok:
        return False
    service = open_service()
    if _key_is_elsewhere(settings, service):
        return False
    with service.app_context():
        _store(settings, note)
    place.unlink()
    return True


def _read(place: Path) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(place.read_bytes())
    except FileNotFoundError:
        return None
    return found


def _key_is_elsewhere(settings: Settings, service: Flask) -> bool:
    kept = exchange.replaced(Path(settings.paths.data))
    if not kept:
        return False
    with suppress(OSError):
        brought = (kept[-1] / restore.SECRETS / AUDIT_KEY).read_text(encoding="ascii").strip()
        return brought != (service.config["SLRT_AUDIT_KEY"] or read_secret(settings, AUDIT_KEY))
    return False


def _store(settings: Settings, note: Mapping[str, Any]) -> None:
    with transaction() as session:
        if session.scalar(sa.select(Restoration.epoch).where(Restoration.id == note["id"])) is not None:
            return
        at, taken_at = datetime.now(UTC), datetime.fromisoformat(note["taken_at"])
        before = session.scalar(sa.select(sa.func.max(Restoration.epoch))) or 0
        epoch = max(before, int(note["epoch"])) + 1
        numbers = _raise_numbers(settings, note, taken_at, at)
        # Whoever was shut out since must not walk in again, neither with what came back nor with a session.
        shut_out = keep_shut_out(note.get("accounts", {}), note.get("assignments", {}), at)
        end_where(sa.true(), reason="data-dipulihkan", at=at)
        session.add(
            Restoration(
                epoch=epoch,
                id=note["id"],
                restored_at=at,
                taken_at=taken_at,
                run=note.get("run"),
                part=note["part"],
                by_name=note["by"],
                reason=note["reason"],
                exact=note["exact"],
                missed={**note["missed"], "shut_out": asdict(shut_out)},
                numbers=numbers,
            )
        )
        told = {"masa": epoch, "oleh": note["by"], "alasan": note["reason"], "cadangan": note.get("run"), "nomor": numbers}
        told |= {"dinonaktifkan": shut_out.switched_off, "sandi": shut_out.renewed, "tugas": shut_out.ended}
        audit.record("data-dipulihkan", "node:backup", by=None, at=at, detail=told)


def _raise_numbers(settings: Settings, note: Mapping[str, Any], taken_at: datetime, at: datetime) -> dict[str, list[int]]:
    stored = {row.series: row for row in db.session.scalars(sa.select(Sequence).with_for_update())}
    counts = {name: row.value for name, row in stored.items()}
    lost = None if note["exact"] else Lost(*(moment.astimezone(settings.zone).date() for moment in (taken_at, at)))
    wanted = raised(counts, note["sequences"], lost, _series(settings, lost) if lost else ())
    for name, value in wanted.items():
        if name in stored:
            stored[name].value = value
        else:
            db.session.add(Sequence(series=name, value=value))
    return passed_over(counts, wanted)


def _series(settings: Settings, lost: Lost) -> set[str]:
    """Every series that may have given out a number in that time."""
    district = settings.node.district.replace(".", "")
    monthly = {f"{prefix}-{district}-{month:%Y%m}" for prefix in MONTHLY for month in lost.months()}
    names = {wording.series for wording in list_wordings() if wording.numbered}
    return monthly | {series_key(name, year) for name in names for year in _years(lost.since, lost.until)}


def _years(since: date, until: date) -> range:
    return range(since.year, until.year + 1)
