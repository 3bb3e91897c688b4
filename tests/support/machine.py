"""A Debian booted with systemd in a container on this host, as if it were the small server in the office.

`Machine` boots, runs commands, loses its network or its power, and can be copied once it is off. The command line for trying
things by hand is `tests.support.machine_shell`.
"""

from __future__ import annotations

import functools
import io
import os
import re
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from tests.support.machine_bed import Bed, claim_bed, host_run, identity, is_alive
from tests.support.machine_groups import entering
from tests.support.machine_tree import bare_tree, seed_layer

PROJECT = Path(__file__).resolve().parents[2]
SOURCE = "/root/slrt-node"  # where the operator unpacked the project
ENVIRONMENT = ("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "TERM=dumb", "HOME=/root")
BOOT_SECONDS = 180.0
POWER_OFF_SECONDS = 240.0

Answer = TypeVar("Answer")


class CommandFailed(AssertionError):
    """A command in a machine did not end as the test needed it."""


@dataclass(frozen=True)
class Result:
    """What a command said: exit code and its two outputs."""

    command: str
    code: int
    out: str
    err: str

    def __str__(self) -> str:
        return f"$ {self.command}\nexit {self.code}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"

    def checked(self) -> Result:
        """Itself if the exit code is 0. Raises CommandFailed with everything it said."""
        if self.code != 0:
            raise CommandFailed(str(self))
        return self


def wait_for(
    what: str, ask: Callable[[], Answer], seconds: float = 120.0, say: Callable[[], str] | None = None, pause: float = 0.25
) -> Answer:
    """Ask every `pause` seconds until the answer is true, and give it.

    After `seconds` fail with the last answer, or with what `say` says.
    """
    deadline = time.monotonic() + seconds
    while not (answer := ask()):
        if time.monotonic() > deadline:
            raise AssertionError(f"after {seconds:.0f} s still not: {what}; instead: {say() if say else repr(answer)}")
        time.sleep(pause)
    return answer


@dataclass(frozen=True)
class Snapshot:
    """The disk of a machine that is off: copies of it boot from these layers (uppermost first)."""

    release: str
    layers: tuple[Path, ...]
    number: int


@dataclass
class Machine:
    """One machine in its bed. Made by `new_machine` or `copy_of`; `destroy` it in the end, whatever happened."""

    bed: Bed
    release: str
    layers: tuple[Path, ...]
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    gone: bool = False

    @property
    def address(self) -> str:
        """Its address, reachable from this host."""
        return self.bed.address

    @property
    def console(self) -> Path:
        """What it said on its console."""
        return self.bed.folder / "console.log"

    def boot(self) -> Machine:
        """Switch it on and wait until systemd has started everything (or says what failed)."""
        assert not self.is_on(), f"{self.bed.name} is on already"
        nspawn = ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--console=pipe", "--suppress-sync=yes"]
        nspawn += [f"--machine={self.bed.name}", f"--network-namespace-path=/run/netns/{self.bed.name}"]
        nspawn += ["--resolv-conf=off", "--timezone=off", "--link-journal=no", f"--directory={self.bed.root}", "--boot"]
        # with it systemd can raise the loopback of a unit with a network of its own, as on a real machine
        nspawn += ["--capability=CAP_NET_ADMIN"]
        environment = {"PATH": os.environ["PATH"], "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"}
        with self.console.open("ab") as console:
            self.process = subprocess.Popen(
                entering(self.bed.name, nspawn),
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                env=environment,
                start_new_session=True,
            )
        (self.bed.folder / "nspawn").write_text(identity(self.process.pid))
        wait_for(f"{self.bed.name} has started", self._state, BOOT_SECONDS)
        return self

    def is_on(self) -> bool:
        """Whether the machine has power."""
        if self.process is not None:
            self.process.poll()
        note = self.bed.folder / "nspawn"
        return note.exists() and is_alive(note.read_text())

    def wait_until_off(self, seconds: float = POWER_OFF_SECONDS) -> None:
        """Wait until the machine has switched itself off."""
        wait_for(f"{self.bed.name} is off", lambda: not self.is_on(), seconds)

    def power_off(self) -> None:
        """Switch it off in the orderly way."""
        self.run("systemctl poweroff --no-block")
        self.wait_until_off()

    def cut_power(self) -> None:
        """End it at once, with nobody asked. What programs wrote stays (this host keeps its cache): a crash, not a lost disk."""
        assert self.process is not None
        os.kill(self._leader(), 9)
        self.wait_until_off()

    def run(
        self, command: str, *, check: bool = True, seconds: float = 240, user: str = "", stdin: bytes = b"", folder: str = "/"
    ) -> Result:
        """Run `command` in bash in the machine, as root or as `user`. Raises CommandFailed unless it exits 0 or `check` is off."""
        # Files, not pipes: a daemon that a command leaves behind must not keep the test waiting, and a killed command has said something.
        with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            given.write(stdin)
            given.seek(0)
            process = subprocess.Popen(
                self.enter(command, user, folder), stdin=given, stdout=out, stderr=err, start_new_session=True
            )
            late = ""
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, 9)
                late = f"\n(killed: not done after {seconds} s)"
            code = process.wait()
            out.seek(0)
            err.seek(0)
            result = Result(command, code, out.read().decode(errors="replace"), err.read().decode(errors="replace") + late)
        return result.checked() if check or late else result

    def enter(self, command: str, user: str = "", folder: str = "/") -> list[str]:
        """The host's command line that runs `command` in the machine."""
        become = ["runuser", "-u", user, "--"] if user else []
        spaces = ["nsenter", f"--target={self._leader()}", "--mount", "--uts", "--ipc", "--net", "--pid", "--"]
        return [*spaces, "env", "-i", *ENVIRONMENT, *become, "/bin/bash", "-c", f"cd {folder} || exit 99\n{command}"]

    def read(self, path: str) -> str:
        """The text of a file in the machine."""
        return self.run(f"cat {path}").out

    def put(self, path: str, content: str | bytes, mode: str = "0644") -> None:
        """Write a file in the machine, with its folder."""
        data = content.encode() if isinstance(content, str) else content
        self.run(f"mkdir -p $(dirname {path}) && cat > {path} && chmod {mode} {path}", stdin=data)

    def put_project(self, folder: str = SOURCE, owner: str = "root") -> None:
        """Copy the project as a clone of it would have it: no caches, no virtual environment."""
        command = f"rm -rf {folder} && mkdir -p {folder} && tar -x -C {folder} && chown -R {owner}: {folder}"
        self.run(command, stdin=project_archive())

    def snapshot(self, folder: Path) -> Snapshot:
        """Keep its disk in `folder` (not existing yet, on the same file system) and give up the bed. The machine must be off."""
        assert not self.is_on(), f"{self.bed.name} is still on"
        host_run("umount", str(self.bed.root))
        folder.parent.mkdir(parents=True, exist_ok=True)
        self.bed.upper.rename(folder)
        self._leave_bed()
        return Snapshot(self.release, (folder, *self.layers), self.bed.number)

    def destroy(self) -> None:
        """Take it away with everything it holds, in whatever state it is. May be repeated."""
        if not self.gone:
            self._leave_bed()
        if self.process is not None:
            self.process.wait()

    def _leave_bed(self) -> None:
        # Only once: the bed may be somebody else's the moment after.
        self.gone = True
        self.bed.clear()

    def journal(self, lines: int = 150) -> str:
        """The end of its journal and its failed units, on or off: for the report of a failed test."""
        if self.is_on():
            command = f"systemctl --failed --no-pager --no-legend; journalctl --no-pager -n {lines}; journalctl --no-pager -p warning -n 60 -b"
            return self.run(command, check=False, seconds=30).out
        kept = self.bed.root / "var/log/journal"
        return host_run("journalctl", f"--directory={kept}", "--no-pager", f"--lines={lines}", check=False)

    def _state(self) -> str:
        assert self.is_on(), f"{self.bed.name} ended while starting:\n{self.console.read_text()[-3000:]}"
        try:
            state = self.run("systemctl is-system-running --wait", check=False, seconds=BOOT_SECONDS).out.strip()
        except ProcessLookupError:
            return ""
        return state if state in {"running", "degraded"} else ""

    def _leader(self) -> int:
        """Process number of the machine's systemd on this host. Raises ProcessLookupError while there is none."""
        note = self.bed.folder / "nspawn"
        pid = int(note.read_text().split()[0]) if note.exists() else 0
        try:
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            return next(int(child) for child in children if Path(f"/proc/{child}/comm").read_text() == "systemd\n")
        except (OSError, StopIteration) as error:
            raise ProcessLookupError(f"{self.bed.name} is off") from error


def new_machine(release: str, number: int = 1) -> Machine:
    """A bare Debian in a bed of its own (number `number` or one of the next), not booted yet."""
    # The seed lies below the tree: the tree's folders keep their owners and modes.
    return _lay(release, (bare_tree(release), seed_layer(release)), number)


def copy_of(snapshot: Snapshot, aside: int = 0) -> Machine:
    """A machine with the disk of another one, at its address if that is free, or `aside` so many beds; not booted yet."""
    return _lay(snapshot.release, snapshot.layers, snapshot.number + aside)


def _lay(release: str, layers: tuple[Path, ...], number: int) -> Machine:
    bed = claim_bed(number)
    try:
        bed.lay(list(layers))
        bed.wire()
    except BaseException:
        bed.clear()
        raise
    return Machine(bed, release, layers)


@functools.cache
def project_archive() -> bytes:
    """The project's files as git sees them (new ones too, ignored ones not), as a tar archive owned by root.

    Taken once: all machines of a run get the same program, whatever is edited meanwhile.
    """
    names = host_run("git", "-C", str(PROJECT), "ls-files", "-co", "--exclude-standard", "-z").split("\0")
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name in sorted(set(names)):
            if name and (PROJECT / name).is_file():
                archive.add(PROJECT / name, name, filter=_owned_by_root)
    return stream.getvalue()


def _owned_by_root(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    return entry


# A file that is gone before it is read has no digest, which is no error: 123. What was downloaded is told apart by its name.
MANIFEST = r"""
find {folders} -xdev \( \( -path '*/__pycache__' -o -path '/var/lib/slrt/reserve' \) -prune \) -o -printf '%p %y %m %u:%g %l\n' 2>/dev/null | sort
find {folders} -xdev \( \( -path '*/__pycache__' -o -path '/var/lib/slrt/reserve' -o -path '/var/cache/apt/archives' -o -path '/var/cache/slrt-tests-pip' \) -prune \) -o -type f -print0 2>/dev/null | sort -z | xargs -0 -r sha256sum || test $? = 123
"""


def manifest(machine: Machine, folders: str = "/etc /opt /srv /var/lib /usr/local", ignore: str = r"^$") -> dict[str, str]:
    """Every file of `folders`: path → kind, mode, owner, target, and content hash. Paths matching `ignore` are left out.

    A file that a running machine takes away meanwhile has no hash, and is a difference unless it is ignored.
    """
    found: dict[str, str] = {}
    for line in machine.run(MANIFEST.format(folders=folders), seconds=180).out.splitlines():
        digest = re.match(r"\\?([0-9a-f]{64})  (.*)", line)
        path, facts = (digest[2], digest[1]) if digest else line.split(" ", 1)
        if not re.search(ignore, path):
            found[path] = f"{found.get(path, '')} {facts}".strip()
    return found


def differences(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """What changed between two manifests, a line a path."""
    return [
        f"{path}: {before.get(path, 'absent')} -> {after.get(path, 'absent')}"
        for path in sorted(before.keys() | after.keys())
        if before.get(path) != after.get(path)
    ]
