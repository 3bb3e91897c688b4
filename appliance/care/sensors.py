"""The one reader of what else the kernel tells of the machine: heat, memory errors, the watchdog, mounts, and its complaints."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from appliance.care.readings import Complaint, Heat, MemoryModule, Watchdog

SECONDS = 30
# what a disk on its way out makes the kernel say; the first group names the device
COMPLAINTS = (
    re.compile(r"I/O error,? (?:on )?dev (\w+)"),
    re.compile(r"(?:Buffer I/O error on dev|lost (?:page|async page) write.*dev) (\w+)"),
    re.compile(r"(ata\d+)(?:\.\d+)?: (?:failed command: .*|SATA link down.*|hard resetting link)"),
    re.compile(r"(?=.*(?:error|Remounting filesystem read-only))(?:EXT4-fs|XFS|BTRFS)[^(]*\((?:device )?(\w+)\)"),
    re.compile(r"md/raid\w*:(\w+): (?:Disk failure|.*disabling device)"),
)


def read_heats(sys: Path = Path("/sys")) -> tuple[Heat, ...]:
    """Every temperature that a sensor names; the disks' own come from the disks."""
    found = []
    for folder in sorted((sys / "class/hwmon").glob("hwmon*")):
        name = _text(folder / "name")
        for place in sorted(folder.glob("temp*_input")) if name != "drivetemp" else ():
            stem = place.name.removesuffix("_input")
            value, critical = _number(place), _number(folder / f"{stem}_crit")
            if value is not None:
                label = _text(folder / f"{stem}_label") or stem
                found.append(Heat(f"{name} {label}", value / 1000, critical / 1000 if critical else None))
    return tuple(found)


def read_modules(sys: Path = Path("/sys")) -> tuple[MemoryModule, ...] | None:
    """The errors of each memory module; None where the memory has no error correction or no driver for it."""
    controllers = sorted((sys / "devices/system/edac/mc").glob("mc[0-9]*"))
    if not controllers:
        return None
    found = []
    for controller in controllers:
        dimms = sorted(controller.glob("dimm*/dimm_label"))
        found += [
            MemoryModule(_text(label), _number(label.parent / "dimm_ce_count") or 0, _number(label.parent / "dimm_ue_count") or 0)
            for label in dimms
        ]
        if not dimms:
            found.append(
                MemoryModule(controller.name, _number(controller / "ce_count") or 0, _number(controller / "ue_count") or 0)
            )
    return tuple(found)


def read_watchdog(sys: Path = Path("/sys")) -> Watchdog | None:
    """The first hardware watchdog; None when the machine has none or its driver is not loaded."""
    for folder in sorted((sys / "class/watchdog").glob("watchdog[0-9]*")):
        return Watchdog(_text(folder / "identity") or folder.name, _text(folder / "state") == "active")
    return None


def read_only_of(folders: Iterable[str], table: Path = Path("/proc/self/mountinfo")) -> tuple[str, ...]:
    """Which of the folders lie on a filesystem that the kernel has turned read-only.

    Asked of the filesystem, not of the mount: a closed service sees most mounts as read-only by its own rules.
    """
    mounts = {}
    for line in table.read_text().splitlines():
        left, _, right = line.partition(" - ")
        mounts[left.split()[4].replace("\\040", " ")] = "ro" in right.split()[2].split(",")
    found = []
    for folder in folders:
        around = [folder, *(str(parent) for parent in Path(folder).parents)]
        if next((mounts[place] for place in around if place in mounts), False):
            found.append(folder)
    return tuple(found)


def kernel_lines() -> list[str]:
    """What the kernel complained of since the machine started; nothing where its journal cannot be read."""
    command = ["journalctl", "--dmesg", "--boot", "--priority=warning", "--output=cat", "--quiet", "--no-pager"]
    with suppress(OSError, subprocess.TimeoutExpired):
        return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False).stdout.splitlines()
    return []


def complaints_in(lines: Iterable[str]) -> tuple[Complaint, ...]:
    """The complaints about disks, by device."""
    found: dict[str, Complaint] = {}
    for line in lines:
        match = next((match for pattern in COMPLAINTS if (match := pattern.search(line))), None)
        if match is not None:
            subject = match[1]
            before = found.get(subject)
            found[subject] = Complaint(subject, before.count + 1 if before else 1, line.strip()[:200])
    return tuple(found.values())


def virtual_kind() -> str:
    """What systemd takes this machine for: the name of a container or virtual machine, empty for real hardware."""
    with suppress(OSError, subprocess.TimeoutExpired):
        told = subprocess.run(
            ["systemd-detect-virt"], capture_output=True, text=True, timeout=SECONDS, check=False
        ).stdout.strip()
        return "" if told == "none" else told
    return ""


def model_of(sys: Path = Path("/sys")) -> str:
    """What the maker calls the machine."""
    return _text(sys / "class/dmi/id/product_name")


def _number(path: Path) -> int | None:
    text = _text(path)
    return int(text) if re.fullmatch(r"-?\d+", text) else None


def _text(path: Path) -> str:
    with suppress(OSError):
        return path.read_text(errors="replace").strip()
    return ""
