"""Undoing a merge, for thirty days, and looking at one.

Both records become what they were. What somebody changed after the merge is worth more than the undoing: it stays as it is, and
the page says so. Refused is the undoing of what is too old, undone already, or part of a later merge that must be undone first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from appliance import audit
from appliance.access import DECIDER_ROLES, Actor, require
from appliance.database import Model, db, settings_in_use, transaction
from appliance.errors import Conflict, NotFound
from appliance.models.duplicate import DuplicateCandidate, OldIdentifier, PairState, PersonMerge
from appliance.models.person import Family, LifeKind, Person, PersonHealth
from appliance.registry.duplicates import checked_reason, decide, name_of_account
from appliance.registry.merge_rules import CHOICES, GONE, as_column, as_stored
from appliance.registry.merging import health_of, locked, move, tell
from appliance.registry.people_search import PersonLine, lines_of
from appliance.registry.search_index import forget_person, index_person

UNDOABLE = timedelta(days=30)
NUMBER_TAKEN = "NIK-nya kini dipakai warga lain."


@dataclass(frozen=True)
class MergeDetail:
    """One merge as the page shows it. `moved` counts rows; `kept` is what its undoing left as it was."""

    id: str
    survivor: PersonLine
    merged: PersonLine
    reason: str
    at: datetime
    by: str
    until: datetime
    moved: int
    undone_at: datetime | None
    undone_by: str
    undo_reason: str
    kept: tuple[str, ...]

    def is_undoable(self, at: datetime) -> bool:
        """Whether there is still time, and it was not undone."""
        return self.undone_at is None and at <= self.until


def look_at_merge(merge_id: str, *, by: Actor, at: datetime) -> MergeDetail:
    """One merge for whoever decides about duplicates there; a look at both records. Raises NotFound, NotAllowed."""
    require(by, *DECIDER_ROLES)
    with transaction():
        entry = _merge_in_scope(merge_id, by)
        detail = _detail(entry, at)
        for person_id in (entry.survivor_id, entry.merged_id):
            audit.record("lihat", f"person:{person_id}", by=by, at=at, detail={"penggabungan": entry.id})
        return detail


def merges_of(person_id: str, *, by: Actor, at: datetime) -> tuple[MergeDetail, ...]:
    """What was merged into her and not undone, the newest first; nothing for whoever does not decide about duplicates."""
    if not by.has(*DECIDER_ROLES):
        return ()
    statement = sa.select(PersonMerge).where(PersonMerge.survivor_id == person_id, PersonMerge.undone_at.is_(None))
    return tuple(_detail(entry, at) for entry in db.session.scalars(statement.order_by(PersonMerge.merged_at.desc())))


def undo(merge_id: str, reason: str, *, by: Actor, at: datetime) -> tuple[str, ...]:
    """Undo a merge; sentences about what was left because it was changed since.

    Raises NotFound, NotAllowed, InvalidInput, and Conflict when it is too late, undone, or one of a later merge.
    """
    require(by, *DECIDER_ROLES)
    with transaction():
        entry = _merge_in_scope(merge_id, by)
        people = locked(sorted([entry.survivor_id, entry.merged_id]), by)
        db.session.refresh(entry)  # on PostgreSQL somebody may have been faster while this one waited for the rows
        _refuse(entry, people[entry.survivor_id], at)
        reason = checked_reason(reason)
        kept = tuple(_restore(entry, people[entry.survivor_id], people[entry.merged_id], by, at))
        entry.undone_at, entry.undone_by, entry.undo_reason, entry.undo_kept = at, by.account_id, reason, list(kept)
        pair = db.session.get_one(DuplicateCandidate, entry.pair_id)
        decide(pair, PairState.OPEN, f"Penggabungan dibatalkan: {reason}"[:300], by=by, at=at)
        tell(entry, LifeKind.UNMERGED, reason, by, at)
        audit.record(
            "batal_gabung", f"person:{entry.survivor_id}", by=by, at=at, detail={"dipisahkan": entry.merged_id, "sisa": len(kept)}
        )
        return kept


def _merge_in_scope(merge_id: str, by: Actor) -> PersonMerge:
    entry = db.session.get(PersonMerge, merge_id)
    if entry is not None:
        villages = db.session.scalars(sa.select(Person.village_code).where(Person.id.in_([entry.survivor_id, entry.merged_id])))
        if all(by.has_in(village, *DECIDER_ROLES) for village in villages):
            return entry
    raise NotFound("Penggabungan itu tidak ditemukan.", "Kembali ke daftar data ganda.")


def _refuse(entry: PersonMerge, survivor: Person, at: datetime) -> None:
    if entry.undone_at:
        raise Conflict("Penggabungan ini sudah dibatalkan.", "Muat ulang halaman.")
    last = entry.merged_at + UNDOABLE
    if at > last:
        day = last.astimezone(settings_in_use().zone).strftime("%d-%m-%Y")
        raise Conflict(
            f"Penggabungan ini hanya dapat dibatalkan sampai {day}.",
            "Bila memang dua orang, daftarkan orang yang kedua sebagai warga baru.",
        )
    if survivor.merged_into_id:
        raise Conflict(
            "Data ini sesudah itu digabungkan lagi ke data lain.", "Batalkan dahulu penggabungan yang terakhir, lalu yang ini."
        )


def _restore(entry: PersonMerge, survivor: Person, merged: Person, by: Actor, at: datetime) -> Iterator[str]:
    """Put everything back; sentences about what stays."""
    db.session.execute(sa.delete(OldIdentifier).where(OldIdentifier.merge_id == entry.id))
    yield from _restore_rows(entry, survivor)
    forget_person(survivor)
    yield from _restore_values(entry, "survivor", survivor)
    survivor.stamp(by.account_id, at)
    db.session.flush()
    merged.merged_into_id = None
    yield from _restore_values(entry, "merged", merged)
    merged.stamp(by.account_id, at)
    index_person(survivor)
    yield from _restore_families(entry, by, at)
    yield from _restore_health(entry, by, at)
    db.session.flush()


def _restore_rows(entry: PersonMerge, survivor: Person) -> Iterator[str]:
    """Before the values: a survivor who goes back to her former family still points at the one that got the rows."""
    ended = next(
        (part.partition(":")[2] for part, values in entry.after.items() if values.get("status") == GONE and ":" in part), ""
    )
    family_id = entry.after["survivor"].get("family_id", survivor.family_id)
    for name, ids in entry.moved.items():
        table, _, key = name.partition(".")
        column = Model.metadata.tables[table].c[key]
        to_person = any(foreign.column.table.name == "person" for foreign in column.foreign_keys)
        back = move(column, entry.survivor_id, entry.merged_id, ids) if to_person else move(column, family_id, ended, ids)
        if len(back) < len(ids):
            yield f"{len(ids) - len(back)} catatan ({table}) sudah diubah atau dihapus sejak penggabungan."


def _restore_values(entry: PersonMerge, part: str, person: Person) -> Iterator[str]:
    before, after = entry.before[part], entry.after[part]
    for choice in CHOICES:
        columns = [column for column in choice.columns if column in before]
        if any(as_stored(getattr(person, column)) != after[column] for column in columns):
            yield f"{choice.label} {person.name} sudah diubah sejak penggabungan dan tetap seperti sekarang."
            continue
        if "nik" in columns and before["nik"] and _is_taken(before["nik"], person):
            person.nik_reason = NUMBER_TAKEN
            yield f"NIK lama {person.name} kini dipakai warga lain dan tidak dikembalikan."
            continue
        for column in columns:
            setattr(person, column, as_column(column, before[column]))


def _is_taken(number: str, person: Person) -> bool:
    holder = sa.select(Person.id).where(Person.nik == number, Person.id != person.id)
    return db.session.scalar(holder) is not None


def _restore_families(entry: PersonMerge, by: Actor, at: datetime) -> Iterator[str]:
    for part, before in entry.before.items():
        if not before or not part.startswith("family:"):
            continue
        family = db.session.get_one(Family, part.partition(":")[2])
        if any(getattr(family, key) != value for key, value in entry.after[part].items()):
            yield "Susunan keluarga sudah diubah sejak penggabungan dan tetap seperti sekarang."
            continue
        taken = before.get("kk") and db.session.scalar(sa.select(Family.id).where(Family.kk == before["kk"]))
        if taken:
            yield "Nomor KK lama keluarga ini kini dipakai keluarga lain dan tidak dikembalikan."
        for key in before.keys() - ({"kk"} if taken else set()):
            setattr(family, key, before[key])
        family.stamp(by.account_id, at)


def _restore_health(entry: PersonMerge, by: Actor, at: datetime) -> Iterator[str]:
    before, after = entry.before["health"], entry.after["health"]
    if not before:
        return
    health = health_of(entry.survivor_id)
    if health is None or any(getattr(health, key) != value for key, value in after.items()):
        yield "Data kesehatan sudah diubah sejak penggabungan dan tetap seperti sekarang."
    elif before.get("pregnant", False) is None:  # there was no row: none of its columns may be empty
        db.session.execute(sa.delete(PersonHealth).where(PersonHealth.id == health.id))
    else:
        for key, value in before.items():
            setattr(health, key, value)
        health.stamp(by.account_id, at)


def _detail(entry: PersonMerge, at: datetime) -> MergeDetail:
    statement = sa.select(Person).where(Person.id.in_([entry.survivor_id, entry.merged_id])).options(joinedload(Person.family))
    lines: dict[str, Any] = {line.id: line for line in lines_of(db.session.scalars(statement), at)}
    return MergeDetail(
        id=entry.id,
        survivor=lines[entry.survivor_id],
        merged=lines[entry.merged_id],
        reason=entry.reason,
        at=entry.merged_at,
        by=name_of_account(entry.merged_by),
        until=entry.merged_at + UNDOABLE,
        moved=sum(len(ids) for ids in entry.moved.values()),
        undone_at=entry.undone_at,
        undone_by=name_of_account(entry.undone_by),
        undo_reason=entry.undo_reason,
        kept=tuple(entry.undo_kept),
    )
