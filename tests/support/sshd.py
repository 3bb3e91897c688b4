"""A real sshd on loopback with keys of its own, for whoever is running the tests; nobody's own ssh settings are read or touched."""

from __future__ import annotations

import getpass
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.ports import free_port

SSHD = Path("/usr/sbin/sshd")
START_SECONDS = 120.0


@dataclass(frozen=True)
class Sshd:
    """Where it listens, who may log in, and with what."""

    port: int
    user: str
    identity: Path
    known_hosts: Path

    @property
    def target(self) -> str:
        return f"{self.user}@127.0.0.1"


@contextmanager
def running_sshd(folder: Path) -> Iterator[Sshd]:
    """Start it below `folder`; it is gone afterwards. Fails with what to install when there is no sshd."""
    assert SSHD.exists(), "missing sshd: apt-get install openssh-server"
    for name in ("host", "user"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    (folder / "authorized").write_text((folder / "user.pub").read_text())
    Path("/run/sshd").mkdir(exist_ok=True)
    port = free_port()
    (folder / "config").write_text(
        f"ListenAddress 127.0.0.1:{port}\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/authorized\n"
        "StrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin prohibit-password\n"
        f"PidFile none\nSubsystem sftp internal-sftp\n"
    )
    key = " ".join((folder / "host.pub").read_text().split()[:2])
    (folder / "known").write_text(f"[127.0.0.1]:{port} {key}\n")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([str(SSHD), "-D", "-e", "-f", str(folder / "config")], stdout=log, stderr=log)
    try:
        _wait(port, process, folder / "log")
        yield Sshd(port, getpass.getuser(), folder / "user", folder / "known")
    finally:
        process.terminate()
        process.wait(120)


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)
