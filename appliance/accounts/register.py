"""The register of accounts: an admin makes them, assigns them, gives new passwords, and switches them off.

`by` is the admin; None is the console of the machine, whose owner may everything. An account is never deleted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from appliance import audit
from appliance.access import Actor, require
from appliance.accounts import passwords, sessions
from appliance.database import db, transaction
from appliance.errors import Conflict, InvalidInput, NotFound
from appliance.models.account import Account, Assignment, KnownDevice, SignInAttempt, WebSession
from appliance.models.area import Area
from appliance.models.columns import new_id
from appliance.models.roles import Role
from appliance.models.unit import Unit

SYSTEM = "system"
PAGE_SIZE = 25

# Roles of the district's office, which work for the whole district when nothing narrower is named.
DISTRICT_ROLES = frozenset({Role.SUPERVISOR, Role.MANAJER, Role.FO, Role.BO, Role.PENANDATANGAN, Role.PIMPINAN})
# Roles that read no case by area.
AREALESS_ROLES = frozenset({Role.OPD, Role.ADMIN, Role.PELATIH})


@dataclass(frozen=True)
class NewAccount:
    """What is typed for a new account; `role` and what follows make its first assignment."""

    username: str
    name: str
    phone: str = ""
    nip: str = ""


@dataclass(frozen=True)
class NewAssignment:
    """A role from `starts` on; `area_codes` empty means the whole district for the office's own roles."""

    role: str
    starts: date | None
    area_codes: tuple[str, ...] = ()
    unit_id: str = ""
    ends: date | None = None
    decree: str = ""


@dataclass(frozen=True)
class CreatedAccount:
    """The password is told once and stored nowhere."""

    id: str
    username: str
    one_time_password: str


@dataclass(frozen=True)
class AssignmentLine:
    """An assignment as it is read; `holds` says whether it gives rights today."""

    id: str
    role: Role
    unit_name: str
    areas: tuple[str, ...]
    starts: date
    ends: date | None
    decree: str
    holds: bool


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


def create_account(new: NewAccount, first: NewAssignment, *, district: str, by: Actor | None, at: datetime) -> CreatedAccount:
    """A new account with its first assignment and a one-time password. Raises InvalidInput, NotAllowed."""
    _require_admin(by)
    password = passwords.one_time_password()
    hashed = passwords.hash_password(password)
    with transaction():
        problems = _problems_of(new) | _problems_of_assignment(first)
        if problems:
            raise InvalidInput(problems)
        account = _add(new, hashed, by, at)
        _assign(account, first, district, by, at)
        detail = {"username": account.username, "role": first.role}
        audit.record("account-create", f"account:{account.id}", by=by, at=at, detail=detail)
    return CreatedAccount(account.id, account.username, password)


def create_first_admin(username: str, name: str, password: str, *, starts: date, at: datetime) -> bool:
    """The first admin with a one-time password that the caller has already put where it can be read.

    Whether one was made: False when there is an admin, and then nothing changed. Raises InvalidInput.
    """
    hashed = passwords.hash_password(password)
    new = NewAccount(username, name)
    with transaction():
        if _admins(at.date()):
            return False
        problems = _problems_of(new)
        if problems:
            raise InvalidInput(problems)
        account = _add(new, hashed, None, at)
        _assign(account, NewAssignment(Role.ADMIN, starts), "", None, at)
        audit.record(
            "account-create", f"account:{account.id}", by=None, at=at, detail={"username": account.username, "role": "admin"}
        )
    return True


def has_admin(at: datetime) -> bool:
    """Whether somebody can sign in as admin."""
    return bool(_admins(at.date()))


def reset_password(account_id: str, *, by: Actor | None, at: datetime) -> str:
    """A new one-time password: every session ends, and guesses count from zero again. Raises NotFound, NotAllowed."""
    _require_admin(by)
    password = passwords.one_time_password()
    hashed = passwords.hash_password(password)
    with transaction() as session:
        account = _account(account_id)
        _make_one_time(account, hashed, at)
        account.stamp(by.account_id if by else SYSTEM, at)
        session.execute(sa.delete(SignInAttempt).where(SignInAttempt.subject == account.id))
        sessions.end_where(WebSession.account_id == account.id, reason="sandi-baru", at=at)
        audit.record("password-reset", f"account:{account.id}", by=by, at=at)
    return password


def deactivate(account_id: str, *, by: Actor | None, at: datetime) -> None:
    """Switch an account off: it is signed out everywhere and forgets its devices. Raises Conflict for the last admin."""
    _require_admin(by)
    with transaction() as session:
        account = _account(account_id)
        if _admins(at.date()) == [account.id]:
            raise Conflict("Ini admin terakhir yang aktif.", "Buat admin lain dahulu, lalu ulangi.")
        account.active = False
        account.stamp(by.account_id if by else SYSTEM, at)
        sessions.end_where(WebSession.account_id == account.id, reason="dinonaktifkan", at=at)
        session.execute(sa.delete(KnownDevice).where(KnownDevice.account_id == account.id))
        audit.record("account-deactivate", f"account:{account.id}", by=by, at=at)


def activate(account_id: str, *, by: Actor | None, at: datetime) -> None:
    """Switch an account on again, with the password it had. Raises NotFound, NotAllowed."""
    _require_admin(by)
    with transaction():
        account = _account(account_id)
        account.active = True
        account.stamp(by.account_id if by else SYSTEM, at)
        audit.record("account-activate", f"account:{account.id}", by=by, at=at)


def assign_role(account_id: str, new: NewAssignment, *, district: str, by: Actor | None, at: datetime) -> None:
    """Give an account one more role. Raises InvalidInput, NotFound, NotAllowed."""
    _require_admin(by)
    with transaction():
        account = _account(account_id)
        problems = _problems_of_assignment(new)
        if problems:
            raise InvalidInput(problems)
        assignment = _assign(account, new, district, by, at)
        detail = {"role": new.role, "areas": assignment.area_codes, "unit": assignment.unit_id}
        audit.record("role-assign", f"account:{account.id}", by=by, at=at, detail=detail)


def end_assignment(account_id: str, assignment_id: str, *, last_day: date, by: Actor | None, at: datetime) -> None:
    """Let an assignment hold until `last_day` and no longer. Raises NotFound, NotAllowed, Conflict for the last admin."""
    _require_admin(by)
    with transaction():
        account = _account(account_id)
        found = next((assignment for assignment in account.assignments if assignment.id == assignment_id), None)
        if found is None:
            raise NotFound("Penugasan itu tidak ada.", "Muat ulang halaman akun ini.")
        if found.kind == Role.ADMIN and _admins(at.date()) == [account.id]:
            raise Conflict("Ini admin terakhir yang aktif.", "Buat admin lain dahulu, lalu ulangi.")
        found.ends = last_day
        found.stamp(by.account_id if by else SYSTEM, at)
        audit.record("role-end", f"account:{account.id}", by=by, at=at, detail={"role": found.role, "last_day": last_day})


def list_accounts(*, by: Actor | None, today: date, text: str = "", page: int = 1) -> AccountsFound:
    """One page of accounts by name; `text` narrows to those whose name or user name contains it. Raises NotAllowed."""
    _require_admin(by)
    wanted = sa.select(Account)
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
    _require_admin(by)
    account = _account(account_id)
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


def _require_admin(by: Actor | None) -> None:
    if by is not None:
        require(by, Role.ADMIN)


def _account(account_id: str) -> Account:
    account = db.session.get(Account, account_id)
    if account is None:
        raise NotFound("Akun itu tidak ada.", "Cari lagi di daftar akun.")
    return account


def _admins(day: date) -> list[str]:
    """Ids of the active accounts that are admin on `day` or will be: the office's day begins before that of UTC."""
    rows = db.session.scalars(
        sa.select(Assignment).join(Assignment.account).where(Assignment.role == Role.ADMIN.value, Account.active.is_(True))
    )
    return sorted({row.account_id for row in rows if row.ends is None or row.ends >= day})


def _add(new: NewAccount, hashed: str, by: Actor | None, at: datetime) -> Account:
    account = Account(
        id=new_id(),
        username=new.username.strip().casefold(),
        name=" ".join(new.name.split()),
        phone=new.phone.strip() or None,
        nip=new.nip.replace(" ", "") or None,
        active=True,
    )
    _make_one_time(account, hashed, at)
    account.stamp(by.account_id if by else SYSTEM, at)
    db.session.add(account)
    db.session.flush()
    return account


def _make_one_time(account: Account, hashed: str, at: datetime) -> None:
    account.password_hash = hashed
    account.password_changed_at = at
    account.must_change_password = True
    account.password_expires_at = at + passwords.ONE_TIME_LIFE


def _assign(account: Account, new: NewAssignment, district: str, by: Actor | None, at: datetime) -> Assignment:
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


def _problems_of(new: NewAccount) -> dict[str, str]:
    problems: dict[str, str] = {}
    username = new.username.strip().casefold()
    if not re.fullmatch(r"[a-z][a-z0-9._-]{2,31}", username):
        problems["username"] = "Nama pengguna 3–32 karakter: huruf kecil, angka, titik, atau garis; diawali huruf."
    elif db.session.scalar(sa.select(Account.id).where(Account.username == username)):
        problems["username"] = "Nama pengguna itu sudah dipakai."
    if not 2 <= len(new.name.strip()) <= 120:
        problems["name"] = "Tulis nama lengkap, paling banyak 120 karakter."
    if new.nip.strip() and not re.fullmatch(r"\d{18}", new.nip.replace(" ", "")):
        problems["nip"] = "NIP terdiri dari 18 angka."
    if new.phone.strip() and not re.fullmatch(r"\+?[\d \-]{6,20}", new.phone.strip()):
        problems["phone"] = "Nomor telepon berisi angka saja, misalnya 0812 3456 7890."
    return problems


def _problems_of_assignment(new: NewAssignment) -> dict[str, str]:
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
    )
