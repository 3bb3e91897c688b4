"""An import by the real scheduler and its worker: picked up by itself, and the same in the end after a kill in the middle."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from appliance import database
from appliance.config import render
from appliance.database import db
from appliance.models.imports import ImportRow, ImportState
from appliance.models.person import Family, LifeEvent, Person, PersonWord
from appliance.models.task import Task
from backups import outcome
from backups.clock import moment
from backups.outcome import Outcome
from tests.support.databases import SqliteTemplate, sqlite_template
from tests.support.importing import choose, employ, see, store, upload
from tests.support.opensid import HEAD, population
from tests.support.staff import hire
from tests.support.waiting import wait_for

PEOPLE = 2000
END = {"baru": PEOPLE - 1, "dilewati": 1}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> SqliteTemplate:
    return sqlite_template(tmp_path_factory.mktemp("node"))


def village() -> bytes:
    """A village in families of four, one of them written twice."""
    people = []
    for number in range(PEOPLE):
        born = date(1950, 1, 1) + timedelta(days=number * 9)
        row = {"nama": f"Warga {number}", "nik": f"730301{born:%d%m%y}{number % 9000 + 1:04}", "tanggallahir": f"{born:%d-%m-%Y}"}
        people.append(HEAD | row | {"no_kk": f"73030101{number // 4 + 20_000_000:08}", "kk_level": str(number % 4 + 1)})
    return population(*people[:-1], people[0])


@contextmanager
def scheduler(file: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "appliance.scheduler", "--config", str(file)]
    with (file.parent / "scheduler.log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(120)


def worker_of(process: subprocess.Popen[bytes]) -> int | None:
    """The process that `slrt work` runs in, while it does."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").parent.parent.glob("*/children")
    for pid in {int(pid) for file in children for pid in file.read_text().split()}:
        try:
            if b"work" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"):
                return pid
        except OSError:
            continue
    return None


def scalar(statement: sa.Select[Any]) -> Any:
    """One value as it is on the disk now."""
    db.session.rollback()
    return db.session.scalar(statement)


def counted(*tables: type[Any]) -> list[int]:
    return [scalar(sa.select(sa.func.count()).select_from(table)) for table in tables]


def done() -> int:
    return scalar(sa.select(Task.done).order_by(Task.asked_at.desc(), Task.id.desc()).limit(1)) or 0


def test_a_killed_worker_is_followed_by_one_that_ends_the_same(template: SqliteTemplate, tmp_path: Path) -> None:
    settings = template.fresh(tmp_path)
    file = tmp_path / "appliance.toml"
    file.write_text(render(settings))
    outcome.write(Path(settings.paths.data) / "backup", Outcome(moment(datetime.now(UTC)), True, "1", "Baik.", verified=True))
    with database.create_service(settings).app_context():
        bo = employ(hire().bo)
        import_id = upload(village(), bo)
        choose(import_id, bo)
        with scheduler(file) as process:
            wait_for(lambda: scalar(sa.select(sa.func.count()).select_from(ImportRow)) > 0, seconds=120, what="rows are checked")
            _kill_worker(process)
            wait_for(lambda: _state(import_id, bo) is ImportState.CHECKED, seconds=120, what="the check ends")
            assert see(import_id, bo).line.counts == END
            assert counted(Person) == [0]
            store(import_id, bo)
            wait_for(lambda: 0 < done() < PEOPLE and counted(Person)[0] > 0, seconds=120, what="people are stored")
            _kill_worker(process)
            assert counted(Person)[0] < PEOPLE - 1
            wait_for(lambda: _state(import_id, bo) is ImportState.STORED, seconds=120, what="the import ends")
        assert see(import_id, bo).line.counts == END
        assert counted(Person, LifeEvent, Family, ImportRow) == [PEOPLE - 1, PEOPLE - 1, -(-(PEOPLE - 1) // 4), PEOPLE]
        assert scalar(sa.select(sa.func.count(sa.distinct(PersonWord.person_id)))) == PEOPLE - 1
        db.engine.dispose()
    assert database.integrity(settings).ok


def _state(import_id: str, by: Any) -> ImportState:
    db.session.rollback()
    return see(import_id, by).line.state


def _kill_worker(process: subprocess.Popen[bytes]) -> None:
    pid = worker_of(process)
    assert pid is not None, "the worker ended before it could be killed"
    os.kill(pid, signal.SIGKILL)
