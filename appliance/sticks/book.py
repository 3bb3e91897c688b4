"""What is written down about sticks: which ones are ours (by whoever prepared them), and how each was seen last (by the keeper).

Both files belong to root and everybody may read them. Without the second the keeper simply looks again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from appliance import custody
from appliance.config import Settings
from backups.files import write_whole

KNOWN, SEEN = "known.json", "seen.json"
REPOSITORY = "slrt"
MARK = "slrt-stick.json"
NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class State(StrEnum):
    """How a stick is, as the keeper found it."""

    READY = "ready"
    READ_ONLY = "read-only"
    DAMAGED = "damaged"
    BUSY = "busy"  # asked to let it go, but somebody works on it
    EJECTED = "ejected"  # may be pulled
    ABSENT = "absent"


@dataclass(frozen=True)
class Stick:
    """A stick of ours: its filesystem's `uuid`, the `label` people know it by (A, B …), bytes, day, and its repository's id."""

    uuid: str
    label: str
    size: int
    prepared_at: datetime
    repository: str

    @property
    def name(self) -> str:
        """As people call it."""
        return f"Stik {self.label}"


@dataclass(frozen=True)
class Seen:
    """How a stick was seen last. `plug` is the kernel's number of this plugging-in, `since` when it began."""

    state: State
    seen_at: datetime = NEVER
    since: datetime | None = None
    plug: str = ""
    told: str = ""


@dataclass(frozen=True)
class Stranger:
    """A USB disk that is none of ours. Nothing is done with it."""

    path: str
    size: int
    content: str

    @property
    def is_former(self) -> bool:
        """Whether it looks like a stick that some node prepared: ours before a new installation, or another's."""
        return self.content.startswith("SLRT-") and self.content.endswith(" ext4")


@dataclass(frozen=True)
class Sight:
    """All that the keeper saw at `at`."""

    at: datetime
    sticks: Mapping[str, Seen]
    strangers: tuple[Stranger, ...] = ()

    def of(self, stick: Stick) -> Seen:
        """How this stick was seen last."""
        return self.sticks.get(stick.uuid, Seen(State.ABSENT))


def folder_of(settings: Settings) -> Path:
    """The folder of both files."""
    return Path(settings.backup.stick_state)


def mount_of(settings: Settings, stick: Stick) -> Path:
    """Where the stick is mounted when it is plugged in."""
    return Path(settings.backup.stick_mounts) / stick.uuid


def state_of(settings: Settings, stick: Stick) -> Path:
    """The service user's folder about the backups on this stick: outcome, borg's notes, scratch."""
    return custody.state_of(settings) / "sticks" / stick.uuid


def read_known(folder: Path) -> tuple[Stick, ...]:
    """Our sticks by their label; none while the file is missing or unreadable."""
    try:
        found = json.loads((folder / KNOWN).read_bytes())
        sticks = [Stick(**{**one, "prepared_at": datetime.fromisoformat(one["prepared_at"])}) for one in found]
    except (OSError, ValueError, TypeError, KeyError):
        return ()
    return tuple(sorted(sticks, key=lambda stick: stick.label))


def write_known(folder: Path, sticks: Iterable[Stick]) -> None:
    """Replace the list of our sticks."""
    content = [{**asdict(stick), "prepared_at": stick.prepared_at.isoformat()} for stick in sticks]
    write_whole(folder / KNOWN, json.dumps(content, indent=1).encode(), 0o644)


def with_stick(known: Iterable[Stick], new: Stick) -> list[Stick]:
    """The list with a new stick, which takes the place of a former one of its label."""
    return [*(stick for stick in known if new.label != stick.label and new.uuid != stick.uuid), new]


def read_sight(folder: Path) -> Sight:
    """What the keeper saw last; nothing while the file is missing or unreadable."""
    try:
        found = json.loads((folder / SEEN).read_bytes())
        sticks = {uuid: _seen(one) for uuid, one in found["sticks"].items()}
        return Sight(datetime.fromisoformat(found["at"]), sticks, tuple(Stranger(**one) for one in found["strangers"]))
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return Sight(NEVER, {})


def write_sight(folder: Path, sight: Sight) -> None:
    """Replace what was seen."""
    content = {
        "at": sight.at.isoformat(),
        "sticks": {uuid: _as_json(seen) for uuid, seen in sight.sticks.items()},
        "strangers": [asdict(one) for one in sight.strangers],
    }
    write_whole(folder / SEEN, json.dumps(content, indent=1).encode(), 0o644)


def _as_json(seen: Seen) -> dict[str, Any]:
    since = seen.since.isoformat() if seen.since else None
    return {**asdict(seen), "seen_at": seen.seen_at.isoformat(), "since": since}


def _seen(found: Mapping[str, Any]) -> Seen:
    since = datetime.fromisoformat(found["since"]) if found["since"] else None
    return Seen(State(found["state"]), datetime.fromisoformat(found["seen_at"]), since, str(found["plug"]), str(found["told"]))
