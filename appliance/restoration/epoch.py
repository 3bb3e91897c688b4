"""Which life of its data this node is in, and what a reader should know of the last restore."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import sqlalchemy as sa

from appliance.access import Actor
from appliance.database import db
from appliance.models.audit import AuditEntry
from appliance.models.case import Case
from appliance.models.restoration import Restoration
from appliance.models.roles import Role

TOLD = timedelta(days=14)
MOST_COUNTED = 1000
OVERSEERS = frozenset({Role.ADMIN, Role.MANAJER, Role.SUPERVISOR, Role.PIMPINAN})


@dataclass(frozen=True)
class Epoch:
    """`number` rises with each restore; `mark` is another one in each restore that ever was, also on another machine."""

    number: int
    mark: str

    def __str__(self) -> str:
        return f"{self.number}-{self.mark}" if self.number else "0"


@dataclass(frozen=True)
class ShutOut:
    """Whom a restore kept out. User names: switched off again, and whose replaced password was kept. `ended` are the assignments that
    stay ended, each with its user name. `no_admin`: nobody is left who can sign in as one."""

    switched_off: tuple[str, ...] = ()
    renewed: tuple[str, ...] = ()
    no_admin: bool = False
    ended: tuple[str, ...] = ()


@dataclass(frozen=True)
class Told:
    """One restore as a reader sees it: what she may have to do again, and for who oversees, what all may have to.

    `mine` are the numbers of the cases in which she did something that is gone, `facts` how many things that were.
    """

    epoch: int
    restored_at: datetime
    taken_at: datetime
    run: int | None
    by_name: str
    reason: str
    exact: bool
    facts: int
    mine: tuple[str, ...]
    facts_of_all: int
    cases: tuple[str, ...]
    letters: tuple[str, ...]
    numbers: Mapping[str, tuple[int, int]]
    shut_out: ShutOut = field(default_factory=ShutOut)


@dataclass(frozen=True)
class Newest:
    """The newest restore: the epoch since then, the state that came back and when; None before the first one."""

    epoch: Epoch
    taken_at: datetime | None
    restored_at: datetime | None

    def told_at(self, at: datetime) -> datetime | None:
        """The state to which the data were brought back, as long as everybody should still be told of it."""
        fresh = self.restored_at is not None and at - self.restored_at < TOLD
        return self.taken_at if fresh else None


@dataclass(frozen=True)
class Since:
    """What would be forgotten: cases opened and acts on cases after some moment, each counted to `MOST_COUNTED`."""

    cases: int
    acts: int


def newest() -> Newest:
    """The newest restore of these data. Needs an app context."""
    columns = (Restoration.epoch, Restoration.id, Restoration.taken_at, Restoration.restored_at)
    found = db.session.execute(sa.select(*columns).order_by(Restoration.epoch.desc()).limit(1)).first()
    if found is None:
        return Newest(Epoch(0, ""), None, None)
    return Newest(Epoch(found.epoch, found.id[-8:]), found.taken_at, found.restored_at)


def work_since(at: datetime) -> Since:
    """How much was done since, for whoever is about to bring back the state of then."""
    acts = sa.select(AuditEntry.subject).where(AuditEntry.action == "kasus", AuditEntry.position > _position_at(at))
    counted = acts.limit(MOST_COUNTED).subquery()
    opened = sa.select(Case.id).where(Case.created_at > at).limit(MOST_COUNTED).subquery()
    return Since(*(db.session.scalar(sa.select(sa.func.count()).select_from(found)) or 0 for found in (opened, counted)))


def _position_at(at: datetime) -> int:
    """The last entry of the journal before a moment; found from its end."""
    newest_first = sa.select(AuditEntry.position).order_by(AuditEntry.position.desc())
    return db.session.scalar(newest_first.where(AuditEntry.at <= at).limit(1)) or 0


def list_restorations(*, by: Actor) -> tuple[Told, ...]:
    """All restores, the newest first, each as `by` may see it: the work of others only for who oversees."""
    rows = db.session.scalars(sa.select(Restoration).order_by(Restoration.epoch.desc()))
    return tuple(_told(row, by) for row in rows)


def _told(row: Restoration, by: Actor) -> Told:
    accounts = row.missed.get("accounts", {})
    mine, oversees = accounts.get(by.account_id, {}), by.has(*OVERSEERS)
    return Told(
        row.epoch,
        row.restored_at,
        row.taken_at,
        row.run,
        row.by_name,
        row.reason,
        row.exact,
        int(mine.get("facts", 0)),
        tuple(mine.get("cases", ())),
        sum(int(one["facts"]) for one in accounts.values()) if oversees else 0,
        tuple(row.missed.get("cases", ())) if oversees else (),
        tuple(row.missed.get("letters", ())) if oversees else (),
        {name: (first, last) for name, (first, last) in row.numbers.items()} if oversees else {},
        _shut_out(row) if oversees else ShutOut(),
    )


def shut_out_of_newest() -> ShutOut:
    """Who stayed shut out over the newest restore, for the terminal. Needs an app context."""
    row = db.session.scalar(sa.select(Restoration).order_by(Restoration.epoch.desc()).limit(1))
    return _shut_out(row) if row else ShutOut()


def _shut_out(row: Restoration) -> ShutOut:
    found = row.missed.get("shut_out", {})
    switched_off, renewed, ended = (tuple(found.get(name, ())) for name in ("switched_off", "renewed", "ended"))
    return ShutOut(switched_off, renewed, bool(found.get("no_admin")), ended)
