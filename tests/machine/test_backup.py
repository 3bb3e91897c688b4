"""The backup that comes by itself, and the day it is needed: on another machine, with other secrets, by one command."""

from __future__ import annotations

import json
import subprocess
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.support.machine import Machine, wait_for
from tests.support.machine_restore import REST, REST_ENDS, carried_out, reaches
from tests.support.machine_room import Room
from tests.support.machine_run import until_well
from tests.support.machine_tree import RELEASES
from tests.support.story import COMPLAINT, Node, file_case, find_case, furnish, meet

OFFICE = ZoneInfo("Asia/Makassar")
USB_DISK = "/media/usb"


def backups(machine: Machine) -> list[dict[str, Any]]:
    """What `slrt backup list --json` says, oldest first."""
    found: list[dict[str, Any]] = json.loads(machine.run("slrt backup list --json").out)
    return found


def await_second(machine: Machine, seconds: float) -> None:
    """Wait until the book of runs tells of a second backup; asking the repository each second would cost the machine more than one."""
    ask = 'grep -c \'"kind": "backup"\' /var/lib/slrt/backup/book.jsonl'
    wait_for("a second backup", lambda: machine.run(ask, check=False).out.strip() == "2", seconds, pause=1.0)
    assert len(backups(machine)) == 2


def set_backup_time(machine: Machine, after: datetime) -> None:
    """Set the nightly backup to the first whole minute after `after`, without patience for a machine just started."""
    at = (after.astimezone(OFFICE) + timedelta(minutes=1)).strftime("%H:%M")
    change = f's/^time = .*/time = "{at}"/; s/^boot_delay_seconds = .*/boot_delay_seconds = 0/'
    machine.run(f"sed -i '{change}' /etc/slrt/appliance.toml && slrt config check")


def test_the_nightly_backup_comes_by_itself_and_is_proved(lasting: Machine) -> None:
    until_well(lasting)
    before = backups(lasting)
    assert [one["verified"] for one in before] == [True], "the installation makes the first one, and no other test was here yet"
    set_backup_time(lasting, datetime.fromisoformat(before[-1]["at"]))
    lasting.run("systemctl restart slrt-scheduler")
    await_second(lasting, 240)
    assert all(one["verified"] and one["state"] == "complete" for one in backups(lasting))
    # as the page leaves it
    lasting.run("""echo '{"wish": "rehearsal", "by": "hasnah"}' > /run/slrt/backup-request""", user="slrt")
    wait_for("the rehearsal", lambda: '"rehearsal"' in lasting.read("/var/lib/slrt/backup/book.jsonl"), 240, pause=1.0)
    assert json.loads(lasting.read("/var/lib/slrt/backup/book.jsonl").splitlines()[-1])["ok"]
    assert lasting.run("systemctl --failed --no-legend").out == ""
    said = lasting.run("slrt backup verify").out
    assert f"Cadangan {backups(lasting)[-1]['id']} utuh" in said
    until_well(lasting)


@pytest.mark.parametrize("release", ["bookworm"])
def test_a_night_without_power_is_made_up_for(installed: Machine) -> None:
    until_well(installed)
    last = datetime.fromisoformat(backups(installed)[-1]["at"])
    installed.run("systemctl stop slrt-scheduler")
    set_backup_time(installed, last)
    installed.power_off()
    wait_for("the minute of the backup is over", lambda: datetime.now(OFFICE) > last + timedelta(seconds=121), 130)
    installed.boot()
    await_second(installed, 120)


# the other way round, and without a network: tests/machine/test_bundle.py
@pytest.mark.parametrize("release", ["bookworm"])
def test_a_backup_is_restored_into_another_machine_by_one_command(room: Room, release: str) -> None:
    lost = room.installed(release)
    until_well(lost)
    node = meet(lost)
    furnish(node, "fo.ani", "spv.citra")
    number = file_case(node)
    lost.run("slrt backup run")
    passphrase = lost.read("/etc/slrt/secrets/backup-passphrase")
    # The other release: a new machine will rarely have the old Debian.
    fresh = room.installed(next(name for name in RELEASES if name != release))
    until_well(fresh)
    own = fresh.read("/etc/slrt/secrets/backup-passphrase")
    assert own != passphrase
    fresh.run(f"mkdir -p {USB_DISK}")
    lost.run(REST)
    source, target = lost.bed.root / "srv/backup/slrt", fresh.bed.root / USB_DISK.lstrip("/")
    subprocess.run(["cp", "-a", str(source), str(target)], check=True)
    lost.power_off()
    fresh.put("/root/sandi", passphrase, "0600")
    ask = f"slrt backup restore terakhir --in-place --yes --repository {USB_DISK}/slrt --passphrase-file /root/sandi"
    fresh.run(ask, seconds=300)
    until_well(fresh)
    there = meet(fresh, node.passwords)
    assert there.ca == node.ca, "tablets and laptops go on trusting the node"
    assert COMPLAINT in find_case(there.sign_in("spv.citra"), number)
    assert fresh.read("/etc/slrt/secrets/backup-passphrase") == own
    assert file_case(there, "Setelah pemulihan.") != number
    fresh.run("slrt backup run && slrt backup verify", seconds=300)
    assert fresh.run("systemctl --failed --no-legend").out == ""


@pytest.mark.parametrize("release", ["trixie"])
def test_a_restore_with_the_wrong_passphrase_changes_nothing(lasting: Machine) -> None:
    until_well(lasting)
    node = meet(lasting)
    furnish(node, "fo.ani", "spv.citra")
    number = file_case(node)
    lasting.put("/root/sandi", "0" * 64, "0600")
    lasting.run(f"{REST} && mkdir -p {USB_DISK} && cp -a /srv/backup/slrt {USB_DISK}/ && {REST_ENDS}")
    ask = f"slrt backup restore terakhir --in-place --yes --repository {USB_DISK}/slrt --passphrase-file /root/sandi"
    refused = lasting.run(ask, check=False, seconds=300)
    assert refused.code == 78, str(refused)
    assert "sandi" in refused.err.casefold()
    until_well(lasting)
    assert find_case(meet(lasting, node.passwords).sign_in("spv.citra"), number)


@pytest.mark.parametrize("release", ["trixie"])
def test_a_restore_that_is_killed_or_loses_its_terminal_leaves_no_node_that_is_off(lasting: Machine) -> None:
    until_well(lasting)
    order = json.dumps({"wish": "restore", "run": 1, "by": "admin.it", "reason": "uji dihentikan paksa"})
    kill = "kill -KILL $(systemctl show --property=MainPID --value slrt-restore.service)"
    off, exchanged = "! systemctl is-active --quiet slrt-web.socket", "[ -e /var/lib/slrt/restored.json ]"
    for reached in (off, exchanged):
        lasting.run(f"echo '{order}' > /run/slrt/restore-order", user="slrt")
        lasting.run(f"until {reached}; do :; done; {kill}", seconds=300)
        await_services(lasting)
        assert lasting.run("ls /var/lib/slrt/restored.json", check=False).code != 0
        lasting.run("systemctl reset-failed slrt-restore.service")
    assert "sudah diselesaikan" in lasting.run("journalctl -b -u slrt-restore-settle.service").out

    for signal in ("TERM", "HUP"):
        ask = "slrt backup restore 1 --in-place --yes --reason 'uji terminal terputus'"
        lasting.run(f"{ask} >/dev/null 2>&1 & until {off}; do :; done; kill -{signal} $!; wait $! || true", seconds=300)
        await_services(lasting)
    assert lasting.run("systemctl --failed --no-legend").out == ""


def await_services(machine: Machine) -> None:
    """Not `until_well`: a backup that a restore interrupts is made up for later, and shows until then."""
    units = "slrt-web.socket slrt-web.service slrt-scheduler.service slrt-backup.path"
    ask = f"for unit in {units}; do systemctl is-active --quiet $unit || exit 1; done"
    wait_for("all services run", lambda: machine.run(ask, check=False).code == 0, 180, pause=1.0)


@pytest.mark.parametrize("release", ["bookworm"])
def test_one_backup_is_looked_into_beside_the_running_node(lasting: Machine) -> None:
    until_well(lasting)
    lasting.run("slrt backup restore terakhir --to /root/pulih", seconds=300)
    assert lasting.run("find /root/pulih -name 'slrt.db*'").out.strip()
    refused = lasting.run("slrt backup restore terakhir --to /root/pulih", check=False)
    assert refused.code != 0
    assert "Langkah berikutnya" in refused.err


ONE_USERS = """
systemctl stop slrt-backup.path slrt-scheduler slrt-web.socket slrt-web
chown -R slrt:slrt /var/lib/slrt /srv/backup/slrt
find /var/lib/slrt -type d -exec chmod 0700 {} +
find /var/lib/slrt -type f -exec chmod 0600 {} +
userdel slrt-backup && gpasswd --delete slrt slrt-data
"""


def test_a_node_of_one_user_gives_its_backups_away_at_an_upgrade_and_a_restore_keeps_it_so(room: Room) -> None:
    node = room.installed(RELEASES[-1])
    until_well(node)
    node.run(ONE_USERS)
    node.run("slrt-provision apply", seconds=600)
    assert "Tidak ada yang berubah" in node.run("slrt-provision plan").out
    for command in (
        "backup run",
        "backup restore terakhir --in-place --yes",
        "backup key rotate",
        "backup custody --check",
        "backup run",
    ):
        node.run(f"slrt {command}", seconds=300)
    assert node.run("stat -c %U /srv/backup/slrt/config /var/lib/slrt/database/slrt.db").out.split() == ["slrt-backup", "slrt"]
    until_well(node)
    restored_as_ordered(node)


def restored_as_ordered(node: Machine) -> None:
    """As the pages leave it: taken by root's unit, carried out by the owner of the data, and the backups go on."""
    number = max(int(one["id"]) for one in backups(node))
    ended = carried_out(node, wish="restore", run=number, by="admin.it", reason="uji pemulihan dari halaman")
    assert ended["ok"], ended
    node.run("slrt backup custody --check && slrt backup run", seconds=300)
    until_well(node)
    office = meet(node)
    furnish(office, "fo.ani", "spv.citra")
    restored_to_a_moment(office)
    looked_as_ordered(office)


def restored_to_a_moment(office: Node) -> None:
    """What was stored after the last backup and before the moment comes back, what came after it does not."""
    node = office.machine
    node.run("slrt backup run", seconds=300)
    kept = file_case(office)
    # a moment means what was carried over by then, which is done every few seconds
    moment = datetime.now(OFFICE).replace(microsecond=0) + timedelta(seconds=20)
    wait_for("the log is carried over behind that", lambda: reaches(node) > moment, 180, pause=1.0)
    lost = file_case(office, "Sesudah saat itu.")
    ended = carried_out(
        node, wish="restore", run=0, moment=f"{moment:%d-%m-%Y %H:%M:%S}", by="admin.it", reason="uji ke suatu saat dari halaman"
    )
    assert ended["ok"], ended
    until_well(node)
    supervisor = meet(node, office.passwords).sign_in("spv.citra")
    assert find_case(supervisor, kept)
    supervisor.visit("/kasus")
    assert (kept in supervisor.page.text, lost in supervisor.page.text) == (True, False)


def looked_as_ordered(office: Node) -> None:
    """Of a case and of the papers, beside running services: laid out for the pages alone, and nothing of it in the machine's journal."""
    node = office.machine
    number = file_case(office)
    node.run("slrt backup run", seconds=300)
    run = max(int(one["id"]) for one in backups(node))
    look = carried_out(node, wish="look", run=run, by="spv.citra", reason="warga menanyakan catatan", case=number)
    assert look["ok"], look
    laid_out = node.run("stat -c '%U %a' /var/lib/slrt/restore/looks /var/lib/slrt/restore/looks/*").out.splitlines()
    # the folder hands its group on, which has no right in it
    assert laid_out == ["slrt 2700", "slrt 600"]
    supervisor = office.sign_in("spv.citra")
    supervisor.visit(f"/keadaan-dahulu/{look['result']}")
    assert COMPLAINT in supervisor.page.text, str(supervisor.page)
    found = carried_out(node, wish="search", run=0, by="admin.it", reason="")
    assert found["ok"], found
    assert COMPLAINT not in node.run("journalctl --unit slrt-restore --no-pager").out
    assert node.run("systemctl --failed --no-legend").out == ""
