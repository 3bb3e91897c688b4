"""How fast a village's sheet is read, checked, stored and taken back, and how much memory that needs. Not a test.

    .venv/bin/python tests/bench/imports.py --rows 100000 [--folder DIR] [--shared] [--postgres]

Each step runs in a process of its own, as the worker does, so that its highest memory is its own. The floor is the spreadsheet library
alone reading the same file. The file is kept and used again when a folder is named.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from xlsxwriter import Workbook

sys.path.insert(0, str(Path(__file__).parents[2]))

from appliance import database
from appliance.access import Actor
from appliance.config import Settings
from appliance.database import db, transaction
from appliance.exchange import imports
from appliance.exchange.imports import Choice
from appliance.gate import Gate
from appliance.models.account import Account, Assignment
from appliance.models.roles import Role
from appliance.models.task import Task
from appliance.work import Work, do_everything
from tests.bench.measuring import Run, highest_memory, machine
from tests.support.databases import postgres_server, prepare, settings_below
from tests.support.opensid import COLUMNS

VILLAGE = "73.03.01.1001"
FIRST = (
    "Muhammad",
    "Muh.",
    "Siti",
    "Nur",
    "Andi",
    "Abd.",
    "Ahmad",
    "Sri",
    "St.",
    "Baharuddin",
    "Hasnah",
    "Rosmini",
    "Kasmawati",
    "Ilham",
)
LAST = (
    "Yusuf",
    "Aminah",
    "Rahman",
    "Hidayat",
    "Wahyuni",
    "Amir",
    "Basri",
    "Ramli",
    "Hamzah",
    "Salmah",
    "Suriani",
    "Lestari",
    "Tompo",
    "Manai",
)
FLOOR, STEPS = "floor", ("check", "store", "again", "undo")
NAMES = {
    FLOOR: "reading the file alone",
    "check": "check",
    "store": "store",
    "again": "check it again",
    "undo": "take back",
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--shared", action="store_true", help="shared strings, as Excel writes them")
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--step", choices=(FLOOR, *STEPS), help="for the benchmark itself")
    parser.add_argument("--url", default="")
    wanted = parser.parse_args()
    if wanted.step:
        run_step(wanted.step, wanted.folder, wanted.url)
        return
    with ExitStack() as stack:
        folder = wanted.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        url = stack.enter_context(postgres_server()).create("bench") if wanted.postgres else ""
        measure(folder, wanted.rows, url, shared=wanted.shared)


def measure(folder: Path, rows: int, url: str, *, shared: bool) -> list[Run]:
    """The floor and every step over a file of so many rows; each is printed as soon as it is known."""
    file = folder / f"penduduk-{rows}{'-shared' if shared else ''}.xlsx"
    if not file.exists():
        print(f"writing {file.name} …", file=sys.stderr)
        generate(file, rows, shared=shared)
    with tempfile.TemporaryDirectory(dir=folder) as below:
        node = Path(below)
        settings = settings_below(node, url)
        prepare(settings)
        with database.create_service(settings).app_context():
            ask(settings, file)
        print(f"{rows:,} rows of {len(COLUMNS)} columns, {file.stat().st_size / 1e6:.1f} MB; {machine(folder)}")
        (node / "file").symlink_to(file.absolute())
        runs: list[Run] = []
        for step in (FLOOR, *STEPS):
            runs.append(_step(step, node, url, rows))
            ratio = runs[-1].cpu / runs[0].cpu
            print(
                f"  {NAMES[step]:<22} {runs[-1].rate(cpu=False):8,.0f} rows/s   {runs[-1].rate(cpu=True):8,.0f} rows/s of CPU"
                f"   {runs[-1].memory:5.0f} MB   {ratio:5.1f} × the floor",
                flush=True,
            )
        return runs


def _step(step: str, node: Path, url: str, rows: int) -> Run:
    command = [sys.executable, __file__, "--step", step, "--folder", str(node), "--url", url]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    seconds, cpu, memory = map(float, ended.stdout.split()[-3:])
    return Run(NAMES[step], rows, seconds, cpu, memory)


def run_step(step: str, node: Path, url: str) -> None:
    """One step in this process; prints its seconds, those of CPU, and the highest memory in MB."""
    file = node / "file"
    if step == FLOOR:
        import python_calamine

        begin, cpu = time.perf_counter(), time.process_time()
        for _ in python_calamine.CalamineWorkbook.from_path(file).get_sheet_by_index(0).iter_rows():
            pass
    else:
        settings = settings_below(node, url)
        with database.create_service(settings).app_context():
            if step != "check":
                next_step(settings, step, file)
            begin, cpu = time.perf_counter(), time.process_time()
            gate = Gate(node / "run" / "gate.lock", node / "run" / "state.json")
            do_everything(Work(settings, lambda: datetime.now(UTC), lambda: False), gate)
            said = db.session.scalar(sa.select(Task.text).order_by(Task.asked_at.desc()).limit(1))
            print(said, file=sys.stderr)
    print(time.perf_counter() - begin, time.process_time() - cpu, highest_memory())


def ask(settings: Settings, file: Path) -> None:
    at = datetime.now(UTC)
    with transaction() as session:
        account = Account(username="bench", name="Bench", password_hash="!", password_changed_at=at)
        account.stamp("system", at)
        session.add(account)
        session.flush()
        right = Assignment(account_id=account.id, role=Role.BO.value, area_codes=["73.03"], starts=date(2020, 1, 1))
        right.stamp("system", at)
        session.add(right)
    choose(file, actor())


def actor() -> Actor:
    account = db.session.scalars(sa.select(Account)).one()
    return Actor(account.id, account.name, account.username, frozenset({Role.BO}), ("73.03",))


def choose(file: Path, by: Actor) -> None:
    at = datetime.now(UTC)
    with file.open("rb") as stream:
        import_id = imports.receive(stream, file.name, request_id=f"bench {at}", by=by, at=at)
    seen = imports.look_at_import(import_id, by=by)
    known = seen.choice
    choice = Choice(known.layout, known.sheet, known.header_row, known.mapping, "perbarui", VILLAGE)
    imports.check_import(import_id, choice, row_version=seen.row_version, by=by, at=at)


def next_step(settings: Settings, step: str, file: Path) -> None:
    by, at = actor(), datetime.now(UTC)
    newest = imports.list_imports(by=by)[0]
    if step == "store":
        seen = imports.look_at_import(newest.id, by=by)
        imports.store_import(newest.id, row_version=seen.row_version, by=by, at=at)
    elif step == "again":
        choose(file, by)
    else:
        imports.undo_import(imports.list_imports(by=by)[-1].id, by=by, at=at)
    db.session.rollback()


def generate(file: Path, rows: int, *, shared: bool) -> None:
    """Families of four with every column that villages fill; the same people on every machine."""
    dice = random.Random(7)  # noqa: S311
    with Workbook(str(file), {"constant_memory": not shared}) as book:
        sheet = book.add_worksheet("Data Penduduk")
        for at, name in enumerate(COLUMNS):
            sheet.write_string(0, at, name)
        for number in range(rows):
            for at, cell in enumerate(resident(number, dice)):
                if cell:
                    sheet.write_string(number + 1, at, cell)
        sheet.write_string(rows + 1, 1, "###")


def resident(number: int, dice: random.Random) -> list[str]:
    born = date(1945, 1, 1) + timedelta(days=dice.randrange(28000))
    woman = number % 4 in {1, 3}
    day = born.day + (40 if woman else 0)
    row = {
        "alamat": f"Jl. Poros {number // 40}", "dusun": f"Dusun {number % 7}", "rw": "001", "rt": f"{number % 9 + 1:03}",
        "nama": f"{dice.choice(FIRST)} {dice.choice(LAST)} {dice.choice(LAST)}", "no_kk": f"73030101{number // 4 + 10_000_000:08}",
        "nik": f"7303{number // 9999 % 99 + 1:02}{day:02}{born.month:02}{born.year % 100:02}{number % 9999 + 1:04}", "sex": "2" if woman else "1",
        "tempatlahir": "Bantaeng", "tanggallahir": born.strftime("%d-%m-%Y"), "agama_id": "1", "pendidikan_kk_id": str(number % 8 + 1),
        "pendidikan_sedang_id": "18", "pekerjaan_id": str(number % 88 + 1), "status_kawin": "2", "kk_level": ("1", "3", "4", "4")[number % 4],
        "warganegara_id": "1", "ayah_nik": f"7303{number:012}", "nama_ayah": dice.choice(FIRST), "ibu_nik": f"7303{number + 7:012}",
        "nama_ibu": dice.choice(LAST), "golongan_darah_id": "13", "akta_lahir": f"AL-{number}", "cacat_id": "7", "ktp_el": "1",
        "status_rekam": "8", "status_dasar": "1", "suku": "Makassar", "id_asuransi": "2", "no_asuransi": f"000{number:010}",
        "lat": f"-5.5{number % 1000}", "lng": f"119.9{number % 1000}",
    }  # fmt: skip
    return [row.get(column, "") for column in COLUMNS]


if __name__ == "__main__":
    main()
