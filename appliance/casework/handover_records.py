"""Handovers that were done, found again and printed again; and who can give and take.

A record is seen by those who may hand its villages over, and by the two who signed it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from appliance import audit
from appliance.access import Actor, in_areas
from appliance.casework.handover import HANDING_ROLES, may_hand_over
from appliance.casework.handover_rules import covered
from appliance.database import db, transaction
from appliance.errors import NotFound
from appliance.models.account import Account, Assignment
from appliance.models.handover import Handover, HandoverVillage
from appliance.models.roles import Role
from appliance.registry.area_codes import at_any_time
from appliance.registry.areas import Village, active_villages

PAGE_SIZE = 25


@dataclass(frozen=True)
class HandoverLine:
    """One handover in a list."""

    id: str
    number: str
    giver: str
    taker: str
    villages: tuple[str, ...]
    cases: int
    starts: date


@dataclass(frozen=True)
class HandoverDetail:
    """One handover with the sheet as it was frozen."""

    line: HandoverLine
    done_at: datetime
    done_by: str
    sheet: dict[str, Any]


@dataclass(frozen=True)
class HandoversFound:
    """The newest first. `older` is what to ask for next, "" when that is all."""

    handovers: tuple[HandoverLine, ...]
    older: str


@dataclass(frozen=True)
class Giver:
    """A facilitator of today, with those of her villages that the reader may hand over."""

    account_id: str
    name: str
    villages: tuple[Village, ...]


def list_handovers(*, by: Actor, before: str = "", village_code: str = "") -> HandoversFound:
    """The handovers in reach, the newest first; `before` is `older` of the page before."""
    statement = _in_reach(sa.select(Handover), by)
    if village_code:
        of_village = sa.select(HandoverVillage.handover_id).where(HandoverVillage.village_code.in_(at_any_time([village_code])))
        statement = statement.where(Handover.id.in_(of_village))
    if before:
        statement = statement.where(Handover.id < before)
    rows = db.session.scalars(statement.order_by(Handover.id.desc()).limit(PAGE_SIZE + 1)).all()
    return HandoversFound(tuple(_line(row) for row in rows[:PAGE_SIZE]), rows[PAGE_SIZE - 1].id if len(rows) > PAGE_SIZE else "")


def look_at_handover(handover_id: str, *, by: Actor) -> HandoverDetail:
    """One handover. Raises NotFound."""
    row = db.session.scalar(_in_reach(sa.select(Handover).where(Handover.id == handover_id), by))
    if row is None:
        raise NotFound("Berita acara tidak ditemukan.", "Buka daftar serah terima, lalu pilih dari sana.")
    done_by = db.session.get_one(Account, row.done_by).name
    return HandoverDetail(_line(row), row.done_at, done_by, row.sheet)


def print_sheet(handover_id: str, *, by: Actor, at: datetime) -> HandoverDetail:
    """The same, to be printed; the journal says so. Raises NotFound."""
    with transaction():
        detail = look_at_handover(handover_id, by=by)
        audit.record("cetak", f"handover:{handover_id}", by=by, at=at, detail={"nomor": detail.line.number})
        return detail


def givers(*, by: Actor, today: date) -> tuple[Giver, ...]:
    """The facilitators of today with villages that `by` may hand over, by name."""
    villages = [village for village in active_villages() if may_hand_over(village.code, by)]
    held: dict[tuple[str, str], set[str]] = {}
    for account_id, name, codes in db.session.execute(_facilitators(today)):
        held.setdefault((name, account_id), set()).update(codes)
    found = (
        Giver(account_id, name, tuple(village for village in villages if covered(codes, village.code)))
        for (name, account_id), codes in sorted(held.items())
    )
    return tuple(giver for giver in found if giver.villages)


def takers(*, by: Actor) -> tuple[tuple[str, str], ...]:
    """(identifier, name) of the active accounts that are, were or will be facilitators; nobody for who may hand nothing over."""
    if not by.has(Role.ADMIN, *HANDING_ROLES):
        return ()
    facilitators = sa.select(Assignment.account_id).where(Assignment.role == Role.FASILITATOR)
    statement = sa.select(Account.id, Account.name).where(Account.active, Account.id.in_(facilitators)).order_by(Account.name)
    return tuple((row.id, row.name) for row in db.session.execute(statement))


def _facilitators(today: date) -> sa.Select[str, str, list[str]]:
    return (
        sa.select(Account.id, Account.name, Assignment.area_codes)
        .join(Assignment.account)
        .where(
            Assignment.role == Role.FASILITATOR,
            Assignment.starts <= today,
            sa.or_(Assignment.ends.is_(None), Assignment.ends >= today),
        )
    )


def _in_reach(statement: sa.Select[Handover], by: Actor) -> sa.Select[Handover]:
    if by.has(Role.ADMIN):
        return statement
    villages = sa.select(HandoverVillage.handover_id).where(in_areas(HandoverVillage.village_code, by.areas_of(HANDING_ROLES)))
    signed = sa.or_(Handover.from_account_id == by.account_id, Handover.to_account_id == by.account_id)
    return statement.where(sa.or_(Handover.id.in_(villages), signed))


def _line(row: Handover) -> HandoverLine:
    sheet = row.sheet
    villages = tuple(village["name"] for village in sheet["villages"])
    return HandoverLine(row.id, row.number, sheet["giver"]["name"], sheet["taker"]["name"], villages, row.cases, row.starts)
