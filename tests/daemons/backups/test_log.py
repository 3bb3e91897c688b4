"""The log that is carried over to the second disk, and what can be restored from it: to the byte, or a plain refusal."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.carried_log import CarriedLog
from appliance.commands.backup_plan import Handed, plan_of
from appliance.config import BackupSettings, PathSettings, Settings
from backups import book, replay, repository, ship, spool
from backups.clock import moment
from backups.errors import Mismatch, NoSuchArchive
from backups.ladder import rehearse
from backups.lock import only_run
from backups.restore import Choice, Part, in_place, restore
from backups.settings import Plan
from backups.sqlite import Connection, connect
from tests.support.borg import add_attachment, add_rows, flip, ledger, run_now
from tests.support.carried_log import ZONE, Carried, Kept
from tests.support.disks import read_only, small_disk
from tests.support.waiting import wait_for


@pytest.fixture
def carried(tmp_path: Path) -> Iterator[Carried]:
    made = Carried(tmp_path)
    yield made
    made.close()


def test_every_shipped_commit_is_restored_to_the_byte(carried: Carried) -> None:
    carried.add(20)
    assert carried.shipper.ship()
    kept = carried.back_up()
    seen: list[tuple[datetime, bytes]] = []
    for _ in range(3):
        carried.add(10)
        assert carried.shipper.ship()
        seen.append((carried.clock(), carried.content()))
        assert carried.shipper.empty_log()
        carried.add(5)
        assert carried.shipper.ship()
        seen.append((carried.clock(), carried.content()))
    for at, content in seen:
        assert carried.restored(kept, at) == content


ACTIONS = st.one_of(
    st.tuples(st.just("add"), st.integers(1, 30)),
    st.tuples(st.just("remove"), st.integers(1, 30)),
    st.sampled_from([(name, 0) for name in ("large", "vacuum", "look", "look away", "give up half-way")]),
    st.sampled_from([(name, 0) for name in ("ship", "ship", "empty", "empty", "back up", "passive", "truncate", "restart")]),
)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(ACTIONS, min_size=5, max_size=30))
def test_whatever_happens_while_it_is_carried_over_nothing_is_lost(actions: list[tuple[str, int]]) -> None:
    """Readers, strangers' checkpoints, rollbacks, VACUUM, new daemons: where the chain is said to hold, each moment is restored to the
    byte. It may break only where a stranger emptied the log, after which SQLite names the next one at random."""
    with TemporaryDirectory() as folder:
        carried = Carried(Path(folder))
        with closing(carried.connect()) as reader, closing(carried.connect()) as stranger:
            stranger.execute("PRAGMA busy_timeout = 0")
            carried.add(3)
            assert carried.shipper.ship()
            kept = [carried.back_up()]
            seen: list[tuple[datetime, bytes]] = []
            for action, number in actions:
                play(carried, action, number, (reader, stranger), kept)
                if action in {"ship", "empty"}:
                    assert carried.shipper.ship()
                    if carried.shipper.holds(kept[-1].position):
                        seen.append((carried.clock(), carried.content()))
                    else:
                        assert ("truncate", 0) in actions
            for at, content in seen:
                base = [one for one in kept if one.at <= at][-1]
                assert carried.restored(base, at) == content
        carried.close()


def play(carried: Carried, action: str, number: int, others: tuple[Connection, Connection], kept: list[Kept]) -> None:
    """One thing that happens to a database. Somebody who reads keeps out what needs the database alone."""
    reader, stranger = others
    alone = not reader.in_transaction
    acts = {
        "add": lambda: carried.add(number),
        "remove": lambda: carried.writer.execute("DELETE FROM ledger WHERE id % 31 < ?", (number,)),
        "large": lambda: carried.writer.execute("INSERT INTO ledger (entry) VALUES (?)", ("besar " * 20_000,)),
        "vacuum": lambda: alone and carried.writer.execute("VACUUM"),
        "look": lambda: alone and reader.executescript("BEGIN; SELECT count(*) FROM ledger"),
        "look away": lambda: alone or reader.execute("ROLLBACK"),
        "give up half-way": carried.give_up,
        "ship": carried.shipper.ship,
        "empty": carried.shipper.empty_log,
        "back up": lambda: alone and carried.shipper.ship() and kept.append(carried.back_up()),
        "passive": lambda: stranger.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone(),
        "truncate": lambda: stranger.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone(),
        "restart": carried.restart,
    }
    acts[action]()


def test_a_log_that_somebody_else_began_anew_is_a_break(carried: Carried) -> None:
    """While nobody carried it over, commits came and went: what is behind them must never be joined to what was before."""
    carried.add(5)
    assert carried.shipper.ship()
    kept = carried.back_up()
    carried.add(5)
    assert carried.shipper.ship()
    before = carried.content()
    carried.shipper = carried.new_shipper()  # never begun: nobody holds the log
    carried.add(5)
    with closing(carried.connect()) as stranger:
        assert stranger.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()[0] == 0
    carried.add(5)
    assert carried.shipper.ship()
    assert not carried.shipper.holds(kept.position)
    assert carried.restored(kept) == before
    again = carried.back_up()
    carried.add(5)
    assert carried.shipper.ship()
    assert carried.shipper.holds(again.position)
    assert carried.restored(again) == carried.content()


def test_a_log_that_the_last_one_threw_away_is_a_break(carried: Carried) -> None:
    carried.add(5)
    assert carried.shipper.ship()
    kept, before = carried.back_up(), carried.content()
    carried.add(5)
    carried.shipper = carried.new_shipper()
    carried.writer.close()  # the last one: the log is emptied and deleted
    carried.writer = carried.connect()
    carried.add(5)
    assert carried.shipper.ship()
    assert not carried.shipper.holds(kept.position)
    assert carried.restored(kept) == before


def many_files(carried: Carried) -> Kept:
    """A backup of five rows, and six files of an hour each with five more."""
    carried.add(5)
    assert carried.shipper.ship()
    kept = carried.back_up()
    for number in range(6):
        carried.clock.at += timedelta(hours=1, seconds=1)
        carried.add(5)
        assert carried.shipper.empty_log() if number % 2 else carried.shipper.ship()
    assert len({found.file for found in carried.blocks()}) >= 6
    return kept


@pytest.mark.parametrize("harm", ["missing", "flipped", "cut", "swapped"])
def test_nothing_behind_a_gap_is_used_and_the_moment_it_reaches_is_told(carried: Carried, harm: str) -> None:
    kept = many_files(carried)
    harmed, other = spool.files_of(spool.epochs(carried.log)[0])[3:5]
    content = harmed.read_bytes()
    if harm == "missing":
        harmed.unlink()
    elif harm == "flipped":
        flip(harmed, len(content) - 40)
    elif harm == "cut":
        harmed.write_bytes(content[:-1])
    else:
        harmed.write_bytes(other.read_bytes())
        other.write_bytes(content)
    with pytest.raises(Mismatch) as told:
        carried.restored(kept)
    reached = re.findall(r'"(.+)"', told.value.hint)[0]
    moment = replay.read_moment(reached, ZONE)
    assert moment is not None
    carried.restored(kept, moment)
    assert [number for number, _ in ledger(carried.folder / "restored" / "slrt.db")] == list(range(1, 16))


def test_with_another_key_nothing_opens_and_names_do_not_show(carried: Carried) -> None:
    carried.writer.execute("INSERT INTO ledger (entry) VALUES ('Siti Aminah')")
    assert carried.shipper.ship()
    found = carried.blocks()[-1]
    assert b"Siti Aminah" in spool.open_block(found, spool.key_of(carried.state))
    assert not any(b"Aminah" in file.read_bytes() for file in carried.second.rglob("*") if file.is_file())
    with pytest.raises(Mismatch):
        spool.open_block(found, "00" * 32)


def test_wherever_the_last_file_was_cut_off_it_is_gone_on_with(carried: Carried) -> None:
    """A power cut on the second disk: what was not whole is carried over again."""
    carried.add(5)
    assert carried.shipper.ship()
    kept = carried.back_up()
    for _ in range(3):
        carried.add(2)
        assert carried.shipper.ship()
    (file,) = spool.files_of(spool.epochs(carried.log)[0])
    content, last = file.read_bytes(), carried.blocks()[-1]
    zeroed = content[: last.offset + 100] + bytes(len(content) - last.offset - 100)
    sizes = (len(content), len(content) - 1, last.offset + 10, last.offset + 1, last.offset, carried.blocks()[0].stop)
    for left in (zeroed, *(content[:size] for size in sizes)):
        file.write_bytes(left)
        carried.shipper = carried.new_shipper()
        assert carried.shipper.ship()
        assert carried.shipper.holds(kept.position)
        assert carried.restored(kept) == carried.content()


def test_a_full_disk_a_read_only_one_and_none_are_told_and_made_up_for(carried: Carried) -> None:
    carried.add(5)
    assert carried.shipper.ship()
    kept = carried.back_up()
    folder = carried.log
    for number, trouble in enumerate((full_disk(folder), read_only(carried.second), gone(carried.second))):
        with trouble:
            carried.add(400, size=4000)
            carried.writer.execute("INSERT INTO ledger (entry) VALUES (hex(randomblob(4000000)))")
            assert not carried.shipper.ship(), number
            assert carried.shipper.sight.fault
            assert carried.shipper.empty_log() is False
        assert carried.shipper.ship()
        assert not carried.shipper.sight.fault
        assert carried.shipper.holds(kept.position)
    assert carried.restored(kept) == carried.content()


@contextmanager
def full_disk(folder: Path) -> Iterator[None]:
    """A disk of four megabytes in the place of what is in the folder, which is on it. Needs root, which CI is."""
    held = folder.with_name("held")
    shutil.copytree(folder, held)
    with small_disk(folder.with_name("small"), 4) as small:
        shutil.copytree(folder, small, dirs_exist_ok=True)
        shutil.rmtree(folder)
        folder.symlink_to(small)
        yield
        folder.unlink()
        shutil.copytree(small, folder)
    shutil.rmtree(held)


@contextmanager
def gone(folder: Path) -> Iterator[None]:
    """A disk that was pulled out."""
    with away(folder):
        folder.mkdir()
        yield
        folder.rmdir()


@contextmanager
def away(folder: Path) -> Iterator[None]:
    """A folder on a disk that was pulled out."""
    kept = folder.rename(folder.with_name(f"{folder.name}-pulled"))
    yield
    kept.rename(folder)


def test_a_disk_that_stays_away_does_not_hold_the_log_for_ever(carried: Carried, monkeypatch: pytest.MonkeyPatch) -> None:
    carried.add(5)
    assert carried.shipper.ship()
    kept = carried.back_up()
    monkeypatch.setattr(ship, "PATIENCE_SECONDS", 0.0)
    with gone(carried.second):
        carried.add(5)
        assert carried.shipper.empty_log() is None
        with closing(carried.connect()) as other:
            assert other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone() == (0, 0, 0)
        carried.add(5)
    assert carried.shipper.ship()
    assert not carried.shipper.holds(kept.position)


def test_what_is_old_goes_but_never_what_the_proven_backup_needs(carried: Carried) -> None:
    kept = many_files(carried)
    again = carried.back_up()
    carried.clock.at += timedelta(days=10)
    carried.add(2)
    assert carried.shipper.ship()
    assert carried.shipper.prune(again.position) == 0
    carried.clock.at += timedelta(days=5)
    assert carried.shipper.prune(kept.position) == 0
    assert carried.shipper.prune(again.position) >= 4
    assert carried.restored(again) == carried.content()


KILLED = """
import os, signal, sys
from pathlib import Path
from backups import log_guard, spool
from backups.ship import Shipper
from backups.sqlite import connect
file, second, state, told = map(Path, sys.argv[1:5])
left = [int(sys.argv[5])]
def dying(real):
    def act(*words, **named):
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*words, **named)
    return act
os.fsync, spool.add = dying(os.fsync), dying(spool.add)
for name in ("move", "move_into_file", "begin_anew", "frames"):
    setattr(log_guard.LogGuard, name, dying(getattr(log_guard.LogGuard, name)))
shipper, reader = Shipper(file, second, state), connect(file)
while True:
    stored = reader.execute("SELECT max(id) FROM ledger").fetchone()[0]
    if shipper.ship():
        told.write_text(str(stored))
    shipper.empty_log()
"""
STEPS = range(1, 27)


def test_killed_at_each_step_beside_a_writer_nothing_shipped_is_lost(tmp_path: Path) -> None:
    """A process of its own carries over and is killed one step later each time, while somebody writes. Where the chain does not
    hold, that shows, and it is only where the log had just been emptied."""
    broken = []
    for step in STEPS:
        (tmp_path / str(step)).mkdir()
        carried = Carried(tmp_path / str(step))
        carried.add(3)
        assert carried.shipper.ship()
        kept, told = carried.back_up(), carried.folder / "told"
        carried.add(3)
        del carried.shipper
        told.write_text("0")
        with writing_meanwhile(carried):
            words = [carried.file, carried.log, carried.state, told, step]
            ended = subprocess.run([sys.executable, "-c", KILLED, *map(str, words)], check=False, capture_output=True, timeout=60)
        assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
        carried.shipper = carried.new_shipper()
        assert carried.shipper.ship()
        content = carried.restored(kept)
        if carried.shipper.holds(kept.position):
            assert content == carried.content()
        else:
            broken.append(step)
        rows = [number for number, _ in ledger(carried.folder / "restored" / "slrt.db")]
        assert rows == list(range(1, len(rows) + 1))
        assert len(rows) >= int(told.read_text())
        carried.close()
    assert len(broken) <= len(STEPS) // 2, broken


@contextmanager
def writing_meanwhile(carried: Carried) -> Iterator[None]:
    """Somebody who commits row after row."""
    ending = threading.Event()

    def write() -> None:
        with closing(carried.connect()) as base:
            while not ending.wait(0.005):
                base.execute("INSERT INTO ledger (entry) VALUES ('isi')")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield
    finally:
        ending.set()
        writer.join()


def test_a_real_repository_is_restored_to_a_moment_in_between_with_the_files_that_came_since(fresh: Plan, tmp_path: Path) -> None:
    carrier = carrier_of(fresh)
    assert carrier.ship()
    run_now(fresh)
    assert book.lines(fresh.state)[-1].position
    photo = add_attachment(fresh.data, b"a photo of after the backup")
    add_rows(fresh, 5)
    assert carrier.ship()
    typed = datetime.now(UTC) + timedelta(seconds=1)
    wait_for(lambda: datetime.now(UTC) > typed, what="a moment later, for what is typed has whole seconds")
    add_rows(fresh, 5)
    assert carrier.ship()
    assert restored_rows(fresh, tmp_path / "first", f"{typed.astimezone(ZONE):%d-%m-%Y %H:%M:%S}") == 2005
    assert restored_rows(fresh, tmp_path / "last", "sekarang") == 2010
    with pytest.raises(NoSuchArchive) as told:
        restore(fresh, "31-12-2098 23:59", tmp_path / "future")
    assert "hanya sampai" in told.value.message
    with pytest.raises(NoSuchArchive):
        restore(fresh, "01-01-2020 08.00", tmp_path / "past")
    with pytest.raises(NoSuchArchive):
        restore(fresh, "31-02-2026 08.00", tmp_path / "never")
    with pytest.raises(NoSuchArchive, match="Tidak ada catatan"):
        restore(replace(fresh, database_url="postgresql:///slrt"), "sekarang", tmp_path / "server")
    del carrier
    before = photo.stat().st_ino, photo.parent.parent.stat().st_ino
    in_place(fresh, "sekarang", lambda _: None, choice=Choice(Part.DATABASE))
    assert (photo.stat().st_ino, photo.parent.parent.stat().st_ino) == before, "only the database was asked for"
    in_place(fresh, "sekarang", lambda _: None)
    assert photo.exists()
    assert len(ledger(fresh.database_file)) == 2010
    again = carrier_of(fresh)
    assert again.ship()
    assert not again.holds(book.lines(fresh.state)[-1].position)


def restored_rows(plan: Plan, to: Path, moment: str) -> int:
    """How many rows the database has at a moment."""
    assert restore(plan, moment, to).reached is not None
    return len(ledger(to / plan.database))


def test_the_rehearsal_goes_the_log_from_two_backups_to_the_same_end(fresh: Plan) -> None:
    carrier = carrier_of(fresh)
    assert carrier.ship()
    run_now(fresh)
    with closing(connect(fresh.database_file)) as base:
        base.execute("DELETE FROM ledger WHERE id = 5")
    assert carrier.empty_log()
    run_now(fresh)
    add_rows(fresh, 3)
    assert carrier.empty_log()
    line = rehearse(fresh, moment(datetime.now(UTC)))
    assert "ditelusuri dari cadangan 2 dan 1 sampai" in line.text
    leave_out_the_end_of_the_first_generation(fresh)
    with pytest.raises(Mismatch, match="berbeda pada ledger"):
        rehearse(fresh, moment(datetime.now(UTC)))


def test_who_carries_the_log_over_and_who_reads_it_mean_the_same_folders(tmp_path: Path) -> None:
    settings = Settings(
        paths=PathSettings(data=str(tmp_path / "data")), backup=BackupSettings(repository=str(tmp_path / "second/slrt"))
    )
    settings.attachments.parent.mkdir()
    plan = plan_of(settings, Handed("", "", ""))
    assert (settings.carried_log, settings.carried_log_key) == (plan.log, plan.log_key)


def carrier_of(plan: Plan) -> ship.Shipper:
    """Who carries the log of a node over, with the folder that provisioning makes."""
    plan.log.mkdir(exist_ok=True)
    return ship.Shipper(plan.database_file, plan.log, plan.log_key)


def leave_out_the_end_of_the_first_generation(plan: Plan) -> None:
    """What a chain that joins what does not belong together looks like: each seal fits."""
    folder, key = plan.log, spool.key_of(plan.log_key)
    blocks = list(spool.chain(spool.epochs(folder)[-1]))
    left_out = [found for found in blocks if found.block.end.salts == blocks[0].block.end.salts][-1]
    tail = spool.begin(folder)
    for number, found in enumerate((found for found in blocks if found is not left_out), start=1):
        tail = spool.add(tail, key, replace(found.block, number=number), spool.open_block(found, key))


def test_how_far_a_restore_reaches_is_known_also_while_the_disk_is_away_and_after_a_break(fresh: Plan) -> None:
    settings = Settings(
        paths=PathSettings(data=str(fresh.data)),
        backup=BackupSettings(repository=str(fresh.repository)),
    )
    log = CarriedLog(settings)
    log.carry_over()
    assert log.reaches([]) is None
    run_now(fresh)
    lines = book.lines(fresh.state)
    add_rows(fresh, 1)
    log.carry_over()
    assert log.reaches(lines) is None, "nobody has looked at the files yet"
    log.carry_files()
    reached = log.reaches(lines)
    assert reached is not None
    assert reached > lines[-1].moment.at
    assert not log.wants_base(lines)
    before_the_log = [replace(lines[-1], position="")]
    assert (log.reaches(before_the_log), log.wants_base(before_the_log)) == (None, True), "as the installation makes it"
    assert not log.wants_base([replace(lines[-1], position="", method="copy")])
    assert log.prune(lines) == 0
    with gone(fresh.repository), away(fresh.log):
        log.carry_over()
        log.carry_files()
        assert log.reaches(lines) == reached
        assert not log.wants_base(lines)
    add_rows(fresh, 1)
    del log  # nobody holds the log now: another one empties it behind frames that were not carried over
    add_rows(fresh, 1)
    log = CarriedLog(settings)
    log.carry_over()
    log.carry_files()
    assert log.wants_base(lines)
    assert log.reaches(lines) == lines[-1].moment.at
    assert log.reaches_back(lines) is None


def test_how_far_back_every_moment_can_be_reached(fresh: Plan) -> None:
    log = CarriedLog(Settings(paths=PathSettings(data=str(fresh.data)), backup=BackupSettings(repository=str(fresh.repository))))
    assert log.reaches_back([]) is None
    log.carry_over()
    ends: list[datetime] = []
    for _ in range(2):
        run_now(fresh)
        last = book.lines(fresh.state)[-1]
        ends.append(last.moment.at + timedelta(seconds=last.seconds))
        # the book rounds: without this the next one could begin before the noted end
        wait_for(lambda: datetime.now(UTC) > ends[-1], what="the end of the backup")
        add_rows(fresh, 1)
        log.carry_over()
    lines, (first, second) = book.lines(fresh.state), ends
    assert log.reaches_back(lines) == first
    without_place = [replace(lines[0], position=""), lines[1]]
    erased = [lines[0], replace(lines[1], kept=(2,))]
    foreign = [replace(lines[0], position="7-" + lines[0].position.partition("-")[2]), lines[1]]
    assert [log.reaches_back(known) for known in (without_place, erased, foreign, [])] == [second, second, second, None]
    with only_run(fresh.repository) as lock:
        engine = repository.engine(fresh, (lock,))
        assert [replay.base_for(engine, fresh, at).manifest.run for at in (first, second)] == [1, 2]
