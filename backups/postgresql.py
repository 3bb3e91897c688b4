"""Dump and restore of PostgreSQL with the server's own programs. Rows are counted in the very snapshot that is dumped.

The password never stands in an argument: it is taken out of the URL and handed over in the environment of the program.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, LiteralString
from urllib.parse import unquote, urlsplit, urlunsplit

from backups.errors import BackupError, EngineMissing, Mismatch, SourceMissing
from backups.process import Ended, Stop, never, run
from backups.sqlite import Content, differing

if TYPE_CHECKING:  # on most nodes there is no such server, and every command would load its library
    import psycopg
    from psycopg import sql

PROGRAMS = Path("/usr/lib/postgresql")
FILE = "database.dump"
SPARE: Final = "slrt_uji_pemulihan"
TOO_NEW = "unsupported version"
COPIED = re.compile(r"COPY \S+ \((.*)\) FROM stdin;")
SAME_WORDS = "-c timezone=UTC -c datestyle=ISO -c intervalstyle=iso_8601 -c bytea_output=hex"
"""However a server or a database is set up, a row reads alike."""


@dataclass(frozen=True)
class Server:
    """A database behind a libpq URL (postgresql://user:password@host/name, or ...?host=/socket/folder)."""

    url: str = field(repr=False)

    @property
    def bare_url(self) -> str:
        """The URL without its password."""
        parts = urlsplit(self.url)
        user, at, host = parts.netloc.rpartition("@")
        return urlunsplit(parts._replace(netloc=f"{user.partition(':')[0]}{at}{host}"))

    @property
    def environment(self) -> dict[str, str]:
        """What the programs need besides the URL."""
        password = urlsplit(self.url).password
        return {"LC_ALL": "C.UTF-8", **({"PGPASSWORD": unquote(password)} if password else {})}

    @contextmanager
    def connect(self) -> Iterator[psycopg.Connection]:
        """A connection. Raises SourceMissing when the server does not answer."""
        import psycopg

        try:
            with psycopg.connect(self.url, autocommit=True, connect_timeout=10, options=SAME_WORDS) as connection:
                yield connection
        except psycopg.Error as error:
            raise SourceMissing(
                f"PostgreSQL tidak dapat dipakai ({str(error).strip().splitlines()[0]}).",
                "Periksa layanan PostgreSQL, lalu ulangi.",
            ) from error


@dataclass(frozen=True)
class Snapshot:
    """One state of the database, held while it is dumped. `command` writes the dump to standard output."""

    content: Content
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)


@contextmanager
def snapshot(server: Server, *, require_tables: bool = True, hashes: bool = False) -> Iterator[Snapshot]:
    """Hold one state of the database: the dump and the counts are both of it. An empty one is SourceMissing, unless allowed."""
    with server.connect() as connection:
        pg_dump = program("pg_dump", connection.info.server_version // 10000)
        with connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            name = _value(connection, "SELECT pg_export_snapshot()")
            counts = count_rows(connection)
            if require_tables and not counts:
                raise SourceMissing("Basis data PostgreSQL kosong.", "Siapkan dahulu: slrt database upgrade")
            command = (pg_dump, "--format=custom", "--compress=0", f"--snapshot={name}", server.bare_url)
            content = Content(counts, hash_rows(connection) if hashes else {})
            yield Snapshot(content, command, server.environment)


def count_rows(connection: psycopg.Connection) -> dict[str, int]:
    """Rows of each table of ours, as schema.table."""
    return {name: int(value) for name, value in _of_each_table(connection, "SELECT count(*) FROM {}").items()}


def hash_rows(connection: psycopg.Connection) -> dict[str, str]:
    """A hash of the rows of each table, whatever their order: the server adds up a hash of each row's text."""
    question: LiteralString = "SELECT coalesce(sum(hashtextextended(one::text, 0)::numeric), 0)::text FROM {} AS one"
    return _of_each_table(connection, question)


def _of_each_table(connection: psycopg.Connection, question: LiteralString) -> dict[str, str]:
    """The answer of a question about each table of ours (its {}), by schema.table."""
    from psycopg import sql

    found = connection.execute(
        "SELECT schemaname, tablename FROM pg_tables WHERE schemaname !~ '^pg_' AND schemaname <> 'information_schema' ORDER BY 1, 2"
    ).fetchall()
    answers: dict[str, str] = {}
    for schema, table in found:
        row = connection.execute(sql.SQL(question).format(sql.Identifier(schema, table))).fetchone()
        answers[f"{schema}.{table}"] = str(row[0]) if row else ""
    return answers


def is_empty(server: Server, table: str) -> bool:
    """Whether the table (schema.table) has no rows, or is not there."""
    from psycopg import sql

    with server.connect() as connection:
        schema, _, name = table.partition(".")
        if _value(connection, sql.SQL("SELECT to_regclass({})").format(sql.Literal(table))) == "None":
            return True
        return _value(connection, sql.SQL("SELECT NOT EXISTS (SELECT 1 FROM {})").format(sql.Identifier(schema, name))) == "True"


def examine(dump: Path, stop: Stop = never, hint: str = "Jalankan lagi: slrt backup run") -> None:
    """Read a whole dump as a restore would. Raises EngineMissing when it is of a newer server than our programs know, Mismatch when it
    cannot be read, with what to do then."""
    ended = run([_newest("pg_restore"), "--file=/dev/null", str(dump)], stop=stop)
    if ended.code != 0 and TOO_NEW in ended.err:
        raise EngineMissing(
            f"Cadangan ini utuh, tetapi dibuat oleh PostgreSQL yang lebih baru daripada yang ada di mesin ini ({last_words(ended)}).",
            "Pulihkan di mesin dengan Debian dan PostgreSQL yang sama baru dengan mesin asalnya.",
        )
    if ended.code != 0:
        raise Mismatch(f"Salinan PostgreSQL rusak ({last_words(ended)}).", hint)


def stored_rows(dump: Path, table: str, each: Callable[[Mapping[str, str]], object]) -> None:
    """Hand every row of a table of a dump to `each`, column → text as the server wrote it. Nothing for a table that is not in it.

    Raises Mismatch when the dump cannot be read.
    """
    columns: list[str] = []
    rest = b""

    def take(block: bytes) -> None:
        nonlocal rest, columns
        *lines, rest = (rest + block).split(b"\n")
        for line in lines:
            if columns and line == b"\\.":
                columns = []
            elif columns:
                each(dict(zip(columns, line.decode().split("\t"), strict=True)))
            elif found := COPIED.match(line.decode()):
                columns = [name.strip().strip('"') for name in found[1].split(",")]

    ended = run([_newest("pg_restore"), "--data-only", f"--table={table}", "--file=-", str(dump)], sink=take)
    if ended.code != 0:
        raise Mismatch(f"Salinan PostgreSQL rusak ({last_words(ended)}).", "Pakai cadangan sebelumnya: slrt backup list")


def dump_to(server: Server, file: Path, stop: Stop = never, *, require_tables: bool = True, hashes: bool = False) -> Content:
    """Write a dump of the present state to a file; returns what it holds."""
    with snapshot(server, require_tables=require_tables, hashes=hashes) as held, file.open("wb") as target:
        ended = run(held.command, environment=held.environment, sink=target.write, stop=stop)
        if ended.code != 0:
            raise SourceMissing(
                f"PostgreSQL tidak dapat disalin ({last_words(ended)}).", "Periksa layanan PostgreSQL, lalu ulangi."
            )
        return held.content


def size(server: Server) -> int:
    """Bytes that the database takes on its server: more than its dump."""
    with server.connect() as connection:
        return int(_value(connection, "SELECT pg_database_size(current_database())"))


def size_of_all(server: Server) -> int:
    """Bytes of all databases of the server."""
    with server.connect() as connection:
        return int(_value(connection, "SELECT sum(pg_database_size(oid)) FROM pg_database"))


def restore(server: Server, dump: Path, counts: Mapping[str, int]) -> None:
    """Replace all that is in the database, in one transaction, and count again. Writes a script beside the dump."""
    script = dump.with_suffix(".sql")
    ended = run([_newest("pg_restore"), "--no-owner", f"--file={script}", str(dump)])
    if ended.code == 0:
        # Tables that came after the backup go too: the result is what was backed up, not a mixture.
        words = [_newest("psql"), "--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1"]
        command = [*words, f"--command={_emptying(server)}", f"--file={script}", server.bare_url]
        ended = run(command, environment=server.environment)
    script.unlink(missing_ok=True)
    if ended.code != 0:
        raise BackupError(
            f"PostgreSQL tidak dapat dipulihkan ({last_words(ended)}).",
            "Data lama masih utuh. Periksa layanan PostgreSQL, lalu ulangi.",
        )
    with server.connect() as connection:
        if count_rows(connection) != dict(counts):
            raise Mismatch("Jumlah baris setelah pemulihan berbeda dari catatan.", "Hentikan layanan, lalu ulangi pemulihan.")


def rehearse(server: Server, dump: Path, expected: Content) -> None:
    """Bring a dump back into a spare database on the same server, compare it, and drop that again.

    Raises Mismatch, or BackupError when the server does not let us have a spare database.
    """
    with spare_database(server, dump, expected.counts) as spare, spare.connect() as connection:
        found = hash_rows(connection) if expected.tables else {}
    if found != expected.tables:
        raise Mismatch(
            f"Isi tabel dalam cadangan berbeda pada: {differing(found, expected.tables)}.", "Jalankan lagi: slrt backup run"
        )


@contextmanager
def spare_database(server: Server, dump: Path, counts: Mapping[str, int]) -> Iterator[Server]:
    """A spare database on the same server with what is in a dump; dropped at the end. One at a time: the caller holds the lock."""
    spare = Server(urlunsplit(urlsplit(server.url)._replace(path=f"/{SPARE}")))
    _drop_spare(server)
    try:
        with server.connect() as connection:
            connection.execute(f"CREATE DATABASE {SPARE}")
        restore(spare, dump, counts)
        yield spare
    finally:
        _drop_spare(server)


def _drop_spare(server: Server) -> None:
    with server.connect() as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {SPARE} WITH (FORCE)")


def _emptying(server: Server) -> str:
    """The statements that drop every schema of ours and make the usual one anew."""
    with server.connect() as connection:
        found = connection.execute(
            "SELECT quote_ident(nspname) FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'"
        ).fetchall()
    return "; ".join([*(f"DROP SCHEMA {name} CASCADE" for (name,) in found), "CREATE SCHEMA public"])


def program(name: str, major: int) -> str:
    """The program that fits the server: its own version, else any newer one. pg_dump refuses a server newer than itself."""
    fitting = PROGRAMS / str(major) / "bin" / name
    if fitting.exists():
        return str(fitting)
    newest = _newest(name)
    version = re.search(r"(\d+)", run([newest, "--version"]).out.decode())
    if version is None or int(version[1]) < major:
        raise EngineMissing(
            f"{name} lebih tua daripada server PostgreSQL {major}.", f"Pasang paketnya: apt install postgresql-client-{major}"
        )
    return newest


def _newest(name: str) -> str:
    found = sorted(PROGRAMS.glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]) if path.parts[-3].isdigit() else 0)
    if found:
        return str(found[-1])
    if shutil.which(name) is None:
        raise EngineMissing(f"Program {name} tidak ada.", "Pasang paketnya: apt install postgresql-client")
    return name


def _value(connection: psycopg.Connection, question: LiteralString | sql.Composed) -> str:
    row = connection.execute(question).fetchone()
    return str(row[0]) if row else ""


def last_words(ended: Ended) -> str:
    """The last line that a program said, or its exit code."""
    return (ended.err.strip().splitlines() or [f"kode {ended.code}"])[-1][:200]
