"""Which packages of Debian a node may ever need: told by the steps themselves, so that a bundle holds what they will ask for."""

from __future__ import annotations

from dataclasses import dataclass, replace

from appliance.config import PowerSettings, Settings
from provision.apt import Backports, Packages
from provision.plan import steps
from provision.step import Site
from provision.steps.ups import DRIVER_PACKAGES


@dataclass(frozen=True)
class Needed:
    """Names of packages, sorted, and what has to come from the backports."""

    names: tuple[str, ...]
    backports: tuple[Backports, ...]


def needed(debian: int) -> Needed:
    """What the steps for Debian `debian` (12 or 13) would install, whichever UPS the office has."""
    powers = [PowerSettings(ups="usb"), *(PowerSettings(ups="driver", driver=driver) for driver in sorted(DRIVER_PACKAGES))]
    names: set[str] = set()
    backports: dict[str, Backports] = {}
    for power in powers:
        site = Site(replace(Settings(), power=power), "admin.it", debian)
        for change in (change for step in steps(site) for change in step.changes):
            if isinstance(change, Packages):
                names.update(change.names)
            elif isinstance(change, Backports):
                backports[change.package] = change
    return Needed(tuple(sorted(names)), tuple(backports.values()))
