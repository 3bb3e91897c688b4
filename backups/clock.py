"""This machine's clocks: which boot it is, and how long it has been up."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from backups.schedule import Moment


def moment(at: datetime) -> Moment:
    """The moment `at` (now, aware) with this machine's boot and uptime."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return Moment(at, boot, timedelta(seconds=float(Path("/proc/uptime").read_text().split()[0])))
