"""Every service test runs on SQLite and on PostgreSQL, each time with a fresh prepared database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from flask import Flask

from appliance import database
from appliance.accounts import passwords
from appliance.config import Settings
from tests.support.databases import (
    PostgresServer,
    PostgresTemplate,
    SqliteTemplate,
    know_statements,
    postgres_server,
    postgres_template,
    sqlite_template,
)
from tests.support.staff import Staff, hire

KINDS = ("sqlite", "postgresql")


@pytest.fixture(scope="module", autouse=True)
def light_passwords() -> Iterator[None]:
    """Comparing a password takes 65 ms on purpose; that it does is held by the rules' own tests, and seen by those with gunicorn."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
        yield


@pytest.fixture(scope="session")
def server() -> Iterator[PostgresServer]:
    with postgres_server() as running:
        yield running


@pytest.fixture(scope="session")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> SqliteTemplate:
    return sqlite_template(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="session")
def postgres(server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> PostgresTemplate:
    return postgres_template(server, tmp_path_factory.mktemp("postgres"))


@pytest.fixture(params=KINDS)
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """A node with a fresh prepared database of either kind: tables, areas, service types, organisations."""
    template: SqliteTemplate | PostgresTemplate = request.getfixturevalue("sqlite" if request.param == "sqlite" else "postgres")
    settings = template.fresh(tmp_path)
    yield settings
    template.drop(settings)


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """The service without pages, its context entered."""
    service = know_statements(database.create_service(settings))
    with service.app_context():
        yield service
        database.db.session.remove()
        database.db.engine.dispose()


@pytest.fixture
def staff(app: Flask) -> Staff:
    """The people of the office, each with her role."""
    return hire()
