"""The watcher as a process, with a real upsd, dummy-ups and upsmon: outages, faults, and a kill at every stage."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from appliance.gate import Gate, GateClosed
from appliance.power import handover, memory
from appliance.power.handover import FORCE_SHUTDOWN, POWER_OFF, SHUTDOWN_BEGUN
from appliance.power.journal import Event, last_outage
from appliance.power.policy import Cause, Memory, Moment, Stage
from appliance.power.simulate import Scene
from tests.support.nut import NutLab
from tests.support.waiting import freeze, wait_for
from tests.support.watching import Watching, long_work, watching

SOURCE = Path(__file__).parents[2]


@pytest.fixture
def lab() -> Iterator[NutLab]:
    with NutLab() as lab:
        yield lab


@pytest.fixture
def node(lab: NutLab, tmp_path: Path) -> Iterator[Watching]:
    with watching(lab, tmp_path) as node:
        yield node


def test_mains_is_published_and_told(lab: NutLab, node: Watching) -> None:
    node.start()
    state = node.wait_stage("online")
    assert (state.mains, state.charge, state.runtime_seconds, state.accepts_work) == (True, 100, 2760, True)
    assert state.sentence == "Listrik menyala, baterai UPS 100 %."
    assert node.kill(signal.SIGTERM) == 0
    assert node.events == [Event.STARTED, Event.STOPPED]
    assert "Listrik menyala" in node.log.read_text()


def test_an_outage_until_its_time_limit(lab: NutLab, tmp_path: Path) -> None:
    with watching(lab, tmp_path, on_battery_seconds=10) as node:
        node.start()
        node.wait_stage("online")
        lab.show(Scene.ON_BATTERY)
        state = node.wait_stage("on-battery")
        assert state.mains is False
        assert state.seconds_left is not None
        assert state.seconds_left <= 10
        assert state.accepts_work
        wait_for(lambda: node.flag(FORCE_SHUTDOWN), 60)
        state = node.wait_stage("down")
        assert not state.accepts_work
        assert state.cause == Cause.TIME
        assert node.facts(Event.DRAINED)["idle"] is True
        way = [Event.MAINS_LOST, Event.DECIDED, Event.DRAINED, Event.READY, Event.HANDED_OVER]
        assert node.events[:6] == [Event.STARTED, *way]


def test_a_low_battery_ends_at_once_and_upsmon_does_the_rest(lab: NutLab, node: Watching) -> None:
    """The whole chain but for systemd: flag → upsmon's forced shutdown → the wrapper → systemctl poweroff."""
    node.start()
    node.wait_stage("online")
    lab.start_upsmon_beside_watcher()
    lab.show(Scene.BATTERY_LOW)
    wait_for(lambda: node.flag(FORCE_SHUTDOWN), 60)
    lab.force_shutdown()
    wait_for(lambda: node.flag("systemctl"), 60, "the wrapper has ordered the power-off")
    assert (node.runtime / "systemctl").read_text() == "--no-block poweroff\n"
    assert (lab.state / "killpower").read_text() == "upsmon-shutdown-file"
    assert node.flag(SHUTDOWN_BEGUN)
    assert not node.flag(POWER_OFF)
    assert node.wait_stage("down").accepts_work is False


def test_the_mains_that_comes_back_cancels_the_drain(lab: NutLab, tmp_path: Path) -> None:
    with watching(lab, tmp_path, on_battery_seconds=10, drain_seconds=45) as node:
        node.start()
        node.wait_stage("online")
        with long_work(node.runtime):
            lab.show(Scene.ON_BATTERY)
            assert not node.wait_stage("draining").accepts_work
            lab.show(Scene.ON_MAINS)
            state = node.wait_stage("on-battery")
            assert (state.accepts_work, state.mains, state.seconds_left) == (True, True, None)
        node.wait_stage("online")
        assert not node.flag(FORCE_SHUTDOWN)
        expected = [Event.STARTED, Event.MAINS_LOST, Event.DECIDED, Event.CANCELLED, Event.MAINS_BACK]
        assert node.events == expected


def test_after_the_handing_over_the_mains_changes_nothing(lab: NutLab, node: Watching) -> None:
    node.start()
    node.wait_stage("online")
    lab.show(Scene.BATTERY_LOW)
    wait_for(lambda: node.flag(FORCE_SHUTDOWN), 60)
    lab.show(Scene.ON_MAINS)
    node.wait_event(Event.POWER_OFF)
    state = node.wait_stage("down")
    assert state.mains is True
    assert not state.accepts_work
    assert node.flag(POWER_OFF), "nobody acted on the first flag, so systemd is asked"
    # and before that upsd: it keeps a forced shutdown whatever the mains does
    assert "FSD" in lab.status()
    assert node.events[-3:] == [Event.FORCED_AGAIN, Event.FORCED_SEEN, Event.POWER_OFF]


def test_a_running_request_is_waited_for(lab: NutLab, tmp_path: Path) -> None:
    with watching(lab, tmp_path, on_battery_seconds=10, drain_seconds=45) as node:
        node.start()
        node.wait_stage("online")
        gate = Gate(node.gate, node.runtime / "state.json")
        with long_work(node.runtime) as worker:
            lab.show(Scene.ON_BATTERY)
            node.wait_stage("draining")
            with pytest.raises(GateClosed), gate.work():
                pytest.fail("new work was accepted while draining")
            node.wait_stage("draining")
            assert not node.flag(FORCE_SHUTDOWN)
            worker.communicate("\n")
            wait_for(lambda: node.flag(FORCE_SHUTDOWN), 40, "handed over when the work had ended")
        assert node.facts(Event.DRAINED)["idle"] is True


def test_a_request_that_does_not_end_is_waited_for_up_to_the_limit(lab: NutLab, node: Watching) -> None:
    node.start()
    node.wait_stage("online")
    with long_work(node.runtime):
        lab.show(Scene.BATTERY_LOW)
        wait_for(lambda: node.flag(FORCE_SHUTDOWN), 60)
    facts = node.facts(Event.DRAINED)
    assert facts["idle"] is False
    assert facts["seconds"] >= 2


def test_a_forced_shutdown_by_somebody_else_drains_first(lab: NutLab, tmp_path: Path) -> None:
    """upsmon decided alone: it waits for our logout, and we log out when the work has ended."""
    with watching(lab, tmp_path, drain_seconds=45) as node:
        node.start()
        node.wait_stage("online")
        lab.start_upsmon_beside_watcher()
        with long_work(node.runtime) as worker:
            lab.force_shutdown()
            assert node.wait_stage("draining").cause == Cause.FORCED
            assert not node.flag("systemctl"), "upsmon went on without waiting for us"
            worker.communicate("\n")
        wait_for(lambda: node.flag("systemctl"), 60)
        assert node.facts(Event.DRAINED)["idle"] is True


def test_upsd_killed_on_mains_is_told_and_nothing_more(lab: NutLab, node: Watching) -> None:
    node.start()
    node.wait_stage("online")
    lab.stop("upsd")
    state = node.wait_stage("unknown")
    assert (state.accepts_work, state.mains) == (True, None)
    assert state.sentence == "Keadaan listrik tidak diketahui: layanan NUT (upsd) tidak berjalan."
    lab.start_upsd()
    node.wait_stage("online")
    assert node.events == [Event.STARTED, Event.UPS_SILENT, Event.UPS_BACK]


def test_upsd_restarted_on_battery_goes_on_counting(lab: NutLab, tmp_path: Path) -> None:
    with watching(lab, tmp_path, on_battery_seconds=120) as node:
        node.start()
        node.wait_stage("online")
        lab.show(Scene.ON_BATTERY)
        before = node.wait_stage("on-battery").seconds_left
        lab.stop("upsd")
        lab.start_upsd()
        wait_for(lambda: lab.logins() == 1, what="logged in again")
        after = node.wait_stage("on-battery").seconds_left
        assert before is not None
        assert after is not None
        assert after <= before
        assert node.events == [Event.STARTED, Event.MAINS_LOST]


@pytest.mark.parametrize("fault", ["killed", "stopped"])
def test_upsd_lost_on_battery_ends_in_a_shutdown(lab: NutLab, tmp_path: Path, fault: str) -> None:
    # with 60 % of its 2400 s of runtime believed, twenty seconds of silence are enough
    with watching(lab, tmp_path, on_battery_seconds=1800, runtime_floor_seconds=1440) as node:
        node.start()
        node.wait_stage("online")
        lab.show(Scene.ON_BATTERY)
        node.wait_stage("on-battery")
        if fault == "killed":
            lab.stop("upsd")
        else:
            freeze(lab.processes["upsd"].pid)
        wait_for(lambda: node.flag(FORCE_SHUTDOWN), 120)
        assert node.facts(Event.HANDED_OVER)["cause"] == Cause.SILENT


@pytest.mark.parametrize("stage", ["online", "on-battery", "draining", "down"])
def test_a_killed_watcher_goes_on_where_it_stopped(lab: NutLab, tmp_path: Path, stage: str) -> None:
    with watching(lab, tmp_path, on_battery_seconds=20, drain_seconds=6) as node:
        node.start()
        node.wait_stage("online")
        with long_work(node.runtime):
            if stage != "online":
                lab.show(Scene.ON_BATTERY if stage == "on-battery" else Scene.BATTERY_LOW)
            node.wait_stage(stage)
            node.kill()
            node.start()
            after = node.wait_stage("online", "on-battery", "draining", "down")
            assert after.accepts_work is (stage in {"online", "on-battery"})
            assert after.stage == stage or (stage, after.stage) == ("draining", "down")
            if stage == "on-battery":
                assert after.seconds_left is not None
                assert after.seconds_left < 20, "the outage is counted from its start, not from ours"
            if stage != "online":
                wait_for(lambda: node.flag(FORCE_SHUTDOWN), 90)
        assert Event.BACK not in node.events, "the machine was not away"
        assert node.events.count(Event.MAINS_LOST) <= 1
        assert node.events.count(Event.STARTED) == 2


@pytest.mark.parametrize(
    ("last", "cause", "clean"), [("power-off", Cause.LOW, True), ("stop", "operator", True), ("cut", "cut", False)]
)
def test_the_next_boot_tells_how_the_last_one_ended(lab: NutLab, node: Watching, last: str, cause: str, clean: bool) -> None:
    node.start()
    node.wait_stage("online")
    if last == "power-off":
        lab.show(Scene.BATTERY_LOW)
        wait_for(lambda: node.flag(FORCE_SHUTDOWN), 60)
        node.kill(signal.SIGTERM)
    elif last == "stop":
        node.kill(signal.SIGTERM)
    else:
        lab.show(Scene.ON_BATTERY)
        node.wait_stage("on-battery")
        node.kill()
    went_down = datetime.now(UTC)
    (node.runtime / memory.BOOT_FILE).unlink(missing_ok=True)  # a reboot empties /run
    lab.show(Scene.ON_MAINS)
    node.start()
    node.wait_stage("online")
    outage = last_outage(node.journal)
    assert outage is not None
    assert (outage.cause, outage.clean) == (cause, clean)
    assert outage.down_at <= went_down <= outage.back_at
    assert not node.flag(FORCE_SHUTDOWN), "the flag of the last boot would power off again"


def test_a_demonstration_goes_down_and_up_in_one_runtime_folder(lab: NutLab, node: Watching) -> None:
    node.start()
    node.wait_stage("online")
    lab.show(Scene.BATTERY_LOW)
    wait_for(lambda: node.flag(FORCE_SHUTDOWN), 60)
    node.kill(signal.SIGTERM)
    lab.show(Scene.ON_MAINS)
    node.start()
    assert node.wait_stage("online").accepts_work
    assert Event.BACK in node.events


def test_stale_flags_are_gone_after_the_start(lab: NutLab, node: Watching) -> None:
    for flag in (FORCE_SHUTDOWN, POWER_OFF, SHUTDOWN_BEGUN):
        (node.runtime / flag).touch()
    node.start()
    assert node.wait_stage("online").accepts_work
    assert not any(node.flag(flag) for flag in (FORCE_SHUTDOWN, POWER_OFF, SHUTDOWN_BEGUN))


@pytest.mark.parametrize("text", ["", "{", '{"boot": 1}', "\x00" * 100])
def test_a_broken_memory_and_journal_do_not_keep_it_from_starting(lab: NutLab, node: Watching, text: str) -> None:
    node.journal.parent.mkdir()
    node.journal.write_text(text)
    (node.journal.parent / memory.MEMORY_FILE).write_text(text)
    node.start()
    assert node.wait_stage("online").accepts_work
    assert Event.STARTED in node.events


def test_a_full_disk_does_not_keep_it_from_powering_off(lab: NutLab, node: Watching) -> None:
    """Neither journal nor memory can be written: a folder stands where each file should be."""
    for name in (node.journal.name, f".{memory.MEMORY_FILE}.new"):
        (node.journal.parent / name).mkdir(parents=True)
    node.start()
    node.wait_stage("online")
    lab.show(Scene.BATTERY_LOW)
    wait_for(lambda: node.flag(FORCE_SHUTDOWN), 60)
    assert "Jurnal listrik tidak dapat ditulis" in node.log.read_text()


def test_without_a_ups_the_node_works_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    node = Watching(tmp_path, tmp_path / "run", ("127.0.0.1", 1), ups="none")
    node.start()
    try:
        state = node.wait_stage("online")
        assert (state.accepts_work, state.mains) == (True, None)
        assert "Tidak ada UPS" in state.sentence
    finally:
        assert node.kill(signal.SIGTERM) == 0


def test_a_wrong_password_is_told_before_an_outage(lab: NutLab, node: Watching) -> None:
    (Path(node.settings.paths.secrets) / "upsd-watcher-password").write_text("wrong")
    node.start()
    assert "menolak kata sandi" in node.wait_stage("online").sentence


def test_a_second_watcher_ends_at_once(lab: NutLab, node: Watching) -> None:
    node.start()
    node.wait_stage("online")
    second = [sys.executable, "-m", "appliance.watcher", "--config", str(node.config)]
    run = subprocess.run(second, cwd=SOURCE, capture_output=True, text=True, check=False, timeout=60)
    assert run.returncode == 75
    assert "sudah berjalan" in run.stderr
    assert node.events == [Event.STARTED]


def test_a_wrong_configuration_is_an_exit_code(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "appliance.watcher", "--config", str(tmp_path / "none.toml")]
    run = subprocess.run(command, cwd=SOURCE, capture_output=True, text=True, check=False, timeout=60)
    assert run.returncode == 78
    assert "none.toml tidak ada" in run.stderr


def test_systemd_is_told_that_it_is_ready_alive_and_stopping(lab: NutLab, node: Watching, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(str(tmp_path / "notify"))
        ear.settimeout(60)
        node.start(NOTIFY_SOCKET=str(tmp_path / "notify"))
        heard = ""
        while "READY=1\nWATCHDOG=1" not in heard:
            heard = ear.recv(1000).decode()
        node.kill(signal.SIGTERM)
        while heard != "STOPPING=1":
            heard = ear.recv(1000).decode()


def test_the_operator_sees_state_and_journal_and_plays_the_mains(lab: NutLab, node: Watching) -> None:
    node.start()
    node.wait_stage("online")
    played = node.slrt("power", "simulate", "ob")
    assert (played.returncode, played.stdout) == (0, "Listrik simulasi padam.\n")
    node.wait_stage("on-battery")
    shown = node.slrt("power", "status")
    assert shown.stdout.startswith("Listrik padam sudah ")
    state = json.loads(node.slrt("power", "status", "--json").stdout)
    assert (state["stage"], state["mains"], state["accepts_work"]) == ("on-battery", False, True)
    lines = [json.loads(line) for line in node.slrt("power", "journal", "--json").stdout.splitlines()]
    assert [line["event"] for line in lines] == ["started", "mains-lost"]
    assert "listrik padam (baterai 100 %; tegangan 224 V)" in node.slrt("power", "journal").stdout
    book = node.slrt("power", "book").stdout.splitlines()
    assert [line.partition("; ")[2] or line.strip() for line in book] == [
        "masih berlangsung",
        "Yang terlihat: peringatan listrik padam pada setiap halaman",
    ]
    told = node.slrt("power", "explain").stdout
    assert "+0 detik  listrik padam" in told
    assert "10 menit tanpa listrik" in told


@pytest.mark.parametrize("kind", ["usb", "none"])
def test_a_real_ups_is_not_played_with(tmp_path: Path, kind: str) -> None:
    (tmp_path / "run").mkdir()
    node = Watching(tmp_path, tmp_path / "run", ("127.0.0.1", 1), ups=kind)
    played = node.slrt("power", "simulate", "ob")
    assert played.returncode == 2
    assert "bukan simulasi" in played.stderr
    assert not node.flag("simulated.dev")


def test_no_state_yet_is_an_error_with_a_hint(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    shown = Watching(tmp_path, tmp_path / "run", ("127.0.0.1", 1)).slrt("power", "status")
    assert shown.returncode == 1
    assert "systemctl restart slrt-watcher" in shown.stderr


def test_a_gate_that_cannot_be_opened_is_waited_for_and_then_passed(tmp_path: Path) -> None:
    (tmp_path / "gate.lock").mkdir()
    way = handover.Handover(tmp_path, Gate(tmp_path / "gate.lock", tmp_path / "state.json"))
    assert way.look_around(timedelta(seconds=0.1)).idle is False


def test_a_memory_that_is_down_is_taken_up_even_when_the_flag_was_not_set_yet(lab: NutLab, node: Watching) -> None:
    """Killed between remembering the handing over and setting the flag."""
    boot = memory.name_boot(node.runtime)
    down = Memory(stage=Stage.DOWN, cause=Cause.LOW, down_since=timedelta(seconds=1))
    memory.remember(Path(node.settings.power.state), boot, down, Moment(timedelta(seconds=1), datetime.now(UTC)))
    node.start()
    wait_for(lambda: node.flag(FORCE_SHUTDOWN), 60)
    assert not node.wait_stage("down").accepts_work
