"""Which long work an outage stopped, for the book: one line for each, written by who was stopped.

Unlike the journal it is no history to decide by, so a line that a full disk loses is only missing from the book.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from pathlib import Path

STOPS_FILE = "stopped.jsonl"
LARGEST = 200_000


@dataclass(frozen=True)
class Stop:
    """At that moment this kind of work was told to stop."""

    at: datetime
    what: str


def note(folder: Path, stop: Stop) -> None:
    """Add a line. Never raises: who is stopped must go on stopping."""
    path = folder / STOPS_FILE
    with suppress(OSError):
        if path.exists() and path.stat().st_size > LARGEST:
            path.replace(path.with_name(path.name + ".1"))
        with path.open("a", encoding="utf-8") as file:
            # the blank line before it keeps a torn last line from swallowing this one
            file.write("\n" + json.dumps({"at": stop.at.isoformat(), "what": stop.what}, ensure_ascii=False))


def stops(*folders: Path) -> list[Stop]:
    """All readable lines of the folders, oldest first: each user who does long work has one of his own."""
    found = []
    for folder, name in product(folders, (f"{STOPS_FILE}.1", STOPS_FILE)):
        with suppress(OSError):
            for line in (folder / name).read_bytes().splitlines():
                with suppress(ValueError, TypeError, KeyError, AttributeError):
                    words = json.loads(line)
                    stop = Stop(datetime.fromisoformat(words["at"]), str(words["what"]))
                    if stop.at.tzinfo:
                        found.append(stop)
    return sorted(found, key=lambda stop: stop.at)


def stopped_between(found: Iterable[Stop], begin: datetime, end: datetime) -> tuple[str, ...]:
    """What was stopped from `begin` to `end`, each kind once, in order."""
    return tuple(dict.fromkeys(stop.what for stop in found if begin <= stop.at <= end))
