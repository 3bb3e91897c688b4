"""The roll of accounts as an admin reads it: a list, and one account with all its assignments."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from appliance.access import Actor
from appliance.accounts.assignments import account_of, require_admin
from appliance.audit import SYSTEM
from appliance.database import db
from appliance.errors import NotFound
from appliance.models.account import Account, Assignment, WebSession
from appliance.models.area import Area
from appliance.models.roles import Role
from appliance.models.unit import Unit

PAGE_SIZE = 25


@dataclass(frozen=True)
class AssignmentLine:
    """An assignment as it is read; `holds` says whether it gives rights today, `planned` whether it will."""

    id: str
    role: Role
    unit_name: str
    areas: tuple[str, ...]
    starts: date
    ends: date | None
    decree: str
    holds: bool
    planned: bool = False


@dataclass(frozen=True)
class AccountLine:
    """An account in a list, with the labels of its roles of today."""

    id: str
    username: str
    name: str
    active: bool
    must_change_password: bool
    roles: tuple[str, ...]


@dataclass(frozen=True)
class AccountDetail:
    """An account with all its assignments, the newest first."""

    line: AccountLine
    phone: str
    nip: str
    created_at: datetime
    last_seen_at: datetime | None
    assignments: tuple[AssignmentLine, ...]


@dataclass(frozen=True)
class AccountsFound:
    """One page of accounts."""

    accounts: tuple[AccountLine, ...]
    total: int
    page: int
    pages: int


def list_accounts(*, by: Actor | None, today: date, text: str = "", page: int = 1) -> AccountsFound:
    """One page of accounts by name; `text` narrows to those whose name or user name contains it. Raises NotAllowed."""
    require_admin(by)
    wanted = sa.select(Account).where(Account.id != SYSTEM)  # the node itself is nobody's account
    if text.strip():
        pattern = text.strip().casefold().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        wanted = wanted.where(
            sa.or_(*(sa.func.lower(column).like(f"%{pattern}%", escape="\\") for column in (Account.name, Account.username)))
        )
    total = db.session.scalar(sa.select(sa.func.count()).select_from(wanted.subquery())) or 0
    pages = max(1, -(-total // PAGE_SIZE))
    page = min(max(page, 1), pages)
    rows = db.session.scalars(wanted.order_by(Account.name, Account.id).limit(PAGE_SIZE).offset((page - 1) * PAGE_SIZE))
    return AccountsFound(tuple(_line(row, today) for row in rows), total, page, pages)


def look_at_account(account_id: str, *, by: Actor | None, today: date) -> AccountDetail:
    """Everything about one account. Raises NotFound, NotAllowed."""
    require_admin(by)
    account = account_of(account_id)
    seen = db.session.scalar(sa.select(sa.func.max(WebSession.last_seen_at)).where(WebSession.account_id == account.id))
    assignments = sorted(account.assignments, key=lambda assignment: assignment.starts, reverse=True)
    return AccountDetail(
        line=_line(account, today),
        phone=account.phone or "",
        nip=account.nip or "",
        created_at=account.created_at,
        last_seen_at=seen,
        assignments=tuple(_assignment_line(assignment, today) for assignment in assignments),
    )


def find_account(username: str) -> str:
    """The id of the account with this user name. Raises NotFound."""
    found = db.session.scalar(sa.select(Account.id).where(Account.username == username.strip().casefold()))
    if found is None:
        raise NotFound(f"Tidak ada akun bernama {username}.", "Lihat daftarnya: slrt user list")
    return found


def _line(account: Account, today: date) -> AccountLine:
    roles = tuple(sorted({assignment.kind.label for assignment in account.assignments_on(today)}))
    return AccountLine(account.id, account.username, account.name, account.active, account.must_change_password, roles)


def _assignment_line(assignment: Assignment, today: date) -> AssignmentLine:
    unit = db.session.get(Unit, assignment.unit_id) if assignment.unit_id else None
    areas = tuple(db.session.scalars(sa.select(Area.name).where(Area.code.in_(assignment.area_codes)).order_by(Area.code)))
    return AssignmentLine(
        id=assignment.id,
        role=assignment.kind,
        unit_name=unit.name if unit else "",
        areas=areas,
        starts=assignment.starts,
        ends=assignment.ends,
        decree=assignment.decree or "",
        holds=assignment.holds_on(today),
        planned=assignment.starts > today and (assignment.ends is None or assignment.ends >= assignment.starts),
    )
