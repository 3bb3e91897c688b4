"""An office's data to back up: residents, households, cases and their history with indexes, photos; and what one day changes of it."""

from __future__ import annotations

import os
import random
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from pysqlite3 import dbapi2 as sqlite

from tests.support.borg import add_attachment

SCHEMA = """
CREATE TABLE household (id INTEGER PRIMARY KEY, card TEXT, village TEXT, address TEXT);
CREATE TABLE person (id INTEGER PRIMARY KEY, household INTEGER REFERENCES household, nik TEXT, name TEXT, born TEXT, note TEXT);
CREATE TABLE "case" (id INTEGER PRIMARY KEY, person INTEGER REFERENCES person, state TEXT, complaint TEXT, changed TEXT);
CREATE TABLE event (id INTEGER PRIMARY KEY, about INTEGER REFERENCES "case", at TEXT, what TEXT);
CREATE TABLE ledger (id INTEGER PRIMARY KEY, entry TEXT);
"""
INDEXES = ("household(card)", "household(village)", "person(nik)", "person(name)", "person(household)", "person(born)",
           '"case"(person)', '"case"(state)', "event(about)", "event(at)")  # fmt: skip
PHOTO_BYTES = (100_000, 300_000)
DAY = {"events": 500, "cases": 150, "people": 100, "households": 20}


@dataclass(frozen=True)
class Size:
    """How much there is."""

    residents: int
    cases: int
    photos: int


def make(data: Path, size: Size, dice: random.Random) -> Path:
    """The database in WAL mode and the photos below `data`; the database's file."""
    for name in ("database", "attachments", "identity"):
        (data / name).mkdir(parents=True)
    file = data / "database" / "slrt.db"
    with closing(sqlite.connect(str(file), isolation_level=None)) as base:
        base.execute("PRAGMA journal_mode = WAL")
        base.executescript(SCHEMA)
        base.execute("BEGIN")
        homes = max(size.residents // 4, 1)
        base.executemany(
            "INSERT INTO household VALUES (?, ?, ?, ?)",
            ((n, f"7303{dice.randrange(10**12):012}", f"73.03.{n % 60:02}", _words(dice, 4)) for n in range(1, homes + 1)),
        )
        people = (
            (
                n,
                1 + n % homes,
                f"7303{dice.randrange(10**12):012}",
                _words(dice, 3),
                f"19{n % 90 + 10}-0{n % 9 + 1}-11",
                _words(dice, 8),
            )
            for n in range(1, size.residents + 1)
        )
        base.executemany("INSERT INTO person VALUES (?, ?, ?, ?, ?, ?)", people)
        cases = ((n, dice.randint(1, size.residents), "BARU", _words(dice, 20), "2026-11-01") for n in range(1, size.cases + 1))
        base.executemany('INSERT INTO "case" VALUES (?, ?, ?, ?, ?)', cases)
        events = (
            (n, 1 + n % max(size.cases, 1), f"2026-11-{n % 28 + 1:02}", _words(dice, 8)) for n in range(1, size.cases * 5 + 1)
        )
        base.executemany("INSERT INTO event VALUES (?, ?, ?, ?)", events)
        for number, columns in enumerate(INDEXES):
            base.execute(f"CREATE INDEX i{number} ON {columns}")
        base.execute("COMMIT")
    for _ in range(size.photos):
        add_photo(data, dice)
    return file


def work_a_day(data: Path, size: Size, dice: random.Random, photos: int) -> None:
    """What an office changes in a day, each change a transaction's worth."""
    with closing(sqlite.connect(str(data / "database" / "slrt.db"), timeout=30, isolation_level=None)) as base:
        base.execute("BEGIN IMMEDIATE")
        for _ in range(DAY["events"]):
            base.execute(
                "INSERT INTO event (about, at, what) VALUES (?, '2026-12-01', ?)", (dice.randint(1, size.cases), _words(dice, 8))
            )
        for _ in range(DAY["cases"]):
            base.execute(
                "UPDATE \"case\" SET state = ?, changed = '2026-12-01' WHERE id = ?",
                (_words(dice, 1), dice.randint(1, size.cases)),
            )
        for _ in range(DAY["people"]):
            base.execute("UPDATE person SET note = ? WHERE id = ?", (_words(dice, 8), dice.randint(1, size.residents)))
        for _ in range(DAY["households"]):
            base.execute(
                "UPDATE household SET address = ? WHERE id = ?", (_words(dice, 4), dice.randint(1, max(size.residents // 4, 1)))
            )
        base.execute("COMMIT")
    for _ in range(photos):
        add_photo(data, dice)


def add_photo(data: Path, dice: random.Random) -> None:
    """One that no engine can make smaller."""
    add_attachment(data, os.urandom(dice.randint(*PHOTO_BYTES)))


def _words(dice: random.Random, count: int) -> str:
    return " ".join(SYLLABLES[dice.randrange(len(SYLLABLES))] for _ in range(count))


SYLLABLES = [
    f"{a}{b}{c}"
    for a in ("ma", "si", "ra", "ba", "nu", "da", "hal")
    for b in ("di", "ru", "ta", "la")
    for c in ("na", "h", "ng", "m")
]
