"""Debian packages: what is missing, and how to install it on a machine that may be busy, half-configured or offline.

Knows apt and dpkg, not what the packages are for. Waits for another apt run to end, as there is one after every boot. While a checked
bundle lies unpacked on the machine, apt is given its packages and asks no other source.
"""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Sequence
from dataclasses import dataclass

from appliance import __version__
from appliance.errors import ApplianceError, TryLater
from provision.change import insist
from provision.host import Host, Outcome

ENVIRONMENT = ("env", "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive", "NEEDRESTART_MODE=l")
PATIENCE = 300  # seconds for another apt to end
PAUSE = 5
# written by open_bundle.sh after it has looked at every file of the bundle, gone when its installation ends
WITHIN_BUNDLE = "/var/lib/slrt-install/bundle/apt.conf"
OFFLINE_WAY = f"tanpa jaringan: bash install.sh --bundle slrt-node-{__version__}.slrt"
OFFLINE = re.compile(r"Temporary failure|Could not resolve|Could not connect|Unable to connect|Failed to fetch|Connection failed")
OLD_NAMES = {"bookworm": "oldstable", "trixie": "stable"}  # some machines name the suite, not the release
LOCKED = re.compile(r"Could not get lock|Unable to acquire|(?:is|was) locked by another|Unable to lock")


_HALF = r"""test "$(dpkg-query -W -f='${db:Status-Status}\n' | grep -cE '^(unpacked|half-configured|triggers-)')" = 0 &&
! ls /var/lib/dpkg/updates/[0-9]* >/dev/null 2>&1"""


@dataclass(frozen=True)
class Configured:
    """No package is left half-way, whosever it is: a power cut during an installation leaves them unpacked, and apt refuses then."""

    def describe(self) -> str:
        return "selesaikan paket Debian yang setengah terpasang"

    def is_done(self, host: Host) -> bool:
        return host.run(["sh", "-c", _HALF]).worked

    def perform(self, host: Host) -> None:
        patiently(host, [*ENVIRONMENT, "dpkg", "--configure", "-a", "--force-confold"])


@dataclass(frozen=True)
class Packages:
    """These packages are installed; `at_least` gives the lowest version that will do."""

    names: tuple[str, ...]
    at_least: tuple[tuple[str, str], ...] = ()

    def describe(self) -> str:
        return "pasang paket Debian: " + " ".join(self.names)

    def is_done(self, host: Host) -> bool:
        return not self.missing(host)

    def missing(self, host: Host) -> list[str]:
        """The packages that are absent, half-configured or too old."""
        form = "${Package} ${db:Status-Status} ${Version}\n"
        listed = host.run(["dpkg-query", "-W", f"-f={form}", *self.names]).output
        installed = {words[0]: words[2] for words in map(str.split, listed.splitlines()) if words[1:2] == ["installed"]}
        old = [name for name, least in self.at_least if name in installed and not _reaches(host, installed[name], least)]
        return [name for name in self.names if name not in installed or name in old]

    def perform(self, host: Host) -> None:
        refresh(host)
        missing = self.missing(host)
        if missing:
            apt(host, "install", "--yes", "--no-install-recommends", "-o", "Dpkg::Options::=--force-confold", *missing)


@dataclass(frozen=True)
class Backports:
    """Debian's backports as a source for exactly one package, on the mirror that this machine uses already.

    Only where the package is to be fetched: a machine that has it from a bundle gets no source that it could not reach.
    """

    codename: str
    package: str
    at_least: str

    @property
    def source(self) -> str:
        return f"/etc/apt/sources.list.d/slrt-{self.codename}-backports.sources"

    @property
    def preferences(self) -> str:
        return f"/etc/apt/preferences.d/slrt-{self.codename}-backports"

    def describe(self) -> str:
        return f"izinkan paket {self.package} dari {self.codename}-backports (hanya paket itu)"

    def is_done(self, host: Host) -> bool:
        if host.read(self.source) is not None:
            return host.read(self.preferences) == self.pins()
        return within_bundle(host) or not Packages((self.package,), ((self.package, self.at_least),)).missing(host)

    def perform(self, host: Host) -> None:
        # The pins first: no moment at which the source could bring anything else.
        host.write(self.preferences, self.pins(), 0o644, "root", "root")
        entry = (
            "# Only for the package named in preferences.d/slrt-*-backports.\n"
            f"Types: deb\nURIs: {self._mirror(host)}\nSuites: {self.codename}-backports\nComponents: main\n"
            "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n"
        )
        host.write(self.source, entry.encode(), 0o644, "root", "root")

    def pins(self) -> bytes:
        """apt's preferences: nothing from the backports but the one package."""
        release = f"Pin: release n={self.codename}-backports"
        return (f"Package: *\n{release}\nPin-Priority: 1\n\nPackage: {self.package}\n{release}\nPin-Priority: 990\n").encode()

    def _mirror(self, host: Host) -> str:
        """The address from which the machine takes Debian itself."""
        form = "$(RELEASE) $(COMPONENT) $(REPO_URI)"
        listed = insist(host, ["apt-get", "indextargets", "--format", form, "Created-By: Packages"])
        for line in listed.splitlines():
            release, component, address = line.split(" ", 2)
            if release in (self.codename, OLD_NAMES[self.codename]) and component == "main":
                return address
        raise ApplianceError(
            f"Sumber paket Debian {self.codename} tidak ditemukan dalam pengaturan apt.",
            f"Tambahkan sumber {self.codename} main di /etc/apt/sources.list, lalu ulangi.",
        )


def within_bundle(host: Host) -> bool:
    """Whether a bundle lies unpacked on the machine, so that its packages are there without a network."""
    return host.look(WITHIN_BUNDLE) is not None


def refresh(host: Host) -> None:
    """Fetch the lists of packages. Raises TryLater without a network, or while another apt does not end."""
    apt(host, "update")


def apt(host: Host, *arguments: str) -> Outcome:
    """apt-get, with patience for another apt. Raises TryLater for no network and a lasting lock, else ApplianceError."""
    within = ["-c", WITHIN_BUNDLE] if within_bundle(host) else []
    return patiently(host, [*ENVIRONMENT, "apt-get", "-q", "-o", f"DPkg::Lock::Timeout={PATIENCE}", *within, *_strict(arguments)])


def patiently(host: Host, command: Sequence[str]) -> Outcome:
    """A program of Debian's packages, again as long as another one holds the lock. Raises as `apt` does."""
    deadline = time.monotonic() + PATIENCE
    while True:
        outcome = host.run(command)
        if outcome.worked:
            return outcome
        if not LOCKED.search(outcome.errors):
            break
        # apt waits for dpkg's lock by itself, but not for the one on its lists
        if time.monotonic() > deadline:
            raise TryLater("Program apt lain sedang berjalan dan tidak selesai.", "Tunggu sampai selesai, lalu ulangi.")
        time.sleep(PAUSE)
    last = "\n".join(outcome.errors.strip().splitlines()[-8:])
    if OFFLINE.search(outcome.errors):
        raise TryLater(
            f"Paket Debian tidak dapat diambil:\n{last}", f"Periksa jaringan, lalu ulangi ./install.sh; {OFFLINE_WAY}."
        )
    typed = shlex.join(command[len(ENVIRONMENT) :])
    raise ApplianceError(f"{typed} gagal:\n{last}", "Perbaiki, lalu ulangi: apt-get -f install")


def _strict(arguments: Sequence[str]) -> list[str]:
    # Without this a list that could not be fetched is a warning and exit code 0.
    return [*arguments, "-o", "APT::Update::Error-Mode=any"] if arguments[0] == "update" else list(arguments)


def _reaches(host: Host, version: str, least: str) -> bool:
    return host.run(["dpkg", "--compare-versions", version, "ge", least]).worked
