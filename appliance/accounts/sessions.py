"""Sessions: which browser is signed in as whom, for how long, and with which rights today.

The cookie holds a random token of 256 bits; the database knows only its hash. Rights are worked out anew for each request, so
that a role taken away is gone with the next click.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from appliance import audit
from appliance.access import Actor, Grant
from appliance.config import WebSettings
from appliance.database import db, transaction
from appliance.models.account import Account, WebSession
from appliance.registry.area_codes import at_any_time

# The last click is noted at most this often: a write for each page would wear the disk for nothing.
TOUCH_EVERY = timedelta(seconds=60)


@dataclass(frozen=True)
class SessionLimits:
    """A session ends `idle` after the last click, and `longest` after the sign-in in any case."""

    idle: timedelta
    longest: timedelta

    @classmethod
    def of(cls, web: WebSettings) -> SessionLimits:
        """The limits in the settings."""
        return cls(timedelta(minutes=web.idle_minutes), timedelta(hours=web.session_hours))


@dataclass(frozen=True)
class SignedIn:
    """A person at a browser: her rights today, and whether she must choose a password before anything else."""

    session_id: str
    actor: Actor
    must_change_password: bool
    last_seen_at: datetime
    address: str = ""


@dataclass(frozen=True)
class SessionLine:
    """A session as its owner sees it; `here` is the one she is asking from."""

    id: str
    device: str
    created_at: datetime
    last_seen_at: datetime
    here: bool
    address: str = ""


def new_token() -> str:
    """A secret for a cookie."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """What is stored of a cookie's secret."""
    return hashlib.sha256(token.encode()).hexdigest()


def actor_of(account: Account, at: datetime, device: str, zone: ZoneInfo) -> Actor:
    """The person with the rights of the assignments that hold on this day in the office's zone.

    An area counts under every code it had or has: after a new edition of the codes nobody loses sight of her people.
    """
    held = account.assignments_on(at.astimezone(zone).date())
    grants = (Grant(assignment.kind, at_any_time(assignment.area_codes), assignment.unit_id) for assignment in held)
    return Actor.holding(account.id, account.name, account.username, grants, device)


def acting_for(account_id: str, at: datetime, device: str, zone: ZoneInfo) -> Actor | None:
    """Who asked for something that is done later, with her rights of now; None when her account is switched off."""
    account = db.session.get(Account, account_id)
    return actor_of(account, at, device, zone) if account and account.active else None


def begin(account: Account, *, device_id: str, device: str, at: datetime) -> str:
    """Store a session inside the running transaction; the token for the cookie."""
    token = new_token()
    db.session.add(
        WebSession(
            id=digest(token), account_id=account.id, device_id=device_id, device=device[:80], created_at=at, last_seen_at=at
        )
    )
    return token


def end_where(condition: sa.ColumnElement[bool], *, reason: str, at: datetime) -> int:
    """End the living sessions that match, inside the running transaction; how many there were."""
    change = sa.update(WebSession).where(WebSession.ended_at.is_(None), condition).values(ended_at=at, end_reason=reason)
    ended: int = db.session.execute(change).rowcount  # type: ignore[attr-defined]
    return ended


def find_session(token: str, at: datetime, limits: SessionLimits, zone: ZoneInfo) -> SignedIn | None:
    """Who holds this cookie; None when the session never was, is over, or belongs to an account that is switched off."""
    row = db.session.get(WebSession, digest(token))
    if row is None or not row.account.active or not row.alive(at, limits.idle, limits.longest):
        return None
    actor = actor_of(row.account, at, row.device_name, zone)
    return SignedIn(row.id, actor, row.account.must_change_password, row.last_seen_at, row.address)


def touch_session(found: SignedIn, at: datetime, address: str = "") -> None:
    """Note that the person is still there and at which network address ("" for unknown), unless that was noted a moment ago."""
    address = address[:45] or found.address
    if found.last_seen_at <= at < found.last_seen_at + TOUCH_EVERY and address == found.address:
        return
    with transaction() as session:
        change = sa.update(WebSession).where(WebSession.id == found.session_id)
        session.execute(change.values(last_seen_at=at, address=address))


def end_session(found: SignedIn, at: datetime) -> None:
    """Sign out here."""
    with transaction():
        end_where(WebSession.id == found.session_id, reason="keluar", at=at)
        audit.record("sign-out", f"account:{found.actor.account_id}", by=found.actor, at=at)


def end_other_sessions(found: SignedIn, at: datetime) -> int:
    """Sign out everywhere else; how many sessions that ended."""
    others = sa.and_(WebSession.account_id == found.actor.account_id, WebSession.id != found.session_id)
    with transaction():
        ended = end_where(others, reason="keluar-semua", at=at)
        audit.record("sign-out-others", f"account:{found.actor.account_id}", by=found.actor, at=at, detail={"ended": ended})
    return ended


def list_sessions(found: SignedIn, at: datetime, limits: SessionLimits) -> tuple[SessionLine, ...]:
    """Where this person is signed in now, the latest first."""
    mine = sa.select(WebSession).where(WebSession.account_id == found.actor.account_id, WebSession.ended_at.is_(None))
    rows = db.session.scalars(mine.order_by(WebSession.last_seen_at.desc()))
    return tuple(
        SessionLine(row.id, row.device, row.created_at, row.last_seen_at, row.id == found.session_id, row.address)
        for row in rows
        if row.alive(at, limits.idle, limits.longest)
    )
