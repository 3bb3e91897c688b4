"""What outlives a release: where an upgrade keeps its notes, and who settles one that was cut off."""

from __future__ import annotations

from provision.change import Command, File, Folder
from provision.step import Site, Step
from provision.steps.units import SCRIPT_FOLDER, UNIT_FOLDER

SETTLES = "slrt-upgrade-settle.service"
UNITS = (SETTLES, "slrt-upgrade-watch.service")
SCRIPT = "settle-upgrade"


def life(site: Site) -> Step:
    """The folder of the notes and copies, which hold people's data, and the units that look into it.

    Their files come with all other units too; an upgrade puts them in place before it begins, for they take its end into their hands.
    """
    files = [File(f"{UNIT_FOLDER}/{unit}", site.text(f"systemd/{unit}")) for unit in UNITS]
    asked, enable = ("systemctl", "is-enabled", "--quiet", SETTLES), ("systemctl", "enable", "--quiet", "--no-reload", SETTLES)
    return Step(
        "pembaruan",
        "Pembaruan",
        (
            Folder("/var/lib/slrt-install", 0o700),
            # how far an upgrade is and how it ended, for the pages
            Folder("/var/lib/slrt-upgrade"),
            File(f"{SCRIPT_FOLDER}/{SCRIPT}", site.text(f"systemd/{SCRIPT}"), 0o755),
            *files,
            Command("siapkan penyelesaian pembaruan yang terputus listrik", asked, enable),
        ),
    )
