"""What was read of the machine, and the file that hands it from root's reader to everybody else.

The file is readable by all users, so of a serial number it holds the last four characters and no more.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

from backups.files import write_whole

FILE = "readings.json"
READABLE = 0o644

Record = TypeVar("Record")


@dataclass(frozen=True)
class Smart:
    """What a disk says of itself. None: it does not say. `wear` is the used part of its life in percent, `hours` how long it ran."""

    passed: bool | None = None
    reallocated: int | None = None
    pending: int | None = None
    uncorrectable: int | None = None
    wear: int | None = None
    hours: int | None = None
    celsius: int | None = None


@dataclass(frozen=True)
class Disk:
    """A disk of the machine: its name in the kernel, the port it hangs on (0: unknown), its size in bytes.

    `smart` is None when it could not be asked, and `told` says why.
    """

    name: str
    port: int
    serial_end: str
    model: str
    size: int
    usb: bool
    smart: Smart | None = None
    told: str = ""

    @property
    def title(self) -> str:
        """How people find it: the port, and the end of the number on its label."""
        place = f"Disk di lubang SATA {self.port}" if self.port else "Disk USB" if self.usb else f"Disk {self.name}"
        return f"{place} (…{self.serial_end})" if self.serial_end else place


@dataclass(frozen=True)
class Member:
    """A place in an array: its number, the disk that fills it ("" when none does), and what the kernel calls its state."""

    slot: int
    disk: str
    state: str
    title: str = ""

    @property
    def works(self) -> bool:
        """Whether the data of the array are on it."""
        return "in_sync" in self.state.split(",") and "faulty" not in self.state


@dataclass(frozen=True)
class Array:
    """An md array. `action` is what the kernel does with it now (idle, resync, recover, check), `percent` how far that is."""

    name: str
    level: str
    wanted: int
    degraded: int
    action: str = "idle"
    percent: float | None = None
    mismatches: int = 0
    members: tuple[Member, ...] = ()


@dataclass(frozen=True)
class Heat:
    """A sensor in degrees Celsius and the limit it names itself, if any."""

    name: str
    celsius: float
    critical: float | None = None


@dataclass(frozen=True)
class MemoryModule:
    """Errors of a memory module since the machine started: mended ones and others."""

    label: str
    corrected: int
    uncorrected: int


@dataclass(frozen=True)
class Watchdog:
    """The hardware's own watchdog: its driver's name, and whether systemd has armed it."""

    identity: str
    armed: bool


@dataclass(frozen=True)
class Complaint:
    """What the kernel said of a device since the machine started: how often, and the last of it."""

    subject: str
    count: int
    last: str


@dataclass(frozen=True)
class Readings:
    """Everything, at one moment. `virtual` names the virtual machine or container, where there is no hardware to look at.

    `degraded_at` is when an array was last seen without one of its disks, `whole_again_at` when all were whole after that.
    """

    at: datetime
    virtual: str = ""
    model: str = ""
    smart_at: datetime | None = None
    disks: tuple[Disk, ...] = ()
    arrays: tuple[Array, ...] = ()
    heats: tuple[Heat, ...] = ()
    modules: tuple[MemoryModule, ...] | None = None
    read_only: tuple[str, ...] = ()
    watchdog: Watchdog | None = None
    complaints: tuple[Complaint, ...] = ()
    members_seen: Mapping[str, str] = field(default_factory=dict)
    degraded_at: datetime | None = None
    whole_again_at: datetime | None = None


def write(readings: Readings, folder: Path) -> None:
    """Replace the file. Raises OSError."""
    told = json.dumps(dataclasses.asdict(readings), default=datetime.isoformat, ensure_ascii=False, indent=1)
    write_whole(folder / FILE, told.encode(), READABLE)


def read(folder: Path) -> Readings | None:
    """The newest readings; None when there are none that can be understood."""
    try:
        return _build(Readings, json.loads((folder / FILE).read_bytes()))
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _build(kind: type[Record], found: Mapping[str, Any]) -> Record:
    """A record from what JSON made of it; keys of another version of the program are passed over."""
    hints = get_type_hints(kind)
    return kind(**{name: _value(hints[name], value) for name, value in found.items() if name in hints})


def _value(kind: Any, value: Any) -> Any:
    """One value as its type wants it."""
    wanted = [kind, *get_args(kind)]
    if value is None:
        return None
    if isinstance(value, list):
        inner = next(one for one in wanted if get_args(one) and get_args(one)[-1] is Ellipsis)
        return tuple(_value(get_args(inner)[0], one) for one in value)
    record = next((one for one in wanted if dataclasses.is_dataclass(one)), None)
    if record is not None:
        return _build(record, value)  # type: ignore[arg-type]  # a class, as the line above has seen
    return datetime.fromisoformat(value) if datetime in wanted else value
