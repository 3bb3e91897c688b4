"""PostgreSQL's log (WAL) on the second disk: each of its segments sealed in a file, below the folder of the carried log.

    <folder>/server/<system>/000000010000000000000003           a whole segment
    <folder>/server/<system>/000000010000000000000004.partial   the one that is being filled; written anew, and gone when it is whole

A file says in the clear until when the log was carried over with it, never what is in it. Its seal (ChaCha20-Poly1305, a key made from
the carried log's) covers that, its name and the server it is of. Segments are numbered without gaps: behind a gap nothing is used.
"""

from __future__ import annotations

import re
import secrets
import struct
import zlib
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from backups.carried_files import derived
from backups.errors import Mismatch
from backups.files import sync_folder, write_whole
from backups.settings import MEBIBYTE
from backups.spool import EPOCH_START, FILES, FOLDERS, LEVEL

FOLDER, PARTIAL = "server", ".partial"
SEGMENT = re.compile(r"([0-9A-F]{24})(\.partial)?")
KEPT_NAMES = re.compile(r"[0-9A-F]{24}(\.partial)?|[0-9A-F]{8}\.history")
SEGMENT_BYTES = 16 * MEBIBYTE
SEGMENTS_IN_A_FILE_NUMBER = 256
HEAD = struct.Struct(">8sq12s")  # magic, µs, nonce
MAGIC = b"SLRTWAL1"


@dataclass(frozen=True)
class Place:
    """Where the log goes on from a base: the server's identifier, the segment to begin with, when the base was whole."""

    system: str
    segment: str
    ready: datetime

    def as_text(self) -> str:
        """For records of ours."""
        return f"{self.system}:{self.segment}:{self.ready.astimezone(UTC).timestamp():.6f}"

    @staticmethod
    def from_text(text: str) -> Place:
        """Raises ValueError for what is no such place."""
        system, segment, ready = text.split(":")
        return Place(system, segment, datetime.fromtimestamp(float(ready), UTC))


@dataclass(frozen=True)
class Segment:
    """A sealed segment: its number, and until when the log was carried over with it."""

    file: Path
    number: int
    at: datetime

    @property
    def name(self) -> str:
        """What the server calls it."""
        return self.file.name.removesuffix(PARTIAL)


class Box:
    """Seals and opens. `key` is the carried log's, hexadecimal digits."""

    def __init__(self, key: str) -> None:
        self._box = ChaCha20Poly1305(derived(bytes.fromhex(key), b"slrt-wal", 32))

    def put(self, place: Path, name: str, at: datetime, content: bytes) -> None:
        """Write a sealed file into the folder of its server, whole or not at all, and force it to the disk. Raises OSError."""
        head = HEAD.pack(MAGIC, (at - EPOCH_START) // timedelta(microseconds=1), nonce := secrets.token_bytes(12))
        packed = zlib.compress(content, LEVEL)
        write_whole(place / name, head + self._box.encrypt(nonce, packed, _bound(head, place, name)), FILES)

    def open(self, file: Path) -> bytes:
        """What is in a sealed file. Raises Mismatch, OSError."""
        sealed = file.read_bytes()
        head = sealed[: HEAD.size]
        with suppress(InvalidTag, struct.error, zlib.error):
            nonce = HEAD.unpack(head)[2]
            return zlib.decompress(self._box.decrypt(nonce, sealed[HEAD.size :], _bound(head, file.parent, file.name)))
        raise Mismatch(f"Bagian {file.name} dari catatan berkelanjutan rusak.")


def _bound(head: bytes, place: Path, name: str) -> bytes:
    return head + f"{place.name}/{name}".encode()


def make_place(folder: Path, system: str) -> Path:
    """The folder of a server below that of the carried log. Raises OSError."""
    place = folder / FOLDER / system
    if not place.is_dir():
        place.mkdir(mode=FOLDERS, parents=True)
        sync_folder(folder)
        sync_folder(folder / FOLDER)
    return place


def number_of(name: str) -> int:
    """The number of a segment: one more for each, whatever the timeline."""
    return int(name[8:16], 16) * SEGMENTS_IN_A_FILE_NUMBER + int(name[16:24], 16)


def segments(folder: Path, system: str) -> list[Segment]:
    """The segments of a server in their order; a whole one stands for its unfinished former state. Raises OSError."""
    place = folder / FOLDER / system
    names = {file.name for file in place.iterdir() if SEGMENT.fullmatch(file.name)} if place.is_dir() else set()
    kept = [name for name in names if not (name.endswith(PARTIAL) and name.removesuffix(PARTIAL) in names)]
    found = [Segment(place / name, number_of(name), at) for name in kept if (at := _moment_of(place / name))]
    return sorted(found, key=lambda one: (one.number, one.file.name))


def _moment_of(file: Path) -> datetime | None:
    with file.open("rb") as content:
        head = content.read(HEAD.size)
    if len(head) < HEAD.size or not head.startswith(MAGIC):
        return None
    return EPOCH_START + timedelta(microseconds=HEAD.unpack(head)[1])


def chain(folder: Path, begin: Place) -> list[Segment]:
    """The segments from a base on, until the first that is missing. Raises OSError."""
    expected, found = number_of(begin.segment), list[Segment]()
    for segment in segments(folder, begin.system):
        if segment.number == expected or (found and segment.number == expected - 1):
            found.append(segment)
            expected = segment.number + 1
        elif segment.number > expected:
            break
    return found


def holds(folder: Path, begin: Place) -> bool:
    """Whether the log goes on from a base to its present end. Raises OSError."""
    there, known = chain(folder, begin), segments(folder, begin.system)
    return bool(there) and there[-1] == known[-1]


def last_moment(folder: Path) -> datetime | None:
    """Until when the log of any server was carried over; None where none was. Raises OSError."""
    places = (folder / FOLDER).iterdir() if (folder / FOLDER).is_dir() else ()
    return max((segment.at for place in places for segment in segments(folder, place.name)), default=None)


def prune(folder: Path, base: Place, older_than: datetime) -> int:
    """Delete what is older than a moment and not needed to go on from a proven base. Returns the number of files. Raises OSError."""
    if not holds(folder, base):
        return 0
    needed, gone = number_of(base.segment), 0
    for place in (folder / FOLDER).iterdir():
        for segment in segments(folder, place.name):
            if segment.at < older_than and (place.name != base.system or segment.number < needed):
                segment.file.unlink()
                gone += 1
    return gone
