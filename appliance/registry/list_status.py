"""What the national lists say about a person or family: copied by hand, with the day and the source, never computed here.

Each look is a row of its own; the newest one counts, the older ones stay.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from appliance import audit
from appliance.access import Actor
from appliance.database import db
from appliance.models.profile import Listed, ListStatus, NationalList
from appliance.registry.holders import (
    Holder,
    Household,
    belongs_to,
    holder_for,
    office_day,
    require_recorder,
    stored_once,
    subject_of,
    too_long,
)
from appliance.registry.programmes import HIGHEST_DECILE, refuse

LISTED = {Listed.YES.value: "Terdaftar", Listed.NO.value: "Tidak terdaftar", Listed.UNCHECKED.value: "Belum dicek"}
EARLIEST = date(2005, 1, 1)
# How many looks a page reads; a family that was looked up more often has them in its history all the same.
MOST_SHOWN = 60


@dataclass(frozen=True)
class NewStatus:
    """What one look showed. `period` is that of the list ("2026-T3"), `outside_id` its own number for the family or person."""

    list_id: str
    listed: str
    checked_on: date | None
    family: bool = True
    outside_id: str = ""
    decile: int | None = None
    period: str = ""
    evidence: str = ""


def note_status(person_id: str, new: NewStatus, *, request_id: str, by: Actor, at: datetime) -> str:
    """Append what was seen; the identifier. The same `request_id` again gives the same one.

    Raises InvalidInput with all problems, NotFound, NotAllowed.
    """

    def store() -> str:
        return add_status(holder_for(person_id, family=new.family, by=by), new, request_id=request_id, by=by, at=at)

    return stored_once(ListStatus, request_id, by, store)


def add_status(holder: Holder, new: NewStatus, *, request_id: str, by: Actor, at: datetime) -> str:
    """The same for a service that stores it in its own transaction. Raises InvalidInput, NotAllowed."""
    require_recorder(by, holder)
    source = db.session.get(NationalList, new.list_id)
    refuse(_problems(new, source, at))
    row = ListStatus(
        request_id=request_id,
        person_id=holder.person_id,
        family_id=holder.family_id,
        list_id=new.list_id,
        listed=new.listed,
        outside_id=new.outside_id.strip(),
        decile=new.decile,
        period=new.period.strip(),
        checked_on=new.checked_on,
        checked_by=by.name,
        evidence=new.evidence.strip(),
        stored_at=at,
        stored_by=by.account_id,
    )
    db.session.add(row)
    db.session.flush()
    detail = {"daftar": source.code if source else "", "terdaftar": new.listed}
    audit.record("status_data", subject_of(holder), by=by, at=at, detail=detail)
    return row.id


def statuses_of(household: Household) -> list[ListStatus]:
    """What was seen of the family and its members, the newest first; what was withdrawn since comes last."""
    statement = sa.select(ListStatus).where(belongs_to(ListStatus, household))
    order = (ListStatus.withdrawn_at.is_not(None), ListStatus.checked_on.desc(), ListStatus.id.desc())
    return list(db.session.scalars(statement.order_by(*order).limit(MOST_SHOWN)))


def newest_of_each(rows: list[ListStatus]) -> list[ListStatus]:
    """Of rows with the newest first: the newest of each list and holder that counts."""
    newest: dict[tuple[str, str], ListStatus] = {}
    for row in rows:
        if row.withdrawn_at is None:
            newest.setdefault((row.list_id, row.person_id or ""), row)
    return list(newest.values())


def newest_decile(rows: list[ListStatus], person_id: str | None) -> int | None:
    """Of a household's rows with the newest first: the newest desil that holds for a person, or without one for the family.

    A desil is that of a family: what was seen of the family holds for each member, what was seen of a member for the family.
    """
    counting = (row for row in rows if row.withdrawn_at is None)
    fitting = (row.decile for row in counting if person_id is None or row.person_id in (None, person_id))
    return next((decile for decile in fitting if decile is not None), None)


def _problems(new: NewStatus, source: NationalList | None, at: datetime) -> dict[str, str]:
    problems = too_long(new, {"outside_id": 40, "period": 40, "evidence": 300})
    if source is None:
        problems["list_id"] = "Pilih daftar yang dilihat."
    if new.listed not in set(Listed):
        problems["listed"] = "Pilih terdaftar, tidak terdaftar, atau belum dicek."
    if new.decile is not None and not 1 <= new.decile <= HIGHEST_DECILE:
        problems["decile"] = "Desil antara 1 dan 10, seperti yang tertulis di daftar."
    elif new.decile is not None and (new.listed != Listed.YES or (source and not source.has_decile)):
        problems["decile"] = "Desil hanya diisi bila terdaftar, dan daftar itu menampilkan desil."
    if new.checked_on is None or not EARLIEST <= new.checked_on <= office_day(at):
        problems["checked_on"] = "Isi tanggal dilihat, paling lambat hari ini."
    return problems
