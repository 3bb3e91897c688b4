"""A district full of invented people, the same ones on every machine, for measuring what millions cost.

    .venv/bin/python tests/bench/population.py 0.2|1.34|5.7 [--folder DIR]

Names as frequent as in the region (a fifth of the men are a Muhammad, however it is written; a long tail of rare names and of
slips of the pen), families of 3.6 on average, ages, the real villages. The folder is kept: a database that is there is used again.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

sys.path.insert(0, str(Path(__file__).parents[2]))

import psycopg
from pysqlite3 import dbapi2

from appliance import database
from appliance.casework.catalogue import seed_catalogue
from appliance.casework.office_calendar import seed_calendar
from appliance.config import DatabaseSettings, NodeSettings, Settings
from appliance.database import db
from appliance.models.person import Family, FormerCard, Person, PersonWord
from appliance.models.search import NameVariant, NameWord
from appliance.registry.areas import data_set, load_areas
from appliance.registry.names import searchable
from appliance.registry.search_index import keys_of
from appliance.registry.spelling import variants
from tests.bench import names
from tests.support.databases import settings_below

AT = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
TODAY = AT.date()
FAMILY_SIZES = ((1, 0.09), (2, 0.16), (3, 0.23), (4, 0.25), (5, 0.15), (6, 0.08), (7, 0.04))
ROWS_AT_ONCE = 20_000
_STAMP = {"created_at": "2026-11-20 02:00:00.000000", "created_by": "bench", "updated_by": "bench", "row_version": 1}
_STAMP["updated_at"] = _STAMP["created_at"]
FAMILY_GIVEN = ("id", "kk", "village_code", "address", "hamlet", "rw", "rt")
CARD_GIVEN = ("id", "family_id", "kk", "until", "reason")
PERSON_GIVEN = (
    *("id", "nik", "nik_status", "nik_reason", "name", "nickname", "name_search", "sex", "birth_place", "birth_date"),
    *("family_id", "relation", "village_code", "mother_name", "phone", "status"),
)


@dataclass
class Portion:
    """Rows to store together, in the order of FAMILY_GIVEN, PERSON_GIVEN and CARD_GIVEN."""

    families: list[tuple[Any, ...]] = field(default_factory=list)
    people: list[tuple[Any, ...]] = field(default_factory=list)
    cards: list[tuple[Any, ...]] = field(default_factory=list)


@dataclass(frozen=True)
class Size:
    """One of the three districts of the benchmark; `people` is how many live there."""

    key: str
    district: str
    name: str
    people: int


SIZES = {
    size.key: size
    for size in (
        Size("0.2", "73.03", "Bantaeng", 200_000),
        Size("1.34", "35.17", "Jombang", 1_340_000),
        Size("5.7", "32.01", "Bogor", 5_700_000),
    )
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("size", choices=SIZES)
    parser.add_argument("--folder", type=Path, default=Path("/var/tmp/slrt-bench"))
    wanted = parser.parse_args()
    print(populated(SIZES[wanted.size], wanted.folder).database_file)


def populated(size: Size, folder: Path) -> Settings:
    """Settings of a node below `folder` whose SQLite database holds the people of `size`; filled unless it is there."""
    home = folder / size.key
    home.mkdir(parents=True, exist_ok=True)
    settings = replace(settings_below(home), node=NodeSettings(district=size.district))
    done = home / "filled"
    if done.exists():
        database.upgrade(settings)
    if not done.exists():
        for old in settings.database_file.parent.glob(f"{settings.database_file.name}*"):
            old.unlink()
        begin = time.perf_counter()
        _fill(settings, size)
        seconds = time.perf_counter() - begin
        done.write_text(f"{size.people} people in {seconds:.0f} s, {size.people / seconds:.0f} a second\n")
        print(f"\r{done.read_text()}", end="", file=sys.stderr)
    return settings


def _fill(settings: Settings, size: Size) -> None:
    database.upgrade(settings)
    with database.create_service(settings).app_context():
        load_areas(size.district)
        seed_catalogue(size.district, at=AT)
        seed_calendar(at=AT)
        db.session.remove()
        db.engine.dispose()
    raw = dbapi2.connect(str(settings.database_file), isolation_level=None)
    # Only while filling: nobody else is here, and a cut-off filling is begun again.
    for pragma in (
        "journal_mode=OFF",
        "synchronous=OFF",
        "foreign_keys=OFF",
        "cache_size=-400000",
        "temp_store=FILE",
        "threads=2",
    ):
        raw.execute(f"PRAGMA {pragma}")
    os.environ["SQLITE_TMPDIR"] = str(settings.database_file.parent)
    with without_indexes(raw, ("person", "family", "former_card")):
        _pour(raw, people_of(size))
    raw.execute("ANALYZE")
    raw.close()
    database.checkpoint(settings)  # a service's own connection: from here on a database like any other


def copied(settings: Settings, url: str) -> Settings:
    """The same people in an empty database of PostgreSQL."""
    there = replace(settings, database=DatabaseSettings(url=url))
    database.upgrade(there)
    source = dbapi2.connect(f"file:{settings.database_file}?mode=ro", uri=True)
    target = url.replace("+psycopg", "")
    with psycopg.connect(target) as connection, connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")  # the order of the rows does not matter then
        for table in database.Model.metadata.sorted_tables:
            _copy(source, cursor, table)
    with psycopg.connect(target, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
    source.close()
    return there


def _copy(source: Any, cursor: Any, table: sa.Table) -> None:
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    truths = [isinstance(column.type, sa.Boolean) for column in table.columns]
    cursor.execute(f'DELETE FROM "{table.name}"')  # noqa: S608  our own names
    with cursor.copy(f'COPY "{table.name}" ({names}) FROM STDIN') as copy:
        for row in source.execute(f'SELECT {names} FROM "{table.name}"'):  # noqa: S608
            copy.write_row([bool(one) if truth and one is not None else one for one, truth in zip(row, truths, strict=True)])


@contextmanager
def without_indexes(raw: Any, tables: tuple[str, ...]) -> Iterator[None]:
    """The indexes of these big tables are made when everything is there, which is faster by far."""
    marks = ", ".join("?" * len(tables))
    wanted = f"SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name IN ({marks}) AND sql IS NOT NULL"  # noqa: S608
    made = list(raw.execute(wanted, tables))
    for name, _ in made:
        raw.execute(f"DROP INDEX {name}")
    yield
    for _, statement in made:
        raw.execute(statement)


def _pour(raw: Any, everybody: Iterator[Portion]) -> None:
    """Store families with their people, then the words they are found by, in the order of their index."""
    family, person = _insert(Family.__table__, FAMILY_GIVEN), _insert(Person.__table__, PERSON_GIVEN)
    card = _insert(FormerCard.__table__, CARD_GIVEN)
    raw.execute("CREATE TABLE loose_word (word TEXT, village_code TEXT, person_id TEXT)")
    known: set[str] = set()
    begin, stored = time.perf_counter(), 0
    for portion in everybody:
        raw.execute("BEGIN")
        raw.executemany(family, portion.families)
        raw.executemany(person, portion.people)
        raw.executemany(card, portion.cards)
        raw.executemany("INSERT INTO loose_word VALUES (?, ?, ?)", _words(portion.people, known))
        raw.execute("COMMIT")
        stored += len(portion.people)
        rate = stored / (time.perf_counter() - begin)
        print(f"\r{stored:>9} people, {rate:.0f} a second", end="", file=sys.stderr, flush=True)
    raw.execute("BEGIN")
    target, columns = PersonWord.__tablename__, "word, village_code, person_id"
    raw.execute(f"INSERT INTO {target} ({columns}) SELECT {columns} FROM loose_word ORDER BY 1, 2, 3")  # noqa: S608  our own names
    raw.execute("DROP TABLE loose_word")
    raw.executemany(f"INSERT INTO {NameWord.__tablename__} (word) VALUES (?)", ((word,) for word in sorted(known)))  # noqa: S608
    near = sorted((variant, word) for word in known for variant in variants(word))
    raw.executemany(f"INSERT INTO {NameVariant.__tablename__} (variant, word) VALUES (?, ?)", near)  # noqa: S608
    raw.execute("COMMIT")


def _words(people: list[tuple[Any, ...]], known: set[str]) -> Iterator[tuple[str, str, str]]:
    at = {name: place for place, name in enumerate(PERSON_GIVEN)}
    identifier, name, nickname, phone, village = (at[n] for n in ("id", "name_search", "nickname", "phone", "village_code"))
    for row in people:
        found = keys_of(row[name], row[nickname], row[phone])
        known.update(found.names)
        for key in found.keys:
            yield key, row[village], row[identifier]


def _insert(table: Any, given: tuple[str, ...]) -> str:
    """The statement that stores a row; columns that are not given hold what an empty form would leave in them."""
    columns = [column for column in table.columns if column.name not in given]
    fixed = {column.name: _STAMP.get(column.name, _empty(column)) for column in columns}
    values = ["?"] * len(given) + [_literal(value) for value in fixed.values()]
    return f"INSERT INTO {table.name} ({', '.join((*given, *fixed))}) VALUES ({', '.join(values)})"  # noqa: S608  our own names


def _empty(column: sa.Column[Any]) -> object:
    if column.name == "status":
        return "aktif"
    if column.nullable:
        return None
    if isinstance(column.type, sa.Boolean | sa.Integer):
        return 0
    return "[]" if isinstance(column.type, sa.JSON) else ""


def literal_of(column: sa.Column[Any]) -> str:
    """What an empty form would leave in a column, as SQL."""
    return _literal(_empty(column))


def _literal(value: object) -> str:
    return "NULL" if value is None else str(value) if isinstance(value, int) else f"'{value}'"


def people_of(size: Size) -> Iterator[Portion]:
    """Everybody, village by village, in portions of ROWS_AT_ONCE."""
    dice = random.Random(size.district)  # noqa: S311  the same people everywhere
    region = names.REGIONS[size.district]
    portion, numbers = Portion(), itertools.count(1)
    for subdistrict, settled in itertools.groupby(village_sizes(size, dice), key=lambda one: one[0][:8]):
        town = _Town(dice, region, subdistrict, numbers, size.name)
        for village, heads in settled:
            left = heads
            while left > 0:
                left -= town.settle(village, min(left, town.next_size()), portion)
                if len(portion.people) >= ROWS_AT_ONCE:
                    yield portion
                    portion = Portion()
    yield portion


def village_sizes(size: Size, dice: random.Random) -> list[tuple[str, int]]:
    """The villages of the district with how many live in each: a few big ones, many small ones, together `size.people`."""
    codes = sorted(row["code"] for row in data_set(size.district) if row["level"] == "desa" and row["active"])
    weights = [dice.lognormvariate(0, 0.5) * (1.6 if code[9] == "1" else 1.0) for code in codes]
    shares = [int(size.people * weight / sum(weights)) for weight in weights]
    shares[0] += size.people - sum(shares)
    return list(zip(codes, shares, strict=True))


class _Town:
    """One subdistrict: it hands out the numbers of identity and family cards, which are unique in it."""

    def __init__(self, dice: random.Random, region: names.Region, code: str, numbers: Iterator[int], place: str) -> None:
        self.dice, self.region, self.numbers, self.place = dice, region, numbers, place
        self.digits = code.replace(".", "")
        self.cards = itertools.count()
        self.serials: dict[str, int] = {}
        self.sizes: list[int] = []
        self.spelled = region.spelled

    def next_size(self) -> int:
        if not self.sizes:
            sizes, weights = zip(*FAMILY_SIZES, strict=True)
            self.sizes = self.dice.choices(sizes, weights, k=1000)
        return self.sizes.pop()

    def settle(self, village: str, count: int, portion: Portion) -> int:
        """A family of `count` people moves into the village; how many they are."""
        dice, number = self.dice, next(self.numbers)
        family = f"0190f000-0000-7000-8000-{number:012x}"
        previous = self.card() if dice.random() < 0.08 else None
        street = f"Jl. {dice.choice(self.region.streets)} No. {1 + int(dice.random() * 120)}"
        place = (
            f"Dusun {dice.choice(self.region.streets)}",
            f"{1 + int(dice.random() * 9):03d}",
            f"{1 + int(dice.random() * 12):03d}",
        )
        portion.families.append((family, self.card(), village, street, *place))
        if previous:
            portion.cards.append((f"0192f000-0000-7000-8000-{number:012x}", family, previous, None, ""))
        head_age = min(88, max(19, int(dice.gauss(45, 14))))
        mother = ""
        for order in range(count):
            if order == 0:
                sex, relation, age = ("L", "1", head_age) if count > 1 or dice.random() < 0.4 else ("P", "1", head_age)
            elif order == 1:
                sex, relation, age = "P", "3", max(17, head_age - int(dice.random() * 8))
            else:
                sex, relation, age = dice.choice("LP"), "4", max(0, head_age - 22 - int(dice.random() * 15))
            name = self.region.name(dice, sex, age)
            portion.people.append(self.person(name, sex, relation, age, (family, village, mother, number * 8 + order)))
            mother = name if order == 1 else mother
        return count

    def card(self) -> str:
        day, number = divmod(next(self.cards), 6720)
        return f"{self.digits}{number % 28 + 1:02d}{number // 28 % 12 + 1:02d}{number // 336 + 5:02d}{day + 1:04d}"

    def person(self, name: str, sex: str, relation: str, age: int, home: tuple[str, str, str, int]) -> tuple[Any, ...]:
        family, village, mother, number = home
        dice = self.dice
        luck = dice.random()
        born = date.fromordinal(TODAY.toordinal() - age * 365 - int(luck * 365) - age // 4)
        nik = None if luck > 0.98 else self.nik(born, sex)
        phone = self.phone() if 15 < age < 70 and dice.random() < 0.4 else ""
        nickname = dice.choice(self.region.nicknames) if dice.random() < 0.05 else ""
        reason = "" if nik else "Belum melakukan perekaman KTP-el"
        status = "mati" if age > 60 and dice.random() < 0.08 else "hidup"
        return (
            *(f"0191f000-0000-7000-8000-{number:012x}", nik, "valid" if nik else "tidak_ada", reason, name, nickname),
            *(self.search(name), sex, self.place, born.isoformat(), family, relation, village, mother, phone, status),
        )

    def nik(self, born: date, sex: str) -> str:
        key = f"{born.day + (40 if sex == 'P' else 0):02d}{born.month:02d}{born.year % 100:02d}"
        serial = self.serials[key] = self.serials.get(key, 0) + 1
        return f"{self.digits}{key}{serial:04d}"

    def phone(self) -> str:
        digits = f"08{self.dice.choice(('12', '13', '52', '21', '57', '95'))}{self.dice.randrange(10**8):08d}"
        written = self.dice.randrange(3)
        return digits if written == 0 else f"+62{digits[1:]}" if written == 1 else f"{digits[:4]}-{digits[4:8]}-{digits[8:]}"

    def search(self, name: str) -> str:
        """What `searchable` gives, each word of it worked out once."""
        known, found = self.spelled, []
        for word in name.split():
            normal = known.get(word)
            if normal is None:
                normal = known[word] = searchable(f"x {word}")[2:]
            if normal:
                found.append(normal)
        return " ".join(found)


if __name__ == "__main__":
    main()
