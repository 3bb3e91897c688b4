"""How long the look for duplicates takes: before somebody is saved, and in the night. Not a test.

    .venv/bin/python tests/bench/duplicates.py --people 200000 [--folder DIR] [--postgres]

So many villages are filled that each has 13,000 people, as those of Bogor with its 5.7 million have.
"""

from __future__ import annotations

import argparse
import random
import resource
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import date, timedelta
from pathlib import Path

import sqlalchemy as sa

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.people_search import AT, FIRST, LAST, fill

from appliance import background, database
from appliance.access import Actor
from appliance.config import Settings
from appliance.database import db, transaction
from appliance.models.person import Person
from appliance.models.roles import Role
from appliance.registry import duplicate_night
from appliance.registry.areas import villages
from appliance.registry.lookalikes import find_lookalikes
from appliance.registry.people import NewPerson
from tests.support.databases import postgres_server, prepare, settings_below

ROUNDS = 200
NIGHT_VILLAGES = 3
A_VILLAGE = 13_000


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--people", type=int, default=200_000)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--postgres", action="store_true")
    wanted = parser.parse_args()
    with ExitStack() as stack:
        folder = wanted.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        url = stack.enter_context(postgres_server()).create("bench") if wanted.postgres else ""
        measure(settings_below(folder, url), wanted.people)


def measure(settings: Settings, people: int) -> None:
    if database.current_revision(settings) is None:
        prepare(settings)
    with database.create_service(settings).app_context():
        office = Actor("bench", "Bench", "bench", frozenset({Role.FO}), ("73.03",))
        codes = [village.code for village in villages(by=office)][: max(1, people // A_VILLAGE)]
        there = db.session.scalar(sa.select(sa.func.count()).select_from(Person)) or 0
        if there < people:
            fill(codes, there, people)
        print(f"{people} people, {people // len(codes)} a village, {db.engine.dialect.name}")
        before_save(codes, office)
        night(codes)


def before_save(codes: list[str], by: Actor) -> None:
    """The check of one form, and beside it the floor: one row by its NIK, as many times as the check asks."""
    dice = random.Random(1)  # noqa: S311
    taken, floor, found = [], [], 0
    for _ in range(ROUNDS):
        born = date(1950, 1, 1) + timedelta(days=dice.randrange(25000))
        new = NewPerson(
            f"{dice.choice(FIRST)} {dice.choice(LAST)} {dice.randrange(1000):03d}",
            "L",
            village_code=dice.choice(codes),
            nik=f"7304{dice.randrange(10**12):012d}",
            birth_date=born if dice.random() < 0.8 else None,
        )
        begin = time.perf_counter()
        found += len(find_lookalikes(new, by=by, at=AT))
        taken.append((time.perf_counter() - begin) * 1000)
        begin = time.perf_counter()
        for _ in range(6):
            db.session.execute(sa.select(Person.name).where(Person.nik == new.nik)).first()
        floor.append((time.perf_counter() - begin) * 1000)
        db.session.rollback()
    p95, least = statistics.quantiles(taken, n=20)[18], statistics.quantiles(floor, n=20)[18]
    print(f"  before save  median {statistics.median(taken):.1f} ms, p95 {p95:.1f} ms, worst {max(taken):.1f} ms")
    print(f"               {p95 / least:.0f} times six look-ups by NIK ({least:.2f} ms); {found} people shown in {ROUNDS} checks")


def night(codes: list[str]) -> None:
    """Some villages searched for the first time, and again when nothing had changed."""
    with transaction():
        task = background.ask(duplicate_night.KIND, duplicate_night.SUBJECT, by="bench", at=AT)
    for what in ("first", "unchanged"):
        begin = time.perf_counter()
        pairs = [duplicate_night.search_village(code, task, (1, 1), at=AT) for code in codes[:NIGHT_VILLAGES]]
        took = (time.perf_counter() - begin) / NIGHT_VILLAGES
        print(f"  night, {what:<10} {took:.2f} s a village, pairs {pairs}")
    print(f"  memory at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB")


if __name__ == "__main__":
    main()
