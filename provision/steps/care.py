"""The care of the machine: what reads its hardware, and that it has been read once."""

from __future__ import annotations

from provision.change import Command, Masked, Running
from provision.step import Site, Step

READINGS = "/var/lib/slrt-care/readings.json"


def care(_site: Site) -> Step:
    """The reader of the hardware. Debian's own watcher of disks would write letters to root that nobody reads."""
    reader = Running("slrt-care.timer", ("/etc/systemd/system/slrt-care.service",))
    once = Command("baca keadaan perangkat keras", ("test", "-s", READINGS), ("systemctl", "start", "slrt-care.service"))
    return Step(
        "perawatan", "Perawatan perangkat keras", (Masked("smartmontools.service"), reader, once, Running("slrt-support.path"))
    )
