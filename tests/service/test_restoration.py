"""A restore as the office lives through it, on both databases and the real borg: no number twice, a new epoch, and what was lost told."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import alembic.command
import pytest
import sqlalchemy as sa
from flask import Flask

from appliance import audit, database
from appliance.commands import restoring
from appliance.commands.restoring import Errand, Handed, plan_of
from appliance.config import BackupSettings, Settings
from appliance.database import db
from appliance.errors import Conflict
from appliance.models.case import Case
from appliance.models.restoration import Restoration
from appliance.restoration.epoch import current_epoch, last_told, list_restorations
from appliance.restoration.numbers import Lost, raised
from appliance.restoration.settling import complete
from backups import exchange, repository
from backups.process import never
from backups.restore import quiet
from backups.settings import Plan
from tests.support.borg import run_now
from tests.support.databases import AUDIT_KEY, SqliteTemplate, settings_below
from tests.support.desk import open_case
from tests.support.staff import Staff, hire

HANDED = Handed("jeruk bali 4711", "jeruk bali 4711", AUDIT_KEY)


@pytest.fixture(scope="session")
def empty_repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository without any backup, to copy: making one takes seconds."""
    folder = tmp_path_factory.mktemp("restoration")
    repository.init(plan_for(with_repository(settings_below(folder), folder / "repository")))
    return folder / "repository"


def with_repository(settings: Settings, folder: Path) -> Settings:
    return replace(settings, backup=BackupSettings(repository=str(folder)))


@pytest.fixture
def node(settings: Settings, tmp_path: Path, empty_repository: Path) -> Settings:
    """A prepared node with a repository."""
    settings.attachments.mkdir()
    return with_repository(settings, Path(shutil.copytree(empty_repository, tmp_path / "repository")))


@pytest.fixture
def file_node(sqlite: SqliteTemplate, tmp_path: Path, empty_repository: Path) -> Settings:
    """One with SQLite, for what is the same on both once the states are read."""
    settings = sqlite.fresh(tmp_path)
    settings.attachments.mkdir()
    return with_repository(settings, Path(shutil.copytree(empty_repository, tmp_path / "repository")))


def plan_for(settings: Settings) -> Plan:
    return replace(plan_of(settings, HANDED), reserve_bytes=1, spare_bytes=1)


@contextmanager
def open_office(settings: Settings) -> Iterator[Flask]:
    """The service at work; afterwards nobody has the database open."""
    service = database.create_service(settings)
    with service.app_context():
        yield service
        db.session.remove()
        db.engine.dispose()


def numbers() -> list[str]:
    return sorted(number[-5:] for number in db.session.scalars(sa.select(Case.number)))


def case_by(by: Staff) -> str:
    number = db.session.scalar(sa.select(Case.number).where(Case.id == open_case(by.fo)))
    assert number is not None
    return number


def bring_back(settings: Settings, number: str = "terakhir") -> None:
    restoring.in_place(settings, HANDED, Errand(number, by="admin.it", reason="disk rusak"), never, quiet)


def settle(settings: Settings) -> bool:
    service = database.create_service(settings)
    done = complete(settings, service)
    with service.app_context():
        db.engine.dispose()
    return done


def test_no_number_is_given_twice_and_everybody_learns_what_is_gone(node: Settings) -> None:
    with open_office(node):
        staff = hire()
        case_by(staff)
        run_now(plan_for(node))
        gone = case_by(staff)
        assert numbers() == ["00001", "00002"]

    bring_back(node)
    assert settle(node)
    assert not settle(node), "once is enough"

    with open_office(node):
        assert numbers() == ["00001"]
        assert str(current_epoch()).startswith("1-")
        (told,) = list_restorations(by=staff.fo)
        assert (told.exact, told.reason, told.by_name, told.run) == (True, "disk rusak", "admin.it", 1)
        assert (told.mine, told.cases) == ((gone,), ()), "her own work, not that of others"
        assert told.facts > 0
        (seen,) = list_restorations(by=staff.manager)
        assert (seen.mine, seen.cases, seen.facts_of_all) == ((), (gone,), told.facts)
        assert list(seen.numbers.values()) == [(2, 2)]
        at = datetime.now(UTC)
        assert last_told(at) == seen.taken_at
        assert last_told(at.replace(year=at.year + 1)) is None
        assert audit.verify().ok
        assert case_by(staff)[-5:] == "00003", "the number of the lost case is on somebody's slip"

    restoring.put_back(node, HANDED, Errand("", by="admin.it", reason="salah cadangan"), quiet)
    assert settle(node)
    with open_office(node):
        assert numbers() == ["00001", "00002"], "the lost case is back, the one made meanwhile is gone"
        assert current_epoch().number == 2
        assert case_by(staff)[-5:] == "00004"
        assert [told.exact for told in list_restorations(by=staff.admin)] == [True]
        assert audit.verify().ok


def break_database(settings: Settings) -> None:
    """What is left when the disk lost it."""
    settings.database_file.write_bytes(b"x" * 8192)
    for beside in ("-wal", "-shm"):
        Path(f"{settings.database_file}{beside}").unlink(missing_ok=True)


def test_where_nobody_knows_what_was_given_out_the_series_jump(file_node: Settings) -> None:
    with open_office(file_node):
        staff = hire()
        case_by(staff)
        run_now(plan_for(file_node))
        case_by(staff)
    break_database(file_node)
    bring_back(file_node)
    assert settle(file_node)
    with open_office(file_node):
        assert case_by(staff)[-5:] == "00202"
        told = list_restorations(by=staff.manager)[0]
        assert not told.exact
        assert {name.split("-")[0] for name in told.numbers} >= {"SLRT", "RJK", "INS", "BAST", "USL", "MUS", "SPT", "SURAT"}


def test_a_backup_of_another_node_jumps_as_well(file_node: Settings) -> None:
    """What stands here is whole, but it did not come out of that state: it knows nothing of the other node's numbers."""
    with open_office(file_node):
        case_by(hire())
        run_now(plan_for(file_node))
        with database.transaction() as session:
            session.execute(sa.text("DROP TRIGGER audit_entry_refuses_delete"))
            session.execute(sa.text("DELETE FROM audit_entry"))
    bring_back(file_node)
    assert settle(file_node)
    with open_office(file_node):
        assert db.session.scalars(sa.select(Restoration.exact)).all() == [False]


def set_revision(settings: Settings, revision: str) -> None:
    with database._engine(settings) as engine, engine.execution_options(slrt_writer=True).begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = :one"), {"one": revision})


def test_a_newer_backup_is_refused_with_both_versions(node: Settings) -> None:
    set_revision(node, "9001")
    run_now(plan_for(node))
    set_revision(node, database.newest_revision())
    with pytest.raises(Conflict, match=rf"susunan tabel 9001.*susunan {database.newest_revision()}"):
        bring_back(node)
    assert database.quick_check(node).ok
    assert not exchange.is_cut_off(Path(node.paths.data))


def test_an_older_backup_is_settled_once_its_tables_are_of_today(file_node: Settings) -> None:
    """As an earlier version left it: without the table of the restores."""
    file_node.database_file.unlink()
    with database._engine(file_node) as engine, engine.execution_options(slrt_writer=True).begin() as connection:
        config = database._alembic()
        config.attributes["connection"] = connection
        alembic.command.upgrade(config, "0021")
    run_now(plan_for(file_node))
    bring_back(file_node)
    assert not settle(file_node)
    assert (Path(file_node.paths.data) / exchange.NOTE).exists(), "it waits"
    assert database.upgrade(file_node)
    assert settle(file_node)
    with open_office(file_node):
        assert current_epoch().number == 1


def test_an_epoch_is_above_every_other_one(file_node: Settings) -> None:
    """The second restore of the same night forgets the first one, but not that it was."""
    run_now(plan_for(file_node))
    marks = []
    for expected in (1, 2):
        bring_back(file_node, "1")
        settle(file_node)
        with open_office(file_node):
            assert current_epoch().number == expected
            marks.append(str(current_epoch()))
    assert len(set(marks)) == 2


def test_a_note_that_was_stored_already_is_only_taken_away(file_node: Settings) -> None:
    """Killed between the commit and the note's end."""
    run_now(plan_for(file_node))
    bring_back(file_node)
    note = Path(file_node.paths.data) / exchange.NOTE
    kept = note.read_bytes()
    settle(file_node)
    note.write_bytes(kept)
    assert settle(file_node)
    assert not note.exists()
    with open_office(file_node):
        assert current_epoch().number == 1


def test_the_jump_grows_with_the_days() -> None:
    one, many = Lost(date(2026, 11, 28), date(2026, 11, 28)), Lost(date(2026, 11, 28), date(2027, 1, 3))
    assert [f"{month:%Y%m}" for month in many.months()] == ["202611", "202612", "202701"]
    assert raised({"a": 5}, {"a": 9, "b": 2}, None, ()) == {"a": 9, "b": 2}
    assert raised({"a": 5}, {"a": 3}, None, ()) == {}
    assert raised({"a": 5}, {"a": 9}, one, {"a", "c"}) == {"a": 9 + one.jump, "c": one.jump}
    assert one.jump < many.jump
