"""The files of the node's identity: authority, web certificate and the page that hands the authority out.

Works on the machine it runs on, as root: `renew` puts every file in place that is missing, old or of another authority, and
says what it did. The order of writing makes a kill between two files harmless: the next run sees it and goes on.
"""

from __future__ import annotations

import grp
import html
import ipaddress
import os
import string
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509

from appliance import clock
from appliance.config import Settings
from appliance.errors import ConfigurationError
from provision.certificates import (
    Address,
    Authority,
    Leaf,
    fingerprint,
    issue,
    make_authority,
    names_of,
    open_authority,
    usable,
    why_renew,
)
from provision.host import flush_folder, write_durably

HANDOUT = Path("/var/lib/slrt-front/index.html")
TEMPLATE = Path(__file__).parent / "templates" / "web" / "handout.html"


@dataclass(frozen=True)
class Places:
    """Where the files of the identity are; `front` is the group that serves the certificate."""

    identity: Path
    certificates: Path
    handout: Path
    front: str = "www-data"

    @classmethod
    def of(cls, settings: Settings) -> Places:
        return cls(settings.identity, Path(settings.paths.certificates), HANDOUT)


def own_addresses() -> tuple[Address, ...]:
    """The private addresses of this machine, as the kernel has them now."""
    done = subprocess.run(["hostname", "-I"], capture_output=True, text=True, check=False)
    return usable([ipaddress.ip_address(word.split("%")[0]) for word in done.stdout.split()])


def what_is_due(settings: Settings, places: Places, addresses: Sequence[Address], at: datetime) -> str:
    """Why `renew` would write something, as an Indonesian phrase; empty when all is in place. Writes nothing."""
    pem = _read(places.identity / "ca.crt")
    if pem is None or _read(places.identity / "ca.key") is None:
        return "simpul ini belum mempunyai CA"
    at = _believed(settings, at)
    why = why_renew(pem, _leaf(places), settings.node.hostname, addresses, at)
    if why:
        return why
    authority = x509.load_pem_x509_certificate(pem)
    wanted = _public_files(places, authority, pem, settings.node.hostname, addresses)
    wrong = [path.name for path, content in wanted.items() if _read(path) != content]
    return f"berkas {', '.join(wrong)} belum sesuai" if wrong else ""


def renew(settings: Settings, passphrase: str, places: Places, addresses: Sequence[Address], at: datetime) -> str:
    """Put everything in place; gives the reason it was due, empty when nothing was done.

    Raises ConfigurationError when the authority cannot be opened with `passphrase`.
    """
    at = _believed(settings, at)
    due = what_is_due(settings, places, addresses, at)
    if not due:
        return ""
    authority = _authority(settings, passphrase, places, at)
    if why_renew(authority.pem, _leaf(places), settings.node.hostname, addresses, at):
        leaf = issue(authority, settings.node.hostname, addresses, at)
        # The key first: a kill between the two leaves a pair that does not fit, which the next run replaces.
        write_durably(places.certificates / "web.key", leaf.key, 0o640, (0, grp.getgrnam(places.front).gr_gid))
        write_durably(places.certificates / "web.crt", leaf.chain, 0o644, (0, 0))
    public = _public_files(places, authority.certificate, authority.pem, settings.node.hostname, addresses)
    for path, content in public.items():
        if _read(path) != content:
            path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            write_durably(path, content, 0o644, (0, 0))
    return due


def _believed(settings: Settings, at: datetime) -> datetime:
    """With an empty clock battery a new address would bring a certificate that ended in 2016, and lock everybody out who knows the day."""
    return clock.at_least(at, clock.read_mark(clock.mark_file(settings)))


def _authority(settings: Settings, passphrase: str, places: Places, at: datetime) -> Authority:
    """The node's authority: the one that is there (also after a restore), else a new one."""
    pem, locked = _read(places.identity / "ca.crt"), _read(places.identity / "ca.key")
    if pem is not None and locked is not None:
        return open_authority(pem, locked, passphrase)
    if pem is not None:
        raise ConfigurationError(
            f"Kunci CA {places.identity / 'ca.key'} hilang.", "Pulihkan folder identity dari cadangan: slrt backup list"
        )
    authority = make_authority(settings.node.hostname, at)
    # the folder of the data hands on its group, by which the user of the backups reads
    data = places.identity.parent.stat()
    owner = (data.st_uid, data.st_gid)
    if not places.identity.is_dir():
        places.identity.mkdir(mode=0o750)
        os.chown(places.identity, *owner)
        flush_folder(places.identity.parent)
    # The key first: a certificate without its key is the one state that cannot be repaired.
    write_durably(places.identity / "ca.key", authority.locked_key(passphrase), 0o640, owner)
    write_durably(places.identity / "ca.crt", authority.pem, 0o640, owner)
    return authority


def _public_files(
    places: Places, authority: x509.Certificate, pem: bytes, hostname: str, addresses: Sequence[Address]
) -> dict[Path, bytes]:
    """What everybody may have: the authority's certificate in two forms, and the page."""
    der = ssl_der(authority)
    return {
        places.certificates / "ca.crt": pem,
        places.certificates / "ca.der.crt": der,
        places.handout: handout(authority, hostname, addresses),
    }


def ssl_der(certificate: x509.Certificate) -> bytes:
    """A certificate as DER, the form Android's installer wants."""
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.DER)


def handout(authority: x509.Certificate, hostname: str, addresses: Sequence[Address]) -> bytes:
    """The page on port 80: how a tablet or laptop comes to trust this node."""
    links = [f"https://{name}/" for name in (names_of(hostname)[0], *(str(a) for a in addresses if a.version == 4))]
    rows = "\n".join(f'      <li><a href="{html.escape(link)}">{html.escape(link)}</a></li>' for link in links)
    digits = fingerprint(authority).split(":")
    lines = [":".join(digits[start : start + 8]) for start in range(0, len(digits), 8)]
    template = string.Template(TEMPLATE.read_text(encoding="utf-8"))
    return template.substitute(links=rows, first=links[0], fingerprint="<br>".join(lines)).encode()


def _leaf(places: Places) -> Leaf | None:
    chain, key = _read(places.certificates / "web.crt"), _read(places.certificates / "web.key")
    return Leaf(chain, key) if chain and key else None


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes() or None
    except FileNotFoundError:
        return None
