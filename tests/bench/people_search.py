"""How long finding people takes among N of them. Not a test: run it when indexes or queries change.

    .venv/bin/python tests/bench/people_search.py --people 1000000 [--folder DIR] [--postgres]

The folder is kept and used again when it is named, so that filling is done once.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

sys.path.insert(0, str(Path(__file__).parents[2]))

from appliance import database
from appliance.access import Actor
from appliance.config import Settings
from appliance.database import db, transaction
from appliance.models.columns import new_id
from appliance.models.person import Family, Person, PersonWord
from appliance.models.roles import Role
from appliance.registry.areas import villages
from appliance.registry.names import searchable
from appliance.registry.people_search import find_people
from tests.support.databases import postgres_server, prepare, settings_below

AT = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
FIRST = (
    *("Muhammad", "Muh.", "Siti", "Nur", "Andi", "Abd.", "Ahmad", "Sri", "St."),
    *("Baharuddin", "Hasnah", "Rosmini", "Kasmawati", "Jumriah", "Ilham", "Reski", "Fitri", "Dewi"),
)
LAST = (
    *("Yusuf", "Aminah", "Rahman", "Hidayat", "Wahyuni", "Amir", "Basri", "Ramli", "Hamzah", "Nurhayati"),
    *("Salmah", "Suriani", "Arsyad", "Fadli", "Zulkarnaen", "Maulana", "Ramadhani", "Lestari", "Saputra", "Amalia"),
    *("Mappiasse", "Sampara", "Ngalle", "Tompo", "Lallo", "Rumallang", "Sangkala", "Manai", "Sirajuddin", "Kamaruddin"),
)
STAMP = {"created_at": AT, "created_by": "bench", "updated_at": AT, "updated_by": "bench", "row_version": 1}
EMPTY = (
    *("nik_reason", "nickname", "birth_place", "religion", "education", "occupation", "marital_status"),
    *("mother_name", "father_name", "phone", "insurance", "insurance_number"),
)
ROWS_AT_ONCE = 20_000
ROUNDS = 40


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
        codes = [village.code for village in villages(by=office)]
        there = db.session.scalar(sa.select(sa.func.count()).select_from(Person)) or 0
        if there < people:
            fill(codes, there, people)
        field = Actor("bench", "Bench", "bench", frozenset({Role.FASILITATOR}), tuple(codes[:2]))
        known = list(db.session.scalars(sa.select(Person.nik).limit(2000)))
        cards = list(db.session.scalars(sa.select(Family.kk).limit(2000)))
        dice = random.Random(1)  # noqa: S311
        print(f"{people} people, {db.engine.dialect.name}")
        for name, question in {
            "NIK": lambda by: find_people(dice.choice(known), by=by, at=AT),
            "family card": lambda by: find_people(dice.choice(cards), by=by, at=AT),
            "one common word": lambda by: find_people("muhammad", by=by, at=AT),
            "two common words": lambda by: find_people(f"muh. {dice.choice(LAST)}", by=by, at=AT),
            "rare word": lambda by: find_people(f"zulkarnaen {dice.randint(1, 999):03d}", by=by, at=AT),
            "no such word": lambda by: find_people("xaverius", by=by, at=AT),
            "two words, nobody": lambda by: find_people("muhammad xaverius", by=by, at=AT),
            "name in a village": lambda by: find_people("siti", village_code=dice.choice(codes[:2]), by=by, at=AT),
            "a whole village": lambda by: find_people("", village_code=dice.choice(codes[:2]), by=by, at=AT),
        }.items():
            print(f"  {name:<20} office {timed(question, office)}   village {timed(question, field)}")


def timed(question: Callable[[Actor], object], by: Actor) -> str:
    taken = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        question(by)
        taken.append((time.perf_counter() - begin) * 1000)
        db.session.rollback()
    return f"median {statistics.median(taken):7.1f} ms, worst {max(taken):7.1f} ms"


def fill(codes: list[str], start: int, end: int) -> None:
    """People in families of four, spread over the villages; the same ones on every machine."""
    begin = time.perf_counter()
    for low in range(start, end, ROWS_AT_ONCE):
        rows = list(families(codes, low, min(low + ROWS_AT_ONCE, end)))
        with transaction() as session:
            session.execute(sa.insert(Family), [row for kind, row in rows if kind == "family"])
            session.execute(sa.insert(Person), [row for kind, row in rows if kind == "person"])
            session.execute(sa.insert(PersonWord), [row for kind, row in rows if kind == "word"])
        print(f"\r{low + ROWS_AT_ONCE} filled, {time.perf_counter() - begin:.0f} s", end="", file=sys.stderr)
    if db.engine.dialect.name == "sqlite":
        database.checkpoint(database.settings_in_use())
    print(file=sys.stderr)


def families(codes: list[str], low: int, high: int) -> Iterator[tuple[str, dict[str, object]]]:
    dice = random.Random(low)  # noqa: S311
    family = ""
    for number in range(low, high):
        village = codes[(number // 4) % len(codes)]
        if number % 4 == 0:
            family = new_id()
            row = {"id": family, "kk": f"7303{number:012d}", "village_code": village, **STAMP}
            yield "family", {**row, "address": "Jl. Poros", "hamlet": "", "rw": "001", "rt": "001", "status": "aktif", "note": ""}
        name = f"{dice.choice(FIRST)} {dice.choice(LAST)} {number % 1000:03d}"
        person = new_id()
        born = date(1950, 1, 1) + timedelta(days=number % 25000)
        row = dict.fromkeys(EMPTY, "") | {
            "id": person,
            "nik": f"7304{number:012d}",
            "nik_status": "valid",
            "name": name,
            "sex": "L",
        }
        row |= {"name_search": searchable(name), "birth_date": born, "birth_date_estimated": False, "relation": "4"}
        yield "person", row | {"family_id": family, "village_code": village, "status": "hidup"} | STAMP
        for word in set(searchable(name).split()):
            yield "word", {"word": word, "village_code": village, "person_id": person}


if __name__ == "__main__":
    main()
