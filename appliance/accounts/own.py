"""What a person does with her own account: choosing a new password."""

from __future__ import annotations

from datetime import datetime

from appliance import audit
from appliance.accounts import passwords, sessions
from appliance.accounts.sessions import SignedIn
from appliance.database import db, transaction
from appliance.errors import InvalidInput
from appliance.models.account import Account, WebSession


def change_password(found: SignedIn, current: str, new: str, again: str, at: datetime) -> str:
    """Replace the own password; every session ends and this browser gets a new one, whose token is given back.

    Raises InvalidInput with the fields `current`, `new` and `again`.
    """
    account = db.session.get_one(Account, found.actor.account_id)
    before = account.password_hash
    problems = _problems(account, current, new, again)
    if problems:
        raise InvalidInput(problems)
    hashed = passwords.hash_password(new)
    with transaction() as session:
        account = session.get_one(Account, found.actor.account_id)
        if account.password_hash != before:
            raise InvalidInput({"current": "Kata sandi Anda baru saja diganti di tempat lain."})
        set_password(account, hashed, at)
        account.stamp(account.id, at)
        here = session.get_one(WebSession, found.session_id)
        device_id, device = here.device_id, here.device
        sessions.end_where(WebSession.account_id == account.id, reason="sandi-diganti", at=at)
        token = sessions.begin(account, device_id=device_id, device=device, at=at)
        audit.record("password-change", f"account:{account.id}", by=found.actor, at=at)
    return token


def set_password(account: Account, hashed: str, at: datetime) -> None:
    """Make `hashed` the person's own password."""
    account.password_hash = hashed
    account.password_changed_at = at
    account.must_change_password = False
    account.password_expires_at = None


def _problems(account: Account, current: str, new: str, again: str) -> dict[str, str]:
    problems: dict[str, str] = {}
    if not passwords.verify(current, account.password_hash):
        problems["current"] = "Kata sandi sekarang tidak cocok."
    weak = passwords.problem_with(new, username=account.username, name=account.name, current=current)
    if weak:
        problems["new"] = weak
    elif new != again:
        problems["again"] = "Kedua kata sandi baru tidak sama."
    return problems
