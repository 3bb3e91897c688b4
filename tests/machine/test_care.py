"""The care of a real installed machine: its hardware is read with one right of root's, and the doctor names and mends what somebody broke."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from tests.support.machine import Machine, wait_for
from tests.support.machine_run import until_well

DATABASE = "/var/lib/slrt/database/slrt.db"


@dataclass(frozen=True)
class Breakage:
    """How something is broken, the numbers that must be told then, and how it is put right where the doctor may not."""

    broken: str
    numbers: frozenset[str]
    undone: str = ""


PYTHON = "/opt/slrt/current/venv/bin/python"
ONE_NAME = f"from pysqlite3 import dbapi2 as s; print(s.connect('{DATABASE}').execute('select name from person').fetchone()[0])"  # noqa: S608  our own file
FALSE = "/etc/systemd/system/slrt-care.service.d"
BREAKAGES = {
    "a secret that others may read": Breakage("chmod 0644 /etc/slrt/secrets/audit-key", frozenset({"D24"})),
    "a file edited by hand": Breakage("echo '# x' >> /etc/slrt/nginx.conf", frozenset({"D24"})),
    "a folder of another owner": Breakage("chown root /run/slrt", frozenset({"D23"})),
    "a timer switched off": Breakage("systemctl disable --now slrt-sticks.timer", frozenset({"D24"})),
    "a service that failed": Breakage(
        f"mkdir {FALSE} && printf '[Service]\\nExecStart=\\nExecStart=/bin/false\\n' > {FALSE}/x.conf && systemctl daemon-reload;"
        f"systemctl start slrt-care; rm -r {FALSE}; systemctl daemon-reload",
        frozenset({"D22"}),
    ),
    "settings that cannot be read": Breakage(
        "cp /etc/slrt/appliance.toml /root/kept && echo 'x = [' >> /etc/slrt/appliance.toml",
        frozenset({"D20"}),
        "cp /root/kept /etc/slrt/appliance.toml",
    ),
    "a repository that is gone": Breakage(
        "mv /srv/backup/slrt /srv/backup/gone", frozenset({"D03", "D26"}), "mv /srv/backup/gone /srv/backup/slrt"
    ),
    "a damaged database": Breakage(
        f"systemctl stop slrt-web slrt-scheduler; cp -p {DATABASE} /root/kept-db;"
        f"dd if=/dev/urandom of={DATABASE} bs=4096 seek=40 count=20 conv=notrunc status=none",
        frozenset({"D25"}),
        f"rm -f {DATABASE}-wal {DATABASE}-shm; cp -p /root/kept-db {DATABASE}; systemctl start slrt-scheduler slrt-web",
    ),
}


def findings(machine: Machine, options: str = "") -> tuple[int, set[str]]:
    """The doctor's exit code, and the numbers it told."""
    done = machine.run(f"slrt doctor --json {options}", check=False)
    return done.code, {finding["number"] for finding in json.loads(done.out)["findings"]}


def test_the_hardware_is_read_and_a_container_has_none(lasting: Machine) -> None:
    until_well(lasting)
    lasting.run("rm /var/lib/slrt-care/readings.json && systemctl start slrt-care")
    told = json.loads(lasting.read("/var/lib/slrt-care/readings.json"))
    assert told["virtual"] == "systemd-nspawn"
    assert lasting.run("stat -c '%a %U' /var/lib/slrt-care/readings.json").out == "644 root\n"
    part = json.loads(lasting.run("slrt status --json").out)["hardware"]
    assert (part["state"], "systemd-nspawn" in part["text"]) == ("ok", True)
    lasting.run("systemctl is-active slrt-care.timer")
    assert lasting.run("stat -c %U /var/lib/slrt/reserve").out == "slrt\n"
    assert int(lasting.run("stat -c '%b' /var/lib/slrt/reserve").out) * 512 >= 512 << 20, "the reserve takes its room"


def test_a_machine_that_is_well_has_no_findings(lasting: Machine) -> None:
    until_well(lasting)
    assert findings(lasting) == (0, set())
    refused = lasting.run("slrt doctor", user="slrt", check=False)
    assert (refused.code, "sudo slrt doctor" in refused.err) == (78, True)


@pytest.mark.parametrize("name", BREAKAGES)
def test_what_somebody_broke_is_told_by_its_number(lasting: Machine, name: str) -> None:
    breakage = BREAKAGES[name]
    lasting.run(breakage.broken, check=False)
    code, told = findings(lasting)
    assert (code, breakage.numbers - told) == (1, set()), told
    if breakage.undone:
        lasting.run(breakage.undone)
        until_well(lasting)
        return
    mended = lasting.run("slrt doctor --repair --yes", check=False)
    assert "Tidak ada yang perlu diperbaiki." in mended.out, str(mended)
    assert mended.code == 0


def test_the_support_file_tells_no_secret_and_no_resident(lasting: Machine) -> None:
    """What only this machine knows: its secrets, its first password, a name and a number in the journal of our own units."""
    until_well(lasting)
    lasting.run("slrt database sample")
    name = lasting.run(f'{PYTHON} -c "{ONE_NAME}"', user="slrt").out.strip()
    assert len(name) > 4
    line = f"Warga {name} 7303 0141 0180 0001 tidak dapat disimpan"
    lasting.run(f"systemd-run --quiet --wait --unit=slrt-uji-catatan echo '{line}'")
    lasting.run("touch /run/slrt/support-order", user="slrt")
    found = "/var/lib/slrt-care/slrt-dukungan-*.tar.gz"
    wait_for("the support file", lambda: lasting.run(f"ls {found}", check=False).code == 0, 300, pause=1.0)
    assert lasting.run(f"stat -c '%a %U %G' {found}").out == "640 root slrt-data\n"
    lasting.run("rm -rf /root/s && mkdir /root/s")
    lasting.run(f"tar -C /root/s -xzf {found}")
    texts = lasting.run("cat /root/s/*/*").out
    assert "tidak dapat disimpan" in texts, "the line is there"
    assert "[nama] [nomor]" in texts
    assert name not in texts
    assert "[node]" in texts
    assert '"findings"' in texts
    secrets = lasting.run("cat /etc/slrt/secrets/*; tail -n 1 /root/slrt-first-sign-in.txt").out.split()
    assert len(secrets) > 5
    assert [secret for secret in secrets if secret in texts] == []
    stick = lasting.run("mkdir -p /media/stik && slrt support --to /media/stik --days 1").out
    assert "/media/stik/slrt-dukungan-" in stick
    assert lasting.run("stat -c %a /media/stik/slrt-dukungan-*").out == "600\n"
    lasting.run(f"rm -rf /root/s /media/stik {found}")


def test_a_repair_is_named_and_asked_for_first(lasting: Machine) -> None:
    lasting.run("chmod 0644 /etc/slrt/secrets/audit-key")
    asked = lasting.run("slrt doctor --repair", check=False, stdin=b"n\n")
    assert "slrt-provision apply" in asked.err
    assert lasting.run("stat -c %a /etc/slrt/secrets/audit-key").out == "644\n", "a no is a no"
    lasting.run("slrt doctor --repair", stdin=b"y\n")
    assert lasting.run("stat -c %a /etc/slrt/secrets/audit-key").out == "600\n"
