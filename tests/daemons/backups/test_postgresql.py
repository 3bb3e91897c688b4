"""Backup and restore of a real PostgreSQL server."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from backups import postgresql, restore
from backups.clock import moment
from backups.errors import BackupError, EngineMissing, Mismatch, NoSpace, SourceMissing
from backups.ladder import rehearse
from backups.settings import Plan
from backups.verify import verify
from tests.support.borg import run_now
from tests.support.databases import PostgresServer, postgres_server
from tests.support.disks import small_disk


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with postgres_server() as running:
        yield running


@pytest.fixture
def url(server: PostgresServer, tmp_path: Path) -> str:
    """A libpq URL, with a password that the server does not ask for, of a database with a ledger."""
    made = server.create(f"backup_{abs(hash(tmp_path))}").replace(
        "postgresql+psycopg://postgres@", "postgresql://postgres:s%40lak@"
    )
    with psycopg.connect(made) as connection:
        connection.execute("CREATE TABLE ledger (id integer PRIMARY KEY, entry text)")
        connection.execute("INSERT INTO ledger SELECT n, 'entry ' || n FROM generate_series(1, 500) AS n")
    return made


def rows(url: str) -> int:
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT count(*) FROM ledger").fetchone()
    assert found is not None
    return int(found[0])


def test_dumped_proven_and_brought_back_in_place(fresh: Plan, url: str) -> None:
    plan = replace(fresh, database_url=url)
    assert run_now(plan, hashes=True).ok
    assert verify(plan, "terakhir").counts == {"public.ledger": 500}
    line = rehearse(plan, moment(datetime.now(UTC)))
    assert "500 baris, 1 tabel sama isinya" in line.text
    with psycopg.connect(url) as connection:
        assert not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [postgresql.SPARE]).fetchone()
    with psycopg.connect(url) as connection:
        connection.execute("DELETE FROM ledger WHERE id > 100")
        connection.execute("CREATE TABLE later (id integer)")

    restored = restore.in_place(plan, "terakhir", lambda _staged: None)

    assert rows(url) == 500
    assert restored.folder.name == "before-restore-1"
    assert (restored.folder / "before.dump").stat().st_size > 0
    assert not (plan.data / "database" / "database.dump").exists()


def test_a_dump_of_a_newer_server_is_not_called_broken(url: str, tmp_path: Path) -> None:
    """A node of Debian 13 on a spare machine of Debian 12. The format's number stands behind the first five letters."""
    dump = tmp_path / "database.dump"
    postgresql.dump_to(postgresql.Server(url), dump)
    whole = dump.read_bytes()
    dump.write_bytes(whole[:6] + bytes([99]) + whole[7:])
    with pytest.raises(EngineMissing, match=r"utuh, tetapi dibuat oleh PostgreSQL yang lebih baru .*1\.99") as told:
        postgresql.examine(dump)
    assert "mesin asalnya" in told.value.hint
    dump.write_bytes(whole[:200])
    with pytest.raises(Mismatch, match="rusak") as told:
        postgresql.examine(dump, hint="Pakai yang lain.")
    assert told.value.hint == "Pakai yang lain."


def test_a_restore_is_refused_where_the_present_database_cannot_be_kept_beside(fresh: Plan, url: str, tmp_path: Path) -> None:
    """The backup alone would fit."""
    plan = replace(fresh, database_url=url)
    run_now(plan)
    with psycopg.connect(url) as connection:
        connection.execute("DELETE FROM ledger WHERE id > 100")
    with small_disk(tmp_path / "small", 8) as small:
        narrow = replace(plan, data=shutil.copytree(plan.data, small / "data"))
        for act in (
            lambda: restore.in_place(narrow, "terakhir", lambda _: None),
            lambda: restore.check(narrow, "1", lambda _: None),
        ):
            with pytest.raises(NoSpace, match="perlu"):
                act()
        assert rows(url) == 100
        assert not list(small.glob("data/before-restore-*"))
        assert restore.restore(narrow, "terakhir", small / "beside").losses == (), "beside, nothing has to be kept"
    restore.in_place(plan, "terakhir", lambda _: None)
    with psycopg.connect(url) as connection:
        connection.execute("DELETE FROM ledger WHERE id > 100")
    with small_disk(tmp_path / "smaller", 8) as small:
        narrow = replace(plan, data=shutil.copytree(plan.data, small / "data"))
        with pytest.raises(NoSpace):
            restore.revert(narrow, lambda _: None)
    assert rows(url) == 100


def test_a_table_that_comes_back_with_another_content_is_named(url: str, tmp_path: Path) -> None:
    server, dump = postgresql.Server(url), tmp_path / "database.dump"
    content = postgresql.dump_to(server, dump, hashes=True)
    postgresql.rehearse(server, dump, content)
    with pytest.raises(Mismatch, match=r"Isi tabel .*public\.ledger"):
        postgresql.rehearse(server, dump, replace(content, tables={"public.ledger": "4711"}))
    with pytest.raises(Mismatch, match="Jumlah baris"):
        postgresql.rehearse(server, dump, replace(content, counts={"public.ledger": 501}))


def test_a_row_reads_alike_whatever_the_order_and_a_changed_one_does_not(url: str) -> None:
    server = postgresql.Server(url)
    with server.connect() as connection:
        before = postgresql.hash_rows(connection)
        connection.execute("UPDATE ledger SET entry = entry WHERE id < 100")  # the rows move to the end of the table
        assert postgresql.hash_rows(connection) == before
        connection.execute("UPDATE ledger SET entry = 'x' WHERE id = 7")
        assert postgresql.hash_rows(connection) != before
        connection.execute("CREATE TABLE nobody (id integer)")
    assert postgresql.is_empty(server, "public.nobody")
    assert postgresql.is_empty(server, "public.never_made")
    assert not postgresql.is_empty(server, "public.ledger")


def test_the_password_is_in_no_argument(url: str) -> None:
    server = postgresql.Server(url)
    assert server.environment["PGPASSWORD"] == "s@lak"
    with postgresql.snapshot(server) as held:
        assert not any("lak" in word for word in held.command)
    assert "lak" not in repr(server)


def test_an_empty_database_is_refused(fresh: Plan, server: PostgresServer) -> None:
    empty = server.create("empty").replace("+psycopg", "")
    with pytest.raises(SourceMissing, match="kosong"):
        run_now(replace(fresh, database_url=empty))


def test_a_server_that_does_not_answer(fresh: Plan, tmp_path: Path) -> None:
    with pytest.raises(SourceMissing, match="PostgreSQL"):
        run_now(replace(fresh, database_url=f"postgresql://postgres@/x?host={tmp_path}"))


def test_a_backup_of_the_other_kind_is_not_put_in_place(plan: Plan, url: str) -> None:
    with pytest.raises(BackupError, match="sqlite"):
        restore.in_place(replace(plan, database_url=url), "1", lambda _staged: None)
    assert rows(url) == 500
