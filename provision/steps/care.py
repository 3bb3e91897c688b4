"""The care of the machine: what reads its hardware, that it has been read once, and the watchdog that starts a hung machine anew."""

from __future__ import annotations

from dataclasses import dataclass

from provision.change import Applied, Command, File, Running, Together
from provision.host import Host
from provision.step import Site, Step

READINGS = "/var/lib/slrt-care/readings.json"
PRODUCT = "/sys/class/dmi/id/product_name"
MODULES_FILE = "/etc/modules-load.d/slrt-watchdog.conf"
SYSTEM_FILE = "/etc/systemd/system.conf.d/slrt-watchdog.conf"
# Debian loads no driver of a watchdog by itself. The newest ML10 has no iLO, and with it another one.
DRIVERS = {"ProLiant ML10": "hpwdt", "ProLiant ML10 v2": "hpwdt", "ML10Gen9": "iTCO_wdt"}
# 60 s: hpwdt counts to 65 at most, and systemd feeds it twice in that time whatever services do. While units are stopped it goes on
# feeding; the long limit is for the very end, when nothing but the last writes of the disks is left.
SYSTEM = b"""# The hardware starts a machine anew whose systemd does not live any more.
[Manager]
RuntimeWatchdogSec=60
RebootWatchdogSec=10min
"""


@dataclass(frozen=True)
class WatchdogDriver:
    """The driver of the machine's watchdog is loaded at each start; of a machine that is not known none is."""

    path: str = MODULES_FILE

    def describe(self) -> str:
        return f"tulis {self.path} (penggerak watchdog menurut jenis mesin)"

    def is_done(self, host: Host) -> bool:
        return self._file(host).is_done(host)

    def perform(self, host: Host) -> None:
        self._file(host).perform(host)

    def _file(self, host: Host) -> File:
        product = (host.read(PRODUCT) or b"").decode(errors="replace").strip()
        driver = DRIVERS.get(product)
        text = (
            f"{driver}\n" if driver else "# Jenis mesin ini tidak dikenal; tulis nama penggerak watchdog-nya di sini bila ada.\n"
        )
        return File(self.path, text.encode())


def care(_site: Site) -> Step:
    """The reader of the hardware."""
    reader = Together((Running("slrt-care.timer", ("/etc/systemd/system/slrt-care.service",)), Running("slrt-support.path")))
    once = Command("baca keadaan perangkat keras", ("test", "-s", READINGS), ("systemctl", "start", "slrt-care.service"))
    armed = "systemctl restart systemd-modules-load.service; test ! -e /dev/watchdog0 || systemctl daemon-reexec"
    watchdog = (
        WatchdogDriver(),
        File(SYSTEM_FILE, SYSTEM),
        Applied("watchdog", "pasang watchdog perangkat keras", (MODULES_FILE, SYSTEM_FILE), (("sh", "-c", armed),)),
    )
    return Step("perawatan", "Perawatan perangkat keras", (*watchdog, reader, once))
