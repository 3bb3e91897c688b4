"""The manager's right to decide, handed to somebody in writing for some days: while she is ill or travels.

A delegate decides and ratifies; everything else of the manager's stays hers. Who recommended a case never decides it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from appliance import audit
from appliance.access import Actor, Grant, require
from appliance.casework import officers
from appliance.database import changed_meanwhile, db, settings_in_use, transaction
from appliance.errors import InvalidInput, NotFound
from appliance.models.roles import Role
from appliance.models.visit import Delegation

DELEGATE_ROLES = (Role.SUPERVISOR, Role.PENANDATANGAN)
LONGEST_DAYS = 90
MOST_SHOWN = 50


@dataclass(frozen=True)
class NewDelegation:
    """To whom, from which day to which, both included, and the number of the paper that says so."""

    account_id: str
    starts: date | None
    ends: date | None
    document: str


@dataclass(frozen=True)
class DelegationLine:
    """One delegation in the list: it `holds` today, is `planned`, was ended early (`ended_at`), or is over."""

    id: str
    name: str
    starts: date
    ends: date
    document: str
    ended_at: datetime | None
    holds: bool
    planned: bool
    row_version: int


def delegate_decisions(new: NewDelegation, *, by: Actor, at: datetime) -> str:
    """Hand the decisions in the manager's areas to somebody; the identifier. Raises InvalidInput, NotAllowed."""
    require(by, Role.MANAJER)
    areas = by.areas_of({Role.MANAJER})
    with transaction():
        problems = _problems(new, dict(candidates(by=by, at=at)), _day(at))
        if problems or new.starts is None or new.ends is None:
            raise InvalidInput(problems)
        row = Delegation(
            account_id=new.account_id,
            area_codes=list(areas),
            starts=new.starts,
            ends=new.ends,
            document=new.document.strip(),
        )
        row.stamp(by.account_id, at)
        db.session.add(row)
        db.session.flush()
        detail = {"kepada": new.account_id, "mulai": new.starts, "selesai": new.ends, "dasar": row.document}
        audit.record("delegasi", f"delegation:{row.id}", by=by, at=at, detail=detail)
        return row.id


def end_delegation(delegation_id: str, *, row_version: int, by: Actor, at: datetime) -> None:
    """Take it back at once. Raises NotFound, Conflict, NotAllowed."""
    require(by, Role.MANAJER)
    with transaction():
        row = db.session.scalar(_of(by).where(Delegation.id == delegation_id, Delegation.ended_at.is_(None)).with_for_update())
        if row is None:
            raise NotFound("Pendelegasian tidak ditemukan atau sudah berakhir.", "Muat ulang halaman pendelegasian.")
        if row.row_version != row_version:
            raise changed_meanwhile()
        row.ended_at = at
        row.stamp(by.account_id, at)
        audit.record("delegasi_berakhir", f"delegation:{row.id}", by=by, at=at)


def list_delegations(*, by: Actor, at: datetime) -> tuple[DelegationLine, ...]:
    """What this manager has handed over, the newest first. Raises NotAllowed."""
    require(by, Role.MANAJER)
    newest = _of(by).options(joinedload(Delegation.account)).order_by(Delegation.starts.desc(), Delegation.id.desc())
    today = _day(at)
    return tuple(
        DelegationLine(
            id=row.id,
            name=row.account.name,
            starts=row.starts,
            ends=row.ends,
            document=row.document,
            ended_at=row.ended_at,
            holds=_holds(row, today),
            planned=row.ended_at is None and row.starts > today,
            row_version=row.row_version,
        )
        for row in db.session.scalars(newest.limit(MOST_SHOWN))
    )


def candidates(*, by: Actor, at: datetime) -> tuple[tuple[str, str], ...]:
    """Who can be a delegate in the manager's areas: account and "name (role)"."""
    found: dict[str, str] = {}
    for area in by.areas_of({Role.MANAJER}):
        found.update(officers.serving(area, DELEGATE_ROLES, _day(at)))
    found.pop(by.account_id, None)
    return tuple(found.items())


def delegated_areas(by: Actor, at: datetime) -> tuple[str, ...]:
    """The areas in which `by` decides for the manager today; none where who handed them over is no manager any more."""
    if not by.has(*DELEGATE_ROLES):
        return ()
    rows = db.session.scalars(sa.select(Delegation).where(Delegation.account_id == by.account_id, Delegation.ended_at.is_(None)))
    day = _day(at)
    handed = {(row.created_by, area) for row in rows if _holds(row, day) for area in row.area_codes}
    return tuple(sorted({area for manager, area in handed if officers.serves(manager, area, {Role.MANAJER}, day)}))


def may_decide_for(village_code: str, by: Actor, at: datetime) -> bool:
    """Whether `by` decides for the manager in this village today."""
    return Grant(Role.MANAJER, delegated_areas(by, at)).covers(village_code)


def _of(by: Actor) -> sa.Select[Delegation]:
    return sa.select(Delegation).where(Delegation.created_by == by.account_id)


def _holds(row: Delegation, day: date) -> bool:
    return row.ended_at is None and row.starts <= day <= row.ends


def _day(at: datetime) -> date:
    return at.astimezone(settings_in_use().zone).date()


def _problems(new: NewDelegation, known: dict[str, str], today: date) -> dict[str, str]:
    problems = {}
    if new.account_id not in known:
        problems["account_id"] = "Pilih supervisor atau penanda tangan yang bertugas di wilayah Anda."
    if new.starts is None or new.starts < today:
        problems["starts"] = "Isi hari pertama, paling awal hari ini."
    if new.ends is None or (new.starts and new.ends < new.starts):
        problems["ends"] = "Isi hari terakhir, tidak sebelum hari pertama."
    elif new.starts and new.ends - new.starts > timedelta(days=LONGEST_DAYS):
        problems["ends"] = f"Pendelegasian paling lama {LONGEST_DAYS} hari; buat yang baru bila perlu."
    if not new.document.strip():
        problems["document"] = "Tulis nomor surat atau nota dinas pendelegasian."
    elif len(new.document.strip()) > 80:
        problems["document"] = "Terlalu panjang; paling banyak 80 huruf."
    return problems
