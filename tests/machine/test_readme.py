"""The other two commands of the README, as a new user types them on a bare Debian."""

from __future__ import annotations

import pytest

from tests.support.machine import Machine, wait_for
from tests.support.machine_room import Room
from tests.support.machine_tree import keep_downloads

HOME = "/home/tamu"
PORT = 8099


def ask_demo(machine: Machine, path: str) -> str:
    """What the demonstration answers on 127.0.0.1; empty while it does not."""
    program = f"import urllib.request as r; print(r.urlopen('http://127.0.0.1:{PORT}{path}', timeout=10).read().decode())"
    return machine.run(f'python3 -c "{program}"', check=False).out


@pytest.mark.parametrize("release", ["bookworm"])
def test_the_demonstration_needs_no_root_and_no_systemd(bare: Machine) -> None:
    bare.run("useradd --create-home tamu")
    bare.put_project(f"{HOME}/slrt-node", "tamu")
    refused = bare.run(f"./install.sh demo --port {PORT}", check=False, user="tamu", folder=f"{HOME}/slrt-node")
    assert refused.code == 78, str(refused)
    assert "apt-get install" in refused.err, "without Python's venv it says what to install"
    bare.run("apt-get update && apt-get install --yes --no-install-recommends python3-venv", seconds=300)
    # runuser takes the place of a login; systemd-run only of the terminal that stays open
    start = (
        f"systemd-run --quiet --unit=peragaan --uid=tamu -p WorkingDirectory={HOME}/slrt-node -p StandardOutput=file:/root/said"
    )
    bare.run(f"{start} -E HOME={HOME} {HOME}/slrt-node/install.sh demo --port {PORT}")
    state = "systemctl is-active peragaan"
    wait_for(
        "the demonstration answers",
        lambda: "Masuk" in ask_demo(bare, "/masuk") or bare.run(state, check=False).code != 0,
        600,
        say=lambda: bare.run("cat /root/said", check=False).out,
    )
    assert "Masuk" in ask_demo(bare, "/masuk"), bare.read("/root/said")
    assert f"http://127.0.0.1:{PORT}/" in bare.read("/root/said")
    assert bare.run("ss -Hltn | grep -v 127.0.0.1", check=False).out == ""
    keep_downloads(bare.release, bare.bed.upper)
    bare.run("systemctl kill --signal=INT peragaan; until ! systemctl is-active -q peragaan; do :; done", seconds=60)
    assert bare.run(f"find / -xdev -user tamu -not -path '{HOME}/*' -not -path {HOME} -type f 2>/dev/null", check=False).out == ""
    assert bare.run("pgrep -u tamu", check=False).out == ""


@pytest.mark.parametrize("release", ["trixie"])
def test_the_suite_sets_itself_up(room: Room, release: str) -> None:
    machine = room.bare(release)
    done = machine.run("./install.sh test tests/rules", check=False, folder="/root/slrt-node", seconds=1200)
    keep_downloads(machine.release, machine.bed.upper)
    assert done.code == 0, str(done)
    assert " passed" in done.out
    assert " failed" not in done.out
