"""Which life of its data this node is in, and what a reader should know of the last restore."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from appliance.access import Actor
from appliance.database import db
from appliance.models.restoration import Restoration
from appliance.models.roles import Role

TOLD = timedelta(days=14)
OVERSEERS = frozenset({Role.ADMIN, Role.MANAJER, Role.SUPERVISOR, Role.PIMPINAN})


@dataclass(frozen=True)
class Epoch:
    """`number` rises with each restore; `mark` is another one in each restore that ever was, also on another machine."""

    number: int
    mark: str

    def __str__(self) -> str:
        return f"{self.number}-{self.mark}" if self.number else "0"


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


def current_epoch() -> Epoch:
    """The epoch of the data. Needs an app context."""
    newest = sa.select(Restoration.epoch, Restoration.id).order_by(Restoration.epoch.desc()).limit(1)
    found = db.session.execute(newest).first()
    return Epoch(found.epoch, found.id[-8:]) if found else Epoch(0, "")


def last_told(at: datetime) -> datetime | None:
    """The state to which the data were brought back, while people should still be told of it; None when there is nothing to tell."""
    newest = sa.select(Restoration.taken_at, Restoration.restored_at).order_by(Restoration.epoch.desc()).limit(1)
    found = db.session.execute(newest).first()
    return found.taken_at if found and at - found.restored_at < TOLD else None


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
    )
