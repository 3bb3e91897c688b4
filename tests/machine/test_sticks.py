"""What the units are for: a stick that root mounts is there for the scheduler, and the pages see neither sticks nor repository."""

from __future__ import annotations

import json

from tests.support.machine import Machine, wait_for
from tests.support.machine_run import until_well

STICK = "/srv/backup/sticks/0a1b2c3d"
SERVICES = ("slrt-web.service", "slrt-scheduler.service", "slrt-watcher.service", "slrt-front.service")
STATE = "/var/lib/slrt/backup"
# the folder about the backups cannot be changed, nor moved away to put another in its place
WITHIN = (
    (f'open("{STATE}/x", "w")', "Read-only"),
    (f'os.rename("{STATE}", "{STATE}-away")', "busy"),
)
# what a fault in whatever reads strangers' files could try
ATTACKS = (
    "ls /srv/backup/slrt",
    "cat /srv/backup/slrt/config",
    "rm -r /srv/backup/slrt/data",
    "mv /srv/backup/slrt /srv/backup/gone",
    "touch /srv/backup/sticks/x",
    "cat /etc/slrt/secrets/backup-passphrase",
    "ls /var/lib/slrt/backup/borg",
    "rm /var/lib/slrt/backup/book.jsonl",
    "touch /var/lib/slrt/backup/x",
)


def within(machine: Machine, unit: str, attempt: str) -> str:
    """What root is told who does this with Python in the unit's view of the files: its only program."""
    view = f"nsenter --target $(systemctl show --property MainPID --value {unit}) --mount"
    return machine.run(f"{view} /opt/slrt/current/venv/bin/python -c 'import os; {attempt}'", check=False).err


def sees(machine: Machine, unit: str, path: str) -> bool:
    """Whether root could see something at `path`, were he in the unit's view of the files."""
    ask = f"ls -A /proc/$(systemctl show --property MainPID --value {unit})/root{path}"
    return machine.run(ask, check=False).out.strip() != ""


def test_no_service_that_speaks_with_people_sees_a_backup(lasting: Machine) -> None:
    until_well(lasting)
    lasting.run(f"mkdir -p {STICK} && mount -t tmpfs -o nosuid,nodev,noexec tmpfs {STICK} && touch {STICK}/slrt-stick.json")
    try:
        for unit in SERVICES:
            assert not sees(lasting, unit, "/srv/backup/slrt"), unit
            assert not sees(lasting, unit, "/srv/backup/sticks"), unit
            assert not sees(lasting, unit, "/etc/slrt/secrets"), unit
        for unit in ("slrt-web.service", "slrt-scheduler.service"):
            for attempt, told in WITHIN:
                assert told in within(lasting, unit, attempt), f"{unit}: {attempt}"
    finally:
        lasting.run(f"umount {STICK} && rmdir {STICK}")


def test_the_users_of_the_services_reach_no_backup_either(lasting: Machine) -> None:
    until_well(lasting)
    for user in ("slrt", "slrt-power"):
        for attack in ATTACKS:
            assert lasting.run(attack, user=user, check=False).code != 0, f"{user}: {attack}"
    # the node's own backups may go on meanwhile
    lasting.run(
        "test -s /srv/backup/slrt/config && ls /srv/backup/slrt/data/0/* >/dev/null && test -s /var/lib/slrt/backup/book.jsonl"
    )
    added = "/srv/backup/gone /srv/backup/sticks/x /var/lib/slrt/backup/x"
    assert lasting.run(f"ls -d {added}", check=False).out == ""
    keeper = "slrt-backup"
    lasting.run(
        "cat /srv/backup/slrt/config /var/lib/slrt/identity/ca.crt > /dev/null && ls /var/lib/slrt/attachments", user=keeper
    )
    for place in ("attachments", "identity", ""):
        assert lasting.run(f"touch /var/lib/slrt/{place}/x", user=keeper, check=False).code != 0, place


def test_the_keeper_looks_and_takes_orders(lasting: Machine) -> None:
    until_well(lasting)
    lasting.run("systemctl is-active slrt-sticks.timer slrt-sticks.path")
    lasting.run("systemctl start slrt-sticks.service")
    seen = json.loads(lasting.read("/var/lib/slrt-sticks/seen.json"))
    assert seen["sticks"] == {}
    lasting.run("echo 00000000-0000-0000-0000-000000000000 > /run/slrt/stick-eject", user="slrt")
    wait_for("the order is taken", lambda: not lasting.run("ls /run/slrt/stick-eject", check=False).out, 60)
    assert lasting.run("systemctl is-failed slrt-sticks.service", check=False).out.strip() != "failed"


def test_a_new_node_has_a_passphrase_for_paper(lasting: Machine) -> None:
    until_well(lasting)
    groups = lasting.read("/etc/slrt/secrets/backup-passphrase").strip().split("-")
    assert [len(group) for group in groups] == [5] * 7
    lasting.run("slrt backup key sheet --to /root/lembar-uji.pdf && rm /root/lembar-uji.pdf")
    assert "belum diuji" in lasting.run("slrt backup key status").out
