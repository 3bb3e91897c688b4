"""Who was shut out after the backup stays shut out: a restore brings rows back, not the rights of who was sent away.

An account that is switched off now is switched off in what comes back. A password that was replaced since stays replaced, for the old
one may be why; its owner chooses another at the next sign-in. An assignment that was ended since stays ended; who follows was
forgotten with the restore, and is named anew by an administrator.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa

from appliance import audit
from appliance.accounts.assignments import admins
from appliance.database import db
from appliance.models.account import Account, Assignment, KnownDevice
from appliance.restoration.epoch import ShutOut

PRESENT = sa.text(
    "SELECT id, active, password_hash, password_changed_at, password_expires_at FROM account WHERE id <> :system"
).bindparams(system=audit.SYSTEM)
ASSIGNED = sa.text("SELECT id, ends FROM assignment")
BECAUSE = {"karena": "data-dipulihkan"}


def read_present(connection: sa.Connection) -> dict[str, dict[str, Any]]:
    """What has to be kept of the accounts of now, by their identifiers, as JSON can hold it."""
    return {
        row.id: {
            "active": bool(row.active),
            "password": row.password_hash,
            "changed_at": _text(row.password_changed_at),
            "expires_at": _text(row.password_expires_at),
        }
        for row in connection.execute(PRESENT)
    }


def read_assignments(connection: sa.Connection) -> dict[str, str | None]:
    """The last day of each assignment of now, by its identifier; None for one without."""
    return {row.id: _text(row.ends) for row in connection.execute(ASSIGNED)}


def keep_shut_out(present: Mapping[str, Mapping[str, Any]], assigned: Mapping[str, str | None], at: datetime) -> ShutOut:
    """Inside the transaction that settles a restore: lay what was kept over the accounts and assignments that came back. Each change is
    in the journal."""
    came_back = list(db.session.scalars(sa.select(Account).where(Account.id.in_(list(present))).order_by(Account.username)))
    switched_off = tuple(account.username for account in came_back if _switch_off(account, present[account.id], at))
    renewed = tuple(account.username for account in came_back if _keep_password(account, present[account.id], at))
    held = db.session.scalars(sa.select(Assignment).where(Assignment.id.in_(list(assigned))).order_by(Assignment.id))
    ended = tuple(sorted(_named(one) for one in held if _keep_end(one, assigned[one.id], at)))
    db.session.flush()
    return ShutOut(switched_off, renewed, bool(switched_off or ended) and not admins(at.date()), ended)


def _switch_off(account: Account, now: Mapping[str, Any], at: datetime) -> bool:
    if now["active"] or not account.active:
        return False
    account.active = False
    account.stamp(audit.SYSTEM, at)
    db.session.execute(sa.delete(KnownDevice).where(KnownDevice.account_id == account.id))
    audit.record("account-deactivate", f"account:{account.id}", by=None, at=at, detail=BECAUSE)
    return True


def _keep_password(account: Account, now: Mapping[str, Any], at: datetime) -> bool:
    changed_at = _moment(now["changed_at"])
    if changed_at is None or changed_at <= account.password_changed_at:
        return False
    # not the old one with the wish to renew it: whoever stole that one would be asked to choose the next
    account.password_hash, account.password_changed_at = now["password"], changed_at
    account.must_change_password, account.password_expires_at = True, _moment(now["expires_at"])
    account.stamp(audit.SYSTEM, at)
    audit.record("password-keep", f"account:{account.id}", by=None, at=at, detail=BECAUSE)
    return True


def _keep_end(assignment: Assignment, last_day: str | None, at: datetime) -> bool:
    ends = date.fromisoformat(last_day) if last_day else None
    if ends is None or (assignment.ends is not None and assignment.ends <= ends):
        return False
    assignment.ends = ends
    assignment.stamp(audit.SYSTEM, at)
    detail = {"role": assignment.role, "last_day": ends, **BECAUSE}
    audit.record("role-end", f"account:{assignment.account_id}", by=None, at=at, detail=detail)
    return True


def _named(assignment: Assignment) -> str:
    return f"{assignment.account.username} ({assignment.kind.label})"


def _text(moment: date | str | None) -> str | None:
    """A moment or a day as either database gives it to plain SQL."""
    return moment.isoformat() if isinstance(moment, date) else moment


def _moment(text: str | None) -> datetime | None:
    found = datetime.fromisoformat(text) if text else None
    return found.replace(tzinfo=UTC) if found and found.tzinfo is None else found
