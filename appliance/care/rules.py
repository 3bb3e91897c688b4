"""What is to be said of the hardware, and what somebody is to do. Pure.

Numbers: a disk that has set sectors aside lives on for months, one with unreadable sectors has lost data already; a first
synchronisation of an array is no fault; what cannot be read is told as unknown, never as good.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from appliance.care.readings import Array, Disk, Heat, Member, Readings, Smart

TOO_OLD = timedelta(minutes=40)
SMART_TOO_OLD = timedelta(hours=4)
MANY_REALLOCATED = 50
WORN, WORN_OUT = 90, 100
OLD_HOURS = 5 * 365 * 24
HOT_DISK, TOO_HOT_DISK = 50, 60
HOT_BELOW_CRITICAL = 10.0
HOT_CHIP, TOO_HOT_CHIP = 85.0, 95.0
MANY_CORRECTED = 10
REPLACE = "Siapkan disk pengganti dan ganti disk itu, caranya pada petunjuk perawatan (docs/care.md)"
SPARE = "Sediakan disk cadangan."
COOL = "Periksa kipas, bersihkan debu, dan dinginkan ruangannya."
READ_AGAIN = "Jalankan: sudo systemctl start slrt-care"


class Level(StrEnum):
    """How grave something is; later ones are graver."""

    GOOD = "good"
    ADVICE = "advice"
    UNKNOWN = "unknown"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True)
class Finding:
    """One thing to be said. `key` names the thing, and stays the same as long as it is the same thing."""

    key: str
    level: Level
    text: str
    remedy: str = ""


def worst(findings: Sequence[Finding]) -> Finding | None:
    """The gravest; of equal ones the first."""
    order = list(Level)
    return max(findings, key=lambda finding: order.index(finding.level), default=None)


def judge(readings: Readings | None, at: datetime) -> list[Finding]:
    """Everything to be said of the machine at `at`; what is well is said as well, so that the list is never empty."""
    if readings is None:
        return [Finding("readings", Level.UNKNOWN, "Perangkat keras belum pernah diperiksa.", READ_AGAIN)]
    if not timedelta(minutes=-5) <= at - readings.at <= TOO_OLD:
        return [Finding("readings", Level.UNKNOWN, "Perangkat keras tidak diperiksa lagi.", READ_AGAIN)]
    return [*_of_filesystems(readings), *([_of_virtual(readings)] if readings.virtual else _of_machine(readings, at))]


def _of_virtual(readings: Readings) -> Finding:
    text = f"Mesin virtual atau wadah ({readings.virtual}): RAID, SMART dan sensor tidak ada di sini."
    return Finding("virtual", Level.GOOD, text)


def _of_machine(readings: Readings, at: datetime) -> Iterator[Finding]:
    for array in readings.arrays:
        yield from of_array(array)
    if not readings.arrays:
        text = "Data tidak ditulis ke dua disk (tidak ada RAID): bila disknya mati, kembali ke cadangan terakhir."
        yield Finding("raid", Level.ADVICE, text, "Pertimbangkan memasang ulang dengan dua disk; lihat docs/care.md")
    for disk in readings.disks:
        yield of_disk(disk)
    if readings.smart_at is None or at - readings.smart_at > SMART_TOO_OLD:
        yield Finding("smart", Level.UNKNOWN, "Disk sudah lama tidak ditanya keadaannya.", READ_AGAIN)
    for heat in readings.heats:
        yield of_heat(heat)
    yield from _of_memory(readings)
    for complaint in readings.complaints:
        text = f"Kernel mencatat {complaint.count} galat pada {_title(readings, complaint.subject)} sejak mesin menyala."
        yield Finding(
            f"kernel {complaint.subject}", Level.WARN, text, "Periksa kabel SATA dan daya disk itu; bila berulang, ganti disknya."
        )
    yield _of_watchdog(readings)


def _title(readings: Readings, subject: str) -> str:
    """The disk that the kernel speaks of, in the words of people."""
    for disk in readings.disks:
        if subject.startswith(disk.name) or (disk.port and subject == f"ata{disk.port}"):
            return disk.title.replace("Disk", "disk", 1)
    return subject


def _of_filesystems(readings: Readings) -> Iterator[Finding]:
    for folder in readings.read_only:
        text = f"Sistem berkas di {folder} berubah menjadi hanya-baca: tidak ada lagi yang dapat disimpan di sana."
        yield Finding(f"read-only {folder}", Level.BAD, text, "Cadangkan ke stik, nyalakan ulang mesin, lalu periksa disknya.")


def of_array(array: Array) -> Iterator[Finding]:
    """How an array is: whole, degraded, synchronising, or not alike on both disks."""
    key = f"raid {array.name}"
    lost = [member for member in array.members if member.slot >= 0 and not member.works]
    failed = [member for member in array.members if "faulty" in member.state]
    percent = f" ({array.percent:.0f} %)" if array.percent is not None else ""
    if array.degraded and array.action == "recover":
        text = f"RAID {array.name} sedang menyalin ke disk baru{percent}; sampai selesai, satu disk saja yang memegang data."
        yield Finding(key, Level.WARN, text, "Tunggu sampai selesai; jangan cabut disk mana pun.")
    elif array.degraded:
        who = ", ".join(dict.fromkeys(_name(member) for member in [*failed, *lost])) or f"{array.degraded} disk"
        text = f"RAID {array.name} tinggal sebagian: {who} tidak bekerja. Bila disk berikutnya mati, data hilang."
        yield Finding(key, Level.BAD, text, f"Ganti {who}, caranya pada petunjuk perawatan (docs/care.md)")
    elif array.action == "resync":
        text = f"RAID {array.name} lengkap dan sedang disamakan{percent}; itu wajar sesudah pemasangan atau mati mendadak."
        yield Finding(key, Level.GOOD, text)
    else:
        yield Finding(key, Level.GOOD, f"RAID {array.name} lengkap: {array.wanted} disk.")
    if array.mismatches and array.action in {"idle", "check", "repair"}:
        text = f"Isi kedua disk RAID {array.name} berbeda di {array.mismatches} tempat."
        yield Finding(
            f"{key} mismatch",
            Level.WARN,
            text,
            "Periksa kesehatan kedua disk, lalu samakan, caranya pada petunjuk perawatan (docs/care.md)",
        )


def _name(member: Member) -> str:
    if member.title:
        return member.title.replace("Disk", "disk", 1)
    return f"disk ke-{member.slot + 1}"


def of_disk(disk: Disk) -> Finding:
    """How a disk is, by what it says of itself."""
    key, smart = f"disk {disk.serial_end or disk.name}", disk.smart
    if smart is None:
        level = Level.ADVICE if disk.usb else Level.UNKNOWN
        remedy = "" if disk.usb else "Jalankan di server: sudo smartctl -a /dev/" + disk.name
        return Finding(key, level, f"Keadaan {_inside(disk)} tidak dapat ditanya: {disk.told or 'tanpa jawaban'}.", remedy)
    fault = next(iter(_faults(disk, smart)), None)
    if fault is not None:
        return Finding(key, *fault)
    hours = f", sudah menyala {smart.hours} jam" if smart.hours is not None else ""
    if smart.hours is not None and smart.hours > OLD_HOURS:
        return Finding(key, Level.ADVICE, f"{disk.title} sehat{hours}: umurnya lebih dari lima tahun.", SPARE)
    return Finding(key, Level.GOOD, f"{disk.title} sehat{hours}.")


def _faults(disk: Disk, smart: Smart) -> Iterator[tuple[Level, str, str]]:
    """What is wrong with it, the gravest first."""
    title, wear, heat = disk.title, smart.wear or 0, smart.celsius or 0
    ask = f"Jalankan di server: sudo smartctl -a /dev/{disk.name}"
    told: tuple[tuple[object, Level, str, str], ...] = (
        (smart.passed is False, Level.BAD, "mengatakan dirinya akan mati.", REPLACE),
        (smart.uncorrectable, Level.BAD, f"mempunyai {smart.uncorrectable} sektor yang tidak terbaca.", REPLACE),
        (wear >= WORN_OUT, Level.BAD, f"sudah habis umurnya ({wear} %).", REPLACE),
        (heat >= TOO_HOT_DISK, Level.BAD, f"terlalu panas: {heat} °C.", COOL),
        (smart.pending, Level.WARN, f"mempunyai {smart.pending} sektor yang diragukan.", REPLACE),
        (
            (smart.reallocated or 0) >= MANY_REALLOCATED,
            Level.WARN,
            f"sudah menyisihkan {smart.reallocated} sektor rusak.",
            REPLACE,
        ),
        (wear >= WORN, Level.WARN, f"hampir habis umurnya ({wear} %).", REPLACE),
        (heat >= HOT_DISK, Level.WARN, f"panas: {heat} °C.", COOL),
        (smart.passed is None, Level.UNKNOWN, "tidak mengatakan apakah ia sehat.", ask),
        (smart.reallocated, Level.ADVICE, f"sehat, tetapi sudah menyisihkan {smart.reallocated} sektor rusak.", SPARE),
    )
    return ((level, f"{title} {text}", remedy) for holds, level, text, remedy in told if holds)


def _inside(disk: Disk) -> str:
    return disk.title.replace("Disk", "disk", 1)


def of_heat(heat: Heat) -> Finding:
    """How hot a chip is; by its own limit where it names one."""
    too_hot = heat.critical or TOO_HOT_CHIP
    hot = heat.critical - HOT_BELOW_CRITICAL if heat.critical else HOT_CHIP
    text = f"Suhu {heat.name}: {heat.celsius:.0f} °C"
    if heat.celsius >= too_hot:
        return Finding(f"heat {heat.name}", Level.BAD, f"{text}, terlalu panas.", COOL)
    if heat.celsius >= hot:
        return Finding(f"heat {heat.name}", Level.WARN, f"{text}, panas.", COOL)
    return Finding(f"heat {heat.name}", Level.GOOD, f"{text}.")


def _of_memory(readings: Readings) -> Iterator[Finding]:
    if readings.modules is None:
        yield Finding("memory", Level.ADVICE, "Memori tanpa pengawas galat (ECC) atau pengawasnya belum menyala.")
        return
    for module in readings.modules:
        key = f"memory {module.label}"
        if module.uncorrected:
            text = f"Modul memori {module.label} mempunyai {module.uncorrected} galat yang tidak dapat diperbaiki."
            yield Finding(key, Level.BAD, text, "Matikan mesin, pasang ulang modul itu; bila berulang, ganti modulnya.")
        elif module.corrected >= MANY_CORRECTED:
            text = f"Modul memori {module.label} sudah {module.corrected} kali diperbaiki sendiri sejak mesin menyala."
            yield Finding(key, Level.WARN, text, "Sediakan modul memori pengganti yang sama (UDIMM ECC).")
        else:
            yield Finding(key, Level.GOOD, f"Modul memori {module.label} baik.")


def _of_watchdog(readings: Readings) -> Finding:
    if readings.watchdog is None:
        text = "Tidak ada penjaga perangkat keras (watchdog): mesin yang macet total tidak menyala ulang sendiri."
        return Finding("watchdog", Level.ADVICE, text)
    if not readings.watchdog.armed:
        text = f"Penjaga perangkat keras ({readings.watchdog.identity}) ada, tetapi belum dipakai."
        return Finding("watchdog", Level.WARN, text, "Jalankan: sudo slrt-provision apply, lalu nyalakan ulang mesin.")
    return Finding("watchdog", Level.GOOD, f"Penjaga perangkat keras aktif ({readings.watchdog.identity}).")


def sentence(findings: Sequence[Finding]) -> str:
    """All that is well in one sentence: how many things were looked at."""
    virtual = next((finding for finding in findings if finding.key == "virtual"), None)
    if virtual is not None:
        return virtual.text
    return f"Perangkat keras baik: {len(findings)} hal diperiksa."
