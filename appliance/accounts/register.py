"""The register of accounts: an admin makes them, assigns them, gives new passwords, and switches them off.

`by` is the admin; None is the console of the machine, whose owner may everything. An account is never deleted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from appliance import audit
from appliance.access import Actor
from appliance.accounts import passwords, sessions
from appliance.accounts.assignments import (
    SYSTEM,
    NewAssignment,
    account_of,
    admins,
    assign,
    problems_of_assignment,
    require_admin,
)
from appliance.database import db, transaction
from appliance.errors import Conflict, InvalidInput
from appliance.models.account import Account, KnownDevice, SignInAttempt, WebSession
from appliance.models.columns import new_id
from appliance.models.roles import Role


@dataclass(frozen=True)
class NewAccount:
    """What is typed for a new account; `role` and what follows make its first assignment."""

    username: str
    name: str
    phone: str = ""
    nip: str = ""


@dataclass(frozen=True)
class CreatedAccount:
    """The password is told once and stored nowhere."""

    id: str
    username: str
    one_time_password: str


def create_account(new: NewAccount, first: NewAssignment, *, district: str, by: Actor | None, at: datetime) -> CreatedAccount:
    """A new account with its first assignment and a one-time password. Raises InvalidInput, NotAllowed."""
    require_admin(by)
    password = passwords.one_time_password()
    hashed = passwords.hash_password(password)
    with transaction():
        problems = _problems_of(new) | problems_of_assignment(first)
        if problems:
            raise InvalidInput(problems)
        account = _add(new, hashed, by, at)
        assign(account, first, district, by, at)
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
        if admins(at.date()):
            return False
        problems = _problems_of(new)
        if problems:
            raise InvalidInput(problems)
        account = _add(new, hashed, None, at)
        assign(account, NewAssignment(Role.ADMIN, starts), "", None, at)
        audit.record(
            "account-create", f"account:{account.id}", by=None, at=at, detail={"username": account.username, "role": "admin"}
        )
    return True


def has_admin(at: datetime) -> bool:
    """Whether somebody can sign in as admin."""
    return bool(admins(at.date()))


def reset_password(account_id: str, *, by: Actor | None, at: datetime) -> str:
    """A new one-time password: every session ends, and guesses count from zero again. Raises NotFound, NotAllowed."""
    require_admin(by)
    password = passwords.one_time_password()
    hashed = passwords.hash_password(password)
    with transaction() as session:
        account = account_of(account_id)
        _make_one_time(account, hashed, at)
        account.stamp(by.account_id if by else SYSTEM, at)
        session.execute(sa.delete(SignInAttempt).where(SignInAttempt.subject == account.id))
        sessions.end_where(WebSession.account_id == account.id, reason="sandi-baru", at=at)
        audit.record("password-reset", f"account:{account.id}", by=by, at=at)
    return password


def deactivate(account_id: str, *, by: Actor | None, at: datetime) -> None:
    """Switch an account off: it is signed out everywhere and forgets its devices. Raises Conflict for the last admin."""
    require_admin(by)
    with transaction() as session:
        account = account_of(account_id)
        if admins(at.date()) == [account.id]:
            raise Conflict("Ini admin terakhir yang aktif.", "Buat admin lain dahulu, lalu ulangi.")
        account.active = False
        account.stamp(by.account_id if by else SYSTEM, at)
        sessions.end_where(WebSession.account_id == account.id, reason="dinonaktifkan", at=at)
        session.execute(sa.delete(KnownDevice).where(KnownDevice.account_id == account.id))
        audit.record("account-deactivate", f"account:{account.id}", by=by, at=at)


def activate(account_id: str, *, by: Actor | None, at: datetime) -> None:
    """Switch an account on again, with the password it had. Raises NotFound, NotAllowed."""
    require_admin(by)
    with transaction():
        account = account_of(account_id)
        account.active = True
        account.stamp(by.account_id if by else SYSTEM, at)
        audit.record("account-activate", f"account:{account.id}", by=by, at=at)


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
