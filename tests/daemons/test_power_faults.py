"""Faults of the power, each played to a watcher with a real NUT: what it does is what an officer and the disk would notice."""

from __future__ import annotations

import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from appliance.power.handover import FORCE_SHUTDOWN, POWER_OFF
from appliance.power.journal import Event
from appliance.power.notices import Notice
from appliance.power.policy import Cause
from appliance.power.reading import Reading, Silence, SilenceKind
from appliance.power.selftest import SELF_TEST_SEEN
from appliance.power.simulate import SIMULATED_FILE, Scene
from appliance.power.ups import Ups
from tests.support.nut import LOGIN, UPS, NutLab
from tests.support.nut_release import VERSIONS
from tests.support.waiting import freeze, wait_for
from tests.support.watching import Watching, told, watching

NOTICED, PATIENCE = timedelta(seconds=3), timedelta(seconds=30)  # as the policy promises
SOON_STALE = {"MAXAGE 25": "MAXAGE 4"}


@contextmanager
def on_mains(
    folder: Path, edits: dict[str, str] | None = None, release: str = "", **power: object
) -> Iterator[tuple[NutLab, Watching]]:
    """A lab and a node whose watcher has seen the mains."""
    with NutLab(release, edits) as lab, watching(lab, folder, **power) as node:
        node.start()
        node.wait_stage("online")
        yield lab, node


def test_a_cut_of_a_second_or_two_is_noticed_by_nobody(tmp_path: Path) -> None:
    with on_mains(tmp_path) as (lab, node):
        short = 0
        while short < 2:
            before, lines = node.events.count(Event.MAINS_LOST), node.log.read_text().count("\n")
            began = time.monotonic()
            lab.say("OB DISCHRG")
            wait_for(lambda: node.state is not None and node.state.mains is False, what="the watcher has seen the battery")
            lab.say("OL")
            wait_for(lambda: node.state is not None and node.state.mains, what="the watcher has seen the mains")
            if time.monotonic() - began >= NOTICED.total_seconds():
                node.wait_stage("online")
                continue  # on a busy machine it was a long one, which is told
            short += 1
            assert node.wait_stage("online").accepts_work
            assert node.events.count(Event.MAINS_LOST) == before
            assert node.log.read_text().count("\n") <= lines + 1


def test_a_cut_of_four_seconds_is_told_and_taken_back(tmp_path: Path) -> None:
    with on_mains(tmp_path) as (lab, node):
        lab.say("OB DISCHRG")
        assert node.wait_stage("on-battery").accepts_work
        lab.say("OL")
        assert node.wait_stage("online").accepts_work
        assert node.events == [Event.STARTED, Event.MAINS_LOST, Event.MAINS_BACK]


def test_a_short_return_of_the_mains_does_not_begin_the_time_anew(tmp_path: Path) -> None:
    with on_mains(tmp_path, on_battery_seconds=300) as (lab, node):
        lab.say("OB DISCHRG")
        before = node.wait_stage("on-battery").seconds_left
        lab.say("OL")
        wait_for(lambda: node.state is not None and node.state.mains, what="the mains is seen")
        lab.say("OB DISCHRG")
        wait_for(lambda: node.state is not None and node.state.mains is False, what="the battery is seen again")
        after = node.wait_stage("on-battery").seconds_left
        assert before is not None
        assert after is not None
        assert after < before
        assert node.events == [Event.STARTED, Event.MAINS_LOST]


def test_the_mains_that_is_back_in_the_last_pause_cancels_and_nothing_is_forced(tmp_path: Path) -> None:
    with on_mains(tmp_path, on_battery_seconds=10) as (lab, node):
        lab.say("OB DISCHRG")
        node.wait_stage("ready")
        lab.say("OL")
        node.wait_event(Event.CANCELLED)
        assert node.facts(Event.CANCELLED)["stage"] == "ready"
        assert node.wait_stage("on-battery", "online").accepts_work
        assert not node.flag(FORCE_SHUTDOWN)
        assert lab.status() == "OL"
        assert Event.HANDED_OVER not in node.events


def test_cut_after_cut_is_told_once_and_keeps_long_work_away(tmp_path: Path) -> None:
    with on_mains(tmp_path) as (lab, node):
        for _ in range(5):
            lab.say("OB DISCHRG")
            wait_for(lambda: node.state is not None and node.state.mains is False, what="the battery is seen")
            lab.say("OL")
            wait_for(lambda: node.state is not None and node.state.mains, what="the mains is seen")
        state = node.state
        assert state is not None
        assert (state.accepts_work, state.accepts_jobs) == (True, False)
        assert Notice.FLAPPING in state.notices
        assert node.events.count(Event.FLAPPING) == 1
        assert Event.DECIDED not in node.events


def test_another_unit_than_the_one_that_was_installed_is_not_believed(tmp_path: Path) -> None:
    serial = "4B1234P00001"
    with NutLab() as lab:
        file = lab.runtime / SIMULATED_FILE
        file.write_text(file.read_text() + f"ups.serial: {serial}\n")
        lab.stop("driver")
        lab.start_driver()
        wait_for(lambda: serial in (lab.ask(f"GET VAR {UPS} ups.serial") or [""])[0], what="the unit tells its number")
        with watching(lab, tmp_path, serial=serial) as node:
            node.start()
            node.wait_stage("online")
            lab.say("OB DISCHRG LB", ups_serial="OTHER")
            state = node.wait_stage("unknown")
            assert (state.accepts_work, state.mains) == (True, None)
            assert Notice.OTHER_UNIT in state.notices
            assert Event.DECIDED not in node.events


def test_notices_of_a_unit_on_mains_end_nothing(tmp_path: Path) -> None:
    with on_mains(tmp_path) as (lab, node):
        for status in ("OL LB", "OL LB RB", "OL DISCHRG", "OL OFF", "OL CAL"):
            lab.say(status)
            assert node.wait_stage("online").accepts_work, status
        assert not node.flag(FORCE_SHUTDOWN)
        assert node.events == [Event.STARTED], "nobody is told of a wish for a new battery that lasts a moment"


def test_a_low_battery_for_a_second_decides_nothing(tmp_path: Path) -> None:
    with on_mains(tmp_path) as (lab, node):
        lab.say("OB DISCHRG")
        node.wait_stage("on-battery")
        lab.say("OB DISCHRG LB")
        low = node.wait_stage("on-battery", "draining").seconds_left
        lab.say("OB DISCHRG")
        wait_for(lambda: ((node.state and node.state.seconds_left) or 0) > 30, what=f"the countdown is the old one, after {low}")
        assert node.events == [Event.STARTED, Event.MAINS_LOST]


def test_zeros_right_after_the_transfer_wait_for_half_a_minute(tmp_path: Path) -> None:
    with on_mains(tmp_path) as (lab, node):
        lab.say("OB DISCHRG", battery_charge=0, battery_runtime=0, battery_voltage="26.0")
        wait_for(lambda: node.flag(FORCE_SHUTDOWN), 120)
        at = {line["event"]: line["at"] for line in told(node.journal)}
        waited = datetime.fromisoformat(at["decided"]) - datetime.fromisoformat(at["mains-lost"])
        # the loss is told three seconds after it was seen
        assert waited + timedelta(seconds=1) >= PATIENCE - NOTICED
        assert node.facts(Event.DECIDED)["cause"] in {Cause.CHARGE, Cause.RUNTIME}


@pytest.mark.parametrize("release", VERSIONS)
def test_nonsense_is_left_out_or_is_silence_and_never_a_guess(release: str) -> None:
    with NutLab(release) as lab:
        ups = Ups(UPS, lab.address, LOGIN)
        for charge in ("150", "-1", "abc", " ", "nan"):
            lab.say(battery_charge=charge)
            heard = ups.read()
            assert isinstance(heard, Reading)
            assert (heard.charge, heard.mains, heard.odd) == (None, True, {"battery.charge"}), charge
        for status in (" ", "WAIT", "OL OB", "FOO"):
            lab.say(status)
            heard = ups.read()
            assert isinstance(heard, Silence)
            assert heard.kind is SilenceKind.UNCLEAR, status
        ups.release()


def test_a_frozen_driver_on_mains_is_told_and_ends_nothing(tmp_path: Path) -> None:
    with on_mains(tmp_path, SOON_STALE) as (lab, node):
        freeze(lab.processes["driver"].pid)
        assert node.wait_stage("unknown").accepts_work
        assert not node.flag(FORCE_SHUTDOWN)
        lab.processes["driver"].send_signal(signal.SIGCONT)
        node.wait_stage("online")


def test_a_frozen_driver_on_battery_ends_in_a_shutdown(tmp_path: Path) -> None:
    # with 60 % of its 2400 s of runtime believed, twenty seconds of silence are enough
    with on_mains(tmp_path, SOON_STALE, on_battery_seconds=1800, runtime_floor_seconds=1440) as (lab, node):
        lab.show(Scene.ON_BATTERY)
        node.wait_stage("on-battery")
        freeze(lab.processes["driver"].pid)
        wait_for(lambda: node.flag(FORCE_SHUTDOWN), 120)
        assert node.facts(Event.HANDED_OVER)["cause"] == Cause.SILENT


@pytest.mark.parametrize("release", VERSIONS)
def test_a_killed_driver_that_is_back_soon_decides_nothing(tmp_path: Path, release: str) -> None:
    with on_mains(tmp_path, release=release) as (lab, node):
        lab.show(Scene.ON_BATTERY)
        node.wait_stage("on-battery")
        lab.stop("driver")
        node.wait_stage("on-battery")
        lab.start_driver()
        wait_for(lambda: lab.status() == "OB DISCHRG", what="the driver is back")
        assert node.wait_stage("on-battery").accepts_work
        assert node.events == [Event.STARTED, Event.MAINS_LOST]


def test_a_connection_that_was_idle_too_long_is_made_anew_with_its_login() -> None:
    """upsd drops whoever says nothing for a minute; the library alone would then fail with an AttributeError for ever."""
    with NutLab() as lab:
        ups = Ups(UPS, lab.address, LOGIN)
        ups.read()
        assert lab.logins() == 1
        wait_for(lambda: lab.logins() == 0, 120, "upsd has dropped the idle connection")
        assert isinstance(ups.read(), Silence)
        assert isinstance(ups.read(), Reading)
        assert lab.logins() == 1
        ups.release()


@pytest.mark.parametrize("command", ["false", "sleep 60"])
def test_a_shutdown_command_that_fails_or_hangs_is_followed_by_systemd(tmp_path: Path, command: str) -> None:
    with on_mains(tmp_path, {'SHUTDOWNCMD "': f'SHUTDOWNCMD "{command} # '}) as (lab, node):
        lab.start_upsmon_beside_watcher()
        lab.show(Scene.BATTERY_LOW)
        wait_for(lambda: node.flag(FORCE_SHUTDOWN), 60)
        lab.force_shutdown()
        wait_for(lambda: node.flag(POWER_OFF), 60, "systemd is asked")


def test_a_self_test_of_the_unit_is_no_outage_that_ends_the_node(tmp_path: Path) -> None:
    with on_mains(tmp_path) as (lab, node):
        lab.say("OB CAL DISCHRG", battery_charge=96)
        assert node.wait_stage("on-battery").accepts_work
        assert (node.runtime / SELF_TEST_SEEN).exists(), "upsmon is restarted once the test is over"
        lab.say("OL CAL CHRG")
        assert node.wait_stage("online").accepts_work
        assert Event.DECIDED not in node.events


def test_a_second_watcher_ends_and_the_shutdown_is_forced_once(tmp_path: Path) -> None:
    with on_mains(tmp_path) as (lab, node), watching(lab, tmp_path / "second") as second:
        second.start()
        process = second.process
        assert process is not None
        wait_for(lambda: process.poll() is not None, what="the second watcher has ended")
        assert process.returncode not in (0, None)
        assert "Pengawas listrik sudah berjalan" in second.log.read_text()
        lab.start_upsmon(logins=2)
        lab.show(Scene.BATTERY_LOW)
        wait_for(lambda: node.flag(FORCE_SHUTDOWN), 60)
        lab.force_shutdown()
        lab.wait_powered_off(90)
        wait_for(lambda: lab.processes["upsmon"].poll() is not None, what="upsmon has ended")
        assert lab.powered_off == ["--no-block poweroff"]


def test_a_stranger_on_upsds_port_is_not_believed(tmp_path: Path) -> None:
    with on_mains(tmp_path) as (lab, node):
        lab.stop("upsd")
        with socket.create_server(lab.address) as door:
            thread = threading.Thread(target=_answer_as_a_web_server, args=(door,), daemon=True)
            thread.start()
            state = node.wait_stage("unknown")
            assert (state.accepts_work, state.mains) == (True, None)
            assert not node.flag(FORCE_SHUTDOWN)
            door.shutdown(socket.SHUT_RDWR)
            thread.join(10)


def _answer_as_a_web_server(door: socket.socket) -> None:
    while True:
        try:
            line, _address = door.accept()
        except OSError:
            return
        with line:
            if line.recv(1000):
                line.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def test_a_storm_of_other_clients_costs_no_reading_and_no_descriptor(pytestconfig: pytest.Config) -> None:
    """Now and then the driver is started anew as well. As many looks as somebody has time for: --storm-rounds 10000."""

    def descriptors() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    polls = (f"GET VAR {UPS} ups.status", f"GET NUMLOGINS {UPS}")
    # not more often than the driver reads: upsd drops a driver that does not keep up
    change = ("USERNAME stagehand", "PASSWORD stagehand", f'SET VAR {UPS} battery.charge "99"')
    with NutLab() as lab:
        ups = Ups(UPS, lab.address, LOGIN)
        ups.read()
        before = descriptors()
        for number in range(pytestconfig.getoption("--storm-rounds")):
            if number % 500 == 30:
                lab.stop("driver")
                lab.start_driver()
                wait_for(lambda: lab.status() not in {"", "WAIT"}, 30, "the driver is back")
            for _ in range(3):
                lab.ask(*polls, *(change if number % 50 == 0 else ()))
            heard = ups.read()
            assert isinstance(heard, Reading), (number, heard)
        assert descriptors() <= before
        ups.release()
