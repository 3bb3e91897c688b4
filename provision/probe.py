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
            connection.request("GET", "/healthz")
            answer = connection.getresponse()
            body = answer.read()
    except (OSError, http.client.HTTPException) as error:
        return f"tidak menjawab lewat https ({error})"
    if answer.status != http.client.OK:
        return f"menjawab dengan galat {answer.status}: {_sentence(body)}"
    return ""


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
