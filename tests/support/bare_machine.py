"""This machine in mount and network namespaces of its own, as a booted Debian 12 on which install.sh may be tried; needs root."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

from tests.support.pretend_hardware import ML10, Hardware

ROOT = Path(__file__).resolve().parents[2]
# a booted Debian 12 that has had the program already, so that nothing needs fetching
SUITABLE = """
mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/system
printf 'ID=debian\\nVERSION_ID="12"\\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\\n' >/run/os-release
mount --bind /run/os-release /etc/os-release
mount -t tmpfs tmpfs /opt && mkdir -p /opt/slrt/releases/x && ln -s releases/x /opt/slrt/current
mount -t tmpfs tmpfs /srv
ip link set lo up
mkdir /run/bin && PATH=/run/bin:$PATH
"""


# the hardware stands below /run/hardware
GIVEN = "--unattended --district 73.03 --hostname slrt --admin admin.it --ups none --accept P35 --hardware-root /run/hardware"


def in_a_machine(difference: str, command: str, hardware: Hardware = ML10) -> subprocess.CompletedProcess[str]:
    """Run `command` in a suitable machine after the shell lines in `difference`; afterwards nothing may be newer than before."""
    assert os.geteuid() == 0, "these tests change mounts: run them as root"
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # whoever asks, not only root
        root = hardware.lay(Path(folder) / "hardware")
        return _run(f"ln -s {root} /run/hardware\n{difference}", command)


def check(difference: str = "", options: str = GIVEN, hardware: Hardware = ML10) -> subprocess.CompletedProcess[str]:
    """What `install.sh check` says of such a machine; it may not have changed anything."""
    done = in_a_machine(difference, f"./install.sh check {options}", hardware)
    assert "CHANGED" not in done.stderr
    return done


def _run(difference: str, command: str) -> subprocess.CompletedProcess[str]:
    script = f"""set -eu
    {SUITABLE}
    {difference}
    touch /run/before
    code=0
    {command} || code=$?
    find /etc /opt /srv /root /usr/local /var/lib/dpkg /var/lib/apt /var/log/slrt-install.log -path '/root/.*' -prune -o \\
      -newer /run/before -print 2>/dev/null | sed 's/^/CHANGED /' >&2
    exit $code
    """
    shell = ["unshare", "--mount", "--net", "--propagation", "private", "bash", "-c", script]
    return subprocess.run(shell, capture_output=True, text=True, check=False, cwd=ROOT, stdin=subprocess.DEVNULL, timeout=200)


def program(name: str, lines: str) -> str:
    """Shell lines that put a program `name` into the machine, before all others of that name."""
    return f"cat >/run/bin/{name} <<'END'\n#!/bin/sh\n{lines}\nEND\nchmod +x /run/bin/{name}\n"
