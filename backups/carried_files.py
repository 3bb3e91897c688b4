"""Files named by their hash that came after the newest backup, sealed one by one on the second disk beside the carried log.

    <folder>/files/new/<name>        in no complete backup yet
    <folder>/files/00000041/<name>   backup 41 is the first that was seen to hold it

The name is the file's hash under a key (AES-SIV): who lacks the key cannot tell whether a paper he knows is there, who has it can name
a copy that does not open any more. The seal (ChaCha20-Poly1305) covers the name as well, so that one copy cannot stand for another.
Both keys are made from the log's key, which every backup takes along.
"""

from __future__ import annotations

import hashlib
import secrets
import shutil
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV, ChaCha20Poly1305

from backups.errors import Mismatch
from backups.files import sync_folder, write_whole
from backups.spool import FILES, FOLDERS
from backups.stored_files import StoredFiles

FOLDER, NEW = "files", "new"
HEAD = struct.Struct(">8s12s")  # magic, nonce
MAGIC = b"SLRTFIL1"


class Keys:
    """What names and seals the copies. `key` is the log's, hexadecimal digits."""

    def __init__(self, key: str) -> None:
        base = bytes.fromhex(key)
        self._names = AESSIV(derived(base, b"slrt-file-name", 64))
        self._box = ChaCha20Poly1305(derived(base, b"slrt-file", 32))

    def name_of(self, sha256: str) -> str:
        """What the copy of a file is called."""
        return self._names.encrypt(bytes.fromhex(sha256), None).hex()

    def hash_of(self, name: str) -> str | None:
        """The hash of the file behind a copy's name; None for one under another key."""
        try:
            return self._names.decrypt(bytes.fromhex(name), None).hex()
        except (InvalidTag, ValueError):
            return None

    def seal(self, name: str, content: bytes) -> bytes:
        """The copy as it is written."""
        head = HEAD.pack(MAGIC, nonce := secrets.token_bytes(12))
        return head + self._box.encrypt(nonce, content, head + name.encode())

    def open(self, copy: Path) -> bytes:
        """The content of a file of which this is a copy. Raises Mismatch that names the file by its hash, OSError."""
        sealed, sha256 = copy.read_bytes(), self.hash_of(copy.name)
        head = sealed[: HEAD.size]
        with suppress(InvalidTag, struct.error):
            magic, nonce = HEAD.unpack(head)
            content = self._box.decrypt(nonce, sealed[HEAD.size :], head + copy.name.encode())
            if magic == MAGIC and hashlib.sha256(content).hexdigest() == sha256:
                return content
        raise Mismatch(f"Salinan lampiran {sha256 or copy.name} di disk cadangan rusak.")


def derived(base: bytes, purpose: bytes, size: int) -> bytes:
    """A key of so many bytes for one purpose (16 bytes at most), made from another key."""
    return hashlib.blake2b(key=base, person=purpose, digest_size=size).digest()


def copies(folder: Path) -> Iterator[Path]:
    """All copies below the folder of the carried log. Raises OSError."""
    for place in _places(folder):
        yield from sorted(file for file in place.iterdir() if not file.name.startswith("."))


def put(folder: Path, keys: Keys, sha256: str, content: bytes) -> str:
    """Write the copy of a file and force it to the disk; killed anywhere, it is there whole or not at all. Its name. Raises OSError."""
    place = folder / FOLDER / NEW
    if not place.is_dir():
        place.mkdir(mode=FOLDERS, parents=True, exist_ok=True)
        sync_folder(folder)
        sync_folder(place.parent)
    name = keys.name_of(sha256)
    write_whole(place / name, keys.seal(name, content), FILES)
    return name


def settle(folder: Path, keys: Keys, stored: StoredFiles) -> None:
    """Set those apart that a backup holds now, with what another key named, and remove what a killed writer left. Raises OSError."""
    held = folder / FOLDER / f"{stored.run:08d}"
    for file in list((folder / FOLDER / NEW).glob("*")):
        sha256 = keys.hash_of(file.name)
        if file.name.startswith("."):
            file.unlink()
        elif sha256 is None or sha256 in stored:
            held.mkdir(mode=FOLDERS, exist_ok=True)
            file.replace(held / file.name)


def prune(folder: Path, run: int) -> int:
    """Delete the copies of files that backup `run`, or one before it, holds. Returns their number. Raises OSError."""
    gone = 0
    for place in [place for place in _places(folder) if place.name.isdecimal() and int(place.name) <= run]:
        gone += sum(1 for _ in place.iterdir())
        shutil.rmtree(place)
    return gone


def oldest(folder: Path) -> int | None:
    """The oldest of the backups that hold files of which copies are here. Raises OSError."""
    return next((int(place.name) for place in _places(folder) if place.name.isdecimal()), None)


def size(folder: Path) -> int:
    """Bytes of all copies. Raises OSError."""
    return sum(copy.stat().st_size for copy in copies(folder))


def _places(folder: Path) -> list[Path]:
    """The folders of copies, the oldest backup's first."""
    return sorted(path for path in (folder / FOLDER).glob("*") if path.is_dir())
