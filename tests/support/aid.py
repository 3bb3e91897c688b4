"""Short ways to programmes and participations that a test needs to be there already."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from appliance.access import Actor
from appliance.database import db
from appliance.models.programme import Programme
from appliance.registry import list_status, needs, participation, profile
from appliance.registry.holders import office_day
from appliance.registry.national_lists import national_lists
from appliance.registry.rules import list_rules
from tests.support.desk import request
from tests.support.staff import AT


def programme(code: str) -> str:
    """The identifier of a seeded programme."""
    return db.session.scalars(sa.select(Programme.id).where(Programme.code == code)).one()


def take_part(person: str, code: str, by: Actor, **changes: Any) -> str:
    """Record that somebody is in a programme, known from her card today; the identifier."""
    known = {"status": "aktif", "source": "kartu", "known_on": office_day(AT), **changes}
    new = participation.NewParticipation(programme(code), **known)
    return participation.record_participation(person, new, request_id=request(), by=by, at=AT)


def pay(row: str, by: Actor, amount: int = 600_000, **changes: Any) -> str:
    """A payment today; its identifier."""
    new = participation.NewPayment(**{"paid_on": office_day(AT), "form": "rekening", "amount": amount, **changes})
    return participation.record_payment(row, new, request_id=request(), by=by, at=AT)


def need(person: str, by: Actor, **changes: Any) -> str:
    """A need noted today; its identifier."""
    new = needs.NewNeed(
        **{"reason": "Atap bocor", "priority": "tinggi", "noted_on": office_day(AT), "sector": "perumahan", **changes}
    )
    return needs.note_need(person, new, request_id=request(), by=by, at=AT)


def dtsen() -> str:
    """The identifier of the national list that is used now."""
    return next(found.id for found in national_lists() if found.code == "dtsen")


def seen(person: str, by: Actor, **changes: Any) -> str:
    """A look into DTSEN today, about the person herself; its identifier."""
    known = {"list_id": dtsen(), "listed": "ya", "checked_on": office_day(AT), "family": False, **changes}
    return list_status.note_status(person, list_status.NewStatus(**known), request_id=request(), by=by, at=AT)


def survey(person: str, by: Actor, blank: str = "regsosek-2022k-anggota", **changes: Any) -> str:
    """A filled blank; its identifier."""
    known = {"instrument": blank, "version": 1, "surveyed_on": office_day(AT), "answers": {"404": ["1"]}, **changes}
    return profile.store_profile(person, profile.NewProfile(**known), request_id=request(), by=by, at=AT)


def everything_about(person: str, by: Actor) -> dict[str, str]:
    """One of each about a person, by the names that addresses have for them."""
    row = take_part(person, "pkh", by)
    return {
        "programme_id": programme("pkh"),
        "participation_id": row,
        "payment_id": pay(row, by),
        "need_id": need(person, by),
        "list_id": dtsen(),
        "rule_id": list_rules(by=by)[0].id,
        "instrument": "regsosek-2022k-anggota",
        "profile_id": survey(person, by),
        "status_id": seen(person, by),
    }
