"""The power journal: one JSON line for each thing that happened to the power, on the disk before the watcher goes on.

It is the only history of the power there is. A cut may tear its last line, which readers skip; its size is bounded by keeping one
older file beside it. Reading it is a pure question and needs no watcher.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from appliance.power.memory import sync_folder

JOURNAL_FILE = "journal.jsonl"
LARGEST = 1_000_000


class Event(StrEnum):
    """What can happen; these words stand in the file."""

    STARTED = "started"
    HELD = "held"
    OPENED = "opened"
    MAINS_LOST = "mains-lost"
    MAINS_BACK = "mains-back"
    UPS_SILENT = "ups-silent"
    STILL_SILENT = "still-silent"
    UPS_BACK = "ups-back"
    REPLACE_BATTERY = "replace-battery"
    FLAPPING = "flapping"
    FROZEN = "frozen"
    ODD_NUMBERS = "odd-numbers"
    OTHER_UNIT = "other-unit"
    ASKED = "asked"
    UNPROTECTED = "unprotected"
    PROTECTED = "protected"
    DECIDED = "decided"
    CANCELLED = "cancelled"
    DRAINED = "drained"
    READY = "ready"
    HANDED_OVER = "handed-over"
    FORCED_SEEN = "forced-seen"
    FORCED_AGAIN = "forced-again"
    POWER_OFF = "power-off"
    STOPPED = "stopped"
    BACK = "back"


class End(StrEnum):
    """How the last boot ended when no shutdown on battery was decided; else the cause of that decision stands instead."""

    OPERATOR = "operator"  # switched off or restarted in good order
    CUT = "cut"  # on battery until there was none
    CRASH = "crash"  # on mains, without a word


@dataclass(frozen=True)
class Entry:
    """One line. `facts` are further values of the event, such as `cause` or `seconds`."""

    at: datetime
    event: Event
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Outage:
    """The time that the node was down: `cause` is a Cause of the policy or an End; `clean` whether it stopped in good order."""

    down_at: datetime
    back_at: datetime
    cause: str
    clean: bool


def append(path: Path, entry: Entry) -> None:
    """Add one line and see it on the disk. Raises OSError."""
    line = json.dumps({"at": entry.at.isoformat(), "event": entry.event, **entry.facts}, ensure_ascii=False) + "\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > LARGEST:
        path.replace(_older(path))
    handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        size = os.fstat(handle).st_size
        # A torn last line must not swallow this one.
        torn = size > 0 and os.pread(handle, 1, size - 1) != b"\n"
        os.write(handle, (b"\n" if torn else b"") + line.encode())
        os.fsync(handle)
    finally:
        os.close(handle)
    sync_folder(path.parent)


def entries(path: Path) -> list[Entry]:
    """All readable lines, oldest first; none when there is no journal yet."""
    return [entry for file in (_older(path), path) for entry in _read(file)]


def last_outage(path: Path) -> Outage | None:
    """The last time that the node was down, or None when it never was."""
    for entry in reversed(entries(path)):
        if entry.event is Event.BACK:
            try:
                down_at = datetime.fromisoformat(entry.facts["down_at"])
                return Outage(down_at, entry.at, str(entry.facts["cause"]), entry.facts["clean"] is True)
            except (KeyError, TypeError, ValueError):
                continue
    return None


def ended(past: list[Entry], alive: datetime | None) -> tuple[datetime, str, bool] | None:
    """When, why and whether in good order the last boot ended, from its journal and from when its watcher last lived.

    None when there was no earlier boot.
    """
    if not past:
        return None
    start = max((number for number, entry in enumerate(past) if entry.event is Event.BACK), default=0)
    last = {entry.event: (number, entry) for number, entry in enumerate(past) if number >= start}
    order = {event: number for event, (number, _entry) in last.items()}
    down_at = max(past[-1].at, alive or past[-1].at)
    if Event.HANDED_OVER in last:
        return down_at, str(last[Event.HANDED_OVER][1].facts.get("cause", "")), True
    if order.get(Event.STOPPED, -1) > order.get(Event.STARTED, -1):
        return down_at, End.OPERATOR, True
    on_battery = order.get(Event.MAINS_LOST, -1) > order.get(Event.MAINS_BACK, -1)
    return down_at, End.CUT if on_battery else End.CRASH, False


def shutdown_took(past: list[Entry]) -> timedelta | None:
    """How long the last shutdowns took from closing the gate to the watcher's own end, the longest of three; None before the first.

    Both parts were measured by the monotonic clock: an end is told by the watcher that was stopped last of all.
    """
    took: list[timedelta] = []
    drained = 0.0
    for entry in past:
        seconds = entry.facts.get("seconds")
        if not isinstance(seconds, int | float):
            continue
        if entry.event is Event.DRAINED:
            drained = seconds
        elif entry.event is Event.STOPPED:
            took.append(timedelta(seconds=drained + seconds))
            drained = 0.0
    return max(took[-3:], default=None)


def _older(path: Path) -> Path:
    return path.with_name(path.name + ".1")


def _read(path: Path) -> Iterator[Entry]:
    try:
        lines = path.read_bytes().splitlines()
    except OSError:
        return
    for line in lines:
        try:
            facts = json.loads(line)
            at, event = datetime.fromisoformat(facts.pop("at")), Event(facts.pop("event"))
        except (ValueError, TypeError, KeyError, AttributeError):
            continue
        if at.tzinfo is not None:
            yield Entry(at, event, facts)
