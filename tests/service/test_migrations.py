"""The migrations and the models describe the same tables, on both databases, from empty to the newest."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import alembic.autogenerate
import alembic.runtime.migration
import alembic.script
import pytest
import sqlalchemy as sa

from appliance import database, migrations
from appliance.config import Settings
from tests.support.databases import PostgresServer, settings_below
from tests.support.staff import AT, HOME

STAMP = {"created_at": AT, "created_by": "system", "updated_at": AT, "updated_by": "system", "row_version": 1}


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
    newest = alembic.script.ScriptDirectory(str(database.MIGRATIONS)).get_current_head()
    assert database.current_revision(empty) == database.newest_revision() == newest


def test_what_was_known_before_is_kept_in_its_new_place(empty: Settings) -> None:
    """A former card number, words of a pick-list and a telephone number, as the version before stored them."""
    person = _person("p", name="A", occupation="Petani", phone="0812 3456 7890")
    family = {"id": "f", "kk": None, "kk_previous": "7303010101100001", "village_code": HOME, "status": "aktif"}
    family |= dict.fromkeys(("address", "hamlet", "rw", "rt", "note"), "")
    _as_it_was(empty, "0002", ("family", family | STAMP), ("person", person))
    assert database.upgrade(empty)
    with database._engine(empty) as engine, engine.connect() as connection:
        assert connection.execute(sa.text("SELECT family_id, kk FROM former_card")).all() == [("f", "7303010101100001")]
        assert connection.execute(sa.text("SELECT occupation, phone FROM person")).all() == [("9", "+6281234567890")]


def test_everybody_is_found_by_words_and_pairs_afterwards(empty: Settings) -> None:
    """By the rules of that time, whatever they are today: this table is history and is not changed any more."""
    fields = {"nationality": "", "domicile": "", "name_search": "moh yusuf"}
    person = _person("p", name="H. Moh. Jusuf, S.Pd", nickname="Ucup", phone="+6281234567890") | fields
    _as_it_was(empty, "0004", ("person", person), ("person_word", {"word": "moh", "village_code": HOME, "person_id": "p"}))
    assert database.upgrade(empty)
    with database._engine(empty) as engine, engine.connect() as connection:
        words = connection.scalars(sa.text("SELECT word FROM person_word WHERE person_id = 'p' ORDER BY word")).all()
        searched = connection.scalars(sa.text("SELECT name_search FROM person")).all()
        variants = connection.scalars(sa.text("SELECT variant FROM name_variant WHERE word = 'ucup' ORDER BY variant")).all()
    single = ["081234567890", "muhamad", "ucup", "yusuf"]
    assert sorted(words) == sorted([*single, "muhamad ucup", "muhamad yusuf", "ucup yusuf"])
    assert (searched, variants) == (["muhamad yusuf"], ["cup", "ucp", "ucu", "ucup", "uup"])


def test_letters_visits_and_services_know_afterwards_what_they_need(empty: Settings) -> None:
    """The cases on the list of a collective letter, the report of a visit that stands returned, what the papers are."""
    _as_it_was(empty, "0017")
    with database._engine(empty) as engine, engine.execution_options(slrt_writer=True).begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text("SET session_replication_role = replica"))  # the rows around these do not matter here
        else:
            connection.execute(sa.text("PRAGMA defer_foreign_keys = ON"))
        for table, known in (
            ("account", {"id": "a", "username": "a", "name": "A"}),
            ("service_type", {"id": "s", "code": "x", "requirements": ["KTP", "Lain"], "requirement_notes": {}}),
            ("person", _person("p", name="A")),
            ("case", {"id": "c", "number": "SLRT-1", "service_type_id": "s", "applicant_id": "p", "village_code": HOME}),
            ("letter", {"id": "l", "case_id": "c", "person_id": "p", "area_code": HOME, "typed": {"daftar_kasus": "slrt-1\nX"}}),
            (
                "visit",
                {"id": "v", "case_id": "c", "visitor_id": "a", "state": "DIKEMBALIKAN", "report": "Roboh", "judged_by": "a"},
            ),
        ):
            _insert_filled(connection, table, known)
    assert database.upgrade(empty)
    with database._engine(empty) as engine, engine.connect() as connection:
        assert connection.execute(sa.text("SELECT letter_id, case_id FROM letter_case")).all() == [("l", "c")]
        kept = connection.execute(sa.text("SELECT visit_id, position, visitor_id, report, judged_by FROM visit_report")).all()
        notes = connection.execute(sa.select(sa.table("service_type", sa.column("requirement_notes", sa.JSON)))).scalars().all()
    assert kept == [("v", 1, "a", "Roboh", "a")]
    assert [list(note) for note in notes] == [["KTP"]]


def _insert_filled(connection: sa.Connection, table: str, known: dict[str, Any]) -> None:
    """A row with these values, and with something in every other column that must have it."""
    columns = sa.Table(table, sa.MetaData(), autoload_with=connection)
    row: dict[str, Any] = {}
    for column in columns.c:
        if not column.nullable:
            kind = column.type
            if isinstance(kind, sa.DateTime):
                row[column.name] = AT
            elif isinstance(kind, (sa.Boolean, sa.Integer)):
                row[column.name] = False if isinstance(kind, sa.Boolean) else 1
            elif isinstance(kind, sa.JSON):
                row[column.name] = []
            else:
                row[column.name] = ""
    connection.execute(columns.insert().values(row | known))


def test_migrations_know_nothing_that_may_change() -> None:
    """The program of today is not theirs; what they need of it they have as a copy."""
    folder = Path(migrations.__file__).parent
    known = [
        f"{file.name}: {node.module}"
        for file in [*folder.glob("versions/*.py"), *folder.glob("*_of_*.py"), folder / "building.py"]
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.ImportFrom) and str(node.module).split(".")[0] in {"appliance", "backups", "provision", "webui"}
        if not str(node.module).startswith("appliance.migrations")
    ]
    assert known == []


def _as_it_was(settings: Settings, revision: str, *rows: tuple[str, dict[str, Any]]) -> None:
    """A database as the version of `revision` left it, with these rows."""
    if not settings.database.url:
        settings.database_file.parent.mkdir(parents=True)
    area = {"code": HOME, "name": "Bonto", "level": "desa", "kind": "desa", "parent_code": None, "active": True}
    with database._engine(settings) as engine, engine.execution_options(slrt_writer=True).begin() as connection:
        database._migrate(connection, revision)
        for table, row in (("area", area), *rows):
            known = sa.Table(table, sa.MetaData(), autoload_with=connection)
            connection.execute(known.insert().values(row))


def _person(person_id: str, **told: str) -> dict[str, Any]:
    text = "nickname name_search birth_place religion education marital_status mother_name father_name insurance insurance_number"
    fixed = {
        "id": person_id,
        "nik_status": "tidak_ada",
        "nik_reason": "-",
        "sex": "P",
        "birth_date_estimated": False,
        "status": "hidup",
    }
    fixed |= {"relation": "11", "village_code": HOME, "occupation": "", "phone": ""}
    return dict.fromkeys(text.split(), "") | fixed | told | STAMP


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
