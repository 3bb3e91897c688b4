"""Does a disk hold what it claims? Counterfeits wrap around and write over what was written first."""

from __future__ import annotations

import hashlib
import mmap
import os
import random
import secrets

from appliance.sticks.devices import DiskError
from backups.words import gigabytes

BLOCK = 64 * 1024
PLACES = 96


def places_of(size: int, count: int = PLACES) -> list[int]:
    """Where to look, in bytes: the ends, each power of two, and others at random between. All below `size`, by rising offset."""
    last = size // BLOCK - 1
    powers = {1 << exponent for exponent in range(last.bit_length())}
    found = {0, last, *(place for place in powers if place <= last)}
    pool = random.SystemRandom()
    wanted = min(count, last + 1)
    while len(found) < wanted:
        found.add(pool.randrange(last + 1))
    return [place * BLOCK for place in sorted(found)]


def require_capacity(path: str, size: int) -> None:
    """Write a mark at many places of the whole disk, then read all of them back past every cache. Destroys what is on it.

    Raises DiskError when a mark is not what was written: the disk is smaller than it says, or broken.
    """
    key, places = secrets.token_bytes(32), places_of(size)
    try:
        handle = os.open(path, os.O_RDWR | os.O_DIRECT | os.O_EXCL)
        try:
            for place in places:
                os.pwrite(handle, _aligned(_mark(key, place)), place)
            os.fsync(handle)
            lost = [place for place in places if _read(handle, place) != _mark(key, place)]
        finally:
            os.close(handle)
    except OSError as error:
        raise DiskError(
            f"Disk {path} tidak dapat ditulis atau dibaca di semua tempat ({error.strerror}).", "Ganti dengan disk lain."
        ) from error
    if lost:
        raise DiskError(
            f"Kapasitas disk {path} palsu atau disknya rusak: mengaku {gigabytes(size)}, tetapi data di {len(lost)} dari "
            f"{len(places)} tempat yang diperiksa hilang.",
            "Jangan dipakai untuk apa pun. Beli disk bermerek dari penjual resmi.",
        )


def _mark(key: bytes, place: int) -> bytes:
    """A block that nobody else writes, another one for each place."""
    seed = hashlib.blake2b(place.to_bytes(8, "big"), key=key, digest_size=64).digest()
    return seed * (BLOCK // len(seed))


def _aligned(content: bytes) -> mmap.mmap:
    """The content in memory as direct writing wants it."""
    memory = mmap.mmap(-1, BLOCK)
    memory.write(content)
    return memory


def _read(handle: int, place: int) -> bytes:
    with mmap.mmap(-1, BLOCK) as memory:
        os.preadv(handle, [memory], place)
        return memory[:]
