"""The one reader of the machine's disks: which there are, on which port, and what smartctl hears from them."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from appliance.care.readings import Disk, Smart

SECTOR = 512
SECONDS = 60
CANNOT = 0b111  # the bits of smartctl's exit code that mean: not opened, not understood, or a command failed
REALLOCATED, PENDING, UNCORRECTABLE = 5, 197, 198
# what solid state disks count downwards from 100, by the maker
WEAR = (231, 233, 177, 202, 173)
HARD_DISKS = re.compile(r"(sd[a-z]+|nvme\d+n\d+|hd[a-z])")

Ask = Callable[[str], str]


def find_disks(sys: Path = Path("/sys")) -> tuple[Disk, ...]:
    """The hard disks and solid state disks, with what the kernel knows without asking them."""
    return tuple(_disk(place) for place in sorted((sys / "block").iterdir()) if HARD_DISKS.fullmatch(place.name))


def disk_of(partition: str, sys: Path = Path("/sys")) -> str:
    """The disk a partition lies on: sda for sda2. Itself when it is a whole disk, or one that is gone."""
    for place in (sys / "block").glob(f"*/{partition}"):
        return place.parent.name
    return partition


def _disk(place: Path) -> Disk:
    path = str(place.resolve())
    port = re.search(r"/ata(\d+)/", path)
    usb = "/usb" in path
    serial = _text(place / "device/vpd_pg80", skip=4)
    size = int(_text(place / "size") or 0) * SECTOR
    return Disk(place.name, int(port[1]) if port and not usb else 0, serial[-4:], _text(place / "device/model"), size, usb)


def _text(path: Path, skip: int = 0) -> str:
    with suppress(OSError):
        return path.read_bytes()[skip:].decode("ascii", "replace").replace("\0", "").strip()
    return ""


def ask_smartctl(name: str) -> str:
    """What smartctl says of a disk, as JSON; empty when there is no such program or no answer."""
    command = ["smartctl", "--json=c", "-a", f"/dev/{name}"]
    with suppress(OSError, subprocess.TimeoutExpired):
        return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False).stdout
    return ""


def with_smart(disks: Iterable[Disk], ask: Ask = ask_smartctl) -> tuple[Disk, ...]:
    """The disks with what they say of themselves; one that cannot be asked is told with the reason."""
    return tuple(_asked(disk, ask(disk.name)) for disk in disks)


def _asked(disk: Disk, answer: str) -> Disk:
    try:
        found = json.loads(answer)
    except ValueError:
        return replace(disk, smart=None, told="smartctl tidak menjawab")
    serial, model = str(found.get("serial_number", "")).strip(), str(found.get("model_name", "")).strip()
    known = replace(disk, serial_end=serial[-4:] or disk.serial_end, model=model or disk.model)
    status = found.get("smartctl", {}).get("exit_status", CANNOT)
    said = [str(one.get("string", "")) for one in found.get("smartctl", {}).get("messages", ())]
    heard = smart_of(found)
    if status & CANNOT and heard == Smart():
        return replace(
            known,
            smart=None,
            told=(said or ["disk ini tidak menjawab pertanyaan SMART"])[0].partition(": ")[2] or (said or [""])[0],
        )
    return replace(known, smart=heard, told="")


def smart_of(found: dict[str, Any]) -> Smart:
    """The figures that matter, of an ATA or an NVMe disk."""
    table = {row["id"]: row for row in found.get("ata_smart_attributes", {}).get("table", ())}
    nvme = found.get("nvme_smart_health_information_log", {})
    worn = next((max(0, 100 - table[number]["value"]) for number in WEAR if number in table), nvme.get("percentage_used"))
    return Smart(
        passed=found.get("smart_status", {}).get("passed"),
        reallocated=_raw(table, REALLOCATED),
        pending=_raw(table, PENDING),
        uncorrectable=_raw(table, UNCORRECTABLE) if UNCORRECTABLE in table else nvme.get("media_errors"),
        wear=worn if found.get("rotation_rate", 0) == 0 else None,
        hours=found.get("power_on_time", {}).get("hours"),
        celsius=found.get("temperature", {}).get("current"),
    )


def _raw(table: dict[int, dict[str, Any]], number: int) -> int | None:
    """The raw count; makers put other things above the lowest four bytes."""
    return int(table[number]["raw"]["value"]) & 0xFFFFFFFF if number in table else None
