"""Is this node well? One entry for each part, with what to do next where it is not. Reads, never repairs.

Each question is answered on its own: a broken database must not hide what the power does.
"""

from __future__ import annotations

import http.client
import json
import os
import subprocess
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from cryptography import x509

from appliance import backup_news, clock, custody, database
from appliance.care import readings, reserve
from appliance.care import rules as care_rules
from appliance.care.space import Level as Fullness
from appliance.care.web_answer import ANSWER_SECONDS, SOCKET, ask_health
from appliance.config import Settings
from appliance.errors import ApplianceError
from appliance.power import state as power_state
from appliance.power.chain import Color
from appliance.power.chain_check import read_light
from appliance.recovery import record as recovery_record
from appliance.recovery import rules as recovery_rules
from appliance.restoration.epoch import newest
from appliance.sticks import asked, rules
from backups import book, server_carrier
from backups import outcome as backup_outcome
from backups.errors import BackupError
from backups.schedule import Depth

UNITS = (
    "slrt-web.socket",
    "slrt-web.service",
    "slrt-front.service",
    "slrt-scheduler.service",
    "slrt-backup.path",
    "slrt-watcher.service",
    "slrt-firewall.service",
    "slrt-dns.service",
    "chrony.service",
)
# without these the node would see the mains fail and could not power off, or not be woken, or not see the battery run low
POWER_UNITS = (
    "slrt-force-shutdown.path",
    "slrt-poweroff.path",
    "slrt-rtc-alarm.path",
    "slrt-upsmon-refresh.path",
    "nut-monitor.service",
)
SILENCE_OF_WATCHER = timedelta(seconds=60)
BACKUP_LATE = timedelta(hours=30)
BACKUP_TOO_OLD = timedelta(days=3)
PROOF_LATE = timedelta(days=14)
PROVE = "Jalankan: sudo slrt backup prove"
NO_SERVER_LOG = "Saran: siapkan catatan berkelanjutan PostgreSQL (docs/backup.md); kini yang disimpan sejak cadangan terakhir hanya ada di satu disk."
NOT_CARRIED = "Periksa disk cadangan; sebabnya tertulis di: sudo journalctl -u slrt-scheduler"
NEVER_PROVEN = "Belum pernah dipulihkan sebagai uji; itu dilakukan sendiri setiap minggu."
CERTIFICATE_SOON = timedelta(days=30)
CLEAN_UP = "Pindahkan atau hapus berkas yang tidak perlu, atau pasang disk yang lebih besar; caranya pada petunjuk perawatan (docs/care.md)"


class Health(StrEnum):
    """How a part is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Part:
    """One part: how it is, in a sentence, and the next thing to do (empty when there is nothing to do)."""

    state: Health
    text: str
    next_step: str = ""


Status = dict[str, Part]


def read_status(settings: Settings, at: datetime) -> Status:
    """How each part of the node is at the moment `at` (aware). Never raises for a part that is broken."""
    questions: dict[str, Callable[[], Part]] = {
        "web": lambda: _web(settings),
        "database": lambda: _database(settings),
        "backup": lambda: backup_part(settings, at),
        "sticks": lambda: _sticks(settings, at),
        "sheet": lambda: _part(recovery_rules.judge(recovery_record.read(settings), at)),
        "power": lambda: _power(settings, at),
        "disk": lambda: _disk(settings, at),
        "hardware": lambda: _hardware(settings, at),
        "certificate": lambda: _certificate(settings, at),
        "clock": lambda: _clock(settings, at),
        "services": lambda: _services(settings),
    }
    return {name: _answer(question) for name, question in questions.items()}


def is_well(status: Status) -> bool:
    """Whether every part is well."""
    return all(part.state is Health.OK for part in status.values())


def _answer(question: Callable[[], Part]) -> Part:
    try:
        return question()
    except (ApplianceError, OSError, ValueError, subprocess.SubprocessError) as error:
        hint = error.hint if isinstance(error, ApplianceError) else "Jalankan: sudo slrt status"
        return Part(Health.UNKNOWN, f"Tidak dapat diperiksa: {error}", hint)


def _web(settings: Settings) -> Part:
    next_step = "Jalankan: sudo systemctl restart slrt-web, lalu lihat: sudo journalctl -u slrt-web"
    try:
        answer = ask_health(Path(settings.paths.runtime) / SOCKET)
    except (OSError, http.client.HTTPException) as error:
        return Part(Health.FAIL, f"Layanan web tidak menjawab ({error}).", next_step)
    if answer != http.client.OK:
        return Part(Health.FAIL, f"Layanan web menjawab dengan galat {answer}.", next_step)
    return Part(Health.OK, "Layanan web menjawab.")


def _database(settings: Settings) -> Part:
    health = database.quick_check(settings)
    if not health.ok:
        return Part(Health.FAIL, health.text, health.hint)
    with database.create_service(settings).app_context():
        restored = newest()
        database.db.engine.dispose()
    if restored.taken_at is None:
        return Part(Health.OK, health.text)
    when = f"{restored.taken_at.astimezone(settings.zone):%d-%m-%Y %H.%M}"
    return Part(Health.OK, f"{health.text} Masa data {restored.epoch}: dipulihkan ke keadaan {when}.")


def backup_part(settings: Settings, at: datetime) -> Part:
    """How the backups are: the newest good one, the last run, and when one was last restored to prove it."""
    record = backup_outcome.read(custody.state_of(settings))
    run, repository = "Jalankan: sudo slrt backup run", Path(settings.backup.repository)
    if os.access(repository.parent, os.X_OK) and not _is_visible(repository):
        return Part(
            Health.FAIL, f"Tempat cadangan {repository} tidak ada.", "Pasang disk cadangan, lalu jalankan: sudo slrt status"
        )
    if record.last_good is None:
        return Part(Health.FAIL, record.last.text if record.last else "Belum ada cadangan.", run)
    made = record.last_good.moment.at
    age, when = at - made, made.astimezone(settings.zone).strftime("%d-%m-%Y %H.%M")
    if age > BACKUP_TOO_OLD:
        return Part(Health.FAIL, f"Cadangan terakhir yang baik sudah lama: {when}.", run)
    if record.last and not record.last.ok and not record.last.running:
        return Part(Health.WARN, record.last.text, record.last.next_step or run)
    if age > BACKUP_LATE:
        return Part(Health.WARN, f"Cadangan terlambat; yang terakhir {when}.", run)
    return _proof(settings, f"Cadangan terakhir {when}, sudah dibaca kembali.", at)


def _proof(settings: Settings, text: str, at: datetime) -> Part:
    """A good backup, and when one was last restored to prove it. A node of the first days has none yet."""
    lines = book.lines(custody.state_of(settings))
    proof, tried = book.last_good(lines, *Depth), book.last(lines, *Depth)
    if tried is not None and not tried.ok:
        return Part(Health.FAIL, f"{text} Uji pemulihan gagal: {tried.text}", tried.next_step or PROVE)
    begun = proof.moment.at if proof else lines[0].moment.at if lines else at
    when = f"Terakhir terbukti bisa dipulihkan: {begun.astimezone(settings.zone):%d-%m-%Y %H.%M}." if proof else NEVER_PROVEN
    if at - begun > PROOF_LATE:
        return Part(Health.WARN, f"{text} {when}", PROVE)
    news = backup_news.read(settings)
    if news and news.reaches and at - news.reaches > backup_news.CARRIED_WITHIN:
        since = f"{news.reaches.astimezone(settings.zone):%d-%m-%Y %H.%M}"
        return Part(Health.WARN, f"{text} Yang disimpan sejak {since} hanya ada di disk data.", NOT_CARRIED)
    if settings.database.url and _keeps_log_without_limit(settings):
        return Part(Health.WARN, f"{text} {server_carrier.NO_LIMIT}", server_carrier.SET_LIMIT)
    if news and news.reaches is None and settings.database.url:
        return Part(Health.OK, f"{text} {when}", NO_SERVER_LOG)
    return Part(Health.OK, f"{text} {when}", _advice_on_disk(settings))


def _keeps_log_without_limit(settings: Settings) -> bool:
    """Asked of the server; one that does not answer is told as the database's trouble."""
    with suppress(BackupError):
        return server_carrier.keeps_without_limit(settings.server_url)
    return False


def _advice_on_disk(settings: Settings) -> str:
    """A backup on the disk it protects is still a backup, so this is advice, not a warning."""
    data, repository = Path(settings.paths.data), Path(settings.backup.repository)
    if _is_visible(repository) and data.stat().st_dev == repository.stat().st_dev:
        return "Saran: pasang disk kedua untuk cadangan; kini cadangan berada di disk yang sama dengan data."
    return ""


def _sticks(settings: Settings, at: datetime) -> Part:
    """The stick that needs somebody most; the good ones are told by their number."""
    found = [verdict for _, verdict in asked.list_sticks(settings, at)]
    sheet = recovery_record.read(settings)
    worst = rules.worst(found) or rules.none_known(sheet.since if sheet else None, at)
    return _part(worst)


def _part(verdict: rules.Verdict) -> Part:
    """What is no trouble is well, and its next step advice."""
    health = {rules.Tone.WARN: Health.WARN, rules.Tone.BAD: Health.FAIL}.get(verdict.tone, Health.OK)
    return Part(health, verdict.text, verdict.next_step)


def _is_visible(folder: str | Path) -> bool:
    """Whether this process can see the folder: the pages run where the repository is hidden from them."""
    return os.access(folder, os.F_OK)


def _power(settings: Settings, at: datetime) -> Part:
    published = power_state.read(Path(settings.power.runtime) / "state.json")
    restart = "Jalankan: sudo systemctl restart slrt-watcher, lalu lihat: sudo journalctl -u slrt-watcher"
    if published is None:
        return Part(Health.FAIL, "Pengawas listrik belum melaporkan apa pun.", restart)
    if at - published.at > SILENCE_OF_WATCHER:
        return Part(Health.FAIL, "Pengawas listrik tidak melapor lagi.", restart)
    if published.stage == "unknown":
        return Part(Health.WARN, published.sentence, "Periksa kabel USB UPS, lalu jalankan: sudo slrt power status")
    if published.stage == "boot-hold" or published.mains is False:
        held = "Tunggu sampai listrik stabil, atau buka sekarang: sudo slrt power start-now"
        dark = "Simpan pekerjaan; sistem mati sendiri dengan aman bila listrik tidak kembali."
        return Part(Health.WARN, published.sentence, held if published.stage == "boot-hold" else dark)
    light = read_light(settings, at)
    if light.color is Color.NOT_ARMED:
        return Part(Health.FAIL, f"{light.sentence} {published.sentence}", light.remedy)
    advice = next((f"Perhatian: {finding.cause}. {finding.remedy}" for finding in light.findings if not finding.grave), "")
    return Part(Health.OK, f"{published.sentence} {light.sentence}", advice)


def _disk(settings: Settings, at: datetime) -> Part:
    """How full the fullest disk is."""
    room = reserve.seen(settings, at)
    if room.worst is None:
        return Part(Health.UNKNOWN, "Ruang disk tidak dapat dilihat.", "Jalankan: sudo slrt status")
    place, level = room.worst
    text = f"Ruang kosong {place.free_words} ({100 - place.share:.0f} %) pada disk {place.name} ({place.folder})."
    match level:
        case Fullness.LAST:
            return Part(Health.FAIL, f"{text} Ruang cadangannya sudah dilepas.", f"Segera: {CLEAN_UP}")
        case Fullness.TIGHT:
            waits = " Impor, ekspor dan uji pemulihan ditunda." if room.holds_jobs else ""
            return Part(Health.FAIL, text + waits, CLEAN_UP)
        case Fullness.LOW:
            return Part(Health.WARN, text, CLEAN_UP)
    return Part(Health.OK, text)


OF_LEVEL = {
    care_rules.Level.GOOD: Health.OK,
    care_rules.Level.ADVICE: Health.OK,
    care_rules.Level.UNKNOWN: Health.UNKNOWN,
    care_rules.Level.WARN: Health.WARN,
    care_rules.Level.BAD: Health.FAIL,
}


def _hardware(settings: Settings, at: datetime) -> Part:
    """What needs somebody most of the hardware; a demonstration looks at none."""
    if (Path(settings.paths.runtime) / "processes.json").exists():
        return Part(Health.OK, "Peragaan: perangkat keras komputer ini tidak diperiksa.")
    findings = care_rules.judge(readings.read(Path(settings.paths.care)), at)
    worst = care_rules.worst(findings)
    if worst is None or worst.level is care_rules.Level.GOOD:
        return Part(Health.OK, care_rules.sentence(findings))
    if worst.level is care_rules.Level.ADVICE:
        return Part(Health.OK, care_rules.sentence(findings), f"Saran: {worst.text} {worst.remedy}".strip())
    further = sum(OF_LEVEL[finding.level] is not Health.OK for finding in findings) - 1
    return Part(OF_LEVEL[worst.level], worst.text + (f" (dan {further} hal lain)" if further else ""), worst.remedy)


def _certificate(settings: Settings, at: datetime) -> Part:
    if not settings.web.https:
        return Part(Health.OK, "Peragaan tanpa HTTPS, hanya untuk komputer ini.")
    file = Path(settings.paths.certificates) / "web.crt"
    ends = x509.load_pem_x509_certificate(file.read_bytes()).not_valid_after_utc
    text = f"Sertifikat halaman berlaku sampai {ends.astimezone(settings.zone):%d-%m-%Y}."
    renew = "Jalankan: sudo slrt-provision renew-certificate"
    if at >= ends:
        return Part(Health.FAIL, f"Sertifikat halaman habis masa berlakunya ({ends:%d-%m-%Y}).", renew)
    if at >= ends - CERTIFICATE_SOON:
        return Part(Health.WARN, text, renew)
    return Part(Health.OK, text)


def _clock(settings: Settings, at: datetime) -> Part:
    mark = clock.read_mark(clock.mark_file(settings))
    wrong = clock.sentence(clock.judge(at, mark), at, mark, settings.zone)
    if wrong:
        return Part(Health.FAIL, wrong, f"{clock.SET_IT} Atau di server: sudo slrt clock set")
    return Part(Health.OK, f"Jam sesuai: {at.astimezone(settings.zone):%d-%m-%Y %H.%M}.")


def _services(settings: Settings) -> Part:
    processes = Path(settings.paths.runtime) / "processes.json"
    stopped = _dead_processes(processes) if processes.exists() else _inactive_units(settings)
    if stopped:
        return Part(Health.FAIL, f"Layanan berhenti: {', '.join(stopped)}.", f"Lihat sebabnya: sudo journalctl -u {stopped[0]}")
    return Part(Health.OK, "Semua layanan berjalan.")


def _dead_processes(file: Path) -> list[str]:
    """Names of the demonstration's processes (name → process id) that are no more."""
    return [name for name, number in json.loads(file.read_text()).items() if not Path(f"/proc/{number}").exists()]


def _inactive_units(settings: Settings) -> list[str]:
    units = UNITS if settings.power.ups == "none" else UNITS + POWER_UNITS
    run = subprocess.run(
        ["systemctl", "is-active", *units], capture_output=True, text=True, timeout=ANSWER_SECONDS * 2, check=False
    )
    return [unit for unit, state in zip(units, run.stdout.split(), strict=True) if state != "active"]
