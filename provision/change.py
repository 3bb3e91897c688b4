"""Changes as data: each says in one sentence what a machine shall be like, whether it is so, and how to make it so.

A plan prints them, an apply performs the very same objects and asks again. Every change may be interrupted at any point and
performed again; none of them puts a secret on a command line or into its sentence.
"""

from __future__ import annotations

import hashlib
import secrets
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Protocol, runtime_checkable

from appliance.errors import ApplianceError, ConfigurationError
from provision.host import Host
from provision.transcript import hear

SECRET_BYTES = 32
LAST_LINES = 15
STAMPS = "/var/lib/slrt-provision"
# what systemctl itself calls active, and enabled
UP = {"active", "reloading", "refreshing"}
AT_BOOT = {"enabled", "enabled-runtime", "static", "alias", "indirect", "generated"}


class Change(Protocol):
    """One thing that shall hold on a machine."""

    def describe(self) -> str:
        """What performing it does, one Indonesian line without secrets."""

    def is_done(self, host: Host) -> bool:
        """Whether it holds already. Changes nothing."""

    def perform(self, host: Host) -> None:
        """Make it hold. Raises ApplianceError."""


def insist(host: Host, command: Sequence[str], given: bytes = b"", secret: bool = False) -> str:
    """Run `command` and give its output; raise ApplianceError with its last lines when it fails.

    `secret` keeps what the program printed out of the error.
    """
    outcome = host.run(command, given)
    hear(command, outcome, secret)
    if not outcome.worked:
        said = "" if secret else _last_lines(outcome.output + outcome.errors)
        raise ApplianceError(
            f"Perintah gagal (kode {outcome.code}): {shlex.join(command)}{said}",
            "Perbaiki penyebabnya, lalu jalankan ./install.sh sekali lagi; langkah yang sudah selesai tidak diulang.",
        )
    return outcome.output


def _last_lines(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()][-LAST_LINES:]
    return "".join(f"\n    {line}" for line in lines)


@dataclass(frozen=True)
class File:
    """A file with exactly this content."""

    path: str
    content: bytes
    mode: int = 0o644
    owner: str = "root"
    group: str = "root"

    def describe(self) -> str:
        return f"tulis {self.path} ({self.owner}:{self.group} {self.mode:04o})"

    def is_done(self, host: Host) -> bool:
        entry = host.look(self.path)
        if entry is None or entry.kind != "file":
            return False
        same = (entry.mode, entry.owner, entry.group) == (self.mode, self.owner, self.group)
        return same and host.read(self.path) == self.content

    def perform(self, host: Host) -> None:
        _make_parents(host, self.path)
        host.write(self.path, self.content, self.mode, self.owner, self.group)

    def wanted(self, host: Host) -> File | None:
        """Itself."""
        del host
        return self


@runtime_checkable
class WholeFile(Protocol):
    """A change that owns a file whole."""

    def wanted(self, host: Host) -> File | None:
        """The file as it shall be; None while that cannot be told yet."""


def file_of(change: Change, host: Host) -> File | None:
    """The file that the change writes, if it owns one whole and that can be told yet."""
    return change.wanted(host) if isinstance(change, WholeFile) else None


@dataclass(frozen=True)
class SecretFile:
    """64 random hexadecimal digits, made once; what is there is never replaced."""

    path: str
    mode: int = 0o600

    def describe(self) -> str:
        return f"buat rahasia acak {self.path}"

    def is_done(self, host: Host) -> bool:
        entry = host.look(self.path)
        usable = entry is not None and (entry.kind, entry.mode, entry.owner) == ("file", self.mode, "root")
        return usable and bool((host.read(self.path) or b"").strip())

    def perform(self, host: Host) -> None:
        kept = (host.read(self.path) or b"").strip()
        host.write(
            self.path, kept + b"\n" if kept else f"{secrets.token_hex(SECRET_BYTES)}\n".encode(), self.mode, "root", "root"
        )


@dataclass(frozen=True)
class Folder:
    """A folder with this owner and mode; what is in it is left alone."""

    path: str
    mode: int = 0o755
    owner: str = "root"
    group: str = "root"

    def describe(self) -> str:
        return f"siapkan folder {self.path} ({self.owner}:{self.group} {self.mode:04o})"

    def is_done(self, host: Host) -> bool:
        entry = host.look(self.path)
        return entry is not None and (entry.kind, entry.mode, entry.owner, entry.group) == (
            "folder",
            self.mode,
            self.owner,
            self.group,
        )

    def perform(self, host: Host) -> None:
        entry = host.look(self.path)
        if entry is not None and entry.kind != "folder":
            raise ConfigurationError(f"{self.path} seharusnya folder.", "Pindahkan yang ada di sana, lalu ulangi ./install.sh.")
        insist(host, ["install", "-d", "-m", f"{self.mode:04o}", self.path])
        # not by `install`, which follows a link: whoever owns the folder above could have this one be given to him
        insist(host, ["chown", "-h", f"{self.owner}:{self.group}", self.path])


@dataclass(frozen=True)
class Link:
    """A symbolic link, swapped in one rename."""

    path: str
    target: str

    def describe(self) -> str:
        return f"tautkan {self.path} ke {self.target}"

    def is_done(self, host: Host) -> bool:
        entry = host.look(self.path)
        return entry is not None and entry.kind == "link" and entry.target == self.target

    def perform(self, host: Host) -> None:
        _make_parents(host, self.path)
        temporary = f"{self.path}.slrt-new"
        insist(host, ["ln", "-sfn", self.target, temporary])
        insist(host, ["mv", "-T", temporary, self.path])


@dataclass(frozen=True)
class Absent:
    """No file or link at this path."""

    path: str

    def describe(self) -> str:
        return f"hapus {self.path}"

    def is_done(self, host: Host) -> bool:
        return host.look(self.path) is None

    def perform(self, host: Host) -> None:
        insist(host, ["rm", "-f", self.path])


@dataclass(frozen=True)
class Command:
    """A program that does something which another program can see: done when `ask` ends with 0.

    `proves`: `do` ends well only where it holds, so that nobody has to ask once more.
    """

    title: str
    ask: tuple[str, ...]
    do: tuple[str, ...]
    proves: bool = False

    def describe(self) -> str:
        return self.title

    def is_done(self, host: Host) -> bool:
        return host.run(self.ask).worked

    def perform(self, host: Host) -> None:
        insist(host, self.do)


@dataclass(frozen=True)
class Masked:
    """Units of other packages that must never run on this machine."""

    units: tuple[str, ...]

    def describe(self) -> str:
        return f"matikan {', '.join(self.units)} bawaan Debian untuk seterusnya"

    def is_done(self, host: Host) -> bool:
        entries = [host.look(f"/etc/systemd/system/{unit}") for unit in self.units]
        masked = all(entry is not None and entry.target == "/dev/null" for entry in entries)
        # the exit code is good as soon as one of them runs
        return masked and not host.run(["systemctl", "is-active", "--quiet", *self.units]).worked

    def perform(self, host: Host) -> None:
        insist(host, ["systemctl", "mask", *self.units])
        # not installed yet is as good as stopped
        host.run(["systemctl", "stop", *self.units])


@dataclass(frozen=True)
class Applied:
    """What took in these files the last time they changed: `do` is run again when one of `inputs` differs.

    The digest of the inputs is kept on disk and written after `do` worked, so an interrupted run does it again. `made` names
    files that `do` makes; without them it did not work, whatever the digest says.
    """

    name: str
    title: str
    inputs: tuple[str, ...]
    do: tuple[tuple[str, ...], ...]
    made: tuple[str, ...] = ()

    def describe(self) -> str:
        return self.title

    def is_done(self, host: Host) -> bool:
        return all(host.look(path) for path in self.made) and host.read(f"{STAMPS}/{self.name}") == digest(host, self.inputs)

    def perform(self, host: Host) -> None:
        taken = digest(host, self.inputs)
        for command in self.do:
            insist(host, command)
        self.note(host, taken)

    def note(self, host: Host, taken: bytes) -> None:
        """Keep the digest of what was taken in."""
        _make_parents(host, f"{STAMPS}/{self.name}")
        host.write(f"{STAMPS}/{self.name}", taken, 0o644, "root", "root")


@dataclass(frozen=True)
class Running:
    """A unit that starts at boot (when `enabled`), runs now, and runs with the files in `inputs` as they are.

    `before` names units that must not run while this one is restarted: a socket is refused while its service is up. `ahead`: among
    others it is started first, and nobody waits for it until all of them are.
    """

    unit: str
    inputs: tuple[str, ...] = ()
    enabled: bool = True
    before: tuple[str, ...] = ()
    ahead: bool = False

    def describe(self) -> str:
        return f"nyalakan {self.unit}" + (" sekarang dan setiap kali mesin menyala" if self.enabled else "")

    def is_done(self, host: Host) -> bool:
        return Together((self,)).is_done(host)

    def perform(self, host: Host) -> None:
        Together((self,)).perform(host)

    @property
    def files(self) -> tuple[str, ...]:
        """What the unit runs with: its own file and its inputs."""
        return (f"/etc/systemd/system/{self.unit}", *self.inputs)

    @property
    def taken(self) -> Applied:
        """The mark of the files that it runs with."""
        return Applied(f"{self.unit}.taken", "", self.files, ())


@dataclass(frozen=True)
class State:
    """What systemd says of a unit."""

    now: str = ""
    at_boot: str = ""

    def holds(self, unit: Running) -> bool:
        """Whether it runs, and will after the next boot."""
        return self.now in UP and (self.at_boot in AT_BOOT or not unit.enabled)


@dataclass(frozen=True)
class Together:
    """Units as each says, all asked about at once and started at once: systemd knows which has to wait for which."""

    units: tuple[Running, ...]

    def describe(self) -> str:
        return f"nyalakan {len(self.units)} unit"

    def is_done(self, host: Host) -> bool:
        return not self.due(host)

    def due(self, host: Host) -> list[Running]:
        """The units that do not hold."""
        return list(self._due(host))

    def perform(self, host: Host) -> None:
        _systemctl(host, ["stop"], [name for unit in self.due(host) if not unit.taken.is_done(host) for name in unit.before])
        due = self._due(host)
        names = [unit.unit for unit, state in due.items() if unit.enabled and state.at_boot not in AT_BOOT]
        # with a reading of all units: without it systemd goes on answering that one it has loaded is disabled
        _systemctl(host, ["enable", "--quiet"], names)
        if forgiven := [unit.unit for unit, state in due.items() if state.now != "inactive"]:
            # Units that failed five times in a row are refused a start until they are forgiven.
            host.run(["systemctl", "reset-failed", *forgiven])
        _start(host, list(due))

    def _due(self, host: Host) -> dict[Running, State]:
        states = _states(host, self.units)
        return {unit: state for unit, state in states.items() if not (state.holds(unit) and unit.taken.is_done(host))}

    def take(self, host: Host, but: str) -> None:
        """Those that run do so with the files that are there now, all `but` one: whoever started them knows."""
        for unit, state in _states(host, self.units).items():
            if unit.unit != but and state.now in UP and not unit.taken.is_done(host):
                unit.taken.perform(host)


def _start(host: Host, units: Sequence[Running]) -> None:
    """Start them, those anew that run with other files than they should."""
    taken = {unit: digest(host, unit.files) for unit in units}
    # A target only groups units: to restart it would stop all that were just started.
    anew = [unit for unit in units if not unit.unit.endswith(".target") and not unit.taken.is_done(host)]
    _systemctl(host, ["restart", "--no-block"], [unit.unit for unit in anew if unit.ahead])
    _systemctl(host, ["restart"], [unit.unit for unit in anew if not unit.ahead])
    _systemctl(host, ["start"], [unit.unit for unit in units if unit.ahead or unit not in anew])
    for unit, content in taken.items():
        unit.taken.note(host, content)


def _systemctl(host: Host, words: Sequence[str], units: Sequence[str]) -> None:
    if units:
        insist(host, ["systemctl", *words, *units])


def _states(host: Host, units: Sequence[Running]) -> dict[Running, State]:
    """Of each unit. In one question: systemd takes longer to be asked than to answer."""
    told = host.run(["systemctl", "show", "--property=ActiveState,UnitFileState", *(unit.unit for unit in units)]).output
    found = [dict(line.split("=", 1) for line in block.split()) for block in told.split("\n\n")]
    found += [{}] * (len(units) - len(found))
    return {
        unit: State(state.get("ActiveState", ""), state.get("UnitFileState", ""))
        for unit, state in zip(units, found, strict=True)
    }


def parts(change: Change, host: Host, written: set[str]) -> list[Change]:
    """What of the change does not hold, or takes in one of the files that will be `written`; each part tells itself."""
    if isinstance(change, Together):
        due = change.due(host)
        return [unit for unit in change.units if unit in due or follows(unit) & written]
    return [change] if follows(change) & written or not change.is_done(host) else []


def writes(change: Change) -> set[str]:
    """The file or link that performing the change replaces, if it is of that kind."""
    path = getattr(change, "path", None)
    return {path} if path else set()


def follows(change: Change) -> set[str]:
    """The files that the change takes in: it is due whenever one of them was replaced."""
    if isinstance(change, Running):
        return set(change.files)
    return set(change.inputs) if isinstance(change, Applied) else set()


def digest(host: Host, paths: Sequence[str]) -> bytes:
    """One line that differs whenever one of the files, or the target of one of the links, does."""
    total = hashlib.sha256()
    for path in paths:
        entry = host.look(path)
        linked = entry is not None and entry.kind == "link"
        content = entry.target.encode() if entry is not None and linked else host.read(path)
        total.update(f"{path}\0{'-' if content is None else hashlib.sha256(content).hexdigest()}\0".encode())
    return total.hexdigest().encode() + b"\n"


def _make_parents(host: Host, path: str) -> None:
    parent = str(PurePosixPath(path).parent)
    if host.look(parent) is None:
        insist(host, ["mkdir", "-p", "-m", "0755", parent])
