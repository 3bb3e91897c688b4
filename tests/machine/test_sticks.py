"""What the units are for: a stick that root mounts is there for the scheduler, and the pages see neither sticks nor repository."""

from __future__ import annotations

import json

from tests.support.machine import Machine, wait_for
from tests.support.machine_run import until_well

STICK = "/srv/backup/sticks/0a1b2c3d"
TOUCH = "touch /proc/$(systemctl show --property MainPID --value slrt-web)/root/var/lib/slrt/backup/borg/x"


def sees(machine: Machine, unit: str, path: str) -> bool:
    """Whether root could see something at `path`, were he in the unit's view of the files."""
    ask = f"ls -A /proc/$(systemctl show --property MainPID --value {unit})/root{path}"
    return machine.run(ask, check=False).out.strip() != ""


def test_sticks_are_for_the_scheduler_and_not_for_the_pages(standing: Machine) -> None:
    until_well(standing)
    assert sees(standing, "slrt-scheduler.service", "/srv/backup/slrt")
    for unit in ("slrt-web.service", "slrt-watcher.service", "slrt-front.service"):
        assert not sees(standing, unit, "/srv/backup"), unit
        assert not sees(standing, unit, "/etc/slrt/secrets"), unit
    standing.run(f"mkdir -p {STICK} && mount -t tmpfs -o nosuid,nodev,noexec tmpfs {STICK} && touch {STICK}/slrt-stick.json")
    try:
        assert sees(standing, "slrt-scheduler.service", STICK), "mounted after the service began"
        assert not sees(standing, "slrt-web.service", "/srv/backup")
        refused = standing.run(TOUCH, check=False)
        assert "Read-only" in refused.err, "the engine's own notes"
    finally:
        standing.run(f"umount {STICK} && rmdir {STICK}")
    assert not sees(standing, "slrt-scheduler.service", STICK), "nor does its view hold a stick that was let go"


def test_the_keeper_looks_and_takes_orders(standing: Machine) -> None:
    until_well(standing)
    standing.run("systemctl is-active slrt-sticks.timer slrt-sticks.path")
    standing.run("systemctl start slrt-sticks.service")
    seen = json.loads(standing.read("/var/lib/slrt-sticks/seen.json"))
    assert seen["sticks"] == {}
    standing.run("echo 00000000-0000-0000-0000-000000000000 > /run/slrt/stick-eject", user="slrt")
    wait_for("the order is taken", lambda: not standing.run("ls /run/slrt/stick-eject", check=False).out, 60)
    assert standing.run("systemctl is-failed slrt-sticks.service", check=False).out.strip() != "failed"


def test_a_new_node_has_a_passphrase_for_paper(standing: Machine) -> None:
    until_well(standing)
    groups = standing.read("/etc/slrt/secrets/backup-passphrase").strip().split("-")
    assert [len(group) for group in groups] == [5] * 7
    standing.run("slrt backup key sheet --to /root/lembar-uji.pdf && rm /root/lembar-uji.pdf")
    assert "belum pernah diuji" in standing.run("slrt backup key status").out
