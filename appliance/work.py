"""The worker: does the waiting long work, one task after the other, and ends. The scheduler starts it when something waits.

A process of its own, so that what it needs of memory is given back and a fault in it stops nothing else.
"""

from __future__ import annotations

import fcntl
import gc
import importlib
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from appliance import background
from appliance.background import Taken
from appliance.config import Settings
from appliance.errors import ApplianceError, TryLater
from appliance.gate import Gate
from appliance.models.task import TaskState

LOCK = "work.lock"
# How many objects are made before the collector looks for rings among them (three generations).
COLLECTING = (20_000, 20, 50)
# kind of task → the module whose `run(task, work)` does it and returns a sentence; imported only when it is needed
DOERS: dict[str, str] = {
    "hitung_wilayah": "appliance.registry.area_counts",
    "ganti_kode": "appliance.casework.area_moves",
    "hitung_batas": "appliance.casework.recount",
    "ganda": "appliance.registry.duplicate_night",
    "ekspor": "appliance.exchange.export_run",
    "impor_periksa": "appliance.exchange.import_run",
    "impor_simpan": "appliance.exchange.import_run",
    "impor_batal": "appliance.exchange.import_run",
}
# Taking an import back changes many rows at once: a backup of just before is proven first.
BACKUP_FIRST = frozenset({"impor_batal"})
FAULT = "Pekerjaan gagal karena kesalahan program; sudah dicatat. Beri tahu admin."

log = logging.getLogger("slrt-work")


class Stopped(Exception):
    """The work was asked to stop before it was done; it goes on later from what it has stored."""


@dataclass(frozen=True)
class Work:
    """What a doer may use: the settings, the clock, and whether it shall stop (the mains failed, the service ends).

    `back_up` makes a backup before what needs one first; None where whoever calls takes care of that. Raises ApplianceError.
    """

    settings: Settings
    now: Callable[[], datetime]
    stop: Callable[[], bool]
    back_up: Callable[[], None] | None = None

    def check(self) -> None:
        """Between two parts: raises Stopped when it is time to end."""
        if self.stop():
            raise Stopped


@contextmanager
def only_worker(settings: Settings) -> Iterator[bool]:
    """Whether this process is the one worker; the kernel lets go of the lock of a dead one."""
    handle = os.open(Path(settings.paths.data) / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            mine = True
        except BlockingIOError:
            mine = False
        yield mine
    finally:
        os.close(handle)


def do_everything(work: Work, gate: Gate) -> int:
    """Do what waits until nothing does; how many tasks ended. Needs the service's app context and the worker's lock.

    The gate is held for one task at a time. Raises GateClosed when the node is about to power off.
    """
    ended = 0
    with _collecting_seldom():
        while not work.stop():
            with gate.work():
                task = background.begin_next(work.now())
                if task is None:
                    break
                ended += _do(task, work)
    return ended


@contextmanager
def _collecting_seldom() -> Iterator[None]:
    """Millions of small objects come and go without a ring among them; to look for one every 700 costs an import a tenth."""
    usual = gc.get_threshold()
    gc.set_threshold(*COLLECTING)
    try:
        yield
    finally:
        gc.set_threshold(*usual)


def _do(task: Taken, work: Work) -> bool:
    """Whether it ended; one that was stopped waits again."""
    try:
        if task.kind in BACKUP_FIRST and not task.done and work.back_up is not None:
            work.back_up()
        text = importlib.import_module(DOERS[task.kind]).run(task, work)
    except (Stopped, TryLater):
        background.put_back(task.id)
        return False
    except ApplianceError as error:
        background.end(task.id, TaskState.FAILED, f"{error.message} {error.hint}".strip(), at=work.now())
        return True
    except Exception:
        log.exception("Pekerjaan %s (%s) gagal.", task.kind, task.id)
        background.end(task.id, TaskState.FAILED, FAULT, at=work.now())
        return True
    background.end(task.id, TaskState.DONE, text, at=work.now())
    return True
