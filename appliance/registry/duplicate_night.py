"""The nightly search for people who are registered twice: village after village, each stored for good before the next begins.

What the people of a village have in common with other villages is asked of `duplicate_elsewhere`. Within the village only people who share something rare are compared (a day of birth, a word and a year, a card, half a NIK), so
that the work grows with the people and not with their pairs. A village in which nothing changed is not searched again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from datetime import datetime, time, timedelta, tzinfo
from itertools import combinations
from typing import Protocol

import sqlalchemy as sa

from appliance import audit, background
from appliance.background import Taken
from appliance.database import db, transaction
from appliance.models.area import Area, Level
from appliance.models.duplicate import DuplicateCandidate, DuplicateSearch, PairState
from appliance.models.person import Family, Person
from appliance.registry.duplicate_elsewhere import Pair, found_elsewhere, outdated, pairs_elsewhere
from appliance.registry.duplicates import store_pair
from appliance.registry.likeness import Identity, Likeness, compare, swapped
from appliance.registry.lookalikes import identity_of, to_compare

KIND = "ganda"
SUBJECT = "malam"
BY = "system"
# An hour after the backup begins, so that both do not ask for the disk at the same time.
AFTER_BACKUP = timedelta(hours=1)
# The likest pairs of one village that wait at the same time; more are for the nights after these were decided.
MOST_PAIRS = 300
# More people than this under one key (a default date such as 1 July) are looked at only with a letter of the name in common.
CROWD = 40
# And where even that is common, nobody is compared: one night must not become a week.
LARGEST_BLOCK = 400
ROWS_AT_ONCE = 5000


class Worker(Protocol):
    """The part of the worker that this needs: its clock, and `check`, which raises when it is time to stop."""

    @property
    def now(self) -> Callable[[], datetime]: ...

    def check(self) -> None: ...


def ask_if_due(at: datetime, backup: time, zone: tzinfo) -> bool:
    """Put this night's search into the queue unless it is there; whether it was put. A night without power is made up for."""
    if db.session.scalar(sa.select(Person.id).limit(1)) is None:
        return False
    earlier = background.progress_of(SUBJECT)
    if earlier and (not earlier.state.ended or earlier.asked_at >= last_due(at, backup, zone)):
        return False
    with transaction():
        background.ask(KIND, SUBJECT, by=BY, at=at)
    return True


def last_due(at: datetime, backup: time, zone: tzinfo) -> datetime:
    """The last moment at or before `at` at which a night's search was to begin. `backup` is the local time of the backup."""
    here = at.astimezone(zone)
    due = datetime.combine(here.date(), backup, zone) + AFTER_BACKUP
    while due > here:
        due = datetime.combine((due - AFTER_BACKUP).date() - timedelta(days=1), backup, zone) + AFTER_BACKUP
    return due


def run(task: Taken, work: Worker) -> str:
    """Search all villages from where an earlier attempt stopped; a sentence about this run."""
    villages = list(db.session.scalars(sa.select(Area.code).where(Area.level == Level.VILLAGE, Area.active).order_by(Area.code)))
    db.session.rollback()
    found = searched = 0
    for done, village in enumerate(villages[task.done :], start=task.done + 1):
        work.check()
        pairs = search_village(village, task.id, (done, len(villages)), at=work.now())
        searched += pairs is not None
        found += pairs or 0
    return f"{searched} desa/kelurahan diperiksa, {found} pasangan perlu dilihat."


def search_village(village: str, task_id: str, progress: tuple[int, int], *, at: datetime) -> int | None:
    """Find and store the pairs of one village, with how far the work is. How many; None when nothing had changed there."""
    people, changed_at = _state_of(village)
    earlier = db.session.get(DuplicateSearch, village, populate_existing=True)
    same = earlier is not None and (earlier.people, earlier.changed_at) == (people, changed_at)
    known = {} if same else _people_of(village)
    pairs = [] if same else likest(known)
    elsewhere = [] if same else pairs_elsewhere(village, earlier.changed_at if earlier else None)
    db.session.rollback()  # reading took its time; writing is short and begins afresh
    with transaction() as session:
        waiting = (0, 0) if same else (_store(village, known, pairs, at), _store_elsewhere(village, elsewhere, at))
        open_pairs = sum(waiting)
        if not same and max(waiting) < MOST_PAIRS:
            session.merge(DuplicateSearch(village_code=village, people=people, changed_at=changed_at, searched_at=at))
        background.move(task_id, *progress, at=at)
        if open_pairs:
            audit.record("cari_ganda", f"area:{village}", by=None, at=at, detail={"pasangan": open_pairs})
    return None if same else open_pairs


def likest(known: dict[str, Identity]) -> list[tuple[str, str, Likeness]]:
    """The pairs of some people that are worth asking about, the likest first."""
    found: dict[tuple[str, str], Likeness] = {}
    for block in _blocks(known):
        for pair in combinations(block, 2):
            if pair not in found:
                likeness = compare(known[pair[0]], known[pair[1]])
                if likeness:
                    found[pair] = likeness
    best = sorted(found.items(), key=lambda one: (-one[1].score, one[0]))
    return [(first, second, likeness) for (first, second), likeness in best]


def _blocks(known: dict[str, Identity]) -> Iterator[Sequence[str]]:
    """People who share a key, each block in the order of their identifiers."""
    for keys in (_by_birth, _by_name, _by_numbers):  # one after the other: the memory of one is given back before the next
        blocks: dict[Hashable, list[str]] = defaultdict(list)
        for person_id in sorted(known):
            for key in keys(known[person_id]):
                blocks[key].append(person_id)
        for block in blocks.values():
            yield from _of_bearable_size(block, known)


def _of_bearable_size(block: list[str], known: dict[str, Identity]) -> Iterator[Sequence[str]]:
    if len(block) <= CROWD:
        yield block
        return
    smaller: dict[Hashable, list[str]] = defaultdict(list)
    for person_id in block:
        one = known[person_id]
        for letter in {word[0] for word in one.name.split()}:
            smaller[one.sex, letter].append(person_id)
    yield from (part for part in smaller.values() if len(part) <= LARGEST_BLOCK)


def _by_birth(one: Identity) -> Iterable[Hashable]:
    if one.birth_date is None:
        return ()
    turned = swapped(one.birth_date)
    return {one.birth_date, min(one.birth_date, turned)} if turned else (one.birth_date,)


def _by_name(one: Identity) -> Iterable[Hashable]:
    """The whole name, and each word with the year: it differs by a letter then, or the day was guessed."""
    yield one.name
    if one.birth_date is not None:
        yield from {(word, one.birth_date.year) for word in one.name.split()}


def _by_numbers(one: Identity) -> Iterable[Hashable]:
    """One wrong digit, or two swapped ones, leave the other parts of the NIK as they were: area and day, month and year, serial."""
    if one.card:
        yield one.card
    if one.nik:
        yield from (one.nik[8:], one.nik[:12], (one.nik[:7], one.nik[9:]))
        yield from {(one.nik[:8], one.nik[12:], word) for word in one.name.split()}


def _state_of(village: str) -> tuple[int, datetime | None]:
    """How many people there are in a village, and when one of them or their families was last changed."""
    count, person = db.session.execute(
        sa.select(sa.func.count(), sa.func.max(Person.updated_at)).where(Person.village_code == village)
    ).one()
    family = db.session.scalar(sa.select(sa.func.max(Family.updated_at)).where(Family.village_code == village))
    return count, max(filter(None, (person, family)), default=None)


def _people_of(village: str) -> dict[str, Identity]:
    statement = to_compare().where(Person.village_code == village)
    rows = db.session.execute(statement.execution_options(yield_per=ROWS_AT_ONCE))
    return {row.id: identity_of(row) for row in rows}


def _store(village: str, known: dict[str, Identity], pairs: list[tuple[str, str, Likeness]], at: datetime) -> int:
    """Keep the pairs as they are now; how many wait. Those that the night found before and that are alike no longer lapse."""
    mine = (DuplicateCandidate.village_code == village, DuplicateCandidate.other_village_code == village)
    found = {(first, second) for first, second, _ in pairs}
    by_night = sa.select(DuplicateCandidate).where(
        *mine, DuplicateCandidate.state == PairState.OPEN, DuplicateCandidate.created_by == BY
    )
    _let_lapse(
        (
            pair
            for pair in db.session.scalars(by_night)
            if (pair.first_id, pair.second_id) not in found and not found_elsewhere(pair)
        ),
        at,
    )
    waiting = 0
    for first, second, likeness in pairs:
        waiting += store_pair((first, known[first]), (second, known[second]), likeness, by=BY, at=at)
        if waiting == MOST_PAIRS:
            break
    return waiting


def _store_elsewhere(village: str, pairs: Iterable[Pair], at: datetime) -> int:
    """The same for pairs with people of other villages."""
    _let_lapse(outdated(village, BY), at)
    waiting = 0
    for one, other, likeness in pairs:
        waiting += store_pair((one.id, one.who), (other.id, other.who), likeness, by=BY, at=at)
        if waiting == MOST_PAIRS:
            break
    return waiting


def _let_lapse(pairs: Iterable[DuplicateCandidate], at: datetime) -> None:
    for pair in pairs:
        pair.state = PairState.LAPSED
        pair.stamp(BY, at)
