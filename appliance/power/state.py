"""The state that the watcher publishes in every cycle, for the pages, the gate and `slrt status`. One small JSON file, replaced whole.

It lives in memory-backed /run and is as old as its `at`: a reader decides how old is too old.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

STATE_FILE = "state.json"


@dataclass(frozen=True)
class State:
    """`charge` and `load` in percent; `seconds_left` until the decision to shut down, None when no outage is counted.

    `accepts_jobs` is whether long work may run, `comms` how well the UPS is heard, `notices` the names of what an officer should know.
    """

    at: datetime
    stage: str
    accepts_work: bool
    mains: bool | None = None
    charge: int | None = None
    runtime_seconds: int | None = None
    seconds_left: int | None = None
    sentence: str = ""
    cause: str = ""
    mains_volts: float | None = None
    battery_volts: float | None = None
    load: float | None = None
    accepts_jobs: bool = True
    comms: str = "fresh"
    notices: tuple[str, ...] = ()


def publish(folder: Path, state: State) -> None:
    """Replace the state file in `folder`. Raises OSError."""
    replace_file(folder / STATE_FILE, json.dumps({**dataclasses.asdict(state), "at": state.at.isoformat()}))


def read(path: Path) -> State | None:
    """What was published, or None when it is missing or not readable as a state."""
    try:
        found = json.loads(path.read_bytes())
        known = {field.name for field in dataclasses.fields(State)}
        facts = {key: value for key, value in found.items() if key in known}
        facts |= {"at": datetime.fromisoformat(found["at"]), "notices": tuple(found.get("notices", ()))}
        state = State(**facts)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
    return state if state.at.tzinfo is not None else None


def replace_file(path: Path, text: str) -> None:
    """Put a new content in place of the old in one move, so that no reader ever sees a part. Raises OSError."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_text(text, encoding="utf-8")
    # Whatever the caller's umask is: the pages and the UPS driver are other users and read these files.
    fresh.chmod(0o644)
    fresh.replace(path)
