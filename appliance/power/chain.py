"""Would the node really switch itself off if the mains failed now? One light, from facts that were gathered elsewhere. Pure.

Every link of the chain UPS → cable → driver → upsd → upsmon → watcher → systemd can be missing for months without anybody
noticing. So each is asked every minute, and what is missing is told with its cause and its remedy, before the outage.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from appliance.power.reading import Silence, SilenceKind

WATCHER_SILENT = timedelta(seconds=60)
CHECK_SILENT = timedelta(minutes=3)
PATIENCE = timedelta(minutes=1)  # what is missing for less than this may be a restart
CAL_FORGOTTEN = (2, 8, 2)  # the first NUT whose upsmon notices that a calibration has ended
CLIENTS = 2  # upsmon and the watcher are logged in at upsd


class Link(StrEnum):
    """The links of the chain; these words stand in the published report and in the journal."""

    CHECK = "check"
    WATCHER = "watcher"
    CABLE = "cable"
    UPSD = "upsd"
    UNIT = "unit"
    RIGHTS = "rights"
    UPSMON = "upsmon"
    SERVICES = "services"
    MODE = "mode"
    FLAG = "flag"
    HOOK = "hook"
    CALIBRATION = "calibration"
    FROZEN = "frozen"
    CLOCK = "clock"


@dataclass(frozen=True)
class Facts:
    """What was found at `at`. None means that it could not be asked; then nothing is said about it.

    `silence` is why upsd gave no variables; `mains` as the watcher last said; `stopped` the units that do not run;
    `missing_on_usb` whether a real unit is expected on USB and none is there; `expected_serial` empty when any will do.
    """

    at: datetime
    real: bool
    watcher_at: datetime | None = None
    mains: bool | None = None
    silence: Silence | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    expected_serial: str = ""
    clients: int | None = None
    primary: bool | None = None
    version: tuple[int, ...] | None = None
    stopped: tuple[str, ...] = ()
    mode: str | None = None
    flag_writable: bool | None = None
    flag_stale: bool | None = None
    hook_runs: bool | None = None
    missing_on_usb: bool | None = None
    calibrated: bool = False
    frozen: bool = False
    wakes_by_clock: bool | None = None


@dataclass(frozen=True)
class Finding:
    """One link that is not as it must be. `cause` goes on after "karena"; a finding that is not `grave` leaves the light green."""

    link: str
    cause: str
    remedy: str
    grave: bool = True


@dataclass(frozen=True)
class Report:
    """What was found at `at`, and since when the answer has been the same."""

    at: datetime
    since: datetime
    findings: tuple[Finding, ...] = ()

    @property
    def armed(self) -> bool:
        """Whether nothing grave was found."""
        return not any(finding.grave for finding in self.findings)


class Color(StrEnum):
    """What the light shows."""

    ARMED = "armed"
    CHECKING = "checking"
    NOT_ARMED = "not-armed"
    NONE = "none"  # there is nothing to protect with: no UPS, or a demonstration


@dataclass(frozen=True)
class Light:
    """The one light, its sentence, and every finding with its remedy."""

    color: Color
    sentence: str
    findings: tuple[Finding, ...] = ()

    @property
    def remedy(self) -> str:
        """What to do first."""
        return next((finding.remedy for finding in self.findings if finding.grave), "")


def report_of(facts: Facts, before: Report | None) -> Report:
    """The report on these facts; `before` is the last one, which knows since when."""
    findings = judge(facts)
    new = Report(facts.at, facts.at, findings)
    if before is not None and before.armed is new.armed and before.since <= facts.at:
        return Report(facts.at, before.since, findings)
    return new


def judge(facts: Facts) -> tuple[Finding, ...]:
    """All links that are missing, the root of the trouble first."""
    return tuple(finding for rule in _RULES if (finding := rule(facts)) is not None)


def light_of(report: Report | None, watcher_at: datetime | None, booted_at: datetime | None, at: datetime) -> Light:
    """The light at `at`, from the last report and from when the watcher last published. `booted_at` is None when unknown."""
    young = booted_at is not None and timedelta() <= at - booted_at < CHECK_SILENT
    checked = report is not None and timedelta(minutes=-1) <= at - report.at <= CHECK_SILENT
    if young and (not checked or watcher_at is None):
        return Light(Color.CHECKING, "Perlindungan listrik sedang diperiksa; sistem baru saja hidup.")
    if report is None or not checked:
        return _red((_NOT_CHECKED,))
    if _is_silent(watcher_at, at):
        return _red((_WATCHER, *(finding for finding in report.findings if finding.link != Link.WATCHER)))
    if report.armed:
        return Light(Color.ARMED, "Perlindungan aktif: bila listrik padam, sistem mati sendiri dengan tertib.", report.findings)
    if at - report.since < PATIENCE:
        return Light(Color.CHECKING, "Perlindungan listrik sedang dipastikan kembali.", report.findings)
    return _red(report.findings)


def _red(findings: Iterable[Finding]) -> Light:
    told = tuple(findings)
    causes = [finding.cause for finding in told if finding.grave]
    more = f" (dan {len(causes) - 1} sebab lain)" if len(causes) > 1 else ""
    return Light(Color.NOT_ARMED, f"Perlindungan TIDAK aktif karena {causes[0]}{more}.", told)


def _is_silent(watcher_at: datetime | None, at: datetime) -> bool:
    return watcher_at is None or at - watcher_at > WATCHER_SILENT


_NOT_CHECKED = Finding(
    Link.CHECK, "pemeriksaan rantai perlindungan tidak berjalan", "Jalankan: sudo systemctl restart slrt-power-check.timer"
)
_WATCHER = Finding(
    Link.WATCHER,
    "pengawas listrik tidak melapor",
    "Jalankan: sudo systemctl restart slrt-watcher, lalu lihat: sudo journalctl -u slrt-watcher",
)


def _watcher(facts: Facts) -> Finding | None:
    return _WATCHER if _is_silent(facts.watcher_at, facts.at) else None


def _cable(facts: Facts) -> Finding | None:
    if not facts.missing_on_usb:
        return None
    return Finding(
        Link.CABLE,
        "tidak ada UPS pada USB",
        "Periksa kabel data UPS. Colok ke soket data (USB) UPS, bukan soket pelindung saluran telepon/LAN yang bentuknya mirip.",
    )


_UPSD_CAUSES: dict[SilenceKind, tuple[str, str]] = {
    SilenceKind.CONNECT: ("layanan NUT (upsd) tidak berjalan", "Jalankan: sudo systemctl restart nut-server"),
    SilenceKind.DRIVER: ("driver UPS tidak terhubung", "Periksa kabel USB UPS, lalu: sudo systemctl restart nut-driver.target"),
    SilenceKind.STALE: ("UPS tidak mengirim keadaan baru", "Cabut dan colok lagi kabel USB UPS."),
    SilenceKind.DENIED: ("layanan NUT (upsd) menolak kata sandi", "Jalankan ulang: sudo ./install.sh"),
    SilenceKind.UNKNOWN: ("UPS ini tidak dikenal oleh layanan NUT (upsd)", "Jalankan ulang: sudo ./install.sh"),
}


def _upsd(facts: Facts) -> Finding | None:
    if facts.silence is None:
        return None
    otherwise = ("jawaban layanan NUT (upsd) tidak dapat dipakai", "Jalankan: sudo journalctl -u nut-server")
    cause, remedy = _UPSD_CAUSES.get(facts.silence.kind, otherwise)
    if facts.mains is False:
        # Restarting upsd on battery makes the upsmon of Debian 13 shut down at once.
        remedy = "Tunggu sampai listrik menyala. " + remedy
    return Finding(Link.UPSD, cause, remedy)


def _unit(facts: Facts) -> Finding | None:
    if facts.silence is not None:
        return None
    if facts.real and facts.variables.get("driver.name", "") == "dummy-ups":
        return Finding(
            Link.UNIT, "yang menjawab adalah UPS tiruan, bukan UPS yang sebenarnya", "Jalankan ulang: sudo ./install.sh"
        )
    serial = facts.variables.get("ups.serial") or facts.variables.get("device.serial") or ""
    if facts.expected_serial and serial and serial != facts.expected_serial:
        return Finding(
            Link.UNIT,
            f"yang menjawab UPS lain (nomor seri {serial})",
            "Pasang kembali UPS semula, atau ulangi: sudo ./install.sh",
        )
    return None


def _rights(facts: Facts) -> Finding | None:
    if facts.primary is not False:
        return None
    return Finding(Link.RIGHTS, "upsmon tidak berhak mematikan UPS (PRIMARY ditolak)", "Jalankan ulang: sudo ./install.sh")


def _upsmon(facts: Facts) -> Finding | None:
    if facts.clients is None or facts.clients >= CLIENTS:
        return None
    remedy = "Jalankan: sudo systemctl restart nut-monitor slrt-watcher"
    return Finding(
        Link.UPSMON,
        f"upsmon atau pengawas listrik tidak masuk ke upsd ({facts.clients} dari {CLIENTS})",
        remedy if facts.mains is not False else "Tunggu sampai listrik menyala. " + remedy,
    )


def _services(facts: Facts) -> Finding | None:
    if not facts.stopped:
        return None
    names = ", ".join(facts.stopped)
    return Finding(Link.SERVICES, f"layanan tidak berjalan: {names}", f"Jalankan: sudo systemctl start {facts.stopped[0]}")


def _mode(facts: Facts) -> Finding | None:
    if facts.mode is None or facts.mode in {"standalone", "netserver"}:
        return None
    return Finding(
        Link.MODE,
        f"NUT disetel MODE={facts.mode or '(kosong)'}",
        "Tulis MODE=standalone dalam /etc/nut/nut.conf, atau ulangi: sudo ./install.sh",
    )


def _flag(facts: Facts) -> Finding | None:
    if facts.flag_stale:
        return Finding(
            Link.FLAG,
            "tanda pematian UPS yang lama masih ada; mematikan mesin dengan biasa akan memutus keluaran UPS",
            "Jalankan: sudo rm /run/nut/killpower",
        )
    if facts.flag_writable is False:
        return Finding(
            Link.FLAG, "tempat tanda pematian UPS tidak dapat ditulis", "Jalankan: sudo systemd-tmpfiles --create, lalu ulangi."
        )
    return None


def _hook(facts: Facts) -> Finding | None:
    if facts.hook_runs is not False:
        return None
    return Finding(
        Link.HOOK,
        "langkah terakhir pematian (ups-endgame) tidak terpasang atau tidak dapat dijalankan",
        "Ulangi: sudo ./install.sh",
    )


def _calibration(facts: Facts) -> Finding | None:
    if not facts.calibrated or facts.version is None or facts.version >= CAL_FORGOTTEN:
        return None
    if facts.mains is False:
        remedy = "Jangan sekarang: tunggu sampai listrik menyala, lalu jalankan: sudo systemctl restart nut-monitor"
    else:
        remedy = "Jalankan sekarang, selagi listrik menyala: sudo systemctl restart nut-monitor"
    return Finding(Link.CALIBRATION, "upsmon tidak lagi mengenali baterai lemah sesudah uji UPS", remedy)


def _frozen(facts: Facts) -> Finding | None:
    if not facts.frozen:
        return None
    return Finding(
        Link.FROZEN,
        "angka UPS tidak berubah sama sekali lebih dari 10 menit",
        "Selagi listrik menyala, cabut dan colok lagi kabel USB UPS, atau jalankan: sudo systemctl restart nut-driver.target",
        grave=False,
    )


def _clock(facts: Facts) -> Finding | None:
    if facts.wakes_by_clock is not False:
        return None
    return Finding(
        Link.CLOCK,
        "mesin ini tidak mempunyai jam yang dapat membangunkannya (RTC)",
        "Pastikan BIOS memakai “Restore on AC power loss = Power on”.",
        grave=False,
    )


_RULES: tuple[Callable[[Facts], Finding | None], ...] = (
    _cable, _services, _upsd, _unit, _watcher, _upsmon, _rights, _mode, _flag, _hook, _calibration, _frozen, _clock,
)  # fmt: skip
