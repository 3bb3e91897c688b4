"""`slrt status`: every part that is not well is told, with what to do, and none hides another."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from appliance import database
from appliance.care import readings, reserve
from appliance.care.readings import Readings, Watchdog
from appliance.commands.status import NAMES
from appliance.config import BackupSettings, PathSettings, PowerSettings, Settings
from appliance.power.chain import Finding
from appliance.power.chain_check import REPORT_FILE
from appliance.power.state import State, publish
from appliance.status import Health, is_well, read_status
from backups.outcome import Outcome, write
from backups.schedule import Moment

AT = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    for name in ("data", "run", "secrets", "tls", "repository"):
        (tmp_path / name).mkdir()
    return Settings(
        paths=PathSettings(
            data=str(tmp_path / "data"),
            runtime=str(tmp_path / "run"),
            secrets=str(tmp_path / "secrets"),
            certificates=str(tmp_path / "tls"),
        ),
        backup=BackupSettings(repository=str(tmp_path / "repository")),
        power=PowerSettings(runtime=str(tmp_path / "run"), state=str(tmp_path / "data")),
    )


def outcome(at: datetime, ok: bool = True, running: bool = False) -> Outcome:
    text = "Cadangan berhasil." if ok else "Cadangan gagal: disk penuh."
    return Outcome(Moment(at, "boot", timedelta(hours=1)), ok, "20261121-220000", text, running=running)


def chain_was_checked(settings: Settings, *findings: Finding) -> None:
    moment = AT.isoformat(), (AT - timedelta(minutes=2)).isoformat()
    found = [dataclasses.asdict(finding) for finding in findings]
    told = json.dumps({"at": moment[0], "since": moment[1], "findings": found})
    (Path(settings.power.runtime) / REPORT_FILE).write_text(told)


def test_a_node_that_would_not_power_off_is_not_well(settings: Settings) -> None:
    publish(Path(settings.power.runtime), State(AT, "online", True, mains=True, sentence="Listrik menyala."))
    chain_was_checked(settings, Finding("upsmon", "upsmon tidak masuk ke upsd", "Jalankan: sudo systemctl restart nut-monitor"))
    power = read_status(settings, AT)["power"]
    assert (power.state, power.next_step) == (Health.FAIL, "Jalankan: sudo systemctl restart nut-monitor")
    assert power.text == "Perlindungan TIDAK aktif karena upsmon tidak masuk ke upsd. Listrik menyala."
    chain_was_checked(settings, Finding("clock", "tidak ada RTC", "Periksa BIOS.", grave=False))
    power = read_status(settings, AT)["power"]
    assert (power.state, power.next_step) == (Health.OK, "Perhatian: tidak ada RTC. Periksa BIOS.")


def certificate(ends: datetime) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "slrt")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(ends - timedelta(days=397))
        .not_valid_after(ends)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)


def test_an_empty_machine_has_an_answer_for_every_part(settings: Settings) -> None:
    status = read_status(settings, AT)
    assert list(status) == [
        "web",
        "database",
        "backup",
        "sticks",
        "sheet",
        "power",
        "disk",
        "hardware",
        "certificate",
        "clock",
        "services",
    ]
    assert list(NAMES) == list(status), "each has a name at the terminal"
    assert not is_well(status)
    for name in ("web", "database", "backup", "power"):
        assert status[name].state is Health.FAIL, name
        assert status[name].next_step, name
    assert status["certificate"].state is Health.UNKNOWN


def test_a_database_is_well_once_it_has_its_tables(settings: Settings) -> None:
    database.upgrade(settings)
    assert read_status(settings, AT)["database"].state is Health.OK
    settings.database_file.write_bytes(b"not a database" * 400)
    broken = read_status(settings, AT)["database"]
    assert (broken.state, bool(broken.next_step)) == (Health.FAIL, True)


@pytest.mark.parametrize(
    ("runs", "state"),
    [
        ([(timedelta(hours=3), True)], Health.OK),
        ([(timedelta(hours=29), True)], Health.OK),
        ([(timedelta(hours=31), True)], Health.WARN),
        ([(timedelta(days=3, hours=1), True)], Health.FAIL),
        ([(timedelta(hours=3), False)], Health.FAIL),
        ([(timedelta(hours=26), True), (timedelta(hours=2), False)], Health.WARN),
        ([(timedelta(hours=26), False), (timedelta(hours=2), True)], Health.OK),
    ],
)
def test_a_backup_is_as_well_as_its_age_and_its_last_run(
    settings: Settings, runs: list[tuple[timedelta, bool]], state: Health
) -> None:
    for age, ok in runs:
        write(Path(settings.paths.data) / "backup", outcome(AT - age, ok))
    part = read_status(settings, AT)["backup"]
    assert part.state is state
    assert state is Health.OK or "slrt backup run" in part.next_step


def test_a_running_backup_is_no_failure(settings: Settings) -> None:
    state = Path(settings.paths.data) / "backup"
    write(state, outcome(AT - timedelta(hours=24)))
    write(state, outcome(AT, ok=False, running=True))
    assert read_status(settings, AT)["backup"].state is Health.OK


@pytest.mark.parametrize(
    ("published", "state"),
    [
        (State(AT, "online", True, mains=True, sentence="Listrik menyala."), Health.OK),
        (State(AT - timedelta(minutes=2), "online", True, mains=True, sentence="Listrik menyala."), Health.FAIL),
        (State(AT, "on-battery", True, mains=False, sentence="Listrik padam."), Health.WARN),
        (State(AT, "boot-hold", False, mains=True, sentence="Sistem baru menyala."), Health.WARN),
        (State(AT, "unknown", True, sentence="UPS tidak menjawab."), Health.WARN),
    ],
)
def test_the_power_is_what_the_watcher_just_said(settings: Settings, published: State, state: Health) -> None:
    publish(Path(settings.power.runtime), published)
    chain_was_checked(settings)
    assert read_status(settings, AT)["power"].state is state


@pytest.mark.parametrize(("left", "state"), [(100, Health.OK), (29, Health.WARN), (-1, Health.FAIL)])
def test_a_certificate_is_told_before_it_ends(settings: Settings, left: int, state: Health) -> None:
    (Path(settings.paths.certificates) / "web.crt").write_bytes(certificate(AT + timedelta(days=left)))
    part = read_status(settings, AT)["certificate"]
    assert part.state is state
    assert state is Health.OK or "renew-certificate" in part.next_step


def test_processes_of_a_demonstration_are_looked_for(settings: Settings) -> None:
    file = Path(settings.paths.runtime) / "processes.json"
    file.write_text(json.dumps({"slrt-web": 1}))
    assert read_status(settings, AT)["services"].state is Health.OK
    highest = int(Path("/proc/sys/kernel/pid_max").read_text())
    file.write_text(json.dumps({"slrt-web": 1, "slrt-watcher": highest + 1}))
    part = read_status(settings, AT)["services"]
    assert (part.state, "slrt-watcher" in part.text) == (Health.FAIL, True)


def test_advice_on_a_second_disk_does_not_spoil_a_good_state(settings: Settings) -> None:
    write(Path(settings.paths.data) / "backup", outcome(AT))
    assert "disk kedua" in read_status(settings, AT)["backup"].next_step
    elsewhere = dataclasses.replace(settings, backup=BackupSettings(repository="/dev/shm"))
    assert read_status(elsewhere, AT)["backup"].next_step == ""


def test_a_backup_disk_that_is_gone_is_told_at_once(settings: Settings) -> None:
    write(Path(settings.paths.data) / "backup", outcome(AT))
    Path(settings.backup.repository).rmdir()
    status = read_status(settings, AT)
    assert (status["backup"].state, settings.backup.repository in status["backup"].text) == (Health.FAIL, True)
    assert status["disk"].state is Health.OK


@pytest.mark.parametrize(
    ("found", "state", "words", "next_step"),
    [
        (None, Health.UNKNOWN, "belum pernah diperiksa", "slrt-care"),
        (Readings(AT - timedelta(hours=2), virtual="kvm"), Health.UNKNOWN, "tidak diperiksa lagi", "slrt-care"),
        (Readings(AT, virtual="kvm"), Health.OK, "kvm", ""),
        (Readings(AT, virtual="kvm", read_only=("/",)), Health.FAIL, "hanya-baca", "stik"),
        (Readings(AT, smart_at=AT, modules=(), watchdog=Watchdog("hpwdt", True)), Health.OK, "baik", "Saran: Data tidak ditulis"),
        (Readings(AT, smart_at=AT, modules=(), watchdog=Watchdog("hpwdt", False)), Health.WARN, "hpwdt", "slrt-provision apply"),
    ],
)
def test_the_hardware_is_as_well_as_its_worst_part(
    settings: Settings, tmp_path: Path, found: Readings | None, state: Health, words: str, next_step: str
) -> None:
    node = dataclasses.replace(settings, paths=dataclasses.replace(settings.paths, care=str(tmp_path)))
    if found:
        readings.write(found, tmp_path)
    part = read_status(node, AT)["hardware"]
    assert (part.state, words in part.text, next_step in part.next_step) == (state, True, True), part


@pytest.mark.parametrize(
    ("level", "state", "words"),
    [(0, Health.OK, "1,0 GB"), (1, Health.WARN, "(10 %)"), (2, Health.FAIL, "ditunda"), (3, Health.FAIL, "sudah dilepas")],
)
def test_a_disk_is_as_full_as_the_watch_says(settings: Settings, level: int, state: Health, words: str) -> None:
    place = {"name": "data", "folder": "/x", "free": 10**9, "total": 10**10, "missing": 0, "level": level}
    (Path(settings.paths.runtime) / reserve.PUBLISHED).write_text(json.dumps([place]))
    part = read_status(settings, datetime.now(UTC))["disk"]
    assert (part.state, words in part.text, bool(part.next_step)) == (state, True, state is not Health.OK), part
