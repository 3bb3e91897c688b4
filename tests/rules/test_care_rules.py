"""What is said of the hardware: each fault with its level and what to do, and the first synchronisation as none."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.care import space
from appliance.care.readings import Array, Complaint, Disk, Heat, Member, MemoryModule, Readings, Smart, Watchdog
from appliance.care.rules import Level, judge, of_array, of_disk, of_heat, worst
from appliance.care.space import MEGABYTE, Limits, Place, level_of

AT = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
WELL = Smart(passed=True, reallocated=0, pending=0, uncorrectable=0, hours=900, celsius=34)
DISK = Disk("sdb", 2, "4F2A", "ST4000NM", 4_000_000_000_000, False, WELL)
BOTH = (Member(0, "sda", "in_sync", "Disk di lubang SATA 1 (…11AA)"), Member(1, "sdb", "in_sync", DISK.title))
ARRAY = Array("md0", "raid1", 2, 0, members=BOTH)
MACHINE = Readings(
    AT,
    model="ProLiant ML10 v2",
    smart_at=AT,
    disks=(DISK,),
    arrays=(ARRAY,),
    heats=(Heat("coretemp Core 0", 45, 100),),
    modules=(MemoryModule("DIMM 1", 0, 0),),
    watchdog=Watchdog("HPE iLO2+ HW Watchdog Timer", True),
)


@pytest.mark.parametrize(
    ("said", "level", "words"),
    [
        ({}, Level.GOOD, "sehat, sudah menyala 900 jam"),
        ({"passed": False}, Level.BAD, "akan mati"),
        ({"uncorrectable": 3}, Level.BAD, "3 sektor yang tidak terbaca"),
        ({"pending": 1, "uncorrectable": 3}, Level.BAD, "tidak terbaca"),
        ({"pending": 1}, Level.WARN, "1 sektor yang diragukan"),
        ({"reallocated": 1}, Level.ADVICE, "menyisihkan 1 sektor"),
        ({"reallocated": 50}, Level.WARN, "menyisihkan 50 sektor"),
        ({"wear": 89}, Level.GOOD, "sehat"),
        ({"wear": 90}, Level.WARN, "hampir habis umurnya"),
        ({"wear": 100}, Level.BAD, "habis umurnya"),
        ({"celsius": 49}, Level.GOOD, "sehat"),
        ({"celsius": 50}, Level.WARN, "panas: 50"),
        ({"celsius": 60}, Level.BAD, "terlalu panas"),
        ({"passed": None}, Level.UNKNOWN, "tidak mengatakan"),
        ({"hours": 43801}, Level.ADVICE, "lima tahun"),
    ],
)
def test_a_disk_is_as_well_as_it_says(said: dict[str, int | bool | None], level: Level, words: str) -> None:
    finding = of_disk(replace(DISK, smart=replace(WELL, **said)))  # type: ignore[arg-type]
    assert (finding.level, words in finding.text) == (level, True), finding
    assert "SATA 2 (…4F2A)" in finding.text
    assert finding.remedy or level is Level.GOOD


def test_a_disk_that_cannot_be_asked_is_unknown_and_never_good() -> None:
    silent = replace(DISK, smart=None, told="Unable to detect device type")
    assert of_disk(silent).level is Level.UNKNOWN
    assert "Unable to detect" in of_disk(silent).text
    assert of_disk(replace(silent, usb=True, port=0)).level is Level.ADVICE, "a box around a disk often answers nothing"


@pytest.mark.parametrize(
    ("array", "level", "words"),
    [
        (ARRAY, Level.GOOD, "lengkap: 2 disk"),
        (replace(ARRAY, action="resync", percent=23.4), Level.GOOD, "disamakan (23 %); itu wajar"),
        (replace(ARRAY, action="check", percent=50.0), Level.GOOD, "lengkap"),
        (replace(ARRAY, degraded=1, members=(BOTH[0], Member(1, "", "missing", DISK.title))), Level.BAD, "disk di lubang SATA 2 (…4F2A)"),
        (replace(ARRAY, degraded=1, members=(BOTH[0], Member(-1, "sdb", "faulty", DISK.title), Member(1, "", "missing", DISK.title))),
         Level.BAD, "disk di lubang SATA 2 (…4F2A) tidak bekerja"),
        (replace(ARRAY, degraded=1, members=(BOTH[0], Member(1, "", "missing"))), Level.BAD, "disk ke-2"),
        (replace(ARRAY, degraded=1, action="recover", percent=7.0, members=(BOTH[0], Member(1, "sdc", "spare", "Disk baru"))),
         Level.WARN, "menyalin ke disk baru (7 %)"),
        (replace(ARRAY, mismatches=128), Level.WARN, "128 tempat"),
    ],
)  # fmt: skip
def test_an_array_is_told_with_the_disk_to_change(array: Array, level: Level, words: str) -> None:
    finding = worst(list(of_array(array)))
    assert finding is not None
    assert (finding.level, words in finding.text) == (level, True), finding
    assert finding.remedy or level is Level.GOOD


@pytest.mark.parametrize(
    ("heat", "level"),
    [
        (Heat("coretemp", 80, 100), Level.GOOD),
        (Heat("coretemp", 90, 100), Level.WARN),
        (Heat("coretemp", 100, 100), Level.BAD),
        (Heat("acpitz", 84), Level.GOOD),
        (Heat("acpitz", 85), Level.WARN),
        (Heat("acpitz", 95), Level.BAD),
    ],
)
def test_heat_is_judged_by_the_limit_of_the_sensor(heat: Heat, level: Level) -> None:
    assert of_heat(heat).level is level


@pytest.mark.parametrize(
    ("readings", "level", "words"),
    [
        (MACHINE, Level.GOOD, ""),
        (None, Level.UNKNOWN, "belum pernah"),
        (replace(MACHINE, at=AT - timedelta(hours=1)), Level.UNKNOWN, "tidak diperiksa lagi"),
        (replace(MACHINE, at=AT + timedelta(hours=1)), Level.UNKNOWN, "tidak diperiksa lagi"),
        (replace(MACHINE, smart_at=AT - timedelta(hours=5)), Level.UNKNOWN, "lama tidak ditanya"),
        (replace(MACHINE, arrays=()), Level.ADVICE, "tidak ada RAID"),
        (replace(MACHINE, modules=None), Level.ADVICE, "ECC"),
        (replace(MACHINE, modules=(MemoryModule("DIMM 1", 9, 0),)), Level.GOOD, ""),
        (replace(MACHINE, modules=(MemoryModule("DIMM 1", 10, 0),)), Level.WARN, "DIMM 1 sudah 10 kali"),
        (replace(MACHINE, modules=(MemoryModule("DIMM 1", 0, 1),)), Level.BAD, "tidak dapat diperbaiki"),
        (replace(MACHINE, read_only=("/var/lib/slrt",)), Level.BAD, "hanya-baca"),
        (replace(MACHINE, watchdog=None), Level.ADVICE, "watchdog"),
        (replace(MACHINE, watchdog=Watchdog("iTCO_wdt", False)), Level.WARN, "iTCO_wdt"),
        (replace(MACHINE, complaints=(Complaint("ata2", 4, "x"),)), Level.WARN, "4 galat pada disk di lubang SATA 2 (…4F2A)"),
        (replace(MACHINE, complaints=(Complaint("sdb", 1, "x"),)), Level.WARN, "disk di lubang SATA 2"),
        (Readings(AT, virtual="systemd-nspawn"), Level.GOOD, "systemd-nspawn"),
        (Readings(AT, virtual="kvm", read_only=("/",)), Level.BAD, "hanya-baca"),
    ],
)
def test_the_machine_is_as_well_as_its_worst_part(readings: Readings | None, level: Level, words: str) -> None:
    finding = worst(judge(readings, AT))
    assert finding is not None
    assert (finding.level, words in finding.text) == (level, True), finding
    assert finding.remedy or level in {Level.GOOD, Level.ADVICE}


LIMITS = Limits(75, 2048 * MEGABYTE, 90, 1024 * MEGABYTE, 128 * MEGABYTE)
GIGABYTE = 1024 * MEGABYTE
R, LOW, TIGHT, LAST = space.Level


@pytest.mark.parametrize(
    ("free", "total", "missing", "before", "level"),
    [
        (5.0, 16, 0, R, R),
        (3.9, 16, 0, R, LOW),  # 75 %
        (1.9, 4, 0, R, LOW),  # less than 2 GB
        (1.5, 16, 0, R, TIGHT),  # 90 %
        (0.9, 4, 0, R, TIGHT),
        (0.1, 16, 0, R, LAST),
        (0.6, 16, 0.5, R, LAST),  # what the reserve gave back does not count
        (1.7, 16, 0.5, R, TIGHT),
        (40, 2000, 0, R, R),  # a large disk has room at any share
        (24, 2000, 0, R, LOW),
        (9, 2000, 0, R, TIGHT),
        (1.7, 16, 0, TIGHT, TIGHT),  # 89 %: not clearly more room yet
        (2.2, 16, 0, TIGHT, LOW),
        (4.2, 16, 0, LOW, LOW),
        (5.0, 16, 0, LOW, R),
        (5.0, 16, 0, LAST, R),
        (0.14, 16, 0, LAST, LAST),
        (0.24, 16, 0, LAST, LAST),
        (0.3, 16, 0, LAST, TIGHT),
    ],
)
def test_a_disk_is_as_full_as_its_room_and_was(
    free: float, total: float, missing: float, before: space.Level, level: space.Level
) -> None:
    place = Place("data", "/x", int(free * GIGABYTE), int(total * GIGABYTE), int(missing * GIGABYTE))
    assert level_of(place, LIMITS, before) is level


@given(free=st.integers(0, 300 * GIGABYTE), total=st.integers(GIGABYTE, 300 * GIGABYTE), before=st.sampled_from(space.Level))
def test_a_level_that_was_reached_stays_while_nothing_changes(free: int, total: int, before: space.Level) -> None:
    place = Place("data", "/x", min(free, total), total)
    reached = level_of(place, LIMITS, before)
    assert level_of(place, LIMITS, reached) is reached
    assert reached >= level_of(place, LIMITS, R), "a level that was left is never better than a fresh look"


@given(free=st.integers(0, 20 * GIGABYTE))
def test_a_little_more_or_less_at_a_limit_changes_nothing(free: int) -> None:
    """Fifty megabytes to and fro: at most one step for the worse, and never back."""
    levels, level = [], R
    for swing in (0, -50, 50, -50, 50):
        level = level_of(Place("data", "/x", max(free + swing * MEGABYTE, 0), 20 * GIGABYTE), LIMITS, level)
        levels.append(level)
    assert levels[1:] == sorted(levels[1:])
    assert len(set(levels[1:])) == 1
