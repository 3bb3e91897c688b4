"""The machine below the node: its name, its packages, its journal."""

from __future__ import annotations

from dataclasses import dataclass

from provision.apt import Backports, Configured, Packages
from provision.change import Absent, Applied, Change, Command, File, Masked, Running
from provision.host import Host
from provision.step import Site, Step
from provision.steps import hardening, network, ups

CODENAMES = {12: "bookworm", 13: "trixie"}
BASE_PACKAGES = (
    "ca-certificates",
    "python3-venv",
    "nginx-light",
    "borgbackup",
    "avahi-daemon",
    "dbus",
    "openssl",
    "e2fsprogs",
    "smartmontools",
    "util-linux",
)
# What WeasyPrint draws letters with, and the letters' own shapes.
PRINT_PACKAGES = ("libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0", "fonts-liberation", "fonts-dejavu-core")
# The node runs its own nginx unit; Debian's would take port 80. Debian's watcher of disks would write letters to root that nobody reads,
# and what stops with the machine to bring updates would hold up a shutdown.
HELD_BACK = ("nginx.service", "smartmontools.service", "unattended-upgrades.service")
BORG_AT_LEAST = ("borgbackup", "1.4")
JOURNAL_LIMITS = b"""# The journal of a node must survive a power cut and must not fill the disk.
[Journal]
Storage=persistent
SystemMaxUse=500M
SystemKeepFree=1G
"""


@dataclass(frozen=True)
class HostsLine:
    """The machine finds itself under its own name, also without a network."""

    hostname: str

    def describe(self) -> str:
        return f"tulis nama {self.hostname} di /etc/hosts"

    def is_done(self, host: Host) -> bool:
        return self._line in (host.read("/etc/hosts") or b"").splitlines()

    def perform(self, host: Host) -> None:
        old = (host.read("/etc/hosts") or b"127.0.0.1 localhost\n").splitlines()
        kept = [line for line in old if not line.startswith(b"127.0.1.1")]
        host.write("/etc/hosts", b"\n".join([*kept, self._line]) + b"\n", 0o644, "root", "root")

    @property
    def _line(self) -> bytes:
        return f"127.0.1.1 {self.hostname}.local {self.hostname}".encode()


def name(site: Site) -> Step:
    """The name on the network."""
    hostname = site.settings.node.hostname
    asked = ("sh", "-c", 'test "$(hostname)" = "$1"', "sh", hostname)
    return Step(
        "nama",
        "Nama mesin",
        (
            File("/etc/hostname", f"{hostname}\n".encode()),
            HostsLine(hostname),
            Command(f"pakai nama {hostname} sekarang", asked, ("hostname", hostname)),
        ),
    )


def packages(site: Site) -> Step:
    """Debian's packages. nginx and NUT must not start with settings that are not ours, so they are held back first."""
    names = BASE_PACKAGES + PRINT_PACKAGES + network.PACKAGES + hardening.PACKAGES + ups.packages(site.settings.power)
    changes: list[Change] = [Configured(), Masked(HELD_BACK)]
    if site.debian == 12:
        changes.append(Backports(CODENAMES[site.debian], *BORG_AT_LEAST))
    changes.append(Packages(names, (BORG_AT_LEAST,)))
    return Step("paket", "Paket Debian", tuple(changes))


def journal(site: Site) -> Step:
    """Limits of the journal, and the name that laptops find by multicast."""
    limits = "/etc/systemd/journald.conf.d/slrt.conf"
    return Step(
        "jurnal",
        "Jurnal sistem dan nama di jaringan",
        (
            File(limits, JOURNAL_LIMITS),
            Applied("journald", "pakai batas jurnal", (limits,), (("systemctl", "restart", "systemd-journald.service"),)),
            # NUT's package would announce the UPS to the whole office.
            Absent("/etc/avahi/services/nut.service"),
            Running("avahi-daemon.service", ("/etc/hostname",)),
        ),
    )
