"""Settings: the one reader of the configuration file and of the secrets beside it.

Every key, its default, its meaning and its limits stand here once; reading, checking and writing the file all follow from
them. Loaded once at a front door and handed down as the smallest part; nothing else in the project reads the environment.
"""

from __future__ import annotations

import dataclasses
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_type_hints
from zoneinfo import ZoneInfo

from appliance.config_values import (
    Check,
    absolute,
    are_addresses,
    are_driver_options,
    are_office_networks,
    between,
    is_lan_address,
    is_office_range,
    is_zone,
    matches,
)
from appliance.errors import ConfigurationError

CONFIG_VARIABLE = "SLRT_CONFIG"
DEFAULT_CONFIG = Path("/etc/slrt/appliance.toml")
_PURPOSE_LIMIT = "(sekolah|kuliah|berobat|bantuan|lain)=([1-9]|10)"


def setting(default: object, meaning: str, expected: str, check: Check = lambda value: True) -> Any:
    """One key of the file: its default, what it means (English, for the file's comment), and what a right value is."""
    return field(default=default, metadata={"meaning": meaning, "expected": expected, "check": check})


@dataclass(frozen=True)
class NodeSettings:
    """Who and where this node is."""

    district: str = setting(
        "73.03", "Kemendagri code of the district this node serves", 'a code such as "73.03"', matches(r"\d\d\.\d\d")
    )
    hostname: str = setting(
        "slrt", "name of the node on the office network", "letters, digits and hyphens", matches(r"[a-z0-9][a-z0-9-]{0,62}")
    )
    office: str = setting("Dinas Sosial", "name of the office, as it stands on pages and letters", "a text", bool)
    timezone: str = setting("Asia/Makassar", "time zone of the office", 'a name such as "Asia/Makassar"', is_zone)


@dataclass(frozen=True)
class PathSettings:
    """Where the node keeps what. All absolute."""

    data: str = setting("/var/lib/slrt", "database, attachments and identity of the node", "an absolute path", absolute)
    runtime: str = setting("/run/slrt", "sockets and locks that a restart may lose", "an absolute path", absolute)
    secrets: str = setting("/etc/slrt/secrets", "one file of mode 0600 for each secret", "an absolute path", absolute)
    certificates: str = setting("/etc/slrt/tls", "the CA certificate and the web certificate", "an absolute path", absolute)
    care: str = setting("/var/lib/slrt-care", "what was read of the hardware", "an absolute path", absolute)


@dataclass(frozen=True)
class DatabaseSettings:
    """SQLite below `paths.data` unless a PostgreSQL URL is given."""

    url: str = setting(
        "",
        'empty for SQLite, else "postgresql+psycopg://..."',
        'empty or "postgresql+psycopg://..."',
        matches(r"(postgresql\+psycopg://.*)?"),
    )


@dataclass(frozen=True)
class WebSettings:
    """The pages."""

    https: bool = setting(True, "false only for the demonstration on 127.0.0.1", "true or false")
    idle_minutes: int = setting(30, "minutes without a click after which a session ends", "5 to 480", between(5, 480))
    session_hours: int = setting(12, "hours after which a session ends in any case", "1 to 24", between(1, 24))


@dataclass(frozen=True)
class BackupSettings:
    """When and where the nightly backup goes."""

    repository: str = setting("/srv/backup/slrt", "the encrypted repository, best on a second disk", "an absolute path", absolute)
    time: str = setting(
        "22:00", "local time of the nightly backup", 'a time such as "22:00"', matches(r"([01]\d|2[0-3]):[0-5]\d")
    )
    boot_delay_seconds: int = setting(
        600, "a missed backup waits this long after the machine started", "0 to 7200", between(0, 7200)
    )
    before_closing_minutes: int = setting(
        0,
        "where the node is switched off at night: so many minutes before the office closes, on its working days; 0 for at `time`",
        "0 to 240",
        between(0, 240),
    )
    notice_days: int = setting(3, "days without a proven backup after which it is told", "1 to 30", between(1, 30))
    keep_daily: int = setting(14, "daily backups kept", "1 to 400", between(1, 400))
    keep_weekly: int = setting(8, "weekly backups kept", "0 to 400", between(0, 400))
    keep_monthly: int = setting(12, "monthly backups kept", "0 to 400", between(0, 400))
    keep_yearly: int = setting(3, "yearly backups kept", "0 to 50", between(0, 50))
    stick_mounts: str = setting(
        "/srv/backup/sticks", "where USB sticks are mounted, each by its id", "an absolute path", absolute
    )
    stick_state: str = setting(
        "/var/lib/slrt-sticks", "which USB sticks are ours, and how they were seen last", "an absolute path", absolute
    )


@dataclass(frozen=True)
class CaseworkSettings:
    """How cases go on by themselves."""

    close_after_days: int = setting(
        10, "working days after which a case whose result was told is closed", "1 to 60", between(1, 60)
    )
    escalate_after_days: int = setting(
        2, "working days after which the lateness of a case is told to the next higher office", "1 to 30", between(1, 30)
    )
    outside_days: int = setting(
        14,
        "days after which a case that waits for the ministry or another outside body is shown as stuck",
        "1 to 365",
        between(1, 365),
    )
    referral_escalate_days: int = setting(
        3, "working days after which an unanswered referral is told to the manager", "1 to 30", between(1, 30)
    )
    ratify_days: int = setting(
        1, "working days within which an emergency that was referred at once is ratified", "1 to 10", between(1, 10)
    )
    pbi_months: int = setting(3, "months after its end in which PBI-JK can be reactivated", "1 to 24", between(1, 24))
    certificate_decile: int = setting(5, "highest desil for which a DTSEN certificate is issued", "1 to 10", between(1, 10))
    certificate_purposes: str = setting(
        "",
        "the purposes of DTSEN certificates (sekolah, kuliah, berobat, bantuan, lain) that have another highest desil",
        'such as "kuliah=4, berobat=6"',
        matches(rf"({_PURPOSE_LIMIT}(, *{_PURPOSE_LIMIT})*)?"),
    )

    def certificate_limit(self, purpose: str) -> int:
        """The highest desil for which a certificate for this purpose is issued."""
        own = dict(pair.strip().split("=") for pair in self.certificate_purposes.split(",") if pair)
        return int(own.get(purpose, self.certificate_decile))


@dataclass(frozen=True)
class ExportSettings:
    """Lists that officers take out of the system."""

    keep_hours: int = setting(24, "hours after which the file of an export is deleted", "1 to 168", between(1, 168))


@dataclass(frozen=True)
class SpaceSettings:
    """How full the disks may become."""

    low_percent: int = setting(75, "used share of a disk from which it is told", "50 to 95", between(50, 95))
    low_megabytes: int = setting(2048, "free megabytes below which it is told", "0 to 100000", between(0, 100_000))
    tight_percent: int = setting(
        90, "used share from which imports, exports and other bulk work wait", "60 to 99", between(60, 99)
    )
    tight_megabytes: int = setting(1024, "free megabytes below which they wait", "0 to 50000", between(0, 50_000))
    reserve_megabytes: int = setting(
        512, "megabytes kept aside on the disk of the data for the day it is full; 0 for none", "0 to 10000", between(0, 10_000)
    )


@dataclass(frozen=True)
class PowerSettings:
    """The UPS and the limits after which the node powers itself off."""

    ups: str = setting(
        "usb",
        "which UPS: usb (APC Back-UPS), driver (another make), simulated or none",
        "usb, driver, simulated or none",
        matches("usb|driver|simulated|none"),
    )
    name: str = setting("apc", "name of the UPS in NUT", "letters, digits and hyphens", matches(r"[a-z0-9-]+"))
    host: str = setting("127.0.0.1", "address of upsd", "an address", bool)
    port: int = setting(3493, "port of upsd", "1 to 65535", between(1, 65535))
    serial: str = setting(
        "",
        "serial number of the installed UPS, the only one that is believed; empty for any",
        "letters, digits, dots, hyphens",
        matches(r"[\w.-]{0,40}"),
    )
    driver: str = setting(
        "usbhid-ups", "NUT driver of another make", "the name of a NUT driver", matches(r"[a-z0-9][a-z0-9_-]{1,40}")
    )
    device: str = setting(
        "auto",
        "where that driver finds the UPS",
        "auto, a device file or an address",
        matches(r"[A-Za-z0-9][\w.:@/-]*|/dev/[\w./-]+"),
    )
    driver_options: str = setting(
        "", "further NUT options of that driver", 'such as "vendorid = 0665; productid = 5161"', are_driver_options
    )
    lan_address: str = setting(
        "",
        "address of this node on which other machines on the same UPS ask for it; empty for none",
        'empty or an address such as "192.168.1.10"',
        is_lan_address,
    )
    runtime: str = setting("/run/slrt-power", "state that the pages read, and the flags to systemd", "an absolute path", absolute)
    state: str = setting("/var/lib/slrt-power", "what the watcher remembers, and its journal", "an absolute path", absolute)
    on_battery_seconds: int = setting(300, "time on battery after which the node shuts down", "120 to 1800", between(10, 1800))
    charge_floor: int = setting(50, "battery charge in percent at which the node shuts down", "20 to 90", between(20, 90))
    runtime_floor_seconds: int = setting(
        600, "remaining runtime in seconds at which the node shuts down", "120 to 3600", between(120, 3600)
    )
    drain_seconds: int = setting(20, "time that running requests get to finish", "1 to 45", between(1, 45))
    save_seconds: int = setting(20, "time that moving the log into the database gets after that", "1 to 30", between(1, 30))
    boot_hold_seconds: int = setting(
        60, "time the mains must hold after an outage before the node takes work again", "0 to 600", between(0, 600)
    )
    nut_programs: str = setting("/lib/nut", "folder of the NUT drivers and daemons", "an absolute path", absolute)


@dataclass(frozen=True)
class NetworkSettings:
    """What the node is to the office network besides its pages."""

    ssh_from: str = setting(
        "",
        "from where SSH is let in; empty for the whole office network",
        'empty or such as "192.168.1.20, 192.168.2.0/24"',
        are_office_networks,
    )
    interface: str = setting(
        "",
        "the network card of the office; empty for the one with the way out",
        "empty or a name such as eno1",
        matches(r"[\w.-]{0,15}"),
    )
    dhcp: str = setting(
        "",
        "addresses that this node hands out by DHCP; empty where another device does",
        'empty or such as "192.168.1.100-192.168.1.200"',
        is_office_range,
    )
    state: str = setting(
        "/var/lib/slrt-lan", "what root knows of the network, and a new address on trial", "an absolute path", absolute
    )
    upstream_dns: str = setting(
        "", "who is asked for names that are not the node's; empty for nobody", 'empty or such as "192.168.1.1"', are_addresses
    )


@dataclass(frozen=True)
class Settings:
    """Everything that can be set, a section of the file each."""

    node: NodeSettings = field(default_factory=NodeSettings)
    paths: PathSettings = field(default_factory=PathSettings)
    database: DatabaseSettings = field(default_factory=DatabaseSettings)
    web: WebSettings = field(default_factory=WebSettings)
    backup: BackupSettings = field(default_factory=BackupSettings)
    casework: CaseworkSettings = field(default_factory=CaseworkSettings)
    exports: ExportSettings = field(default_factory=ExportSettings)
    space: SpaceSettings = field(default_factory=SpaceSettings)
    power: PowerSettings = field(default_factory=PowerSettings)
    network: NetworkSettings = field(default_factory=NetworkSettings)

    @property
    def database_file(self) -> Path:
        """The SQLite file. It exists only when `database.url` is empty."""
        return Path(self.paths.data) / "database" / "slrt.db"

    @property
    def database_url(self) -> str:
        """The SQLAlchemy URL of the database in use."""
        return self.database.url or f"sqlite:///{self.database_file}"

    @property
    def server_url(self) -> str:
        """The URL of the database's server as its own programs and the library of the backups take it; empty for SQLite."""
        return self.database.url.replace("postgresql+psycopg://", "postgresql://", 1)

    @property
    def attachments(self) -> Path:
        """Folder of the attachments, each file named by its content hash."""
        return Path(self.paths.data) / "attachments"

    @property
    def export_files(self) -> Path:
        """Folder of the exported lists, each in a folder of its own until it expires. On purpose in no backup."""
        return Path(self.paths.data) / "exports"

    @property
    def identity(self) -> Path:
        """Folder of what makes this node itself on the network: its CA, encrypted. Part of every backup."""
        return Path(self.paths.data) / "identity"

    @property
    def carried_log(self) -> Path:
        """Folder beside the repository to which the database's log is carried over: whoever writes there need not be let into that one."""
        return Path(self.backup.repository).with_name("carried-log")

    @property
    def carried_log_key(self) -> Path:
        """Folder with the key of that log."""
        return Path(self.paths.data) / "log"

    @property
    def zone(self) -> ZoneInfo:
        """The office's time zone."""
        return ZoneInfo(self.node.timezone)


def config_path(environment: Mapping[str, str] = os.environ) -> Path:
    """The file that the environment names, or the usual one."""
    return Path(environment.get(CONFIG_VARIABLE, str(DEFAULT_CONFIG)))


def load(path: Path) -> Settings:
    """Read and check the file.

    Raises ConfigurationError that names every wrong key with its value and what was expected.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigurationError(
            f"Berkas pengaturan {path} tidak ada.", "Jalankan ./install.sh, atau sebutkan berkasnya dengan --config."
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"Berkas pengaturan {path} tidak dapat dibaca: {error}.", "Periksa hak akses berkas itu."
        ) from error
    try:
        return parse(text)
    except ConfigurationError as error:
        raise ConfigurationError(f"{path}: {error.message}", error.hint) from error


def parse(text: str) -> Settings:
    """Settings from the text of a file. Raises ConfigurationError with all problems at once."""
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(
            f"bukan TOML yang benar: {error}.", "Perbaiki baris itu, lalu jalankan: slrt config check"
        ) from error
    problems: list[str] = []
    sections: dict[str, Any] = {}
    known = {part.name: part for part in dataclasses.fields(Settings)}
    problems += [f"bagian [{name}] tidak dikenal" for name in found if name not in known]
    for name, kind in get_type_hints(Settings).items():
        sections[name] = _section(name, kind, found.get(name, {}), problems)
    if problems:
        raise ConfigurationError("; ".join(problems) + ".", "Perbaiki kunci itu, lalu jalankan: slrt config check")
    return Settings(**sections)


def _section(name: str, kind: type, found: object, problems: list[str]) -> Any:
    """One section; what is wrong is added to `problems` and the default taken, so that all problems are told at once."""
    if not isinstance(found, dict):
        problems.append(f"{name} = {found!r}: diharapkan sebuah bagian [{name}]")
        return kind()
    keys = {key.name: key for key in dataclasses.fields(kind)}
    types = get_type_hints(kind)
    problems += [f"kunci {name}.{key} tidak dikenal" for key in found if key not in keys]
    values: dict[str, Any] = {}
    for key in keys.values():
        if key.name in found:
            value = found[key.name]
            # bool is an int to Python, not to the person who wrote the file
            if type(value) is not types[key.name] or not key.metadata["check"](value):
                problems.append(f"{name}.{key.name} = {value!r}: diharapkan {key.metadata['expected']}")
            else:
                values[key.name] = value
    return kind(**values)


def render(settings: Settings) -> str:
    """The whole file: every key with its value, its default and its meaning."""
    lines = ["# Settings of this SLRT node. After a change: slrt config check"]
    for part in dataclasses.fields(settings):
        section = getattr(settings, part.name)
        lines += ["", f"[{part.name}]"]
        for key in dataclasses.fields(section):
            lines.append(f"# {key.metadata['meaning']} ({key.metadata['expected']}; default {_toml(key.default)})")
            lines.append(f"{key.name} = {_toml(getattr(section, key.name))}")
    return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def read_secret(settings: Settings, name: str, environment: Mapping[str, str] = os.environ) -> str:
    """The secret `name`: from the credentials systemd hands to the unit, else from the secrets folder.

    Raises ConfigurationError when it is missing, empty or, in the folder, readable by others.
    """
    handed = environment.get("CREDENTIALS_DIRECTORY")
    path = Path(handed) / name if handed and (Path(handed) / name).exists() else Path(settings.paths.secrets) / name
    try:
        if path.parent == Path(settings.paths.secrets) and path.stat().st_mode & 0o077:
            raise ConfigurationError(f"Berkas rahasia {path} dapat dibaca orang lain.", f"Jalankan: chmod 600 {path}")
        secret = path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise ConfigurationError(
            f"Berkas rahasia {path} tidak dapat dibaca ({error.strerror}).", "Jalankan sebagai root, atau ulangi ./install.sh."
        ) from error
    if not secret:
        raise ConfigurationError(f"Berkas rahasia {path} kosong.", "Ulangi ./install.sh.")
    return secret
