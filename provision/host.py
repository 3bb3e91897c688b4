"""The edge to a machine: look at a file, write one so that a power cut cannot halve it, run a program.

`Host` is all that changes and steps know of a machine; `LocalHost` is the one we run on, `provision.ssh.SshHost` one over SSH.
Nothing here knows what an SLRT node is.
"""

from __future__ import annotations

import grp
import os
import pwd
import stat
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from appliance.errors import ApplianceError, ConfigurationError

NOT_FOUND = 127


@dataclass(frozen=True)
class Entry:
    """What is at a path: `kind` is "file", "folder", "link" or "other"; `target` is where a link points."""

    kind: str
    mode: int
    owner: str
    group: str
    target: str = ""


@dataclass(frozen=True)
class Outcome:
    """How a program ended. `code` is 127 when there is no such program."""

    code: int
    output: str
    errors: str

    @property
    def worked(self) -> bool:
        return self.code == 0


class Host(Protocol):
    """One machine. All methods raise ApplianceError when the machine refuses."""

    name: str

    def look(self, path: str) -> Entry | None:
        """What is at `path`, links not followed; None when nothing is there."""

    def read(self, path: str) -> bytes | None:
        """The content of a file; None when it is not there."""

    def write(self, path: str, content: bytes, mode: int, owner: str, group: str) -> None:
        """Put a whole file at `path`, on disk when this returns: before or after a power cut, never in between."""

    def run(self, command: Sequence[str], given: bytes = b"") -> Outcome:
        """Run a program to its end with `given` as its input. Never raises for a bad exit code."""


class LocalHost:
    """The machine we run on."""

    name = "mesin ini"

    def look(self, path: str) -> Entry | None:
        try:
            found = os.lstat(path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        target = str(Path(path).readlink()) if stat.S_ISLNK(found.st_mode) else ""
        return Entry(_kind(found.st_mode), stat.S_IMODE(found.st_mode), _user(found.st_uid), _group(found.st_gid), target)

    def read(self, path: str) -> bytes | None:
        try:
            return Path(path).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise ConfigurationError(f"{path} tidak dapat dibaca: {error.strerror}.", "Jalankan sebagai root.") from error

    def write(self, path: str, content: bytes, mode: int, owner: str, group: str) -> None:
        try:
            write_durably(Path(path), content, mode, (pwd.getpwnam(owner).pw_uid, grp.getgrnam(group).gr_gid))
        except KeyError as error:
            raise ApplianceError(f"Pengguna atau grup {owner}:{group} tidak ada.", "Ulangi ./install.sh.") from error
        except OSError as error:
            raise ApplianceError(f"{path} tidak dapat ditulis: {error.strerror}.", "Periksa ruang disk: df -h") from error

    def run(self, command: Sequence[str], given: bytes = b"") -> Outcome:
        try:
            done = subprocess.run(command, input=given, capture_output=True, check=False)
        except (FileNotFoundError, NotADirectoryError):
            return Outcome(NOT_FOUND, "", f"{command[0]}: tidak ditemukan")
        except PermissionError as error:
            return Outcome(126, "", f"{command[0]}: {error.strerror}")
        return Outcome(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))


def write_durably(path: Path, content: bytes, mode: int, owner: tuple[int, int] | None = None) -> None:
    """Write `content` beside `path`, flush it, then rename it over: a reader and a power cut see the old or the new file.

    `owner` is (uid, gid). Raises OSError.
    """
    temporary = path.with_name(f".{path.name}.slrt-new")
    temporary.unlink(missing_ok=True)  # left by a killed run, perhaps with another mode
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            if owner is not None:
                os.fchown(file.fileno(), *owner)
            os.fchmod(file.fileno(), mode)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    flush_folder(path.parent)


def flush_folder(folder: Path) -> None:
    """Make the names in `folder` survive a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _kind(mode: int) -> str:
    if stat.S_ISREG(mode):
        return "file"
    if stat.S_ISDIR(mode):
        return "folder"
    return "link" if stat.S_ISLNK(mode) else "other"


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _group(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)
