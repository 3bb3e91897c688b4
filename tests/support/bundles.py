"""Small bundles for tests, and what is needed to spoil them member by member."""

from __future__ import annotations

import io
import tarfile
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from provision.bundle import Manifest
from provision.bundle_writing import members, write_bundle

SMALL = {
    "install.sh": b"echo pasang\n",
    "source.tar": b"source" * 300,
    "debs/12/Packages": b"Package: a\n",
    "debs/12/a_1_all.deb": b"deb" * 700,
}


@dataclass(frozen=True)
class Part:
    """One member of a tar, as a hostile hand may write it."""

    name: str
    content: bytes
    kind: bytes = tarfile.REGTYPE


def small_bundle(folder: Path, key: Ed25519PrivateKey, content: dict[str, bytes] | None = None) -> Path:
    """A whole bundle `b.slrt` in `folder`, of the members SMALL or `content`."""
    files = {}
    for number, (name, data) in enumerate((content or SMALL).items()):
        files[name] = folder / f"part-{number}"
        files[name].write_bytes(data)
    manifest = Manifest("0.2.0", "0.2.0+abcdef01", "2026-11-01", ("0.1.0",), members(files))
    write_bundle(folder / "b.slrt", manifest, files, key)
    return folder / "b.slrt"


PROGRAM = b"""
echo "dijalankan: $*"
touch "/root/dijalankan-${1-}"
[[ ${1-} != tunggu ]] || exec sleep 1000
"""


def program_bundle(folder: Path, key: Ed25519PrivateKey) -> Path:
    """A bundle like SMALL, for either Debian, whose program only says that it was run."""
    source = io.BytesIO()
    with tarfile.open(fileobj=source, mode="w") as archive:
        entry = tarfile.TarInfo("install.sh")
        entry.size = len(PROGRAM)
        archive.addfile(entry, io.BytesIO(PROGRAM))
    more = {"debs/13/Packages": b"Package: a\n", "wheels/a-1-py3-none-any.whl": b"wheel" * 100}
    return small_bundle(folder, key, {**SMALL, **more, "source.tar": source.getvalue()})


def public_pem(key: Ed25519PrivateKey) -> bytes:
    """The public half of `key`, as a node pins it."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def parts(bundle: Path) -> list[Part]:
    """The members of a bundle with their content."""
    with tarfile.open(bundle, "r:") as archive:
        return [Part(entry.name, _content(archive, entry)) for entry in archive.getmembers()]


def packed(known: list[Part]) -> bytes:
    """A tar of these members, in this order."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for part in known:
            entry = tarfile.TarInfo(part.name)
            entry.type, entry.linkname = part.kind, "/etc/passwd" if part.kind == tarfile.SYMTYPE else ""
            entry.size = len(part.content)
            archive.addfile(entry, io.BytesIO(part.content))
    return stream.getvalue()


def _content(archive: tarfile.TarFile, entry: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(entry)
    assert file is not None
    return file.read()
