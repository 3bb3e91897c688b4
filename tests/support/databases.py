"""Fresh databases for tests, SQLite and PostgreSQL, each a copy of one that was migrated and seeded once.

One throw-away PostgreSQL server a test session: its own folder, a Unix socket, no fsync, a user that is not root.
"""

from __future__ import annotations

import functools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa
from flask import Flask

from appliance import database
from appliance.casework.catalogue import seed_catalogue
from appliance.casework.office_calendar import seed_calendar
from appliance.config import DatabaseSettings, NodeSettings, PathSettings, Settings
from appliance.models.area import Area
from appliance.registry.areas import data_set
from appliance.registry.programme_seed import seed_programmes
from tests.support.memory import quick_folder
from tests.support.waiting import wait_for

AUDIT_KEY = "5a" * 32
DISTRICT = "73.03"
SEEDED_AT = datetime(2026, 11, 1, 0, 0, tzinfo=UTC)

# of each kind of database the first engine of this process, with all statements that it and later ones have compiled
_first_engines: dict[str, sa.Engine] = {}


def know_statements(app: Flask) -> Flask:
    """Give the app's engine the statements that earlier engines of this process have compiled.

    A node has one engine for weeks, and compiles a statement once; here every test has an engine of its own, and compiling took a
    third of its time. Text alone is shared: a statement in its dialect. Connections, files and settings are each engine's own.
    """
    with app.app_context():
        engine = database.db.engine
        first = _first_engines.get(engine.dialect.name)
        if first is None:
            engine.connect().close()  # the dialect is not whole before
            engine.update_execution_options(compiled_cache={})
            _first_engines[engine.dialect.name] = engine
        else:
            engine.dialect = first.dialect  # by which known statements are found
            engine.update_execution_options(compiled_cache=first.get_execution_options()["compiled_cache"])
    return app


def settings_below(folder: Path, url: str = "") -> Settings:
    """Settings of a node whose files all lie below `folder`, with the audit key in its place."""
    for name in ("data", "run", "secrets"):
        (folder / name).mkdir(exist_ok=True)
    secret = folder / "secrets" / "audit-key"
    secret.write_text(AUDIT_KEY)
    secret.chmod(0o600)
    paths = PathSettings(data=str(folder / "data"), runtime=str(folder / "run"), secrets=str(folder / "secrets"))
    return Settings(node=NodeSettings(district=DISTRICT), paths=paths, database=DatabaseSettings(url=url))


def prepare(settings: Settings) -> None:
    """Migrate and seed the database; of the areas it gets only those of the province, for hundreds of copies are made."""
    database.upgrade(settings)
    with database.create_service(settings).app_context():
        with database.transaction() as session:
            session.execute(sa.insert(Area), _near_areas())
        seed_catalogue(DISTRICT, at=SEEDED_AT)
        seed_calendar(at=SEEDED_AT)
        seed_programmes(at=SEEDED_AT)
        database.db.session.remove()
        database.db.engine.dispose()
    database.checkpoint(settings)


@functools.cache
def _near_areas() -> list[dict[str, Any]]:
    return [row for row in data_set(DISTRICT) if row["code"].startswith(DISTRICT[:2])]


@dataclass(frozen=True)
class SqliteTemplate:
    """A prepared SQLite file to copy."""

    file: Path

    def fresh(self, folder: Path) -> Settings:
        """Settings of a node below `folder` with a copy of the prepared database."""
        settings = settings_below(folder)
        settings.database_file.parent.mkdir()
        shutil.copyfile(self.file, settings.database_file)
        return settings

    def drop(self, settings: Settings) -> None:
        """Nothing to do: the file goes with its folder."""


@dataclass(frozen=True)
class PostgresServer:
    """A running server; `folder` holds its socket."""

    folder: Path

    def url(self, name: str) -> str:
        return f"postgresql+psycopg://postgres@/{name}?host={self.folder}"

    def create(self, name: str, template: str = "template0") -> str:
        """A new database; its URL."""
        with psycopg.connect(host=str(self.folder), user="postgres", dbname="postgres", autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')
        return self.url(name)

    def drop(self, name: str) -> None:
        """Remove a database, whoever is still connected."""
        with psycopg.connect(host=str(self.folder), user="postgres", dbname="postgres", autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@dataclass(frozen=True)
class PostgresTemplate:
    """A prepared database on a server to copy."""

    server: PostgresServer
    name: str

    def fresh(self, folder: Path) -> Settings:
        """Settings of a node below `folder` with a copy of the prepared database."""
        return settings_below(folder, self.server.create(f"test_{uuid.uuid4().hex}", self.name))

    def drop(self, settings: Settings) -> None:
        """Remove the copy, so that hundreds of tests do not fill the disk."""
        self.server.drop(sa.make_url(settings.database.url).database or "")


def sqlite_template(folder: Path) -> SqliteTemplate:
    """A prepared SQLite database below `folder`."""
    settings = settings_below(folder)
    prepare(settings)
    return SqliteTemplate(settings.database_file)


def postgres_template(server: PostgresServer, folder: Path) -> PostgresTemplate:
    """A prepared database on the server; `folder` for the other files of its node."""
    settings = settings_below(folder)
    prepare(replace(settings, database=DatabaseSettings(url=server.create("prepared"))))
    return PostgresTemplate(server, "prepared")


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """A server for as long as the context lasts. Fails with what to install when there is no PostgreSQL."""
    # Not in pytest's folder: other users may not enter it, and a socket's path must be short. A database is 1,700 files: to make and
    # drop one costs six times as much processor time on a disk as in memory.
    folder = Path(tempfile.mkdtemp(prefix="slrt-pg-", dir=quick_folder()))
    try:
        _give_to_server(folder)
        data = folder / "data"
        initdb = [_program("initdb"), "--no-sync", *("-A", "trust"), *("-U", "postgres"), *("-E", "UTF8"), "-D", str(data)]
        # An order of words as people expect it, in which a prefix is no range: what a node's server may well be set to.
        initdb += ["--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=id"]
        subprocess.run(_as_server(initdb), check=True, capture_output=True, cwd=folder)
        with _running(folder, data):
            yield PostgresServer(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _running(folder: Path, data: Path) -> Iterator[None]:
    options = {"fsync": "off", "full_page_writes": "off", "listen_addresses": "", "unix_socket_directories": str(folder)}
    command = [_program("postgres"), "-D", str(data)]
    for name, value in options.items():
        command += ["-c", f"{name}={value}"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(_as_server(command), stdout=log, stderr=subprocess.STDOUT, cwd=folder)
    try:
        wait_for(lambda: _answers(folder) or process.poll() is not None, what="PostgreSQL answers")
        assert process.poll() is None, (folder / "log").read_text()
        yield
    finally:
        process.send_signal(signal.SIGINT)  # a fast shutdown: open connections are cut
        process.wait(120)


def _answers(folder: Path) -> bool:
    try:
        psycopg.connect(host=str(folder), user="postgres", dbname="postgres").close()
    except psycopg.OperationalError:
        return False
    return True


def _program(name: str) -> str:
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
    assert found, f"{name} is missing: apt-get install postgresql"
    return str(found[-1])


def _as_server(command: list[str]) -> list[str]:
    """The server refuses root."""
    if os.geteuid() != 0:
        return command
    user = _server_user()
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--", *command]


def _give_to_server(folder: Path) -> None:
    folder.chmod(0o755)
    if os.geteuid() == 0:
        user = _server_user()
        os.chown(folder, user.pw_uid, user.pw_gid)


def _server_user() -> pwd.struct_passwd:
    return pwd.getpwnam("nobody")
