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


@dataclass(frozen=True)
class Person:
    """Who is hired, and as what."""

    username: str
    role: Role
    areas: tuple[str, ...]
    unit: str | None = None

    @property
    def name(self) -> str:
        return self.username.partition(".")[2].title()


def hire() -> Staff:
    """Store the accounts, all in one transaction and with one statement, and return the actors."""
    everywhere = ("73.03",)
    with transaction() as session:
        people = {
            "fo": Person("fo.sari", Role.FO, everywhere),
            "bo": Person("bo.andi", Role.BO, everywhere),
            "supervisor": Person("supervisor.rahma", Role.SUPERVISOR, everywhere),
            "manager": Person("manajer.hasan", Role.MANAJER, everywhere),
            "facilitator": Person("fasilitator.nur", Role.FASILITATOR, (HOME,)),
            "neighbour": Person("fasilitator.lain", Role.FASILITATOR, (NEIGHBOUR,)),
            "dinkes": Person("opd.dinkes", Role.OPD, (), unit_id("dinkes")),
            "disdik": Person("opd.disdik", Role.OPD, (), unit_id("disdik")),
            "leader": Person("pimpinan.bupati", Role.PIMPINAN, everywhere),
            "admin": Person("admin.it", Role.ADMIN, everywhere),
            "stranger": Person("fo.asing", Role.FO, ("51.71",)),
        }
        return Staff(**dict(zip(people, _hired(session, *people.values()), strict=True)))


def hire_one(username: str, role: Role, areas: tuple[str, ...], unit: str | None = None) -> Actor:
    """Store one more account; the actor."""
    with transaction() as session:
        (actor,) = _hired(session, Person(username, role, areas, unit))
        return actor


def _hired(session: Session, *people: Person) -> list[Actor]:
    accounts = [Account(username=one.username, name=one.name, password_hash="!", password_changed_at=AT) for one in people]
    for account in accounts:
        account.stamp("system", AT)
    session.add_all(accounts)
    session.flush()
    return [
        Actor(account.id, one.name, one.username, frozenset({one.role}), one.areas, one.unit, "test")
        for account, one in zip(accounts, people, strict=True)
    ]


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
