"""Whether the pages answer: a real request over the socket that the front uses, so that the answer is the service's own."""

from __future__ import annotations

import http.client
import socket
from pathlib import Path

SOCKET = "web.sock"
ANSWER_SECONDS = 5.0


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path, seconds: float) -> None:
        super().__init__("localhost", timeout=seconds)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def ask_health(path: Path, seconds: float = ANSWER_SECONDS) -> int:
    """The status with which the pages answer. Raises OSError or HTTPException when they do not answer in time."""
    connection = _UnixConnection(path, seconds)
    try:
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()
