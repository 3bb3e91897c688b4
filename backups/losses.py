"""What a damaged repository still gives: every file that can be read, and the names of those that cannot."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from backups.borg import Engine
from backups.errors import RepositoryDamaged

AT_ONCE = 1000
"""Names in one question to the engine: a command line has an end."""


def extract_what_is_whole(engine: Engine, archive: str, to: Path) -> tuple[str, ...]:
    """Unpack an archive into `to`; the paths of the files that are lost, none of a healthy one.

    Raises RepositoryDamaged when not even the list of its files can be read.
    """
    try:
        engine.extract(archive, to)
    except RepositoryDamaged:
        return extract_named(engine, archive, to, sorted(path for path, _ in engine.files(archive)))
    return ()


def extract_named(engine: Engine, archive: str, to: Path, names: Sequence[str]) -> tuple[str, ...]:
    """Unpack the files with these paths into `to`; the paths of those that are lost."""
    parts = [names[place : place + AT_ONCE] for place in range(0, len(names), AT_ONCE)]
    return tuple(lost for part in parts for lost in _lost(engine, archive, to, part))


def _lost(engine: Engine, archive: str, to: Path, names: Sequence[str]) -> list[str]:
    """The engine ends at the first broken piece, so the names are halved until the broken ones stand alone."""
    try:
        engine.extract(archive, to, names)
    except RepositoryDamaged:
        if len(names) == 1:
            (to / names[0]).unlink(missing_ok=True)
            return list(names)
        middle = len(names) // 2
        return _lost(engine, archive, to, names[:middle]) + _lost(engine, archive, to, names[middle:])
    return []
