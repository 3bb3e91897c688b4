"""What is looked at before an upgrade may begin: power, data, room, what else is under way. Reads only."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from appliance.config import Settings
from appliance.errors import ApplianceError
from provision.upgrade.node import RELEASES, Node
from provision.upgrade.rules import Data, Facts, Power

# the node also comes back when somebody restarted it, or it crashed, on mains
ON_MAINS = ("operator", "crash")
JOURNAL_END = 65536


def gather(node: Node, new: str, *, starts: tuple[str, ...] | None = None, cold: bool = False, prepared: bool = True) -> Facts:
    """Everything the rules ask for. `prepared`: the new release is on the disk already, and can be asked what it knows."""
    settings, release = node.settings, node.release
    return Facts(
        old=release,
        new=new,
        at=datetime.now(UTC),
        power=None if settings.power.ups == "none" else power_of(settings),
        data=_data(node, new if prepared else release),
        starts=starts,
        busy="pemulihan data" if is_restoring(settings) else "",
        release_bytes=0 if prepared else _size(RELEASES / release),
        free_program=shutil.disk_usage(RELEASES).free,
        free_copy=shutil.disk_usage(node.place.folder.parent).free,
        cold=cold,
    )


def power_of(settings: Settings) -> Power:
    """What the watcher published, and when the mains came back last."""
    found = _json(Path(settings.power.runtime) / "state.json")
    try:
        at = datetime.fromisoformat(found["at"])
    except (KeyError, TypeError, ValueError):
        return Power()
    charge = found.get("charge")
    back = mains_back(Path(settings.power.state) / "journal.jsonl")
    return Power(at, found.get("mains"), charge if isinstance(charge, int) else None, back)


def mains_back(journal: Path) -> datetime | None:
    """When the mains came back for the last time, by the end of the power journal."""
    with suppress(OSError), journal.open("rb") as file:
        file.seek(max(0, journal.stat().st_size - JOURNAL_END))
        for line in reversed(file.read().splitlines()):
            with suppress(ValueError, KeyError, TypeError):
                found = json.loads(line)
                if found["event"] == "mains-back" or (found["event"] == "back" and found["cause"] not in ON_MAINS):
                    return datetime.fromisoformat(found["at"])
    return None


def last_good_backup(settings: Settings) -> datetime | None:
    """When the newest backup was made that was read back; None when there is none."""
    found = _json(Path(settings.paths.data) / "backup" / "outcome.json").get("last_good")
    try:
        return datetime.fromisoformat(found["at"]) if found["verified"] else None  # type: ignore[index]
    except (KeyError, TypeError, ValueError):
        return None


def _data(node: Node, release: str) -> Data:
    """The database as the program of `release` sees it."""
    file = node.settings.database_file
    size = sum(path.stat().st_size for path in (file, Path(f"{file}-wal")) if path.exists())
    try:
        told = node.ask(release, "database", "describe")
    except (ApplianceError, ValueError):
        return Data(False, "", False, size)
    return Data(bool(told["opens"]), str(told["revision"]), bool(told["known"]), int(told["bytes"]) or size)


def is_restoring(settings: Settings) -> bool:
    """Whether data are being brought back, or are about to be."""
    data, runtime = Path(settings.paths.data), Path(settings.paths.runtime)
    return (runtime / "restore-order").exists() or (data / "restore-in-progress.json").exists() or _is_locked(runtime)


def _is_locked(path: Path) -> bool:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
