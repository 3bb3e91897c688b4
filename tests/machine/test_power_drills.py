"""The drills to their end in a booted machine, and the small units that only systemd starts: notices, the clock, the asked-for drill."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.support.machine import Machine, wait_for
from tests.support.machine_power import furnished, protection, set_power
from tests.support.machine_run import until_well
from tests.support.machine_tree import RELEASES

HOOK = "/usr/lib/systemd/system-shutdown/slrt-ups-endgame"
REBOOTED = 133  # how systemd-nspawn tells that the machine wants to be started again


@pytest.mark.parametrize("release", RELEASES[:1])  # two whole shutdowns: the other one has those of the random outages
def test_the_drills_to_the_end_and_the_units_that_systemd_starts(installed: Machine) -> None:
    node = furnished(installed)
    set_power(installed, on_battery_seconds=10, boot_hold_seconds=2)
    desk = node.sign_in("admin.it")
    desk.visit("/listrik/latihan")
    desk.press("Mulai latihan L0")
    assert desk.page.status == 200, str(desk.page)
    clock_is_set_or_told_of(installed)
    a_stopped_path_is_told(installed)
    await_passed(installed, "L0")
    with mailbox(installed) as letters:
        drill_to_the_end(installed, "L3")
        installed.wait_until_off()
        assert ended_as(installed) == 0, "switched off for good, until the mains is back"
        installed.boot()
        await_passed(installed, "L3")
        send_notices(installed)
        assert [one["title"].partition(": ")[2] for one in letters] == ["Listrik padam", "Sistem mati", "Sistem hidup kembali"]
    refused = installed.run("slrt power drill L3b --yes", check=False)
    assert "Listrik padam dalam 12 jam terakhir" in refused.err, str(refused)
    forget_the_outage(installed)
    # the hook of a real UPS, over the driver that plays one
    installed.run(f"ln -s /usr/lib/slrt/ups-endgame {HOOK}")
    drill_to_the_end(installed, "L3b")
    wait_for("the shutdown has begun", lambda: has_begun(installed), 60)
    installed.run("slrt power simulate ol", check=False)
    installed.wait_until_off()
    assert ended_as(installed) == REBOOTED, "with the mains back it must not stay off"
    installed.boot()
    await_passed(installed, "L3b")
    until_well(installed)


def await_passed(machine: Machine, level: str) -> None:
    """Wait until the drill has ended well, by the list that an operator sees."""

    def ended() -> str:
        listed = machine.run("slrt power drill list").out.splitlines()
        found = next((line for line in listed if line.split()[0].endswith(f"-{level}")), "")
        return "" if "Sedang berjalan" in found else found

    found = wait_for(f"{level} has ended", ended, 240, pause=3)
    assert " Berhasil:" in found, machine.run(f"slrt power drill show {found.split()[0]}").out


def drill_to_the_end(machine: Machine, level: str) -> None:
    """Begin a full drill when nothing speaks against it, and pull the plug when it says so."""
    check = "systemctl start slrt-power-check.service"
    wait_for("the light is on", lambda: machine.run(check) and protection(machine).get("color") == "armed", 120, pause=3)
    machine.run(f"systemd-run --quiet --unit=drill --collect slrt power drill {level} --yes --by 'Andi Rahmat'")
    told = f"grep -qs 'Cabut steker' /var/lib/slrt/drills/*-{level}.json"
    wait_for("the drill says what to do", lambda: machine.run(told, check=False).code == 0, 30)
    machine.run("slrt power simulate ob")


def has_begun(machine: Machine) -> bool:
    """Whether nothing can take the shutdown back any more."""
    return machine.run("test -e /run/slrt-power/shutdown-begun", check=False).code == 0


def ended_as(machine: Machine) -> int:
    """How the machine went off."""
    assert machine.process is not None
    return machine.process.wait(120)


def forget_the_outage(machine: Machine) -> None:
    """As if it had been long ago."""
    machine.run("systemctl stop slrt-watcher && rm /var/lib/slrt-power/journal.jsonl && systemctl start slrt-watcher")


def clock_is_set_or_told_of(machine: Machine) -> None:
    """This machine has no clock that could wake it: said so, and no flag is left. Then the unit over a file in its place."""
    ask_clock(machine, "rtc-arm")
    assert "no clock that can wake this machine" in machine.run("journalctl --unit=slrt-rtc-alarm.service --output=cat").out
    alarm = "/run/slrt-power/wakealarm"
    start = f"[Service]\nExecStart=\nExecStart=/usr/lib/slrt/rtc-alarm /run/slrt-power {alarm}\n"
    machine.put("/run/systemd/system/slrt-rtc-alarm.service.d/clock.conf", start)
    machine.run(f"systemctl daemon-reload && echo 1772370000 >{alarm}")
    for flag, written in (("rtc-arm", "+900"), ("rtc-disarm", "0")):
        ask_clock(machine, flag)
        assert machine.read(alarm).strip() == written


def ask_clock(machine: Machine, flag: str) -> None:
    """Leave a flag as the watcher does, and wait until it was seen to."""
    machine.run(f"touch /run/slrt-power/{flag}")
    wait_for("the flag is gone", lambda: machine.run(f"test -e /run/slrt-power/{flag}", check=False).code != 0, 30)


def a_stopped_path_is_told(machine: Machine) -> None:
    """A unit without which the chain has a gap."""
    unit = "slrt-upsmon-refresh.path"
    machine.run(f"systemctl stop {unit}")
    services = json.loads(machine.run("slrt status --json", check=False).out)["services"]
    assert unit in services["text"], services
    machine.run(f"systemctl start {unit}")


@contextmanager
def mailbox(machine: Machine) -> Iterator[list[dict[str, str]]]:
    """A place on the office network to which the node sends its notices, and what arrives there from now on."""
    letters: list[dict[str, str]] = []

    class Slot(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            letters.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
            """Quiet."""

    with ThreadingHTTPServer((machine.bed.gateway, 0), Slot) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"json://{machine.bed.gateway}:{server.server_port}/"
        machine.put("/etc/slrt/secrets/notices-urls", address + "\n", "0600")
        send_notices(machine)
        assert letters == [], "what was before is no news"
        yield letters
        server.shutdown()


def send_notices(machine: Machine) -> None:
    """What the timer starts every minute."""
    machine.run("systemctl start slrt-notices.service")
