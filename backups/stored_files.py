"""Which files named by their hash the newest complete backup holds: a list beside the book, written when that backup was marked.

Whoever carries over what came since may not see the repository, and must not go by a clock. The hashes are sorted, 32 bytes each.
"""

from __future__ import annotations

import struct
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from backups.files import NAMED_BY_HASH, write_whole

NAME = "stored-files"
HEAD = struct.Struct(">8sQ")  # magic, number of the backup
MAGIC = b"SLRTLST1"
HASH_BYTES = 32


@dataclass(frozen=True)
class StoredFiles:
    """What backup `run` holds; asked with `in` for a hash as hexadecimal digits."""

    run: int
    hashes: bytes = field(repr=False)

    def __contains__(self, sha256: str) -> bool:
        wanted, number = bytes.fromhex(sha256), len(self.hashes) // HASH_BYTES
        place = bisect_left(range(number), wanted, key=self._hash_at)
        return place < number and self._hash_at(place) == wanted

    def _hash_at(self, place: int) -> bytes:
        return self.hashes[place * HASH_BYTES : (place + 1) * HASH_BYTES]


def note(state: Path, run: int, paths: Iterable[str]) -> None:
    """Write down what the complete backup `run` holds, by the paths of its files. Raises OSError."""
    named = sorted({bytes.fromhex(name) for path in paths if NAMED_BY_HASH.fullmatch(name := path.rpartition("/")[2])})
    write_whole(state / NAME, HEAD.pack(MAGIC, run) + b"".join(named), 0o640)


def forget(state: Path) -> None:
    """The repository is another one: nothing is in it yet. Raises OSError."""
    (state / NAME).unlink(missing_ok=True)


def read(state: Path) -> StoredFiles | None:
    """What was noted last; None when nothing was, or it is not whole."""
    try:
        content = (state / NAME).read_bytes()
    except OSError:
        return None
    if not content.startswith(MAGIC) or (len(content) - HEAD.size) % HASH_BYTES:
        return None
    return StoredFiles(HEAD.unpack_from(content)[1], content[HEAD.size :])
