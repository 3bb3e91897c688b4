"""The files of /sys and /proc by which install.sh knows a machine: three ML10 as they were probed, and whatever differs from them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

SECTOR = 512
GIGABYTE = 1000**3


@dataclass(frozen=True)
class Disk:
    """`place` is where it hangs: in the device tree a stick is below a USB port."""

    name: str
    gigabytes: int = 2000
    place: str = "pci0000:00/0000:00:1f.2/ata1"
    removable: bool = False


@dataclass(frozen=True)
class Pci:
    """A device on the bus; `driver` empty: nobody took it."""

    kind: str
    vendor: str
    device: str
    driver: str


@dataclass(frozen=True)
class Card:
    """A network card; `carrier` None: the card is down, and the kernel has no answer."""

    name: str
    driver: str
    carrier: bool | None = True
    wireless: bool = False


@dataclass(frozen=True)
class Hardware:
    """A machine; what is None or empty is not there. `ecc` counts corrected and lost errors."""

    vendor: str
    product: str
    pci: tuple[Pci, ...]
    cards: tuple[Card, ...]
    watchdog: str | None
    memory_mib: int = 7900
    ecc: tuple[int, int] | None = (0, 0)
    disks: tuple[Disk, ...] = (Disk("sda"), Disk("sdb"))
    clock: str | None = "2026-11-29"
    engine: str | None = None
    usb_vendors: tuple[str, ...] = ("1d6b", "051d")
    efi: bool = False

    def lay(self, root: Path) -> Path:
        """Write it below `root`, which must not exist yet."""
        _lay_board(self, root)
        _lay_disks(self.disks, root / "sys")
        _lay_cards(self.cards, root / "sys")
        for number, device in enumerate(self.pci):
            folder = root / f"sys/bus/pci/devices/0000:00:{number:02x}.0"
            write(folder / "class", device.kind)
            write(folder / "vendor", device.vendor)
            write(folder / "device", device.device)
            if device.driver:
                (folder / "driver").symlink_to(f"../../drivers/{device.driver}")
                (root / f"sys/bus/pci/drivers/{device.driver}").mkdir(parents=True, exist_ok=True)
        return root


AHCI, RAID, ETHERNET = "0x010601", "0x010400", "0x020000"

ML10 = Hardware(
    "HP",
    "ProLiant ML10",
    (Pci(AHCI, "0x8086", "0x1c02", "ahci"), Pci(ETHERNET, "0x8086", "0x10d3", "e1000e")),
    (Card("eno1", "e1000e"),),
    "HP iLO2+ HW Watchdog Timer",
)
ML10_V2 = Hardware(
    "HP",
    "ProLiant ML10 v2",
    (Pci(AHCI, "0x8086", "0x8c02", "ahci"), *2 * (Pci(ETHERNET, "0x14e4", "0x165f", "tg3"),)),
    (Card("eno1", "tg3"), Card("eno2", "tg3", carrier=None)),
    "HP iLO2+ HW Watchdog Timer",
)
ML10_GEN9 = Hardware(
    "HPE",
    "ML10Gen9",
    (Pci(AHCI, "0x8086", "0xa102", "ahci"), Pci(ETHERNET, "0x8086", "0x15b7", "e1000e")),
    (Card("eno1", "e1000e"),),
    "iTCO_wdt",
    memory_mib=3850,
    engine="0:11.0.0.1202",
    efi=True,
)


def write(path: Path, text: str) -> None:
    """A file as the kernel shows it: one line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{text}\n")


def _lay_board(machine: Hardware, root: Path) -> None:
    sys = root / "sys"
    write(root / "proc/meminfo", f"MemTotal:       {machine.memory_mib * 1024} kB")
    write(sys / "class/dmi/id/sys_vendor", machine.vendor)
    write(sys / "class/dmi/id/product_name", f"{machine.product}  ")  # some boards pad it
    for number, vendor in enumerate(machine.usb_vendors):
        write(sys / f"bus/usb/devices/1-{number}/idVendor", vendor)
    if machine.ecc is not None:
        for name, count in zip(("ce_count", "ue_count"), machine.ecc, strict=True):
            write(sys / f"devices/system/edac/mc/mc0/{name}", str(count))
    if machine.clock is not None:
        write(sys / "class/rtc/rtc0/date", machine.clock)
    if machine.watchdog is not None:
        write(sys / "class/watchdog/watchdog0/identity", machine.watchdog)
    if machine.engine is not None:
        write(sys / "class/mei/mei0/fw_ver", machine.engine)
    if machine.efi:
        (sys / "firmware/efi").mkdir(parents=True)


def _lay_disks(disks: tuple[Disk, ...], sys: Path) -> None:
    (sys / "block").mkdir(parents=True)
    for name in ("loop0", "md0"):  # made of others: without a device
        write(sys / f"devices/virtual/block/{name}/size", "1000000")
        (sys / f"block/{name}").symlink_to(f"../devices/virtual/block/{name}")
    for disk in disks:
        folder = sys / f"devices/{disk.place}/block/{disk.name}"
        write(folder / "size", str(disk.gigabytes * GIGABYTE // SECTOR))
        write(folder / "removable", str(int(disk.removable)))
        (folder / "device").mkdir()
        (sys / f"block/{disk.name}").symlink_to(f"../devices/{disk.place}/block/{disk.name}")


def _lay_cards(cards: tuple[Card, ...], sys: Path) -> None:
    write(sys / "class/net/lo/type", "772")
    for card in cards:
        folder = sys / f"class/net/{card.name}"
        write(folder / "type", "1")
        if card.carrier is not None:
            write(folder / "carrier", str(int(card.carrier)))
        if card.wireless:
            (folder / "wireless").mkdir()
        (folder / "device").mkdir()
        (folder / "device/driver").symlink_to(f"../../../../bus/pci/drivers/{card.driver}")
