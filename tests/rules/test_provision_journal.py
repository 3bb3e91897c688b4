"""The journal of the steps: what is in it after a run that ended well, by an error, or not at all."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from appliance.config import PowerSettings, Settings
from appliance.errors import ApplianceError
from provision import run
from provision.change import Command, File
from provision.journal import JOURNAL, how_it_ended
from provision.plan import steps
from provision.step import Site, Step
from tests.support.pretend_host import PowerCut, PretendHost

FIRST = Step("satu", "Satu", (File("/etc/one", b"1"),))
SECOND = Step("dua", "Dua", (File("/etc/two", b"2"),))
NEVER = Step("tidak", "Tidak", (Command("nothing", ("test", "-f", "/never"), ("systemctl", "start", "x.service")),))

SITE = Site(Settings(power=PowerSettings(ups="simulated")), "admin.it", debian=12, source=Path(__file__).resolve().parents[2])


def silent(_line: str) -> None:
    pass


def states(host: PretendHost) -> list[tuple[str, str]]:
    return [(line.split()[1], line.split()[2]) for line in host.journal]


def test_each_step_that_has_something_to_do_is_written_down_before_and_after() -> None:
    host = PretendHost()
    host.run(["ln", "-sfn", "/opt/slrt/releases/0.1.0+abc", "/opt/slrt/current"])
    run.apply([FIRST, SECOND], host, silent)
    assert states(host) == [("run", "provision"), ("begun", "satu"), ("done", "satu"), ("begun", "dua"), ("done", "dua")]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ \w+ \w+ (-|\d+) 0\.1\.0\+abc", line) for line in host.journal)
    host.journal.clear()
    run.apply([FIRST, SECOND], host, silent)
    assert states(host) == [("run", "provision")]
    assert how_it_ended(host) == ""


def test_an_error_is_told_by_the_next_run_and_then_no_more() -> None:
    host = PretendHost()
    with pytest.raises(ApplianceError):
        run.apply([FIRST, NEVER], host, silent)
    assert states(host)[-1] == ("failed", "tidak")
    said: list[str] = []
    run.apply([FIRST, SECOND], host, said.append)
    assert "gagal pada langkah tidak; dilanjutkan dari sana." in said[0]
    assert how_it_ended(host) == ""


def test_a_power_cut_is_told_by_the_next_run() -> None:
    host = PretendHost(cut_before=2)
    with pytest.raises(PowerCut):
        run.apply([FIRST, SECOND], host, silent)
    assert states(host)[-1][0] == "begun"
    assert f"terputus di tengah langkah {states(host)[-1][1]}" in how_it_ended(host)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ([], ""),
        (["2026-11-29T01:00:00Z begun paket - 0.1"], "terputus di tengah langkah paket"),
        (["2026-11-29T01:00:00Z begun paket - 0.1", "2026-11-29T01:0"], "terputus di tengah langkah paket"),
        (["2026-11-29T01:00:00Z begun paket - 0.1", "2026-11-29T01:01:00Z done paket 60 0.1"], ""),
        (["2026-11-29T01:00:00Z failed paket 3 0.1"], "(2026-11-29T01:00:00Z) gagal pada langkah paket"),
    ],
)
def test_how_the_last_run_ended(written: list[str], told: str) -> None:
    host = PretendHost(journal=written)
    assert host.read(JOURNAL) is not None
    sentence = how_it_ended(host)
    assert (told in sentence) if told else sentence == ""


def test_packages_left_half_way_are_finished_first() -> None:
    host = PretendHost(half=True)
    run.apply(steps(SITE), host, silent)
    commands = [command for command in host.commands if "dpkg --configure -a" in command or "apt-get" in command]
    assert "dpkg --configure -a" in commands[0]
    assert not host.half
    host.half = True
    assert run.plan(steps(SITE), host, silent) == 1, "also when our packages are whole"
    run.apply(steps(SITE), host, silent)
    assert not host.half
