"""Who else has the page of a case open. A look counts for a while after the page was last heard of, then it is forgotten."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from appliance.access import Actor, scope
from appliance.casework.moving import case_not_found
from appliance.database import db, table_of, transaction
from appliance.models.account import Account
from appliance.models.case import Case
from appliance.models.deadline import CaseLook

BELIEVED = timedelta(seconds=90)


@dataclass(frozen=True)
class Onlooker:
    """Somebody else at the same case, and since when."""

    name: str
    since: datetime


def keep_looking(case_id: str, *, by: Actor, at: datetime) -> tuple[Onlooker, ...]:
    """Note that `by` still has the page open, and tell who else has. Raises NotFound."""
    with transaction():
        if db.session.scalar(scope(sa.select(Case.id).where(Case.id == case_id), Case, by)) is None:
            raise case_not_found()
        note_look(case_id, by, at)
        return others_at(case_id, by, at)


def note_look(case_id: str, by: Actor, at: datetime) -> None:
    """Inside a transaction: she looks at the case now. Old looks at it, hers too, are forgotten first."""
    db.session.execute(sa.delete(CaseLook).where(CaseLook.case_id == case_id, CaseLook.expires_at <= at))
    dialect = postgresql if db.session.connection().dialect.name == "postgresql" else sqlite
    row = {"case_id": case_id, "account_id": by.account_id, "since": at, "expires_at": at + BELIEVED}
    insert = dialect.insert(table_of(CaseLook)).values(row)
    db.session.execute(insert.on_conflict_do_update(index_elements=["case_id", "account_id"], set_={"expires_at": at + BELIEVED}))


def others_at(case_id: str, by: Actor, at: datetime) -> tuple[Onlooker, ...]:
    """Who else looks at the case, the first of them first."""
    looks = (
        sa.select(Account.name, CaseLook.since)
        .join(CaseLook, CaseLook.account_id == Account.id)
        .where(CaseLook.case_id == case_id, CaseLook.account_id != by.account_id, CaseLook.expires_at > at)
        .order_by(CaseLook.since, Account.name)
    )
    return tuple(Onlooker(name, since) for name, since in db.session.execute(looks))
