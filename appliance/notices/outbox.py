"""What waits to be sent, and how far the journal has been read: one file, so that a kill at any moment loses no notice.

A notice is kept until every address has it, but not longer than a day: an outage of last week is news to nobody.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from appliance.notices.care import Known
from appliance.notices.messages import Message
from appliance.power.journal import Entry
from backups.files import write_whole

OUTBOX_FILE = "outbox.json"
KEPT = timedelta(days=1)
MOST = 50


@dataclass(frozen=True)
class Waiting:
    """A notice and the marks of the addresses that do not have it yet."""

    message: Message
    left: tuple[str, ...]


@dataclass(frozen=True)
class Outbox:
    """`read_until` is the last line of the journal that was looked at, as its moment and event; empty at the very first time.

    `backup_late` is what of the backups was told as too old, `sticks` the labels of those whose trouble was told, `care` what is
    known of the troubles of the machine.
    """

    read_until: str = ""
    armed: bool = True
    backup_late: str = ""
    sticks: tuple[str, ...] = ()
    care: Mapping[str, Known] = field(default_factory=dict)
    waiting: tuple[Waiting, ...] = field(default=())


def mark_of(address: str) -> str:
    """What stands for an address in the file: the address itself holds a password."""
    return hashlib.sha256(address.encode()).hexdigest()[:16]


def load(folder: Path) -> Outbox | None:
    """The outbox as it was left; None when there is none yet or it cannot be read."""
    try:
        found = json.loads((folder / OUTBOX_FILE).read_bytes())
        waiting = tuple(
            Waiting(Message(datetime.fromisoformat(one["at"]), one["title"], one["text"]), tuple(one["left"]))
            for one in found["waiting"]
        )
        sticks = tuple(found.get("sticks", ()))
        care = {key: _known(one) for key, one in found.get("care", {}).items()}
        return Outbox(str(found["read_until"]), bool(found["armed"]), str(found.get("backup_late", "")), sticks, care, waiting)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def save(folder: Path, outbox: Outbox) -> None:
    """Put it on the disk, whole. Raises OSError."""
    waiting = [{**dataclasses.asdict(one.message), "at": one.message.at.isoformat(), "left": one.left} for one in outbox.waiting]
    care = {key: dataclasses.asdict(known) for key, known in outbox.care.items()}
    told = {name: getattr(outbox, name) for name in ("read_until", "armed", "backup_late", "sticks")}
    written = json.dumps(told | {"care": care, "waiting": waiting}, ensure_ascii=False, default=datetime.isoformat)
    write_whole(folder / OUTBOX_FILE, written.encode())


def _known(found: Mapping[str, Any]) -> Known:
    """What was written of a trouble."""
    over = found["over_since"]
    since = datetime.fromisoformat(found["since"])
    return Known(str(found["title"]), since, bool(found["told"]), datetime.fromisoformat(over) if over else None)


def name_of(entry: Entry) -> str:
    """What names a line of the journal."""
    return f"{entry.at.isoformat()} {entry.event}"


def unread(entries: Sequence[Entry], read_until: str) -> Sequence[Entry]:
    """The lines after the last one that was looked at. None at the very first time: what was before is no news."""
    places = [place for place, entry in enumerate(entries) if name_of(entry) == read_until]
    return entries[places[-1] + 1 :] if places else ()


def with_messages(outbox: Outbox, messages: Sequence[Message], marks: Sequence[str], at: datetime) -> Outbox:
    """The outbox with further notices for all addresses, without those that are too old or for addresses that are gone."""
    waiting = (*outbox.waiting, *(Waiting(message, tuple(marks)) for message in messages))
    known = (replace(one, left=tuple(mark for mark in one.left if mark in marks)) for one in waiting)
    kept = [one for one in known if one.left and at - one.message.at < KEPT]
    return replace(outbox, waiting=tuple(kept[-MOST:]))


def delivered(outbox: Outbox, message: Message, mark: str) -> Outbox:
    """The outbox after that address has got that notice."""
    waiting = (
        replace(one, left=tuple(left for left in one.left if left != mark)) if one.message == message else one
        for one in outbox.waiting
    )
    return replace(outbox, waiting=tuple(one for one in waiting if one.left))
