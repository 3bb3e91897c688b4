"""How fast queues, the page of a case and a step are with very many cases. Not a test: its table stands in the README.

    .venv/bin/python tests/bench/casework.py [CASES] [--folder DIR] [--questions N] [--rounds N] [--cpu] [--plans]

Every figure is printed beside its floor, the bare SQL in the same run. The database is made once, by SQL alone: ten facts of
history a case, about one case in twenty-five open. A step is stored with synchronous=FULL, as on the node.
"""

# ruff: noqa: S608 - statements are put together from our own names alone
from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

sys.path.insert(0, str(Path(__file__).parents[2]))

from flask import Flask
from pysqlite3 import dbapi2

from appliance import database
from appliance.access import Actor
from appliance.casework import cases
from appliance.casework.catalogue import seed_catalogue
from appliance.casework.office_calendar import seed_calendar
from appliance.config import Settings
from appliance.database import db
from appliance.models.account import Account
from appliance.models.case import Case, CaseEvent
from appliance.models.person import Person
from appliance.models.roles import Role
from appliance.registry.areas import active_villages, load_areas
from tests.bench.measuring import Figure, Question, machine, spread, table
from tests.bench.population import literal_of, without_indexes
from tests.support.databases import settings_below
from tests.support.web_client import Web, officer, web_app

DISTRICT = "73.03"
AT = datetime.now(UTC).replace(microsecond=0)
PEOPLE = 20_000
EVENTS = 10
CLERKS = {"bench.bo": Role.BO, "bench.supervisor": Role.SUPERVISOR, "bench.pimpinan": Role.PIMPINAN}
_MOMENT = "strftime('%Y-%m-%d %H:%M:%S.000000', '{at}', '-' || {minutes} || ' minutes')"
_SERIES = "WITH RECURSIVE series(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < {count}) "
_OPEN_STATES = (
    "BARU",
    "VERIFIKASI",
    "TERVERIFIKASI",
    "TELAAH",
    "MENUNGGU_PENETAPAN",
    "DIRUJUK",
    "TINDAK_LANJUT",
    "PERLU_PERBAIKAN",
)


@dataclass(frozen=True)
class Bench:
    """One filled node: its pages with somebody of each role signed in, and a bare connection for the floors."""

    app: Flask
    raw: Any
    desks: dict[str, Web]
    open_ids: list[str]
    supervisor: Actor


@dataclass(frozen=True)
class Kind:
    """A kind of question, what it costs the database alone, and the goal for its p95 in milliseconds."""

    name: str
    goal: float
    ask: Callable[[Bench, str], object]
    floor: Callable[[Bench, str], object]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("cases", nargs="?", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, default=Path("/var/tmp/slrt-bench-casework"))
    parser.add_argument("--questions", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cpu", action="store_true", help="time of the processor only, for a busy machine")
    parser.add_argument("--plans", action="store_true", help="also print how SQLite answers the slowest queries")
    wanted = parser.parse_args()
    clock = time.process_time if wanted.cpu else time.perf_counter
    settings = filled(wanted.cases, wanted.folder)
    bench = opened(settings, wanted.questions)
    figures = [figure(kind, bench, clock, wanted.rounds) for kind in KINDS]
    size = settings.database_file.stat().st_size / 2**30
    print(f"{wanted.cases:,} cases, {wanted.cases * EVENTS:,} facts, {size:.2f} GB")
    print(
        f"{machine(wanted.folder)}{'; time of the processor' if wanted.cpu else ''}\n\n{table({f'{wanted.cases / 1e6:g}': figures})}"
    )
    if wanted.plans:
        print_plans(bench)


def filled(count: int, folder: Path) -> Settings:
    """Settings of a node with that many cases; filled unless it is there."""
    home = folder / str(count)
    home.mkdir(parents=True, exist_ok=True)
    settings = settings_below(home)
    done = home / "filled"
    if done.exists():
        database.upgrade(settings)
        return settings
    for old in settings.database_file.parent.glob(f"{settings.database_file.name}*"):
        old.unlink()
    database.upgrade(settings)
    with database.create_service(settings).app_context():
        load_areas(DISTRICT)
        seed_catalogue(DISTRICT, at=AT)
        seed_calendar(at=AT)
        villages = [village.code for village in active_villages()]
        db.session.remove()
        db.engine.dispose()
    begin = time.perf_counter()
    raw = dbapi2.connect(str(settings.database_file), isolation_level=None)
    for pragma in ("journal_mode=OFF", "synchronous=OFF", "foreign_keys=OFF", "cache_size=-200000"):
        raw.execute(f"PRAGMA {pragma}")
    with without_indexes(raw, ("case", "case_event")):
        _pour(raw, count, villages)
    raw.execute("ANALYZE")
    raw.close()
    database.checkpoint(settings)
    done.write_text(f"{count * (EVENTS + 1) / (time.perf_counter() - begin):,.0f} rows a second\n")
    print(f"filled: {done.read_text()}", end="", file=sys.stderr)
    return settings


def _pour(raw: Any, count: int, villages: list[str]) -> None:
    raw.execute("CREATE TEMP TABLE place (position INTEGER PRIMARY KEY, code TEXT)")
    raw.executemany("INSERT INTO place VALUES (?, ?)", enumerate(villages))
    raw.execute("CREATE TEMP TABLE kind (position INTEGER PRIMARY KEY, id TEXT)")
    raw.execute("INSERT INTO kind SELECT row_number() OVER (ORDER BY id) - 1, id FROM service_type")
    (kinds,) = raw.execute("SELECT count(*) FROM kind").fetchone()
    raw.execute("BEGIN")
    raw.execute(_people(len(villages)))
    raw.execute(_cases(count, len(villages), kinds))
    raw.execute(_events(count))
    raw.execute("COMMIT")


def _insert(model: type[Any], given: dict[str, str], source: str) -> str:
    """INSERT … SELECT of `given` SQL expressions; every other column gets what an empty form would leave in it."""
    columns = [column for column in model.__table__.columns if column.name not in given]
    rest = {column.name: literal_of(column) for column in columns}
    names = ", ".join((*given, *rest))
    return f'INSERT INTO "{model.__tablename__}" ({names}) {source.format(values=", ".join((*given.values(), *rest.values())))}'


def _stamps(moment: str) -> dict[str, str]:
    return {
        "created_at": moment,
        "updated_at": moment,
        "created_by": "'bench'",
        "updated_by": "'bench'",
        "row_version": "1",
    }


def _people(villages: int) -> str:
    given = {
        "id": "printf('0191f000-0000-7000-8000-%012x', n)",
        "name": "'Warga ' || n",
        "name_search": "'warga ' || n",
        "nik_status": "'tidak_ada'",
        "nik_reason": "'Belum merekam KTP-el'",
        "sex": "'P'",
        "village_code": f"(SELECT code FROM place WHERE position = n % {villages})",
        "status": "'hidup'",
        **_stamps(f"'{AT:%Y-%m-%d %H:%M:%S}.000000'"),
    }
    return _insert(Person, given, _SERIES.format(count=PEOPLE) + "SELECT {values} FROM series")


def _cases(count: int, villages: int, kinds: int) -> str:
    """The last are the newest, over ten years; of the newest 15 in 100 a part is open."""
    minutes = f"(({count} - n) * {10 * 365 * 24 * 60} / {count})"
    received = _MOMENT.format(at=f"{AT:%Y-%m-%d %H:%M:%S}", minutes=minutes)
    states = " ".join(f"WHEN {place} THEN '{state}'" for place, state in enumerate(_OPEN_STATES))
    is_open = f"(n > {count * 85 // 100} AND n % 4 = 0)"
    due = f"strftime('%Y-%m-%d 08:00:00.000000', {received}, '+' || (3 + n % 40) || ' days')"
    given = {
        "id": "printf('0193f000-0000-7000-8000-%012x', n)",
        "number": "printf('SLRT-7303-%06d-%05d', 201600 + n / 100000, n % 100000)",
        "channel": "'kantor'",
        "kind": "'permohonan'",
        "category": "'KB1'",
        "service_type_id": f"(SELECT id FROM kind WHERE position = n % {kinds})",
        "applicant_id": f"printf('0191f000-0000-7000-8000-%012x', n % {PEOPLE} + 1)",
        # the village of the applicant
        "village_code": f"(SELECT code FROM place WHERE position = (n % {PEOPLE} + 1) % {villages})",
        "description": "'Butuh biaya berobat'",
        "priority": "CASE WHEN n % 50 = 0 THEN 'darurat' WHEN n % 10 = 0 THEN 'cepat' ELSE 'biasa' END",
        "confidential": "n % 20 = 0",
        "state": f"CASE WHEN {is_open} THEN CASE (n / 4) % {len(_OPEN_STATES)} {states} END ELSE 'DITUTUP' END",
        "deadline": due,
        "escalate_at": f"CASE WHEN {is_open} THEN {due} END",
        "received_at": received,
        "stored_at": received,
        "state_since": received,
        **_stamps(received),
    }
    return _insert(Case, given, _SERIES.format(count=count) + "SELECT {values} FROM series")


def _events(count: int) -> str:
    given = {
        "id": "printf('0194f000-0000-7000-8000-%012x', n * 16 + position)",
        "case_id": "printf('0193f000-0000-7000-8000-%012x', n)",
        "position": "position",
        "state_from": "'BARU'",
        "state_to": "'VERIFIKASI'",
        "action": "'ambil'",
        "account_id": "'bench'",
        "account_name": "'Petugas Bangku'",
        "happened_at": f"'{AT:%Y-%m-%d %H:%M:%S}.000000'",
        "stored_at": f"'{AT:%Y-%m-%d %H:%M:%S}.000000'",
        "note": "'Sudah diperiksa bersama keluarga'",
        "details": "'{}'",
        "seal": f"'{'0' * 64}'",
    }
    places = " UNION ALL ".join(f"SELECT {place} AS position" for place in range(1, EVENTS + 1))
    return _insert(CaseEvent, given, _SERIES.format(count=count) + f"SELECT {{values}} FROM series, ({places})").replace(
        "{{}}", "{}"
    )


def opened(settings: Settings, questions: int) -> Bench:
    """The node with somebody of each role signed in."""
    app = web_app(settings)
    with app.app_context():
        for name, role in CLERKS.items():
            if not db.session.scalar(sa.select(Account.id).where(Account.username == name)):
                officer(name, role, areas=(DISTRICT,))
        account = db.session.scalars(sa.select(Account).where(Account.username == "bench.supervisor")).one()
        supervisor = Actor(account.id, account.name, account.username, frozenset({Role.SUPERVISOR}), (DISTRICT,))
    desks = {}
    for name, role in CLERKS.items():
        desks[role.value] = Web(app)
        desks[role.value].sign_in(name)
    raw = dbapi2.connect(str(settings.database_file), isolation_level=None)
    raw.execute("PRAGMA synchronous=FULL")
    chosen = raw.execute("SELECT id FROM \"case\" WHERE state = 'VERIFIKASI' ORDER BY received_at DESC LIMIT ?", (questions,))
    return Bench(app, raw, desks, [row[0] for row in chosen], supervisor)


def figure(kind: Kind, bench: Bench, clock: Callable[[], float], rounds: int) -> Figure:
    def asked(what: Callable[[Bench, str], object]) -> list[Question]:
        return [lambda case=case: what(bench, case) for case in bench.open_ids]

    print(f"\r{kind.name:<60}", end="", file=sys.stderr, flush=True)
    return Figure(kind.name, spread(asked(kind.ask), clock, rounds), spread(asked(kind.floor), clock, rounds), kind.goal)


def page(role: Role, path: str) -> Callable[[Bench, str], object]:
    def ask(bench: Bench, case_id: str) -> object:
        answer = bench.desks[role.value].get(path.format(case=case_id))
        assert answer.status_code == 200, (path, answer.status)
        return answer

    return ask


def bare(statement: str) -> Callable[[Bench, str], object]:
    return lambda bench, case_id: bench.raw.execute(statement, {"case": case_id}).fetchall()


def take_step(bench: Bench, case_id: str) -> object:
    """Between two priorities, to and fro; each a step with its history, its due time and its journal entry."""
    with bench.app.app_context():
        row = db.session.execute(sa.select(Case.row_version, Case.priority).where(Case.id == case_id)).one()
        db.session.rollback()
        other = "biasa" if row.priority == "cepat" else "cepat"
        fields = {"priority": other, "note": "Ukur"}
        return cases.move_case(
            case_id, "ubah_prioritas", fields, row_version=row.row_version, by=bench.supervisor, at=datetime.now(UTC)
        )


def store_bare(bench: Bench, case_id: str) -> object:
    """One changed row on disk, and nothing else."""
    bench.raw.execute("BEGIN IMMEDIATE")
    bench.raw.execute('UPDATE "case" SET updated_by = updated_by WHERE id = ?', (case_id,))
    return bench.raw.execute("COMMIT")


_FIRST = 'SELECT * FROM "case" WHERE state IN ({states}) ORDER BY deadline, id LIMIT 25'
_VERIFYING = _FIRST.format(states="'BARU','VERIFIKASI','TERVERIFIKASI'")
_NEWEST = 'SELECT * FROM "case" ORDER BY received_at DESC LIMIT 25'
_HISTORY = "SELECT * FROM case_event WHERE case_id = :case ORDER BY position"
_COUNTED = """SELECT state, count(*) FROM "case" WHERE state IN ('BARU','VERIFIKASI','TELAAH') GROUP BY state"""
KINDS = (
    Kind("first page, back office", 100, page(Role.BO, "/"), bare(_COUNTED)),
    Kind("first page, head", 100, page(Role.PIMPINAN, "/"), bare(_COUNTED)),
    Kind("queue: to verify", 100, page(Role.BO, "/kasus?tampil=verifikasi"), bare(_VERIFYING)),
    Kind("queue, of an age", 100, page(Role.BO, "/kasus?tampil=verifikasi&umur=30-"), bare(_VERIFYING)),
    Kind("what waits for her", 100, page(Role.BO, "/kasus?tampil=antrean"), bare(_VERIFYING)),
    Kind("late", 100, page(Role.SUPERVISOR, "/kasus?tampil=lewat"), bare(_VERIFYING)),
    Kind("due today", 100, page(Role.SUPERVISOR, "/kasus?tampil=hari-ini"), bare(_VERIFYING)),
    Kind("told to her", 100, page(Role.SUPERVISOR, "/kasus?tampil=disampaikan"), bare(_VERIFYING)),
    Kind("all cases", 100, page(Role.SUPERVISOR, "/kasus?tampil=semua"), bare(_NEWEST)),
    Kind("her own cases", 100, page(Role.BO, "/kasus?tampil=saya"), bare(_NEWEST)),
    Kind("page of a case", 60, page(Role.BO, "/kasus/{case}"), bare(_HISTORY)),
    Kind("a step, stored", 40, take_step, store_bare),
)


def print_plans(bench: Bench) -> None:
    """How SQLite answers every SELECT on cases that takes longer than 20 ms."""
    slow: dict[str, tuple[float, Any]] = {}
    with bench.app.app_context():
        engine = db.engine

    def before(connection: Any, *_: Any) -> None:
        connection.info["begun"] = time.perf_counter()

    def after(connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        taken = time.perf_counter() - connection.info["begun"]
        if statement.startswith("SELECT") and taken > 0.02:
            slow[statement] = (taken, parameters)

    sa.event.listen(engine, "before_cursor_execute", before)
    sa.event.listen(engine, "after_cursor_execute", after)
    for kind in KINDS[:-1]:
        kind.ask(bench, bench.open_ids[0])
    for statement, (taken, parameters) in slow.items():
        print(f"\n{taken * 1000:.0f} ms  {' '.join(statement.split())[:1200]}")
        for row in bench.raw.execute(f"EXPLAIN QUERY PLAN {statement}", parameters):
            print("   ", row[3])


if __name__ == "__main__":
    main()
