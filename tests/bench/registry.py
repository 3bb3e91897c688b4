"""How fast the registry answers in districts of 0.2, 1.34 and 5.7 million people. Not a test: its table stands in the README.

    .venv/bin/python tests/bench/registry.py [SIZE ...] [--postgres [SIZE ...]] [--rows [N ...]] [--folder DIR] [--questions N]
        [--rounds N] [--cpu]

Then the import of files with N rows, every step in a process of its own.

Every figure is printed beside its floor, the bare SQL query in the same run. The databases are made once and kept in the folder
(about 1 kB a person). `--cpu` counts the time of the processor only, for a machine that is busy with other things.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import sqlalchemy as sa

sys.path.insert(0, str(Path(__file__).parents[2]))

import psycopg
from flask import Flask
from pysqlite3 import dbapi2

from appliance.access import Actor
from appliance.config import Settings
from appliance.database import db, transaction
from appliance.models.account import Account
from appliance.models.person import Person
from appliance.models.roles import Role
from appliance.registry import search_index
from appliance.registry.areas import area_names
from appliance.registry.lookalikes import find_lookalikes
from appliance.registry.names import words
from appliance.registry.people import NewPerson
from appliance.registry.people_search import find_people
from appliance.registry.phones import search_key
from appliance.registry.search_index import pair
from tests.bench import imports
from tests.bench.measuring import Figure, Question, machine, spread, table, table_of_runs
from tests.bench.names import slipped
from tests.bench.population import AT, SIZES, Size, copied, populated
from tests.support.databases import postgres_server
from tests.support.web_client import Web, officer, web_app

HIGHEST = "\U0010ffff"
CLERK = "bench.fo"
# Rows a second, and MB: for each step of an import.
IMPORT_GOAL, MOST_MEMORY = 2000, 200


@dataclass(frozen=True)
class Known:
    """Somebody who lives there, and whom questions are asked about."""

    id: str
    name: str
    nik: str
    kk: str
    former_kk: str
    phone: str
    village: str

    @property
    def subdistrict(self) -> str:
        return self.village[:8]


@dataclass(frozen=True)
class Bench:
    """One filled district: its service, a bare connection for the floors, and some of its people."""

    app: Flask
    raw: Any
    size: Size
    people: list[Known]
    clerk: Web
    postgres: bool

    def by(self, *areas: str) -> Actor:
        """Somebody at the desk for these areas."""
        return Actor("bench", "Bench", CLERK, frozenset({Role.FO}), areas or (self.size.district,))

    def bare(self, statement: str, *values: str) -> list[Any]:
        """The same question as the database alone answers it."""
        return list(self.raw.execute(statement.replace("?", "%s") if self.postgres else statement, values))


@dataclass(frozen=True)
class Kind:
    """A kind of question: what is asked about somebody, its floor, and the goal for its p95 in milliseconds."""

    name: str
    goal: float
    ask: Callable[[Bench, Known, int], object]
    floor: Callable[[Bench, Known, int], object]
    fits: Callable[[Known], object] = lambda known: True


@dataclass(frozen=True)
class Rate:
    """Work on many rows: how many a second, and how many there must be. `run` gives rows and seconds, and changes nothing."""

    name: str
    goal: float
    run: Callable[[Bench, Callable[[], float]], tuple[int, float]]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("sizes", nargs="*", default=list(SIZES), help="millions of people")
    parser.add_argument("--folder", type=Path, default=Path("/var/tmp/slrt-bench"))
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cpu", action="store_true")
    parser.add_argument("--postgres", nargs="*", default=["0.2"], help="of the sizes those that are asked on PostgreSQL, too")
    parser.add_argument("--rows", nargs="*", type=int, default=[10_000, 50_000], help="rows of the files that are imported")
    wanted = parser.parse_args()
    clock = time.process_time if wanted.cpu else time.perf_counter
    figures: dict[str, list[Figure]] = {}
    for size in (SIZES[key] for key in wanted.sizes):
        settings = populated(size, wanted.folder)
        for bench in _opened(settings, settings, size, wanted.questions):
            figures[f"{size.key} M"] = _asked(bench, clock, wanted.rounds)
    there: dict[str, list[Figure]] = {}
    for size in (SIZES[key] for key in wanted.sizes if key in wanted.postgres):
        settings = populated(size, wanted.folder)
        with postgres_server() as server:
            # What the server does is no time of this process: always by the clock.
            for bench in _opened(copied(settings, server.create("bench")), settings, size, wanted.questions):
                there[f"{size.key} M on PostgreSQL"] = _asked(bench, time.perf_counter, wanted.rounds)
    runs = {f"{rows:,} rows": imports.measure(wanted.folder, rows, "", shared=True) for rows in wanted.rows}
    print(f"\n{machine(wanted.folder)}{'; time of the processor' if wanted.cpu else ''}")
    for some in (figures, there):
        print(f"\n{table(some)}" if some else "")
    if runs:
        print(f"\n{table_of_runs(runs, IMPORT_GOAL, MOST_MEMORY, cpu=wanted.cpu)}")


def _asked(bench: Bench, clock: Callable[[], float], rounds: int) -> list[Figure]:
    """All questions; what else is to be known of the district is printed."""
    figures = [_figure(kind, bench, clock, rounds) for kind in KINDS]
    print(f"\r{bench.size.name}, {bench.size.people:,} people: {_weight(bench)}")
    for rate in RATES:
        rows, seconds = rate.run(bench, clock)
        print(f"  {rate.name}: {rows / seconds:,.0f} a second (goal ≥ {rate.goal:,.0f})", flush=True)
    return figures


def _weight(bench: Bench) -> str:
    with bench.app.app_context():
        weighed = (
            "pg_database_size(current_database())"
            if bench.postgres
            else "page_count * page_size FROM pragma_page_count, pragma_page_size"
        )
        (size,) = bench.bare(f"SELECT {weighed}")[0]
    return f"{size / 2**30:.2f} GB, {size / bench.size.people:.0f} bytes a person"


def _opened(settings: Settings, filled: Settings, size: Size, questions: int) -> Iterator[Bench]:
    """The district as a bench, for the length of one loop. Whom is asked about comes from the SQLite database of `filled`."""
    app = web_app(settings)
    people = dbapi2.connect(f"file:{filled.database_file}?mode=ro", uri=True)
    raw = psycopg.connect(settings.database.url.replace("+psycopg", ""), autocommit=True) if settings.database.url else people
    with app.app_context():
        if not db.session.scalar(sa.select(Account.id).where(Account.username == CLERK)):
            officer(CLERK, Role.FO, areas=(size.district,))
    clerk = Web(app)
    clerk.sign_in(CLERK)
    yield Bench(app, raw, size, list(_sample(people, size, questions)), clerk, bool(settings.database.url))
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    raw.close()
    people.close()


def _sample(raw: Any, size: Size, count: int) -> Iterator[Known]:
    dice = random.Random(f"questions {size.key}")  # noqa: S311  the same questions each time
    first, last = (int(row[-12:], 16) for row in raw.execute("SELECT min(id), max(id) FROM person").fetchone())
    statement = (
        "SELECT p.id, p.name, p.nik, coalesce(f.kk, ''), coalesce(c.kk, ''), p.phone, p.village_code "
        "FROM person p JOIN family f ON f.id = p.family_id LEFT JOIN former_card c ON c.family_id = f.id "
        # the plus keeps the database from going through all numbers instead of the next few identifiers
        "WHERE p.id = (SELECT id FROM person WHERE id >= ? AND +nik IS NOT NULL ORDER BY id LIMIT 1) LIMIT 1"
    )
    for _ in range(count):
        place = f"0191f000-0000-7000-8000-{dice.randint(first, last - 100):012x}"
        yield Known(*raw.execute(statement, (place,)).fetchone())


def _figure(kind: Kind, bench: Bench, clock: Callable[[], float], rounds: int) -> Figure:
    about = [known for known in bench.people if kind.fits(known)]
    print(f"\r{bench.size.name}: {kind.name:<60}", end="", file=sys.stderr, flush=True)

    def asked(what: Callable[[Bench, Known, int], object]) -> list[Question]:
        return [_bound(what, bench, known, place) for place, known in enumerate(about)]

    with bench.app.app_context():
        taken = spread(asked(kind.ask), clock, rounds)
        floor = spread(asked(kind.floor), clock, rounds)
    return Figure(kind.name, taken, floor, kind.goal)


def _bound(what: Callable[[Bench, Known, int], object], bench: Bench, known: Known, place: int) -> Question:
    def question() -> object:
        found = what(bench, known, place)
        db.session.rollback()
        return found

    return question


def typed(name: str, place: int) -> str:
    """A name as it is typed at a desk: two words, one of them misspelled, a long word alone and misspelled, a beginning, whole."""
    dice = random.Random(place)  # noqa: S311
    parts = name.split()
    longest = max(parts, key=len)
    match place % 5:
        case 0:
            return " ".join(parts[:2])
        case 1:
            return " ".join([slipped(dice, parts[0]), *parts[1:2]])
        case 2:
            return slipped(dice, longest)
        case 3:
            return " ".join([parts[0], *(part[:4] for part in parts[1:2])])
        case _:
            return name


def _find(text: str, by: Actor, village: str = "") -> object:
    return find_people(text, by=by, at=AT, village_code=village)


def _floor_of_name(bench: Bench, known: Known, area: str) -> object:
    """What an index of two words answers at once: two hundred people with both words, in the area."""
    normal = list(dict.fromkeys(words(known.name)))[:2]
    key = pair(*normal) if len(normal) == 2 else normal[0]
    statement = "SELECT person_id FROM person_word WHERE word = ? AND village_code >= ? AND village_code < ? LIMIT 200"
    return bench.bare(statement, key, area, area + HIGHEST)


def _floor_of_page(bench: Bench, known: Known, place: int) -> object:
    (family,) = bench.bare("SELECT family_id FROM person WHERE id = ?", known.id)
    bench.bare("SELECT * FROM family WHERE id = ?", *family)
    return bench.bare("SELECT * FROM person WHERE family_id = ?", *family)


def _page(bench: Bench, known: Known, place: int) -> object:
    answer = bench.clerk.get(f"/warga/{known.id}")
    assert answer.status_code == 200, answer.status
    return answer


def _lookalikes(bench: Bench, known: Known, place: int) -> object:
    """Her name again, as somebody types it who does not know that she is there; of every fifth the day of birth is not known."""
    found = bench.bare("SELECT sex, birth_date FROM person WHERE id = ?", known.id)
    sex, born = found[0]
    new = NewPerson(typed(known.name, place), sex, known.village, birth_date=date.fromisoformat(str(born)) if place % 5 else None)
    with bench.app.app_context():
        return find_lookalikes(new, by=bench.by(), at=AT)


def _floor_of_lookalikes(bench: Bench, known: Known, place: int) -> object:
    """Who was born on that day in that village, and nothing more."""
    statement = "SELECT id, name FROM person WHERE village_code = ? AND birth_date = (SELECT birth_date FROM person WHERE id = ?)"
    return bench.bare(statement, known.village, known.id)


def _village_name(known: Known) -> str:
    return area_names({known.village})[known.village].partition(",")[0].split(" ", 1)[1]


_COMMON = ("muhammad", "siti", "muh. nur", "siti nur", "abd. rahman", "m. yusuf", "st. aminah", "nur")


class _Undone(Exception):
    """Ends a transaction whose work was only measured."""


def _index(bench: Bench, clock: Callable[[], float]) -> tuple[int, float]:
    """People put into the index as an import does it, some hundred at once; without the commit."""
    seconds, people = 0.0, []
    with bench.app.app_context(), suppress(_Undone), transaction() as session:
        rows = session.scalars(sa.select(Person).where(Person.id >= bench.people[0].id).order_by(Person.id).limit(2000))
        people = [search_index.Findable.of(person) for person in rows]
        search_index.forget_people(people)
        begin = clock()
        for start in range(0, len(people), search_index.ROWS_AT_ONCE):
            search_index.index_people(people[start : start + search_index.ROWS_AT_ONCE])
        seconds = clock() - begin
        raise _Undone
    return len(people), seconds


RATES = (Rate("people put into the index", 2000, _index),)
KINDS = (
    Kind(
        "NIK",
        5,
        lambda bench, known, place: _find(known.nik, bench.by()),
        lambda bench, known, place: bench.bare("SELECT id FROM person WHERE nik = ?", known.nik),
    ),
    Kind(
        "family card",
        5,
        lambda bench, known, place: _find(known.kk, bench.by()),
        lambda bench, known, place: bench.bare(
            "SELECT p.id FROM family f JOIN person p ON p.family_id = f.id WHERE f.kk = ?", known.kk
        ),
    ),
    Kind(
        "former family card",
        5,
        lambda bench, known, place: _find(known.former_kk, bench.by()),
        lambda bench, known, place: bench.bare(
            "SELECT p.id FROM former_card c JOIN person p ON p.family_id = c.family_id WHERE c.kk = ?", known.former_kk
        ),
        lambda known: known.former_kk,
    ),
    Kind(
        "telephone",
        50,
        lambda bench, known, place: _find(known.phone, bench.by()),
        lambda bench, known, place: bench.bare("SELECT person_id FROM person_word WHERE word = ?", search_key(known.phone)),
        lambda known: known.phone,
    ),
    Kind(
        "name, two villages",
        50,
        lambda bench, known, place: _find(typed(known.name, place), bench.by(known.village, bench.people[0].village)),
        lambda bench, known, place: _floor_of_name(bench, known, known.village),
    ),
    Kind(
        "name, subdistrict",
        50,
        lambda bench, known, place: _find(typed(known.name, place), bench.by(known.subdistrict)),
        lambda bench, known, place: _floor_of_name(bench, known, known.subdistrict),
    ),
    Kind(
        "name, whole district",
        150,
        lambda bench, known, place: _find(typed(known.name, place), bench.by()),
        lambda bench, known, place: _floor_of_name(bench, known, bench.size.district),
    ),
    Kind(
        "common names, two villages",
        50,
        lambda bench, known, place: _find(_COMMON[place % len(_COMMON)], bench.by(known.village, bench.people[0].village)),
        lambda bench, known, place: _floor_of_name(bench, known, known.village),
    ),
    Kind(
        "common names, subdistrict",
        50,
        lambda bench, known, place: _find(_COMMON[place % len(_COMMON)], bench.by(known.subdistrict)),
        lambda bench, known, place: _floor_of_name(bench, known, known.subdistrict),
    ),
    Kind(
        "common names, whole district",
        150,
        lambda bench, known, place: _find(_COMMON[place % len(_COMMON)], bench.by()),
        lambda bench, known, place: _floor_of_name(bench, known, bench.size.district),
    ),
    Kind(
        "name with its village",
        150,
        lambda bench, known, place: _find(f"{known.name.split()[0]} {_village_name(known)}", bench.by()),
        lambda bench, known, place: _floor_of_name(bench, known, known.village),
    ),
    Kind(
        "a name that nobody has",
        150,
        lambda bench, known, place: _find(f"{known.name.split()[0]} xqaverius{place}", bench.by()),
        lambda bench, known, place: _floor_of_name(bench, known, bench.size.district),
    ),
    Kind("page of a person", 50, _page, _floor_of_page),
    Kind("duplicates before saving", 150, _lookalikes, _floor_of_lookalikes),
)


if __name__ == "__main__":
    main()
