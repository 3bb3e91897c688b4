"""`python -m appliance.care.look`: read the hardware once, as root, and leave the readings for everybody. A systemd timer starts it.

The disks are asked once an hour only: a question wakes a disk, and what it counts changes slowly.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from appliance.care import readings
from appliance.care.disks import find_disks, with_smart
from appliance.care.raid import members_seen, read_arrays
from appliance.care.readings import Array, Disk, Readings
from appliance.care.sensors import (
    complaints_in,
    kernel_lines,
    model_of,
    read_heats,
    read_modules,
    read_only_of,
    read_watchdog,
    virtual_kind,
)
from appliance.config import Settings, config_path, load
from appliance.errors import ApplianceError

ASK_DISKS = timedelta(minutes=55)


def look(settings: Settings, before: Readings | None, at: datetime) -> Readings:
    """Everything that can be read now; what the disks said less than an hour ago is kept. Raises OSError."""
    folders = ("/", settings.paths.data, str(Path(settings.backup.repository).parent))
    virtual = virtual_kind()
    shell = Readings(
        at, virtual=virtual, model=model_of(), read_only=read_only_of(dict.fromkeys(folders)), watchdog=read_watchdog()
    )
    if virtual:  # what the kernel names there belongs to another machine
        return shell
    disks, asked_at = _disks(before, at)
    seen = before.members_seen if before else {}
    arrays = read_arrays({disk.name: disk for disk in disks}, seen)
    degraded_at, whole_again_at = _wholeness(arrays, before, at)
    return replace(
        shell,
        smart_at=asked_at,
        disks=disks,
        arrays=arrays,
        heats=read_heats(),
        modules=read_modules(),
        complaints=complaints_in(kernel_lines()),
        members_seen=members_seen(arrays, seen),
        degraded_at=degraded_at,
        whole_again_at=whole_again_at,
    )


def _wholeness(arrays: tuple[Array, ...], before: Readings | None, at: datetime) -> tuple[datetime | None, datetime | None]:
    """When an array was last seen degraded, and all whole after that: what the acceptance asks for."""
    degraded, whole = (before.degraded_at, before.whole_again_at) if before else (None, None)
    if any(array.degraded for array in arrays):
        return at, None
    if arrays and degraded is not None and whole is None:
        return degraded, at
    return degraded, whole


def _disks(before: Readings | None, at: datetime) -> tuple[tuple[Disk, ...], datetime]:
    """The disks with what they say, and when they were asked."""
    found = find_disks()
    known = {disk.name: disk for disk in before.disks} if before else {}
    fresh = before is not None and before.smart_at is not None and timedelta() <= at - before.smart_at < ASK_DISKS
    if fresh and before and before.smart_at and {disk.name for disk in found} == known.keys():
        return tuple(known[disk.name] for disk in found), before.smart_at
    return with_smart(found), at


def main(arguments: Sequence[str] | None = None) -> None:
    """Look once. Exits with the code of the error when the configuration is wrong."""
    parser = argparse.ArgumentParser(prog="slrt-care", description="Membaca keadaan perangkat keras sekali.")
    parser.add_argument("--config", type=Path, default=None, help="berkas pengaturan (biasanya /etc/slrt/appliance.toml)")
    chosen = parser.parse_args(arguments)
    try:
        settings = load(chosen.config or config_path())
    except ApplianceError as error:
        print(f"Gagal: {error.message} {error.hint}", file=sys.stderr)
        sys.exit(error.exit_code)
    folder = Path(settings.paths.care)
    readings.write(look(settings, readings.read(folder), datetime.now(UTC)), folder)


if __name__ == "__main__":
    main()
