"""The simulated UPS: its data file in the format of NUT's dummy-ups, with the mains there, gone, or gone for long.

dummy-ups in the mode dummy-once reads the file again when its time stamp has changed by at least a second.
"""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path

from appliance.power.state import replace_file

SIMULATED_FILE = "simulated.dev"


class Scene(StrEnum):
    """What the simulated mains does."""

    ON_MAINS = "ol"
    ON_BATTERY = "ob"
    BATTERY_LOW = "ob-lb"


# status, charge (%), runtime (s), battery voltage, input voltage
_SCENES = {
    Scene.ON_MAINS: ("OL", 100, 2760, "27.0", "224.0"),
    Scene.ON_BATTERY: ("OB DISCHRG", 92, 2400, "25.4", "0.0"),
    Scene.BATTERY_LOW: ("OB DISCHRG LB", 8, 110, "22.6", "0.0"),
}


def render(scene: Scene) -> str:
    """The whole data file of a scene."""
    status, charge, runtime, battery, mains = _SCENES[scene]
    variables = {
        "device.mfr": "American Power Conversion",
        "device.model": "Back-UPS BX1400U-MS (simulated)",
        "device.type": "ups",
        "ups.mfr": "American Power Conversion",
        "ups.model": "Back-UPS BX1400U-MS (simulated)",
        "ups.status": status,
        "ups.load": 12,
        "battery.charge": charge,
        "battery.charge.low": 20,
        "battery.runtime": runtime,
        "battery.runtime.low": 240,
        "battery.voltage": battery,
        "battery.voltage.nominal": "24.0",
        "input.voltage": mains,
    }
    return "".join(f"{name}: {value}\n" for name, value in variables.items())


def play(runtime: Path, scene: Scene) -> None:
    """Put the scene in place in one move. Raises OSError."""
    path = runtime / SIMULATED_FILE
    before = int(path.stat().st_mtime) if path.exists() else None
    replace_file(path, render(scene))
    # dummy-ups compares whole seconds, so two scenes within one second would look like one.
    if before is not None and int(path.stat().st_mtime) <= before:
        os.utime(path, (before + 1, before + 1))
