"""What makes an installed program a node: its database, its repository, its first administrator, its first backup."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from provision.change import Applied, Command, Folder, insist
from provision.host import Host
from provision.step import CURRENT, SIGN_IN_FILE, SLRT, Site, Step
from provision.steps.files import READERS, SETTINGS_FILE


@dataclass(frozen=True)
class FirstAdmin:
    """Somebody can sign in: an administrator exists. His one-time password goes into a file, never through a terminal."""

    username: str
    proves: bool = True

    def describe(self) -> str:
        return f"buat akun administrator pertama {self.username}; sandi sekali pakai di {SIGN_IN_FILE}"

    def is_done(self, host: Host) -> bool:
        accounts = _listed(host, SLRT, "user", "list", "--json")
        # the roles are listed as people call them: "Admin sistem"
        return any(
            account["active"] and any(role.lower().startswith("admin") for role in account["roles"]) for account in accounts
        )

    def perform(self, host: Host) -> None:
        insist(host, [SLRT, "user", "first-admin", self.username, "--to", SIGN_IN_FILE], secret=True)


@dataclass(frozen=True)
class FirstBackup:
    """There is something to restore from the first hour on: the last outcome file names a good backup in the repository."""

    outcome: str
    repository: str

    def describe(self) -> str:
        return "jalankan pencadangan pertama"

    def is_done(self, host: Host) -> bool:
        # not asked of the repository: it may be locked by the backup of this very minute
        try:
            told = json.loads(host.read(self.outcome) or b"{}")
        except ValueError:
            return False
        return bool(told.get("last_good")) and host.look(f"{self.repository}/config") is not None

    def perform(self, host: Host) -> None:
        insist(host, [SLRT, "backup", "run"])


def _listed(host: Host, *command: str) -> list[dict[str, Any]]:
    """What a command lists as JSON; nothing while it does not work yet."""
    outcome = host.run(command)
    if not outcome.worked:
        return []
    try:
        found: list[dict[str, Any]] = json.loads(outcome.output)
    except ValueError:
        return []
    return found


def database(site: Site) -> Step:
    """The tables and the areas, again for every release and every change of the settings (another district)."""
    files = () if site.settings.database.url else (str(site.settings.database_file),)
    do = (SLRT, "database", "upgrade")
    made = Applied("database", "siapkan tabel dan daftar wilayah", (CURRENT, SETTINGS_FILE), (do,), files)
    return Step("basis-data", "Basis data", (made,))


def custody(_site: Site) -> Step:
    """The backups belong to a user of their own, who may read the data: also what was there before he was."""
    give = (SLRT, "backup", "custody")
    made = Command("serahkan cadangan kepada pengguna slrt-backup", (*give, "--check"), give)
    return Step("pemilik-cadangan", "Pemilik cadangan", (made,))


def repository(site: Site) -> Step:
    """The encrypted repository of the backups, and beside it where the log of the database is carried over to by whoever serves it.

    In this order: `init` refuses while the disk is away, and a folder on the disk below it would keep the log from safety unseen.
    """
    asked = ("test", "-f", f"{site.settings.backup.repository}/config")
    made = Command("buat gudang cadangan terenkripsi", asked, (SLRT, "backup", "init"))
    log = Folder(str(site.settings.carried_log), 0o2750, "slrt", READERS)
    return Step("gudang-cadangan", "Gudang cadangan", (made, log))


def first_admin(site: Site) -> Step:
    """The first administrator."""
    return Step("administrator", "Administrator pertama", (FirstAdmin(site.admin),))


def first_backup(site: Site) -> Step:
    """The first backup: with it the status is green."""
    change = FirstBackup(f"{site.settings.paths.data}/backup/outcome.json", site.settings.backup.repository)
    return Step("cadangan", "Cadangan pertama", (change,))
