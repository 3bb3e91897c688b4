"""What makes an installed program a node: its database, its repository, its first administrator, its first backup."""

from __future__ import annotations

from dataclasses import dataclass

from provision.change import Command, insist
from provision.host import Host
from provision.step import SIGN_IN_FILE, SLRT, Site, Step

# `slrt backup list --json` of a node that never backed up is an empty list
HAS_BACKUP = f"{SLRT} backup list --json | grep -q '\"id\"'"


@dataclass(frozen=True)
class FirstAdmin:
    """Somebody can sign in: an administrator exists. His one-time password goes into a file, never through a terminal."""

    username: str

    def describe(self) -> str:
        return f"buat akun administrator pertama {self.username}; sandi sekali pakai di {SIGN_IN_FILE}"

    def is_done(self, host: Host) -> bool:
        return host.run([SLRT, "user", "first-admin", "--check"]).worked

    def perform(self, host: Host) -> None:
        insist(host, [SLRT, "user", "first-admin", self.username, "--to", SIGN_IN_FILE], secret=True)


def database(site: Site) -> Step:
    """The tables and the areas."""
    del site
    asked, do = (SLRT, "database", "check"), (SLRT, "database", "upgrade")
    return Step("basis-data", "Basis data", (Command("siapkan tabel dan daftar wilayah", asked, do),))


def repository(site: Site) -> Step:
    """The encrypted repository of the backups."""
    asked = ("test", "-f", f"{site.settings.backup.repository}/config")
    made = Command("buat gudang cadangan terenkripsi", asked, (SLRT, "backup", "init"))
    return Step("gudang-cadangan", "Gudang cadangan", (made,))


def first_admin(site: Site) -> Step:
    """The first administrator."""
    return Step("administrator", "Administrator pertama", (FirstAdmin(site.admin),))


def first_backup(site: Site) -> Step:
    """The first backup: from the first hour on there is something to restore, and the status is green."""
    del site
    first = Command("jalankan pencadangan pertama", ("sh", "-c", HAS_BACKUP), (SLRT, "backup", "run"))
    return Step("cadangan", "Cadangan pertama", (first,))
