"""Connections and transactions: what a service may rely on."""

from __future__ import annotations

import dataclasses
import fcntl
import subprocess
import sys
import threading
import time
from datetime import datetime, tzinfo
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from appliance import database
from appliance.carried_log import CarriedLog
from appliance.config import Settings
from appliance.database import Duplicate, begins_with, db, transaction
from appliance.errors import ApplianceError, ConfigurationError, Conflict, TryLater
from appliance.gate import Gate
from appliance.models.area import Area
from appliance.models.unit import Unit
from appliance.scheduling import database_jobs
from appliance.scheduling.database_jobs import DatabaseJobs
from appliance.scheduling.workplace import Workplace
from tests.support.databases import SqliteTemplate
from tests.support.staff import AT
from tests.support.waiting import wait_for


def unit(code: str) -> Unit:
    row = Unit(code=code, kind="opd", name=code, area_code="73.03")
    row.stamp("system", AT)
    return row


def store(row: Unit) -> None:
    with transaction() as session:
        session.add(row)


def count() -> int:
    return db.session.query(Unit).count()


@pytest.fixture
def lite(sqlite: SqliteTemplate, tmp_path: Path) -> Settings:
    """A node on SQLite, for what only SQLite needs."""
    return sqlite.fresh(tmp_path)


def test_sqlite_is_set_for_power_cuts(lite: Settings) -> None:
    with database.create_service(lite).app_context(), db.engine.connect() as connection:
        pragmas = ("journal_mode", "synchronous", "foreign_keys", "wal_autocheckpoint")
        found = [connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in pragmas]
    assert found == ["wal", 2, 1, 0]


def test_only_who_is_told_to_checkpoints(lite: Settings) -> None:
    with database.create_service(lite, checkpoints=True).app_context(), db.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA wal_autocheckpoint").scalar_one() == 1000


def test_a_checkpoint_empties_the_log(lite: Settings) -> None:
    service = database.create_service(lite)
    with service.app_context():
        log = lite.database_file.with_name("slrt.db-wal")
        with transaction() as session:
            session.add(unit("baru"))
        assert log.stat().st_size > 0
        assert database.checkpoint(lite)
        assert log.stat().st_size == 0
        assert count() > 0


def test_sqlite_learns_of_its_indexes_and_again_when_a_table_has_grown(lite: Settings) -> None:
    told = sa.text("SELECT stat FROM sqlite_stat1 WHERE tbl = 'unit'")
    with database.create_service(lite).app_context():
        known = sa.text("SELECT count(*) FROM sqlite_master WHERE name = 'sqlite_stat1'")
        assert db.session.execute(known).scalar_one() == 0
        for many in (3, 900):
            with transaction() as session:
                session.add_all(unit(f"unit-{many}-{number}") for number in range(many))
            database.refresh_statistics(lite)  # nobody asked anything of the table meanwhile
            db.session.rollback()
            assert {int(stat.split()[0]) for stat in db.session.execute(told).scalars()} == {count()}


def test_the_scheduler_looks_once_a_day_and_not_while_the_gate_is_shut(lite: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[Settings] = []
    refresh = database.refresh_statistics
    monkeypatch.setattr(database_jobs, "refresh_statistics", lambda settings: (looked.append(settings), refresh(settings)))
    jobs = DatabaseJobs(Workplace(lite, Path("appliance.toml"), threading.Event()), CarriedLog(lite))
    gate = Gate(Path(lite.paths.runtime) / "gate.lock", Path(lite.power.runtime) / "state.json")
    gate.lock.parent.mkdir(parents=True, exist_ok=True)
    with gate.lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        jobs.refresh_statistics()
    assert looked == []
    jobs.refresh_statistics()
    jobs.refresh_statistics()
    assert looked == [lite]

    class Tomorrow(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Tomorrow:
            return cls.fromtimestamp(time.time() + 86400, tz)

    monkeypatch.setattr(database_jobs, "datetime", Tomorrow)
    jobs.refresh_statistics()
    assert looked == [lite, lite]


@pytest.mark.parametrize("version", [(3, 40, 1), (3, 51, 2)])
def test_a_library_that_loses_data_is_refused(version: tuple[int, ...]) -> None:
    with pytest.raises(ConfigurationError, match="terlalu lama"):
        database.require_sqlite(version)
    database.require_sqlite((3, 51, 3))


def test_what_fails_inside_leaves_nothing(app: Flask) -> None:
    def fail() -> None:
        with transaction() as session:
            session.add(unit("baru"))
            session.flush()
            raise ZeroDivisionError

    before = count()
    with pytest.raises(ZeroDivisionError):
        fail()
    assert count() == before


def test_transactions_are_not_nested(app: Flask) -> None:
    with pytest.raises(RuntimeError), transaction(), transaction():
        pass


def test_nothing_is_changed_outside(app: Flask) -> None:
    db.session.add(unit("baru"))
    with pytest.raises(RuntimeError), transaction():
        pass
    db.session.rollback()


def test_a_taken_value_is_told_as_such(app: Flask) -> None:
    with pytest.raises(Duplicate):
        store(unit("dinkes"))


def test_an_error_shows_no_values(app: Flask) -> None:
    with app.app_context(), pytest.raises(sa.exc.SQLAlchemyError) as caught:
        db.session.execute(sa.text("SELECT * FROM nowhere WHERE nik = :nik"), {"nik": "7303014101900001"})
    assert "7303014101900001" not in str(caught.value)


def test_references_are_kept(app: Flask) -> None:
    stray = unit("baru")
    stray.area_code = "00.00"
    with pytest.raises(sa.exc.IntegrityError):
        store(stray)


def test_a_moment_needs_a_zone(app: Flask) -> None:
    naive = unit("baru")
    naive.created_at = AT.replace(tzinfo=None)
    with pytest.raises(sa.exc.StatementError, match="time zone"):
        store(naive)


def test_a_row_changed_meanwhile_is_a_conflict(app: Flask) -> None:
    """Even where nobody compares versions by hand."""

    def change() -> None:
        with transaction() as session:
            row = session.query(Unit).filter_by(code="dinkes").one()
            elsewhere = sa.update(Unit).where(Unit.id == row.id).values(row_version=99)
            session.execute(elsewhere, execution_options={"synchronize_session": False})
            row.phone = "0413-21000"

    with pytest.raises(Conflict):
        change()


def test_rows_are_loaded_afresh_for_a_change(app: Flask, settings: Settings) -> None:
    seen = db.session.query(Unit).filter_by(code="dinkes").one()
    other = database.create_service(settings)
    with other.app_context(), transaction() as session:
        session.query(Unit).filter_by(code="dinkes").one().phone = "0413-21000"
    with transaction() as session:
        assert session.get_one(Unit, seen.id).phone == "0413-21000"


def test_a_writer_that_gets_no_turn_is_told_to_try_later(lite: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    service = database.create_service(lite)
    entered, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with service.app_context(), transaction():
            entered.set()
            leave.wait(120)

    holder = threading.Thread(target=hold)
    holder.start()
    try:
        assert entered.wait(120)
        with service.app_context(), pytest.raises(TryLater), transaction():
            pass
        with service.app_context():
            assert count() > 0, "readers are not in the way of a writer"
    finally:
        leave.set()
        holder.join()


def test_a_full_disk_is_told_and_loses_nothing_saved(lite: Settings) -> None:
    with database.create_service(lite).app_context():
        with db.engine.connect() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()

        def no_more_pages(raw: sa.engine.interfaces.DBAPIConnection, *_: object) -> None:
            raw.cursor().execute(f"PRAGMA max_page_count={pages}")

        sa.event.listen(db.engine, "connect", no_more_pages)
        db.session.remove()
        db.engine.dispose()
        before = count()
        with pytest.raises(ApplianceError, match="Penyimpanan penuh"), transaction() as session:
            session.add_all([unit(f"unit-{number}" + "x" * 30) for number in range(2000)])
        assert count() == before


def test_a_database_that_cannot_be_opened_is_told(lite: Settings) -> None:
    paths = dataclasses.replace(lite.paths, data="/proc/nowhere")
    gone = dataclasses.replace(lite, paths=paths)
    with database.create_service(gone).app_context(), pytest.raises(TryLater, match="tidak dapat dihubungi"):
        count()


def test_a_damaged_file_is_noticed(lite: Settings) -> None:
    assert database.integrity(lite).ok
    with lite.database_file.open("r+b") as file:
        file.seek(40 * 4096)
        file.write(b"\xff" * 4096)
    assert not _sound(lite)


def _sound(settings: Settings) -> bool:
    try:
        return database.integrity(settings).ok
    except (ApplianceError, sa.exc.DatabaseError):
        return False


def test_a_prefix_is_answered_by_the_index(app: Flask) -> None:
    """LIKE would read the whole table; this must not, on either database."""
    statement = sa.select(Area.code).where(begins_with(Area.code, "73.03.01."))
    assert len(db.session.execute(statement).all()) == 11
    literal = str(statement.compile(db.engine, compile_kwargs={"literal_binds": True})).replace("%", "%%")
    with db.engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            plan = str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {literal}").all())
            assert "USING COVERING INDEX" in plan or "USING INDEX" in plan or "PRIMARY KEY" in plan
        else:
            connection.exec_driver_sql("SET enable_seqscan = off")
            plan = str(connection.exec_driver_sql(f"EXPLAIN {literal}").all())
            assert "Index Cond" in plan


def test_what_was_answered_survives_a_kill(settings: Settings, tmp_path: Path) -> None:
    """A writer is killed in the middle of its work: each number it printed as saved is there, and the file is whole."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path), settings.database.url], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    told: list[str] = []
    reader = threading.Thread(target=lambda: told.extend(process.stdout))
    reader.start()
    wait_for(lambda: len(told) >= 25 or process.poll() is not None, 60, "25 saved rows")
    process.kill()
    process.wait()
    reader.join()
    with database.create_service(settings).app_context():
        there = set(db.session.scalars(sa.select(Unit.code)))
    assert len(told) >= 25
    assert {line.strip() for line in told if line.endswith("\n")} <= there
    assert database.integrity(settings).ok


WRITER = """
import itertools, sys
from pathlib import Path
from appliance import database
from tests.service.test_database import unit
from tests.support.databases import settings_below
with database.create_service(settings_below(Path(sys.argv[1]), sys.argv[2])).app_context():
    for number in itertools.count():
        with database.transaction() as session:
            session.add(unit(f"unit-{number}"))
        print(f"unit-{number}", flush=True)
"""
