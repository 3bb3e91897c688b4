"""Taking the program off a machine: the services first, the guard of the power last, the data never.

What stays is enough to put the program back over it. Cut off anywhere it is simply repeated.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from appliance.config import Settings
from appliance.errors import ApplianceError, TryLater
from provision.change import STAMPS, insist
from provision.step import Step
from provision.steps.network import RULES
from provision.steps.units import NGINX_CONF, SCRIPT_FOLDER, UNIT_FOLDER
from provision.steps.ups import nut_off
from provision.upgrade import engine
from provision.upgrade.facts import is_restoring
from provision.upgrade.keeping import UNITS, paths_of
from provision.upgrade.node import Node

WORD = "LEPAS"
HOME = Path("/opt/slrt")
GUARD = ("slrt-watcher", "slrt-poweroff", "slrt-force-shutdown", "slrt-rtc-alarm", "slrt-upsmon-refresh", "slrt-power-check")
TABLE = ("inet", "slrt")
# Of all that the steps write, what belongs to the program; names, addresses and settings of the machine stay.
OURS = (
    f"{UNIT_FOLDER}/slrt",
    f"{SCRIPT_FOLDER}/",
    NGINX_CONF,
    "/usr/local/bin/slrt",
    "/etc/sysusers.d/slrt",
    "/etc/tmpfiles.d/slrt",
    "/etc/udev/rules.d/90-slrt",
    "/etc/systemd/journald.conf.d/slrt",
    RULES,
)


def remove(node: Node, steps: Sequence[Step], say: engine.Say, *, backup: bool) -> None:
    """Take the program away, after a last backup that was read back. Raises ApplianceError; the guard is on until nothing else is."""
    if is_restoring(node.settings):
        raise TryLater("Data sedang dipulihkan.", "Tunggu sampai selesai, lalu ulangi.")
    if backup:
        say("[1/4] Membuat cadangan terakhir dan membacanya kembali")
        engine.back_up(node)
    units = [Path(path) for path in paths_of(steps) if Path(path).parent == Path(UNIT_FOLDER) and Path(path).suffix in UNITS]
    guard = [unit.name for unit in units if unit.stem in GUARD]
    say("[2/4] Menghentikan layanan; penjaga listrik tetap berjaga")
    _off(node, [unit.name for unit in units if unit.name not in guard])
    say("[3/4] Menghentikan penjaga listrik dan melepas program")
    _off(node, guard)
    insist(node.host, ["sh", "-c", nut_off()])
    for path in paths_of(steps):
        if path.startswith(OURS) or _is_drop_in(Path(path)):
            Path(path).unlink(missing_ok=True)
    node.reload()
    # one that was stopped in the middle of its work would be listed as failed until the next start
    node.host.run(["systemctl", "reset-failed", "slrt*"])
    node.host.run(["nft", "delete", "table", *TABLE])
    told = _kept(node.settings)
    runtime = (node.place.runtime, Path(node.settings.paths.runtime), Path(node.settings.power.runtime))
    # without them a new installation does everything anew
    for folder in (Path(STAMPS), node.place.folder, node.place.public, *runtime, HOME):
        shutil.rmtree(folder, ignore_errors=True)
    say("[4/4] Program sudah dilepas. Yang tetap di tempatnya:")
    for line in told:
        say(line)


def _is_drop_in(path: Path) -> bool:
    """Whether it is what we add to the unit of another package."""
    return path.parent.parent == Path(UNIT_FOLDER) and path.name == "slrt.conf"


def _off(node: Node, units: Sequence[str]) -> None:
    with suppress(ApplianceError):  # one that is not there is off
        insist(node.host, ["systemctl", "disable", "--quiet", *units])
    node.stop(units)


def _kept(settings: Settings) -> list[str]:
    """What stays, where and how big, and what to know of it."""
    places = {
        "data kasus dan warga": settings.paths.data,
        "cadangan": str(Path(settings.backup.repository).parent),
        "pengaturan, kunci dan sertifikat": "/etc/slrt",
        "riwayat listrik": settings.power.state,
    }
    rows = [f"  {folder:<18} {_megabytes(Path(folder)):>9} MB  {what}" for what, folder in places.items()]
    return [
        *rows,
        "Paket Debian (nginx, NUT, borg, Python) dan pengguna slrt tetap; nginx bawaan Debian tetap dimatikan.",
        "Pengaturan mesin (alamat, jam, kunci SSH, pengerasan) tetap; hanya tembok api SLRT yang dilepas.",
        "Memasang kembali: ./install.sh; data lama dipakai lagi, tablet tetap percaya.",
        "Sebelum mesin dipindahtangankan, hapus disknya: lihat docs/upgrade.md.",
    ]


def _megabytes(folder: Path) -> str:
    size = sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())
    return f"{size / 1e6:.1f}".replace(".", ",")
