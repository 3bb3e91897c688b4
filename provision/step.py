"""What a step is and what it is made of: a named list of changes, worked out from the site alone.

`Site` holds what the operator decided and where the program's own files are; steps turn it into changes without looking at the
machine, so that a plan and an apply cannot differ.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from appliance.config import Settings
from appliance.errors import ConfigurationError
from appliance.lan.rules import Wanted
from provision.change import Change
from provision.host import Host

CURRENT = "/opt/slrt/current"
SLRT = f"{CURRENT}/venv/bin/slrt"
PROVISION = f"{CURRENT}/venv/bin/slrt-provision"
DEFAULT_ADMIN = "admin.it"
SIGN_IN_FILE = "/root/slrt-first-sign-in.txt"


def source_tree() -> Path:
    """The tree this program came from: a checkout, or the copy beside the environment of an installed release.

    Raises ConfigurationError when neither is there.
    """
    package = Path(__file__).resolve().parent
    for folder in (package.parent, *(parent / "source" for parent in package.parents)):
        if (folder / "systemd" / "slrt.target").is_file():
            return folder
    raise ConfigurationError("Berkas sumber SLRT (folder systemd) tidak ditemukan.", "Ulangi ./install.sh dari folder sumbernya.")


@dataclass(frozen=True)
class Step:
    """One step of putting a machine into shape. `name` is stable and typed by people; `title` is read by them."""

    name: str
    title: str
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Site:
    """The node to be made.

    `address` is the fixed address that was wished, None to leave the machine the one it has. `admin` is the user name of the first administrator; `debian` the release, 12 or 13; `source` the tree with systemd/ and
    provision/templates/, read while the steps are worked out.
    """

    settings: Settings
    admin: str
    debian: int
    source: Path = field(default_factory=source_tree)
    address: Wanted | None = None

    def text(self, name: str) -> bytes:
        """A file of the source tree."""
        return (self.source / name).read_bytes()


def debian_of(host: Host) -> int:
    """The release of Debian on the machine. Raises ConfigurationError for anything else than 12 and 13."""
    text = (host.read("/etc/os-release") or b"").decode(errors="replace")
    found = dict(re.findall(r'^(ID|VERSION_ID|PRETTY_NAME)="?([^"\n]*)"?$', text, re.MULTILINE))
    if found.get("ID") != "debian" or found.get("VERSION_ID") not in ("12", "13"):
        raise ConfigurationError(
            f"{host.name} memakai {found.get('PRETTY_NAME', 'sistem yang tidak dikenal')}, bukan Debian 12 atau 13.",
            "Pasang Debian 12 atau 13.",
        )
    return int(found["VERSION_ID"])
