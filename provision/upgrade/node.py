"""The edge to the running node, for an upgrade: its units, the programs of either release, the gate, and the mark that closes it."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from appliance.config import Settings
from appliance.errors import ApplianceError
from appliance.gate import Gate
from provision.change import Together, insist
from provision.host import Host, LocalHost
from provision.step import CURRENT, Step
from provision.steps.units import UNIT_FOLDER
from provision.upgrade.journal import Place

RELEASES = Path("/opt/slrt/releases")
ENGINE = Path("/opt/slrt/upgrading")
WATCH = "slrt-upgrade-watch.service"
# They go on through an upgrade: the guard of the power, the front that says what is going on, and what called for the upgrade.
STAYING = (
    "slrt-watcher.service",
    "slrt-poweroff.path",
    "slrt-force-shutdown.path",
    "slrt-rtc-alarm.path",
    "slrt-upsmon-refresh.path",
    "slrt-front.socket",
    "slrt-front.service",
    "slrt-upgrade.path",
    "slrt-upgrade.service",
    "slrt-upgrade-settle.service",
    WATCH,
    "slrt.target",
)
WATCHER, FRONT = "slrt-watcher.service", "slrt-front.service"
PAGES = ("slrt-web.socket", "slrt-web.service")  # in this order: the socket is refused once its service is up


class Node:
    """The node that we stand at."""

    def __init__(self, settings: Settings, host: Host | None = None, place: Place | None = None) -> None:
        self.settings, self.host, self.place = settings, host or LocalHost(), place or Place()

    @property
    def release(self) -> str:
        """The name of the release in use."""
        entry = self.host.look(CURRENT)
        return Path(entry.target).name if entry is not None else ""

    def ask(self, release: str, *words: str) -> dict[str, Any]:
        """What `slrt` of a release answers in JSON. Raises ApplianceError."""
        found: dict[str, Any] = json.loads(insist(self.host, [program(release), *words]))
        return found

    def running(self) -> tuple[str, ...]:
        """Our units that run now and stop for an upgrade."""
        command = ["systemctl", "list-units", "--plain", "--no-legend", "--state=active,activating", "slrt-*"]
        units = [line.split()[0] for line in insist(self.host, command).splitlines() if line.split()]
        return tuple(unit for unit in units if unit not in STAYING and not unit.endswith((".slice", ".scope")))

    def close(self) -> None:
        """From now on the front lets nobody but this machine through, and what was let through is waited for."""
        self.place.runtime.mkdir(mode=0o755, exist_ok=True)
        self.place.closed.touch(mode=0o644)
        self.gate.wait_until_idle(self.settings.power.drain_seconds)

    def open(self) -> None:
        """Let everybody in again."""
        self.place.closed.unlink(missing_ok=True)

    @property
    def gate(self) -> Gate:
        """The gate between work and a stop."""
        return Gate(Path(self.settings.paths.runtime) / "gate.lock", Path(self.settings.power.runtime) / "state.json")

    def stop(self, units: Collection[str]) -> None:
        """Stop them, all at once, and what of them was about to start. Raises ApplianceError."""
        if known := self._known(units):
            insist(self.host, ["systemctl", "stop", *known])

    def start(self, units: Sequence[str]) -> None:
        """Start them at once, and what stayed anew; an error is told with the unit's own words. Raises ApplianceError."""
        self.host.run(["systemctl", "reset-failed", "slrt-*"])
        known = self._known(units)
        # nobody waits for the scheduler, which systemd would start before the pages because it stops after them
        if pages := [unit for unit in PAGES if unit in known]:
            self.host.run(["systemctl", "restart", "--no-block", *pages])
        begun = self.host.run(["systemctl", "restart", WATCHER, *(unit for unit in known if unit not in pages)])
        if begun.worked and pages:
            begun = self.host.run(["systemctl", "start", *pages])
        if not begun.worked:
            raise ApplianceError(
                f"Layanan tidak dapat dijalankan: {(begun.errors.strip().splitlines() or ['tanpa keterangan'])[0]}",
                "Lihat: journalctl -b -p warning",
            )
        # it takes in other settings without letting go of anybody
        insist(self.host, ["systemctl", "reload-or-restart", FRONT])

    def _known(self, units: Collection[str]) -> list[str]:
        """Those that this release has: another one may have had more."""
        return [unit for unit in units if self.host.look(f"{UNIT_FOLDER}/{unit}") is not None]

    def start_later(self, units: Sequence[str]) -> None:
        """Have them started, and what stayed anew, as soon as whoever runs us has ended: at boot they wait for that."""
        self.host.run(["systemctl", "reset-failed", "slrt-*"])
        self.host.run(["systemctl", "restart", "--no-block", WATCHER, *self._known(units)])
        self.host.run(["systemctl", "reload-or-restart", "--no-block", FRONT])

    def watch(self) -> None:
        """Have somebody wait for our end who settles what we leave, if we are killed."""
        insist(self.host, ["systemctl", "start", "--no-block", WATCH])

    def reload(self) -> None:
        """Let systemd read the units again."""
        insist(self.host, ["systemctl", "daemon-reload"])

    def switch_to(self, release: str) -> None:
        """Make a release the one in use: one rename."""
        beside = f"{CURRENT}.slrt-new"
        insist(self.host, ["ln", "-sfn", str(RELEASES / release), beside])
        insist(self.host, ["mv", "-T", beside, CURRENT])
        insist(self.host, ["sync", str(Path(CURRENT).parent)])

    def failed(self) -> list[str]:
        """Our units that have failed."""
        said = self.host.run(["systemctl", "--failed", "--plain", "--no-legend", "slrt-*"]).output
        return [line.split()[0] for line in said.splitlines() if line.split()]


def program(release: str) -> str:
    """`slrt` of a release."""
    return str(RELEASES / release / "venv" / "bin" / "slrt")


def take_as_started(host: Host, step: Step) -> None:
    """Units that were just started with all files in place run with these files: the step need not start them once more."""
    for change in step.changes:
        if isinstance(change, Together):
            # not the front, which has only read its settings anew: with another unit file it has to be another process
            change.take(host, but=FRONT)
