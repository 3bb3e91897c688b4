"""What the kernel and smartctl tell, in their own words, becomes readings; and what cannot be understood becomes "unknown"."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from appliance.care import look, raid, readings, sensors
from appliance.care.disks import disk_of, find_disks, smart_of, with_smart
from appliance.care.readings import Disk, Heat, MemoryModule, Readings, Smart, Watchdog
from appliance.config import BackupSettings, PathSettings, Settings

AT = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
PCI = "devices/pci0000:00/0000:00:1f.2"


def put(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        place = root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text + "\n")
    return root


def add_disk(root: Path, name: str, place: str, serial: str, partitions: int = 2) -> None:
    """A disk as sysfs has it: a link in /sys/block into the tree of the buses."""
    folder = f"{PCI}/{place}/block/{name}"
    put(root, {f"{folder}/size": "7814037168", f"{folder}/device/model": "ST4000NM0035-1V4", f"{folder}/removable": "0"})
    (root / folder / "device/vpd_pg80").write_bytes(b"\0\x80\0\x08" + serial.encode())
    for number in range(1, partitions + 1):
        (root / folder / f"{name}{number}").mkdir()
    (root / "block").mkdir(exist_ok=True)
    (root / "block" / name).symlink_to(root / folder)


def add_array(root: Path, members: dict[str, tuple[str, str]], **facts: str) -> None:
    """/sys/block/md0/md: partition → (state, slot)."""
    usual = {
        "level": "raid1",
        "raid_disks": "2",
        "degraded": "0",
        "sync_action": "idle",
        "sync_completed": "none",
        "mismatch_cnt": "0",
    }
    put(root, {f"block/md0/md/{name}": text for name, text in {**usual, **facts}.items()})
    for partition, (state, slot) in members.items():
        put(root, {f"block/md0/md/dev-{partition}/state": state, f"block/md0/md/dev-{partition}/slot": slot})


@pytest.fixture
def sys(tmp_path: Path) -> Path:
    add_disk(tmp_path, "sda", "ata1/host0/target0:0:0/0:0:0:0", "ZC10AAAA")
    add_disk(tmp_path, "sdb", "ata2/host1/target1:0:0/1:0:0:0", "ZC104F2A")
    add_disk(tmp_path, "sdc", "usb2/2-1/2-1:1.0/host6/target6:0:0/6:0:0:0", "USB00077", 1)
    put(tmp_path, {"block/loop0/size": "0", "block/zram0/size": "100"})
    return tmp_path


def test_disks_are_found_with_their_port_and_the_end_of_their_number(sys: Path) -> None:
    found = {disk.name: disk for disk in find_disks(sys)}
    assert found.keys() == {"sda", "sdb", "sdc"}
    assert found["sdb"].title == "Disk di lubang SATA 2 (…4F2A)"
    assert (found["sdb"].size, found["sdb"].usb) == (4_000_787_030_016, False)
    assert found["sdc"].title == "Disk USB (…0077)"
    assert disk_of("sdb2", sys) == "sdb"


def arrays(sys: Path, seen: dict[str, str] | None = None) -> tuple[readings.Array, ...]:
    return raid.read_arrays({disk.name: disk for disk in find_disks(sys)}, seen or {}, sys)


def test_a_whole_array(sys: Path) -> None:
    add_array(
        sys,
        {"sda2": ("in_sync", "0"), "sdb2": ("in_sync", "1")},
        sync_action="check",
        sync_completed="1024 / 4096",
        mismatch_cnt="128",
    )
    (array,) = arrays(sys)
    assert (array.level, array.wanted, array.degraded, array.action, array.percent, array.mismatches) == (
        "raid1",
        2,
        0,
        "check",
        25.0,
        128,
    )
    assert [(member.slot, member.disk, member.works) for member in array.members] == [(0, "sda", True), (1, "sdb", True)]
    assert raid.members_seen((array,), {}) == {"md0/0": "Disk di lubang SATA 1 (…AAAA)", "md0/1": "Disk di lubang SATA 2 (…4F2A)"}


def test_a_disk_that_was_pulled_is_still_known_by_its_number(sys: Path) -> None:
    seen = {"md0/0": "Disk di lubang SATA 1 (…AAAA)", "md0/1": "Disk di lubang SATA 2 (…4F2A)", "md9/0": "Disk lama"}
    add_array(sys, {"sda2": ("in_sync", "0")}, degraded="1")
    (array,) = arrays(sys, seen)
    assert [(member.slot, member.state, member.title) for member in array.members if not member.works] == [
        (1, "missing", "Disk di lubang SATA 2 (…4F2A)")
    ]
    assert raid.members_seen((array,), seen) == {key: seen[key] for key in ("md0/0", "md0/1")}, (
        "an array that is gone is forgotten"
    )


def test_a_disk_that_was_thrown_out(sys: Path) -> None:
    add_array(sys, {"sda2": ("in_sync", "0"), "sdb2": ("faulty", "none")}, degraded="1")
    (array,) = arrays(sys)
    assert [(member.slot, member.disk, member.state) for member in array.members] == [
        (0, "sda", "in_sync"),
        (1, "", "missing"),
        (-1, "sdb", "faulty"),
    ]


def test_a_new_disk_that_is_being_filled(sys: Path) -> None:
    add_array(
        sys, {"sda2": ("in_sync", "0"), "sdb2": ("spare", "1")}, degraded="1", sync_action="recover", sync_completed="7 / 100"
    )
    (array,) = arrays(sys)
    assert (array.action, array.percent, array.members[1].works) == ("recover", 7.0, False)


def attribute(number: int, raw: int, value: int = 100) -> dict[str, Any]:
    return {"id": number, "value": value, "thresh": 10, "raw": {"value": raw, "string": str(raw)}}


HARD_DISK: dict[str, Any] = {
    "smartctl": {"version": [7, 3], "exit_status": 0},
    "device": {"name": "/dev/sdb", "type": "sat", "protocol": "ATA"},
    "model_name": "ST500DM002",
    "serial_number": "Z2AB4F2A",
    "rotation_rate": 7200,
    "smart_status": {"passed": True},
    "power_on_time": {"hours": 44670},
    "temperature": {"current": 32},
    "ata_smart_attributes": {
        "table": [
            attribute(1, 168165566),
            attribute(5, 1),
            attribute(9, 44670),
            attribute(194, 81604378656),
            attribute(197, 0x0002_0000_0003),  # the maker keeps something else in the upper bytes
            attribute(198, 2),
        ]
    },
}
SOLID_STATE = {
    "smartctl": {"exit_status": 0},
    "model_name": "INTEL SSDSC2KB240G8",
    "serial_number": "PHYF9ABC",
    "rotation_rate": 0,
    "smart_status": {"passed": True},
    "ata_smart_attributes": {"table": [attribute(5, 0), attribute(233, 0, value=7)]},
}
NVME = {
    "smartctl": {"exit_status": 0},
    "smart_status": {"passed": True, "nvme": {"value": 0}},
    "nvme_smart_health_information_log": {"percentage_used": 12, "media_errors": 4, "power_on_hours": 3149, "temperature": 35},
    "power_on_time": {"hours": 3149},
    "temperature": {"current": 35},
}
FAILING = {**HARD_DISK, "smartctl": {"exit_status": 0b1000}, "smart_status": {"passed": False}}
USB_BRIDGE = {
    "smartctl": {
        "exit_status": 1,
        "messages": [{"string": "/dev/sdc: Unknown USB bridge [0x152d:0x0578 (0x1402)]", "severity": "error"}],
    }
}


@pytest.mark.parametrize(
    ("told", "smart"),
    [
        (HARD_DISK, Smart(True, 1, 3, 2, None, 44670, 32)),
        (SOLID_STATE, Smart(True, 0, wear=93)),
        (NVME, Smart(True, uncorrectable=4, wear=12, hours=3149, celsius=35)),
        (FAILING, Smart(False, 1, 3, 2, None, 44670, 32)),
        (USB_BRIDGE, Smart()),
    ],
)
def test_what_a_disk_says(told: dict[str, Any], smart: Smart) -> None:
    assert smart_of(told) == smart


def test_a_disk_that_says_nothing_is_told_with_the_reason() -> None:
    disk = Disk("sdc", 0, "0077", "Expansion", 1, True)
    for answer, told in (
        (json.dumps(USB_BRIDGE), "Unknown USB bridge [0x152d:0x0578 (0x1402)]"),
        ("", "smartctl tidak menjawab"),
    ):
        (asked,) = with_smart([disk], lambda _name, answer=answer: answer)
        assert (asked.smart, asked.told, asked.serial_end) == (None, told, "0077")
    (asked,) = with_smart([disk], lambda _name: json.dumps(FAILING))
    assert (asked.smart and asked.smart.passed, asked.serial_end, asked.model) == (False, "4F2A", "ST500DM002")


def test_heat_memory_and_watchdog(tmp_path: Path) -> None:
    assert (sensors.read_heats(tmp_path), sensors.read_modules(tmp_path), sensors.read_watchdog(tmp_path)) == ((), None, None)
    mc = "devices/system/edac/mc/mc0"
    put(
        tmp_path,
        {
            "class/hwmon/hwmon0/name": "coretemp",
            "class/hwmon/hwmon0/temp1_input": "45000",
            "class/hwmon/hwmon0/temp1_crit": "100000",
            "class/hwmon/hwmon0/temp1_label": "Package id 0",
            "class/hwmon/hwmon1/name": "drivetemp",
            "class/hwmon/hwmon1/temp1_input": "33000",
            f"{mc}/dimm0/dimm_label": "CPU_SrcID#0_MC#0_Chan#0_DIMM#0",
            f"{mc}/dimm0/dimm_ce_count": "3",
            f"{mc}/dimm0/dimm_ue_count": "1",
            "class/watchdog/watchdog0/identity": "HPE iLO2+ HW Watchdog Timer",
            "class/watchdog/watchdog0/state": "active",
        },
    )
    assert sensors.read_heats(tmp_path) == (Heat("coretemp Package id 0", 45.0, 100.0),)
    assert sensors.read_modules(tmp_path) == (MemoryModule("CPU_SrcID#0_MC#0_Chan#0_DIMM#0", 3, 1),)
    assert sensors.read_watchdog(tmp_path) == Watchdog("HPE iLO2+ HW Watchdog Timer", True)
    put(tmp_path, {"class/watchdog/watchdog0/state": "inactive"})
    assert sensors.read_watchdog(tmp_path) == Watchdog("HPE iLO2+ HW Watchdog Timer", False)


KERNEL = """
ata2.00: exception Emask 0x0 SAct 0x0 SErr 0x0 action 0x6 frozen
ata2.00: failed command: FLUSH CACHE EXT
ata2: hard resetting link
blk_update_request: I/O error, dev sdb, sector 2056 op 0x1:(WRITE) flags 0x800 phys_seg 1 prio class 0
I/O error, dev sdb, sector 2064 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 2
Buffer I/O error on dev md0, logical block 1545, lost async page write
EXT4-fs error (device md0): ext4_journal_check_start:83: comm python: Detected aborted journal
EXT4-fs (md0): Remounting filesystem read-only
md/raid1:md0: Disk failure on sdb2, disabling device.
usb 2-1: USB disconnect, device number 3
ACPI: thermal zone is fine
""".strip().splitlines()


def test_the_kernels_complaints_are_counted_by_device() -> None:
    assert {one.subject: one.count for one in sensors.complaints_in(KERNEL)} == {"ata2": 2, "sdb": 2, "md0": 4}
    assert sensors.complaints_in(KERNEL[-2:]) == ()


MOUNTS = """
22 1 9:0 / / rw,relatime shared:1 - ext4 /dev/md0 rw,errors=remount-ro
30 22 8:17 / /srv/backup ro,relatime shared:2 - ext4 /dev/sdb1 rw
31 22 8:33 / /var/lib/slrt rw,relatime shared:3 - ext4 /dev/sdc1 ro,errors=remount-ro
""".strip()


def test_a_filesystem_that_the_kernel_closed_is_told_and_a_closed_view_is_not(tmp_path: Path) -> None:
    table = tmp_path / "mountinfo"
    table.write_text(MOUNTS)
    assert sensors.read_only_of(("/", "/srv/backup", "/var/lib/slrt/database"), table) == ("/var/lib/slrt/database",)


def test_what_is_written_is_what_is_read(sys: Path, tmp_path: Path) -> None:
    add_array(sys, {"sda2": ("in_sync", "0"), "sdb2": ("in_sync", "1")})
    found = Readings(
        AT, "", "ProLiant ML10", AT, with_smart(find_disks(sys), lambda _: json.dumps(HARD_DISK)), arrays(sys),
        (Heat("x", 1.5),), (MemoryModule("a", 1, 2),), ("/",), Watchdog("w", True), sensors.complaints_in(KERNEL), {"md0/0": "x"},
    )  # fmt: skip
    readings.write(found, tmp_path)
    assert readings.read(tmp_path) == found
    assert (tmp_path / readings.FILE).stat().st_mode & 0o777 == 0o644
    assert "Z2AB4F2A" not in (tmp_path / readings.FILE).read_text(), "no more than the end of a serial number leaves root's hands"
    for broken in ("", "{}", "[]", '{"at": 3}'):
        (tmp_path / readings.FILE).write_text(broken)
        assert readings.read(tmp_path) is None


def test_disks_are_asked_once_an_hour(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sys: Path) -> None:
    asked: list[str] = []
    monkeypatch.setattr(look, "find_disks", lambda: find_disks(sys))
    monkeypatch.setattr(look, "virtual_kind", lambda: "")
    monkeypatch.setattr(
        look, "with_smart", lambda disks: with_smart(disks, lambda name: asked.append(name) or json.dumps(HARD_DISK))
    )
    settings = Settings(paths=PathSettings(data=str(tmp_path)), backup=BackupSettings(repository=str(tmp_path / "r")))
    first = look.look(settings, None, AT)
    assert asked == ["sda", "sdb", "sdc"]
    again = look.look(settings, first, AT + timedelta(minutes=50))
    assert (len(asked), again.disks, again.smart_at) == (3, first.disks, AT)
    assert look.look(settings, first, AT + timedelta(minutes=56)).smart_at != AT
    gone = replace(first, disks=first.disks[:2])
    assert look.look(settings, gone, AT + timedelta(minutes=1)).smart_at != AT, "another disk is asked at once"
