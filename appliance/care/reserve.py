"""The watch over the disks' room: looks, publishes what it saw, and keeps or gives up the reserve.

The reserve is a file whose room is really taken. When the disk of the data is all but full it is given up at once, so that the
database can still be written and the node be cleaned; it comes back by itself when there is room for it again.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path

from appliance.care.space import MEGABYTE, Level, Limits, Place, Room, judge
from appliance.config import Settings
from appliance.errors import TryLater
from appliance.power.state import replace_file
from backups.files import sync_folder

PUBLISHED = "space.json"
RESERVE = "reserve"
LOGS = "/var/log"
FRESH = timedelta(minutes=3)


class DiskTight(TryLater):
    """There is too little room for what writes much; single records are still stored."""

    def __init__(self) -> None:
        super().__init__(
            "Disk server hampir penuh, sehingga impor, ekspor dan surat massal ditunda. Kasus dan data warga tetap dapat disimpan.",
            "Beri tahu admin agar mengosongkan disk server; sesudah itu pekerjaan ini jalan lagi.",
        )


def look(settings: Settings) -> Room:
    """How full the filesystems are now, seen from what was published last. Changes nothing; folders that cannot be seen are left out."""
    found: list[Place] = []
    devices: set[int] = set()
    for name, folder in _folders(settings):
        with suppress(OSError):
            device, room = folder.stat().st_dev, os.statvfs(folder)
            if device not in devices:
                devices.add(device)
                missing = 0 if found else _missing(settings)
                # as df counts: what the filesystem keeps for root is not there for anybody
                total = (room.f_blocks - room.f_bfree + room.f_bavail) * room.f_frsize
                found.append(Place(name, str(folder), room.f_bavail * room.f_frsize, total, missing))
    before = published(settings)
    return judge(found, limits_of(settings), {place.folder: level for place, level in before.places} if before else {})


def seen(settings: Settings, at: datetime) -> Room:
    """What the watch published a moment ago; where it does not run, a look of our own."""
    with suppress(OSError):
        age = at - datetime.fromtimestamp(_place(settings).stat().st_mtime, at.tzinfo)
        if age < FRESH and (found := published(settings)) is not None:
            return found
    return look(settings)


def watch(settings: Settings) -> Room:
    """Look, do with the reserve what is to be done, publish. Raises OSError where the state cannot be published."""
    room = look(settings)
    if not room.places:
        return room
    if room.of_data is Level.LAST:
        give_up(settings)
    elif not room.holds_jobs:
        _keep(settings)
    _publish(settings, room)
    return room


def holds_jobs(settings: Settings) -> bool:
    """Whether what writes much must wait, by the last look of the watch."""
    found = published(settings)
    return found is not None and found.holds_jobs


def require_room(settings: Settings) -> None:
    """Before something that writes much is asked for: raises DiskTight."""
    if holds_jobs(settings):
        raise DiskTight


def limits_of(settings: Settings) -> Limits:
    """The limits of the settings in bytes."""
    kept = settings.space
    return Limits(
        kept.low_percent,
        kept.low_megabytes * MEGABYTE,
        kept.tight_percent,
        kept.tight_megabytes * MEGABYTE,
        kept.reserve_megabytes * MEGABYTE // 4,
    )


def file_of(settings: Settings) -> Path:
    """The file that takes the room of the reserve."""
    return Path(settings.paths.data) / RESERVE


def held(settings: Settings) -> int:
    """How many bytes the reserve takes now."""
    with suppress(OSError):
        return file_of(settings).stat().st_blocks * 512
    return 0


def give_up(settings: Settings) -> None:
    """Give the room back, now."""
    file_of(settings).unlink(missing_ok=True)
    with suppress(OSError):
        sync_folder(Path(settings.paths.data))


def _missing(settings: Settings) -> int:
    return max(settings.space.reserve_megabytes * MEGABYTE - held(settings), 0)


def _keep(settings: Settings) -> None:
    """Take the room that is still missing. Killed in between, the next look goes on; without room for it there is none."""
    wanted = settings.space.reserve_megabytes * MEGABYTE
    if held(settings) >= wanted:
        return
    handle = os.open(file_of(settings), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.posix_fallocate(handle, 0, wanted)
        os.fsync(handle)
    except OSError:
        give_up(settings)
    finally:
        os.close(handle)


def _folders(settings: Settings) -> list[tuple[str, Path]]:
    """What the node writes to, the data first."""
    return [
        ("data", Path(settings.paths.data)),
        ("cadangan", Path(settings.backup.repository).parent),
        ("catatan sistem", Path(LOGS)),
    ]


def _place(settings: Settings) -> Path:
    return Path(settings.paths.runtime) / PUBLISHED


def _publish(settings: Settings, room: Room) -> None:
    replace_file(_place(settings), json.dumps([{**asdict(place), "level": int(level)} for place, level in room.places]))


def published(settings: Settings) -> Room | None:
    """The last look of the watch; None before the first one."""
    try:
        found = json.loads(_place(settings).read_bytes())
        return Room(
            [(Place(**{name: value for name, value in one.items() if name != "level"}), Level(one["level"])) for one in found]
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
