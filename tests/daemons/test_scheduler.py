"""The scheduler as a real process: it makes due backups by itself, tells systemd, and ends in good order."""

from __future__ import annotations

import json
import logging
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pysqlite3 import dbapi2 as sqlite

from appliance import backup_news, backup_orders
from appliance import scheduler as scheduler_module
from appliance.care import reserve
from appliance.config import load
from appliance.notify import notify, watchdog_interval
from appliance.power.state import replace_file
from appliance.scheduler import Clockwork, FromNow, guarded
from appliance.scheduling.rhythm import before_closing
from backups import book, exchange, outcome
from backups.clock import moment
from backups.outcome import Outcome, Record
from backups.schedule import Depth, Rhythm
from tests.support.borg import Node, add_attachment, add_rows, environment, ledger
from tests.support.waiting import wait_for


@contextmanager
def scheduler(node: Node, **more: str) -> Iterator[subprocess.Popen[bytes]]:
    """The daemon as the service user; its messages are in the node's scheduler.log."""
    command = [*node.as_service(), sys.executable, "-m", "appliance.scheduler", "--config", str(node.folder / "appliance.toml")]
    with (node.folder / "scheduler.log").open("ab") as log:
        process = subprocess.Popen(command, cwd="/", env={**environment(), **more}, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait(120)


def record(node: Node) -> Record:
    return outcome.read(node.plan.state)


def pretend_a_good_backup(node: Node) -> None:
    """So that nothing is due."""
    outcome.write(node.plan.state, Outcome(moment(datetime.now(UTC)), True, "1", "Baik.", verified=True))
    node.give_to_service()


def unmoved(reader: sqlite.Connection) -> int:
    """How many frames of the log are not in the database file."""
    _, logged, moved = reader.execute("PRAGMA wal_checkpoint(NOOP)").fetchone()
    return int(logged - moved)


def test_a_due_backup_is_made_without_anybody_doing_anything(node: Node) -> None:
    with scheduler(node) as process:
        good = wait_for(lambda: record(node).last_good, seconds=120, what="a good backup")
        assert (good.archive, good.verified) == ("1", True)
        process.send_signal(signal.SIGTERM)
        assert process.wait(120) == 0
    assert "Cadangan pertama dimulai." in (node.folder / "scheduler.log").read_text()


def test_what_an_officer_ordered_is_made_though_nothing_is_due(node: Node) -> None:
    pretend_a_good_backup(node)
    replace_file(node.folder / "run" / backup_orders.REQUEST, '{"wish": "backup", "by": "hasnah"}')
    node.give_to_service()
    with scheduler(node):
        wait_for(lambda: book.lines(node.plan.state), seconds=120, what="the ordered backup")
        assert not (node.folder / "run" / backup_orders.REQUEST).exists()
        # what the notices read: everybody may
        news = node.folder / "run" / backup_news.FILE
        wait_for(lambda: news.exists() and json.loads(news.read_text())["good"], seconds=60, what="the news of it")
        assert news.stat().st_mode & 0o444 == 0o444
    assert "atas permintaan hasnah" in (node.folder / "scheduler.log").read_text()
    assert book.lines(node.plan.state)[0].ok


def test_a_database_that_was_moved_is_backed_up_at_once(node: Node) -> None:
    """The good backup of a moment ago is a server's: between it and the night nothing could be brought back."""
    pretend_a_good_backup(node)
    made = moment(datetime.now(UTC))
    book.add(node.plan.state, book.Line(made, book.BACKUP, True, 1, "Baik.", method="dump", position="7303 1 0/2000028"))
    node.give_to_service()
    with scheduler(node):
        wait_for(
            lambda: "Cadangan pertama dimulai." in (node.folder / "scheduler.log").read_text(), seconds=60, what="the first one"
        )


def test_a_week_later_the_backup_is_rehearsed_by_itself(backed_up: Node) -> None:
    """The first backup is of the day before yesterday, and last night's was made: the first rehearsal is due."""
    (made,) = book.lines(backed_up.plan.state)
    early = replace(made, moment=replace(made.moment, at=made.moment.at - timedelta(days=2)))
    (backed_up.plan.state / book.NAME).unlink()
    book.add(backed_up.plan.state, early)
    backed_up.give_to_service()
    with scheduler(backed_up):
        wait_for(lambda: len(book.lines(backed_up.plan.state)) > 1, seconds=120, what="the rehearsal")
    line = book.lines(backed_up.plan.state)[1]
    assert (line.kind, line.ok, line.number) == (Depth.REHEARSAL, True, 1), line.text


@pytest.mark.parametrize(
    ("closes", "minutes", "closing"),
    [
        ([time(16), time(16), time(16), time(16), time(11, 30), None, None], 30,
         {0: time(15, 30), 1: time(15, 30), 2: time(15, 30), 3: time(15, 30), 4: time(11)}),
        ([time(0, 10), *[None] * 6], 30, {0: time(23, 40)}),
    ],
)  # fmt: skip
def test_an_office_that_switches_off_has_its_slot_before_it_closes(
    closes: list[time | None], minutes: int, closing: dict[int, time]
) -> None:
    rhythm = Rhythm(time(22), ZoneInfo("Asia/Makassar"), timedelta(minutes=10))
    assert before_closing(rhythm, closes, minutes).closing == closing


def test_told_to_end_it_ends_the_running_backup_and_the_next_one_succeeds(node: Node) -> None:
    with scheduler(node) as process:
        wait_for(lambda: any(node.plan.repository.glob("lock.exclusive/*")), seconds=60, what="borg works")
        process.send_signal(signal.SIGTERM)
        assert process.wait(120) == 0
    last = record(node).last
    assert last is not None
    assert "dihentikan" in last.text
    node.slrt("backup", "run", check=True)


def test_an_outage_of_some_length_ends_the_backup_which_is_made_again_after_it(node: Node) -> None:
    state = node.folder / "power" / "state.json"
    with scheduler(node) as process:
        wait_for(lambda: any(node.plan.repository.glob("lock.exclusive/*")), seconds=60, what="borg works")
        state.write_text('{"accepts_work": true, "accepts_jobs": false}')
        wait_for(lambda: (last := record(node).last) and not last.running, seconds=30, what="the backup ended")
        assert process.poll() is None
        assert record(node).last_good is None
        state.write_text('{"accepts_work": true, "accepts_jobs": true}')
        wait_for(lambda: record(node).last_good, seconds=75, what="it is made again at once, not after an hour")


def test_it_tells_how_full_the_disks_are(node: Node) -> None:
    pretend_a_good_backup(node)
    published = node.folder / "run" / reserve.PUBLISHED
    with scheduler(node):
        wait_for(published.exists, seconds=60, what="the first look at the room")
    (data, *_) = json.loads(published.read_text())
    assert (data["name"], data["folder"], data["free"] > 0) == ("data", str(node.plan.data), True)


def test_it_tells_systemd_when_it_is_ready_and_that_it_lives(node: Node, tmp_path: Path) -> None:
    pretend_a_good_backup(node)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door:
        door.bind(str(node.folder / "notify"))
        (node.folder / "notify").chmod(0o777)
        door.settimeout(60)
        with scheduler(node, NOTIFY_SOCKET=str(node.folder / "notify"), WATCHDOG_USEC="1000000") as process:
            assert door.recv(100) == b"READY=1"
            assert door.recv(100) == b"WATCHDOG=1"
            process.send_signal(signal.SIGTERM)
            while (said := door.recv(100)) != b"STOPPING=1":
                assert said == b"WATCHDOG=1"
            assert process.wait(120) == 0


def test_it_empties_the_write_ahead_log(node: Node) -> None:
    pretend_a_good_backup(node)
    # Open all the while: else the log would vanish when the last connection closes.
    with closing(sqlite.connect(str(node.plan.database_file))) as reader:
        reader.execute("SELECT count(*) FROM ledger").fetchone()
        add_rows(node.plan, 20)
        node.give_to_service()
        assert unmoved(reader) >= 20
        with scheduler(node):
            # the one frame with which the log begins anew
            wait_for(lambda: unmoved(reader) <= 1, seconds=60, what="an empty log")


def test_before_a_power_off_it_empties_the_log_and_says_so(node: Node) -> None:
    pretend_a_good_backup(node)
    state = node.folder / "power" / "state.json"
    state.write_text('{"accepts_work": false, "stage": "draining"}')
    with closing(sqlite.connect(str(node.plan.database_file))) as reader:
        reader.execute("SELECT count(*) FROM ledger").fetchone()
        add_rows(node.plan, 20)
        node.give_to_service()
        with scheduler(node):
            state.write_text('{"accepts_work": false, "stage": "saving"}')
            wait_for(lambda: list(node.folder.rglob("saved")), seconds=60, what="told that it is saved")
            assert unmoved(reader) == 0


def test_it_finishes_a_restore_that_was_cut_off(node: Node) -> None:
    pretend_a_good_backup(node)
    staged = node.plan.data / "restoring"
    (staged / "identity").mkdir(parents=True)
    (staged / "identity" / "restored").touch()
    exchange.begin(node.plan.data, exchange.Swap(staged, ["identity"]))
    node.give_to_service()
    with scheduler(node):
        wait_for((node.plan.data / "identity" / "restored").exists, seconds=60, what="the exchange")
        wait_for((node.plan.data / "before-restore-1" / "identity" / "ca.key").exists, what="the old one beside")


def test_wrong_settings_end_it_with_their_code(tmp_path: Path) -> None:
    wrong = tmp_path / "appliance.toml"
    wrong.write_text('[backup]\ntime = "25:00"\n')
    ended = subprocess.run(
        [sys.executable, "-m", "appliance.scheduler", "--config", str(wrong)],
        capture_output=True,
        text=True,
        env=environment(),
        check=False,
    )
    assert ended.returncode == 78
    assert "25:00" in ended.stderr


def test_a_failing_job_is_logged_with_its_traceback_and_asked_again(caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> None:
        raise ValueError("out of order")

    with caplog.at_level(logging.ERROR):
        guarded("broken", broken)()
    assert "out of order" in caplog.text
    assert "Traceback" in caplog.text


def test_the_trigger_never_looks_back() -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    assert FromNow(timedelta(seconds=30)).get_next_fire_time(datetime(1970, 1, 1, tzinfo=UTC), now) == now + timedelta(seconds=30)


def test_nobody_is_told_outside_systemd() -> None:
    assert not notify("READY=1", {})
    assert not notify("READY=1", {"NOTIFY_SOCKET": "/nowhere"})


@pytest.mark.parametrize(
    ("said", "interval"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "20000000"}, timedelta(seconds=10)),
        ({"WATCHDOG_USEC": "20000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
    ],
)
def test_the_watchdogs_interval(said: dict[str, str], interval: timedelta | None) -> None:
    assert watchdog_interval(said) == interval


def test_a_scheduler_that_stands_still_stops_telling_systemd_that_it_lives(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = node.folder / "appliance.toml"
    clockwork = Clockwork(load(settings), settings, threading.Event())
    assert clockwork.is_alive()
    monkeypatch.setattr(scheduler_module, "LONGEST_SILENCE", timedelta(0))
    assert not clockwork.is_alive()
    unit = (Path(__file__).parents[2] / "systemd" / "slrt-scheduler.service").read_text()
    assert "WatchdogSec=" in unit
    assert "Restart=always" in unit


def test_what_was_stored_after_the_backup_is_restored_though_data_and_scheduler_died(node: Node) -> None:
    """The whole way: carried over by the daemon, told to the pages, and brought back by the operator's command."""
    with scheduler(node) as process, closing(sqlite.connect(str(node.plan.database_file))):
        wait_for(lambda: record(node).last_good, seconds=120, what="a good backup")
        add_rows(node.plan, 30)
        photo = add_attachment(node.plan.data, b"a photo of after the backup")
        stored = datetime.now(UTC)
        news = node.folder / "run" / backup_news.FILE

        def reaches() -> bool:
            told = json.loads(news.read_text())["reaches"] if news.exists() else None
            return bool(told) and datetime.fromisoformat(told) > stored

        wait_for(reaches, seconds=90, what="the scheduler says that all of it is on the second disk")
        process.kill()
    shutil.rmtree(node.plan.database_file.parent)
    shutil.rmtree(node.plan.data / "attachments")
    assert "Catatan berkelanjutan sampai" in node.slrt("backup", "list", check=True).stdout
    node.slrt("backup", "restore", "sekarang", "--to", str(node.folder / "back"), check=True)
    assert len(ledger(node.folder / "back" / node.plan.database)) == 2030
    assert (node.folder / "back" / photo.relative_to(node.plan.data)).read_bytes() == b"a photo of after the backup"
