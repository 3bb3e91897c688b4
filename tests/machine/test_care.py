"""The care of a real installed machine: its hardware is read with one right of root's, and the doctor names and mends what somebody broke."""

from __future__ import annotations

import json

import pytest

from tests.support.machine import Machine, wait_for
from tests.support.machine_run import until_well
from tests.support.machine_tree import RELEASES
from tests.support.story import first_password

DATABASE = "/var/lib/slrt/database/slrt.db"
PYTHON = "/opt/slrt/current/venv/bin/python"
NAME = "select name from person limit 1"
ASK_NAME = "import sys; from pysqlite3 import dbapi2 as s; print(s.connect(sys.argv[1]).execute(sys.argv[2]).fetchone()[0])"
FALSE = "/etc/systemd/system/slrt-certificate.service.d"
FAILING = (
    f"mkdir {FALSE} && printf '[Service]\\nExecStart=\\nExecStart=/bin/false\\n' > {FALSE}/x.conf && systemctl daemon-reload;"
    f"systemctl start slrt-certificate; rm -r {FALSE}; systemctl daemon-reload"
)
# how something is broken → the number, and what of the cause is told
MENDED = {
    "chmod 0644 /etc/slrt/secrets/audit-key": ("D24", "audit-key"),
    "echo '# x' >> /etc/slrt/nginx.conf": ("D24", "nginx.conf"),
    "systemctl disable --now slrt-sticks.timer": ("D24", "slrt-sticks.timer"),
    "chown root /run/slrt": ("D23", "/run/slrt"),
    FAILING: ("D22", "slrt-certificate.service"),
}
DAMAGE = (
    f"systemctl stop slrt-web slrt-scheduler; mkdir /root/kept; cp -p {DATABASE}* /root/kept;"
    f"dd if=/dev/urandom of={DATABASE} bs=4096 seek=40 count=100 conv=notrunc status=none"
)
UNDAMAGE = (
    f"rm -f {DATABASE}*; cp -p /root/kept/* /var/lib/slrt/database; rm -r /root/kept; systemctl start slrt-scheduler slrt-web"
)


def findings(machine: Machine) -> tuple[int, list[tuple[str, str]]]:
    """The doctor's exit code, and the number and cause of each finding."""
    done = machine.run("slrt doctor --json", check=False)
    return done.code, [(finding["number"], finding["cause"]) for finding in json.loads(done.out)["findings"]]


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
    assert findings(lasting) == (0, [])
    refused = lasting.run("slrt doctor", user="slrt", check=False)
    assert (refused.code, "sudo slrt doctor" in refused.err) == (78, True)


def test_what_somebody_broke_is_told_named_and_mended(lasting: Machine) -> None:
    until_well(lasting)
    for broken in MENDED:
        lasting.run(broken, check=False)
    code, told = findings(lasting)
    unseen = [word for number, word in MENDED.values() if not any(one == number and word in cause for one, cause in told)]
    assert (code, unseen) == (1, []), told
    asked = lasting.run("slrt doctor --repair", check=False, stdin=b"n\n")
    for command in ("slrt-provision apply", "systemd-tmpfiles --create", "systemctl restart slrt-certificate.service"):
        assert command in asked.err
    assert lasting.run("stat -c %a /etc/slrt/secrets/audit-key").out == "644\n", "a no is a no"
    mended = lasting.run("slrt doctor --repair", check=False, stdin=b"y\n")
    assert (mended.code, "Tidak ada yang perlu diperbaiki." in mended.out) == (0, True), str(mended)
    assert lasting.run("stat -c %a /etc/slrt/secrets/audit-key").out == "600\n"


@pytest.mark.parametrize("release", RELEASES[-1:])
def test_what_it_may_not_mend_is_told(lasting: Machine) -> None:
    until_well(lasting)
    lasting.run("cp -p /etc/slrt/appliance.toml /root/kept.toml && echo 'x = [' >> /etc/slrt/appliance.toml")
    assert [number for number, _ in findings(lasting)[1]] == ["D20"], "nothing else can be asked before"
    lasting.run("mv /root/kept.toml /etc/slrt/appliance.toml")
    lasting.run(f"mv /srv/backup/slrt /srv/backup/gone; {DAMAGE}")
    code, told = findings(lasting)
    assert (code, {"D03", "D25", "D26"} - {number for number, _ in told}) == (1, set()), told
    lasting.run(f"mv /srv/backup/gone /srv/backup/slrt; {UNDAMAGE}")
    until_well(lasting)


@pytest.mark.parametrize("release", RELEASES[:1])
def test_pages_that_hang_are_started_anew(lasting: Machine) -> None:
    """With a watchdog of seconds instead of minutes: as long as they answer nothing happens, and hung workers end in a restart."""
    place = "/etc/systemd/system/slrt-web.service.d"
    lasting.run(f"mkdir -p {place} && printf '[Service]\\nWatchdogSec=10\\nTimeoutStopSec=5\\n' > {place}/x.conf")
    lasting.run("systemctl daemon-reload && systemctl restart slrt-web")
    until_well(lasting)
    fed = "systemctl show -p WatchdogTimestampMonotonic --value slrt-web"
    before = lasting.run(fed).out
    wait_for("the watchdog is fed", lambda: lasting.run(fed).out != before, 60)
    restarts = "systemctl show -p NRestarts --value slrt-web"
    assert lasting.run(restarts).out == "0\n"
    lasting.run("kill -STOP $(pgrep -P $(systemctl show -p MainPID --value slrt-web))")
    wait_for("the pages are started anew", lambda: lasting.run(restarts).out != "0\n", 120)
    lasting.run(f"rm -r {place} && systemctl daemon-reload && systemctl restart slrt-web")
    until_well(lasting)


def test_the_support_file_tells_no_secret_and_no_resident(lasting: Machine) -> None:
    """What only this machine knows: its secrets, its first password, a name and a number in the journal of our own units."""
    until_well(lasting)
    lasting.run("slrt database sample")
    name = lasting.run(f"{PYTHON} -c '{ASK_NAME}' {DATABASE} '{NAME}'", user="slrt").out.strip()
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
    assert json.loads(lasting.run("cat /root/s/*/doctor.json").out)["findings"] == [], (
        "its closed unit sees the machine as root does"
    )
    secrets = [*lasting.run("cat /etc/slrt/secrets/*").out.split(), first_password(lasting)]
    assert len(secrets) > 5
    assert [secret for secret in secrets if secret in texts] == []
    stick = lasting.run("mkdir -p /media/stik && slrt support --to /media/stik --days 1").out
    assert "/media/stik/slrt-dukungan-" in stick
    assert lasting.run("stat -c %a /media/stik/slrt-dukungan-*").out == "600\n"
    lasting.run(f"rm -rf /root/s /media/stik {found}")
