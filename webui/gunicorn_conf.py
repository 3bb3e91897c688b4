"""How gunicorn serves the pages: few processes for a small server, and a journal without anything personal.

The socket comes from systemd; where there is none (demonstration, tests) `--bind` names it. Slow clients are the front's work:
this never listens on the network.
"""

from __future__ import annotations

import logging
import os
import sys
from threading import Timer
from typing import Any

from gunicorn import glogging  # type: ignore[import-untyped]

import webui
from appliance.letters.pdf import warm_up
from webui import heartbeat

worker_class = "gthread"
workers = 2
threads = 4
# The worker's heartbeat is a file that is touched every second: in memory, not on the disk.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108
# A worker is replaced now and then, so that a slow leak of memory never becomes an outage; not both at once.
max_requests = 2000
max_requests_jitter = 200
timeout = 60
# Shorter than power.drain_seconds (20): when the node powers off, the running request is answered and the rest let go.
graceful_timeout = 15
keepalive = 5
# No second door into the process: what the operator needs, systemd does.
control_socket_disable = True
WARM_UP_AFTER = 5.0  # seconds
forwarded_allow_ips = ""


def on_starting(_server: Any) -> None:
    """Read the program once, before the processes part: they start in half the time and share its memory."""
    webui.load_pages()


def post_worker_init(_worker: Any) -> None:
    """A new process learns to draw letters once its first pages are answered, so that nobody's letter waits for it."""
    later = Timer(WARM_UP_AFTER, warm_up)
    later.daemon = True
    later.start()
    heartbeat.begin()


def worker_exit(_server: Any, worker: Any) -> None:
    """A process that has answered its last request ends at once.

    Python would first free all it has read, page after page of memory that the processes share, while everybody waits for an upgrade,
    or the battery for the end.
    """
    if worker.booted and worker.pid == os.getpid():
        _end()


def on_exit(_server: Any) -> None:
    """The first process likewise, after the others, where it was told to end: what failed ends with its own code."""
    if isinstance(sys.exc_info()[1], StopIteration):
        _end()


def _end() -> None:
    logging.shutdown()
    os._exit(0)


accesslog = "-"
errorlog = "-"
# %(U)s is the path without the question mark; no address of a Referer, no name of a user.
access_log_format = "%(m)s %(U)s %(s)s %(B)sB %(M)sms"
# Below this address stands the check code of a letter: with it anybody could look the letter up.
CHECK = "/periksa/"
QUIET = ("/static/", "/power.json", "/healthz")


class logger_class(glogging.Logger):  # type: ignore[misc]  # noqa: N801  the name is gunicorn's
    """Leaves out what every open page asks every few seconds, as long as it goes well, and the codes of letters."""

    def atoms(self, resp: Any, req: Any, environ: dict[str, Any], request_time: Any) -> dict[str, Any]:
        """What a line is made of."""
        if environ.get("PATH_INFO", "").startswith(CHECK):
            environ = environ | {"PATH_INFO": f"{CHECK}…", "RAW_URI": f"{CHECK}…"}
        found: dict[str, Any] = super().atoms(resp, req, environ, request_time)
        return found

    def access(self, resp: Any, req: Any, environ: dict[str, Any], request_time: Any) -> None:
        """Write a line for the request, unless it only says that all is well."""
        if str(resp.status).startswith(("2", "3")) and environ.get("PATH_INFO", "").startswith(QUIET):
            return
        super().access(resp, req, environ, request_time)
