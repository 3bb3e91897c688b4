"""A node whose database is a PostgreSQL server beside it: its log is received inside the limits of the units, and brings everything back
when the server's data are gone."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.support.machine import Machine, wait_for
from tests.support.machine_room import Room
from tests.support.machine_run import until_well
from tests.support.machine_tree import RELEASES
from tests.support.story import file_case, find_case, furnish, meet

PASSWORD = "jeruk-nipis-4711"
URL = f"postgresql+psycopg://slrt:{PASSWORD}@/slrt?host=/run/postgresql"
APT = "DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install postgresql"
RULES = "local all slrt scram-sha-256\\nlocal replication slrt scram-sha-256"
# as docs/backup.md has it
SERVER = f"""
hba=$(ls /etc/postgresql/*/main/pg_hba.conf)
sed -i '1i {RULES}' $hba
su postgres -c psql <<'SQL'
CREATE ROLE slrt LOGIN REPLICATION PASSWORD '{PASSWORD}';
CREATE DATABASE slrt OWNER slrt TEMPLATE template0 ENCODING 'UTF8';
ALTER SYSTEM SET max_slot_wal_keep_size = '8GB';
SQL
systemctl reload postgresql
"""
DIES = """
version=$(ls /etc/postgresql)
pg_dropcluster --stop $version main
rm -rf /var/lib/postgresql/$version/main
pg_createcluster --start $version main
systemctl start postgresql@$version-main
"""
FOLLOWS = "SELECT pid FROM pg_stat_replication WHERE application_name = 'pg_receivewal'"


def asked(machine: Machine, question: str) -> str:
    """What the server answers to its administrator."""
    return machine.run(f'su postgres -c "psql -qtA"  <<< "{question}"').out.strip()


def last_line(machine: Machine) -> dict[str, Any]:
    """The newest line in the book of the backups."""
    found: dict[str, Any] = json.loads(machine.read("/var/lib/slrt/backup/book.jsonl").splitlines()[-1])
    return found


def has_base(line: dict[str, Any]) -> bool:
    """Whether it is of a good backup of the server, with its place in the log."""
    return line["ok"] and line["method"] == "dump" and bool(line["position"])


def moved_to_a_server(machine: Machine) -> None:
    """The installed node's database is a server's from now on."""
    machine.run(APT, seconds=600)
    machine.run(f"set -e\n{SERVER}")
    machine.run(f"sed -i 's|^url = .*|url = \"{URL}\"|' /etc/slrt/appliance.toml && slrt config check")
    machine.run("slrt-provision apply", seconds=600)
    until_well(machine)


def is_received_within_the_limits(machine: Machine) -> None:
    """The server's own program runs in the unit of the scheduler, as its user, and goes on with another after a kill of both."""
    wait_for("the log is received", lambda: asked(machine, FOLLOWS) != "", 60, pause=1.0)
    wait_for("a base that the log goes on from", lambda: has_base(last_line(machine)), 300, pause=1.0)
    unit = machine.run(
        "ps -o user=,comm= -p $(paste -sd, /sys/fs/cgroup$(systemctl show -P ControlGroup slrt-scheduler)/cgroup.procs)"
    )
    assert ["slrt", "pg_receivewal"] in [line.split() for line in unit.out.splitlines()], unit.out
    before = asked(machine, FOLLOWS)
    machine.run("systemctl kill --kill-whom=all --signal=KILL slrt-scheduler")
    wait_for("another one goes on", lambda: asked(machine, FOLLOWS) not in {"", before}, 60, pause=1.0)


@pytest.mark.parametrize("release", RELEASES[-1:])
def test_the_log_of_a_server_is_carried_over_by_the_unit_and_brings_everything_back(room: Room, release: str) -> None:
    node = room.installed(release)
    until_well(node)
    moved_to_a_server(node)
    is_received_within_the_limits(node)
    office = meet(node)
    furnish(office, "fo.ani", "spv.citra")
    number = file_case(office)
    filed = datetime.now(UTC)
    wait_for("what came last is sealed", lambda: sealed_at(node) > filed, 90, pause=1.0)
    node.run("systemctl stop slrt-scheduler slrt-web.socket slrt-web")
    node.run(f"set -e\n{DIES}{SERVER}")
    node.run("slrt backup restore sekarang --in-place --yes --reason 'disk server mati'", seconds=300)
    until_well(node)
    assert find_case(meet(node, office.passwords).sign_in("spv.citra"), number)
    assert node.run("systemctl --failed --no-legend").out == ""


def sealed_at(machine: Machine) -> datetime:
    """When the newest piece of the log was written onto the second disk."""
    newest = machine.run("find /srv/backup -path '*/server/*' -type f -printf '%T@\\n' | sort -n | tail -n 1").out.strip()
    return datetime.fromtimestamp(float(newest or 0), UTC)
