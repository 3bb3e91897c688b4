"""How many people, families and open cases a village has: counted village by village in the night, read by the area page.

Counting 5.7 million rows takes too long for a page. A figure is as old as its `counted_at`, which the page shows.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from appliance import audit, background
from appliance.access import Actor, require
from appliance.background import Taken
from appliance.database import db, transaction
from appliance.models.area import AreaCount
from appliance.models.case import Case
from appliance.models.person import Family, Person
from appliance.models.roles import Role
from appliance.models.states import OPEN
from appliance.registry.areas import active_villages

KIND = "hitung_wilayah"
SUBJECT = "wilayah"
SYSTEM = "system"
# After the backup of the evening, before the first desk opens.
NIGHT = time(1, 30)
COUNTING_ROLES = (Role.ADMIN, Role.MANAJER, Role.SUPERVISOR)


class Hands(Protocol):
    """The part of the worker's `Work` that counting uses."""

    @property
    def now(self) -> Callable[[], datetime]: ...

    def check(self) -> None: ...


def is_due(asked_at: datetime | None, at: datetime, zone: ZoneInfo) -> bool:
    """Whether the latest night has not been counted: the newest request is older than it, or there is none. Pure."""
    local = at.astimezone(zone)
    night = datetime.combine(local.date(), NIGHT, zone)
    if local < night:
        night -= timedelta(days=1)
    return asked_at is None or asked_at < night


def ask_nightly(at: datetime, zone: ZoneInfo) -> bool:
    """Ask for the count of the night unless that was done; whether it was asked for now."""
    newest = background.progress_of(SUBJECT)
    if not is_due(newest.asked_at if newest else None, at, zone):
        return False
    with transaction():
        background.ask(KIND, SUBJECT, by=SYSTEM, at=at)
    return True


def ask_now(*, by: Actor, at: datetime) -> bool:
    """Ask for a count outside of the night; False when one waits already. Raises NotAllowed."""
    require(by, *COUNTING_ROLES)
    with transaction():
        if background.is_asked(KIND, SUBJECT):
            return False
        background.ask(KIND, SUBJECT, by=by.account_id, at=at)
        audit.record("wilayah-hitung", "area:semua", by=by, at=at)
        return True


def run(task: Taken, work: Hands) -> str:
    """Count one village after the other; each is stored as soon as it is counted."""
    villages = active_villages()
    for position, village in enumerate(villages[task.done :], start=task.done + 1):
        work.check()
        counted = _count(village.code, work.now())
        with transaction() as session:
            session.merge(counted)
            background.move(task.id, position, len(villages), at=work.now())
    return f"{len(villages)} desa/kelurahan dihitung."


def counts() -> dict[str, AreaCount]:
    """The figures of every counted village, by its code."""
    return {row.village_code: row for row in db.session.scalars(sa.select(AreaCount))}


def _count(village_code: str, at: datetime) -> AreaCount:
    """Outside of any transaction that writes: nobody waits while rows are counted."""

    def number(table: type[Person] | type[Family] | type[Case], *conditions: sa.ColumnElement[bool]) -> int:
        statement = sa.select(sa.func.count()).select_from(table).where(table.village_code == village_code, *conditions)
        return db.session.scalar(statement) or 0

    return AreaCount(
        village_code=village_code,
        people=number(Person, Person.status == "hidup", Person.merged_into_id.is_(None)),
        families=number(Family, Family.status == "aktif"),
        open_cases=number(Case, Case.state.in_(OPEN)),
        counted_at=at,
    )
