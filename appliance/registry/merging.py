"""Two records of one person become one. Everything that pointed at the merged record points at the survivor afterwards.

What was before is kept beside the merge, so that `unmerging` can undo it. The merged row stays: its address leads to the
survivor, its numbers are found as old identifiers, and its NIK is free for whoever really has it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from appliance import audit
from appliance.access import DECIDER_ROLES, Actor, require, scope
from appliance.database import changed_meanwhile, db, transaction
from appliance.errors import Conflict, InvalidInput, NotFound
from appliance.models.columns import new_id
from appliance.models.duplicate import DuplicateCandidate, OldIdentifier, PairState, PersonMerge
from appliance.models.person import Family, LifeKind, NikStatus, Person, PersonHealth
from appliance.registry import life_events
from appliance.registry.duplicates import checked_reason, decide, pair_in_scope
from appliance.registry.merge_rules import CHOICE_NAMES, CHOICES, GONE, as_stored, links_to
from appliance.registry.search_index import forget_person, index_person

GONE_REASON = "Digabungkan ke data lain; NIK-nya tercatat sebagai nomor lama."
COLUMNS = tuple(column for choice in CHOICES for column in choice.columns)
FAMILY_PARTS = ("head_id", "status", "kk")
HEALTH = ("disabilities", "chronic_illnesses", "pregnant")


@dataclass(frozen=True)
class Wish:
    """Which of the two survives, the choices (names of `merge_rules.CHOICES`) that come from the other, and why they are one.

    `versions` are the `row_version` of both as they were seen, by identifier.
    """

    survivor_id: str
    from_merged: frozenset[str]
    reason: str
    versions: Mapping[str, int]


def merge(pair_id: str, wish: Wish, *, request_id: str, by: Actor, at: datetime) -> str:
    """Merge the two of a pair; the identifier of the merge. The same `request_id` again gives the same merge.

    Raises NotFound, NotAllowed, InvalidInput, and Conflict when one of the two was changed or merged meanwhile.
    """
    require(by, *DECIDER_ROLES)
    with transaction():
        pair = pair_in_scope(pair_id, by)
        survivor, merged = _both(pair, wish, by)
        done = sa.select(PersonMerge.id).where(PersonMerge.request_id == request_id, PersonMerge.merged_by == by.account_id)
        earlier = db.session.scalar(done)
        if earlier:
            return earlier
        reason = _checked(pair, survivor, merged, wish)
        return _merge(pair, survivor, merged, replace(wish, reason=reason), request_id=request_id, by=by, at=at)


def _both(pair: DuplicateCandidate, wish: Wish, by: Actor) -> tuple[Person, Person]:
    """The two rows, the survivor first, locked in the order of their identifiers until the transaction ends."""
    if wish.survivor_id not in (pair.first_id, pair.second_id):
        raise InvalidInput({"survivor": "Pilih data yang dipertahankan."})
    people = locked([pair.first_id, pair.second_id], by)
    merged_id = pair.second_id if wish.survivor_id == pair.first_id else pair.first_id
    return people[wish.survivor_id], people[merged_id]


def locked(person_ids: list[str], by: Actor) -> dict[str, Person]:
    """The rows of people about whom `by` decides, locked until the transaction ends. Raises NotFound unless all are there."""
    statement = scope(sa.select(Person).where(Person.id.in_(person_ids)), Person, by).order_by(Person.id)
    people = db.session.scalars(statement.with_for_update(of=Person), execution_options={"populate_existing": True})
    found = {person.id: person for person in people if by.has_in(person.village_code, *DECIDER_ROLES)}
    if len(found) < len(person_ids):
        raise NotFound("Data warga tidak ditemukan.", "Kembali ke daftar data ganda.")
    return found


def _checked(pair: DuplicateCandidate, survivor: Person, merged: Person, wish: Wish) -> str:
    """The reason, when nothing stands against the merge."""
    for person in (survivor, merged):
        if person.merged_into_id:
            raise Conflict(
                f"Data {person.name} sudah digabungkan ke data lain.", "Muat ulang halaman ini; lihat hasilnya di sana."
            )
    if {person.id: person.row_version for person in (survivor, merged)} != dict(wish.versions):
        raise changed_meanwhile()
    if pair.state in (PairState.DIFFERENT, PairState.MERGED):
        raise Conflict("Pasangan ini sudah diputuskan.", "Muat ulang halaman, lalu lihat keputusannya.")
    if not wish.from_merged <= CHOICE_NAMES:
        raise InvalidInput({"survivor": "Pilihan isian tidak dikenal; muat ulang halaman."})
    return checked_reason(wish.reason)


def _merge(  # noqa: PLR0913  the two, the wish, and the stamp
    pair: DuplicateCandidate, survivor: Person, merged: Person, wish: Wish, *, request_id: str, by: Actor, at: datetime
) -> str:
    families = _families(survivor, merged)
    before, numbers = snapshot(survivor, merged, families), _numbers(survivor, merged)
    _choose(survivor, merged, wish.from_merged, by, at)
    moved = _move_rows(survivor, merged) | _settle_families(families, survivor, merged, by, at)
    _complete_health(survivor, merged, by, at)
    after = snapshot(survivor, merged, families)
    entry = PersonMerge(
        id=new_id(), request_id=request_id, pair_id=pair.id, survivor_id=survivor.id, merged_id=merged.id, reason=wish.reason,
        before=_differing(before, after), after=_differing(after, before), moved=moved, merged_at=at, merged_by=by.account_id,
    )  # fmt: skip
    db.session.add(entry)
    db.session.flush()
    for number, kind in sorted(set(numbers) - set(_numbers(survivor))):
        db.session.add(OldIdentifier(number=number, kind=kind, person_id=survivor.id, merge_id=entry.id))
    _close_pairs(pair, merged, wish.reason, by, at)
    tell(entry, LifeKind.MERGED, wish.reason, by, at)
    detail = {"digabungkan": merged.id, "pasangan": pair.id, "pindah": {name: len(ids) for name, ids in moved.items()}}
    audit.record("gabung", f"person:{survivor.id}", by=by, at=at, detail=detail)
    return entry.id


def _families(survivor: Person, merged: Person) -> list[Family]:
    """The families that the merge may change."""
    found = {person.family.id: person.family for person in (survivor, merged) if person.family}
    return [found[family_id] for family_id in sorted(found)]


def snapshot(survivor: Person, merged: Person, families: list[Family]) -> dict[str, dict[str, Any]]:
    """The values that a merge changes: "survivor", "merged", "health" (of the survivor) and "family:…" → column → value."""
    health = health_of(survivor.id)
    return {
        "survivor": {column: as_stored(getattr(survivor, column)) for column in COLUMNS},
        "merged": {column: as_stored(getattr(merged, column)) for column in COLUMNS},
        "health": {column: getattr(health, column) if health else None for column in HEALTH},
        **{f"family:{family.id}": {name: getattr(family, name) for name in FAMILY_PARTS} for family in families},
    }


def _differing(of: dict[str, dict[str, Any]], other: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The values of one snapshot that the other has not."""
    return {part: {key: value for key, value in values.items() if value != other[part][key]} for part, values in of.items()}


def _numbers(*people: Person) -> list[tuple[str, str]]:
    """The NIK and card numbers on some records."""
    found = [(person.nik, "nik") for person in people] + [
        (person.family.kk if person.family else None, "kk") for person in people
    ]
    return [(number, kind) for number, kind in found if number]


def _choose(survivor: Person, merged: Person, from_merged: frozenset[str], by: Actor, at: datetime) -> None:
    """Take the chosen values over. The merged record lets go of its NIK first: two rows never hold the same."""
    taken = {
        column: getattr(merged, column) for choice in CHOICES if choice.name in from_merged for column in choice.columns
    }  # fmt: skip
    merged.nik, merged.nik_status, merged.nik_reason = None, NikStatus.NONE, GONE_REASON
    merged.status, merged.merged_into_id = GONE, survivor.id
    merged.stamp(by.account_id, at)
    db.session.flush()
    forget_person(survivor)
    for column, value in taken.items():
        setattr(survivor, column, value)
    survivor.stamp(by.account_id, at)
    db.session.flush()
    db.session.refresh(survivor, ["family"])
    index_person(survivor)


def _move_rows(survivor: Person, merged: Person) -> dict[str, list[str]]:
    return {
        str(column): ids
        for column in links_to("person")
        if (ids := move(column, merged.id, survivor.id))
    }  # fmt: skip


def move(column: sa.Column[Any], old: str, new: str, ids: list[str] | None = None) -> list[str]:
    """Let the rows that point at `old` (of `ids`, if given) point at `new`; their identifiers. For services.

    A row that `new` has already, as a unique constraint of the table sees it, stays where it is.
    """
    table = column.table
    wanted = sa.select(table.c.id).where(column == old, *(sa.not_(twin) for twin in _twins(column, new)))
    found = list(db.session.scalars(wanted if ids is None else wanted.where(table.c.id.in_(ids))))
    if found:
        db.session.execute(sa.update(table).where(table.c.id.in_(found)).values({column: new}))
    return found


def _twins(column: sa.Column[Any], new: str) -> Iterator[sa.ColumnElement[bool]]:
    """Whether `new` has the same row, for each unique constraint that `column` is a part of."""
    table = column.table
    for constraint in table.constraints if isinstance(table, sa.Table) else ():
        if isinstance(constraint, sa.UniqueConstraint) and column.name in constraint.columns:
            other = table.alias()
            same = (other.c[key.name] == key for key in constraint.columns if key.name != column.name)
            yield sa.exists().where(other.c[column.name] == new, *same)


def _settle_families(families: list[Family], survivor: Person, merged: Person, by: Actor, at: datetime) -> dict[str, list[str]]:
    """A family she stays in gets her as its head; one that nobody is left in gives what it has to hers, and ends. What moved."""
    moved: dict[str, list[str]] = {}
    for family in families:
        if family.id == survivor.family_id:
            family.head_id = survivor.id if family.head_id == merged.id else family.head_id
        elif survivor.family_id is not None and _is_empty(family):
            columns = {str(column): move(column, family.id, survivor.family_id) for column in links_to("family")}
            moved |= {column: ids for column, ids in columns.items() if ids}
            # Her card leads to the survivor's family (`cards`), and is free for whoever really has it.
            family.head_id, family.status, family.kk = None, GONE, None
        elif family.head_id in (merged.id, survivor.id):
            family.head_id = None
        if db.session.is_modified(family):
            family.stamp(by.account_id, at)
    return moved


def _is_empty(family: Family) -> bool:
    left = sa.select(Person.id).where(Person.family_id == family.id, Person.merged_into_id.is_(None)).limit(1)
    return db.session.scalar(left) is None


def health_of(person_id: str) -> PersonHealth | None:
    """What is known of her health. For services."""
    return db.session.scalar(sa.select(PersonHealth).where(PersonHealth.person_id == person_id))


def _complete_health(survivor: Person, merged: Person, by: Actor, at: datetime) -> None:
    """What was known of either is known of the one person; the merged record keeps its own row."""
    theirs = health_of(merged.id)
    if theirs is None:
        return
    hers = health_of(survivor.id)
    if hers is None:
        hers = PersonHealth(person_id=survivor.id, disabilities=[], chronic_illnesses=[], pregnant=False)
        db.session.add(hers)
    hers.disabilities = list(dict.fromkeys([*hers.disabilities, *theirs.disabilities]))
    hers.chronic_illnesses = list(dict.fromkeys([*hers.chronic_illnesses, *theirs.chronic_illnesses]))
    hers.pregnant = hers.pregnant or theirs.pregnant
    if db.session.is_modified(hers):
        hers.stamp(by.account_id, at)
    db.session.flush()


def _close_pairs(pair: DuplicateCandidate, merged: Person, reason: str, by: Actor, at: datetime) -> None:
    """This pair is decided; other open ones of the merged record lapse. The survivor is compared anew in the night."""
    decide(pair, PairState.MERGED, reason, by=by, at=at)
    of_merged = sa.or_(DuplicateCandidate.first_id == merged.id, DuplicateCandidate.second_id == merged.id)
    open_ones = sa.select(DuplicateCandidate).where(of_merged, DuplicateCandidate.state == PairState.OPEN)
    for other in db.session.scalars(open_ones):
        other.state = PairState.LAPSED
        other.stamp(by.account_id, at)


def tell(entry: PersonMerge, kind: LifeKind, reason: str, by: Actor, at: datetime) -> None:
    """Note it in the history of both. For services."""
    for person_id, other in ((entry.survivor_id, entry.merged_id), (entry.merged_id, entry.survivor_id)):
        detail = {"penggabungan": entry.id, "dengan": other, "alasan": reason}
        life_events.note(kind, person_id=person_id, detail=detail, by=by.account_id, at=at)
