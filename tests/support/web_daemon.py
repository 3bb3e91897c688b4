"""A real gunicorn with the project's own configuration, on a Unix socket handed over as systemd does it."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlencode

from appliance.config import Settings, render
from tests.support.waiting import wait_for

PROJECT = Path(__file__).parents[2]


class SocketConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket, as the front speaks it."""

    def __init__(self, path: Path, seconds: float = 30) -> None:
        super().__init__("slrt", timeout=seconds)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self.path))


class WebDaemon:
    """gunicorn between `start` and `stop`. `log` holds what would stand in the journal."""

    def __init__(self, settings: Settings, folder: Path, environment: Mapping[str, str] | None = None) -> None:
        self.environment = dict(environment or {})
        self.socket, self.log = folder / "web.sock", folder / "web.log"
        self.file = folder / "appliance.toml"
        self.file.write_text(render(settings))
        self.cookies = SimpleCookie()
        self.token = ""

    def start(self) -> None:
        """Start it with an inherited socket and wait until it answers."""
        activate = shutil.which("systemd-socket-activate")
        assert activate, "systemd-socket-activate is missing: apt-get install systemd"
        gunicorn = [sys.executable, "-m", "gunicorn", "--config", str(PROJECT / "webui/gunicorn_conf.py"), "webui:create_app()"]
        command = [
            activate,
            "--listen",
            str(self.socket),
            "--setenv",
            f"SLRT_CONFIG={self.file}",
            "--setenv=PATH=/usr/bin:/bin",
            *(f"--setenv={name}={value}" for name, value in self.environment.items()),
            "--",
            *gunicorn,
        ]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, cwd=PROJECT, stdout=log, stderr=log)
        try:
            wait_for(self._listens, what="the socket is there")
            # the connection itself makes systemd's tool start gunicorn
            assert self.get("/healthz")[0] == 200, self.log.read_text()
        except BaseException:
            self.kill()
            raise

    def kill(self) -> None:
        """End it whatever it does."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)

    def _listens(self) -> bool:
        try:
            self.connection().connect()
        except OSError:
            return False
        return True

    def workers(self) -> list[int]:
        """Process ids of the living workers."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(child) for child in children if _lives(int(child))]

    def get(self, path: str, headers: dict[str, str] | None = None) -> tuple[int, str]:
        """Status and body."""
        return self._ask("GET", path, None, headers or {})

    def post(self, path: str, typed: dict[str, str]) -> tuple[int, str]:
        """Send a form with the token of the last page."""
        body = urlencode({"csrf_token": self.token, **typed})
        return self._ask("POST", path, body, {"Content-Type": "application/x-www-form-urlencoded"})

    def post_files(self, path: str, typed: dict[str, str], field: str, contents: list[bytes]) -> tuple[int, str]:
        """Send a form with files, as a browser builds it."""
        parts = [(f'name="{name}"', value.encode()) for name, value in {"csrf_token": self.token, **typed}.items()]
        parts += [(f'name="{field}"; filename="{position}.jpg"', content) for position, content in enumerate(contents)]
        body = b"".join(
            b"--slrt\r\nContent-Disposition: form-data; " + about.encode() + b"\r\n\r\n" + content + b"\r\n"
            for about, content in parts
        )
        return self._ask("POST", path, body + b"--slrt--\r\n", {"Content-Type": "multipart/form-data; boundary=slrt"})

    def sign_in(self, username: str, password: str) -> None:
        """Sign in as at a browser."""
        self.get("/masuk")
        status, body = self.post("/masuk", {"username": username, "password": password})
        assert status == 303, body
        self.get("/akun-saya")

    def connection(self) -> SocketConnection:
        """A connection of one's own."""
        return SocketConnection(self.socket)

    def _ask(self, method: str, path: str, body: str | bytes | None, headers: dict[str, str]) -> tuple[int, str]:
        connection = self.connection()
        cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in self.cookies.items() if morsel.value)
        connection.request(method, path, body, {"Cookie": cookie, "Connection": "close", **headers})
        response = connection.getresponse()
        for name, value in response.getheaders():
            if name == "Set-Cookie":
                self.cookies.load(value)
        text = response.read().decode()
        connection.close()
        found = re.search(r'name="csrf_token" value="([^"]+)"', text)
        self.token = found[1] if found else self.token
        return response.status, text


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except (OSError, ProcessLookupError):
        return False
