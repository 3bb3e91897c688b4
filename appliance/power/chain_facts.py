"""Gathers what the chain's light is judged by. Reads and asks, changes nothing; runs as the watcher's user in NUT's group.

No root: the group may read NUT's settings and look at its folder, systemd tells anybody which units run, and the one password it
needs, upsmon's, is handed to the unit. What cannot be asked is None.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from appliance.config import PowerSettings, Settings, read_secret
from appliance.power import state
from appliance.power.chain import Facts
from appliance.power.notices import Notice
from appliance.power.ups import Inspection, inspect

UPSMON_USER = "upsmon"
CALIBRATION_FILE = "calibration-seen"  # written by the watcher: when it last saw a calibration, in seconds since the start
NUT_FOLDER = Path("/etc/nut")
HOOK = Path("/usr/lib/systemd/system-shutdown/slrt-ups-endgame")
USB_DEVICES = Path("/sys/bus/usb/devices")
CLOCK = Path("/sys/class/rtc/rtc0/wakealarm")
UNITS = ("nut-server.service", "nut-monitor.service", "slrt-force-shutdown.path", "slrt-poweroff.path")
SYSTEMCTL_SECONDS = 10


class Machine:
    """The places on the machine that are asked, each replaceable where another machine keeps them elsewhere."""

    def __init__(
        self,
        nut: Path = NUT_FOLDER,
        hook: Path = HOOK,
        usb: Path = USB_DEVICES,
        clock: Path = CLOCK,
        systemctl: Sequence[str] = ("systemctl",),
    ) -> None:
        self.nut, self.hook, self.usb, self.clock, self.systemctl = nut, hook, usb, clock, tuple(systemctl)


def gather(settings: Settings, machine: Machine, at: datetime) -> Facts:
    """All facts of the moment `at` (aware). Raises ConfigurationError when there is no password to ask with."""
    power, runtime = settings.power, Path(settings.power.runtime)
    published = state.read(runtime / state.STATE_FILE)
    login = (UPSMON_USER, read_secret(settings, "upsd-upsmon-password"))
    heard = inspect(power.name, (power.host, power.port), login)
    units = _units(machine, power)
    flag = _flag_path(machine)
    real = power.ups != "simulated"
    return Facts(
        at=at,
        real=real,
        watcher_at=published.at if published else None,
        mains=published.mains if published else None,
        silence=heard.silence,
        variables=heard.variables or {},
        expected_serial=power.serial or _setting(machine.nut / "ups.conf", "serial") or "",
        clients=heard.clients,
        primary=heard.primary,
        version=heard.version,
        stopped=tuple(name for name, (active, _) in units.items() if not active),
        mode=_setting(machine.nut / "nut.conf", "MODE"),
        flag_writable=None if flag is None else os.access(flag if flag.exists() else flag.parent, os.W_OK),
        flag_stale=None if flag is None else flag.exists(),
        hook_runs=os.access(machine.hook, os.X_OK) if real else None,
        missing_on_usb=_missing_on_usb(machine, heard) if real else None,
        calibrated=_calibrated(runtime, units.get("nut-monitor.service", (False, 0.0))[1]),
        frozen=real and published is not None and Notice.FROZEN in published.notices,
        wakes_by_clock=machine.clock.exists() if real else None,
    )


def _units(machine: Machine, power: PowerSettings) -> dict[str, tuple[bool, float]]:
    """Each unit: whether it runs, and since when (seconds since the machine started)."""
    names = (f"nut-driver@{power.name}.service", *UNITS)
    asked = ["show", "--property=Id,ActiveState,ActiveEnterTimestampMonotonic", "--", *names]
    try:
        done = subprocess.run([*machine.systemctl, *asked], capture_output=True, text=True, timeout=SYSTEMCTL_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError):
        return {}
    found = {}
    for block in done.stdout.strip().split("\n\n"):
        words = dict(line.partition("=")[::2] for line in block.splitlines())
        since = words.get("ActiveEnterTimestampMonotonic", "")
        found[words.get("Id", "")] = (words.get("ActiveState") == "active", int(since) / 1e6 if since.isdigit() else 0.0)
    return {name: found[name] for name in names if name in found}


def _setting(file: Path, name: str) -> str | None:
    """The value of `name = value` or `name value` in a file of NUT: empty when it is not set, None when nobody can read the file."""
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    found = re.search(rf'^[ \t]*{name}[ \t]*[= \t][ \t]*"?([^"#\n]*)', text, flags=re.MULTILINE)
    return found.group(1).strip() if found else ""


def _flag_path(machine: Machine) -> Path | None:
    place = _setting(machine.nut / "upsmon.conf", "POWERDOWNFLAG")
    return Path(place) if place else None


def _missing_on_usb(machine: Machine, heard: Inspection) -> bool | None:
    """Only asked when upsd has no UPS to tell of, and only of a unit that the settings expect on USB."""
    vendor = (_setting(machine.nut / "ups.conf", "vendorid") or "").lower()
    if not vendor or not machine.usb.is_dir():
        return None
    if heard.silence is None:
        return False
    found = {path.read_text(encoding="ascii", errors="replace").strip().lower() for path in machine.usb.glob("*/idVendor")}
    return vendor not in found


def _calibrated(runtime: Path, upsmon_since: float) -> bool:
    """Whether a calibration was seen after upsmon was started."""
    try:
        seen = float((runtime / CALIBRATION_FILE).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return False
    return seen >= upsmon_since > 0
