"""Before anything changes on another machine: its own check, and the program's files on it.

The questions are asked by install.sh, so that a machine over SSH and the one we stand at are judged by the same lines; its text and
that of its questions travel joined as the input of a shell, so that nothing is left behind on a machine that is refused.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from appliance.errors import ApplianceError
from provision.change import STAMPS, insist
from provision.host import Host
from provision.step import CURRENT, Step

RELEASES = "/opt/slrt/releases"
SHELL_PARTS = "provision/shell"


def check(host: Host, source: Path, options: list[str]) -> str:
    """What the machine's check says. Raises ApplianceError with its exit code; nothing was changed then."""
    outcome = host.run(["bash", "-s", "--", "check", *options], joined(source))
    if outcome.worked:
        return outcome.output
    refusal = ApplianceError(
        f"{host.name} belum siap:\n{(outcome.output + outcome.errors).strip()}", "Perbaiki yang disebut di atas, lalu ulangi."
    )
    refusal.exit_code = outcome.code
    raise refusal


def joined(source: Path) -> bytes:
    """install.sh and its parts as one text for `bash -s`: without a folder it can read no file of its own."""
    parts = sorted((source / SHELL_PARTS).glob("*.sh"))
    return b"".join(path.read_bytes() for path in (*parts, source / "install.sh"))


@dataclass(frozen=True)
class Program:
    """The program itself on another machine: the sources sent there, and install.sh there making a release of them."""

    release: str
    source: Path
    path: str = CURRENT

    def describe(self) -> str:
        return f"kirim dan pasang program rilis {self.release} (beberapa menit)"

    def is_done(self, host: Host) -> bool:
        entry = host.look(CURRENT)
        return entry is not None and entry.target == f"{RELEASES}/{self.release}"

    def perform(self, host: Host) -> None:
        folder = f"{STAMPS}/incoming"
        insist(host, ["sh", "-c", 'rm -rf "$1" && mkdir -p "$1"', "sh", folder])
        host.write(f"{folder}/source.tar", _pack(self.source), 0o600, "root", "root")
        insist(host, ["tar", "-C", folder, "-xf", f"{folder}/source.tar"])
        insist(host, ["bash", f"{folder}/install.sh", "runtime"])
        insist(host, ["rm", "-rf", folder])


def program(source: Path) -> Step:
    """The step that brings this program to another machine."""
    release = own_words(source, "release").decode().strip()
    return Step("program", "Program SLRT", (Program(release, source),))


def _pack(source: Path) -> bytes:
    return own_words(source, "pack")


def own_words(source: Path, what: str) -> bytes:
    """What the install.sh in `source` says to `release` or `pack`. Raises ApplianceError."""
    done = subprocess.run(["bash", str(source / "install.sh"), what], capture_output=True, check=False)
    if done.returncode != 0:
        raise ApplianceError(f"install.sh {what}: {done.stderr.decode(errors='replace').strip()}", "Periksa folder sumbernya.")
    return done.stdout
