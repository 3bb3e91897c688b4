"""How fast a list of N residents is written, and how much memory that needs. Not a test: run it when reading or writing changes.

    .venv/bin/python tests/bench/exports.py --people 200000 [--folder DIR] [--postgres]

Each kind of file is written by a process of its own, as the worker does. The floor is reading the same rows and writing nothing.
Rows a second of processor time are the figure to compare on a machine that does other things as well.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, date, datetime
from pathlib import Path

import sqlalchemy as sa

sys.path.insert(0, str(Path(__file__).parents[2]))

from appliance import database
from appliance.access import Actor
from appliance.background import Taken
from appliance.config import Settings
from appliance.database import db, transaction
from appliance.exchange import export_run
from appliance.exchange.export_filter import ListFilter
from appliance.exchange.export_layouts import Subject
from appliance.exchange.export_rows import Rows
from appliance.exchange.exports import NewExport, ask_export
from appliance.models.account import Account, Assignment
from appliance.models.columns import new_id
from appliance.models.export import Export
from appliance.models.person import Person
from appliance.models.roles import Role
from appliance.models.task import Task
from appliance.registry.areas import villages
from appliance.work import Work
from tests.bench.people_search import fill
from tests.support.databases import postgres_server, prepare, settings_below

KINDS = (("opensid", "xlsx", False), ("siksng", "xlsx", False), ("warga", "xlsx", True), ("warga", "csv-titik-koma", True))


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
        settings = settings_below(folder, url)
        apart(settings, wanted.people, "fill")
        print(f"{wanted.people} people, {'postgresql' if url else 'sqlite'}")
        apart(settings, wanted.people, "floor")
        for kind in KINDS:
            apart(settings, wanted.people, *kind)


def apart(settings: Settings, people: int, *what: object) -> None:
    """Do it in a fresh process, so that its memory is its own."""
    process = multiprocessing.get_context("spawn").Process(target=do, args=(settings, people, *what))
    process.start()
    process.join()


def do(settings: Settings, people: int, what: str, kind: str = "", masked: bool = True) -> None:
    if what == "fill" and database.current_revision(settings) is None:
        prepare(settings)
    with database.create_service(settings).app_context():
        if what == "fill":
            fill_up(people)
            return
        by = Actor("bench", "Bench", "bench", frozenset({Role.BO}), ("73.03",))
        begin, used = time.perf_counter(), time.process_time()
        rows = read_only(by) if what == "floor" else write(settings, by, what, kind, masked)
        seconds, used = time.perf_counter() - begin, time.process_time() - used
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        speed = f"{rows / seconds:8.0f} rows/s, {rows / used:8.0f} of processor time"
        print(f"  {what:<8} {kind:<15} {speed}   {seconds:6.1f} s   at most {memory:5.0f} MB", flush=True)


def fill_up(people: int) -> None:
    """The person who asks, and whom she asks for."""
    at = datetime.now(UTC)
    there = db.session.scalar(sa.select(sa.func.count()).select_from(Person)) or 0
    if db.session.get(Account, "bench") is None:
        with transaction() as session:
            account = Account(id="bench", username="bench", name="Bench", password_hash="!", password_changed_at=at)
            held = Assignment(account_id="bench", role=Role.BO, area_codes=["73.03"], starts=date(2020, 1, 1))
            for row in (account, held):
                row.stamp("system", at)
                session.add(row)
                session.flush()
    if there < people:
        everywhere = Actor("bench", "Bench", "bench", frozenset({Role.FO}), ("73.03",))
        fill([village.code for village in villages(by=everywhere)], there, people)


def read_only(by: Actor) -> int:
    rows = Rows(Subject.PEOPLE, ListFilter(), ("73.03",), by, date(2026, 11, 20))
    return sum(len(page) for village in rows.villages() for page in rows.pages(village.code))


def write(settings: Settings, by: Actor, layout: str, kind: str, masked: bool) -> int:
    new = NewExport(layout, kind, "laporan", "Mengukur kecepatan", "Bench", masked=masked)
    export = ask_export(new, request_id=new_id(), by=by, at=datetime.now(UTC))
    task = db.session.scalars(sa.select(Task).where(Task.subject == export)).one()
    taken = Taken(task.id, task.kind, task.subject, task.asked_by, task.done)
    export_run.run(taken, Work(settings, lambda: datetime.now(UTC), lambda: False))
    with transaction() as session:
        session.get_one(Task, task.id).state = "selesai"
        return session.get_one(Export, export).row_count or 0


if __name__ == "__main__":
    main()
