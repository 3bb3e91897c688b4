"""PostgreSQL's log on the second disk, received by its own program from a real server, and what can be restored from it."""

from __future__ import annotations

import os
import pickle
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from appliance import custody
from appliance.carried_log import CarriedLog
from appliance.config import BackupSettings, DatabaseSettings, PathSettings, Settings
from appliance.status import Health, backup_part
from backups import book, server_carrier, server_segments, spool
from backups.clock import moment
from backups.errors import Mismatch
from backups.outcome import Outcome, write
from backups.server_carrier import SLOT, ServerCarrier
from backups.server_segments import Box, Place, Segment
from backups.settings import Plan
from tests.support.borg import Node, environment, flip, run_now
from tests.support.carried_log import ZONE
from tests.support.databases import PostgresServer, postgres_server, settings_below
from tests.support.waiting import wait_for


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with postgres_server() as running:
        yield running


def libpq(url: str) -> str:
    return url.replace("+psycopg", "")


def asked(url: str, question: str) -> list[tuple[object, ...]]:
    """What the server answers, or nothing for a command."""
    with psycopg.connect(libpq(url), autocommit=True) as connection:
        answer = connection.execute(question.encode())
        return list(answer.fetchall()) if answer.description else []


def fill(url: str, count: int) -> None:
    with psycopg.connect(libpq(url)) as connection:
        connection.execute("INSERT INTO ledger (entry) SELECT 'Siti Aminah ' || n FROM generate_series(1, %s) AS n", [count])


@pytest.fixture
def url(server: PostgresServer, tmp_path: Path) -> Iterator[str]:
    made = server.create(f"log_{abs(hash(tmp_path))}")
    asked(made, "CREATE TABLE ledger (id serial PRIMARY KEY, entry text)")
    yield made
    with suppress(psycopg.Error):
        asked(made, f"SELECT pg_drop_replication_slot('{SLOT}')")


@pytest.fixture
def carrier(url: str, tmp_path: Path) -> Iterator[ServerCarrier]:
    for name in ("second", "state"):
        (tmp_path / name).mkdir()
    made = ServerCarrier(libpq(url), tmp_path / "second", tmp_path / "state")
    yield made
    made.close()


def carry(carrier: ServerCarrier) -> None:
    assert carrier.ship(at_once=True), carrier.sight.fault


def sealed(tmp_path: Path) -> list[Segment]:
    (place,) = (tmp_path / "second" / "server").iterdir()
    return server_segments.segments(tmp_path / "second", place.name)


def test_what_was_committed_is_there_sealed_within_one_beat(carrier: ServerCarrier, url: str, tmp_path: Path) -> None:
    fill(url, 100)
    carry(carrier)
    box = Box(spool.key_of(tmp_path / "state"))
    assert b"Siti Aminah 100" in b"".join(box.open(one.file) for one in sealed(tmp_path))
    written = b"".join(path.read_bytes() for path in (tmp_path / "second").rglob("*") if path.is_file())
    assert b"Aminah" not in written
    asked(url, "SELECT pg_switch_wal()")
    fill(url, 7)
    carry(carrier)
    found = sealed(tmp_path)
    assert [one.number for one in found] == list(range(found[0].number, found[0].number + len(found)))
    assert [one.file.suffix for one in found].count(".partial") == 1
    elsewhere = found[0].file.with_name(found[-1].name)
    shutil.copy(found[0].file, elsewhere)
    with pytest.raises(Mismatch, match=elsewhere.name):
        box.open(elsewhere)
    flip(found[0].file)
    with pytest.raises(Mismatch, match=found[0].file.name):
        box.open(found[0].file)


def test_a_daemon_that_was_killed_is_followed_by_one_that_goes_on(carrier: ServerCarrier, url: str, tmp_path: Path) -> None:
    fill(url, 10)
    carry(carrier)
    begin = Place(carrier.epoch.split("-")[0], sealed(tmp_path)[0].name, datetime.now(UTC))
    # its program lives on, as after a kill of the daemon alone
    follows = "SELECT active_pid FROM pg_replication_slots WHERE active_pid IS NOT NULL"
    left = asked(url, follows)
    following = ServerCarrier(libpq(url), tmp_path / "second", tmp_path / "state")
    asked(url, "SELECT pg_switch_wal()")
    fill(url, 10)
    try:
        carry(following)
        assert following.holds(begin.as_text())
        assert asked(url, follows) != left, "its own program follows the server now"
        assert server_segments.chain(tmp_path / "second", begin)[-1] == sealed(tmp_path)[-1]
    finally:
        following.close()


def test_a_slot_that_is_gone_is_a_break(carrier: ServerCarrier, url: str, tmp_path: Path) -> None:
    fill(url, 10)
    carry(carrier)
    begin, before = Place(carrier.epoch.split("-")[0], sealed(tmp_path)[0].name, datetime.now(UTC)), carrier.epoch
    carrier.close()
    asked(url, f"SELECT pg_drop_replication_slot('{SLOT}')")
    for _ in range(3):
        fill(url, 10)
        asked(url, "SELECT pg_switch_wal()")
    asked(url, "CHECKPOINT")
    carry(carrier)
    assert carrier.epoch != before
    assert not carrier.holds(begin.as_text())


def test_nothing_behind_a_gap_is_used(carrier: ServerCarrier, url: str, tmp_path: Path) -> None:
    for _ in range(3):
        fill(url, 10)
        carry(carrier)
        asked(url, "SELECT pg_switch_wal()")
    fill(url, 10)
    carry(carrier)
    folder, known = tmp_path / "second", sealed(tmp_path)
    begin = Place(known[0].file.parent.name, known[0].name, datetime.now(UTC))
    assert server_segments.chain(folder, begin) == known
    assert server_segments.prune(folder, begin, datetime.now(UTC) + timedelta(days=1)) == 0
    later = replace(begin, segment=known[1].name)
    assert server_segments.prune(folder, later, known[0].at) == 0, "not old enough"
    assert server_segments.prune(folder, later, datetime.now(UTC) + timedelta(days=1)) == 1
    assert server_segments.chain(folder, begin) == []
    assert server_segments.chain(folder, later) == known[1:]
    known[2].file.unlink()
    assert server_segments.chain(folder, later) == known[1:2]
    assert not server_segments.holds(folder, later)
    assert server_segments.chain(folder, replace(later, system="4711")) == []


def test_a_slot_that_holds_too_much_is_dropped_and_begun_anew(
    carrier: ServerCarrier, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    carry(carrier)
    carrier.close()
    fill(url, 5000)
    monkeypatch.setattr(server_carrier, "LARGEST_BACKLOG", 1000)
    before = carrier.epoch
    carry(carrier)
    assert carrier.epoch != before


@pytest.fixture
def limited(url: str) -> Iterator[None]:
    """The server keeps little for a slot."""
    asked(url, "ALTER SYSTEM SET max_slot_wal_keep_size = '16MB'")
    asked(url, "SELECT pg_reload_conf()")
    wait_for(lambda: asked(url, "SHOW max_slot_wal_keep_size") == [("16MB",)], what="the limit holds")
    yield
    asked(url, "ALTER SYSTEM RESET max_slot_wal_keep_size")
    asked(url, "SELECT pg_reload_conf()")
    wait_for(lambda: asked(url, "SHOW max_slot_wal_keep_size") == [("-1",)], what="there is no limit again")


@pytest.mark.usefixtures("limited")
def test_a_slot_that_the_server_gave_up_is_a_break_told_and_begun_anew(
    carrier: ServerCarrier, url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    carry(carrier)
    assert server_carrier.NO_LIMIT not in caplog.text
    begin, before = Place(carrier.epoch.split("-")[0], sealed(tmp_path)[0].name, datetime.now(UTC)), carrier.epoch
    carrier.close()
    for _ in range(6):
        fill(url, 10)
        asked(url, "SELECT pg_switch_wal()")
    asked(url, "CHECKPOINT")
    assert asked(url, "SELECT wal_status FROM pg_replication_slots") == [("lost",)]
    carry(carrier)
    assert (carrier.epoch != before, carrier.holds(begin.as_text())) == (True, False)
    assert "tidak lagi menyimpan log" in caplog.text


def test_a_server_without_a_limit_is_told_once_it_keeps_its_log_for_us(
    carrier: ServerCarrier, url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    node, at = settings_below(tmp_path, url), datetime.now(UTC)
    write(custody.state_of(node), Outcome(moment(at), True, "1", "Cadangan 1 lengkap.", verified=True))
    (tmp_path / "repository").mkdir()
    node = replace(node, backup=BackupSettings(repository=str(tmp_path / "repository")))
    assert backup_part(node, at).state is Health.OK, "nobody has it keep anything"
    carry(carrier)
    assert server_carrier.NO_LIMIT in caplog.text
    part = backup_part(node, at)
    assert (part.state, part.next_step) == (Health.WARN, server_carrier.SET_LIMIT)
    gone = replace(node, database=DatabaseSettings(url=f"{url}_gone"))
    assert backup_part(gone, at).state is Health.OK, "that the server does not answer is told elsewhere"


def test_without_the_right_it_is_told_what_to_do(url: str, tmp_path: Path) -> None:
    asked(url, "DROP ROLE IF EXISTS plain")
    asked(url, "CREATE ROLE plain LOGIN")
    for name in ("second", "state"):
        (tmp_path / name).mkdir()
    plain = ServerCarrier(libpq(url).replace("postgres@", "plain@"), tmp_path / "second", tmp_path / "state")
    assert not plain.ship()
    assert "docs/backup.md" in plain.sight.fault
    plain.close()


def test_how_far_a_restore_reaches_and_when_a_base_is_wanted(fresh: Plan, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_carrier, "BEAT_SECONDS", 0.0)
    plan = replace(fresh, database_url=libpq(url))
    fill(url, 10)
    run_now(plan)
    assert not book.lines(plan.state)[-1].position, "nobody carries the log over yet"
    paths, kept = PathSettings(data=str(plan.data)), BackupSettings(repository=str(plan.repository))
    log = CarriedLog(Settings(paths=paths, backup=kept, database=DatabaseSettings(url=url)))
    of_sqlite = [replace(book.lines(plan.state)[-1], method="freeze", position="1-1.2.3")]
    try:
        assert not log.is_moved(of_sqlite), "nobody knows yet whether the log can be carried over"
        log.carry_over()
        log.carry_files()
        assert log.is_moved(of_sqlite)
        assert log.is_moved([*of_sqlite, *book.lines(plan.state)]), "one of the server's, made before its log was received"
        assert log.wants_base(book.lines(plan.state))
        run_now(plan)
        lines = book.lines(plan.state)
        assert not log.is_moved([*of_sqlite, *lines])
        fill(url, 10)
        log.carry_over()
        log.carry_files()
        assert not log.wants_base(lines)
        reached = log.reaches(lines)
        assert reached is not None
        assert reached > lines[-1].moment.at
        assert log.reaches_back(lines) == lines[-1].moment.at + timedelta(seconds=lines[-1].seconds)
        assert log.prune(lines) == 0
        assert log.empty() is None, "nothing of ours has to be emptied"
        asked(url, "SELECT pg_terminate_backend(active_pid, 5000) FROM pg_replication_slots WHERE active_pid IS NOT NULL")
        asked(url, f"SELECT pg_drop_replication_slot('{SLOT}')")
        for _ in range(3):
            fill(url, 10)
            asked(url, "SELECT pg_switch_wal()")
        asked(url, "CHECKPOINT")
        log.carry_over()
        assert log.wants_base(lines)
        assert log.reaches(lines) == lines[-1].moment.at
        assert log.reaches_back(lines) is None
    finally:
        log.close()


def kill_and_throw_away(server: PostgresServer) -> None:
    """The data disk of the server dies."""
    number = int((server.folder / "data" / "postmaster.pid").read_text().split()[0])
    os.kill(number, signal.SIGKILL)
    shutil.rmtree(server.folder / "data", ignore_errors=True)


WORK = """
import pickle, sys
from datetime import UTC, datetime
from backups import ladder, restore
from backups.clock import moment
plan, act, *words = pickle.load(sys.stdin.buffer)
if act == "rehearse":
    print(ladder.rehearse(plan, moment(datetime.now(UTC))).text)
elif act == "beside":
    print(restore.restore(plan, *words).reached)
else:
    print(restore.in_place(plan, *words, lambda staged: None).manifest.counts)
"""


def as_service(node: Node, *work: object) -> str:
    """Done by the service user, for a server of PostgreSQL refuses root; what it says."""
    node.give_to_service()
    command = [*node.as_service(), sys.executable, "-c", WORK]
    ended = subprocess.run(command, input=pickle.dumps(work), capture_output=True, env=environment(), cwd="/", check=False)
    assert ended.returncode == 0, ended.stderr.decode()
    return ended.stdout.decode()


def test_a_server_whose_data_are_gone_comes_back_to_a_moment_and_to_the_last_commit(node: Node) -> None:
    with postgres_server() as first, postgres_server() as second:
        url = first.create("slrt")
        asked(url, "CREATE TABLE ledger (id serial PRIMARY KEY, entry text)")
        fill(url, 500)
        plan = replace(node.plan_with_secret(), database_url=libpq(url))
        carrier = ServerCarrier(plan.database_url, plan.log, plan.log_key)
        try:
            carry(carrier)
            run_now(plan)
            assert book.lines(plan.state)[-1].position
            fill(url, 40)
            typed = datetime.now(UTC) + timedelta(seconds=2)
            wait_for(lambda: datetime.now(UTC) > typed, what="a moment later, for what is typed has whole seconds")
            asked(url, "DELETE FROM ledger WHERE id % 2 = 0")
            fill(url, 3)
            carry(carrier)
        finally:
            carrier.close()
        assert "dijalankan di server uji" in as_service(node, plan, "rehearse")
        kill_and_throw_away(first)
        back = plan.data / "back"
        as_service(node, plan, "beside", f"{typed.astimezone(ZONE):%d-%m-%Y %H:%M:%S}", back)
        assert (back / "database" / "database.dump").read_bytes().count(b"Siti Aminah ") == 540
        assert not (back / "database" / "spare-server").exists()
        new = second.create("slrt")
        as_service(node, replace(plan, database_url=libpq(new)), "in place", "sekarang")
        assert asked(new, "SELECT count(*) FROM ledger") == [(273,)]
