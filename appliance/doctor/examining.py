"""Finding out the facts: each question goes to the program that knows, with a limit, so that one that hangs hides no other.

Runs as root; what concerns the data is asked of programs that become the service user by themselves.
"""

from __future__ import annotations

import fcntl
import grp
import json
import os
import pwd
import re
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance.config import Settings, load
from appliance.doctor.findings import Answer, Facts
from appliance.errors import ApplianceError
from appliance.power import state as power_state

PROGRAMS = str(Path(sys.executable).parent)
TMPFILES = "/etc/tmpfiles.d/slrt.conf"
SECONDS = 120
LONG_SECONDS = 1800
OURS = ("slrt-*", "nut-*", "nginx*")


@dataclass(frozen=True)
class Ended:
    """How a program ended; code 124 when it did not end in time, 127 when there is none."""

    code: int
    out: str
    err: str


def run(command: Sequence[str], seconds: int = SECONDS) -> Ended:
    """Run a program to its end or its limit. Never raises."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        return Ended(124, "", "tidak selesai pada waktunya")
    except OSError as error:
        return Ended(127, "", str(error))
    return Ended(done.returncode, done.stdout, done.stderr)


def examine(config_file: Path) -> Facts:
    """Everything the doctor asks. Never raises for what is broken."""
    try:
        settings = load(config_file)
    except ApplianceError as error:
        return Facts(settings=Answer(False, error.message, error.hint))
    slrt = (f"{PROGRAMS}/slrt", "--config", str(config_file))
    return Facts(
        status=_status(run([*slrt, "status", "--json"])),
        failed_units=_failed_units(),
        runtime_missing=_runtime_missing(Path(TMPFILES)),
        drift=_drift(run([f"{PROGRAMS}/slrt-provision", "plan", "--local"])),
        integrity=_answer(run([*slrt, "database", "check"], LONG_SECONDS)),
        repository=_answer(run([*slrt, "backup", "list"])),
        answers=_answer(run([f"{PROGRAMS}/slrt-provision", "answers"])),
        name=_name(settings.node.hostname),
        gate=_gate(settings),
    )


def _answer(ended: Ended) -> Answer:
    """What a command of ours said: an error of ours is two lines, the second of which begins with the next step."""
    said = [line.strip() for line in (ended.out + ended.err).splitlines() if line.strip()]
    hint = next((line.partition(": ")[2] for line in said if line.startswith("Langkah berikutnya:")), "")
    cause = next((line.partition(": ")[2] for line in said if line.startswith("Gagal:")), said[-1] if said else "")
    return Answer(ended.code == 0, cause, hint)


def _status(ended: Ended) -> dict[str, dict[str, str]] | None:
    try:
        told: dict[str, Any] = json.loads(ended.out)
    except ValueError:
        return None
    return {name: part for name, part in told.items() if isinstance(part, dict)}


def _drift(ended: Ended) -> tuple[str, ...] | None:
    """The changes that a plan would make; None when there is no plan."""
    if ended.code != 0:
        return None
    return tuple(re.findall(r"^\s+akan: (.+)$", ended.out, re.MULTILINE))


def _failed_units() -> tuple[str, ...]:
    listed = run(["systemctl", "list-units", "--all", "--state=failed", "--plain", "--no-legend", *OURS])
    return tuple(line.split()[0] for line in listed.out.splitlines() if line.strip())


def _runtime_missing(table: Path) -> tuple[str, ...]:
    """What of systemd-tmpfiles' table is not there as it says: kind path mode user group."""
    found = []
    with suppress(OSError):
        for line in table.read_text().splitlines():
            words = line.split()
            if len(words) >= 5 and words[0] in {"d", "f"} and not _is_as_told(Path(words[1]), words[2], words[3], words[4]):
                found.append(words[1])
    return tuple(found)


def _is_as_told(path: Path, mode: str, user: str, group: str) -> bool:
    try:
        seen = path.stat()
        owners = pwd.getpwnam(user).pw_uid, grp.getgrnam(group).gr_gid
    except (OSError, KeyError):
        return False
    return (seen.st_uid, seen.st_gid) == owners and seen.st_mode & 0o777 == int(mode, 8)


def _name(hostname: str) -> Answer:
    try:
        socket.getaddrinfo(hostname, 443)
    except OSError as error:
        return Answer(False, f"Nama {hostname} tidak dikenal oleh mesin ini sendiri ({error.strerror}).")
    return Answer(True)


def _gate(settings: Settings) -> str:
    """Why the node takes no work now; empty when it does."""
    published = power_state.read(Path(settings.power.runtime) / power_state.STATE_FILE)
    if published is not None and not published.accepts_work:
        return published.sentence or "Sistem sedang tidak menerima simpanan baru."
    with suppress(OSError):
        handle = os.open(Path(settings.paths.runtime) / "gate.lock", os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return "Gerbang pekerjaan ditahan oleh program lain; simpanan baru ditolak."
        finally:
            os.close(handle)
    return ""
