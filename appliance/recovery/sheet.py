"""The recovery sheet on A4: the passphrase as a QR code and in groups, which repositories it opens, and the way back in six steps.

Two for the office's passphrase (the head's safe, the district's IT office in another building), one for the second passphrase,
which the head of the district keeps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from jinja2 import Environment, PackageLoader, StrictUndefined

from appliance.config import Settings
from appliance.letters.sheet import qr_uri
from appliance.recovery.record import fingerprint_of
from backups.passphrase import groups_of

HOLDERS = ("Kepala dinas: simpan di brankas kantor.", "Bidang TI kabupaten: simpan di gedung lain.")
SECOND_HOLDER = "Kepala daerah atau yang ditunjuk: kata sandi kedua, simpan tersegel."
STEPS = (
    "Siapkan mesin dengan Debian 12 atau 13. Pasang stik cadangan (namanya: lsblk), lalu sebagai root: "
    "mount -o ro,nosuid,nodev,noexec /dev/sdX /mnt",
    "Pasang program dari stik: bash /mnt/program/install.sh. Bila berkas itu tidak ada, mesin memerlukan jaringan: "
    "mkdir /root/slrt; tar -xzf /mnt/program/slrt-*.tar.gz -C /root/slrt; bash /root/slrt/install.sh",
    "Ketik kata sandi di atas ke berkas: nano /root/sandi, lalu chmod 600 /root/sandi",
    "Lihat isinya: slrt backup list --repository /mnt/slrt --passphrase-file /root/sandi",
    "Pulihkan: slrt backup restore terakhir --in-place --repository /mnt/slrt --passphrase-file /root/sandi",
    "Periksa: slrt status, masuk, lihat satu kasus yang dikenal. Lalu hapus: shred -u /root/sandi",
)
SECOND_STEP = (
    "Bila yang dipegang kata sandi kedua: salin dahulu folder slrt dari stik ke disk mesin (cp -a /mnt/slrt /root/cadangan), lalu "
    "borg key import /root/cadangan /root/cadangan/kunci-kedua.txt, dan pakai /root/cadangan pada langkah 4 dan 5."
)


@dataclass(frozen=True)
class Vault:
    """One repository that the passphrase opens: what people call it, and its id."""

    name: str
    identity: str


def draw(settings: Settings, passphrase: str, second: str, vaults: Sequence[Vault], at: datetime) -> str:
    """The sheets as one page to print: two of the passphrase, and one of the second unless that is empty."""
    papers = [(passphrase, holder, False) for holder in HOLDERS]
    if second:
        papers.append((second, SECOND_HOLDER, True))
    return (
        _frames()
        .get_template("sheet.html")
        .render(
            office=settings.node.office,
            hostname=settings.node.hostname,
            day=at.astimezone(settings.zone).strftime("%d-%m-%Y"),
            vaults=vaults,
            steps=STEPS,
            second_step=SECOND_STEP,
            papers=[
                {
                    "holder": holder,
                    "qr": qr_uri(text),
                    "groups": groups_of(text),
                    "fingerprint": fingerprint_of(text),
                    "second": is_second,
                }
                for text, holder, is_second in papers
            ],
        )
    )


def _frames() -> Environment:
    loader = PackageLoader("appliance.recovery", "frames")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
