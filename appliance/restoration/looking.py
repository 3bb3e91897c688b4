"""One case as it was in a backup: the database is brought back into a folder of the owner only, read, and erased.

Who looks needs the right of today to the case of today and to the case as it was then; that she looked and why is in the journal before
she sees anything. The copy is brought to the tables of this program, never the node's own data.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask

from appliance import audit, database
from appliance.access import Actor, scope
from appliance.casework.case_detail import CaseDetail, case_detail
from appliance.casework.moving import case_not_found
from appliance.casework.numbers import find_numbered
from appliance.config import DatabaseSettings, Settings
from appliance.database import db, transaction
from appliance.errors import InvalidInput
from appliance.models.case import Case
from appliance.restoration.states import look_at_coming, require_known
from backups import files, postgresql, replay, repository
from backups.catalogue import find, list_runs, read_manifest
from backups.lock import only_run
from backups.manifest import Manifest
from backups.postgresql import Server
from backups.process import Stop
from backups.settings import Plan
from backups.verify import bring_back_database

LEAST_REASON = 10


@dataclass(frozen=True)
class Seen:
    """A case as it was at `taken_at`: when backup `run` was made, or later by the log that was carried over after it."""

    run: int
    taken_at: datetime
    case: CaseDetail


def as_words(case: CaseDetail) -> dict[str, Any]:
    """A case as it is laid out in JSON: what was and what is are compared in this form."""
    found: dict[str, Any] = json.loads(json.dumps(asdict(case), default=str))
    return found


def look_at_case_then(  # noqa: PLR0913 - who looks at what, where it is kept, and why
    service: Flask, plan: Plan, run: str, number: str, *, reason: str, by: Callable[[], Actor], at: datetime, stop: Stop
) -> Seen:
    """The case with this number as it was in a backup. `by` tells who looks, inside the context of `service`, the node of today.

    `run` is the number of a backup, "terakhir", or a moment between two of them, as `replay.read_moment` reads it (SQLite only).
    Raises InvalidInput without a reason, NotFound for a case that is not hers, Conflict for a backup of a newer program.
    """
    if len(reason.strip()) < LEAST_REASON:
        raise InvalidInput({"reason": "Tulis alasan melihat keadaan lama, paling sedikit 10 huruf."})
    settings: Settings = service.config["SLRT_SETTINGS"]
    with service.app_context():
        actor = by()
    with _as_it_was(settings, plan, run, stop) as (copy, manifest, taken_at):
        with copy.app_context():
            _read_only()
            case = _case_in_scope(number, actor)
            detail = case_detail(case, actor, at)
            db.session.remove()
            db.engine.dispose()
        with service.app_context():
            _require_still_hers(detail.line.id, actor)
            with transaction():
                told = {"alasan": reason.strip(), "cadangan": manifest.run}
                audit.record("lihat-cadangan", f"case:{detail.line.id}", by=actor, at=at, detail=told)
    return Seen(manifest.run, taken_at, detail)


def _case_in_scope(number: str, by: Actor) -> Case:
    found = find_numbered(number, by=by)
    case = db.session.get(Case, found.id) if found and found.kind == "kasus" else None
    if case is None:
        raise case_not_found()
    return case


def _require_still_hers(case_id: str, by: Actor) -> None:
    """A case that became confidential since is not read around the corner; one that is gone today is hers by what it was."""
    there = db.session.scalar(sa.select(Case.id).where(Case.id == case_id))
    if there and not db.session.scalar(scope(sa.select(Case.id).where(Case.id == case_id), Case, by)):
        raise case_not_found()


def _read_only() -> None:
    """Every connection of the copy refuses to write."""
    postgres = db.engine.dialect.name == "postgresql"

    def refuse_writing(raw: Any, _record: object) -> None:
        cursor = raw.cursor()
        cursor.execute("SET default_transaction_read_only = on" if postgres else "PRAGMA query_only = ON")
        cursor.close()
        if postgres:
            raw.commit()

    sa.event.listen(db.engine, "connect", refuse_writing)


@contextmanager
def _as_it_was(settings: Settings, plan: Plan, run: str, stop: Stop) -> Iterator[tuple[Flask, Manifest, datetime]]:
    """The service over a copy of the database of a backup, and from when it is. What a killed one leaves, the next backup erases."""
    moment = replay.read_moment(run, plan.zone)
    with only_run(plan.repository) as lock, only_run(plan.state), ExitStack() as ends:
        engine = repository.engine(plan, (lock,), stop)
        base = replay.base_for(engine, plan, moment) if moment else None
        manifest = base.manifest if base else read_manifest(engine, find(list_runs(engine), run))
        ends.callback(files.empty_folder, plan.scratch)
        folder = files.empty_folder(plan.scratch) / "looking"
        for made in (folder, folder / "database"):
            made.mkdir(mode=0o700)
        repository.require_room(plan.state, 2 * manifest.database_bytes, "Disk data")
        brought = bring_back_database(engine, manifest, folder / "database", thorough=False)
        reached = replay.replay(base, brought, moment, plan.zone, stop) if base and moment else manifest.at
        require_known(look_at_coming(settings, folder))
        copied = replace(settings, paths=replace(settings.paths, data=str(folder)))
        if plan.database_url:
            copied = replace(copied, database=DatabaseSettings(url=_spare(plan, brought, manifest, ends)))
        database.upgrade(copied)
        yield database.create_service(copied, audit_key="0" * 64), manifest, reached


def _spare(plan: Plan, dump: Path, manifest: Manifest, ends: ExitStack) -> str:
    """The URL of a spare database with what is in the dump, as the service takes it."""
    spare = ends.enter_context(postgresql.spare_database(Server(plan.database_url), dump, manifest.counts))
    return spare.url.replace("postgresql://", "postgresql+psycopg://", 1)
