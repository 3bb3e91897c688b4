"""What a drill leaves: one JSON file with its timeline and its checks, on the disk line by line, sealed when it has ended.

The seal is a hash over the record and the seal of the one before it. Printed on the paper, it shows whether the file still is what
was signed; a record that was taken out breaks the next one.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from appliance.errors import NotFound
from backups.files import write_whole

FOLDER = "drills"
IDENTIFIER = re.compile(r"\d{8}-\d{6}-L[0-3]b?")


class Level(StrEnum):
    """How far a drill goes."""

    TABLE_TOP = "L0"
    DRAIN = "L1"
    PLUG = "L2"
    FULL = "L3"
    RACE = "L3b"


class Result(StrEnum):
    """How a drill ended; RUNNING until it has."""

    RUNNING = "running"
    PASSED = "passed"
    FAILED = "failed"
    ABORTED = "aborted"
    CUT = "cut"


TITLES = {
    Level.TABLE_TOP: "Latihan di atas meja dengan UPS tiruan",
    Level.DRAIN: "Latihan menutup pekerjaan dan menyimpan",
    Level.PLUG: "Latihan mencabut steker UPS selama 90 detik",
    Level.FULL: "Latihan penuh sampai mesin mati dan hidup kembali",
    Level.RACE: "Latihan penuh, listrik menyala selagi mesin sedang mati",
}
RESULTS = {
    Result.RUNNING: "Sedang berjalan",
    Result.PASSED: "Berhasil",
    Result.FAILED: "Tidak berhasil",
    Result.ABORTED: "Dihentikan",
    Result.CUT: "Terputus",
}


@dataclass(frozen=True)
class Step:
    """One line of the timeline."""

    at: datetime
    text: str


@dataclass(frozen=True)
class Check:
    """One thing that had to be so: `ok` is None when it was not measured; `measured` says what was seen."""

    text: str
    ok: bool | None
    measured: str = ""


@dataclass(frozen=True)
class Record:
    """One drill. `facts` are numbers for programs, such as the battery's loss; `previous` is the seal of the drill before."""

    id: str
    level: Level
    office: str
    by: str
    begun_at: datetime
    ended_at: datetime | None = None
    result: Result = Result.RUNNING
    summary: str = ""
    steps: tuple[Step, ...] = ()
    checks: tuple[Check, ...] = ()
    facts: dict[str, Any] = dataclasses.field(default_factory=dict)
    previous: str = ""
    seal: str = ""

    @property
    def title(self) -> str:
        """The name of its level."""
        return TITLES[self.level]

    @property
    def short_seal(self) -> str:
        """The beginning of the seal as it is printed: four groups of four."""
        return " ".join(self.seal[place : place + 4] for place in range(0, 16, 4))


def folder_of(data: Path) -> Path:
    """Where the records of a node lie."""
    return data / FOLDER


def write(folder: Path, record: Record) -> None:
    """Put the record on the disk, whole. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_whole(folder / f"{record.id}.json", _packed(record).encode())


def close(folder: Path, record: Record) -> Record:
    """Seal an ended record and put it on the disk. Raises OSError."""
    others = [one for one in list_records(folder) if one.seal and one.id != record.id]
    open_record = replace(record, previous=others[0].seal if others else "", seal="")
    sealed = replace(open_record, seal=_seal(open_record))
    write(folder, sealed)
    return sealed


def list_records(folder: Path) -> list[Record]:
    """All readable records, the newest first."""
    names = (path for path in folder.glob("*.json") if IDENTIFIER.fullmatch(path.stem))
    found = [record for path in names if (record := _read(path)) is not None]
    return sorted(found, key=lambda record: (record.begun_at, record.id), reverse=True)


def find(folder: Path, identifier: str) -> Record:
    """One record. Raises NotFound."""
    record = _read(folder / f"{identifier}.json") if IDENTIFIER.fullmatch(identifier) else None
    if record is None:
        raise NotFound("Catatan latihan itu tidak ada.", "Lihat daftarnya: slrt power drill list")
    return record


def seal_holds(record: Record) -> bool:
    """Whether an ended record still is what was sealed."""
    return bool(record.seal) and record.seal == _seal(replace(record, seal=""))


def _seal(record: Record) -> str:
    return hashlib.sha256(_packed(record).encode()).hexdigest()


def _packed(record: Record) -> str:
    return json.dumps(dataclasses.asdict(record), ensure_ascii=False, sort_keys=True, indent=1, default=datetime.isoformat)


def _read(path: Path) -> Record | None:
    try:
        found = json.loads(path.read_bytes())
        ended = found["ended_at"]
        times = {
            "begun_at": datetime.fromisoformat(found["begun_at"]),
            "ended_at": datetime.fromisoformat(ended) if ended else None,
            "steps": tuple(Step(datetime.fromisoformat(step["at"]), step["text"]) for step in found["steps"]),
            "checks": tuple(Check(**check) for check in found["checks"]),
        }
        return Record(**{**found, **times, "level": Level(found["level"]), "result": Result(found["result"])})
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
