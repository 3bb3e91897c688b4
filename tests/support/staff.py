"""The people of an office in Bantaeng for tests: accounts in the database and, for each, the actor she acts as."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy.orm import Session

from appliance.access import Actor
from appliance.casework.catalogue import unit_id
from appliance.database import transaction
from appliance.models.account import Account, Assignment
from appliance.models.roles import Role

AT = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)  # a Friday, 10.00 WITA
HOME = "73.03.01.1001"
NEIGHBOUR = "73.03.01.1002"
FAR = "73.03.06.2001"


@dataclass(frozen=True)
class Staff:
    """`stranger` serves another district; `neighbour` another village of the same subdistrict."""

    fo: Actor
    bo: Actor
    supervisor: Actor
    manager: Actor
    facilitator: Actor
    neighbour: Actor
    dinkes: Actor
    disdik: Actor
    leader: Actor
    admin: Actor
    stranger: Actor


def hire() -> Staff:
    """Store the accounts, all in one transaction, and return the actors."""
    everywhere = ("73.03",)
    with transaction() as session:
        return Staff(
            fo=_hired(session, "fo.sari", Role.FO, everywhere),
            bo=_hired(session, "bo.andi", Role.BO, everywhere),
            supervisor=_hired(session, "supervisor.rahma", Role.SUPERVISOR, everywhere),
            manager=_hired(session, "manajer.hasan", Role.MANAJER, everywhere),
            facilitator=_hired(session, "fasilitator.nur", Role.FASILITATOR, (HOME,)),
            neighbour=_hired(session, "fasilitator.lain", Role.FASILITATOR, (NEIGHBOUR,)),
            dinkes=_hired(session, "opd.dinkes", Role.OPD, (), unit_id("dinkes")),
            disdik=_hired(session, "opd.disdik", Role.OPD, (), unit_id("disdik")),
            leader=_hired(session, "pimpinan.bupati", Role.PIMPINAN, everywhere),
            admin=_hired(session, "admin.it", Role.ADMIN, everywhere),
            stranger=_hired(session, "fo.asing", Role.FO, ("51.71",)),
        )


def hire_one(username: str, role: Role, areas: tuple[str, ...], unit: str | None = None) -> Actor:
    """Store one more account; the actor."""
    with transaction() as session:
        return _hired(session, username, role, areas, unit)


def _hired(session: Session, username: str, role: Role, areas: tuple[str, ...], unit: str | None = None) -> Actor:
    name = username.partition(".")[2].title()
    account = Account(username=username, name=name, password_hash="!", password_changed_at=AT)
    account.stamp("system", AT)
    session.add(account)
    session.flush()
    return Actor(account.id, name, username, frozenset({role}), areas, unit, "test")


def employ(*actors: Actor, ends: date | None = None) -> None:
    """Store the assignments that give the actors what they have, until `ends`: for what asks who serves a village."""
    with transaction() as session:
        for actor in actors:
            for grant in actor.grants:
                row = Assignment(
                    account_id=actor.account_id,
                    role=grant.role.value,
                    unit_id=grant.unit_id,
                    area_codes=list(grant.areas),
                    starts=AT.date() - timedelta(days=30),
                    ends=ends,
                )
                row.stamp("system", AT)
                session.add(row)
