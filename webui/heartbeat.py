"""Telling systemd that the pages answer: each worker asks for one as the front does, and only an answer counts.

Any answer: a page that says that the database is broken is not mended by a restart. A worker whose threads all hang answers
nothing, and when no worker does, systemd starts the pages anew.
"""

from __future__ import annotations

import http.client
import threading
from datetime import timedelta
from pathlib import Path

from appliance.care.web_answer import SOCKET, ask_health
from appliance.config import config_path, load
from appliance.notify import notify, watchdog_interval

OFTEN = 3  # beats within the time that systemd allows


def begin() -> None:
    """Beat in this worker from now on, where systemd asks for it."""
    allowed = watchdog_interval(any_process=True)
    if allowed is not None:
        path = Path(load(config_path()).paths.runtime) / SOCKET
        threading.Thread(target=keep_beating, args=(path, allowed * 2 / OFTEN), daemon=True, name="heartbeat").start()


def keep_beating(path: Path, interval: timedelta) -> None:
    """Beat for ever."""
    pause = threading.Event()
    while True:
        beat(path, interval.total_seconds())
        pause.wait(interval.total_seconds())


def beat(path: Path, seconds: float) -> bool:
    """Ask once, waiting so long at most, and tell systemd when there was an answer. Whether there was."""
    try:
        ask_health(path, seconds)
    except (OSError, http.client.HTTPException):
        return False
    notify("WATCHDOG=1")
    return True
