"""The book of runs: a line for each backup and each proof that ended, oldest first. Pages and rules read it, never the repository.

Only added to, each line on the disk before the run is told as ended. A line that the mains cut in two is passed over. Without the
book one rehearsal is made too many, nothing else: what can be restored is known by the repository alone.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backups.files import sync_folder, write_whole
from backups.outcome import moment_as_json, read_moment
from backups.schedule import Depth, Moment, Proofs

NAME = "book.jsonl"
BACKUP = "backup"
KINDS = (BACKUP, *Depth)
MOST_LINES, KEPT_LINES = 4000, 3000


@dataclass(frozen=True)
class Line:
    """What became of one run. `number` is the backup it made or proved; `bytes` its size, `added` what the repository grew;
    `kept` the numbers in the repository afterwards; `steps` the seconds of each step; `method` how the snapshot was had, `position` its place in SQLite's log.
    """

    moment: Moment
    kind: str
    ok: bool
    number: int | None
    text: str
    next_step: str = ""
    seconds: float = 0.0
    bytes: int = 0
    added: int = 0
    kept: tuple[int, ...] = ()
    steps: tuple[float, ...] = ()
    method: str = ""
    position: str = ""

    def as_json(self) -> dict[str, Any]:
        """The object of a line."""
        own = {key: value for key, value in vars(self).items() if key != "moment"}
        return {**moment_as_json(self.moment), **own, "seconds": round(self.seconds, 1)}

    @staticmethod
    def from_json(found: dict[str, Any]) -> Line:
        """Raises KeyError, TypeError or ValueError for what is no line."""
        moment = read_moment(found)
        own = {key: found[key] for key in Line.__dataclass_fields__ if key in found and key != "moment"}
        return Line(moment=moment, **{**own, "kept": tuple(found["kept"]), "steps": tuple(found["steps"])})


def lines(state: Path) -> list[Line]:
    """All lines of the book in the folder `state`, oldest first; empty when there is none."""
    try:
        content = (state / NAME).read_bytes()
    except OSError:
        return []
    found = []
    for text in content.split(b"\n"):
        try:
            found.append(Line.from_json(json.loads(text)))
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
    return found


def add(state: Path, line: Line) -> None:
    """Put a line at the end; it is on the disk when this returns."""
    state.mkdir(mode=0o750, parents=True, exist_ok=True)
    known = lines(state)
    if len(known) >= MOST_LINES:
        write_whole(state / NAME, b"".join(_text(one) for one in known[-KEPT_LINES:]), 0o640)
    handle = os.open(state / NAME, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
    with os.fdopen(handle, "ab") as file:
        # what a cut left of the last line must not swallow this one
        file.write(b"\n" + _text(line))
        file.flush()
        os.fsync(file.fileno())
    sync_folder(state)


def _text(line: Line) -> bytes:
    return json.dumps(line.as_json(), ensure_ascii=False).encode() + b"\n"


def last_good(found: Sequence[Line], *kinds: str) -> Line | None:
    """The newest line of these kinds that ended well."""
    return next((line for line in reversed(found) if line.ok and line.kind in kinds), None)


def last(found: Sequence[Line], *kinds: str) -> Line | None:
    """The newest line of these kinds."""
    return next((line for line in reversed(found) if line.kind in kinds), None)


def proofs(found: Sequence[Line]) -> Proofs:
    """When the first backup was made, and when each proof was last made well or tried. Who read all data has rehearsed as well."""
    good, tried = {}, {}
    for line in found:
        if line.kind == BACKUP:
            continue
        for depth in (Depth(line.kind), *((Depth.REHEARSAL,) if line.kind == Depth.ALL_DATA and line.ok else ())):
            tried[depth] = line.moment
            if line.ok:
                good[depth] = line.moment
    first = next((line.moment for line in found if line.ok and line.kind == BACKUP), None)
    return Proofs(first, good, tried)


def proven(found: Sequence[Line]) -> set[int]:
    """Numbers of the backups that were brought back whole."""
    return {line.number for line in found if line.ok and line.kind != BACKUP and line.number is not None}


def is_doubtful(found: Sequence[Line]) -> bool:
    """Whether the last proof failed: until one succeeds, nothing old may be forgotten."""
    newest = last(found, *Depth)
    return newest is not None and not newest.ok
