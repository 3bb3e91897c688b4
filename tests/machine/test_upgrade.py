"""From one release to the next and back on a booted node: nothing stored is lost, and there is never a mixture of two releases."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from appliance.database import newest_revision
from tests.support.machine import Machine, wait_for
from tests.support.machine_run import until_well
from tests.support.office import Office
from tests.support.releases import FLAWS, NUMBER, Release, make_next, release_of, spoil, tables_of
from tests.support.story import Node, file_case, find_case, furnish, meet

OLD_TABLES, NEW_TABLES = (newest_revision(), False), (NUMBER, True)
KILLED = (-9, 137)  # as the shell tells it, or who stood in its place
WATCHING = "/run/systemd/system/slrt-upgrade-watch.service.d/test.conf"


@dataclass
class Prepared:
    """The node of a test machine with its officers, the release it was installed with, and the next one, which is on its disk."""

    machine: Machine
    node: Node
    old: str
    new: Release
    cases: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def prepared_nodes() -> dict[Machine, Prepared]:
    """By machine: a failed test gets a new one."""
    return {}


@pytest.fixture
def prepared(lasting: Machine, prepared_nodes: dict[str, Prepared]) -> Prepared:
    """The lasting node with a case, and the next release beside the one in use."""
    if lasting.bed.name not in prepared_nodes or prepared_nodes[lasting.bed.name].machine is not lasting:
        until_well(lasting)
        node = meet(lasting)
        furnish(node, "fo.ani", "spv.citra")
        prepared_nodes[lasting.bed.name] = Prepared(lasting, node, release_of(lasting), make_next(lasting))
    found = prepared_nodes[lasting.bed.name]
    found.cases.append(file_case(found.node, f"Keluhan nomor {len(found.cases)}."))
    return found


@contextlib.contextmanager
def visitors(machine: Machine) -> Iterator[list[tuple[float, int]]]:
    """Somebody asks for the sign-in page again and again: when, and with which status it was answered (0: not at all)."""
    answers: list[tuple[float, int]] = []
    trust = ssl._create_unverified_context()  # noqa: S323  only the time matters here
    over = threading.Event()

    def visit() -> None:
        while not over.wait(0.1):
            try:
                connection = http.client.HTTPSConnection(machine.address, context=trust, timeout=60)
                connection.request("GET", "/masuk")
                answers.append((time.monotonic(), connection.getresponse().status))
                connection.close()
            except OSError:
                answers.append((time.monotonic(), 0))

    thread = threading.Thread(target=visit)
    thread.start()
    try:
        yield answers
    finally:
        over.set()
        thread.join()


def closed_for(answers: list[tuple[float, int]]) -> float:
    """Seconds from the last good answer before the first bad one to the first good one after the last bad one."""
    bad = [number for number, (_, status) in enumerate(answers) if status != 200]
    return answers[bad[-1] + 1][0] - answers[bad[0] - 1][0] if bad else 0.0


def told(machine: Machine) -> dict[str, object]:
    """How the last upgrade ended."""
    found: dict[str, object] = json.loads(machine.read("/var/lib/slrt-upgrade/last.json"))
    return found


def signed_in(prepared: Prepared) -> Office | None:
    """The supervisor's desk. None when the connection was closed: the front takes its files in anew after everything else."""
    try:
        return meet(prepared.machine, prepared.node.passwords).sign_in("spv.citra")
    except OSError:
        return None


def well_as(prepared: Prepared, release: str, tables: tuple[str, bool]) -> None:
    """The node runs that release with these tables, everything is well, and every case that was answered "saved" is there."""
    machine = prepared.machine
    until_well(machine)
    assert (release_of(machine), tables_of(machine)) == (release, tables)
    assert machine.run("systemctl --failed --no-legend").out == ""
    assert machine.run("ls /run/slrt-upgrade/closed /var/lib/slrt-install/upgrade.json", check=False).out == ""
    desk = wait_for("the supervisor is in", lambda: signed_in(prepared), 60, pause=1.0)
    for number in prepared.cases:
        assert find_case(desk, number)


@pytest.mark.parametrize(("release", "flaw"), list(zip(("trixie", "bookworm", "bookworm"), FLAWS, strict=True)))
def test_a_release_that_is_not_well_is_taken_back_with_its_database(prepared: Prepared, flaw: str) -> None:
    machine = prepared.machine
    bad = spoil(machine, prepared.new, flaw)
    with visitors(machine) as answers:
        ended = machine.run(f"{bad.program} upgrade --release {bad.name}", check=False, seconds=300)
    assert ended.code == 1, str(ended)
    assert "gagal dan dibatalkan sendiri" in ended.err, str(ended)
    assert {status for _, status in answers} == {200, 503}, "nobody is refused a connection, or let in too early"
    assert told(machine)["ok"] is False
    well_as(prepared, prepared.old, OLD_TABLES)
    assert machine.run("ls /var/lib/slrt-install/copies").out == "", "a copy that is needed no more does not stay"


KILLED_AT = ("closed", "stopped", "copied", "changing", "migrated", "switched", "files", "started", "probed")


@pytest.mark.parametrize("release", ["trixie"])
@pytest.mark.parametrize("point", KILLED_AT)
def test_an_upgrade_that_is_killed_is_settled_at_once(prepared: Prepared, point: str) -> None:
    machine, new = prepared.machine, prepared.new
    ended = machine.run(f"{new.program} upgrade --release {new.name} --stop-after {point}", check=False, seconds=300)
    assert ended.code in KILLED, str(ended)
    wait_for("the note is settled", lambda: machine.run("ls /var/lib/slrt-install/upgrade.json", check=False).code != 0, 120)
    well_as(prepared, prepared.old, OLD_TABLES)


# the boot on both Debians; what is then to be done is read from the note, as after a kill
@pytest.mark.parametrize(("release", "point"), [("trixie", "stopped"), ("bookworm", "switched"), ("trixie", "probed")])
def test_a_power_cut_in_an_upgrade_is_settled_at_boot(prepared: Prepared, point: str) -> None:
    machine, new = prepared.machine, prepared.new
    machine.put(WATCHING, "[Service]\nExecStart=\nExecStart=/bin/true\n")
    machine.run("systemctl daemon-reload")
    # the minute of waiting for a steady mains is another test's
    machine.run("sed -i 's/^boot_hold_seconds = .*/boot_hold_seconds = 0/' /etc/slrt/appliance.toml && slrt config check")
    ended = machine.run(f"{new.program} upgrade --release {new.name} --stop-after {point}", check=False, seconds=300)
    assert ended.code in KILLED, str(ended)
    machine.cut_power()
    machine.boot()
    well_as(prepared, prepared.old, OLD_TABLES)
    assert "terputus" in str(told(machine)["text"])


def test_an_upgrade_keeps_everything_and_closes_the_pages_briefly(prepared: Prepared, capsys: pytest.CaptureFixture[str]) -> None:
    machine, new = prepared.machine, prepared.new
    with visitors(machine) as answers:
        machine.run("./install.sh upgrade", folder="/root/next-release", seconds=300)
    with capsys.disabled():
        print(f"\n    pages closed for {closed_for(answers):.1f} s on {machine.release}", end="")
    assert {status for _, status in answers} == {200, 503}
    well_as(prepared, new.name, NEW_TABLES)
    assert told(machine)["ok"] is True
    again = machine.run("./install.sh upgrade", folder="/root/next-release", seconds=300)
    assert "sudah memakai rilis" in again.out
    older = machine.run("./install.sh upgrade", folder="/root/slrt-node", check=False)
    assert older.code != 0
    assert "lebih lama daripada yang terpasang" in older.err


def test_the_way_back_needs_the_data_of_then_and_says_what_is_lost(prepared: Prepared) -> None:
    machine, old = prepared.machine, prepared.old
    later = prepared.cases.pop()  # it was filed with the new release
    refused = machine.run("slrt rollback", check=False, seconds=120)
    assert refused.code != 0
    assert "--database" in refused.err, str(refused)
    asked = machine.run("slrt rollback --database --lose 0", check=False, seconds=120)
    number = re.search(r"--lose (\d+)", asked.err)
    assert number, str(asked)
    machine.run(f"slrt rollback --database --lose {number[1]}", seconds=400)
    well_as(prepared, old, OLD_TABLES)
    assert file_case(meet(machine, prepared.node.passwords)) > later, "a number that was given out is not given again"


def test_the_program_goes_and_comes_back_over_the_old_data(prepared: Prepared) -> None:
    machine = prepared.machine
    before = prepared.node.ca
    refused = machine.run("slrt uninstall", check=False)
    assert "--yes-keep-data" in refused.err
    machine.run("slrt uninstall --yes-keep-data", seconds=300)
    assert machine.run("systemctl list-units --all --no-legend 'slrt*'").out == ""
    assert machine.run("ls -d /opt/slrt /usr/local/bin/slrt /usr/lib/slrt/* /etc/systemd/system/slrt*", check=False).out == ""
    assert "MODE=none" in machine.read("/etc/nut/nut.conf")
    assert "inet slrt" not in machine.run("nft list tables").out
    # as after a new Debian, which gives the users other numbers
    machine.run("usermod -u 4242 slrt && usermod -u 4343 slrt-backup && usermod -u 4444 slrt-power", check=False)
    machine.run(
        "chown -R 997 /var/lib/slrt && chown -R 4242 /var/lib/slrt/backup /srv/backup/slrt && chown -R 996 /var/lib/slrt-power"
    )
    kept = machine.run("mv /etc/slrt/secrets/audit-key /root/ && cp -a /var/lib/slrt/database /root/database").code
    assert kept == 0
    without_key = machine.run("./install.sh --unattended --ups simulated", folder="/root/slrt-node", check=False, seconds=400)
    assert without_key.code == 78, str(without_key)
    assert "kuncinya tidak ada: audit-key" in without_key.out + without_key.err
    machine.run("mv /root/audit-key /etc/slrt/secrets/")
    machine.run("./install.sh --unattended --ups simulated", folder="/root/slrt-node", seconds=400)
    assert machine.run("stat -c %U /var/lib/slrt/database/slrt.db /srv/backup/slrt/config /var/lib/slrt-power/journal.jsonl").out.split() == [
        "slrt", "slrt-backup", "slrt-power"
    ]  # fmt: skip
    prepared.old = release_of(machine)
    well_as(prepared, prepared.old, OLD_TABLES)
    assert meet(machine).ca == before, "tablets go on trusting the node"
