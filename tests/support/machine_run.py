"""The installed machines of one test run: `install.sh` is run once for each Debian release, the tests work on copies.

Several pytest processes (xdist) may share a run: the first that needs a release installs it, the others wait for the disk it
leaves behind. A run belongs to the processes that use it; when all have ended, the next run throws it away.
"""

from __future__ import annotations

import json
import os
import shutil
import threading
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.support.machine import SOURCE, CommandFailed, Machine, Result, Snapshot, new_machine, project_archive, wait_for
from tests.support.machine_bed import STATE, identity, is_alive
from tests.support.machine_tree import RELEASES, keep_downloads, locked

INSTALL = "./install.sh --unattended --district 73.03 --hostname slrt --admin admin.it --ups simulated --accept all"
FIRST_SIGN_IN = "/root/slrt-first-sign-in.txt"
INSTALL_SECONDS = 900
WELL_SECONDS = 240.0  # deadlines are for a machine that shares two processors with the rest of the suite
ROOMS, ROOM = 7, 20  # each run has twenty numbers for its installed machines: their copies must find their address free


@dataclass(frozen=True)
class Installed:
    """What one installation left: what it said, what the node said right after it, and its disk."""

    release: str
    output: str
    status: str
    secret_file: str
    layers: tuple[str, ...]
    number: int

    @property
    def snapshot(self) -> Snapshot:
        """Copies of the machine boot from this."""
        return Snapshot(self.release, tuple(map(Path, self.layers)), self.number)


class InstallationFailed(AssertionError):
    """install.sh did not end well on a bare machine: nothing that stands on it can be tested."""


class Run:
    """The installed machines of the test run `name`, shared by all processes that give the same name."""

    def __init__(self, name: str) -> None:
        self.folder = STATE / f"run-{name}"
        self.note = self.folder / "users" / str(os.getpid())
        with locked(STATE / "lock"):
            _clear_stale_runs()
            self.note.parent.mkdir(parents=True, exist_ok=True)
            self.note.write_text(identity(os.getpid()))
        self._threads: list[threading.Thread] = []
        project_archive()

    def installed(self, release: str) -> Installed:
        """The installation on `release`, made now if nobody did yet. Raises InstallationFailed with its log."""
        if not self._threads:
            # The other releases are wanted soon: two processors install two machines in the time of one.
            others = [other for other in RELEASES if other != release]
            self._threads = [threading.Thread(target=self._make_if_missing, args=(other,)) for other in others]
            for thread in self._threads:
                thread.start()
        facts = self._make_if_missing(release)
        if "error" in facts:
            raise InstallationFailed(facts["error"])
        return Installed(**{**facts, "layers": tuple(facts["layers"])})

    def leave(self) -> None:
        """Wait for what is under way, and take the run away if no other process uses it."""
        for thread in self._threads:
            thread.join()
        with locked(STATE / "lock"):
            self.note.unlink(missing_ok=True)
            _clear_stale_runs()

    def _make_if_missing(self, release: str) -> dict[str, Any]:
        facts = self.folder / f"{release}.json"
        with locked(self.folder / f"{release}.lock"):
            if not facts.exists():
                part = facts.with_suffix(".part")
                part.write_text(json.dumps(self._make(release)))
                part.rename(facts)
            found: dict[str, Any] = json.loads(facts.read_text())
            return found

    def _number(self, release: str) -> int:
        run = zlib.crc32(self.folder.name.encode()) % ROOMS
        return 100 + ROOM * run + ROOM // len(RELEASES) * RELEASES.index(release)

    def _make(self, release: str) -> dict[str, object]:
        machine = None
        try:
            machine = new_machine(release, self._number(release)).boot()
            return asdict(self._install(machine))
        except Exception as error:  # noqa: BLE001 - every test that needs this machine shall say why there is none
            report = machine.journal() if machine is not None else ""
            return {"error": f"installing on {release} failed: {error}\n--- journal\n{report}"}
        finally:
            if machine is not None:
                machine.destroy()

    def _install(self, machine: Machine) -> Installed:
        machine.put_project()
        result = install(machine)
        status = machine.run("slrt status --json", check=False)
        machine.run("systemctl is-system-running --wait", check=False)
        secret = machine.run(f"stat -c '%a %U' {FIRST_SIGN_IN} && cat {FIRST_SIGN_IN}").out
        machine.power_off()
        keep_downloads(machine.release, machine.bed.upper)
        kept = machine.snapshot(self.folder / f"disk-{machine.release}")
        return Installed(
            machine.release,
            result.out + result.err,
            f"{status.code}\n{status.out}",
            secret,
            tuple(map(str, kept.layers)),
            kept.number,
        )


def install(machine: Machine, arguments: str = "", check: bool = True) -> Result:
    """Run install.sh as the README says; `arguments` are added."""
    result = machine.run(f"{INSTALL} {arguments}", folder=SOURCE, seconds=INSTALL_SECONDS, check=False)
    if check and result.code != 0:
        raise CommandFailed(str(result))
    return result


def until_well(machine: Machine) -> None:
    """Wait until the node says of itself that all is well; fail with what it says instead."""
    # A long pause, for each answer costs the machine a second of work.
    wait_for(
        "slrt status is green",
        lambda: machine.run("slrt status", check=False).code == 0,
        WELL_SECONDS,
        lambda: status(machine),
        3.0,
    )


def status(machine: Machine) -> str:
    """What the node says of itself."""
    return machine.run("slrt status", check=False).out


def _clear_stale_runs() -> None:
    """Throw away the runs whose processes have all ended. Call it with the lock held."""
    for folder in STATE.glob("run-*"):
        notes = list((folder / "users").glob("*"))
        if not any(is_alive(note.read_text()) for note in notes):
            shutil.rmtree(folder, ignore_errors=True)
