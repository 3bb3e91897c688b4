"""One run at a time on a repository: a lock on its folder that the kernel lets go of when the last holder is dead.

The programs a run starts inherit the lock, so a borg that survived its killed parent still keeps others out.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from backups.errors import Busy, RepositoryMissing


@contextmanager
def only_run(repository: Path) -> Iterator[int]:
    """Hold the lock; gives the descriptor to hand to started programs. Raises Busy or RepositoryMissing.

    The folder itself is locked, not a file in it: a repository on a read-only disk can be locked too.
    """
    handle = _open(repository)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Busy("Pencadangan lain sedang berjalan.", "Tunggu sampai selesai, lalu ulangi perintah ini.") from error
        yield handle
    finally:
        os.close(handle)


def is_running(repository: Path) -> bool:
    """Whether a run has the repository now."""
    try:
        with only_run(repository):
            return False
    except Busy:
        return True
    except RepositoryMissing:
        return False


def _open(repository: Path) -> int:
    try:
        return os.open(repository, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise RepositoryMissing(
            f"Folder cadangan {repository} tidak dapat dibuka ({error.strerror}).",
            "Periksa apakah disk cadangan terpasang; untuk membuat yang baru: sudo slrt backup init",
        ) from error
