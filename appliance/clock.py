"""Is the clock of this machine right? A machine without internet may wake up in 2015, and everything that is dated would be wrong.

One small file remembers until when the clock was right: it is moved on while the node runs, and to the newest record at each start.
A clock before that, or far beyond it, is not believed: work waits (see `gate`) until an administrator has set it or says that it is
right. Knows nothing of the database or of the pages.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from zoneinfo import ZoneInfo

from appliance.config import Settings
from appliance.errors import TryLater
from backups.files import write_whole

# no node is older than its program
EARLIEST = datetime(2026, 11, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)
TOLERANCE = timedelta(minutes=2)
# longer than any office is closed
TOO_FAR = timedelta(days=90)
# beyond this a new time is asked for twice
FAR = timedelta(days=1)
SET_IT = "Admin: buka halaman Jam dan atur tanggal serta jamnya. Sementara itu data hanya dapat dibaca."


class Reading(StrEnum):
    """What is thought of the clock."""

    RIGHT = "right"
    BEHIND = "behind"
    AHEAD = "ahead"


@dataclass(frozen=True)
class Mark:
    """Until when the clock was right. Records of the journal up to `position` were made by a clock that was not."""

    at: datetime
    position: int = 0


class ClockWrong(TryLater):
    """No work is taken while the clock is not believed."""

    def __init__(self, reading: Reading) -> None:
        wrong = "mundur" if reading is Reading.BEHIND else "terlalu maju"
        super().__init__(
            f"Jam simpul ini {wrong}; simpanan baru akan bertanggal salah dan belum diterima.",
            "Isian Anda tetap di layar. Minta admin mengatur jam di halaman Jam, lalu tekan Simpan lagi.",
        )


def judge(at: datetime, mark: Mark | None) -> Reading:
    """What to think of a clock that says `at`. A node that has no mark yet is new and believes its clock, from EARLIEST on."""
    right_until = mark.at if mark else EARLIEST
    if at < max(right_until, EARLIEST) - TOLERANCE:
        return Reading.BEHIND
    return Reading.AHEAD if mark and at > mark.at + TOO_FAR else Reading.RIGHT


def at_least(at: datetime, mark: Mark | None) -> datetime:
    """The time for what must not be dated by a clock that is behind: `at`, or until when the clock was right."""
    return max(at, mark.at if mark else EARLIEST, EARLIEST)


def sentence(reading: Reading, at: datetime, mark: Mark | None, zone: ZoneInfo) -> str:
    """What is wrong, in one line; empty for a clock that is right."""
    if reading is Reading.RIGHT:
        return ""
    now, until = (f"{one.astimezone(zone):%d-%m-%Y %H.%M}" for one in (at, mark.at if mark else EARLIEST))
    if reading is Reading.BEHIND:
        return f"Jam simpul menunjuk {now}, padahal catatan terakhir dari {until}."
    return f"Jam simpul menunjuk {now}, jauh sesudah catatan terakhir dari {until}."


def why_not(wanted: datetime, now: datetime, mark: Mark | None, typed_date: str, zone: ZoneInfo) -> dict[str, str]:
    """What speaks against setting the clock to `wanted`: field → sentence. Far ahead of now, its date has to be typed once more."""
    if judge(wanted, mark) is Reading.BEHIND:
        until = (mark.at if mark else EARLIEST).astimezone(zone)
        return {"date": f"Catatan terakhir dibuat {until:%d-%m-%Y %H.%M}; jam tidak dapat diatur sebelum itu."}
    if wanted >= LATEST:
        return {"date": "Tahun itu terlalu jauh."}
    expected = f"{wanted.astimezone(zone):%d-%m-%Y}"
    if wanted > now + FAR and typed_date.strip() != expected:
        return {"typed": f"Lebih dari sehari ke depan: ketik {expected} untuk memastikan."}
    return {}


def mark_file(settings: Settings) -> Path:
    """Where the mark is kept."""
    return Path(settings.paths.data) / "clock.json"


def read_mark(path: Path) -> Mark | None:
    """The mark; None when there is none that can be read."""
    try:
        found = json.loads(path.read_bytes())
        return Mark(datetime.fromisoformat(found["at"]).astimezone(UTC), int(found["position"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def write_mark(path: Path, mark: Mark) -> None:
    """Move the mark. Raises OSError."""
    write_whole(path, json.dumps({"at": mark.at.isoformat(), "position": mark.position}).encode(), 0o640)
