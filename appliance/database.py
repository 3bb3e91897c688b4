"""The database: the one adapter to SQLAlchemy's engine, on SQLite by default and on PostgreSQL by its URL.

It knows connections, transactions and migrations, not what is stored. `transaction()` is the one place that commits.
Errors of the database leave here as errors of ours.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVarTuple

import sqlalchemy as sa
from flask import Flask, current_app
from flask_sqlalchemy import SQLAlchemy
from pysqlite3 import dbapi2
from sqlalchemy import event
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.engine import Connection, Engine, ExceptionContext
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.orm.exc import StaleDataError

from appliance.config import Settings
from appliance.errors import ApplianceError, ConfigurationError, Conflict, TryLater

# Older ones can lose acknowledged commits when several processes share a WAL (the "WAL-reset bug").
OLDEST_SQLITE = (3, 51, 3)
BUSY_SECONDS = 10
ROWS_LOOKED_AT = 1000
WRITER = "slrt_writer"
HIGHEST = "\U0010ffff"
MIGRATIONS = Path(__file__).parent / "migrations"
Columns = TypeVarTuple("Columns")


class Base(DeclarativeBase):
    """What all tables share: names of constraints that migrations can rely on."""

    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


# Rows stay readable after the commit: what a service returns is used by a page when the transaction is over.
db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False}, disable_autonaming=True, add_models_to_shell=False)

if TYPE_CHECKING:
    Model = Base
else:
    Model = db.Model


class Duplicate(Conflict):
    """A unique value is taken: the same thing was stored a moment ago, here or by another process."""

    def __init__(self) -> None:
        super().__init__("Data yang sama sudah tersimpan.", "Muat ulang halaman, lalu periksa sebelum menyimpan lagi.")


class HintedCompiler(SQLiteCompiler):
    """SQLAlchemy drops the hints of a statement on SQLite; here they are written."""

    def get_from_hint_text(self, table: Any, text: str | None) -> str | None:
        return text


@dataclass(frozen=True)
class DatabaseHealth:
    """`state` is ok, missing, outdated or broken; `text` and `hint` are sentences for the operator."""

    state: str
    text: str
    hint: str = ""

    @property
    def ok(self) -> bool:
        return self.state == "ok"


def attach(app: Flask, settings: Settings, *, audit_key: str | None = None, checkpoints: bool = False) -> None:
    """Give `app` its database. Only the scheduler, the one process that checkpoints, sets `checkpoints`.

    `audit_key` is the secret of the audit chain; left out, it is read from the secrets when first needed. A command that
    drops its rights must hand it in. Raises ConfigurationError when the SQLite library is too old.
    """
    app.config["SLRT_SETTINGS"] = settings
    app.config["SLRT_AUDIT_KEY"] = audit_key
    app.config["SQLALCHEMY_DATABASE_URI"] = settings.database_url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = _engine_options(settings)
    db.init_app(app)
    with app.app_context():
        _listen(db.engine, checkpoints)


def create_service(settings: Settings, *, audit_key: str | None = None, checkpoints: bool = False) -> Flask:
    """The service without pages, for commands, daemons and tests. Work inside `with app.app_context():`."""
    app = Flask("appliance", static_folder=None, template_folder=None)
    attach(app, settings, audit_key=audit_key, checkpoints=checkpoints)
    return app


@contextmanager
def transaction() -> Iterator[Session]:
    """Everything inside is stored together or not at all; when it ends, it is on disk.

    A writer takes its turn at once (BEGIN IMMEDIATE on SQLite), so that what it reads cannot change before it writes.
    Rows loaded earlier are loaded afresh. Raises Conflict when a row was changed meanwhile, TryLater when no turn came.
    """
    session = db.session()
    if session.info.get(WRITER) or session.new or session.dirty or session.deleted:
        raise RuntimeError("transaction() is not nested, and nothing is changed outside of it")
    session.rollback()
    session.info[WRITER] = True
    try:
        session.connection(execution_options={WRITER: True})
        yield session
        session.commit()
    except StaleDataError as error:
        raise changed_meanwhile() from error
    finally:
        session.info.pop(WRITER, None)
        session.rollback()


def settings_in_use() -> Settings:
    """The settings this service was made with. Needs an app context."""
    settings: Settings = current_app.config["SLRT_SETTINGS"]
    return settings


def changed_meanwhile() -> Conflict:
    """The error of one who saves over a newer state."""
    return Conflict("Data ini baru saja diubah oleh petugas lain.", "Muat ulang halaman, periksa keadaannya, lalu ulangi.")


def table_of(model: type[Any]) -> sa.Table:
    """The bare table of a model: rows for it are stored many at a time, without objects."""
    table: sa.Table = model.__table__
    return table


def add_new(model: type[Any], rows: list[tuple[str, ...]]) -> None:
    """Store rows of a table that is nothing but its key; those that are there stay as they are.

    A row holds the texts of the key in the order of its columns. Straight to the driver: making the parameters of so many small
    rows one by one takes longer than storing them.
    """
    table, names = model.__tablename__, _key_of(model)
    values = ", ".join("?" for _ in names)
    _run_many(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({values}) ON CONFLICT DO NOTHING", rows)  # noqa: S608  our own names


def remove(model: type[Any], rows: list[tuple[str, ...]]) -> None:
    """Delete rows of such a table; those that are not there do not matter."""
    conditions = " AND ".join(f"{name} = ?" for name in _key_of(model))
    _run_many(f"DELETE FROM {model.__tablename__} WHERE {conditions}", rows)  # noqa: S608  our own names


def _key_of(model: type[Any]) -> list[str]:
    return [column.name for column in table_of(model).primary_key]


def _run_many(statement: str, rows: list[tuple[str, ...]]) -> None:
    """`?` stands for a value of a row, whatever the driver calls it."""
    if rows:
        mark = "?" if db.engine.dialect.name == "sqlite" else "%s"
        db.session().connection().exec_driver_sql(statement.replace("?", mark), rows)


def begins_with(column: sa.ColumnElement[str] | Any, text: str) -> sa.ColumnElement[bool]:
    """Whether `column` begins with `text`, in the form that an index answers on both databases (LIKE does not)."""
    return sa.and_(column >= text, column < text + HIGHEST)


def one_of(column: sa.ColumnElement[str] | Any, values: list[str]) -> sa.ColumnElement[bool]:
    """Whether `column` is one of `values`: what `in_` says, at a fraction of its cost for hundreds of values."""
    condition: sa.ColumnElement[bool] = column.in_(sa.bindparam(None, values, expanding=True))
    return condition


def next_position(position: Any, within: sa.ColumnElement[bool]) -> int:
    """The place of the next row of a history, from 1 on. The caller holds the row that the history belongs to locked."""
    last = sa.select(sa.func.coalesce(sa.func.max(position), 0)).where(within)
    return int(db.session.scalars(last).one()) + 1


def by_index(statement: sa.Select[*Columns], model: type[Any], index: str) -> sa.Select[*Columns]:
    """`statement` with the index by which SQLite reads the rows of `model`: it knows of a few rows at most and would guess.

    PostgreSQL has them and chooses by itself. To be asked for last, when all conditions are there.
    """
    condition = statement.whereclause
    if isinstance(getattr(condition, "element", condition), sa.False_):  # no row can fit, and no index fits such a question
        return statement
    return statement.with_hint(model, f"INDEXED BY {index}", "sqlite")


def upgrade(settings: Settings) -> bool:
    """Bring the tables to the newest state, creating the database if need be. Whether anything changed. Safe to repeat."""
    if not settings.database.url:
        _make_file(settings.database_file)
    with _engine(settings) as engine, engine.execution_options(**{WRITER: True}).begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(7303)"))
        if _revision(connection) == newest_revision():
            return False
        _migrate(connection)
        return True


def _make_file(file: Path) -> None:
    """An empty database, which gives its side files the same rights: where the folder hands on its group, that may write as well."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not file.exists():
        shared = file.parent.stat().st_mode & stat.S_ISGID
        file.touch(mode=0o600)
        file.chmod(0o660 if shared else 0o600)


def current_revision(settings: Settings) -> str | None:
    """The migration the database is at; None when it has no tables or does not exist."""
    if not settings.database.url and not settings.database_file.exists():
        return None
    with _engine(settings) as engine, engine.connect() as connection:
        return _revision(connection)


def newest_revision() -> str:
    """The migration this version of the program needs: the last one."""
    return max(known_revisions())


@contextmanager
def reading(settings: Settings) -> Iterator[Connection]:
    """A connection for one errand that only reads, outside of any app. What is broken comes as an error of SQLAlchemy's."""
    with _engine(settings) as engine, engine.connect() as connection:
        yield connection


def known_revisions() -> frozenset[str]:
    """The migrations that this version of the program knows, by the numbers that their files begin with."""
    return frozenset(file.name.partition("_")[0] for file in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def checkpoint(settings: Settings, *, empty: bool = True) -> bool:
    """Move the write-ahead log into the database file; `empty` it then. Whether all of it could be moved.

    For the scheduler, which alone may empty it, and for whoever closed the gate.
    """
    if settings.database.url:
        return True
    with _engine(settings, checkpoints=True) as engine, engine.connect() as connection:
        raw = connection.connection.dbapi_connection
        assert raw is not None  # noqa: S101  a connection just opened
        cursor = raw.cursor()
        # Outside of any transaction, hence not through the engine's own BEGIN.
        busy, logged, moved = cursor.execute(f"PRAGMA wal_checkpoint({'TRUNCATE' if empty else 'PASSIVE'})").fetchone()
        cursor.close()
        return not busy and logged == moved


def refresh_statistics(settings: Settings) -> None:
    """Let SQLite look at a few rows of each index, where it thinks that this helps it to choose; PostgreSQL does so by itself.

    For the scheduler. A look takes milliseconds, whatever the size of the tables.
    """
    if settings.database.url:
        return
    with _engine(settings, checkpoints=True) as engine, engine.connect() as connection:
        raw = connection.connection.dbapi_connection
        assert raw is not None  # noqa: S101  a connection just opened
        cursor = raw.cursor()
        cursor.execute(f"PRAGMA analysis_limit={ROWS_LOOKED_AT}")
        # 2: look; 0x10000: also at tables that this connection has not asked anything of.
        cursor.execute("PRAGMA optimize=0x10002")
        cursor.close()


def quick_check(settings: Settings) -> DatabaseHealth:
    """Whether the database answers and has the right tables. Cheap, changes nothing, raises nothing of the database."""
    repair = "Jalankan: sudo slrt database upgrade"
    try:
        found = current_revision(settings)
    except (ApplianceError, sa.exc.SQLAlchemyError, dbapi2.Error) as error:
        text = error.message if isinstance(error, ApplianceError) else f"Basis data tidak menjawab ({type(error).__name__})."
        return DatabaseHealth("broken", text, "Jalankan: sudo slrt database check")
    if found is None:
        return DatabaseHealth("missing", "Basis data belum disiapkan.", repair)
    if found != newest_revision():
        return DatabaseHealth("outdated", f"Susunan basis data ({found}) tidak sesuai dengan versi program.", repair)
    return DatabaseHealth("ok", "Basis data menjawab.")


def integrity(settings: Settings) -> DatabaseHealth:
    """Read the whole database file and compare it with itself; PostgreSQL keeps checksums of its own. Takes its time."""
    if settings.database.url:
        return DatabaseHealth("ok", "Keutuhan berkas dijaga oleh PostgreSQL.")
    with _engine(settings) as engine, engine.connect() as connection:
        found = connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar_one()
        orphan = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if found == "ok" and orphan is None:
        return DatabaseHealth("ok", "Berkas basis data utuh.")
    text = f"Tabel {orphan[0]} merujuk baris yang tidak ada." if orphan else f"Berkas basis data rusak: {found}."
    return DatabaseHealth("broken", text, "Pulihkan dari cadangan: slrt backup list")


def _migrate(connection: Connection, revision: str = "head") -> None:
    # Not at the top: every command and daemon would load a library that is needed after an update only.
    import alembic.command
    import alembic.config

    config = alembic.config.Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    alembic.command.upgrade(config, revision)


def _revision(connection: Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    return found


@contextmanager
def _engine(settings: Settings, *, checkpoints: bool = False) -> Iterator[Engine]:
    """An engine for one errand outside of any app."""
    engine = sa.create_engine(settings.database_url, poolclass=sa.NullPool, **_driver_options(settings))
    _listen(engine, checkpoints)
    try:
        yield engine
    finally:
        engine.dispose()


def _engine_options(settings: Settings) -> dict[str, Any]:
    return {**_driver_options(settings), "pool_size": 8, "max_overflow": 24, "pool_pre_ping": bool(settings.database.url)}


def _driver_options(settings: Settings) -> dict[str, Any]:
    # a traceback in the journal must not show what was stored about a person
    private = {"hide_parameters": True}
    if settings.database.url:
        return {**private, "connect_args": {"connect_timeout": BUSY_SECONDS}}
    require_sqlite(dbapi2.sqlite_version_info)
    return {**private, "module": dbapi2, "connect_args": {"timeout": BUSY_SECONDS, "check_same_thread": False}}


def require_sqlite(version: tuple[int, ...]) -> None:
    """Raises ConfigurationError for a library that may lose what was saved."""
    if version < OLDEST_SQLITE:
        found, needed = (".".join(map(str, numbers)) for numbers in (version, OLDEST_SQLITE))
        raise ConfigurationError(
            f"Pustaka SQLite {found} terlalu lama dan dapat merusak data; paling sedikit {needed}.",
            "Pasang ulang program ini dengan ./install.sh, yang membawa pustaka yang benar.",
        )


def _listen(engine: Engine, checkpoints: bool) -> None:
    event.listen(engine, "handle_error", _translate)
    if engine.dialect.name == "sqlite":
        engine.dialect.statement_compiler = HintedCompiler
        event.listen(engine, "connect", lambda raw, record: _prepare_sqlite(raw, checkpoints))
        event.listen(engine, "begin", _begin_sqlite)


def _prepare_sqlite(raw: Any, checkpoints: bool) -> None:
    raw.isolation_level = None  # the driver must not begin transactions of its own
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",  # NORMAL loses acknowledged commits in a power cut
        "foreign_keys=ON",
        f"wal_autocheckpoint={1000 if checkpoints else 0}",
        "temp_store=MEMORY",
    ):
        raw.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(WRITER)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _translate(context: ExceptionContext) -> None:
    """Raise an error of ours for what the operator can do something about; the rest goes on as it is."""
    error = context.original_exception
    text = str(error).lower()
    state = getattr(error, "sqlstate", None) or ""
    if "database is locked" in text or state in {"55P03", "40P01", "40001"}:
        raise TryLater("Basis data sedang sibuk.", "Tunggu sebentar, lalu tekan Simpan lagi.") from error
    if "disk is full" in text or state == "53100":
        raise ApplianceError(
            "Penyimpanan penuh; data terakhir belum tersimpan.", "Beri tahu admin: kosongkan disk, lalu simpan lagi."
        ) from error
    if "unique constraint" in text or state == "23505":
        raise Duplicate from error
    if "unable to open database" in text or context.is_disconnect or state.startswith(("08", "57P")):
        raise TryLater("Basis data tidak dapat dihubungi.", "Tunggu sebentar; bila tetap gagal, jalankan: slrt status") from error
