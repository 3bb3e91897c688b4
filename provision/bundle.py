"""The signed file from which a node is installed, repaired and upgraded without a network: what is in it, and whether it is whole.

One plain tar. First comes `manifest.json`, which names every other member with its size and hash, then `manifest.sig`, its Ed25519
signature, and `key.pem`, the key that made it. Nothing of a bundle may be used before `read_bundle` (or, on a machine that has no
Python yet, `shell/bundle.sh`) has looked at all of it. docs/bundle.md describes the file.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from appliance.errors import ApplianceError

FORMAT = 1
MANIFEST, SIGNATURE, KEY = "manifest.json", "manifest.sig", "key.pem"
HEAD = (MANIFEST, SIGNATURE, KEY)
PINNED_KEY = "/etc/slrt/release-key.pem"
MANIFEST_LIMIT, HEAD_LIMIT = 1 << 20, 4096  # bytes; read before anything is trusted
CHUNK = 1 << 20
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+~-]*(?:/[A-Za-z0-9][A-Za-z0-9._+~-]*)*")
AGAIN = "Salin lagi bundelnya dari sumber aslinya, lalu ulangi."


@dataclass(frozen=True)
class Member:
    """One file in a bundle, as the manifest has it; `size` in bytes."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True)
class Manifest:
    """What a bundle says of itself.

    `release` is the name of the release folder it makes (VERSION+DIGEST), `built` the UTC date of its sources, and `upgrades_from` the
    versions from which an upgrade may go to this one without another in between.
    """

    version: str
    release: str
    built: str
    upgrades_from: tuple[str, ...]
    members: tuple[Member, ...]

    @classmethod
    def parse(cls, content: bytes) -> Manifest:
        """From the text of `manifest.json`. Raises ValueError for anything else."""
        known: dict[str, Any] = json.loads(content)
        if known["format"] != FORMAT:
            raise ValueError(f"format {known['format']}")
        members = tuple(Member(name, one["sha256"], one["size"]) for name, one in known["members"].items())
        return cls(known["version"], known["release"], known["built"], tuple(known["upgrades_from"]), members)

    def render(self) -> bytes:
        """The text of `manifest.json`: one member a line, for the shell reads it too."""
        head = {"format": FORMAT, "version": self.version, "release": self.release, "built": self.built}
        lines = [f" {json.dumps(key)}: {json.dumps(value)}," for key, value in head.items()]
        lines.append(f' "upgrades_from": {json.dumps(list(self.upgrades_from))},')
        rows = (f'  "{one.name}": {{"sha256": "{one.sha256}", "size": {one.size}}}' for one in self.members)
        return ("\n".join(("{", *lines, ' "members": {', ",\n".join(rows), " }", "}")) + "\n").encode()


@dataclass(frozen=True)
class Bundle:
    """A bundle that was read to its end: every member is as its signed manifest says. `key` is its PEM key."""

    path: Path
    key: bytes
    manifest: Manifest = field(repr=False)

    @property
    def version(self) -> str:
        """The version of the program in it."""
        return self.manifest.version

    @property
    def release(self) -> str:
        """The name of the release folder that it makes."""
        return self.manifest.release

    @property
    def upgrades_from(self) -> tuple[str, ...]:
        """The versions from which an upgrade may go to this one."""
        return self.manifest.upgrades_from

    @property
    def fingerprint(self) -> str:
        """The fingerprint of its key, to be compared with the paper."""
        return fingerprint(self.key)


def read_bundle(path: Path, trusted: bytes | None) -> Bundle:
    """The bundle at `path` after all of it was read and found whole.

    `trusted` is the PEM key that must have signed it (the node's pinned one); None accepts the bundle's own key, whose fingerprint is
    then for a person to compare. Raises ApplianceError, in one sentence, for whatever is wrong; changes nothing.
    """
    with _opened(path) as archive:
        entries = _entries(archive, path)
        head = {}
        for name, entry in zip(HEAD, entries, strict=False):
            if entry.name != name:
                raise _broken(path, f"{name} tidak ada di tempatnya")
            head[name] = _content(archive, entry, MANIFEST_LIMIT if name == MANIFEST else HEAD_LIMIT)
        if len(head) < len(HEAD):
            raise _broken(path, "terpotong")
        _check_signature(path, head, trusted)
        manifest = _manifest(path, head[MANIFEST])
        _check_members(path, archive, entries[len(HEAD) :], manifest)
    return Bundle(path, head[KEY], manifest)


def fingerprint(key: bytes) -> str:
    """SHA-256 of the PEM public key's content in groups of four letters, as it stands on the paper."""
    digest = hashlib.sha256(_raw(_public_key(key))).hexdigest()
    return " ".join(digest[start : start + 4] for start in range(0, len(digest), 4))


def same_key(one: bytes, other: bytes) -> bool:
    """Whether two PEM texts hold the same public key."""
    return _raw(_public_key(one)) == _raw(_public_key(other))


def _raw(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _public_key(pem: bytes) -> Ed25519PublicKey:
    try:
        key = load_pem_public_key(pem)
    except ValueError as error:
        raise ApplianceError("Kunci rilis bukan kunci yang sah.", "Ambil lagi kuncinya dari pembuat bundel.") from error
    if not isinstance(key, Ed25519PublicKey):
        raise ApplianceError("Kunci rilis bukan kunci Ed25519.", "Ambil lagi kuncinya dari pembuat bundel.")
    return key


@contextmanager
def _opened(path: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(path, "r:") as archive:
            yield archive
    except tarfile.TarError as error:
        raise _broken(path, "bukan bundel, atau terpotong") from error
    except OSError as error:
        raise ApplianceError(
            f"Bundel {path.name} tidak dapat dibaca: {error.strerror}.", "Periksa stik dan nama berkasnya."
        ) from error


def _entries(archive: tarfile.TarFile, path: Path) -> list[tarfile.TarInfo]:
    """All members, in their order: plain files with plain names, none twice."""
    entries = archive.getmembers()
    seen: set[str] = set()
    for entry in entries:
        if not entry.isreg() or entry.issparse() or not NAME.fullmatch(entry.name):
            raise _broken(path, "berisi nama atau jenis berkas yang tidak boleh ada")
        if entry.name in seen:
            raise _broken(path, f"{entry.name} ada dua kali")
        seen.add(entry.name)
    return entries


def _content(archive: tarfile.TarFile, entry: tarfile.TarInfo, limit: int) -> bytes:
    file = archive.extractfile(entry)
    content = file.read(limit + 1) if file is not None else b""
    if len(content) != entry.size or entry.size > limit:
        raise tarfile.ReadError(f"{entry.name}: {len(content)} of {entry.size} bytes")
    return content


def _check_signature(path: Path, head: dict[str, bytes], trusted: bytes | None) -> None:
    key = _public_key(head[KEY])
    try:
        key.verify(base64.b64decode(head[SIGNATURE], validate=False), head[MANIFEST])
    except (InvalidSignature, binascii.Error) as error:
        raise _broken(path, "tanda tangannya tidak cocok") from error
    if trusted is not None and not same_key(head[KEY], trusted):
        raise ApplianceError(
            f"Bundel {path.name} ditandatangani kunci lain: {fingerprint(head[KEY])}; simpul ini memercayai {fingerprint(trusted)}.",
            f"Jangan dipakai. Bila pembuatnya memang mengganti kunci, cocokkan dengan kertasnya, hapus {PINNED_KEY}, lalu ulangi.",
        )


def _manifest(path: Path, content: bytes) -> Manifest:
    try:
        return Manifest.parse(content)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ApplianceError(
            f"Susunan bundel {path.name} tidak dikenal program ini ({error}).", "Pasang bundel yang lebih dekat versinya dahulu."
        ) from error


def _check_members(path: Path, archive: tarfile.TarFile, entries: list[tarfile.TarInfo], manifest: Manifest) -> None:
    """Exactly the members that were signed, each with its signed content."""
    listed = {member.name: member for member in manifest.members}
    extra = sorted({entry.name for entry in entries} - listed.keys())
    absent = sorted(listed.keys() - {entry.name for entry in entries})
    if extra or absent:
        raise _broken(path, f"{extra[0]} tidak ada dalam daftarnya" if extra else f"{absent[0]} hilang")
    for entry in entries:
        if (entry.size, _digest(archive, entry)) != (listed[entry.name].size, listed[entry.name].sha256):
            raise _broken(path, f"{entry.name} berubah")


def _digest(archive: tarfile.TarFile, entry: tarfile.TarInfo) -> str:
    file, digest = archive.extractfile(entry), hashlib.sha256()
    while chunk := file.read(CHUNK) if file is not None else b"":
        digest.update(chunk)
    return digest.hexdigest()


def _broken(path: Path, what: str) -> ApplianceError:
    return ApplianceError(f"Bundel {path.name} rusak atau diubah: {what}.", AGAIN)
