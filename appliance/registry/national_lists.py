"""The national lists by the names they have now: data that the Dinas edits, for BDT became DTKS became DTSEN."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from appliance import audit
from appliance.access import Actor, require
from appliance.database import db, transaction
from appliance.errors import NotFound
from appliance.models.profile import NationalList
from appliance.registry.holders import require_version
from appliance.registry.programmes import EDITORS, code_problem, refuse, store_entry


@dataclass(frozen=True)
class ListFields:
    """What is typed about a national list: its name now, whether it shows a desil, whether it is still looked into."""

    name: str
    has_decile: bool = True
    active: bool = True


@dataclass(frozen=True)
class ListLine:
    """One national list, by the name it has now."""

    id: str
    code: str
    name: str
    has_decile: bool
    active: bool
    row_version: int


def national_lists(*, active_only: bool = False) -> tuple[ListLine, ...]:
    """The national lists, the newest kind first."""
    statement = sa.select(NationalList).order_by(NationalList.active.desc(), NationalList.position, NationalList.name)
    if active_only:
        statement = statement.where(NationalList.active)
    return tuple(
        ListLine(found.id, found.code, found.name, found.has_decile, found.active, found.row_version)
        for found in db.session.scalars(statement)
    )


def add_list(code: str, fields: ListFields, *, by: Actor, at: datetime) -> str:
    """A new national list; its identifier. Raises InvalidInput, NotAllowed."""
    require(by, *EDITORS)
    refuse(_list_problems(fields.name) | code_problem(code))
    found = NationalList(code=code, position=0)
    _write(found, fields)
    return store_entry(found, "daftar_nasional", "list", by, at)


def change_list(list_id: str, fields: ListFields, *, row_version: int, by: Actor, at: datetime) -> None:
    """Rename a national list, or switch it off. Raises InvalidInput, NotFound, NotAllowed, Conflict."""
    require(by, *EDITORS)
    with transaction() as session:
        found = session.get(NationalList, list_id)
        if found is None:
            raise NotFound("Daftar itu tidak ada.", "Muat ulang halaman.")
        require_version(found, row_version)
        refuse(_list_problems(fields.name))
        _write(found, fields)
        found.stamp(by.account_id, at)
        audit.record("daftar_nasional_ubah", f"list:{found.id}", by=by, at=at, detail={"nama": found.name, "aktif": found.active})


def _write(found: NationalList, fields: ListFields) -> None:
    found.name, found.has_decile, found.active = " ".join(fields.name.split()), fields.has_decile, fields.active


def _list_problems(name: str) -> dict[str, str]:
    if not name.strip() or len(name) > 160:
        return {"name": "Tulis nama daftar, paling banyak 160 huruf."}
    return {}
