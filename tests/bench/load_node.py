"""A whole node for measuring: the pages under the project's own gunicorn, and before them nginx with the provisioned configuration.

Beside the pages stands the floor: a bare program that answers with a page of usual size, served in the same way through the
same front. Whatever the floor takes, no page can be faster.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from appliance.config import Settings
from provision.certificates import issue, make_authority
from tests.support.waiting import wait_for
from tests.support.web_daemon import PROJECT, WebDaemon

FRONT = PROJECT / "provision/templates/web/nginx.conf"
FLOOR_PATH = "/lantai"
FLOOR_PAGE = (
    b"<!doctype html><title>Lantai</title>" + b"<p>Sebaris tulisan seperti di halaman kasus, dengan beberapa kata.</p>" * 300
)


def floor(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    """The bare program."""
    start_response("200 OK", [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(FLOOR_PAGE)))])
    return (FLOOR_PAGE,)


@dataclass(frozen=True)
class RunningNode:
    """Where the pages are, whose certificate to trust (PEM), and the processes by what they are."""

    port: int
    authority: str
    processes: dict[str, int]

    def seconds(self) -> dict[str, float]:
        """Processor seconds that each of them and its children have used so far."""
        return {name: sum(map(_seconds_of, _family(pid))) for name, pid in self.processes.items()}


@contextmanager
def running_node(settings: Settings, folder: Path) -> Iterator[RunningNode]:
    """Start everything below `folder` and end it at the end."""
    with ExitStack() as started:
        pages = WebDaemon(settings, folder)
        pages.start()
        started.callback(pages.kill)
        bare = started.enter_context(_serving_floor(folder))
        plain, secure = (_listening() for _ in range(2))
        started.callback(plain.close)
        started.callback(secure.close)
        authority = make_authority("slrt", datetime.now(UTC))
        leaf = issue(authority, "slrt", (), datetime.now(UTC))
        (folder / "web.crt").write_bytes(leaf.chain)
        (folder / "web.key").write_bytes(leaf.key)
        (folder / "nginx.conf").write_text(_front(folder, plain, secure))
        front = started.enter_context(_serving_front(folder, plain, secure))
        port = secure.getsockname()[1]
        processes = {"pages": pages.process.pid, "front": front, "floor": bare}
        yield RunningNode(port, authority.pem.decode(), processes)


@contextmanager
def _serving_floor(folder: Path) -> Iterator[int]:
    place = folder / "floor.sock"
    command = [sys.executable, "-m", "gunicorn", "--config", str(PROJECT / "webui/gunicorn_conf.py")]
    command += ["--bind", f"unix:{place}", "tests.bench.load_node:floor"]
    with _process(command, folder / "floor.log") as process:
        wait_for(place.exists, what="the floor serves")
        yield process


@contextmanager
def _serving_front(folder: Path, plain: socket.socket, secure: socket.socket) -> Iterator[int]:
    handed = (plain.fileno(), secure.fileno())
    command = ["/usr/sbin/nginx", "-e", "stderr", "-c", str(folder / "nginx.conf"), "-g", "daemon off;"]
    environment = {**os.environ, "NGINX": "".join(f"{number};" for number in handed)}
    with _process(command, folder / "front.log", environment, handed) as process:
        yield process


@contextmanager
def _process(
    command: list[str], log: Path, environment: dict[str, str] | None = None, handed: tuple[int, ...] = ()
) -> Iterator[int]:
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=PROJECT, stdout=output, stderr=output, env=environment, pass_fds=handed)
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait(20)


def _listening() -> socket.socket:
    found = socket.socket()
    found.bind(("127.0.0.1", 0))
    found.listen(1024)
    return found


def _front(folder: Path, plain: socket.socket, secure: socket.socket) -> str:
    """The provisioned configuration at other places, with one location more."""
    moved = {
        "0.0.0.0:80 ": f"127.0.0.1:{plain.getsockname()[1]} ",
        "0.0.0.0:443 ": f"127.0.0.1:{secure.getsockname()[1]} ",
        "/run/slrt-front/": f"{folder}/",
        "/run/slrt/web.sock": f"{folder}/web.sock",
        "/etc/slrt/tls/": f"{folder}/",
        "/opt/slrt/current/source": str(PROJECT),
        "_temp_path /tmp/": f"_temp_path {folder}/front-",
        "    location / {\n      proxy_pass": f"    location = {FLOOR_PATH} {{ proxy_pass http://unix:{folder}/floor.sock; }}\n"
        "    location / {\n      proxy_pass",
    }
    text = FRONT.read_text()
    for old, new in moved.items():
        assert old in text, f"{old!r} no longer stands in {FRONT}"
        text = text.replace(old, new)
    # What root started may not open the sockets of root as somebody else.
    return f"user root;\n{text}" if os.geteuid() == 0 else text


def _family(pid: int) -> Iterator[int]:
    """The process and its children; one of these may end at any moment."""
    yield pid
    with contextlib.suppress(OSError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            yield from _family(int(child))


def _seconds_of(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")  # with children that ended
