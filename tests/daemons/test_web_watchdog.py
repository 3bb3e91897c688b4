"""What feeds the watchdog of the pages: an answered request, told by each worker, and nothing else."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.config import Settings
from appliance.notify import watchdog_interval
from tests.support.databases import sqlite_template
from tests.support.waiting import wait_for
from tests.support.web_client import web_settings
from tests.support.web_daemon import WebDaemon
from webui import heartbeat


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    template = sqlite_template(tmp_path)
    (tmp_path / "node").mkdir()
    return web_settings(template.fresh(tmp_path / "node"), https=False)


@pytest.fixture
def door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """Systemd's end of the notify socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as found:
        found.bind(str(tmp_path / "notify"))
        found.settimeout(30)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield found


def beats(door: socket.socket) -> bool:
    """Whether a beat comes, whatever else is told before it."""
    while b"WATCHDOG=1" not in (told := door.recv(500)):
        assert told
    return True


def drain(door: socket.socket) -> int:
    """Take what has come so far; how many beats that were."""
    door.setblocking(False)
    count = 0
    try:
        while True:
            count += b"WATCHDOG=1" in door.recv(500)
    except BlockingIOError:
        return count
    finally:
        door.settimeout(30)


def test_workers_beat_while_they_answer_and_not_when_they_hang(settings: Settings, tmp_path: Path, door: socket.socket) -> None:
    (Path(settings.paths.runtime) / "web.sock").symlink_to(tmp_path / "web.sock")
    web = WebDaemon(settings, tmp_path, {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "900000"})
    web.start()
    try:
        assert beats(door)
        assert beats(door), "again and again"
        first, second = web.workers()
        os.kill(first, signal.SIGSTOP)
        drain(door)
        os.kill(second, signal.SIGSTOP)
        drain(door)
        assert not heartbeat.beat(tmp_path / "web.sock", 1.0), "both hang: a request is not answered"
        assert drain(door) == 0
        for worker in (first, second):
            os.kill(worker, signal.SIGCONT)
        assert wait_for(lambda: drain(door), what="a beat once they answer")
    finally:
        web.kill()


def test_any_answer_is_a_beat_and_none_is_none(tmp_path: Path, door: socket.socket) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as silent:
        silent.bind(str(tmp_path / "silent"))
        silent.listen()
        assert not heartbeat.beat(tmp_path / "silent", 0.1)
    assert not heartbeat.beat(tmp_path / "gone", 0.1)
    assert drain(door) == 0


def test_a_worker_is_asked_though_it_is_not_the_main_process() -> None:
    asked = {"WATCHDOG_USEC": "180000000", "WATCHDOG_PID": "1"}
    assert watchdog_interval(asked) is None
    assert watchdog_interval(asked, any_process=True) is not None
    assert watchdog_interval({}, any_process=True) is None
