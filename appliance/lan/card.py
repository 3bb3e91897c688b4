"""The address card on A5: how the node is reached, as names and as QR codes, and the fingerprint by which a tablet knows it.

It hangs where the tablets are handed out. It holds nothing secret: whoever reads it still needs an account.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from jinja2 import Environment, PackageLoader, StrictUndefined

from appliance.config import Settings
from appliance.errors import Conflict
from appliance.lan.rules import Present
from appliance.letters.sheet import qr_uri

PAIRS_A_LINE = 8


def draw(settings: Settings, present: Present | None, at: datetime) -> str:
    """The card as one page to print. Raises Conflict without an address or a certificate."""
    if present is None or not present.addresses:
        raise Conflict(
            "Alamat simpul ini belum diketahui.", "Periksa kabel jaringan, lalu tekan Periksa lagi di halaman Jaringan."
        )
    address = present.addresses[0].split("/")[0]
    name = f"{settings.node.hostname}.home.arpa"
    # a name is the better address, where the devices are sure to ask the node for it
    opened = f"https://{name}/" if settings.network.dhcp else f"https://{address}/"
    return (
        _frames()
        .get_template("card.html")
        .render(
            office=settings.node.office,
            day=at.astimezone(settings.zone).strftime("%d-%m-%Y"),
            trust=f"http://{address}/",
            trust_qr=qr_uri(f"http://{address}/"),
            opened=opened,
            opened_qr=qr_uri(opened),
            others=[
                text
                for text in (f"https://{name}/", f"https://{settings.node.hostname}.local/", f"https://{address}/")
                if text != opened
            ],
            fixed=present.fixed,
            fingerprint=fingerprint_lines(read_authority(settings)),
        )
    )


def fingerprint_lines(authority: x509.Certificate) -> list[str]:
    """The fingerprint as the page that hands the certificate out shows it, line by line."""
    digits = authority.fingerprint(hashes.SHA256()).hex(":").upper().split(":")
    return [":".join(digits[start : start + PAIRS_A_LINE]) for start in range(0, len(digits), PAIRS_A_LINE)]


def read_authority(settings: Settings) -> x509.Certificate:
    """The certificate of the node's own authority. Raises Conflict when it cannot be read."""
    try:
        return x509.load_pem_x509_certificate((Path(settings.paths.certificates) / "ca.crt").read_bytes())
    except (OSError, ValueError) as error:
        raise Conflict(
            "Sertifikat CA simpul ini tidak dapat dibaca.", "Jalankan di server: sudo slrt-provision renew-certificate"
        ) from error


def _frames() -> Environment:
    loader = PackageLoader("appliance.lan", "frames")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
