"""Seventy people of an office at work at once, over TLS, among a million cases: how long each page lets them wait.

    .venv/bin/python tests/bench/load.py [--cases 1000000] [--people 70] [--seconds 300] [--think 8] [--folder DIR]

Everybody signs in by her role and reads, searches, opens cases, takes steps, refers, answers, and writes letters, with a while of
thinking between two pages. The node is the real one: nginx as provisioned, gunicorn with the project's configuration, SQLite that
is on disk when it says so. Afterwards every acknowledged answer is looked for in the database: what is lost or doubled is an error.
All of it runs on one machine, the seventy browsers too; their share of the processor is told.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import ssl
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

sys.path.insert(0, str(Path(__file__).parents[2]))

from appliance import database
from appliance.casework.catalogue import unit_id
from appliance.config import Settings
from appliance.database import db
from appliance.models.area import Area, Level
from appliance.models.case import Case, CaseEvent, Referral
from appliance.models.letter import Letter
from appliance.models.person import Person as Resident
from appliance.models.roles import Role
from appliance.registry.programme_seed import seed_programmes
from tests.bench.case_population import with_cases
from tests.bench.load_browser import Browser, Refused, Tally
from tests.bench.load_node import FLOOR_PATH, RunningNode, running_node
from tests.bench.load_people import Pace, Person, Post, posts
from tests.bench.measuring import machine
from tests.bench.population import SIZES, populated
from tests.support import desk, letters
from tests.support.databases import settings_below
from tests.support.staff import Staff, hire
from tests.support.web_client import officer, web_settings

GOAL, LETTER_GOAL = 250.0, 1500.0
LETTERS = ("GET /surat/…/pratinjau.pdf", "POST /surat/…/langkah/terbitkan")
FLOOR = f"GET {FLOOR_PATH}"
# So many cases came in the last days: new ones, some on the desk of the back office, some decided, some with an organisation.
NEW, IN_REVIEW, DECIDED, SENT = 80, 25, 20, 25
# So many of their letters are drafts, or approved and wait for their number.
DRAFTS, APPROVED = 10, 20
NAMES = 40


@dataclass(frozen=True)
class Stored:
    """What the database holds: identifiers by kind, and how often each step was taken."""

    cases: frozenset[str]
    people: frozenset[str]
    letters: frozenset[str]
    referrals: int
    steps: Counter[str]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cases", type=int, default=1_000_000, help="how many there are before the day begins; 0 for none")
    parser.add_argument("--people", type=int, default=70)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--think", type=float, default=8, help="seconds between two pages of one person, on average")
    parser.add_argument("--folder", type=Path, default=Path("/var/tmp/slrt-bench"), help="where the district is kept")
    wanted = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what it started ends with it
    with tempfile.TemporaryDirectory(dir=wanted.folder if wanted.folder.exists() else None, prefix="load-") as scratch:
        district = with_cases(wanted.cases, wanted.folder) if wanted.cases else populated(SIZES["0.2"], wanted.folder)
        settings = _copy_of(district, Path(scratch))
        with _inside(settings):
            staff, service = _furnish(wanted.people)
            before = _stored()
        print(machine(Path(scratch)))
        with running_node(settings, Path(scratch)) as node:
            tally, shares = _work(node, settings, staff, service, wanted)
        with _inside(settings):
            wrong = _compare(before, _stored(), tally)
        if any(tally.errors.values()):
            print(_faults(Path(scratch)))
    print(_table(tally), _shares(shares, wanted.seconds), sep="\n\n")
    return _tell(tally, wrong)


def _copy_of(district: Settings, folder: Path) -> Settings:
    settings = settings_below(folder)
    settings.database_file.parent.mkdir()
    shutil.copyfile(district.database_file, settings.database_file)
    return web_settings(settings)


@contextmanager
def _inside(settings: Settings) -> Iterator[None]:
    with database.create_service(settings).app_context():
        yield
        db.session.remove()
        db.engine.dispose()


def _furnish(people: int) -> tuple[list[Post], str]:
    """Accounts for everybody and a stock of cases; who signs in, and the service that they ask for."""
    seed_programmes(at=datetime.now(UTC))
    villages = sorted(db.session.scalars(sa.select(Area.code).where(Area.level == Level.VILLAGE, Area.code.startswith("73.03"))))
    staff: list[Post] = []
    for number, (username, role) in enumerate(posts(people)):
        own = (villages[number % len(villages)],) if role is Role.FASILITATOR else ("73.03",)
        officer(username, role, areas=() if role is Role.OPD else own, unit=unit_id("dinkes") if role is Role.OPD else None)
        found = sa.select(Resident.name).where(Resident.village_code.in_(own if role is Role.FASILITATOR else villages[::9]))
        staff.append(
            Post(username, role, tuple(db.session.scalars(found.order_by(Resident.nik).offset(number * 7).limit(NAMES))))
        )
    _stock()
    return staff, desk.service()


def _stock() -> None:
    hired = hire()
    signer = letters.signers(hired)
    alive = sa.select(Resident.id).where(Resident.status == "hidup", Resident.nik.is_not(None)).order_by(Resident.nik)
    for number, person in enumerate(db.session.scalars(alive.limit(NEW + IN_REVIEW + DECIDED + SENT)).all()):
        if number < NEW:
            case = desk.open_case(hired.fo, person, service_type_id=desk.service())
            if number < DRAFTS + APPROVED:
                (letters.drafted if number < DRAFTS else letters.approved)(hired, signer, case, again=True)
        elif number < NEW + IN_REVIEW:
            desk.verify(desk.open_case(hired.fo, person, service_type_id=desk.service()), hired.bo)
        elif number < NEW + IN_REVIEW + DECIDED:
            _decide(hired, person)
        else:
            desk.referred(hired, _decide(hired, person))


def _decide(hired: Staff, person: str) -> str:
    case = desk.open_case(hired.fo, person, service_type_id=desk.service())
    desk.verify(case, hired.bo)
    desk.move(case, hired.bo, "ajukan", recommendation="Rujuk")
    desk.move(case, hired.manager, "tetapkan_dirujuk")
    return case


def _work(
    node: RunningNode, settings: Settings, staff: list[Post], service: str, wanted: argparse.Namespace
) -> tuple[Tally, dict[str, float]]:
    """Let everybody work for so long; what they were answered, and the processor seconds of all who took part."""
    trust = ssl.create_default_context(cadata=node.authority)
    tally, pace = Tally(), Pace(wanted.think, min(30.0, wanted.seconds / 5), threading.Event())
    work = [Person(post, Browser(node, trust, tally), pace, service).work for post in staff]
    threads = [threading.Thread(target=one, daemon=True) for one in work]
    threads.append(threading.Thread(target=_measure_floor, args=(Browser(node, trust, tally), pace), daemon=True))
    threads.append(threading.Thread(target=_keep_log_short, args=(settings, pace), daemon=True))
    before, own = node.seconds(), time.process_time()
    for thread in threads:
        thread.start()
    pace.over.wait(wanted.seconds)
    pace.over.set()
    for thread in threads:
        thread.join()
    after = node.seconds()
    return tally, {"browsers": time.process_time() - own} | {name: after[name] - before[name] for name in after}


def _measure_floor(browser: Browser, pace: Pace) -> None:
    while not pace.over.wait(0.5):
        try:
            browser.visit(FLOOR_PATH)
        except Refused:
            continue
    browser.close()


def _keep_log_short(settings: Settings, pace: Pace) -> None:
    """The scheduler's work, once a minute as there."""
    while not pace.over.wait(60):
        database.checkpoint(settings)


def _stored() -> Stored:
    steps = db.session.execute(sa.select(CaseEvent.action, sa.func.count()).group_by(CaseEvent.action)).all()
    return Stored(
        cases=frozenset(db.session.scalars(sa.select(Case.id))),
        people=frozenset(db.session.scalars(sa.select(Resident.id))),
        letters=frozenset(db.session.scalars(sa.select(Letter.id))),
        referrals=db.session.scalar(sa.select(sa.func.count()).select_from(Referral)) or 0,
        steps=Counter(dict(steps)),
    )


def _compare(before: Stored, after: Stored, tally: Tally) -> list[str]:
    """What was acknowledged and is not there, or is there and was not."""
    known = {
        "POST /warga/…/kasus-baru": ("case", after.cases - before.cases),
        "POST /warga/baru": ("person", after.people - before.people),
        "POST /kasus/…/surat-baru": ("letter", after.letters - before.letters),
    }
    wrong = []
    for action, (kind, rows) in known.items():
        told = Counter(address.rpartition("/")[2] for address in tally.kept[action])
        wrong += [f"{kind} {one} was acknowledged and is lost" for one in told.keys() - rows]
        wrong += [f"{kind} {one} is there and nobody was told" for one in rows - told.keys()]
        wrong += [f"{kind} {one} was given to {times} people" for one, times in told.items() if times > 1]
    counted = {f"POST /kasus/…/langkah/{action}": after.steps[action] - before.steps[action] for action in after.steps}
    counted["POST /kasus/…/rujukan-baru"] = after.referrals - before.referrals
    for action in counted.keys() & tally.kept.keys():
        if len(tally.kept[action]) != counted[action]:
            wrong.append(f"{action}: {len(tally.kept[action])} acknowledged, {counted[action]} stored")
    numbers = db.session.scalars(sa.select(Letter.number).where(Letter.number.is_not(None))).all()
    wrong += [f"letter number {number} was given twice" for number, times in Counter(numbers).items() if times > 1]
    return wrong


def _table(tally: Tally) -> str:
    """Each kind of request in Markdown, the floor first, then the most frequent."""
    lines = ["| request | count | errors | overtaken | p50 | p95 | max ms | goal |", "|---|---|---|---|---|---|---|---|"]
    everything = [one for action, times in tally.times.items() if action != FLOOR for one in times]
    lines.append(_line(tally, FLOOR, tally.times[FLOOR], 0))
    lines.append(_line(tally, "all pages", everything, GOAL))
    for action in sorted(tally.times.keys() - {FLOOR}, key=lambda one: -len(tally.times[one])):
        lines.append(_line(tally, action, tally.times[action], LETTER_GOAL if action in LETTERS else GOAL))
    return "\n".join(lines)


def _line(tally: Tally, action: str, times: list[float], goal: float) -> str:
    ordered = sorted(times) or [0.0]
    p95 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
    kept = "–" if not goal else f"≤ {goal:g}" + (" **missed**" if p95 > goal else "")
    errors, overtaken = len(tally.errors.get(action, ())), tally.overtaken.get(action, 0)
    figures = f"{statistics.median(ordered):.0f} | {p95:.0f} | {ordered[-1]:.0f}"
    return f"| {action} | {len(times)} | {errors} | {overtaken} | {figures} | {kept} |"


def _faults(folder: Path) -> str:
    """What the pages wrote of their own faults: the end of each trace."""
    traces = (folder / "web.log").read_text(errors="replace").split("Traceback (most recent call last):")[1:]
    return "\n".join("\n".join(trace.splitlines()[:60]) for trace in traces)


def _shares(shares: dict[str, float], seconds: float) -> str:
    told = ", ".join(f"{name} {used:.1f} s ({used / seconds:.0%} of a core)" for name, used in shares.items())
    return f"Processor: {told}."


def _tell(tally: Tally, wrong: list[str]) -> int:
    for action, texts in tally.errors.items():
        for text, times in Counter(texts).most_common(5):
            print(f"ERROR {action}: {times} × {text}")
    for text in wrong:
        print(f"ERROR {text}")
    return 1 if wrong or any(tally.errors.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
