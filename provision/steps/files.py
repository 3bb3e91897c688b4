"""Users, folders, secrets and settings of the node."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from appliance.config import Settings, parse, render
from appliance.errors import ConfigurationError
from provision.change import Applied, Command, File, Folder, SecretFile
from provision.host import Host
from provision.step import SLRT, Site, Step
from provision.steps.ups import SECONDARY_SECRET

SETTINGS_FILE = "/etc/slrt/appliance.toml"
PASSPHRASE = "backup-passphrase"  # noqa: S105 - the name of the file
RANDOM = ("web-session-key", "audit-key", "upsd-watcher-password", "upsd-upsmon-password")
SECRETS = (*RANDOM, PASSPHRASE)
KEEPER, READERS = "slrt-backup", "slrt-data"
SYSUSERS = "/etc/sysusers.d/slrt.conf"
TMPFILES = "/etc/tmpfiles.d/slrt.conf"


@dataclass(frozen=True)
class SettingsFile:
    """The settings in the one file; a file that says the same, with the operator's own comments, is left as it is."""

    settings: Settings
    path: str = SETTINGS_FILE

    def describe(self) -> str:
        return f"tulis pengaturan {SETTINGS_FILE}"

    def is_done(self, host: Host) -> bool:
        content = host.read(SETTINGS_FILE)
        try:
            return content is not None and parse(content.decode()) == self.settings
        except (ConfigurationError, UnicodeDecodeError):
            return False

    def perform(self, host: Host) -> None:
        self.wanted(host).perform(host)

    def wanted(self, host: Host) -> File:
        """The file with our own comments."""
        del host
        return File(SETTINGS_FILE, render(self.settings).encode())


def users(site: Site) -> Step:
    """The users of the services; none can log in."""
    wanted = ("slrt slrt-data", "slrt-backup slrt-data", "slrt-backup slrt", "slrt-power slrt")
    within = "&& id -nG {} | tr ' ' '\\n' | grep -qx {}"
    asked = " ".join(["id -u slrt", *(within.format(*pair.split()) for pair in wanted)])
    return Step(
        "pengguna",
        "Pengguna sistem",
        (
            File(SYSUSERS, site.text("systemd/sysusers.d/slrt.conf")),
            Command("buat pengguna slrt, slrt-backup dan slrt-power", ("sh", "-c", asked), ("systemd-sysusers", SYSUSERS)),
        ),
    )


def folders(site: Site) -> Step:
    """Where the node keeps what, each with its owner."""
    data, repository = site.settings.paths.data, site.settings.backup.repository
    return Step(
        "folder",
        "Folder",
        (
            Folder("/etc/slrt"),
            Folder(site.settings.paths.secrets, 0o700),
            Folder(site.settings.paths.certificates),
            # they hand on their group, by which the backups' user reads
            Folder(data, 0o2750, "slrt", READERS),
            Folder(f"{data}/database", 0o2770, "slrt", READERS),
            Folder(f"{data}/attachments", 0o2750, "slrt", READERS),
            Folder(str(site.settings.carried_log_key), 0o2750, "slrt", READERS),
            Folder(f"{data}/backup", 0o2750, KEEPER, READERS),
            Folder(f"{data}/backup/borg", 0o2700, KEEPER, READERS),
            Folder(f"{data}/backup/sticks", 0o2750, KEEPER, READERS),
            Folder(str(PurePosixPath(repository).parent)),
            Folder(repository, 0o700, KEEPER, KEEPER),
            Folder(site.settings.backup.stick_mounts),
            Folder(site.settings.backup.stick_state),
            Folder(site.settings.power.state, 0o755, "slrt-power", "slrt-power"),
            Folder("/var/lib/slrt-front"),
            File(TMPFILES, site.text("systemd/tmpfiles.d/slrt.conf")),
            Applied("tmpfiles", "siapkan folder sementara di /run", (TMPFILES,), (("systemd-tmpfiles", "--create", TMPFILES),)),
        ),
    )


def settings(site: Site) -> Step:
    """The settings file and the secrets."""
    folder = site.settings.paths.secrets
    names = (*RANDOM, SECONDARY_SECRET) if site.settings.power.lan_address else RANDOM
    # in a form that people can copy from paper, which the program knows; one that is there stays
    passphrase = Command("buat kata sandi cadangan", ("test", "-s", f"{folder}/{PASSPHRASE}"), (SLRT, "backup", "key", "create"))
    return Step(
        "pengaturan",
        "Pengaturan dan rahasia",
        (SettingsFile(site.settings), *(SecretFile(f"{folder}/{name}") for name in names), passphrase),
    )
