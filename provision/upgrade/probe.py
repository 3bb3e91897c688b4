"""Whether the release that was just started is well enough to let people in. Asked past the closed front, which lets this machine through."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

from appliance.config import Settings
from appliance.errors import ApplianceError
from provision.change import insist
from provision.probe import fetch
from provision.upgrade.journal import version_of
from provision.upgrade.node import Node, program

SIGN_IN = "/masuk"
PASSWORD_FIELD = b'type="password"'
PATIENCE = 60.0
PAUSE = 0.25
FRESH = timedelta(seconds=10)
STEADY = ("slrt-watcher.service", "slrt-web.service", "slrt-scheduler.service", "slrt-front.service")


def health(node: Node, release: str) -> Mapping[str, str]:
    """How each part is, as that release judges: part → ok, warn, fail or unknown."""
    said = node.host.run([program(release), "status", "--json"]).output
    try:
        return {name: part["state"] for name, part in json.loads(said).items() if isinstance(part, dict)}
    except (ValueError, TypeError, KeyError):
        return {}


def prove(node: Node, old: str, release: str, before: Mapping[str, str]) -> None:
    """All of it, for `release`, which took the place of `old`; `before` is the health that it must keep. Raises ApplianceError."""
    settings = node.settings
    _until("halaman masuk", lambda: _sign_in(settings))
    _until("versi program", lambda: _version(settings, version_of(release)))
    _until("pengawas listrik", lambda: _watcher(settings))
    # everybody waits for both: they are asked at once
    with ThreadPoolExecutor() as pool:
        stored = pool.submit(insist, node.host, [program(release), "database", "prove-write", old, release])
        if before:
            _until("pemeriksaan keadaan", lambda: _worse(before, health(node, release)))
        stored.result()
    _until("layanan", lambda: _unsteady(node))


def _until(what: str, ask: Callable[[], str]) -> None:
    """Ask until nothing is wrong. Raises ApplianceError with what was wrong last."""
    deadline = time.monotonic() + PATIENCE
    while wrong := ask():
        if time.monotonic() > deadline:
            raise ApplianceError(f"Uji setelah pembaruan gagal pada {what}: {wrong}.", "Lihat: journalctl -b -p warning")
        time.sleep(PAUSE)


def _sign_in(settings: Settings) -> str:
    wrong, status, body = fetch(settings, SIGN_IN)
    if wrong:
        return wrong
    if status == http.client.INTERNAL_SERVER_ERROR:
        raise ApplianceError("Uji setelah pembaruan gagal pada halaman masuk: menjawab 500.", "Lihat: journalctl -u slrt-web")
    return "" if status == http.client.OK and PASSWORD_FIELD in body else f"menjawab {status} tanpa isian kata sandi"


def _version(settings: Settings, version: str) -> str:
    wrong, status, body = fetch(settings, "/healthz")
    if wrong:
        return wrong
    try:
        told = json.loads(body)
        return "" if told["ok"] and told["version"] == version else f"menjawab {status}: {told}"
    except (ValueError, KeyError, TypeError):
        return f"menjawab {status}"


def _watcher(settings: Settings) -> str:
    try:
        told = json.loads((Path(settings.power.runtime) / "state.json").read_bytes())
        age = datetime.now(UTC) - datetime.fromisoformat(told["at"])
    except (OSError, ValueError, KeyError, TypeError):
        return "tidak melaporkan apa pun"
    return "" if age < FRESH else f"laporan terakhir {age.total_seconds():.0f} detik yang lalu"


def _worse(before: Mapping[str, str], now: Mapping[str, str]) -> str:
    """What failed only now; a warning may come and go."""
    if not now:
        return "tidak dijawab"
    return ", ".join(name for name, state in now.items() if state in ("fail", "unknown") and before.get(name) in ("ok", "warn"))


def _unsteady(node: Node) -> str:
    """What has failed, or had to be started more than once."""
    failed = node.failed()
    if failed:
        return ", ".join(failed)
    rows = node.host.run(["systemctl", "show", "-p", "Id,NRestarts,ActiveState", *STEADY]).output.split("\n\n")
    facts = [dict(line.partition("=")[::2] for line in row.splitlines()) for row in rows]
    return ", ".join(fact.get("Id", "?") for fact in facts if (fact.get("NRestarts"), fact.get("ActiveState")) != ("0", "active"))
