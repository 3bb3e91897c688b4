"""Which UPS a node has: the settings of its unit from what was wished and what hangs on the cable, and the sheet for other machines."""

from __future__ import annotations

import dataclasses
import re
import string
from pathlib import Path
from typing import Any

from appliance.config import PowerSettings
from appliance.errors import ConfigurationError
from provision.host import Host

SHEET = Path(__file__).parent / "templates" / "nut" / "secondary.txt"
# the serial numbers of all APC devices on USB, a line each; units that tell none give none
_ASK = 'for one in $(grep -lsx 051d /sys/bus/usb/devices/*/idVendor); do cat "${one%idVendor}serial" 2>/dev/null; done; true'


def power_of(known: PowerSettings, kind: str, wished: dict[str, str], host: Host) -> PowerSettings:
    """The settings of the power with another kind of UPS and other words about it; what was not wished stays.

    Asking for `usb` pins the unit that is on the cable now, so that asking again is how another unit is accepted. Raises
    ConfigurationError when several are there.
    """
    changes: dict[str, Any] = {"ups": kind or known.ups, **wished}
    power = dataclasses.replace(known, **changes)
    if kind == "usb":
        power = dataclasses.replace(power, serial=_serial(host))
    elif kind:
        power = dataclasses.replace(power, serial="")
    return power


def _serial(host: Host) -> str:
    """The serial number of the one APC on USB; empty when it tells none that could be written into NUT's file."""
    found = [line.strip() for line in host.run(["sh", "-c", _ASK]).output.splitlines() if line.strip()]
    if len(found) > 1:
        raise ConfigurationError(
            f"Ada {len(found)} UPS APC pada kabel USB mesin ini ({', '.join(found)}).",
            "Sisakan satu yang memberi daya kepada simpul ini.",
        )
    return found[0] if found and re.fullmatch(r"[\w.-]{1,40}", found[0]) else ""


def secondary_sheet(power: PowerSettings, password: str) -> str:
    """What somebody does at the other machine, with the file to write there."""
    words = {"ups": power.name, "address": power.lan_address, "password": password}
    return string.Template(SHEET.read_text(encoding="utf-8")).substitute(words)
