"""Which releases stay on the disk: the one in use, the one before it for as long as it is kept, and whatever is only just being made."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from provision.step import CURRENT
from provision.upgrade import journal, keeping, rules
from provision.upgrade.node import RELEASES, Node

INSTALLER_LOCK = Path("/run/slrt-install.lock")  # held by install.sh for as long as it works
WHOLE = ".complete"


def forget_old(node: Node, at: datetime) -> str:
    """Take away the release before this one and its copy of the data once they have been kept long enough. What to tell; empty: nothing.

    A whole one that is not in use stays: somebody may be about to put it in place, and the next upgrade clears it away.
    """
    kept = journal.read_note(node.place.kept)
    if kept is None or not rules.is_over(datetime.fromisoformat(kept.began), at):
        return ""
    journal.forget(node.place.kept)
    keeping.clear(Path(kept.copy))
    _forget(lambda folder: folder.name == kept.old or not _is_whole(folder))
    return f"Rilis {kept.old} dan salinan basis datanya tidak disimpan lagi."


def forget_all_but(kept: Collection[str]) -> None:
    """Take away every release but these and the one in use."""
    _forget(lambda folder: folder.name not in kept)


def _forget(unwanted: Callable[[Path], bool]) -> None:
    """While the installer works, what is not whole may be what it is making."""
    current = Path(os.path.realpath(CURRENT)).name
    with _installer_kept_off() as nobody_makes_any:
        for folder in RELEASES.iterdir():
            if folder.name != current and unwanted(folder) and (nobody_makes_any or _is_whole(folder)):
                keeping.clear(folder)


def _is_whole(folder: Path) -> bool:
    return (folder / WHOLE).exists()


@contextmanager
def _installer_kept_off() -> Iterator[bool]:
    """Whether no installer works; then none can begin meanwhile."""
    handle = os.open(INSTALLER_LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        yield _is_ours(handle)
    finally:
        os.close(handle)


def _is_ours(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
