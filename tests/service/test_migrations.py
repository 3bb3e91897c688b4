"""The migrations and the models describe the same tables, on both databases, from empty to the newest."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import alembic.autogenerate
import alembic.command
import alembic.runtime.migration
import pytest
import sqlalchemy as sa

from appliance import database
from appliance.config import Settings
from tests.support.databases import PostgresServer, settings_below
from tests.support.staff import AT, HOME


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """A node without a database (SQLite) or with an empty one."""
    if request.param == "sqlite":
        yield settings_below(tmp_path)
        return
    server: PostgresServer = request.getfixturevalue("server")
    yield settings_below(tmp_path, server.create("empty"))
    server.drop("empty")


def test_an_upgrade_from_nothing_and_again(empty: Settings) -> None:
    assert database.quick_check(empty).state == "missing"
    assert database.upgrade(empty)
    assert database.quick_check(empty).ok
    assert not database.upgrade(empty), "the second time there is nothing to do"
    assert database.current_revision(empty) == database.newest_revision()


def test_what_was_known_before_is_kept_in_its_new_place(empty: Settings) -> None:
    """A former card number, words of a pick-list and a telephone number, as the version before stored them."""
    if not empty.database.url:
        empty.database_file.parent.mkdir(parents=True)
    stamp = {"created_at": AT, "created_by": "system", "updated_at": AT, "updated_by": "system", "row_version": 1}
    with database._engine(empty) as engine, engine.execution_options(slrt_writer=True).begin() as connection:
        config = database._alembic()
        config.attributes["connection"] = connection
        alembic.command.upgrade(config, "0002")
        area = {"code": HOME, "name": "Bonto", "level": "desa", "kind": "desa", "parent_code": None, "active": True}
        empty_text = dict.fromkeys(("address", "hamlet", "rw", "rt", "note"), "")
        family = {"id": "f", "kk": None, "kk_previous": "7303010101100001", "village_code": HOME, "status": "aktif", **empty_text}
        text = "nickname name_search birth_place religion education marital_status mother_name father_name insurance insurance_number"
        person = {"id": "p", "nik_status": "tidak_ada", "nik_reason": "-", "name": "A", "sex": "P", "birth_date_estimated": False}
        person |= {"relation": "11", "village_code": HOME, "status": "hidup", "occupation": "Petani", "phone": "0812 3456 7890"}
        for table, row in (
            ("area", area),
            ("family", family | stamp),
            ("person", dict.fromkeys(text.split(), "") | person | stamp),
        ):
            known = sa.Table(table, sa.MetaData(), autoload_with=connection)
            connection.execute(known.insert().values(row))
    assert database.upgrade(empty)
    with database._engine(empty) as engine, engine.connect() as connection:
        assert connection.execute(sa.text("SELECT family_id, kk FROM former_card")).all() == [("f", "7303010101100001")]
        assert connection.execute(sa.text("SELECT occupation, phone FROM person")).all() == [("9", "+6281234567890")]


def test_models_and_migrations_agree(settings: Settings) -> None:
    with database._engine(settings) as engine, engine.connect() as connection:
        context = alembic.runtime.migration.MigrationContext.configure(connection, opts={"compare_type": True})
        assert alembic.autogenerate.compare_metadata(context, database.Model.metadata) == []


def test_names_of_constraints_are_the_same_on_both(settings: Settings) -> None:
    with database._engine(settings) as engine:
        inspector = sa.inspect(engine)
        unique = {one["name"] for table in ("person", "case", "referral") for one in inspector.get_unique_constraints(table)}
        checks = {one["name"] for one in inspector.get_check_constraints("person")}
    assert {"uq_person_nik", "uq_person_request_id", "uq_case_number", "uq_case_request_id", "uq_referral_number"} <= unique
    assert checks == {"ck_person_nik_or_reason"}


def test_a_database_of_another_version_is_told(settings: Settings) -> None:
    with database._engine(settings) as engine, engine.execution_options(slrt_writer=True).begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    health = database.quick_check(settings)
    assert (health.state, "9999" in health.text) == ("outdated", True)


def test_an_upgrade_that_is_killed_leaves_nothing_behind(tmp_path: Path) -> None:
    """The tables of a step come with their revision or not at all."""
    settings = settings_below(tmp_path)
    killer = (
        "import os, sys, sqlalchemy as sa\n"
        "from appliance import database\n"
        "from tests.support.databases import settings_below\n"
        "from pathlib import Path\n"
        "def die(connection, cursor, statement, *rest):\n"
        "    if 'CREATE TABLE referral' in statement: os.kill(os.getpid(), 9)\n"
        "sa.event.listen(sa.engine.Engine, 'before_cursor_execute', die)\n"
        "database.upgrade(settings_below(Path(sys.argv[1])))\n"
    )
    ended = subprocess.run([sys.executable, "-c", killer, str(tmp_path)], check=False)
    assert ended.returncode == -9
    assert database.current_revision(settings) is None
    assert database.upgrade(settings)
    assert database.integrity(settings).ok
