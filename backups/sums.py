"""A hash of every file of the repository, so that a bit that flipped anywhere is found and the file named.

borg's own check covers the data it stores, but not its settings, its counters and the newest index. A file that a program wrote
again has another time of change and is hashed anew; a medium that forgets a bit does not touch it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backups.files import write_whole
from backups.process import Stop, check, never

NAME = "sums.json"
NOT_OURS = ("lock.", ".")


@dataclass(frozen=True)
class Sum:
    """Size, time of change in ns and SHA-256 of a file."""

    size: int
    changed: int
    sha256: str


def note(state: Path, repository: Path, stop: Stop = never) -> None:
    """Hash what is new or was written again, at the end of a run; the rest keeps what is known of it."""
    known = _read(state).get(str(repository), {})
    found = {}
    for name, path in _files(repository).items():
        about = path.stat()
        before = known.get(name)
        same = before is not None and (before.size, before.changed) == (about.st_size, about.st_mtime_ns)
        found[name] = before if same and before else Sum(about.st_size, about.st_mtime_ns, file_hash(path, stop))
    everything = {**_read(state), str(repository): found}
    told = {place: {name: list(vars(one).values()) for name, one in sums.items()} for place, sums in everything.items()}
    write_whole(state / NAME, json.dumps(told).encode(), 0o640)


def damaged(state: Path, repository: Path, stop: Stop = never) -> list[str]:
    """Names of the files that are not as they were written, below `repository`. Reads all of them."""
    known = _read(state).get(str(repository), {})
    wrong = []
    for name, path in _files(repository).items():
        before, about = known.get(name), path.stat()
        if before is None or before.changed != about.st_mtime_ns:
            continue
        if before.size != about.st_size or before.sha256 != file_hash(path, stop):
            wrong.append(name)
    return wrong


def file_hash(path: Path, stop: Stop = never) -> str:
    """SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
            check(stop)
    return digest.hexdigest()


def _files(repository: Path) -> dict[str, Path]:
    """Everything that stays between runs, the reserve of room excepted, by its name below the repository."""
    found = (path for path in sorted(repository.rglob("*")) if path.is_file() and not path.name.startswith(NOT_OURS))
    named = {str(path.relative_to(repository)): path for path in found}
    return {name: path for name, path in named.items() if name != "cadangan-ruang"}


def _read(state: Path) -> dict[str, dict[str, Sum]]:
    """What is known of each repository; nothing when the file is not there or cannot be understood."""
    try:
        found: dict[str, dict[str, Any]] = json.loads((state / NAME).read_bytes())
        return {place: {name: Sum(*one) for name, one in sums.items()} for place, sums in found.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
