"""The minute's check against a real upsd, driver, upsmon and watcher: whole when all run, and it finds what was taken away."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from appliance.power import chain_check, state
from appliance.power.chain import PATIENCE, Color, Link, Report
from appliance.power.chain_facts import CALIBRATION_FILE, Machine
from appliance.power.journal import Event
from appliance.power.ups import inspect
from tests.support.nut import LAN, PASSWORDS, UPS, NutLab
from tests.support.waiting import wait_for
from tests.support.watching import Watching

SYSTEMCTL = """#!/bin/sh
for unit in nut-driver@apc.service nut-server.service nut-monitor.service slrt-force-shutdown.path slrt-poweroff.path; do
  printf 'Id=%s\\nActiveState=%s\\nActiveEnterTimestampMonotonic=%s\\n\\n' $unit "$(cat {folder}/$unit 2>/dev/null || echo active)" 5000000
done
"""


class Bench:
    """One node whose chain is whole, and the check over it."""

    def __init__(self, lab: NutLab, node: Watching, folder: Path) -> None:
        self.lab, self.node, self.folder = lab, node, folder
        password = folder / "secrets" / "upsd-upsmon-password"
        password.write_text(PASSWORDS["upsmon_password"])
        password.chmod(0o600)
        systemctl = folder / "systemctl"
        systemctl.write_text(SYSTEMCTL.format(folder=folder))
        systemctl.chmod(0o755)
        self.machine = Machine(lab.conf, folder / "hook", folder / "usb", folder / "clock", (str(systemctl),))

    def check(self) -> Report:
        return chain_check.check(self.node.settings, self.machine, datetime.now(UTC))

    def links(self) -> list[str]:
        return [finding.link for finding in self.check().findings]


@contextmanager
def another_machine(lab: NutLab) -> Iterator[None]:
    """One that is logged in from an address that is not this machine's own."""
    words = ("USERNAME secondary", f"PASSWORD {PASSWORDS['secondary_password']}", f"LOGIN {UPS}")
    with socket.create_connection((LAN, lab.address[1]), 10, source_address=(LAN, 0)) as line:
        for word in words:
            line.sendall(f"{word}\n".encode())
            assert line.recv(200).startswith(b"OK"), word
        yield


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with NutLab() as lab:
        node = Watching(tmp_path, lab.runtime, lab.address)
        try:
            node.start()
            node.wait_stage("online")
            lab.start_upsmon_beside_watcher()
            yield Bench(lab, node, tmp_path)
        finally:
            node.kill()
            print(node.log.read_text())


def test_the_check_finds_each_link_that_is_taken_away(bench: Bench) -> None:
    lab, node = bench.lab, bench.node
    assert bench.links() == []
    assert lab.logins() == 2, "the check leaves nobody logged in"
    assert chain_check.read_light(node.settings, datetime.now(UTC)).color is Color.ARMED

    (bench.folder / "nut-monitor.service").write_text("failed")
    assert bench.check().findings[0].cause == "layanan tidak berjalan: nut-monitor.service"
    (bench.folder / "nut-monitor.service").unlink()

    (lab.state / "killpower").write_text("upsmon-shutdown-file")
    assert bench.links() == [Link.FLAG]
    (lab.state / "killpower").unlink()

    (node.runtime / CALIBRATION_FILE).write_text("4.9")
    assert bench.links() == []
    (node.runtime / CALIBRATION_FILE).write_text("5.1")
    assert bench.links() == ([Link.CALIBRATION] if _version(bench) < (2, 8, 2) else [])
    (node.runtime / CALIBRATION_FILE).unlink()

    password = bench.folder / "secrets" / "upsd-upsmon-password"
    password.write_text("wrong")
    assert bench.links() == [Link.RIGHTS]
    password.write_text(PASSWORDS["watcher_password"])
    assert bench.links() == [Link.RIGHTS]
    password.write_text(PASSWORDS["upsmon_password"])

    nut = lab.conf / "nut.conf"
    nut.write_text(nut.read_text().replace("netserver", "none"))
    assert bench.links() == [Link.MODE]
    nut.write_text(nut.read_text().replace("none", "netserver"))

    with another_machine(lab):
        assert bench.links() == []
        lab.stop("upsmon")
        wait_for(lambda: lab.logins() == 2, what="upsd has seen upsmon go")
        assert bench.links() == [Link.UPSMON], "the other machine does not stand for our own upsmon"
    lab.stop("driver")
    assert bench.links() == [Link.UPSD]
    lab.stop("upsd")
    assert bench.check().findings[0].cause == "layanan NUT (upsd) tidak berjalan"


def test_the_watcher_tells_the_journal_when_the_light_changes_and_only_then(bench: Bench) -> None:
    node = bench.node
    bench.check()
    broken = datetime.now(UTC) - PATIENCE
    report = {"at": broken.isoformat(), "since": broken.isoformat()}
    finding = {"link": "upsmon", "cause": "upsmon tidak ada", "remedy": "Nyalakan.", "grave": True}
    state.replace_file(node.runtime / chain_check.REPORT_FILE, json.dumps({**report, "findings": [finding]}))
    node.wait_event(Event.UNPROTECTED)
    assert node.facts(Event.UNPROTECTED) == {"links": ["upsmon"], "why": "upsmon tidak ada"}
    node.kill()
    node.start()
    wait_for(lambda: node.wait_stage("online") and bench.lab.logins() == 2, what="the new watcher is logged in")
    bench.check()
    node.wait_event(Event.PROTECTED)
    assert node.events.count(Event.UNPROTECTED) == 1, "a new watcher knows what the last one said"


def test_a_report_that_is_cut_or_foreign_counts_as_none(tmp_path: Path) -> None:
    for content in (
        "",
        "{",
        "[]",
        "null",
        '{"at": "x"}',
        '{"at": "2026-11-28T00:00:00", "since": "2026-11-28T00:00:00", "findings": []}',
    ):
        (tmp_path / chain_check.REPORT_FILE).write_text(content)
        assert chain_check.read_report(tmp_path) is None, content
    assert chain_check.read_report(tmp_path / "nowhere") is None


def _version(bench: Bench) -> tuple[int, ...]:
    settings = bench.node.settings.power
    return inspect(settings.name, (settings.host, settings.port), ("upsmon", PASSWORDS["upsmon_password"])).version or ()
