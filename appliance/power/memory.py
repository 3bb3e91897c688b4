"""The watcher's memory between two processes: what a killed watcher leaves to its successor, and to the next boot.

Ticks mean something only within one boot. A boot is named by a random word in the runtime folder, which does not survive
it; so a memory under another word tells when the last boot was alive, and nothing else. (The kernel's own name of the boot is
hidden from the watcher, and a demonstration goes down and up within one.) The memory is kept twice: in the runtime folder after every
step, where neither a full disk nor a dying one keeps a successor from going on, and on the disk when it matters to the next boot.
"""

from __future__ import annotations

import dataclasses
import json
import os
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from appliance.power.policy import Cause, HoldEnd, Memory, Moment, Stage
from appliance.power.reading import Reading

BOOT_FILE = "boot"
MEMORY_FILE = "memory.json"
# every field of the memory that is a time or none
_TICKS = tuple(field.name for field in dataclasses.fields(Memory) if field.type == "timedelta | None")
_ANSWERS = tuple(field.name for field in dataclasses.fields(Memory) if field.type == "bool")


@dataclass(frozen=True)
class Recalled:
    """`memory` is a fresh one when the remembered boot is over; `alive` is when the last watcher lived, if that is known.

    `lost` is whether nothing under the word of this boot could be read.
    """

    memory: Memory
    same_boot: bool
    alive: datetime | None
    lost: bool = False


def known_boot(runtime: Path) -> str:
    """The word of this boot; empty when no watcher has run in it yet."""
    try:
        return (runtime / BOOT_FILE).read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""


def name_boot(runtime: Path, word: str = "") -> str:
    """The word of this boot; `word`, or one that is made, when there is none yet. Raises OSError."""
    runtime.mkdir(parents=True, exist_ok=True)
    if known := known_boot(runtime):
        return known
    word = word or new_word()
    (runtime / BOOT_FILE).write_text(word, encoding="ascii")
    return word


def new_word() -> str:
    """A word that no boot had before."""
    return uuid.uuid4().hex


def end_boot(runtime: Path) -> None:
    """Say that this boot is over although the machine may live on, as it does in a demonstration."""
    (runtime / BOOT_FILE).unlink(missing_ok=True)


def remember(folder: Path, boot: str, memory: Memory, at: Moment, *, durable: bool = True) -> None:
    """Write the memory whole or not at all; `durable`: it is on the disk when this returns. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / MEMORY_FILE
    fresh = path.with_name(f".{path.name}.new")
    with fresh.open("w", encoding="utf-8") as file:
        life = {"boot": boot, "alive": at.wall.isoformat(), "ticks": at.ticks.total_seconds()}
        json.dump({**life, "memory": _packed(memory)}, file)
        file.flush()
        if durable:
            os.fsync(file.fileno())
    fresh.replace(path)
    if durable:
        sync_folder(folder)


def recall(folder: Path, boot: str, ticks: timedelta) -> Recalled:
    """What was remembered, as seen at `ticks`. An empty, torn or foreign file counts as nothing: the UPS itself says the rest within a second."""
    try:
        found = json.loads((folder / MEMORY_FILE).read_bytes())
        alive = datetime.fromisoformat(found["alive"])
        # Ticks from the future are those of a machine that was started anew under the same word.
        same = found["boot"] == boot and found["ticks"] <= ticks.total_seconds()
        return Recalled(_unpacked(found["memory"]) if same else Memory(), same, alive, lost=found["boot"] != boot)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return Recalled(Memory(), same_boot=False, alive=None, lost=True)


def recall_either(runtime: Path, folder: Path, boot: str, ticks: timedelta) -> Recalled:
    """What was remembered in the runtime folder, which is never older, else on the disk."""
    near, far = recall(runtime, boot, ticks), recall(folder, boot, ticks)
    best = near if near.same_boot or (not far.same_boot and not near.lost) else far
    return dataclasses.replace(best, alive=far.alive or near.alive)


def sync_folder(folder: Path) -> None:
    """Put the folder's entries on the disk: a new name is only safe after that."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _packed(memory: Memory) -> dict[str, Any]:
    packed: dict[str, Any] = {name: _seconds(getattr(memory, name)) for name in _TICKS}
    return packed | {
        "stage": memory.stage,
        "cause": memory.cause,
        "hold_end": memory.hold_end,
        **{name: getattr(memory, name) for name in _ANSWERS},
        "cuts": [cut.total_seconds() for cut in memory.cuts],
        "before": _packed_reading(memory.before),
        "last": _packed_reading(memory.last),
    }


def _unpacked(packed: dict[str, Any]) -> Memory:
    # A watcher of an earlier version knew fewer of them: an upgrade in the middle of an outage must not forget it.
    known: dict[str, Any] = {name: _duration(packed.get(name)) for name in _TICKS}
    known |= {name: packed.get(name) is True for name in _ANSWERS}
    return dataclasses.replace(
        Memory(
            stage=Stage(packed["stage"]),
            cause=packed["cause"] and Cause(packed["cause"]),
            hold_end=HoldEnd(packed["hold_end"]) if packed.get("hold_end") else None,
            cuts=tuple(timedelta(seconds=cut) for cut in packed["cuts"]),
            before=_unpacked_reading(packed["before"]),
            last=_unpacked_reading(packed["last"]),
        ),
        **known,
    )


def _packed_reading(reading: Reading | None) -> dict[str, Any] | None:
    if reading is None:
        return None
    return {
        **dataclasses.asdict(reading),
        "flags": sorted(reading.flags),
        "odd": sorted(reading.odd),
        "runtime": _seconds(reading.runtime),
    }


def _unpacked_reading(packed: dict[str, Any] | None) -> Reading | None:
    if packed is None:
        return None
    sets = {name: frozenset(packed.get(name, ())) for name in ("flags", "odd")}
    return Reading(**{**packed, **sets, "runtime": _duration(packed["runtime"])})


def _seconds(duration: timedelta | None) -> float | None:
    return None if duration is None else duration.total_seconds()


def _duration(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)
