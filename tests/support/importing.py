"""Short ways through an import for tests: upload, choose, let the worker work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from io import BytesIO
from typing import Any

from appliance.access import Actor
from appliance.config import Settings
from appliance.database import db, transaction
from appliance.exchange import imports
from appliance.exchange.imports import Choice, ImportDetail
from appliance.gate import Gate
from appliance.models.account import Assignment
from appliance.work import Work, do_everything
from tests.support.desk import request
from tests.support.staff import AT, HOME


def employ(by: Actor) -> Actor:
    """Store the assignments of an actor: the worker reads the rights of who asked from there."""
    with transaction() as session:
        for grant in by.grants:
            row = Assignment(
                account_id=by.account_id, role=grant.role.value, area_codes=list(grant.areas), starts=date(2020, 1, 1)
            )
            row.stamp("system", AT)
            session.add(row)
    db.session.expire_all()
    return by


def upload(content: bytes, by: Actor, name: str = "penduduk.xlsx") -> str:
    """Keep a file; the import's identifier."""
    return imports.receive(BytesIO(content), name, request_id=request(), by=by, at=AT)


def choose(import_id: str, by: Actor, **changes: Any) -> None:
    """Take what was recognised, with changes, and ask for the check."""
    seen = imports.look_at_import(import_id, by=by)
    choice = replace(seen.choice, **{"village_code": HOME, **changes})
    imports.check_import(import_id, choice, row_version=seen.row_version, by=by, at=AT)


def work(settings: Settings, stop: Callable[[], bool] = lambda: False) -> int:
    """Let the worker do what waits; how many tasks ended."""
    gate = Gate(settings.database_file.parent / "gate.lock", settings.database_file.parent / "state.json")
    gate.lock.parent.mkdir(exist_ok=True)
    try:
        return do_everything(Work(settings, lambda: AT, stop), gate)
    finally:
        db.session.rollback()


def checked(content: bytes, by: Actor, settings: Settings, **changes: Any) -> str:
    """An import that was checked."""
    import_id = upload(content, by)
    choose(import_id, by, **changes)
    assert work(settings) == 1
    return import_id


def stored(content: bytes, by: Actor, settings: Settings, **changes: Any) -> str:
    """An import that was stored."""
    import_id = checked(content, by, settings, **changes)
    store(import_id, by)
    assert work(settings) == 1
    return import_id


def store(import_id: str, by: Actor) -> None:
    """Confirm the report."""
    imports.store_import(import_id, row_version=see(import_id, by).row_version, by=by, at=AT)


def see(import_id: str, by: Actor) -> ImportDetail:
    return imports.look_at_import(import_id, by=by)


def said(import_id: str, by: Actor) -> dict[int, tuple[str, list[str]]]:
    """The report: for each row its verdict and the reasons."""
    rows = imports.rows_of(import_id, by=by)
    return {row.number: (row.verdict, [finding[2] for finding in row.findings]) for row in rows}


__all__ = ["Choice", "checked", "choose", "employ", "said", "see", "store", "stored", "upload", "work"]
