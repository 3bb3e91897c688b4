"""Whole outages and starts in the watcher itself, over a small upsd and by a clock of the test's own: what lies on the disk, which
flags are raised, and that a watcher killed at any of these moments goes on where it stopped."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from appliance.config import PathSettings, PowerSettings, Settings
from appliance.gate import Gate, GateClosed
from appliance.power import drain_drill, handover, journal, memory, state
from appliance.power.handover import FORCE_SHUTDOWN, POWER_OFF, RTC_ARM, RTC_DISARM, ask
from appliance.power.journal import Event
from appliance.power.notices import Notice
from appliance.power.policy import Asked, Moment
from appliance.power.simulate import SIMULATED_FILE
from appliance.power.simulated_upsd import SimulatedUpsd
from appliance.power.ups import Ups
from appliance.watcher import Watcher

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LOGIN = ("watcher", "secret")
ON = {"ups.status": "OL", "battery.charge": "100", "battery.runtime": "2760"}
OFF = {"ups.status": "OB DISCHRG", "battery.charge": "90", "battery.runtime": "2400"}
LOW = {"ups.status": "OB DISCHRG LB", "battery.charge": "8", "battery.runtime": "110"}


class Node:
    """The folders of a node and the watcher over them; `live` lets seconds pass."""

    def __init__(self, folder: Path, address: tuple[str, int], **power: object) -> None:
        self.runtime, self.disk = folder / "run", folder / "disk"
        self.runtime.mkdir()
        self.alarm = folder / "wakealarm"
        limits = PowerSettings(ups="usb", runtime=str(self.runtime), state=str(self.disk))
        self.settings = Settings(paths=PathSettings(runtime=str(self.runtime)), power=replace(limits, **power))  # type: ignore[arg-type]
        self.address, self.ticks, self.told = address, 100.0, {}
        self.watcher: Watcher | None = None
        self.ups: Ups | None = None

    def say(self, told: dict[str, str]) -> None:
        """What the UPS says from now on; nothing: the driver is gone."""
        (self.runtime / SIMULATED_FILE).write_text("".join(f"{name}: {value}\n" for name, value in told.items()))

    def start(self) -> None:
        self.end()
        power = self.settings.power
        self.ups = Ups("apc", self.address, LOGIN, power.serial)
        self.watcher = Watcher(self.settings, self.ups, self.alarm)
        self.watcher.start(self.at)

    def end(self) -> None:
        """The process is gone without a word."""
        if self.ups is not None:
            self.ups.release()
        self.watcher = self.ups = None

    def boot(self) -> None:
        """Off and on again: what lies in memory-backed folders is gone, and the clock of the machine begins anew."""
        self.end()
        for path in self.runtime.iterdir():
            if path.name != SIMULATED_FILE:
                path.unlink()
        self.ticks = 20.0
        self.start()

    def live(self, seconds: float, told: dict[str, str] | None = None) -> state.State:
        """The node as it is `seconds` later, with the UPS saying `told` meanwhile."""
        assert self.watcher is not None
        if told is not None:
            self.say(told)
        end = self.ticks + seconds
        while self.ticks < end:
            self.ticks += 1
            self.watcher.cycle(self.at)
        found = state.read(self.runtime / state.STATE_FILE)
        assert found is not None
        return found

    def until(self, stage: str, told: dict[str, str] | None = None) -> state.State:
        for _ in range(400):
            found = self.live(1, told)
            if found.stage == stage:
                return found
        raise AssertionError(f"never {stage}, but {found}")

    @property
    def at(self) -> Moment:
        return Moment(timedelta(seconds=self.ticks), NOON + timedelta(seconds=self.ticks))

    @property
    def gate(self) -> Gate:
        return Gate(self.runtime / "gate.lock", self.runtime / state.STATE_FILE)

    @property
    def events(self) -> list[Event]:
        return [entry.event for entry in journal.entries(self.disk / journal.JOURNAL_FILE)]

    def flag(self, name: str) -> bool:
        return (self.runtime / name).exists()


@pytest.fixture
def address(tmp_path: Path) -> Iterator[tuple[str, int]]:
    with SimulatedUpsd(("127.0.0.1", 0), "apc", tmp_path / "run" / SIMULATED_FILE, LOGIN) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        host, port = server.server_address[:2]
        yield str(host), int(port)
        server.shutdown()
        thread.join()


@pytest.fixture
def node(tmp_path: Path, address: tuple[str, int]) -> Iterator[Node]:
    node = Node(tmp_path, address)
    node.say(ON)
    yield node
    node.end()


def after_an_outage(node: Node) -> None:
    """Powered off in good order, and started again."""
    node.start()
    node.live(5, ON)
    node.until("down", LOW)
    node.boot()


def test_a_node_that_comes_back_is_read_only_until_the_mains_is_stable(node: Node) -> None:
    after_an_outage(node)
    found = node.live(59, ON)
    assert (found.stage, found.accepts_work, found.accepts_jobs) == ("boot-hold", False, False)
    assert "hanya dapat dibaca" in found.sentence
    with pytest.raises(GateClosed, match="baru menyala"), node.gate.work():
        pytest.fail("worked on a node that is not open")
    with node.gate.work(held_too=True):
        pass
    assert node.live(3).accepts_work
    assert node.events[-4:] == [Event.BACK, Event.HELD, Event.STARTED, Event.OPENED]


def test_a_watcher_killed_in_its_first_moment_leaves_the_node_held(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    node.start()
    node.live(5, ON)
    node.until("down", LOW)
    name = memory.name_boot

    def named_and_killed(runtime: Path, word: str) -> str:
        name(runtime, word)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(memory, "name_boot", named_and_killed)
        with pytest.raises(KeyboardInterrupt):
            node.boot()
    node.start()
    assert node.live(1, ON).stage == "boot-hold"
    assert node.events.count(Event.BACK) == 1


def test_a_first_start_holds_up_nobody(node: Node) -> None:
    node.start()
    assert node.live(1).accepts_work
    assert node.events == [Event.STARTED]


def test_a_node_that_comes_back_without_mains_wakes_itself_later(node: Node) -> None:
    node.alarm.write_text("")
    after_an_outage(node)
    node.until("ready", OFF)
    assert node.flag(RTC_ARM)
    assert node.live(8).stage == "down"
    assert node.flag(FORCE_SHUTDOWN)
    assert node.ticks < 20 + 60 + 60, "a minute without mains, and the way down"
    assert Event.OPENED not in node.events
    node.alarm.write_text("1772370000")  # it rang
    node.boot()
    assert node.flag(RTC_DISARM)


def test_an_officer_opens_a_node_whose_battery_is_weak(node: Node) -> None:
    after_an_outage(node)
    weak = ON | {"battery.charge": "12", "battery.runtime": "200"}
    assert not node.live(100, weak).accepts_work
    ask(node.runtime, Asked.START, "admin.rina")
    assert node.live(1).accepts_work
    asked = next(entry for entry in journal.entries(node.disk / journal.JOURNAL_FILE) if entry.event is Event.ASKED)
    assert asked.facts == {"what": "start-now", "by": "admin.rina"}
    assert not node.flag(Asked.START)
    assert node.live(5).accepts_work


def test_a_node_without_a_word_of_the_ups_is_opened_with_a_warning(node: Node) -> None:
    after_an_outage(node)
    assert not node.live(179, {}).accepts_work
    found = node.live(3)
    assert (found.accepts_work, found.stage) == (True, "unknown")
    assert Notice.BLIND_START in found.notices
    assert "mati mendadak" in found.sentence


def test_the_mains_that_comes_back_takes_the_alarm_back(node: Node) -> None:
    node.alarm.write_text("")
    node.start()
    node.live(5)
    node.until("ready", OFF)
    assert node.flag(RTC_ARM)
    assert not node.flag(RTC_DISARM)
    node.until("on-battery", ON)
    assert node.flag(RTC_DISARM)
    assert not node.flag(RTC_ARM), "the one who sets it may not have come yet"
    assert not node.flag(FORCE_SHUTDOWN)


def test_a_machine_without_such_a_clock_is_told_of(node: Node) -> None:
    node.start()
    assert Notice.NO_ALARM in node.live(1).notices
    node.until("down", LOW)
    assert not node.flag(RTC_ARM)


def test_a_log_that_was_saved_in_an_earlier_outage_is_not_saved_in_this_one(node: Node) -> None:
    node.start()
    node.live(5)
    (node.runtime / "saved").touch()
    node.until("saving", OFF)
    assert node.live(10).stage == "saving"
    node.gate.tell_saved()
    assert node.live(1).stage == "ready"
    node.until("down")
    drained = next(entry for entry in journal.entries(node.disk / journal.JOURNAL_FILE) if entry.event is Event.DRAINED)
    assert (drained.facts["idle"], drained.facts["saved"]) == (True, True)


def test_how_long_a_shutdown_takes_is_learnt_from_the_last_one(node: Node) -> None:
    node.start()
    node.live(5)
    node.until("down", LOW)
    node.ticks += 190
    assert node.watcher is not None
    node.watcher.stop(node.at)
    node.boot()
    node.live(65, ON)
    # 190 s and the drain, times four: more than is left in this battery, though the settings ask for 600 s only
    assert node.live(40, OFF | {"battery.runtime": "700"}).cause == "low-runtime"


def test_another_unit_is_refused_with_an_alarm(tmp_path: Path, address: tuple[str, int]) -> None:
    node = Node(tmp_path, address, serial="4B1234P00001")
    node.say(ON | {"ups.serial": "4B1234P00001"})
    node.start()
    assert node.live(5).stage == "online"
    found = node.live(30, LOW | {"ups.serial": "OTHER"})
    assert (found.stage, found.accepts_work) == ("unknown", True)
    assert Notice.OTHER_UNIT in found.notices
    assert node.events == [Event.STARTED, Event.OTHER_UNIT, Event.UPS_SILENT]
    found = node.live(20, {"ups.status": "FSD OL", "ups.serial": "OTHER"})
    assert not found.accepts_work, "upsmon acts on a forced shutdown of any unit"
    node.end()


def test_a_unit_whose_numbers_never_move_is_told_as_frozen_once(node: Node) -> None:
    stuck = ON | {"input.voltage": "221.5", "battery.voltage": "27.1", "ups.load": "12"}
    node.start()
    assert node.live(600, stuck).notices == (Notice.NO_ALARM,)
    found = node.live(5)
    assert (Notice.FROZEN in found.notices, found.accepts_work, found.stage) == (True, True, "online")
    assert node.events == [Event.STARTED, Event.FROZEN]
    assert Notice.FROZEN not in node.live(1, stuck | {"ups.load": "13"}).notices


def test_a_drain_drill_that_is_asked_for_all_the_time_changes_no_decision(tmp_path: Path, address: tuple[str, int]) -> None:
    node = Node(tmp_path, address, on_battery_seconds=60)

    def outage(drilled: bool) -> list[tuple[str, bool]]:
        after_an_outage(node)
        found = []
        for seconds, told in ((65, ON), (20, OFF), (40, ON), (110, OFF)):
            for _ in range(seconds):
                if drilled:
                    drain_drill.ask(node.runtime, timedelta(seconds=node.ticks + 60))
                state = node.live(1, told)
                online = state.stage == "online"
                assert not (drilled and online and state.accepts_work), "the drill refuses work only while all is well"
                found.append((state.stage, state.accepts_work or online))
        return found

    plain = outage(drilled=False)
    assert plain[-1][0] == "down"
    assert outage(drilled=True) == plain
    node.end()


STAGES = ("boot-hold", "online", "on-battery", "draining", "saving", "ready", "down")


@pytest.mark.parametrize(("stage", "disk"), [*((stage, "whole") for stage in STAGES), ("ready", "full"), ("down", "full")])
def test_a_watcher_killed_at_any_stage_decides_as_if_it_had_lived(node: Node, stage: str, disk: str) -> None:
    after_an_outage(node)
    if stage != "boot-hold":
        node.live(62, ON)
    if disk == "full":
        node.live(1)
        for name in (journal.JOURNAL_FILE, f".{memory.MEMORY_FILE}.new"):
            (node.disk / name).unlink(missing_ok=True)
            (node.disk / name).mkdir()
    if stage not in {"boot-hold", "online"}:
        node.until(stage, OFF)
    else:
        node.live(7)
    before = node.watcher
    assert before is not None
    known = before._memory
    node.start()
    assert node.watcher is not None
    assert node.watcher._memory == known
    after = node.live(1)
    assert after.accepts_work is (stage in {"online", "on-battery"})
    if stage not in {"boot-hold", "online"}:
        node.until("down")
        assert node.flag(FORCE_SHUTDOWN)
        assert node.live(12).stage == "down"
        assert node.flag(POWER_OFF)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"boot": "x"}', "\x00" * 50])
def test_a_memory_that_is_lost_within_a_boot_holds_up_nobody(node: Node, text: str) -> None:
    after_an_outage(node)
    node.live(62, ON)
    for folder in (node.runtime, node.disk):
        (folder / memory.MEMORY_FILE).write_text(text)
    node.start()
    assert node.live(1).accepts_work
    assert node.events.count(Event.BACK) == 1


def test_the_memory_of_another_boot_left_by_a_full_disk_is_not_taken_up(node: Node) -> None:
    after_an_outage(node)
    node.live(62, ON)
    found = json.loads((node.disk / memory.MEMORY_FILE).read_bytes())
    found["boot"], found["memory"]["stage"] = "another", "down"
    (node.disk / memory.MEMORY_FILE).write_text(json.dumps(found))
    (node.runtime / memory.MEMORY_FILE).unlink()
    node.start()
    assert node.live(2).accepts_work


def test_a_flag_that_cannot_be_taken_away_is_told_and_passed_over(node: Node, caplog: pytest.LogCaptureFixture) -> None:
    node.start()
    (node.runtime / Asked.STOP).mkdir()
    assert node.live(3).stage == "online"
    assert "tidak dapat dihapus" in caplog.text


def test_whoever_asks_is_named_as_far_as_it_is_known(tmp_path: Path) -> None:
    way = handover.Handover(tmp_path, Gate(tmp_path / "gate.lock", tmp_path / "state.json"))
    assert way.who_asked(Asked.START) == ""
    (tmp_path / Asked.START).write_bytes(b"\xff\xfe")
    assert way.who_asked(Asked.START) == ""
    ask(tmp_path, Asked.START, "x" * 100)
    assert way.who_asked(Asked.START) == "x" * 64
