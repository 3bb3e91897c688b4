"""The mains fails: the banner, the orderly end, and what is there when the machine starts again."""

from __future__ import annotations

import time

import pytest

from tests.support.machine import Machine, wait_for
from tests.support.machine_power import banner, furnished, hold_shortly, power_journal, protection, set_power
from tests.support.machine_room import Room
from tests.support.machine_run import until_well
from tests.support.random_outages import ON_BATTERY_SECONDS, Clerk, outages, play, stored
from tests.support.story import Node, file_case, find_case, meet


@pytest.fixture(scope="module")
def offices() -> list[Node]:
    """The machines that have got their officers."""
    return []


@pytest.fixture
def office(lasting: Machine, offices: list[Node]) -> Node:
    """The officers of the machine that lasts, who get their accounts once."""
    until_well(lasting)
    if not any(node.machine is lasting for node in offices):
        offices.append(furnished(lasting, "fo.ani", "spv.citra"))
    return next(node for node in offices if node.machine is lasting)


def test_the_mains_fails_and_comes_back(lasting: Machine, office: Node) -> None:
    wait_for("the light is on", lambda: protection(lasting).get("color") == "armed", 240, pause=4)
    assert protection(lasting)["findings"] == []
    assert lasting.run("systemctl --failed --no-legend").out == ""
    desk = office.sign_in("fo.ani")
    lasting.run("slrt power simulate ob")
    wait_for("the banner warns", lambda: banner(desk).get("tone") == "warn", 90, pause=0.5)
    assert "Listrik padam" in banner(desk)["sentence"]
    assert file_case(office), "on battery the office goes on working"
    lasting.run("slrt power simulate ol")
    wait_for("the banner is gone", lambda: banner(desk).get("tone") != "warn", 90, pause=0.5)
    events = [entry["event"] for entry in power_journal(lasting)]
    assert events[-2:] == ["mains-lost", "mains-back"]
    until_well(lasting)


def test_the_battery_runs_low_and_the_machine_ends_itself_in_order(lasting: Machine, office: Node) -> None:
    desk = office.sign_in("fo.ani")
    lasting.run("slrt power simulate ob")
    wait_for("the banner warns", lambda: banner(desk).get("tone") == "warn", 90, pause=0.5)
    number = file_case(office, "Disimpan sesaat sebelum mesin mati.")
    lasting.run("slrt power simulate ob-lb")
    lasting.wait_until_off()
    lasting.boot()
    until_well(lasting)
    assert lasting.run("systemctl --failed --no-legend").out == ""
    again = meet(lasting, office.passwords)
    assert "Disimpan sesaat sebelum mesin mati." in find_case(again.sign_in("spv.citra"), number)
    told = power_journal(lasting)
    lost = max(place for place, entry in enumerate(told) if entry["event"] == "mains-lost")
    story = [entry["event"] for entry in told[lost:]]
    way = [
        event for event in story if event not in {"forced-seen", "forced-again"}
    ]  # the machine may be faster than the next look
    expected = ["mains-lost", "decided", "drained", "ready", "handed-over", "stopped", "back", "held", "started", "opened"]
    assert way == expected, told[lost:]
    back = next(entry for entry in told[lost:] if entry["event"] == "back")
    assert back["clean"] is True
    home = again.sign_in("fo.ani").visit("/").text
    assert "mati dengan tertib" in home
    assert "baterai" in home, "the officer is told why"


# upsmon's own way down on both Debians: tests/daemons/test_power_upsmon.py; the machine's: the test above
@pytest.mark.parametrize("release", ["trixie"])
def test_the_watcher_is_dead_and_upsmon_still_ends_the_machine_in_order(lasting: Machine, office: Node) -> None:
    number = file_case(office)
    hold_shortly(lasting)
    lasting.run("systemctl stop slrt-watcher && slrt power simulate ob-lb")
    lasting.wait_until_off()
    lasting.boot()
    until_well(lasting)
    assert find_case(meet(lasting, office.passwords).sign_in("spv.citra"), number)


@pytest.mark.parametrize("release", ["bookworm"])
def test_a_machine_that_loses_power_at_once_starts_again_with_everything_answered(lasting: Machine, office: Node) -> None:
    number = file_case(office, "Listrik putus tanpa UPS.")
    hold_shortly(lasting)
    lasting.cut_power()
    lasting.boot()
    until_well(lasting)
    assert "Listrik putus tanpa UPS." in find_case(meet(lasting, office.passwords).sign_in("spv.citra"), number)
    assert next(entry for entry in reversed(power_journal(lasting)) if entry["event"] == "back")["clean"] is False


def test_outages_at_random_moments_lose_nothing_that_was_answered(
    room: Room, pytestconfig: pytest.Config, capsys: pytest.CaptureFixture[str]
) -> None:
    """On Debian 13, whose upsmon has the least patience. More of them: --power-rounds 20."""
    seed = pytestconfig.getoption("--power-seed") or time.time_ns() % 2**31
    machine = room.installed("trixie")
    set_power(machine, on_battery_seconds=ON_BATTERY_SECONDS, boot_hold_seconds=2)
    node = furnished(machine, "fo.ani")
    file_case(node)
    clerk = Clerk(node)
    for number, outage in enumerate(outages(seed, pytestconfig.getoption("--power-rounds")), start=1):
        began, before = time.monotonic(), len(clerk.answered)
        with clerk.working():
            wait_for("somebody saves", lambda before=before: len(clerk.answered) > before, 90)  # type: ignore[misc]
            end = play(machine, outage)
        told = check_end(machine, end)
        lost = set(clerk.answered) - stored(machine)
        with capsys.disabled():
            print(
                f"\n  seed {seed} round {number}: {outage} -> {end} ({told}), "
                f"{len(clerk.answered) - before} saved, {len(lost)} lost, {time.monotonic() - began:.0f} s"
            )
        assert not lost, f"{outage}: answered, and gone: {sorted(lost)}"


def check_end(machine: Machine, end: str) -> str:
    """After an outage the node works, by itself or after the next start; switched off, it had told why. Gives what it told."""
    if end == "off":
        machine.boot()
    wait_for(
        "the node takes work",
        lambda: machine.run("slrt power status --json", check=False).out.find('"stage": "online"') >= 0,
        240,
        pause=2.0,
    )
    told = power_journal(machine)
    if end == "running":
        return str(told[-1]["event"])
    back = next(entry for entry in reversed(told) if entry["event"] == "back")
    down = next(entry for entry in reversed(told) if entry["event"] == "handed-over")
    assert back["clean"] is True, told[-12:]
    return str(down["cause"])
