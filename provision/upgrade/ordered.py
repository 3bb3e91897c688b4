"""What an administrator ordered on the pages, carried out as root: look for a bundle on the stick, upgrade to the one that was found.

The order is believed only as far as it makes sense; the bundle is the copy that was looked at, and looked at again.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from appliance.errors import ApplianceError
from provision.bundle import Bundle
from provision.host import write_durably
from provision.upgrade import rules, stick
from provision.upgrade.facts import gather
from provision.upgrade.node import Node

REQUEST, WORKING = "upgrade-order", "working"
FOUND, PROGRESS, INCOMING = "found.json", "progress.json", "incoming.slrt"
LARGEST = 4096
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
CUT_OFF = "Terputus sebelum selesai. Bila program sudah mulai diganti, simpul menyelesaikannya sendiri."


@dataclass(frozen=True)
class Order:
    """Who wants what: `wish` is "look" or "start"."""

    wish: str
    by: str
    release: str


def take(place: Path) -> Order | None:
    """Take the order away; None when there is none that makes sense. Follows no link and waits for nothing."""
    text = b""
    with suppress(OSError):
        handle = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            text = os.read(handle, LARGEST)
        finally:
            os.close(handle)
    with suppress(OSError):
        place.unlink()
    try:
        found: dict[str, Any] = json.loads(text)
        order = Order(str(found["wish"]), str(found["by"]), str(found["release"]))
    except (ValueError, TypeError, KeyError):
        return None
    return order if order.wish in ("look", "start") and NAME.fullmatch(order.by) else None


def carry_out(node: Node, read: stick.Read, ordered_by: str) -> int:
    """Do what is ordered, if anything is. The exit code of the upgrade. `ordered_by` is the variable that names who wanted it."""
    node.place.runtime.mkdir(mode=0o755, exist_ok=True)
    (node.place.runtime / WORKING).touch(mode=0o644)
    order = take(Path(node.settings.paths.runtime) / REQUEST)
    if order is None:
        return 0
    tell(node, "Mencari bundel di stik." if order.wish == "look" else "Menyiapkan pembaruan.")
    try:
        if order.wish == "look":
            _look(node, read)
            tell(node, "Pencarian selesai.", ok=True)
            return 0
        return _start(node, order, read, ordered_by)
    except ApplianceError as error:
        tell(node, f"{error.message} {error.hint}", ok=False)
        return error.exit_code


def _look(node: Node, read: stick.Read) -> None:
    incoming = node.place.folder / INCOMING
    try:
        bundle = stick.fetch(node.host, stick.list_parts(node.host), node.place.runtime / "stick", incoming, read)
    except ApplianceError as error:
        incoming.unlink(missing_ok=True)
        _found(node, problem=error.message, next_step=error.hint)
        return
    against = rules.refusals(gather(node, bundle.release, starts=bundle.upgrades_from, prepared=False))
    file = f"slrt-node-{bundle.version}.slrt"
    _found(node, version=bundle.version, release=bundle.release, file=file, refusals=[(one.text, one.hint) for one in against])


def _found(node: Node, **facts: Any) -> None:
    empty = {"version": "", "release": "", "file": "", "problem": "", "next_step": "", "refusals": []}
    _publish(node, FOUND, {**empty, **facts})


def _start(node: Node, order: Order, read: stick.Read, ordered_by: str) -> int:
    incoming = node.place.folder / INCOMING
    bundle: Bundle = read(incoming)
    if bundle.release != order.release:
        raise ApplianceError("Bundel yang dipilih sudah diganti.", "Cari lagi di stik, lalu ulangi.")
    words = [str(Path(sys.argv[0]).with_name("slrt-provision")), "upgrade", str(incoming)]
    upgrade = subprocess.Popen(
        words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, ordered_by: order.by},
    )
    assert upgrade.stdout is not None  # noqa: S101  a pipe was asked for
    said = []
    for line in upgrade.stdout:
        said.append(line.strip())
        tell(node, said[-1])
    code = upgrade.wait()
    why = next((line.removeprefix("Gagal: ") for line in reversed(said) if line.startswith("Gagal: ")), said[-1] if said else "")
    tell(node, "Pembaruan selesai." if code == 0 else why, ok=code == 0)
    if code == 0:
        incoming.unlink(missing_ok=True)
        (node.place.public / FOUND).unlink(missing_ok=True)
    return code


def tell(node: Node, text: str, *, ok: bool | None = None) -> None:
    """Put down how far it is, for the page."""
    _publish(node, PROGRESS, {"text": text, "ok": ok})


def end_cut_off(node: Node) -> None:
    """After whatever end, also a killed one: nothing is under way, and an order that did not end was cut off."""
    try:
        told = json.loads((node.place.public / PROGRESS).read_bytes())
    except (OSError, ValueError):
        told = {"ok": True}
    if told.get("ok") is None:
        tell(node, CUT_OFF, ok=False)
    (node.place.runtime / WORKING).unlink(missing_ok=True)


def _publish(node: Node, name: str, facts: dict[str, Any]) -> None:
    node.place.public.mkdir(mode=0o755, exist_ok=True)
    content = {"at": datetime.now(UTC).isoformat(), **facts}
    write_durably(node.place.public / name, json.dumps(content, ensure_ascii=False).encode(), 0o644)
