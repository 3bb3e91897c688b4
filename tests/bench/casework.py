"""How fast the casework answers among a million cases with ten million facts. Not a test: its table stands in the README.

    .venv/bin/python tests/bench/casework.py [CASES] [--postgres CASES] [--folder DIR] [--questions N] [--rounds N] [--cpu] [--each]

Every list of every role is asked for: its first page, a page far down, each filter. A row of the table is the worst of its kind; `--each`
prints every page by itself. Beside each stands its floor, the bare query in the same run. A step is stored with synchronous=FULL, and
the database knows of its indexes what a day's look tells it, as on the node. `--cpu` counts the time of the processor only, for a
machine that is busy.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

sys.path.insert(0, str(Path(__file__).parents[2]))

import psycopg
from flask import Flask
from pysqlite3 import dbapi2

from appliance import database
from appliance.access import Actor
from appliance.casework import cases
from appliance.casework.catalogue import unit_id
from appliance.config import Settings
from appliance.database import db
from appliance.letters import letters, office
from appliance.letters.letters import NewLetter
from appliance.models.account import Account, Assignment
from appliance.models.case import Case
from appliance.models.columns import new_id
from appliance.models.letter import Letter
from appliance.models.roles import Role
from tests.bench.case_population import DISTRICT, EVENTS, with_cases
from tests.bench.measuring import Figure, Question, Spread, machine, spread, table
from tests.bench.population import copied
from tests.support.databases import postgres_server
from tests.support.web_client import Web, officer, web_app

VILLAGES, SUBDISTRICT = ("73.03.01.1001", "73.03.01.1002", "73.03.06.2001"), ("73.03.01",)
# Who sits at which desk, with one role or two.
DESKS: dict[str, tuple[tuple[Role, tuple[str, ...]], ...]] = {
    "facilitator": ((Role.FASILITATOR, VILLAGES[:1]),),
    "facilitator of three": ((Role.FASILITATOR, VILLAGES),),
    "counter": ((Role.FO, (DISTRICT,)),),
    "back office": ((Role.BO, (DISTRICT,)),),
    "supervisor": ((Role.SUPERVISOR, (DISTRICT,)),),
    "supervisor of one": ((Role.SUPERVISOR, SUBDISTRICT), (Role.FASILITATOR, VILLAGES[2:])),
    "manager": ((Role.MANAJER, (DISTRICT,)),),
    "Puskesos": ((Role.KOORDINATOR_PUSKESOS, SUBDISTRICT), (Role.BO_PUSKESOS, SUBDISTRICT)),
    "TKSK": ((Role.TKSK, SUBDISTRICT),),
    "signatory": ((Role.PENANDATANGAN, (DISTRICT,)),),
    "head": ((Role.PIMPINAN, (DISTRICT,)),),
}
OPD = "organisation"
FILTERS = (
    *("status=VERIFIKASI", "status=DITUTUP", "status=DITOLAK", f"desa={VILLAGES[0]}", "kecamatan=73.03.06", "layanan={service}"),
    *("prioritas=darurat", "prioritas=biasa", "umur=0-3", "umur=30-", "petugas=saya", "petugas=belum"),
    *(
        "layanan={service}&prioritas=darurat",
        "layanan={service}&kecamatan=73.03.06&petugas=belum",
        "status=DUPLIKAT&prioritas=darurat",
    ),
    f"desa={VILLAGES[0]}&status=DITOLAK&layanan={{service}}",
)
LETTER_LISTS = (
    *("register", "proses", "giliran", "register&status=KEDALUWARSA", "register&status=BATAL", "register&naskah=rujukan"),
    *("register&nomor=400.9/5/DINSOS", "register&sejak=01-01-2018&sampai=31-01-2018", "register&sebelum={letter}"),
)
REFERRAL_STATES = ("", "DIKIRIM", "DITERIMA", "DIPROSES", "DIJAWAB", "DITOLAK", "DIKEMBALIKAN", "lewat")


@dataclass(frozen=True)
class Bench:
    """One filled node: its pages with somebody at each desk, and a bare connection for the floors."""

    app: Flask
    raw: Any
    desks: dict[str, Web]
    open_ids: list[str]
    long_ids: list[str]
    actors: dict[str, Actor]
    words: dict[str, str]

    def bare(self, statement: str) -> list[Any]:
        return list(self.raw.execute(statement).fetchall())


@dataclass(frozen=True)
class Kind:
    """Questions of one kind by their names, what each costs the database alone, and the goal for the p95 in milliseconds."""

    name: str
    goal: float
    asked: dict[str, Question]
    floor: Question


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("cases", nargs="?", type=int, default=1_000_000)
    parser.add_argument("--postgres", type=int, default=0, metavar="CASES", help="also so many cases on PostgreSQL")
    parser.add_argument("--folder", type=Path, default=Path("/var/tmp/slrt-bench"))
    parser.add_argument("--questions", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cpu", action="store_true", help="time of the processor only")
    parser.add_argument("--each", action="store_true", help="print every page by itself, the slowest first")
    wanted = parser.parse_args()
    clock = time.process_time if wanted.cpu else time.perf_counter
    settings = with_cases(wanted.cases, wanted.folder)
    size = settings.database_file.stat().st_size / 2**30
    _measure(opened(settings, wanted.questions), f"{wanted.cases:,} cases", clock, wanted)
    print(f"\n{wanted.cases:,} cases, at least {wanted.cases * EVENTS:,} facts, {size:.2f} GB")
    if wanted.postgres:
        with postgres_server() as server:
            there = copied(with_cases(wanted.postgres, wanted.folder), server.create("bench"))
            # What the server does is no time of this process: always by the clock.
            _measure(opened(there, wanted.questions), f"{wanted.postgres:,} cases on PostgreSQL", time.perf_counter, wanted)
    print(f"\n{machine(wanted.folder)}{'; time of the processor' if wanted.cpu else ''}")


def _measure(bench: Bench, size: str, clock: Callable[[], float], wanted: argparse.Namespace) -> None:
    each: list[tuple[float, str]] = []
    figures = [_figure(kind, clock, wanted.rounds, each) for kind in kinds(bench)]
    print(f"\n{table({size: figures})}")
    if wanted.each:
        print(*(f"{taken:8.1f} ms  {name}" for taken, name in sorted(each, reverse=True)), sep="\n")
    bench.raw.close()
    with bench.app.app_context():
        db.session.remove()
        db.engine.dispose()


def _figure(kind: Kind, clock: Callable[[], float], rounds: int, each: list[tuple[float, str]]) -> Figure:
    print(f"{kind.name} …", end=" ", file=sys.stderr, flush=True)
    alone: list[Spread] = [spread([question], clock, rounds) for question in kind.asked.values()]
    each += [(one.p95, f"{kind.name}: {name}") for one, name in zip(alone, kind.asked, strict=True)]
    middle = sorted(one.p50 for one in alone)
    taken = Spread(middle[len(middle) // 2], middle[min(len(middle) - 1, int(len(middle) * 0.95))])
    slowest = max(zip((one.p95 for one in alone), kind.asked, strict=True))
    print(f"p95 {taken.p95:.1f} ms, at most {slowest[0]:.1f} ms: {slowest[1]}", file=sys.stderr, flush=True)
    return Figure(kind.name, taken, spread([kind.floor] * 5, clock, rounds), kind.goal)


def opened(settings: Settings, questions: int) -> Bench:
    """The node with somebody at each desk."""
    app = web_app(settings)
    with app.app_context():
        known = {name: _account(name) for name in (*DESKS, OPD)}
        actors = {
            name: Actor(account.id, account.name, account.username, frozenset({DESKS[name][0][0]}), DESKS[name][0][1])
            for name, account in known.items()
            if name in DESKS
        }
        db.session.remove()
    desks = {name: Web(app) for name in known}
    for name, web in desks.items():
        web.sign_in(known[name].username)
    url = settings.database.url.replace("+psycopg", "")
    raw = psycopg.connect(url, autocommit=True) if url else dbapi2.connect(str(settings.database_file), isolation_level=None)
    newest = f"SELECT id FROM \"case\" WHERE state = 'VERIFIKASI' ORDER BY received_at DESC LIMIT {questions}"  # noqa: S608
    (service,) = raw.execute("SELECT code FROM service_type ORDER BY id LIMIT 1").fetchone()
    found = [row[0] for row in raw.execute(newest)]
    return Bench(app, raw, desks, found, found[:20], actors, {"service": service, **_places(raw)})


def _account(name: str) -> Account:
    """The account of a desk, made unless it is there."""
    username = f"bench.{name.replace(' ', '-').lower()}"
    found = sa.select(Account).where(Account.username == username)
    if db.session.scalar(found) is None:
        posts = DESKS.get(name, ((Role.OPD, ()),))
        unit = unit_id("dinkes") if name == OPD else None
        account = officer(username, posts[0][0], areas=posts[0][1], unit=unit)
        for role, areas in posts[1:]:
            with database.transaction() as session:
                more = Assignment(account_id=account, role=role.value, area_codes=list(areas), starts=date(2020, 1, 1))
                more.stamp("system", datetime.now(UTC))
                session.add(more)
    return db.session.scalars(found).one()


def _places(raw: Any) -> dict[str, str]:
    """Where pages far down begin: in the middle of all cases, of the open ones, and of the letters."""

    def middle(statement: str) -> Any:
        return raw.execute(statement).fetchone()

    received, newest = middle(
        'SELECT received_at, id FROM "case" ORDER BY received_at LIMIT 1 OFFSET (SELECT count(*) / 2 FROM "case")'
    )
    due, urgent = middle("SELECT deadline, id FROM \"case\" WHERE state = 'TELAAH' ORDER BY deadline LIMIT 1 OFFSET 50")
    issued, letter = middle(
        "SELECT issued_at, id FROM letter WHERE issued_at IS NOT NULL ORDER BY issued_at LIMIT 1 OFFSET (SELECT count(*) / 3 FROM letter)"
    )

    def moment(value: Any) -> datetime:
        return value if isinstance(value, datetime) else datetime.fromisoformat(value).replace(tzinfo=UTC)

    return {
        "newest": f"{moment(received).astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}~{newest}",
        "urgent": f"2~{moment(due).astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}~{urgent}",
        "letter": f"{int(moment(issued).timestamp() * 1_000_000)}_{letter}",
    }


def kinds(bench: Bench) -> Iterator[Kind]:
    """All that is measured."""
    lists = {desk: tabs for desk in DESKS if (tabs := _tabs(bench, desk))}
    yield _pages(bench, "first page after signing in", 100, dict.fromkeys(bench.desks, ("/",)), _COUNTED)
    yield _pages(bench, "queues", 100, _each(lists, "/kasus?tampil={}"), _FIRST)
    yield _pages(bench, "queues, far down", 100, _far(lists), _FIRST)
    for view in ("antrean", "verifikasi", "terbuka", "lewat", "saya", "semua"):
        offered = {desk: tuple(f"/kasus?tampil={view}&{one}" for one in FILTERS) for desk, tabs in lists.items() if view in tabs}
        yield _pages(bench, f"filters of {view}", 100, offered, _NEWEST)
    found = _searches(bench, ("siti aminah", "muhammad", "SLRT-7303-2020", "SLRT-7303-202004-0", "muh yusuf"))
    yield _pages(bench, "cases of a name or number", 100, found, _NEWEST)
    referrals = (*tuple(f"/rujukan?status={state}" for state in REFERRAL_STATES), "/rujukan?page=30")
    yield _pages(
        bench, "referrals", 100, dict.fromkeys((OPD, "back office", "facilitator", "manager", "head"), referrals), _REFERRED
    )
    offered = tuple(f"/surat?tampil={one}" for one in LETTER_LISTS)
    readers = (OPD, "facilitator", "facilitator of three", "back office", "manager", "signatory", "head", "Puskesos")
    yield _pages(bench, "letters", 100, dict.fromkeys(readers, offered), _LETTERS)
    shown = tuple(f"/kasus/{case}" for case in bench.open_ids[20:])
    yield _pages(bench, "page of a case", 60, {"back office": shown, "manager": shown}, _history(bench.open_ids[-1]))
    shown = tuple(f"/kasus/{case}" for case in bench.long_ids)
    yield _pages(bench, "page of a case with 200 facts", 60, {"back office": shown}, _history(bench.long_ids[0]))
    yield Kind(
        "a step, stored", 40, {case: lambda case=case: _step(bench, case) for case in bench.open_ids}, lambda: _store(bench)
    )
    papers = _letters_to_issue(bench)
    yield Kind(
        "a letter, numbered and drawn", 1500, {one: lambda one=one: _draw(bench, one) for one in papers}, lambda: _store(bench)
    )


def _pages(bench: Bench, name: str, goal: float, paths: dict[str, tuple[str, ...]], floor: str) -> Kind:
    asked = {
        f"{desk} {path}": (lambda desk=desk, path=path: _get(bench, desk, path))
        for desk, some in paths.items()
        for path in (one.format(**bench.words) for one in some)
    }
    return Kind(name, goal, asked, lambda: bench.bare(floor))


def _get(bench: Bench, desk: str, path: str) -> object:
    answer = bench.desks[desk].get(path)
    assert answer.status_code == 200, (desk, path, answer.status)
    return answer


def _tabs(bench: Bench, desk: str) -> tuple[str, ...]:
    """The lists that a desk is offered."""
    return tuple(dict.fromkeys(re.findall(r'href="/kasus\?tampil=([a-z-]+)"', bench.desks[desk].get("/kasus").text)))


def _each(lists: dict[str, tuple[str, ...]], path: str) -> dict[str, tuple[str, ...]]:
    return {desk: tuple(path.format(tab) for tab in tabs) for desk, tabs in lists.items()}


def _far(lists: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    by_age = {"terbuka", "lewat", "hari-ini", "disampaikan", "darurat", "luar", "saya", "semua"}
    return {
        desk: tuple(f"/kasus?tampil={tab}&sesudah={{{'newest' if tab in by_age else 'urgent'}}}" for tab in tabs)
        for desk, tabs in lists.items()
    }


def _searches(bench: Bench, texts: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Where the pages of what was found lie: the words are sealed in the address."""
    found = {}
    for desk in ("facilitator", "back office", "manager", "supervisor of one"):
        web = bench.desks[desk]
        web.get("/kasus?tampil=semua")
        asked = [web.post("/kasus/cari", {"text": text, "view": view}) for text in texts for view in ("semua", "terbuka")]
        found[desk] = tuple(answer.headers["Location"] for answer in asked)
    return found


def _step(bench: Bench, case_id: str) -> object:
    """Between two priorities, to and fro; each a step with its history, its due time and its journal entry."""
    with bench.app.app_context():
        row = db.session.execute(sa.select(Case.row_version, Case.priority).where(Case.id == case_id)).one()
        db.session.rollback()
        other = "biasa" if row.priority == "cepat" else "cepat"
        given: dict[str, Any] = {"row_version": row.row_version, "by": bench.actors["supervisor"], "at": datetime.now(UTC)}
        return cases.move_case(case_id, "ubah_prioritas", {"priority": other, "note": "Ukur"}, **given)


def _letters_to_issue(bench: Bench) -> list[str]:
    """Letters about the open cases, all of them approved."""
    with bench.app.app_context():
        fields = office.SignatoryFields("Dra. Hj. Nurhayati, M.Si.", "Kepala Dinas Sosial", "Pembina", "197001011995032001")
        admin = Actor("bench", "Bench", "bench", frozenset({Role.ADMIN}), (DISTRICT,))
        signer = office.save_signatory(None, fields, by=admin, at=datetime.now(UTC))
        made = []
        for case in bench.open_ids:
            typed = NewLetter(wording="sktm", purpose="Biaya berobat", signatory_id=signer, again=True)
            given = {"by": bench.actors["back office"], "at": datetime.now(UTC)}
            made.append(letters.draft_letter(case, typed, request_id=new_id(), **given))  # type: ignore[arg-type]
            letters.initial_letter(made[-1], row_version=1, by=bench.actors["manager"], at=datetime.now(UTC))
            letters.approve_letter(made[-1], row_version=2, by=bench.actors["signatory"], at=datetime.now(UTC))
        return made


def _draw(bench: Bench, letter: str) -> object:
    """Issue it; when it is issued already, draw the paper once more."""
    with bench.app.app_context():
        row = db.session.execute(sa.select(Letter.row_version, Letter.number).where(Letter.id == letter)).one()
        db.session.rollback()
        if row.number is None:
            return letters.issue_letter(letter, row_version=row.row_version, by=bench.actors["back office"], at=datetime.now(UTC))
        with database.transaction() as session:
            session.execute(sa.update(Letter).where(Letter.id == letter).values(pdf=""))
        return letters.ensure_paper(letter)


def _store(bench: Bench) -> object:
    """One changed row on disk, and nothing else."""
    bench.raw.execute("BEGIN" if bench.app.config["SLRT_SETTINGS"].database.url else "BEGIN IMMEDIATE")
    bench.raw.execute(f"UPDATE \"case\" SET updated_by = updated_by WHERE id = '{bench.open_ids[0]}'")  # noqa: S608
    return bench.raw.execute("COMMIT")


def _history(case_id: str) -> str:
    return f"SELECT * FROM case_event WHERE case_id = '{case_id}' ORDER BY position"  # noqa: S608


_FIRST = "SELECT id FROM \"case\" WHERE state IN ('BARU', 'VERIFIKASI', 'TERVERIFIKASI') ORDER BY deadline, id LIMIT 25"
_NEWEST = 'SELECT * FROM "case" ORDER BY received_at DESC LIMIT 25'
_COUNTED = """SELECT state, count(*) FROM "case" WHERE state IN ('BARU', 'VERIFIKASI', 'TELAAH') GROUP BY state"""
_REFERRED = "SELECT * FROM referral WHERE state = 'DIKIRIM' ORDER BY reply_due LIMIT 25"
_LETTERS = "SELECT * FROM letter WHERE issued_at IS NOT NULL ORDER BY issued_at DESC LIMIT 25"


if __name__ == "__main__":
    main()
