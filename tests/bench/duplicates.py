"""How long the night's search for duplicates takes. Not a test; what is asked before saving stands in tests/bench/registry.py.

    .venv/bin/python tests/bench/duplicates.py [SIZE] [--folder DIR] [--villages N] [--cpu]

Some villages are searched as in the first night, and again as in a night after which nothing had changed.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa

sys.path.insert(0, str(Path(__file__).parents[2]))

from appliance import background, database
from appliance.config import Settings
from appliance.database import db, transaction
from appliance.models.duplicate import DuplicateSearch
from appliance.models.person import Person
from appliance.registry import duplicate_night
from tests.bench.measuring import machine
from tests.bench.population import AT, SIZES, populated


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("size", choices=SIZES, nargs="?", default="0.2")
    parser.add_argument("--folder", type=Path, default=Path("/var/tmp/slrt-bench"))
    parser.add_argument("--villages", type=int, default=10)
    parser.add_argument("--cpu", action="store_true")
    wanted = parser.parse_args()
    settings = populated(SIZES[wanted.size], wanted.folder)
    print(machine(wanted.folder))
    measure(settings, wanted.villages, time.process_time if wanted.cpu else time.perf_counter)


def measure(settings: Settings, count: int, clock: Callable[[], float]) -> None:
    with database.create_service(settings, audit_key="00" * 32).app_context():
        sizes = sa.select(Person.village_code, sa.func.count().label("people")).group_by(Person.village_code)
        villages = db.session.execute(sizes.order_by(sa.desc("people"))).all()
        some = villages[:: max(1, len(villages) // count)]  # from the largest to the smallest
        with transaction() as session:
            session.execute(sa.delete(DuplicateSearch))
            task = background.ask(duplicate_night.KIND, duplicate_night.SUBJECT, by="bench", at=AT)
        for what in ("first night", "nothing changed"):
            begin = clock()
            pairs = sum(duplicate_night.search_village(row.village_code, task, (1, 1), at=AT) or 0 for row in some)
            taken, people = clock() - begin, sum(row.people for row in some)
            whole = taken * sum(row.people for row in villages) / people / 60
            print(f"{what}: {people} people in {taken:.1f} s, {pairs} pairs; the whole district in {whole:.1f} minutes")
    print(f"memory at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB")


if __name__ == "__main__":
    main()
