"""From a bare machine, a USB disk and the paper to a page with somebody signed in: `python -m tests.bench.bare_machine [MEGABYTES]`.

A node is filled (by default with 1 GB: seven tenths photos, the rest rows), backed up, and carried on a disk that holds the repository and the
program. The clock runs from the first command on the bare machine; there is no network. Goal: ten minutes. The floor beside it is the
same bytes read and written once. Needs root, as the machine tests do.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from tests.bench.install import OPTIONS, bare, count_apart, processor_seconds
from tests.support.machine import Machine
from tests.support.machine_bundle import STICK
from tests.support.machine_run import until_well
from tests.support.story import COMPLAINT, Node, file_case, find_case, furnish, meet

GOAL_SECONDS = 600
DISK = "/media/usb"
RELEASES = ("trixie", "bookworm")  # a new machine rarely has the old Debian
# what neither zlib nor borg makes smaller, as photos and sealed texts are
FILL = """
import base64, hashlib, os, pathlib, sys
from pysqlite3 import dbapi2 as sqlite
photos, rows = (int(share) * 1000 for share in sys.argv[1:])
place = pathlib.Path("/var/lib/slrt/attachments")
for _ in range(photos // 200):
    content = os.urandom(200_000)
    name = hashlib.sha256(content).hexdigest()
    (place / name[:2]).mkdir(mode=0o2750, exist_ok=True)
    (place / name[:2] / name).write_bytes(content)
base = sqlite.connect("/var/lib/slrt/database/slrt.db", timeout=30)
(account,) = base.execute("SELECT id FROM account LIMIT 1").fetchone()
for number in range(rows // 20):
    row = (account, f"/isi/{number}", base64.b64encode(os.urandom(15_000)).decode())
    base.execute("INSERT INTO draft (account_id, form, sealed, saved_at) VALUES (?, ?, ?, datetime('now'))", row)
base.commit()
"""
CARRY = f"""
import pathlib
from appliance.sticks import program
assert program.carry("Dinas Sosial", pathlib.Path("{DISK}"), pathlib.Path("/opt/slrt/current").resolve()) == ""
"""
PYTHON = "/opt/slrt/current/venv/bin/python -"


def join_the_office(machine: Machine) -> None:
    """A cable to the office's switch, from which no way leads on."""
    machine.bed.plug(way_out=False)
    machine.run("slrt-provision renew-certificate")


def filled(machine: Machine, megabytes: int) -> tuple[Node, str]:
    """Make the bare machine a node with so much data, a case among it, and a backup of all."""
    machine.run(f"bash {STICK}/install.sh {OPTIONS}", seconds=1500)
    until_well(machine)
    join_the_office(machine)
    node = meet(machine)
    furnish(node, "fo.ani", "spv.citra")
    number = file_case(node)
    photos = megabytes * 7 // 10
    machine.run(f"{PYTHON} {photos} {megabytes - photos}", user="slrt", seconds=600, stdin=FILL.encode())
    machine.run("slrt backup run", seconds=1500)
    return node, number


def carried(lost: Machine, fresh: Machine) -> str:
    """The disk goes from the one machine to the other; the paper comes along."""
    lost.run(f"mkdir -p {DISK} && cp -a /srv/backup/slrt {DISK}/")
    lost.run(PYTHON, stdin=CARRY.encode())
    subprocess.run(["cp", "-a", f"{lost.bed.root}{DISK}", f"{fresh.bed.root}/media/"], check=True)
    return lost.read("/etc/slrt/secrets/backup-passphrase")


def brought_back(fresh: Machine, node: Node, number: str, paper: str, count: Path) -> float:
    """From the bare machine to her page; the seconds of it."""
    ask = f"slrt backup restore terakhir --in-place --yes --repository {DISK}/slrt --passphrase-file /root/sandi"
    fresh.put("/root/sandi", paper, "0600")
    begun, spent = time.monotonic(), processor_seconds(count)

    def tell(stage: str) -> None:
        print(f"  {stage:<36}{time.monotonic() - begun:6.0f} s, processor {processor_seconds(count) - spent:6.0f} s", flush=True)

    fresh.run(f"bash {DISK}/program/install.sh {OPTIONS}", seconds=1500)
    tell("installed")
    fresh.run(ask, seconds=1500)
    tell("restored")
    join_the_office(fresh)
    assert COMPLAINT in find_case(meet(fresh, node.passwords).sign_in("spv.citra"), number)
    tell("signed in, the case read")
    taken = time.monotonic() - begun
    until_well(fresh)
    tell("green")
    return taken


def copied_once(fresh: Machine) -> float:
    """The floor: the repository read and written once, onto the disk."""
    begun = time.monotonic()
    fresh.run(f"cp -a {DISK}/slrt /srv/floor && sync -f /srv/floor && rm -r /srv/floor", seconds=600)
    return time.monotonic() - begun


def main() -> None:
    megabytes, count = int(sys.argv[1]) if sys.argv[1:] else 1000, count_apart()
    machines: list[Machine] = []
    try:
        machines.append(lost := bare(RELEASES[0]))
        node, number = filled(lost, megabytes)
        machines.append(fresh := bare(RELEASES[1]))
        fresh.run(f"rm -r {STICK}")
        paper = carried(lost, fresh)
        lost.power_off()
        held = int(fresh.run(f"du -sm {DISK}/slrt").out.split()[0])
        print(
            f"{megabytes} MB of data, {held} MiB in the repository, load {Path('/proc/loadavg').read_text().split()[0]}",
            flush=True,
        )
        taken, least = brought_back(fresh, node, number, paper, count), copied_once(fresh)
        print(f"{taken:.0f} s to a signed-in page (goal {GOAL_SECONDS} s); the same bytes copied once {least:.0f} s")
    finally:
        for machine in machines:
            machine.destroy()


if __name__ == "__main__":
    main()
