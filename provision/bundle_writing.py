"""Writes a signed bundle from files: the same files and the same key give the same bytes, on whatever machine."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import tarfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from appliance.errors import ApplianceError
from provision.bundle import KEY, MANIFEST, SIGNATURE, Manifest, Member
from provision.host import flush_folder


def write_bundle(path: Path, manifest: Manifest, files: Mapping[str, Path], key: Ed25519PrivateKey) -> None:
    """Write the bundle of `files` (member name → file) to `path`, whole or not at all. `manifest.members` must be those of `files`."""
    content = manifest.render()
    moment = int(datetime.fromisoformat(manifest.built).replace(tzinfo=UTC).timestamp())
    head = {
        MANIFEST: content,
        SIGNATURE: base64.b64encode(key.sign(content)) + b"\n",
        KEY: key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    }
    arriving = path.with_name(f".{path.name}.new")
    with arriving.open("wb") as file:
        with tarfile.open(fileobj=file, mode="w", format=tarfile.GNU_FORMAT) as archive:
            for name, data in head.items():
                archive.addfile(_entry(name, len(data), moment), io.BytesIO(data))
            for member in manifest.members:
                with files[member.name].open("rb") as source:
                    archive.addfile(_entry(member.name, member.size, moment), source)
        file.flush()
        os.fsync(file.fileno())
    arriving.rename(path)
    flush_folder(path.parent)


def members(files: Mapping[str, Path]) -> tuple[Member, ...]:
    """The manifest's lines for `files` (member name → file), in the order in which they are written."""
    return tuple(_member(name, path) for name, path in sorted(files.items()))


def read_signing_key(path: Path) -> Ed25519PrivateKey:
    """The private key that `install.sh bundle --new-key` made. Raises ApplianceError when the file is none."""
    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except OSError as error:
        raise ApplianceError(f"Kunci {path} tidak dapat dibaca: {error.strerror}.", "Periksa nama berkasnya.") from error
    except (ValueError, TypeError) as error:
        raise ApplianceError(
            f"{path} bukan kunci penanda tangan.", "Buat kunci dengan: ./install.sh bundle --new-key BERKAS"
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ApplianceError(f"{path} bukan kunci Ed25519.", "Buat kunci dengan: ./install.sh bundle --new-key BERKAS")
    return key


def _member(name: str, path: Path) -> Member:
    with path.open("rb") as file:
        return Member(name, hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size)


def _entry(name: str, size: int, moment: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mtime, entry.mode = size, moment, 0o644
    entry.uname = entry.gname = "root"
    return entry
