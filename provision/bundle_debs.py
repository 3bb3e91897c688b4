"""Debian's packages for a bundle, for either release on either release: apt itself resolves and fetches them, apart from this machine.

apt is given a state folder of its own in which nothing is installed, so that the answer is the same on every machine and a bare Debian of
whatever age finds all it could need. Debian's keyring decides what is genuine; the mirror is the one this machine uses.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from appliance.errors import ApplianceError, ConfigurationError, TryLater
from provision.apt import OFFLINE, OLD_NAMES
from provision.packages import Needed
from provision.steps.machine import CODENAMES

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
PACKAGES = "Packages"


@dataclass(frozen=True)
class Deb:
    """One package: its file in the flat repository and its paragraph there. `size` in bytes."""

    name: str
    version: str
    architecture: str
    sha256: str
    size: int
    paragraph: str

    @property
    def file(self) -> str:
        """The name of its file: without the epoch, which apt would escape."""
        return f"{self.name}_{self.version.partition(':')[2] or self.version}_{self.architecture}.deb"


@dataclass(frozen=True)
class Apt:
    """apt with a state of its own in `folder`, for the release `codename`; `mirrors` are lines of sources."""

    folder: Path
    mirrors: tuple[str, ...]
    pins: bytes

    def prepare(self) -> None:
        """Lay out the folder and fetch the lists. Raises TryLater without a network, ApplianceError when apt refuses."""
        for name in ("lists/partial", "archives/partial", "none/partial"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        (self.folder / "sources.list").write_text("".join(f"{line}\n" for line in self.mirrors))
        (self.folder / "preferences").write_bytes(self.pins)
        (self.folder / "status").write_bytes(b"")
        self.run("apt-get", "update", "-o", "APT::Update::Error-Mode=any")

    def chosen(self, names: Sequence[str]) -> list[str]:
        """name=version of everything that `names` need on a machine with nothing at all."""
        # an empty archive: what was fetched earlier would not be listed
        listed = self.run("apt-get", "install", "--yes", "--print-uris", "-o", f"Dir::Cache::Archives={self.folder}/none", *names)
        files = (unquote(line.split(" ")[1]) for line in listed.splitlines() if line.startswith("'"))
        return sorted("=".join(file.split("_")[:2]) for file in files)

    def fetch(self, names: Sequence[str]) -> None:
        """Download them into `folder`/archives."""
        self.run("apt-get", "install", "--yes", "--download-only", *names)

    def run(self, program: str, *arguments: str) -> str:
        """Run apt-get or apt-cache in that state and give what it prints."""
        done = subprocess.run(
            [program, "-q", *self._options(), *arguments],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"},
        )
        if done.returncode == 0:
            return done.stdout
        last = "\n".join(done.stderr.strip().splitlines()[-8:])
        kind = TryLater if OFFLINE.search(done.stderr) else ApplianceError
        raise kind(
            f"{program} {arguments[0]} gagal:\n{last}", "Periksa jaringan dan /etc/apt/sources.list mesin ini, lalu ulangi."
        )

    def _options(self) -> Iterable[str]:
        places = {"Lists": "lists", "Status": "status", "extended_states": "extended_states"}
        settings = {f"Dir::State::{key}": f"{self.folder}/{name}" for key, name in places.items()}
        settings |= {"Dir::Cache::Archives": f"{self.folder}/archives", "Dir::Cache::PkgCache": "", "Dir::Cache::SrcPkgCache": ""}
        settings |= {"Dir::Etc::SourceList": f"{self.folder}/sources.list", "Dir::Etc::SourceParts": "/dev/null"}
        settings |= {"Dir::Etc::Preferences": f"{self.folder}/preferences", "Dir::Etc::PreferencesParts": "/dev/null"}
        settings |= {"APT::Architecture": "amd64", "APT::Architectures": "amd64", "APT::Install-Recommends": "false"}
        settings |= {
            "APT::Default-Release": "",
            "Acquire::Languages": "none",
            "APT::Sandbox::User": "root",
            "Debug::NoLocking": "1",
        }
        return [part for key, value in settings.items() for part in ("-o", f"{key}={value}")]


def fetch_debs(debian: int, wanted: Needed, state: Path, repository: Path) -> list[Deb]:
    """Make `repository` (an empty folder) a flat repository of all that `wanted` needs; `state` may be used again the next time.

    Gives its packages, sorted. Raises ConfigurationError on a machine that is no Debian, TryLater without a network.
    """
    apt = Apt(state, tuple(sources(debian, wanted)), b"\n".join(change.pins() for change in wanted.backports))
    apt.prepare()
    apt.fetch(wanted.names)
    debs = _debs(apt.run("apt-cache", "show", *apt.chosen(wanted.names)))
    known = {(deb.name, deb.version): deb for deb in debs}
    for path in sorted((state / "archives").glob("*.deb")):
        name, version = unquote(path.name).split("_")[:2]
        deb = known.pop((name, version), None)
        if deb is None:
            path.unlink()  # of an earlier time
        else:
            _copy(path, deb, repository / deb.file)
    if known:
        raise ApplianceError(f"Paket tidak terambil: {', '.join(sorted(name for name, _ in known))}.", "Ulangi.")
    (repository / PACKAGES).write_text("\n".join(deb.paragraph for deb in debs))
    return debs


def sources(debian: int, wanted: Needed) -> list[str]:
    """The lines of sources for Debian `debian`, on the mirrors that this machine takes its own Debian from."""
    if not KEYRING.is_file():
        raise ConfigurationError(f"{KEYRING} tidak ada.", "Pasang: apt-get install debian-archive-keyring")
    own, codename = _codename(), CODENAMES[debian]
    listed = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(RELEASE) $(COMPONENT) $(REPO_URI)", "Created-By: Packages"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    suites = [(codename, ""), (f"{codename}-updates", "-updates"), (f"{codename}-security", "-security")]
    suites += [(f"{codename}-backports", "") for _ in wanted.backports[:1]]
    found = [(suite, mirror_of(listed, own, kind)) for suite, kind in suites]
    if not found[0][1]:
        raise ConfigurationError(f"Sumber paket Debian {own} tidak ditemukan dalam pengaturan apt.", "Tambahkan di sources.list.")
    return [f"deb [arch=amd64 signed-by={KEYRING}] {address} {suite} main" for suite, address in found if address]


def mirror_of(listed: str, codename: str, kind: str) -> str:
    """The address that brings `codename` + `kind` ("", "-updates", "-security") in apt's list of targets; "" when none does."""
    names = {f"{codename}{kind}", f"{OLD_NAMES.get(codename, codename)}{kind}"}
    rows = (line.split(" ", 2) for line in listed.splitlines() if line.count(" ") >= 2)
    return next((address for release, component, address in rows if release in names and component == "main"), "")


def _codename() -> str:
    found = re.search(r"^VERSION_CODENAME=(\w+)$", Path("/etc/os-release").read_text(encoding="utf-8"), re.MULTILINE)
    if found is None:
        raise ConfigurationError(
            "Mesin ini bukan Debian; bundel dibuat di Debian 12 atau 13.", "Pakai mesin Debian dengan jaringan."
        )
    return found[1]


def _debs(shown: str) -> list[Deb]:
    """The packages in what apt-cache showed, each once, with paragraphs for a flat repository."""
    debs = {}
    for text in shown.strip().split("\n\n"):
        fields = dict(re.findall(r"^([A-Za-z0-9-]+): (.*)$", text, re.MULTILINE))
        deb = Deb(fields["Package"], fields["Version"], fields["Architecture"], fields["SHA256"], int(fields["Size"]), "")
        paragraph = re.sub(r"^Filename: .*$", f"Filename: ./{deb.file}", text, flags=re.MULTILINE) + "\n"
        debs[deb.name, deb.version] = Deb(deb.name, deb.version, deb.architecture, deb.sha256, deb.size, paragraph)
    return [debs[key] for key in sorted(debs)]


def _copy(path: Path, deb: Deb, target: Path) -> None:
    """Into the repository, compared with the list that Debian signed: apt looks only at the size of what it has already."""
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != deb.sha256:
        path.unlink()
        raise ApplianceError(f"{path.name} tidak sama dengan daftar Debian; salinannya dihapus.", "Ulangi.")
    target.write_bytes(content)
