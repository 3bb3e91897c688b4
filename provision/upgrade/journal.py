"""What an upgrade has come to, on the disk before each act: whoever finds it after a power cut knows the one way out.

The note stands in a folder of root's. Before `CHANGING` nothing of the node was touched; from `PROVEN` on the new release is the node.
In between everything is put back from the copy that the note names.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from provision.host import flush_folder, write_durably

FOLDER = Path("/var/lib/slrt-install")
PUBLIC = Path("/var/lib/slrt-upgrade")
RUNTIME = Path("/run/slrt-upgrade")
NOTE, KEPT, LAST = "upgrade.json", "kept.json", "last.json"
CLOSED, LOCK = "closed", "lock"
COPIES = "copies"
UNREADABLE = "Catatan pembaruan tidak terbaca."


class Stage(StrEnum):
    """How far it is: what the note says was begun."""

    CLOSING = "closing"
    CHANGING = "changing"
    PROVEN = "proven"


class Exit(StrEnum):
    """The way out of an upgrade that nobody carries on."""

    LEAVE = "leave"  # nothing was changed: open again
    UNDO = "undo"
    FINISH = "finish"


WAYS_OUT = {Stage.CLOSING: Exit.LEAVE, Stage.CHANGING: Exit.UNDO, Stage.PROVEN: Exit.FINISH}


@dataclass(frozen=True)
class Place:
    """Where the engine keeps what it knows: `folder` of root's and `public`, which all may read, outlive a power cut, `runtime` does not."""

    folder: Path = FOLDER
    runtime: Path = RUNTIME
    public: Path = PUBLIC

    @property
    def note(self) -> Path:
        """The note of an upgrade under way."""
        return self.folder / NOTE

    @property
    def kept(self) -> Path:
        """What is kept of the release before this one."""
        return self.folder / KEPT

    @property
    def last(self) -> Path:
        """How the last upgrade ended, for people."""
        return self.public / LAST

    @property
    def closed(self) -> Path:
        """As long as it is there the front answers nobody but this machine."""
        return self.runtime / CLOSED

    @property
    def lock(self) -> Path:
        """Held by the engine for as long as it lives."""
        return self.runtime / LOCK


@dataclass(frozen=True)
class Note:
    """An upgrade: the releases by their folder names, the copy of what was, and the units that ran. `database` tells of the data at
    that moment: `revision`, `position` of the journal, `cases`. `began` is a moment in ISO form."""

    stage: Stage
    old: str
    new: str
    copy: str
    began: str
    by: str
    units: tuple[str, ...] = ()
    database: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Told:
    """How an upgrade ended: `ok` whether the new release runs, `text` what to tell, `seconds` how long nobody could work."""

    ok: bool
    old: str
    new: str
    at: str
    by: str
    text: str
    seconds: float = 0.0


def version_of(release: str) -> str:
    """The version in the name of a release: 0.2.0+1a2b3c4d → 0.2.0."""
    return release.partition("+")[0]


def number_of(version: str) -> tuple[int, ...]:
    """What versions are compared by: 0.10.0 → (0, 10, 0); a part that is no number counts as none."""
    return tuple(int(part) if part.isdecimal() else 0 for part in version.split("."))


def write(path: Path, what: Note | Told) -> None:
    """Put it on the disk whole. Raises OSError."""
    told = isinstance(what, Told)
    path.parent.mkdir(mode=0o755 if told else 0o700, parents=True, exist_ok=True)
    write_durably(path, json.dumps(asdict(what), ensure_ascii=False, indent=1).encode(), 0o644 if told else 0o600)


def read_note(path: Path) -> Note | None:
    """The note; None when there is none. Raises ValueError for one that cannot be read, which a power cut does not make."""
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    try:
        return Note(**{**found, "stage": Stage(found["stage"]), "units": tuple(found["units"])})
    except (TypeError, KeyError) as error:
        raise ValueError(UNREADABLE) from error


def read_told(path: Path) -> Told | None:
    """How the last one ended; None before the first."""
    try:
        return Told(**json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def forget(path: Path) -> None:
    """Take a note away for good. Raises OSError."""
    path.unlink(missing_ok=True)
    flush_folder(path.parent)
