"""How fast a list of all residents is written, and how much memory that needs. Not a test: run it when reading or writing changes.

    .venv/bin/python tests/bench/exports.py [SIZE] [--folder DIR]

Each kind of file is written by a process of its own, as the worker does. The floor is reading the same rows and writing nothing.
Rows a second of processor time are the figure to compare on a machine that does other things as well.

Measured with 200,000 residents on SQLite, on one of two cores, rows a second: floor 31,200; OpenSID 5,400; SIKS-NG 5,600; plain XLSX
5,300; CSV 17,100. At most 135 MB.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import time
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
from appliance.models.roles import Role
from appliance.models.task import Task
from appliance.work import Work
from tests.bench.measuring import machine
from tests.bench.population import AT, SIZES, populated

KINDS = (("opensid", "xlsx", False), ("siksng", "xlsx", False), ("warga", "xlsx", True), ("warga", "csv-titik-koma", True))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("size", choices=SIZES, nargs="?", default="0.2")
    parser.add_argument("--folder", type=Path, default=Path("/var/tmp/slrt-bench"))
    wanted = parser.parse_args()
    settings = populated(SIZES[wanted.size], wanted.folder)
    print(machine(wanted.folder))
    apart(settings, "employ")
    apart(settings, "floor")
    for kind in KINDS:
        apart(settings, *kind)


def apart(settings: Settings, *what: object) -> None:
    """Do it in a fresh process, so that its memory is its own."""
    process = multiprocessing.get_context("spawn").Process(target=do, args=(settings, *what))
    process.start()
    process.join()


def do(settings: Settings, what: str, kind: str = "", masked: bool = True) -> None:
    district = settings.node.district
    with database.create_service(settings).app_context():
        if what == "employ":
            employ(district)
            return
        by = Actor("bench", "Bench", "bench", frozenset({Role.BO}), (district,))
        begin, used = time.perf_counter(), time.process_time()
        rows = read_only(by, district) if what == "floor" else write(settings, by, what, kind, masked)
        seconds, used = time.perf_counter() - begin, time.process_time() - used
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        speed = f"{rows / seconds:8.0f} rows/s, {rows / used:8.0f} of processor time"
        print(f"  {what:<8} {kind:<15} {speed}   {seconds:6.1f} s   at most {memory:5.0f} MB", flush=True)


def employ(district: str) -> None:
    """The person who asks."""
    if db.session.get(Account, "bench") is not None:
        return
    with transaction() as session:
        account = Account(id="bench", username="bench", name="Bench", password_hash="!", password_changed_at=AT)
        held = Assignment(account_id="bench", role=Role.BO, area_codes=[district], starts=date(2020, 1, 1))
        for row in (account, held):
            row.stamp("system", AT)
            session.add(row)
            session.flush()


def read_only(by: Actor, district: str) -> int:
    rows = Rows(Subject.PEOPLE, ListFilter(), (district,), by, date(2026, 11, 20))
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
