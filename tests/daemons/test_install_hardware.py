"""What install.sh says of the machine itself, by table: the three ML10 as they are, and each thing that would let a node down."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest

from tests.support.bare_machine import GIVEN, check, in_a_machine, program
from tests.support.pretend_hardware import AHCI, ETHERNET, ML10, ML10_GEN9, ML10_V2, RAID, Card, Disk, Hardware, Pci

UNASKED = GIVEN.replace(" --accept P35", "")
STICK = Disk("sdc", 32, "pci0000:00/0000:00:14.0/usb1/1-3", removable=True)
USB_DISK = Disk("sdd", 2000, "pci0000:00/0000:00:14.0/usb1/1-4")
FAKE_RAID = Pci(RAID, "0x8086", "0x8c04", "ahci")
REAL_RAID = Pci(RAID, "0x103c", "0x3239", "hpsa")

# an /etc with the settings of a node over that of this machine, and the log of its installation
A_NODE = (
    "mkdir -p /run/etc/slrt /run/work && touch /run/etc/slrt/appliance.toml && cp /run/os-release /run/etc/os-release && "
    "mount -t overlay overlay -o lowerdir=/etc,upperdir=/run/etc,workdir=/run/work /etc && "
    "mount -t tmpfs tmpfs /var/log && touch /var/log/slrt-install.log"
)


def told(text: str) -> set[str]:
    """The numbers in what install.sh said."""
    return set(re.findall(r"SLRT-(P\d\d)  ", text))


def but(machine: Hardware, **changes: Any) -> Hardware:
    return dataclasses.replace(machine, **changes)


MACHINES: dict[str, tuple[Hardware, set[str]]] = {
    "first": (ML10, {"P35"}),
    "v2": (ML10_V2, {"P35"}),
    "gen9": (ML10_GEN9, {"P35", "P36"}),
    "another machine": (but(ML10, vendor="Dell Inc.", product="PowerEdge T20"), {"P21"}),
    "no names on the board": (but(ML10, vendor="", product=""), {"P21"}),
    "little memory": (but(ML10, memory_mib=1950), {"P22", "P35"}),
    "no ECC": (but(ML10, ecc=None), {"P23", "P35"}),
    "a corrected bit": (but(ML10, ecc=(1, 0)), {"P24", "P35"}),
    "a lost bit": (but(ML10, ecc=(0, 1)), {"P24", "P35"}),
    "fake RAID": (but(ML10_V2, pci=(FAKE_RAID, *ML10_V2.pci[1:])), {"P13", "P35"}),
    "a real RAID controller": (but(ML10, pci=(*ML10.pci, REAL_RAID)), {"P35"}),
    "one disk and a stick": (but(ML10, disks=(Disk("sda"), STICK)), {"P25", "P35"}),
    "one disk and a big one on USB": (but(ML10, disks=(Disk("sda"), USB_DISK)), {"P25", "P35"}),
    "a mirror and a stick": (but(ML10, disks=(*ML10.disks, STICK)), {"P35"}),
    "two sizes": (but(ML10, disks=(Disk("sda"), Disk("sdb", 1000))), {"P26", "P35"}),
    "nearly one size": (but(ML10, disks=(Disk("sda"), Disk("sdb", 1990))), {"P35"}),
    "a card without driver": (but(ML10, pci=(*ML10.pci, Pci(ETHERNET, "0x14e4", "0x165f", ""))), {"P29", "P35"}),
    "no card": (but(ML10, pci=(Pci(AHCI, "0x8086", "0x1c02", "ahci"),), cards=()), {"P29", "P35"}),
    "no cable": (but(ML10_V2, cards=(Card("eno1", "tg3", carrier=False), Card("eno2", "tg3", carrier=None))), {"P30", "P35"}),
    "only radio": (but(ML10, cards=(Card("wlp1s0", "iwlwifi", wireless=True),)), {"P29", "P35"}),
    "no clock": (but(ML10, clock=None), {"P31", "P35"}),
    "a clock of 2012": (but(ML10, clock="2012-01-01"), {"P32", "P35"}),
    "no watchdog": (but(ML10, watchdog=None), {"P33", "P35"}),
    "an engine elsewhere, silent": (but(ML10_V2, engine="0:9.0.0.1"), {"P35"}),
}


@pytest.mark.parametrize(("machine", "numbers"), MACHINES.values(), ids=MACHINES.keys())
def test_a_machine_is_told_what_is_wrong_with_it(machine: Hardware, numbers: set[str]) -> None:
    done = check(options=UNASKED, hardware=machine)
    assert told(done.stderr) == numbers, done.stderr
    assert done.returncode == 78


WORDS: dict[str, tuple[Hardware, str, str]] = {
    "the values seen": (but(ML10, disks=(Disk("sda"), Disk("sdb", 1000))), "", "sda 2000 GB, sdb 1000 GB"),
    "the driver of this machine's watchdog": (but(ML10_V2, watchdog=None), "", "modprobe hpwdt"),
    "the driver of another's": (but(ML10_GEN9, watchdog=None), "", "modprobe iTCO_wdt"),
    "where this machine keeps the setting": (ML10_V2, "", "iLO 4 → Power Management → Auto Power-On"),
    "a policy that is read": (ML10, program("ipmitool", "echo 'Power Restore Policy : previous'"), "kebijakan: previous"),
    "a disk that fails": (ML10, program("smartctl", "exit 8"), "SMART disk sda tidak baik: FAILED"),
    "a disk that moved sectors": (
        ML10,
        program("smartctl", "echo '  5 Reallocated_Sector_Ct 0x33 100 100 5 Pre-fail Always - 8'"),
        "Reallocated_Sector_Ct=8",
    ),
    "an old RAID": (ML10, program("wipefs", "printf 'isw_raid_member\\ngpt\\n'"), "wipefs -t isw_raid_member -a /dev/sda"),
}


@pytest.mark.parametrize(("machine", "difference", "words"), WORDS.values(), ids=WORDS.keys())
def test_it_says_the_value_and_the_remedy(machine: Hardware, difference: str, words: str) -> None:
    assert words in check(difference, UNASKED, machine).stderr


def test_what_reads_well_is_not_told() -> None:
    well = (
        program("ipmitool", "echo 'Power Restore Policy : always-on'")
        + program("smartctl", "echo '  5 Reallocated_Sector_Ct 0x33 100 100 5 Pre-fail Always - 0'")
        + program("wipefs", "printf 'linux_raid_member\\ngpt\\n'")
    )
    done = check(well, UNASKED)
    assert (told(done.stderr), done.returncode) == (set(), 0)


@pytest.mark.parametrize(
    ("accept", "code"), [("P35", 78), ("P35,P36", 0), ("SLRT-P35,SLRT-P36", 0), ("all", 0), ("P21", 78)], ids=str
)
def test_a_warning_is_accepted_by_its_number(accept: str, code: int) -> None:
    done = check(options=f"{UNASKED} --accept {accept}", hardware=ML10_GEN9)
    assert done.returncode == code, done.stderr
    assert told(done.stderr) == {"P35", "P36"}, "told, not silently passed"
    wanted = "--accept P36" if accept == "P35" else "--accept P35,P36"
    assert (wanted in done.stderr) == (code != 0)


def test_a_refusal_cannot_be_accepted_away() -> None:
    done = check(options=f"{UNASKED} --accept all", hardware=MACHINES["fake RAID"][0])
    assert done.returncode == 78
    assert "1 hal di atas" in done.stderr


def test_a_node_is_repaired_on_whatever_it_runs() -> None:
    done = check(A_NODE, UNASKED, MACHINES["fake RAID"][0])
    assert done.returncode == 0, done.stderr
    assert "SLRT-P13  (diberitahukan)" in done.stderr


@pytest.mark.parametrize(
    ("answer", "code", "said"), [("ya", 75, "Pemasangan lain sedang berjalan"), ("tidak", 78, "--accept P35"), ("", 78, "P35")]
)
def test_at_a_terminal_a_warning_is_asked(answer: str, code: int, said: str) -> None:
    """The lock is held by somebody else, so that "yes" ends there."""
    lock = "exec 8>/run/slrt-install.lock && flock 8"
    options = UNASKED.replace("--unattended ", "")
    command = f"script --quiet --return --command './install.sh {options}' /dev/null"
    done = in_a_machine(lock, f"printf '{answer}\\n' | {command}")
    assert "Tetap lanjutkan?" in done.stdout
    assert (done.returncode, said in done.stdout) == (code, True), done.stdout


def test_checking_at_a_terminal_asks_nothing_and_says_what_will_be_asked() -> None:
    done = check(options=UNASKED.replace("--unattended ", ""), hardware=ML10_GEN9)
    assert done.returncode == 0, done.stderr
    assert "siap sesudah Anda menyetujui 2: P35,P36" in done.stdout
    by_flag = in_a_machine("", f"./install.sh {UNASKED} --check")
    assert by_flag.returncode == 78
    assert "SLRT-P35" in by_flag.stderr
