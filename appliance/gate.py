"""The gate between work and a shutdown: whoever changes data passes through it, the power watcher closes it.

Two files are the whole protocol. The watcher publishes in its state file whether work is accepted; everybody who works holds a
shared lock on the gate file. So the watcher closes (state file) and then waits for the exclusive lock: when it has it, nobody
is writing any more. A killed process lets go of its lock by itself. The gate knows nothing of the web or of the UPS.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from appliance.clock import ClockWrong, Reading, judge, read_mark
from appliance.errors import TryLater

POLL_SECONDS = 0.02
HELD = "boot-hold"  # the published stage of a node that has just started and is not open yet
SAVING = "saving"  # and of one whose work has ended, and whose log shall be moved into the database
SAVED = "saved"  # the file beside the lock that says so
DRILL = "drill"  # the published cause of a gate that is closed for a rehearsal


class GateClosed(TryLater):
    """The node takes no new work: it is about to power off, has just started (`held`), or rehearses (`drill`)."""

    def __init__(self, *, held: bool = False, drill: bool = False) -> None:
        if drill:
            super().__init__(
                "Latihan listrik: simpanan baru ditolak sebentar; listrik tidak padam.",
                "Isian Anda tetap di layar. Tunggu satu menit, lalu tekan Simpan lagi.",
            )
            return
        if held:
            super().__init__(
                "Sistem baru menyala dan masih memastikan listrik stabil; sementara ini data hanya dapat dibaca.",
                "Isian Anda tetap di layar. Tunggu sampai pita peringatan hilang, lalu tekan Simpan lagi.",
            )
            return
        super().__init__(
            "Listrik padam; sistem sedang bersiap mati dan tidak menerima simpanan baru.",
            "Isian Anda tetap di layar. Tunggu sampai listrik menyala, lalu tekan Simpan lagi.",
        )


@dataclass(frozen=True)
class Gate:
    """`lock` is the file that workers lock; `state` the watcher's published state (JSON with `accepts_work`, `accepts_jobs`, `stage`);
    `clock` the mark of the clock, for those who date what they write."""

    lock: Path
    state: Path
    clock: Path | None = None

    def accepts_work(self) -> bool:
        """Whether new work may begin. Without a watcher's word it may: a node without a UPS must work too."""
        return self._published().get("accepts_work") is not False and self.clock_reading() is Reading.RIGHT

    def clock_reading(self) -> Reading:
        """What is thought of the clock now; whoever named no mark does not care."""
        return judge(datetime.now(UTC), read_mark(self.clock)) if self.clock else Reading.RIGHT

    def accepts_jobs(self) -> bool:
        """Whether long work (a backup, an import, an export) may begin and go on: not for long on battery."""
        published = self._published()
        return published.get("accepts_work") is not False and published.get("accepts_jobs") is not False

    def is_saving(self) -> bool:
        """Whether all work has ended before a power-off, and the log shall be moved into the database now."""
        return self._published().get("stage") == SAVING

    def tell_saved(self) -> None:
        """Tell the watcher that it is done. Raises OSError."""
        self.lock.with_name(SAVED).touch()

    @contextmanager
    def work(self, *, held_too: bool = False) -> Iterator[None]:
        """Hold the gate open for one piece of work. Raises GateClosed when no new work is accepted, ClockWrong.

        `held_too`: what must be possible before the node is open as well, and with a wrong clock, such as signing in to mend that.
        """
        handle = self._open()
        try:
            # The lock comes first: a closing seen after it is seen by the watcher's wait as well.
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError as error:
            os.close(handle)
            raise GateClosed from error
        try:
            published = self._published()
            held = published.get("stage") == HELD
            if published.get("accepts_work") is False and not (held and held_too):
                raise GateClosed(held=held, drill=published.get("cause") == DRILL)
            if not held_too and (reading := self.clock_reading()) is not Reading.RIGHT:
                raise ClockWrong(reading)
            yield
        finally:
            os.close(handle)

    def wait_until_idle(self, seconds: float) -> bool:
        """Whether all running work ended within `seconds`. Call it after the published state has refused new work."""
        deadline = time.monotonic() + seconds
        try:
            handle = os.open(self.lock, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            # Nobody has ever worked, and who comes now reads the published state. Made by the watcher, the file would be its own.
            return True
        try:
            while True:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    return True
                except BlockingIOError:
                    if time.monotonic() >= deadline:
                        return False
                    time.sleep(POLL_SECONDS)
        finally:
            os.close(handle)

    def _published(self) -> dict[str, Any]:
        """What the watcher says; empty without a word of it."""
        try:
            found = json.loads(self.state.read_bytes())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def _open(self) -> int:
        # Group-writable because the watcher has a user of its own and must be able to lock as well.
        old = os.umask(0o007)
        try:
            return os.open(self.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o660)
        finally:
            os.umask(old)
