"""What people need and do not have yet: a programme, or only a sector. Closed with an outcome, never deleted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from appliance import audit
from appliance.access import Actor
from appliance.database import db, transaction
from appliance.models.programme import Need, NeedOutcome, NeedPriority, Programme, Sector
from appliance.registry.holders import (
    Household,
    belongs_to,
    held_row,
    holder_for,
    office_day,
    require_recorder,
    require_version,
    stored_once,
    subject_of,
    too_long,
)
from appliance.registry.programmes import refuse

PRIORITIES = {NeedPriority.URGENT.value: "Mendesak", NeedPriority.HIGH.value: "Tinggi", NeedPriority.NORMAL.value: "Biasa"}
OUTCOMES = {NeedOutcome.FULFILLED.value: "Terpenuhi", NeedOutcome.DROPPED.value: "Tidak jadi diperlukan"}
LONGEST_REASON = 2000
MOST_SHOWN = 60


@dataclass(frozen=True)
class NewNeed:
    """What is typed. With a programme the sector is that of the programme."""

    reason: str
    priority: str
    noted_on: date | None
    programme_id: str = ""
    sector: str = ""
    family: bool = False


def note_need(person_id: str, new: NewNeed, *, request_id: str, by: Actor, at: datetime) -> str:
    """Store a need; its identifier. The same `request_id` again gives the same one.

    Raises InvalidInput with all problems, NotFound, NotAllowed.
    """

    def store() -> str:
        holder = holder_for(person_id, family=new.family, by=by)
        require_recorder(by, holder)
        programme = db.session.get(Programme, new.programme_id) if new.programme_id else None
        refuse(_problems(new, programme, at))
        need = Need(
            request_id=request_id,
            person_id=holder.person_id,
            family_id=holder.family_id,
            programme_id=programme.id if programme else None,
            sector=programme.sector if programme else new.sector,
            priority=new.priority,
            reason=new.reason.strip(),
            noted_on=new.noted_on,
        )
        need.stamp(by.account_id, at)
        db.session.add(need)
        db.session.flush()
        audit.record("kebutuhan", subject_of(holder), by=by, at=at, detail={"sektor": need.sector, "prioritas": need.priority})
        return need.id

    return stored_once(Need, request_id, by, store)


def close_need(need_id: str, outcome: str, note: str, *, row_version: int, by: Actor, at: datetime) -> None:
    """Say how it ended, today. Raises InvalidInput, NotFound, NotAllowed, Conflict."""
    with transaction():
        need, holder = held_row(Need, need_id, by)
        require_recorder(by, holder)
        require_version(need, row_version)
        problems = {}
        if outcome not in OUTCOMES:
            problems["outcome"] = "Pilih terpenuhi atau tidak jadi diperlukan."
        if len(note) > 300 or (outcome == NeedOutcome.DROPPED and not note.strip()):
            problems["outcome_note"] = "Tulis penjelasannya, paling banyak 300 huruf."
        refuse(problems)
        need.outcome, need.outcome_note, need.closed_on = outcome, note.strip(), office_day(at)
        need.stamp(by.account_id, at)
        audit.record("kebutuhan_tutup", subject_of(holder), by=by, at=at, detail={"sektor": need.sector, "hasil": outcome})


def needs_of(household: Household) -> list[Need]:
    """What the family and its members need or needed: the open ones first, each the newest first."""
    statement = sa.select(Need).where(belongs_to(Need, household))
    order = (Need.outcome != "", Need.noted_on.desc(), Need.id.desc())
    return list(db.session.scalars(statement.order_by(*order).limit(MOST_SHOWN)))


def _problems(new: NewNeed, programme: Programme | None, at: datetime) -> dict[str, str]:
    problems = too_long(new, {"reason": LONGEST_REASON})
    if not new.reason.strip():
        problems["reason"] = "Tulis mengapa ini diperlukan."
    if new.priority not in set(NeedPriority):
        problems["priority"] = "Pilih prioritas."
    if new.programme_id and programme is None:
        problems["programme_id"] = "Pilih program dari daftar."
    if programme is None and new.sector not in set(Sector):
        problems["sector"] = "Pilih program, atau sektor bila programnya belum diketahui."
    if new.noted_on is None or not date(2005, 1, 1) <= new.noted_on <= office_day(at):
        problems["noted_on"] = "Isi tanggal kebutuhan dicatat, paling lambat hari ini."
    return problems
