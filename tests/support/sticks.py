"""USB sticks for tests: loop devices over sparse files, in a mount namespace of this process's own.

Of its own, because a process that somebody starts while a stick is mounted takes the mount along and holds the stick.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import shutil
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from appliance.config import BackupSettings, PathSettings, Settings
from appliance.sticks import book, copying, keeper, prepare
from appliance.sticks.book import Sight, Stick
from appliance.sticks.prepare import Wish
from backups import repository
from backups.clock import moment
from backups.outcome import Outcome
from backups.process import Stop, never
from backups.settings import MEBIBYTE, Plan
from backups.take import Say, quiet

CLONE_NEWNS = 0x00020000
EXT4_SHUTDOWN = 0x8004587D
STICK_BYTES = 1536 * MEBIBYTE


@cache
def own_mounts() -> None:
    """What is mounted from here on is seen by this process and those it starts only."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)


@dataclass
class Slot:
    """A USB slot: `image` is the stick's content, `device` where it is while it is plugged in."""

    image: Path
    device: str = ""

    def plug(self, *, read_only: bool = False) -> str:
        """Put the stick in; the device."""
        mode = ["--read-only"] if read_only else []
        command = ["losetup", "--find", "--show", *mode, str(self.image)]
        self.device = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
        return self.device

    def pull(self) -> None:
        """Take it out. What is mounted stays in the table, and the device goes when that is dropped."""
        if self.device:
            subprocess.run(["losetup", "--detach", self.device], check=True)
            self.device = ""


@dataclass(frozen=True)
class Bench:
    """A node's settings and plan, and the folder in which its sticks lie."""

    folder: Path
    settings: Settings
    plan: Plan

    @classmethod
    def of(cls, plan: Plan) -> Bench:
        """Around a node that can be backed up."""
        folder = plan.data.parent
        kept = BackupSettings(
            repository=str(plan.repository),
            boot_delay_seconds=0,
            stick_mounts=str(folder / "sticks"),
            stick_state=str(folder / "stick-state"),
        )
        for name in ("run", "sticks", "stick-state"):
            (folder / name).mkdir(exist_ok=True)
        paths = PathSettings(data=str(plan.data), runtime=str(folder / "run"), secrets=str(folder))
        return cls(folder, Settings(paths=paths, backup=kept), plan)

    def blank(self, name: str, size: int = STICK_BYTES) -> Slot:
        """A new stick from the shop."""
        image = self.folder / f"{name}.img"
        with image.open("wb") as file:
            file.truncate(size)
        return Slot(image)

    def prepare(self, device: str, label: str, erase: str = "") -> Stick:
        """As `slrt backup disk prepare` does."""

        def make(stick: Stick) -> str:
            copying.make_repository(self.settings, self.plan, stick)
            return repository.identity(book.mount_of(self.settings, stick) / book.REPOSITORY)

        wish = Wish(Path(device), label, Path(erase) if erase else None)
        return prepare.prepare(self.settings, wish, datetime.now(UTC), make, quiet)

    def look(self, at: datetime | None = None) -> Sight:
        """As the keeper does."""
        return keeper.look(self.settings, at or datetime.now(UTC))

    def copy(self, stick: Stick, stop: Stop = never, say: Say = quiet) -> Outcome:
        """As `slrt backup disk copy` does."""
        return copying.copy(self.settings, self.plan, stick, moment(datetime.now(UTC)), stop, say)

    def place(self, stick: Stick) -> Path:
        """Where the stick is mounted."""
        return book.mount_of(self.settings, stick)

    def target(self, stick: Stick) -> Plan:
        """The plan whose repository is the stick's."""
        return copying.plan_for(self.settings, self.plan, stick)

    def moved(self, folder: Path, plan: Plan) -> Bench:
        """The same with its files copied below another folder; its sticks are pulled."""
        made = Bench.of(plan)
        shutil.copytree(self.folder / "stick-state", folder / "stick-state", dirs_exist_ok=True)
        return made


@contextmanager
def cleared(bench: Bench) -> Iterator[Bench]:
    """The bench, with everything unmounted and detached at the end."""
    try:
        yield bench
    finally:
        for place in (bench.folder / "sticks").iterdir():
            subprocess.run(["umount", "--lazy", str(place)], capture_output=True, check=False)
        for image in bench.folder.glob("*.img"):
            found = subprocess.run(["losetup", "--associated", str(image)], capture_output=True, text=True, check=True).stdout
            for line in found.splitlines():
                subprocess.run(["losetup", "--detach", line.split(":")[0]], check=False)


def tear_out(place: Path) -> None:
    """The filesystem fails from here on with an I/O error, as that of a stick that was pulled."""
    handle = os.open(place, os.O_RDONLY)
    with suppress(OSError):
        fcntl.ioctl(handle, EXT4_SHUTDOWN, struct.pack("I", 2))
    with suppress(OSError):
        os.close(handle)
