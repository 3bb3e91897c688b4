"""Pairs of people who may be one: asked about before somebody is registered, kept for the supervisor, and decided.

A pair stays when it is decided. "Bukan duplikat" holds until the identity of one of the two changes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from appliance import audit
from appliance.access import DECIDER_ROLES, REGISTRAR_ROLES, Actor, in_areas, require, require_area, scope, scope_of_one_side
from appliance.database import changed_meanwhile, db, one_of, transaction
from appliance.errors import Conflict, InvalidInput, NotFound
from appliance.models.account import Account
from appliance.models.duplicate import DuplicateCandidate, PairState, PersonMerge
from appliance.models.person import REASON_LENGTH, Person
from appliance.registry import merge_rules, nik, people
from appliance.registry.comparing import Row, side_by_side
from appliance.registry.likeness import Identity, Likeness, Reason
from appliance.registry.lookalikes import Lookalike, alike, find_lookalikes, identity_of, identity_of_new, to_compare
from appliance.registry.names import veiled
from appliance.registry.people import NewPerson
from appliance.registry.people_search import PersonLine, lines_of

PAGE_SIZE = 25
SHORTEST_REASON = 5


class LooksKnown(Conflict):
    """Somebody very like is registered; `people` are they, the likest first."""

    def __init__(self, people: tuple[Lookalike, ...]) -> None:
        super().__init__(
            "Mungkin warga ini sudah terdaftar.", "Bandingkan, lalu buka data yang ada atau tulis mengapa ini orang lain."
        )
        self.people = people


@dataclass(frozen=True)
class PairLine:
    """One pair in the list."""

    id: str
    first: PersonLine
    second: PersonLine
    score: int
    reasons: tuple[Reason, ...]
    state: PairState
    note: str


@dataclass(frozen=True)
class PairsFound:
    """A page of pairs, the likest first. `after` is where the next page begins; "" for the last."""

    pairs: tuple[PairLine, ...]
    after: str


@dataclass(frozen=True)
class HalfPair:
    """A pair with somebody outside the reader's areas: `other_name` is veiled."""

    mine: PersonLine
    other_name: str
    other_village: str
    score: int
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class HalfPairsFound:
    """A page of them, as `PairsFound`."""

    pairs: tuple[HalfPair, ...]
    after: str


@dataclass(frozen=True)
class PairDetail:
    """Both of a pair, field by field, with what the merge page proposes.

    `survivor_id` is the record to keep; `better` maps a field to the identifier of the record that knows it better. `versions`
    are those of both records. A decided pair says who decided it, when and why; `merge_id` leads to its merge.
    """

    line: PairLine
    rows: tuple[Row, ...]
    survivor_id: str
    better: Mapping[str, str]
    versions: Mapping[str, int]
    row_version: int
    registered_by: str
    decided_by: str
    decided_at: datetime | None
    reason: str
    merge_id: str


def register(new: NewPerson, *, despite: str = "", request_id: str, by: Actor, at: datetime) -> str:
    """Register a resident unless she is known already; her identifier.

    `despite` is why she is another person than the ones that were shown; it is kept with each pair, for the supervisor. Raises
    LooksKnown without a reason that says something, and whatever `people.register_person` raises.
    """
    require(by, *REGISTRAR_ROLES)
    known = people.registered(request_id, by=by)
    if known:
        return known
    despite = nik.mask_within(" ".join(despite.split()))[:REASON_LENGTH]
    if len(despite) < SHORTEST_REASON:
        require_area(by, new.village_code, *REGISTRAR_ROLES)
        _ask_first(new, by, at)
    return people.register_person(
        new, request_id=request_id, by=by, at=at, then=lambda person: _keep_pairs(person, new, despite, by, at)
    )


def _ask_first(new: NewPerson, by: Actor, at: datetime) -> None:
    """Raises LooksKnown when somebody may be the same. Who was shown is written to the journal."""
    found = find_lookalikes(new, by=by, at=at)
    if not found:
        return
    with transaction():
        shown = [one.line.id for one in found]
        audit.record("lihat_mirip", f"person:{shown[0]}", by=by, at=at, detail={"warga": shown})
    raise LooksKnown(found)


def _keep_pairs(person: Person, new: NewPerson, despite: str, by: Actor, at: datetime) -> None:
    """What the officer was sure of is for the supervisor to confirm."""
    if len(despite) < SHORTEST_REASON:
        return
    me = identity_of_new(new)
    found = [(other, likeness) for other, likeness in alike(me, by) if other != person.id]
    known = identities([other for other, _ in found])
    for other, likeness in found:
        store_pair((person.id, me), (other, known[other]), likeness, by=by.account_id, at=at, note=despite)


def identities(person_ids: Iterable[str]) -> dict[str, Identity]:
    """The identities of some people who were not merged away. For services."""
    rows = db.session.execute(to_compare().where(Person.id.in_(list(person_ids))))
    return {row.id: identity_of(row) for row in rows}


def store_pair(
    one: tuple[str, Identity],
    other: tuple[str, Identity],
    likeness: Likeness,
    *,
    by: str,
    at: datetime,
    note: str = "",
) -> bool:
    """Keep a pair inside the running transaction, or open it again. False for one that was decided and has not changed since."""
    (first_id, first), (second_id, second) = sorted((one, other), key=lambda side: side[0])
    mark = fingerprint(first, second)
    pair = db.session.scalar(
        sa.select(DuplicateCandidate).where(DuplicateCandidate.first_id == first_id, DuplicateCandidate.second_id == second_id)
    )
    if pair is None:
        pair = DuplicateCandidate(first_id=first_id, second_id=second_id, note=note)
        db.session.add(pair)
    elif pair.state == PairState.MERGED or (pair.state == PairState.DIFFERENT and pair.identity == mark):
        return False
    seen = (pair.state, pair.identity, pair.score, pair.reasons, pair.note)
    reasons = [reason.value for reason in likeness.reasons]
    pair.village_code, pair.other_village_code = first.village_code, second.village_code
    pair.state, pair.identity, pair.score, pair.reasons, pair.note = (
        PairState.OPEN,
        mark,
        likeness.score,
        reasons,
        note or pair.note,
    )
    if seen != (pair.state, pair.identity, pair.score, pair.reasons, pair.note):
        pair.stamp(by, at)
    return True


def fingerprint(first: Identity, second: Identity) -> str:
    """Changes whenever something changes by which people are told apart."""
    return hashlib.sha256(repr((first, second)).encode()).hexdigest()


def list_pairs(*, by: Actor, at: datetime, area_code: str = "", after: str = "", size: int = PAGE_SIZE) -> PairsFound:
    """Open pairs in the scope of `by`, the likest first; `area_code` (a village or subdistrict) narrows them to those with one who lives there."""
    require(by, *DECIDER_ROLES)
    table = DuplicateCandidate
    statement = scope(sa.select(table).where(table.state == PairState.OPEN), table, by)
    if area_code:
        sides = (table.village_code, table.other_village_code)
        statement = statement.where(sa.or_(*(in_areas(side, (area_code,)) for side in sides)))
    shown, behind = _page(statement, after, size)
    return PairsFound(_lines(shown, at), behind)


def _page(statement: sa.Select[DuplicateCandidate], after: str, size: int) -> tuple[Sequence[DuplicateCandidate], str]:
    """The likest pairs behind the mark `after`, and the mark of the next page; "" for the last."""
    table = DuplicateCandidate
    score, _, last_id = after.partition("-")
    if score.isdigit() and last_id:
        statement = statement.where(sa.tuple_(table.score, table.id) < sa.tuple_(sa.literal(int(score)), sa.literal(last_id)))
    rows = db.session.scalars(statement.order_by(table.score.desc(), table.id.desc()).limit(size + 1)).all()
    shown = rows[:size]
    return shown, f"{shown[-1].score}-{shown[-1].id}" if len(rows) > size else ""


def list_half_pairs(*, by: Actor, at: datetime, after: str = "", size: int = PAGE_SIZE) -> HalfPairsFound:
    """Open pairs of somebody in the areas of `by` with somebody outside, the likest first: whom to ask, not who it is."""
    require(by, *DECIDER_ROLES)
    table = DuplicateCandidate
    statement = scope_of_one_side(sa.select(table).where(table.state == PairState.OPEN), by)
    shown, behind = _page(statement, after, size)
    ids = [person_id for pair in shown for person_id in (pair.first_id, pair.second_id)]
    people_of = sa.select(Person).where(one_of(Person.id, ids)).options(joinedload(Person.family))
    known = {person.id: person for person in db.session.scalars(people_of)}
    lines = {line.id: line for line in lines_of(known.values(), at)}
    return HalfPairsFound(tuple(_half(pair, known, lines, by) for pair in shown), behind)


def _half(pair: DuplicateCandidate, known: Mapping[str, Person], lines: Mapping[str, PersonLine], by: Actor) -> HalfPair:
    mine, other = pair.first_id, pair.second_id
    if not by.has_in(pair.village_code, *DECIDER_ROLES):
        mine, other = other, mine
    reasons = tuple(Reason(reason) for reason in pair.reasons)
    return HalfPair(lines[mine], veiled(known[other].name), lines[other].village, pair.score, reasons)


def pairs_of(person_id: str, *, by: Actor, at: datetime) -> tuple[PairLine, ...]:
    """The open pairs of one person, for whoever decides; nothing for anybody else."""
    if not by.has(*DECIDER_ROLES):
        return ()
    table = DuplicateCandidate
    of_her = sa.or_(table.first_id == person_id, table.second_id == person_id)
    statement = scope(sa.select(table).where(of_her, table.state == PairState.OPEN), table, by)
    return _lines(db.session.scalars(statement.order_by(table.score.desc()).limit(PAGE_SIZE)).all(), at)


def pair_in_scope(pair_id: str, by: Actor) -> DuplicateCandidate:
    """The row of a pair that `by` may decide. Raises NotFound. For services."""
    require(by, *DECIDER_ROLES)
    table = DuplicateCandidate
    pair = db.session.scalar(scope(sa.select(table).where(table.id == pair_id), table, by))
    if pair is None:
        raise NotFound("Pasangan data itu tidak ditemukan.", "Kembali ke daftar data ganda.")
    return pair


def look_at_pair(pair_id: str, *, by: Actor, at: datetime) -> PairDetail:
    """Both people of a pair. That both were looked at is written to the journal. Raises NotFound, NotAllowed."""
    with transaction():
        pair = pair_in_scope(pair_id, by)
        people_of = sa.select(Person).where(Person.id.in_([pair.first_id, pair.second_id])).options(joinedload(Person.family))
        first, second = sorted(db.session.scalars(people_of), key=lambda person: person.id)
        (line,) = _lines([pair], at)
        survivor = merge_rules.better(first, second)
        merged = second if survivor is first else first
        taken = merge_rules.proposed(survivor, merged)
        newest = sa.select(PersonMerge.id).where(PersonMerge.pair_id == pair.id, PersonMerge.undone_at.is_(None))
        for person in (first, second):
            audit.record("lihat", f"person:{person.id}", by=by, at=at, detail={"pasangan": pair.id})
        return PairDetail(
            line=line,
            rows=tuple(row for row in side_by_side(first, second) if not row.empty),
            survivor_id=survivor.id,
            better={choice.name: (merged if choice.name in taken else survivor).id for choice in merge_rules.CHOICES},
            versions={person.id: person.row_version for person in (first, second)},
            row_version=pair.row_version,
            registered_by=name_of_account(pair.created_by) if pair.note else "",
            decided_by=name_of_account(pair.decided_by),
            decided_at=pair.decided_at,
            reason=pair.reason,
            merge_id=db.session.scalar(newest) or "",
        )


def name_of_account(account_id: str | None) -> str:
    """The name to show for an account; "" for nobody. For services."""
    return db.session.scalar(sa.select(Account.name).where(Account.id == account_id)) or "" if account_id else ""


def dismiss(pair_id: str, reason: str, *, row_version: int, by: Actor, at: datetime) -> None:
    """Note that the two are two. Raises NotFound, Conflict, InvalidInput, NotAllowed."""
    with transaction():
        pair = pair_in_scope(pair_id, by)
        reason = checked_reason(reason)
        if pair.state != PairState.OPEN or pair.row_version != row_version:
            raise changed_meanwhile()
        known = identities((pair.first_id, pair.second_id))
        pair.identity = fingerprint(known[pair.first_id], known[pair.second_id])
        decide(pair, PairState.DIFFERENT, reason, by=by, at=at)
        audit.record("bukan_ganda", f"pair:{pair.id}", by=by, at=at, detail={"warga": [pair.first_id, pair.second_id]})


def decide(pair: DuplicateCandidate, state: PairState, reason: str, *, by: Actor, at: datetime) -> None:
    """Set how a pair was decided, inside the running transaction. For services."""
    pair.state, pair.reason, pair.decided_by, pair.decided_at = state, reason, by.account_id, at
    pair.stamp(by.account_id, at)


def checked_reason(reason: str) -> str:
    """The reason as it is stored. Raises InvalidInput for one that says nothing."""
    reason = nik.mask_within(" ".join(reason.split()))
    if not SHORTEST_REASON <= len(reason) <= REASON_LENGTH:
        raise InvalidInput({"reason": f"Tulis alasannya dengan {SHORTEST_REASON} sampai {REASON_LENGTH} huruf."})
    return reason


def _lines(pairs: Iterable[DuplicateCandidate], at: datetime) -> tuple[PairLine, ...]:
    pairs = list(pairs)
    ids = {person_id for pair in pairs for person_id in (pair.first_id, pair.second_id)}
    rows = db.session.scalars(sa.select(Person).where(Person.id.in_(ids)).options(joinedload(Person.family)))
    lines = {line.id: line for line in lines_of(rows, at)}
    return tuple(
        PairLine(
            id=pair.id,
            first=lines[pair.first_id],
            second=lines[pair.second_id],
            score=pair.score,
            reasons=tuple(Reason(reason) for reason in pair.reasons),
            state=PairState(pair.state),
            note=pair.note,
        )
        for pair in pairs
    )
