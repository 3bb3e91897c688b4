"""What was carried over from SQLite's log, on the second disk: encrypted blocks in files that are only added to.

    <folder>/000001/0000000000.log   head of the file, block, block, …
    <folder>/000002/…                another epoch: the chain was broken in between

A block says in the clear which frames it holds and when it was written, never what is in them. Its seal (ChaCha20-Poly1305) covers
that head, the epoch, and the seal of the block before: a block that is missing, altered, moved or from elsewhere does not open, and
none after it does. What a killed writer left behind the last whole block is cut off.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from backups.errors import Mismatch
from backups.files import sync_folder, write_whole
from backups.wal import Position

KEY_FILE = "log-key"
FOLDERS, FILES = 0o750, 0o640  # a group may read: the user of the backups
MAGIC, BLOCK_MAGIC = b"SLRTLOG1", b"BLK1"
FILE_HEAD = struct.Struct(">8s8s16s16s")  # magic, key id, epoch id, seal of the block before
BLOCK_HEAD = struct.Struct(
    ">4sQqQIIIIBI12s"
)  # magic, number, µs, salts, first, last, both sums, ends a transaction, length, nonce
SEAL_BYTES = 16
FIRST_SEAL = bytes(SEAL_BYTES)
FILE_BYTES, FILE_TIME = 8 * 1024 * 1024, timedelta(hours=1)
LEVEL = 1
EPOCH_START = datetime(1970, 1, 1, tzinfo=UTC)


class SpoolDamaged(Exception):
    """A block in the middle does not open, or a file is missing: the chain cannot be gone on with."""


@dataclass(frozen=True)
class Block:
    """The head of a block: its number in the epoch, when it was written, the first frame in it, the position at its end, whether
    a transaction ends there. An empty one (`first` behind the end) says that nothing new had been stored until then."""

    number: int
    at: datetime
    first: int
    end: Position
    commits: bool

    def packed(self, length: int, nonce: bytes) -> bytes:
        """As it is written."""
        stamp = (self.at - EPOCH_START) // timedelta(microseconds=1)
        end = (self.end.salts, self.first, self.end.frame, *self.end.sums)
        return BLOCK_HEAD.pack(BLOCK_MAGIC, self.number, stamp, *end, self.commits, length, nonce)


@dataclass(frozen=True)
class Found:
    """A block where it lies: its file, where it begins there, and what is needed to open it."""

    block: Block
    file: Path
    offset: int
    head: bytes
    length: int
    nonce: bytes
    epoch: bytes
    before: bytes

    @property
    def stop(self) -> int:
        """Where it ends in its file."""
        return self.offset + BLOCK_HEAD.size + self.length


def key_of(folder: Path, *, make: bool = False) -> str:
    """The key of the log in its folder, as hexadecimal digits; empty when there is none and none shall be made.

    Every backup takes it along in the encrypted repository: who can open that one, can open the log.
    """
    file = folder / KEY_FILE
    try:
        return file.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        if not make:
            return ""
    folder.mkdir(mode=FOLDERS, exist_ok=True)
    key = secrets.token_hex(32)
    write_whole(file, f"{key}\n".encode(), FILES)
    return key


def epochs(folder: Path) -> list[Path]:
    """The epochs in the folder, the oldest first."""
    return sorted(path for path in folder.glob("[0-9]*") if path.is_dir()) if folder.is_dir() else []


def files_of(epoch: Path) -> list[Path]:
    """The files of an epoch in their order."""
    return sorted(epoch.glob("*.log"))


def scan(file: Path) -> Iterator[Found]:
    """The blocks of a file by their heads, without opening them, until the first that is not whole."""
    with file.open("rb") as content:
        size = os.fstat(content.fileno()).st_size
        top = content.read(FILE_HEAD.size)
        if len(top) < FILE_HEAD.size or not top.startswith(MAGIC):
            return
        _, _, epoch, before = FILE_HEAD.unpack(top)
        offset = FILE_HEAD.size
        while (found := _found(file, offset, content.read(BLOCK_HEAD.size), epoch, before)) and found.stop <= size:
            yield found
            content.seek(found.stop - SEAL_BYTES)
            before = content.read(SEAL_BYTES)
            offset = found.stop


def _found(file: Path, offset: int, head: bytes, epoch: bytes, before: bytes) -> Found | None:
    if len(head) < BLOCK_HEAD.size or not head.startswith(BLOCK_MAGIC):
        return None
    _, number, stamp, salts, first, last, one, other, commits, length, nonce = BLOCK_HEAD.unpack(head)
    block = Block(number, EPOCH_START + timedelta(microseconds=stamp), first, Position(salts, last, (one, other)), bool(commits))
    return Found(block, file, offset, head, length, nonce, epoch, before)


def open_block(found: Found, key: str) -> bytes:
    """What is in a block: the log's header and whole frames; nothing for an empty one. Raises Mismatch."""
    with found.file.open("rb") as content:
        content.seek(found.offset + BLOCK_HEAD.size)
        sealed = content.read(found.length)
    try:
        packed = _box(key).decrypt(found.nonce, sealed, found.head + found.epoch + found.before)
        return zlib.decompress(packed) if packed else b""
    except (InvalidTag, zlib.error) as error:
        raise Mismatch(f"Blok {found.block.number} dari catatan berkelanjutan rusak atau bukan dari rangkaian ini.") from error


def chain(epoch: Path, first_file: Path | None = None) -> Iterator[Found]:
    """The blocks of an epoch by their heads, each joined to the one before. Raises Mismatch where one is missing."""
    expected: int | None = None
    seal = b""
    for file in files_of(epoch):
        if first_file is not None and file < first_file:
            continue
        for found in scan(file):
            if expected is not None and (found.block.number != expected or found.before != seal):
                raise Mismatch(f"Blok {expected} dari catatan berkelanjutan hilang.")
            if expected is None and found.block.number != int(file.stem):
                raise Mismatch(f"Blok {int(file.stem)} dari catatan berkelanjutan hilang.")
            expected, seal = found.block.number + 1, seal_of(found)
            yield found


def seal_of(found: Found) -> bytes:
    """The last bytes of a block, to which the next one is tied."""
    with found.file.open("rb") as content:
        content.seek(found.stop - SEAL_BYTES)
        return content.read(SEAL_BYTES)


def _box(key: str) -> ChaCha20Poly1305:
    return ChaCha20Poly1305(bytes.fromhex(key))


def _key_id(key: str) -> bytes:
    return hashlib.sha256(bytes.fromhex(key)).digest()[:8]


@dataclass(frozen=True)
class Tail:
    """The end of an epoch, where the next block goes: its folder and id, the last block (None: there is none yet), its seal, the
    file it is in, how long that is, and when it was begun."""

    epoch: Path
    identity: bytes
    last: Block | None
    seal: bytes
    file: Path | None = None
    size: int = 0
    since: datetime = EPOCH_START


def begin(folder: Path) -> Tail:
    """A new epoch. Raises OSError."""
    known = epochs(folder)
    epoch = folder / f"{int(known[-1].name) + 1 if known else 1:06d}"
    epoch.mkdir(mode=FOLDERS)
    sync_folder(folder)
    return Tail(epoch, secrets.token_bytes(SEAL_BYTES), None, FIRST_SEAL)


def find_tail(folder: Path, key: str) -> Tail | None:
    """The end of the newest epoch, cut back to its last whole block; None when there is nothing to go on with under this key.

    Raises SpoolDamaged when what lies before the end does not open, OSError.
    """
    known = epochs(folder)
    places = files_of(known[-1]) if known else []
    while places and _was_only_begun(places[-1]):
        places.pop().unlink()
    if not places:
        return None
    file = places[-1]
    with file.open("rb") as content:
        _, key_id, identity, _ = FILE_HEAD.unpack(content.read(FILE_HEAD.size))
    if key_id != _key_id(key):
        return None
    found = _whole_blocks(file, key)
    if not found:
        file.unlink()
        return find_tail(folder, key)
    # Written anew, not only cut: after a failed sync the kernel shows what is not on the disk.
    write_whole(file, file.read_bytes()[: found[-1].stop], FILES)
    return Tail(known[-1], identity, found[-1].block, seal_of(found[-1]), file, found[-1].stop, found[0].block.at)


def _was_only_begun(file: Path) -> bool:
    """Whether the writer was cut off in the first block, so that the file before this one is the last. Raises SpoolDamaged."""
    if next(scan(file), None) is not None:
        return False
    with file.open("rb") as content:
        head = content.read(FILE_HEAD.size + len(BLOCK_MAGIC))
    if head[:8] not in {b"", MAGIC} or head[FILE_HEAD.size :] not in {b"", BLOCK_MAGIC}:
        raise SpoolDamaged(f"{file.name} begins with something else")
    return True


def _whole_blocks(file: Path, key: str) -> list[Found]:
    """The blocks of the last file that open; only the very last may fail to. Raises SpoolDamaged."""
    found = list(scan(file))
    for place, one in enumerate(found):
        try:
            open_block(one, key)
        except Mismatch as error:
            if place + 1 < len(found):
                raise SpoolDamaged(error.message) from error
            return found[:place]
    return found


def add(tail: Tail, key: str, block: Block, content: bytes) -> Tail:
    """Write a block behind the tail; it is on the disk after `sync`. Raises OSError, and then the tail is to be found anew."""
    if tail.file is None or tail.size > FILE_BYTES or abs(block.at - tail.since) > FILE_TIME:
        tail = _begin_file(tail, key, block)
    assert tail.file is not None  # noqa: S101  just begun
    nonce = secrets.token_bytes(12)
    packed = zlib.compress(content, LEVEL) if content else b""
    head = block.packed(len(packed) + SEAL_BYTES, nonce)
    sealed = _box(key).encrypt(nonce, packed, head + tail.identity + tail.seal)
    with tail.file.open("ab") as file:
        file.write(head + sealed)
    return replace(tail, last=block, seal=sealed[-SEAL_BYTES:], size=tail.size + len(head) + len(sealed))


def _begin_file(tail: Tail, key: str, block: Block) -> Tail:
    if tail.file is not None:
        sync(tail)
    file = tail.epoch / f"{block.number:010d}.log"
    head = FILE_HEAD.pack(MAGIC, _key_id(key), tail.identity, tail.seal)
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, FILES)
    with os.fdopen(handle, "wb") as content:
        content.write(head)
    sync_folder(tail.epoch)
    return replace(tail, file=file, size=len(head), since=block.at)


def sync(tail: Tail) -> None:
    """Force what was added to the disk."""
    if tail.file is not None:
        handle = os.open(tail.file, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def last_moment(folder: Path) -> datetime | None:
    """Until when the newest epoch reaches; None when there is none."""
    places = [file for epoch in epochs(folder)[-1:] for file in files_of(epoch)]
    return max((found.block.at for file in places[-1:] for found in scan(file)), default=None)


def locate(folder: Path, position: Position) -> Path | None:
    """The epoch that holds a position; None when none does. Looks at the newest first."""
    return next((epoch for epoch in reversed(epochs(folder)) if holds(epoch, position)), None)


def holds(epoch: Path, position: Position) -> bool:
    """Whether an epoch holds a position. Looks at the newest files first."""
    return any(_holds(found.block, position) for file in reversed(files_of(epoch)) for found in scan(file))


def _holds(block: Block, position: Position) -> bool:
    """Whether the position is the end of one of the block's frames, or where an empty one stands."""
    return block.end.salts == position.salts and block.first - 1 <= position.frame <= block.end.frame


def first_file(epoch: Path, salts: int) -> Path | None:
    """The file in which a generation begins."""
    return next((file for file in files_of(epoch) if any(one.block.end.salts == salts for one in scan(file))), None)


def prune(folder: Path, base: Position, older_than: datetime) -> int:
    """Delete what is older than a moment and not needed to go on from a proven base. Returns the number of files.

    Nothing goes as long as the newest epoch does not hold the base.
    """
    epoch = locate(folder, base)
    known = epochs(folder)
    if epoch is None or epoch != known[-1]:
        return 0
    needed = first_file(epoch, base.salts)
    old = [file for one in known for file in files_of(one) if one != epoch or (needed is not None and file < needed)]
    gone = [file for file in old if _ended_before(file, older_than)]
    for file in gone:
        file.unlink()
    for one in known[:-1]:
        if not files_of(one):
            one.rmdir()
    return len(gone)


def _ended_before(file: Path, moment: datetime) -> bool:
    return all(found.block.at < moment for found in scan(file))
