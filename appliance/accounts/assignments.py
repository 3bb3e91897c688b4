"""Assignments: which role a person holds, where, and from when to when. Her rights follow from these alone.

`by` is the admin; None is the console of the machine, whose owner may everything.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from appliance import audit
from appliance.access import Actor, require
from appliance.database import db, transaction
from appliance.errors import Conflict, InvalidInput, NotFound
from appliance.models.account import Account, Assignment
from appliance.models.area import Area
from appliance.models.roles import Role
from appliance.models.unit import Unit

SYSTEM = "system"

# Roles of the district's office, which work for the whole district when nothing narrower is named.
DISTRICT_ROLES = frozenset({Role.SUPERVISOR, Role.MANAJER, Role.FO, Role.BO, Role.PENANDATANGAN, Role.PIMPINAN})
# Roles that read no case by area.
AREALESS_ROLES = frozenset({Role.OPD, Role.ADMIN, Role.PELATIH})


@dataclass(frozen=True)
class NewAssignment:
    """A role from `starts` on; `area_codes` empty means the whole district for the office's own roles."""

    role: str
    starts: date | None
    area_codes: tuple[str, ...] = ()
    unit_id: str = ""
    ends: date | None = None
    decree: str = ""


def assign_role(account_id: str, new: NewAssignment, *, district: str, by: Actor | None, at: datetime) -> None:
    """Give an account one more role. Raises InvalidInput, NotFound, NotAllowed."""
    require_admin(by)
    with transaction():
        account = account_of(account_id)
        problems = problems_of_assignment(new)
        if problems:
            raise InvalidInput(problems)
        assignment = assign(account, new, district, by, at)
        detail = {"role": new.role, "areas": assignment.area_codes, "unit": assignment.unit_id}
        audit.record("role-assign", f"account:{account.id}", by=by, at=at, detail=detail)


def end_assignment(account_id: str, assignment_id: str, *, last_day: date, by: Actor | None, at: datetime) -> None:
    """Let an assignment hold until `last_day` and no longer. Raises NotFound, NotAllowed, Conflict for the last admin."""
    require_admin(by)
    with transaction():
        account = account_of(account_id)
        found = next((assignment for assignment in account.assignments if assignment.id == assignment_id), None)
        if found is None:
            raise NotFound("Penugasan itu tidak ada.", "Muat ulang halaman akun ini.")
        if found.kind == Role.ADMIN and admins(at.date()) == [account.id]:
            raise Conflict("Ini admin terakhir yang aktif.", "Buat admin lain dahulu, lalu ulangi.")
        found.ends = last_day
        found.stamp(by.account_id if by else SYSTEM, at)
        audit.record("role-end", f"account:{account.id}", by=by, at=at, detail={"role": found.role, "last_day": last_day})


def require_admin(by: Actor | None) -> None:
    if by is not None:
        require(by, Role.ADMIN)


def account_of(account_id: str) -> Account:
    account = db.session.get(Account, account_id)
    if account is None:
        raise NotFound("Akun itu tidak ada.", "Cari lagi di daftar akun.")
    return account


def admins(day: date) -> list[str]:
    """Ids of the active accounts that are admin on `day` or will be: the office's day begins before that of UTC."""
    rows = db.session.scalars(
        sa.select(Assignment).join(Assignment.account).where(Assignment.role == Role.ADMIN.value, Account.active.is_(True))
    )
    return sorted({row.account_id for row in rows if row.ends is None or row.ends >= day})


def assign(account: Account, new: NewAssignment, district: str, by: Actor | None, at: datetime) -> Assignment:
    role = Role(new.role)
    areas = list(new.area_codes) or ([district] if role in DISTRICT_ROLES else [])
    assignment = Assignment(
        account_id=account.id,
        role=role.value,
        unit_id=new.unit_id or None,
        area_codes=[] if role in AREALESS_ROLES else areas,
        starts=new.starts,
        ends=new.ends,
        decree=new.decree.strip() or None,
    )
    assignment.stamp(by.account_id if by else SYSTEM, at)
    db.session.add(assignment)
    return assignment


def problems_of_assignment(new: NewAssignment) -> dict[str, str]:
    if new.role not in set(Role):
        return {"role": "Pilih peran."}
    role, problems = Role(new.role), {}
    if role == Role.OPD and not new.unit_id:
        problems["unit_id"] = "Petugas OPD harus terikat pada satu unit."
    elif new.unit_id and db.session.get(Unit, new.unit_id) is None:
        problems["unit_id"] = "Unit itu tidak ada."
    if role not in AREALESS_ROLES | DISTRICT_ROLES and not new.area_codes:
        problems["area_codes"] = f"Peran {role.label} memerlukan wilayah tugas."
    known = set(db.session.scalars(sa.select(Area.code).where(Area.code.in_(new.area_codes), Area.active.is_(True))))
    missing = [code for code in new.area_codes if code not in known]
    if missing:
        problems["area_codes"] = f"Wilayah tidak dikenal di kabupaten/kota ini: {', '.join(missing)}."
    if new.starts is None:
        problems["starts"] = "Tulis tanggal mulai."
    elif new.ends is not None and new.ends < new.starts:
        problems["ends"] = "Tanggal selesai sebelum tanggal mulai."
    return problems
