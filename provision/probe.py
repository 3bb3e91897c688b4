"""Does the node answer? Over TLS, on the port of the office, with the certificate the tablets trust; as a visitor, not as root."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import time
from pathlib import Path

from appliance.config import Settings
from provision.certificates import names_of

ANSWER_SECONDS = 10.0
PAUSE = 0.5


def ask(settings: Settings, port: int = 443) -> str:
    """What is wrong with the node's answer, as an Indonesian phrase; empty when it is well."""
    wrong, status, body = fetch(settings, "/healthz", port)
    if wrong:
        return wrong
    return "" if status == http.client.OK else f"menjawab dengan galat {status}: {_sentence(body)}"


def fetch(settings: Settings, path: str, port: int = 443) -> tuple[str, int, bytes]:
    """A page as a visitor gets it: what was wrong (empty when it was answered), the status and the body."""
    authority = Path(settings.paths.certificates) / "ca.crt"
    try:
        trust = ssl.create_default_context(cafile=str(authority))
        name = names_of(settings.node.hostname)[0]
        with (
            socket.create_connection(("127.0.0.1", port), timeout=ANSWER_SECONDS) as plain,
            trust.wrap_socket(plain, server_hostname=name) as tls,
        ):
            connection = http.client.HTTPConnection(name, timeout=ANSWER_SECONDS)
            connection.sock = tls
            connection.request("GET", path)
            answer = connection.getresponse()
            return "", answer.status, answer.read()
    except (OSError, http.client.HTTPException) as error:
        return f"tidak menjawab lewat https ({error})", 0, b""


def wait(settings: Settings, seconds: float, port: int = 443) -> str:
    """Ask until the answer is good or the time is over; gives what was wrong last."""
    deadline = time.monotonic() + seconds
    while (wrong := ask(settings, port)) and time.monotonic() < deadline:
        time.sleep(PAUSE)
    return wrong


def _sentence(body: bytes) -> str:
    try:
        return str(json.loads(body))
    except ValueError:
        return ""
