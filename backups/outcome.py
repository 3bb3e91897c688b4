"""What became of the last run, in a small file that pages and the schedule read: the last outcome and the last good one.

The repository remains the truth about what can be restored; without this file one more backup is made, nothing else.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from backups.files import write_whole
from backups.schedule import Moment

NAME = "outcome.json"


@dataclass(frozen=True)
class Outcome:
    """One run: `moment` of its start, whether it ended well, the archive's number, and what to tell the officer."""

    moment: Moment
    ok: bool
    archive: str | None
    text: str
    next_step: str = ""
    verified: bool = False
    seconds: float = 0.0
    running: bool = False

    def as_json(self) -> dict[str, Any]:
        """The object in the file, without `last_good`."""
        return {
            **moment_as_json(self.moment),
            "ok": self.ok,
            "archive": self.archive,
            "text": self.text,
            "next_step": self.next_step,
            "verified": self.verified,
            "seconds": round(self.seconds, 1),
            "running": self.running,
        }

    @staticmethod
    def from_json(found: dict[str, Any]) -> Outcome:
        """Raises KeyError, TypeError or ValueError for what is not an outcome."""
        return Outcome(
            read_moment(found),
            bool(found["ok"]),
            found["archive"],
            str(found["text"]),
            str(found["next_step"]),
            bool(found["verified"]),
            float(found["seconds"]),
            bool(found.get("running", False)),
        )


@dataclass(frozen=True)
class Record:
    """The file: the last run that ended, the last good one, and the start of the newest; None where there was none yet.

    An attempt newer than the last outcome is running, or was cut off. Before the first outcome `last` says that it is `running`.
    """

    last: Outcome | None = None
    last_good: Outcome | None = None
    attempt: Moment | None = None


def read(state: Path) -> Record:
    """The record in the folder `state`; empty when there is none or it cannot be read."""
    try:
        found = json.loads((state / NAME).read_bytes())
        good, attempt = found.pop("last_good", None), found.pop("attempt", None)
        return Record(
            Outcome.from_json(found), Outcome.from_json(good) if good else None, read_moment(attempt) if attempt else None
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Record()


def write_attempt(state: Path, moment: Moment) -> None:
    """Note that a run begins, before it does anything."""
    first = Outcome(moment, False, None, "Pencadangan pertama sedang berjalan.", "Tunggu sampai selesai.", running=True)
    record = read(state)
    _store(state, replace(record, last=record.last or first, attempt=moment))


def write(state: Path, outcome: Outcome) -> None:
    """Add what became of a run; on the disk when this returns."""
    record = read(state)
    _store(state, replace(record, last=outcome, last_good=outcome if outcome.ok else record.last_good))


def _store(state: Path, record: Record) -> None:
    content = {
        **(record.last.as_json() if record.last else {}),
        "last_good": record.last_good.as_json() if record.last_good else None,
        "attempt": moment_as_json(record.attempt) if record.attempt else None,
    }
    state.mkdir(mode=0o750, parents=True, exist_ok=True)
    write_whole(state / NAME, json.dumps(content, indent=1, ensure_ascii=False).encode(), 0o640)


def moment_as_json(moment: Moment) -> dict[str, Any]:
    """A moment as it stands in files."""
    return {"at": moment.at.isoformat(), "boot": moment.boot, "uptime_seconds": moment.uptime.total_seconds()}


def read_moment(found: dict[str, Any]) -> Moment:
    """The moment in an object of a file. Raises KeyError, TypeError or ValueError."""
    moment = Moment(datetime.fromisoformat(found["at"]), str(found["boot"]), timedelta(seconds=found["uptime_seconds"]))
    if moment.at.tzinfo is None:
        raise ValueError("at without a zone")
    return moment
