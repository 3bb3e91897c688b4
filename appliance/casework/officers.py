"""Who serves a village today, by her assignments: whom a visit is given to, whom a case passes to, who is gone. For services."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any

import sqlalchemy as sa

from appliance.access import Grant
from appliance.database import db
from appliance.models.account import Account, Assignment
from appliance.models.roles import Role


def serving(village_code: str, roles: Collection[Role], day: date) -> tuple[tuple[str, str], ...]:
    """The accounts that hold one of `roles` in the village on `day`, each with "name (role)", by name."""
    found: dict[str, str] = {}
    for account_id, name, role in sorted(_holding(village_code, roles, day), key=lambda row: (row[1], row[0])):
        found.setdefault(account_id, f"{name} ({role.label})")
    return tuple(found.items())


def serves(account_id: str, village_code: str, roles: Collection[Role], day: date) -> bool:
    """Whether the account holds one of `roles` in the village on `day`."""
    return any(held == account_id for held, _, _ in _holding(village_code, roles, day, account_id))


def staffed(unit_ids: Collection[str], day: date) -> dict[str, int]:
    """How many accounts may answer for each of these organisations on `day`; one for which nobody may is left out."""
    statement = (
        sa.select(Assignment.unit_id, sa.func.count(Assignment.account_id.distinct()))
        .join(Account, Account.id == Assignment.account_id)
        .where(Assignment.unit_id.in_(unit_ids), Assignment.role == Role.OPD, *_hold_on(day))
    )
    return {str(unit): count for unit, count in db.session.execute(statement.group_by(Assignment.unit_id))}


def _hold_on(day: date) -> tuple[Any, ...]:
    return (Account.active, Assignment.starts <= day, sa.or_(Assignment.ends.is_(None), Assignment.ends >= day))


def _holding(village_code: str, roles: Collection[Role], day: date, account_id: str = "") -> list[tuple[str, str, Role]]:
    statement = (
        sa.select(Account.id, Account.name, Assignment.role, Assignment.area_codes)
        .join(Assignment, Assignment.account_id == Account.id)
        .where(Assignment.role.in_(sorted(roles)), *_hold_on(day))
    )
    if account_id:
        statement = statement.where(Account.id == account_id)
    return [
        (row.id, row.name, Role(row.role))
        for row in db.session.execute(statement)
        if Grant(Role(row.role), tuple(row.area_codes)).covers(village_code)
    ]
