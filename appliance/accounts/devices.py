"""Devices that are signed in, and cutting one off: for its owner, the admin, and whoever leads her where she works.

A lost tablet cannot wait for the admin: a supervisor cuts off those who work in the field and at the counter, a manager also the
rest of the office. Nobody below cuts off somebody above.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from appliance import audit
from appliance.access import AREA_ROLES, Actor, Grant
from appliance.accounts import sessions
from appliance.accounts.sessions import SessionLimits, SignedIn
from appliance.database import db, transaction
from appliance.errors import Conflict, NotFound
from appliance.models.account import KnownDevice, WebSession
from appliance.models.roles import Role

# Whose devices each leading role may cut off, where it leads. An admin may cut off everybody's.
LED_BY = {
    Role.SUPERVISOR: AREA_ROLES - {Role.SUPERVISOR, Role.MANAJER, Role.PENANDATANGAN, Role.PIMPINAN},
    Role.MANAJER: AREA_ROLES - {Role.MANAJER, Role.PIMPINAN},
}
READERS = (Role.ADMIN, *LED_BY)


@dataclass(frozen=True)
class DeviceLine:
    """A session that is alive, as somebody reads it who may end it; `name` is the device as the journal calls it."""

    session_id: str
    account_id: str
    owner: str
    username: str
    roles: tuple[str, ...]
    name: str
    address: str
    created_at: datetime
    last_seen_at: datetime
    here: bool


def may_cut(holder: Actor, by: Actor) -> bool:
    """Whether `by` may cut off the devices of `holder`: her own, everybody's as admin, or all that she does lies below her."""
    if holder.account_id == by.account_id or by.has(Role.ADMIN):
        return True
    return bool(holder.grants) and all(_leads(by, grant) for grant in holder.grants)


def _leads(by: Actor, grant: Grant) -> bool:
    leading = [mine for mine in by.grants if grant.role in LED_BY.get(mine.role, ())]
    return bool(grant.areas) and all(any(mine.covers(area) for mine in leading) for area in grant.areas)


def list_devices(
    found: SignedIn, *, at: datetime, limits: SessionLimits, zone: ZoneInfo, account_id: str = "", text: str = ""
) -> tuple[DeviceLine, ...]:
    """Who is signed in where, of those that `found` may cut off, by name and the latest first.

    `account_id` narrows to one account, `text` to names and user names that contain it. An office has a few dozen.
    """
    living = sa.select(WebSession).where(WebSession.ended_at.is_(None), WebSession.last_seen_at > at - limits.idle)
    if account_id:
        living = living.where(WebSession.account_id == account_id)
    wanted = text.strip().casefold()
    lines = (_line(row, found, at, zone) for row in db.session.scalars(living) if row.alive(at, limits.idle, limits.longest))
    fitting = (line for line in lines if line and wanted in f"{line.owner} {line.username}".casefold())
    return tuple(sorted(fitting, key=lambda line: (line.owner, line.username, -line.last_seen_at.timestamp())))


def _line(row: WebSession, found: SignedIn, at: datetime, zone: ZoneInfo) -> DeviceLine | None:
    holder = sessions.actor_of(row.account, at, row.device_name, zone)
    if not may_cut(holder, found.actor):
        return None
    return DeviceLine(
        session_id=row.id,
        account_id=row.account_id,
        owner=holder.name,
        username=holder.username,
        roles=tuple(sorted(role.label for role in holder.roles)),
        name=row.device_name,
        address=row.address,
        created_at=row.created_at,
        last_seen_at=row.last_seen_at,
        here=row.id == found.session_id,
    )


def cut_device(session_id: str, *, by: Actor, at: datetime, zone: ZoneInfo) -> str:
    """Sign the device of this session out of its account and forget it; whose account that is. The next click asks for the password.

    Raises NotFound, also for what she may not cut off, and Conflict when it is signed out already.
    """
    with transaction() as session:
        row = session.get(WebSession, session_id)
        if row is None or not may_cut(sessions.actor_of(row.account, at, "", zone), by):
            raise NotFound("Perangkat itu tidak ditemukan.", "Muat ulang daftar perangkat, lalu pilih dari sana.")
        account_id, name = row.account_id, row.device_name
        same = sa.and_(WebSession.account_id == account_id, WebSession.device_id == row.device_id)
        ended = sessions.end_where(same, reason="diputus", at=at)
        if not ended:
            raise Conflict("Perangkat itu sudah tidak masuk lagi.", "Muat ulang daftar perangkat.")
        known = sa.and_(KnownDevice.account_id == account_id, KnownDevice.device_id == row.device_id)
        session.execute(sa.delete(KnownDevice).where(known))
        audit.record("device-cut", f"account:{account_id}", by=by, at=at, detail={"device": name, "ended": ended})
    return account_id
