"""A run with the real borg and a real SQLite database, while others write."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from backups import book, catalogue, outcome, repository, sqlite
from backups.errors import SourceMissing
from backups.lock import is_running
from backups.restore import restore
from backups.settings import Plan, Retention
from tests.support.borg import PASSPHRASE, add_attachment, add_rows, contents, entry, ledger, run_now, writing
from tests.support.waiting import wait_for


def numbers(plan: Plan) -> list[int]:
    return [run.number for run in catalogue.list_runs(repository.engine(plan)) if run.complete]


def test_a_run_is_complete_proven_and_told(plan: Plan) -> None:
    done = run_now(plan)

    assert (done.ok, done.archive, done.verified) == (True, "2", True)
    assert re.search(r"dibaca kembali \([\d.]+,\d MB\)", done.text)
    assert outcome.read(plan.state).last_good == outcome.read(plan.state).last
    assert numbers(plan) == [1, 2]
    assert not any(plan.scratch.iterdir())
    assert not is_running(plan.repository)


@pytest.mark.parametrize("autocheckpoint", [0, 50], ids=["one checkpointing process", "writers checkpoint too"])
def test_a_copy_taken_while_others_write_is_a_prefix_of_the_acknowledged_commits(
    plan: Plan, tmp_path: Path, autocheckpoint: int
) -> None:
    with writing(plan.database_file, tmp_path / "acknowledged", autocheckpoint) as writer:
        before = writer.wait_for(2050)
        run_now(plan)
        written_meanwhile = writer.acknowledged() - before
    after = writer.acknowledged()
    restore(plan, "terakhir", tmp_path / "back")

    rows = ledger(tmp_path / "back" / "database" / "slrt.db")
    assert rows == [(number, entry(number)) for number in range(1, len(rows) + 1)]
    assert before <= len(rows) <= after + 1  # one commit may have been on the disk before it was told
    assert written_meanwhile > 0


def test_whoever_lists_the_backups_meanwhile_neither_fails_nor_disturbs(plan: Plan) -> None:
    ended = threading.Event()

    def list_again_and_again() -> set[tuple[int, ...]]:
        seen = set()
        while not ended.is_set():
            seen.add(tuple(numbers(plan)))
        return seen

    with ThreadPoolExecutor(3) as readers:
        asked = [readers.submit(list_again_and_again) for _ in range(3)]
        try:
            made = [run_now(plan).ok for _ in range(3)]
        finally:
            ended.set()
    assert made == [True] * 3
    assert {(1,), (1, 2, 3)} <= set().union(*(one.result() for one in asked))


def test_who_lists_the_backups_does_not_wait_for_one_that_takes_long(plan: Plan) -> None:
    run_now(plan)
    engine = repository.engine(plan)
    words = {**os.environ, "BORG_PASSPHRASE": PASSPHRASE, "BORG_BASE_DIR": str(engine.base)}
    with subprocess.Popen(["borg", "create", f"{plan.repository}::db-9", "-"], env=words, stdin=subprocess.PIPE) as storing:
        wait_for(lambda: any(engine.base.glob(".cache/borg/*/lock.exclusive")), what="it stores")
        assert numbers(plan) == [1, 2]
        assert storing.poll() is None
    assert storing.returncode == 0


@pytest.mark.parametrize("names", [["config"], ["chunks"], ["config", "chunks", "files"]], ids="+".join)
def test_what_borg_kept_beside_the_repository_may_be_empty_after_a_cut(plan: Plan, names: list[str]) -> None:
    """Borg renames those files without forcing them onto the disk."""
    run_now(plan)
    (cache,) = (plan.state / "borg" / ".cache" / "borg").glob("?" * 64)
    of_another = cache.with_name("f" * 64)
    of_another.mkdir()
    for name in names:
        (cache / name).write_bytes(b"")
    add_rows(plan, 1)
    assert run_now(plan).ok
    assert run_now(plan).ok
    assert of_another.exists(), "a stick's may be in use"


def test_the_main_file_stands_still_while_it_is_frozen_and_checkpoints_pass_by(plan: Plan, tmp_path: Path) -> None:
    add_rows(plan, 20)
    with sqlite.frozen(plan.database_file) as held:
        before = plan.database_file.read_bytes()
        with writing(plan.database_file, tmp_path / "log", autocheckpoint=1) as writer:
            writer.wait_for(2200)
        held.prove_untouched()
        assert plan.database_file.read_bytes() == before
        assert held.content.counts == {"ledger": 2020}


def test_a_touched_main_file_is_refused(plan: Plan) -> None:
    with sqlite.frozen(plan.database_file) as held:
        os.utime(plan.database_file)
        with pytest.raises(sqlite.Mismatch):
            held.prove_untouched()


def test_a_reader_of_old_data_prevents_the_freeze_and_the_copy_is_used(plan: Plan, tmp_path: Path) -> None:
    add_rows(plan, 1)
    with closing(sqlite.connect(plan.database_file)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM ledger").fetchone()
        last = add_rows(plan, 30)  # in the log, and the reader's old snapshot keeps them there
        run_now(plan)

    restored = restore(plan, "terakhir", tmp_path / "back")
    assert restored.manifest.method == "copy"
    assert ledger(tmp_path / "back" / "database" / "slrt.db")[-1] == (last, entry(last))


def test_a_copy_while_others_write_is_whole(plan: Plan, tmp_path: Path) -> None:
    with writing(plan.database_file, tmp_path / "log") as writer:
        before = writer.wait_for(2050)
        content = sqlite.copy(plan.database_file, tmp_path / "copy.db")
    rows = ledger(tmp_path / "copy.db")
    assert rows == [(number, entry(number)) for number in range(1, content.counts["ledger"] + 1)]
    assert len(rows) >= before


def test_what_comes_back_is_what_was_there(plan: Plan, tmp_path: Path) -> None:
    for name in ("nama dengan\nbaris baru dan 🏠", "n" * 255):
        (plan.data / "attachments" / name).write_bytes(b"x")
    add_attachment(plan.data, b"")
    run_now(plan)
    restore(plan, "2", tmp_path / "back")

    for name in plan.folders:
        assert contents(tmp_path / "back" / name) == contents(plan.data / name)
    assert (tmp_path / "back" / "secrets" / "audit-key").read_text().strip() == plan.secrets["audit-key"]
    assert (tmp_path / "back" / "database" / "slrt.db").stat().st_mode & 0o077 == 0


def test_nothing_readable_leaves_the_node(plan: Plan) -> None:
    run_now(plan)
    stored = b"".join(contents(plan.repository).values())
    for secret in (plan.passphrase, plan.secrets["audit-key"], "entry 17", "attachment 1", "slrt.db"):
        assert secret.encode() not in stored


def test_old_runs_are_forgotten_by_the_rule_and_the_newest_kept(plan: Plan) -> None:
    rule = replace(plan, retention=Retention(2, 0, 0, 0, newest=1))
    start = datetime(2027, 1, 1, 14, 0, tzinfo=UTC)
    for day in range(3):
        add_rows(plan, 5)
        run_now(rule, start + timedelta(days=day))
    assert numbers(rule) == [3, 4]
    stored = [archive.name for archive in repository.engine(rule).archives()]
    assert sorted(stored) == ["att-3", "att-4", "db-3", "db-4", "ok-3", "ok-4"]


def test_a_dead_clock_battery_costs_no_backup_of_the_nights_before(plan: Plan) -> None:
    rule = replace(plan, retention=Retention(3, 0, 0, 0, newest=1))
    for day in (1, 2, 3):
        run_now(rule, datetime(2027, 1, day, 14, 0, tzinfo=UTC))
    for _start in range(2):
        run_now(rule, datetime(2000, 1, 1, 0, 10, tzinfo=UTC))
    assert numbers(rule) == [2, 3, 4, 6]


def test_a_database_that_was_emptied_is_refused_and_nothing_is_forgotten(plan: Plan) -> None:
    """Somebody installed anew: the tables are there, the people are not. A first backup of an empty node is none of it."""
    guarded = replace(plan, guarded=("ledger", "never_there"), retention=Retention(1, 0, 0, 0, newest=1))
    run_now(guarded)
    with closing(sqlite.connect(plan.database_file)) as base:
        base.execute("DELETE FROM ledger")
    with pytest.raises(SourceMissing, match="ledger kosong, padahal pada cadangan terakhir berisi 2000 baris"):
        run_now(guarded)
    assert numbers(plan) == [2]
    assert run_now(plan).ok  # nobody asked it to guard the table


def test_a_log_that_grows_too_large_ends_the_freeze_and_the_copy_is_used(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "LARGEST_LOG", 10_000)
    with writing(plan.database_file, tmp_path / "log") as writer:
        before = writer.wait_for(2020)
        assert run_now(plan).ok
    assert book.lines(plan.state)[-1].method == "copy"
    restore(plan, "terakhir", tmp_path / "back")
    assert len(ledger(tmp_path / "back" / "database" / "slrt.db")) >= before


def test_neither_a_truncating_checkpoint_nor_a_vacuum_touches_the_frozen_file(plan: Plan) -> None:
    add_rows(plan, 20)
    with sqlite.frozen(plan.database_file) as held:
        before = plan.database_file.read_bytes()
        meddle = "from pysqlite3 import dbapi2 as s; b = s.connect(%r, timeout=1, isolation_level=None); b.execute(%r).fetchone()"
        for order in ("PRAGMA wal_checkpoint(TRUNCATE)", "VACUUM"):
            subprocess.run(
                [sys.executable, "-c", meddle % (str(plan.database_file), order)], check=False, capture_output=True, timeout=60
            )
        held.prove_untouched()
        assert plan.database_file.read_bytes() == before


@pytest.mark.parametrize("harm", ["missing", "empty", "no tables", "no database"])
def test_a_source_that_is_not_there_fails_the_run_and_forgets_nothing(plan: Plan, harm: str) -> None:
    file = plan.database_file
    for side in ("", "-wal", "-shm"):
        Path(f"{file}{side}").unlink(missing_ok=True)
    if harm == "empty":
        file.touch()
    if harm == "no tables":
        sqlite.connect(file, "rwc").close()
    if harm == "no database":
        file.write_text("this is no database " * 1000)

    with pytest.raises(SourceMissing):
        run_now(plan)
    assert numbers(plan) == [1]
    last = outcome.read(plan.state).last
    assert last is not None
    assert not last.ok
    assert last.next_step


def test_a_folder_that_was_there_before_must_not_silently_be_gone(plan: Plan) -> None:
    (plan.data / "attachments").rename(plan.data / "elsewhere")
    with pytest.raises(SourceMissing, match="attachments"):
        run_now(plan)


def test_a_node_without_identity_is_backed_up(fresh: Plan, tmp_path: Path) -> None:
    (fresh.data / "identity" / "ca.key").unlink()
    (fresh.data / "identity").rmdir()
    run_now(fresh)
    restore(fresh, "terakhir", tmp_path / "back")
    assert not (tmp_path / "back" / "identity").exists()
