"""The same installation from another machine, over SSH."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.machine import PROJECT, Machine
from tests.support.machine_room import Room
from tests.support.machine_run import INSTALL_SECONDS, until_well
from tests.support.office import Office
from tests.support.story import meet

OPTIONS = ("--district", "73.03", "--hostname", "slrt", "--admin", "admin.it", "--ups", "simulated", "--accept", "all")


def open_ssh(machine: Machine, home: Path) -> Path:
    """Let the person with `home` log in as root. Gives the key; the machine's own key is known to her."""
    key = home / ".ssh" / "id_ed25519"
    key.parent.mkdir(mode=0o700)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    machine.put("/root/.ssh/authorized_keys", key.with_suffix(".pub").read_text(), "0600")
    machine.run("ssh-keygen -A && systemctl start ssh")
    known = machine.read("/etc/ssh/ssh_host_ed25519_key.pub").split()
    (key.parent / "known_hosts").write_text(f"{machine.address} {known[0]} {known[1]}\n")
    return key


def provision(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the project's own `slrt-provision` on this host as the person with `home`."""
    program = [str(Path(sys.executable).with_name("slrt-provision")), *words]
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8"}
    return subprocess.run(
        program, cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
    )


@pytest.mark.parametrize("release", ["bookworm"])
def test_a_machine_is_installed_over_ssh(bare: Machine, tmp_path: Path) -> None:
    bare.run("rm -rf /root/slrt-node")
    key = open_ssh(bare, tmp_path)
    to = ("--host", f"root@{bare.address}", "--identity", str(key), *OPTIONS)
    done = provision(tmp_path, "apply", *to)
    assert done.returncode == 0, done.stdout + done.stderr
    until_well(bare)
    node = meet(bare)
    assert Office(node.base, node.ca).visit("/masuk").status == 200
    again = provision(tmp_path, "apply", *to)
    assert again.returncode == 0, again.stdout + again.stderr
    assert "Tidak ada yang berubah." in again.stdout


@pytest.mark.parametrize("release", ["bookworm"])
def test_a_stranger_at_the_address_is_not_touched(bare: Machine, tmp_path: Path) -> None:
    key = open_ssh(bare, tmp_path)
    (tmp_path / ".ssh" / "known_hosts").unlink()
    refused = provision(tmp_path, "apply", "--host", f"root@{bare.address}", "--identity", str(key), *OPTIONS)
    assert refused.returncode == 78, refused.stdout + refused.stderr
    assert bare.run("ls -A /opt").out == ""


@pytest.mark.parametrize("release", ["trixie"])
def test_a_machine_that_does_not_answer(bare: Machine, tmp_path: Path) -> None:
    key = open_ssh(bare, tmp_path)
    bare.run("systemctl stop ssh")
    refused = provision(tmp_path, "apply", "--host", f"root@{bare.address}", "--identity", str(key), *OPTIONS)
    assert refused.returncode == 75, refused.stdout + refused.stderr
    assert "Langkah berikutnya" in refused.stderr


@pytest.mark.parametrize("release", ["trixie"])
def test_a_fleet_is_checked_side_by_side(lasting: Machine, room: Room, tmp_path: Path) -> None:
    away = room.bare("bookworm")
    key = open_ssh(lasting, tmp_path)
    (tmp_path / "simpul.toml").write_text(
        f"[defaults]\nidentity = '{key}'\ndistrict = '73.03'\nhostname = 'slrt'\nups = 'simulated'\n"
        f"[nodes.bantaeng]\nhost = 'root@{lasting.address}'\n[nodes.jauh]\nhost = 'root@{away.address}'\n"
    )
    words = ("--inventory", str(tmp_path / "simpul.toml"))
    away.run("systemctl stop ssh.socket ssh")
    # there is a key now, so passwords are refused from here on
    taken_in = provision(tmp_path, "fleet", "apply", *words, "--only", "bantaeng")
    assert taken_in.returncode == 0, taken_in.stdout + taken_in.stderr
    well = provision(tmp_path, "fleet", "check", *words)
    assert well.returncode == 75, well.stdout + well.stderr
    assert [line.split()[2] for line in well.stdout.splitlines() if line.startswith(("bantaeng  ", "jauh  "))][-2:] == [
        "sesuai",
        "tidak",
    ]
    assert "Semua seperti seharusnya." in well.stdout
    lasting.run("chmod 644 /etc/slrt/secrets/audit-key")
    drifted = provision(tmp_path, "fleet", "check", *words, "--only", "bantaeng")
    assert drifted.returncode == 1, drifted.stdout + drifted.stderr
    assert "menyimpang: Pengaturan dan rahasia: buat rahasia acak /etc/slrt/secrets/audit-key" in drifted.stdout
    mended = provision(tmp_path, "fleet", "apply", *words, "--only", "bantaeng")
    assert (mended.returncode, "1 diubah" in mended.stdout) == (0, True), mended.stdout + mended.stderr
    assert lasting.run("stat -c %a /etc/slrt/secrets/audit-key").out == "600\n"
