"""One run at a time on a repository: a lock on its folder that the kernel lets go of when the last holder is dead.

The programs a run starts inherit the lock, so a borg that survived its killed parent still keeps others out.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from backups.errors import Busy, RepositoryMissing

PATIENCE_SECONDS = 0.5
POLL_SECONDS = 0.02


@contextmanager
def only_run(repository: Path) -> Iterator[int]:
    """Hold the lock; gives the descriptor to hand to started programs. Raises Busy or RepositoryMissing.

    The folder itself is locked, not a file in it: a repository on a read-only disk can be locked too.
    """
    handle = _open(repository)
    try:
        if not _locked(handle, PATIENCE_SECONDS):
            raise Busy("Pencadangan lain sedang berjalan.", "Tunggu sampai selesai, lalu ulangi perintah ini.")
        yield handle
    finally:
        os.close(handle)


def is_running(repository: Path) -> bool:
    """Whether a run has the repository now."""
    try:
        handle = _open(repository)
    except RepositoryMissing:
        return False
    try:
        return not _locked(handle, 0)
    finally:
        os.close(handle)


def _locked(handle: int, seconds: float) -> bool:
    """Take the lock. Not at once: `is_running` of another process holds it for the blink of its question."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(POLL_SECONDS)


def _open(repository: Path) -> int:
    try:
        return os.open(repository, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise RepositoryMissing(
            f"Folder cadangan {repository} tidak dapat dibuka ({error.strerror}).",
            "Periksa apakah disk cadangan terpasang; untuk membuat yang baru: sudo slrt backup init",
        ) from error
