"""The adapter against a real upsd with dummy-ups and against our own small upsd: the same questions, the same answers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import pytest

from appliance.power.reading import Reading, Silence, SilenceKind
from appliance.power.simulate import Scene, play
from appliance.power.ups import Ups
from tests.support.nut import LOGIN, UPS, NutLab
from tests.support.ports import free_port
from tests.support.waiting import freeze, wait_for
from tests.support.watching import Watching

# what the scenes of the simulated UPS say: charge, runtime, volts of the mains and the battery, nominal volts, load
SEEN = {
    Scene.ON_MAINS: Reading(frozenset({"OL"}), 100, timedelta(seconds=2760), 224.0, 27.0, 24.0, 12.0),
    Scene.ON_BATTERY: Reading(frozenset({"OB", "DISCHRG"}), 92, timedelta(seconds=2400), 0.0, 25.4, 24.0, 12.0),
    Scene.BATTERY_LOW: Reading(frozenset({"OB", "DISCHRG", "LB"}), 8, timedelta(seconds=110), 0.0, 22.6, 24.0, 12.0),
}


class Bench(Protocol):
    """What both kinds of upsd can do for a test."""

    address: tuple[str, int]
    runtime: Path

    def show(self, scene: Scene) -> None: ...
    def stop_upsd(self) -> None: ...
    def start_upsd(self) -> None: ...
    def freeze_upsd(self) -> None: ...
    def wake_upsd(self) -> None: ...


class RealBench(NutLab):
    def stop_upsd(self) -> None:
        self.stop("upsd")

    def freeze_upsd(self) -> None:
        freeze(self.processes["upsd"].pid)

    def wake_upsd(self) -> None:
        self.processes["upsd"].send_signal(signal.SIGCONT)


class SmallBench:
    """`python -m appliance.power.simulated_upsd` over a settings file."""

    def __init__(self, folder: Path) -> None:
        self.runtime = folder / "run"
        self.runtime.mkdir()
        self.address = ("127.0.0.1", free_port())
        self.node = Watching(folder, self.runtime, self.address)
        self.process: subprocess.Popen[bytes] | None = None

    def show(self, scene: Scene) -> None:
        play(self.runtime, scene)

    def start_upsd(self) -> None:
        environment = {"PATH": os.environ["PATH"], "SLRT_CONFIG": str(self.node.config)}
        command = [sys.executable, "-m", "appliance.power.simulated_upsd"]
        self.process = subprocess.Popen(command, env=environment, cwd=Path(__file__).parents[2])
        wait_for(lambda: not silent(Ups(UPS, self.address).read(), SilenceKind.CONNECT), what="the small upsd")

    def stop_upsd(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait()

    def freeze_upsd(self) -> None:
        assert self.process is not None
        freeze(self.process.pid)

    def wake_upsd(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)


def silent(heard: Reading | Silence, kind: SilenceKind) -> bool:
    return isinstance(heard, Silence) and heard.kind is kind


@pytest.fixture(params=["nut", "small"])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    if request.param == "nut":
        with RealBench() as real:
            yield real
        return
    with tempfile.TemporaryDirectory() as folder:
        small = SmallBench(Path(folder))
        small.show(Scene.ON_MAINS)
        small.start_upsd()
        yield small
        small.stop_upsd()


@pytest.fixture
def ups(bench: Bench) -> Iterator[Ups]:
    ups = Ups(UPS, bench.address, LOGIN)
    yield ups
    ups.release()


def test_the_scenes_are_read_over_one_connection(bench: Bench, ups: Ups) -> None:
    for scene in (Scene.ON_MAINS, Scene.ON_BATTERY, Scene.BATTERY_LOW, Scene.ON_MAINS):
        bench.show(scene)
        assert ups.read() == SEEN[scene]
    assert not ups.login_refused


def test_a_killed_upsd_is_silence_and_a_new_one_is_read_again(bench: Bench, ups: Ups) -> None:
    assert isinstance(ups.read(), Reading)
    bench.stop_upsd()
    assert silent(ups.read(), SilenceKind.CLOSED)
    assert silent(ups.read(), SilenceKind.CONNECT)
    bench.start_upsd()
    wait_for(lambda: isinstance(ups.read(), Reading), what="reading after the restart")


def test_a_hanging_upsd_costs_one_deadline_and_its_late_answer_is_not_taken_for_another(bench: Bench, ups: Ups) -> None:
    assert isinstance(ups.read(), Reading)
    bench.freeze_upsd()
    began = time.monotonic()
    assert silent(ups.read(timedelta(seconds=0.3)), SilenceKind.TIMEOUT)
    assert silent(ups.read(timedelta(seconds=0.3)), SilenceKind.TIMEOUT)
    assert time.monotonic() - began < 30, "each deadline holds; the bound is far off because the machine may be busy"
    bench.wake_upsd()
    bench.show(Scene.BATTERY_LOW)
    heard = wait_for(lambda: [one for one in [ups.read()] if isinstance(one, Reading) and one.low])[0]
    assert heard == SEEN[Scene.BATTERY_LOW]


def test_an_unknown_ups(bench: Bench) -> None:
    assert silent(Ups("nothing", bench.address, LOGIN).read(), SilenceKind.UNKNOWN)
    assert silent(Ups("nothing", bench.address).read(), SilenceKind.UNKNOWN)


def test_a_wrong_password_is_told_but_does_not_make_blind(bench: Bench) -> None:
    ups = Ups(UPS, bench.address, ("watcher", "wrong"))
    assert isinstance(ups.read(), Reading)
    assert ups.login_refused


def test_a_name_that_could_carry_a_second_request_is_not_sent(bench: Bench) -> None:
    assert silent(Ups("apc\nFSD apc", bench.address).read(), SilenceKind.PROTOCOL)


def test_reading_goes_on_after_the_release(bench: Bench, ups: Ups) -> None:
    ups.read()
    ups.release()
    assert isinstance(ups.read(), Reading)


def test_no_descriptor_is_lost_over_faults(bench: Bench, ups: Ups) -> None:
    def descriptors() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    ups.read()
    before = descriptors()
    wrong = Ups("nothing", bench.address, LOGIN)
    for _ in range(50):
        wrong.read()
        ups.read()
    assert descriptors() <= before


def test_the_password_is_in_no_log(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG"):
        Ups(UPS, bench.address, LOGIN).read()
        Ups("nothing", bench.address, LOGIN).read()
    assert LOGIN[1] not in caplog.text


def test_a_forced_shutdown_is_set_and_after_a_restart_of_upsd_set_again() -> None:
    with NutLab() as lab:
        ups = Ups(UPS, lab.address, LOGIN)
        assert isinstance(ups.read(), Reading)
        ups.release()
        for _ in range(2):
            assert ups.force_shutdown()
            heard = ups.read()
            assert isinstance(heard, Reading)
            assert heard.forced
            lab.stop("upsd")
            assert not ups.force_shutdown(), "nobody to ask"
            lab.start_upsd()
            heard = wait_for(lambda: [one for one in [ups.read()] if isinstance(one, Reading)])[0]
            assert not heard.forced, "upsd has forgotten it"
        assert not Ups(UPS, lab.address, (LOGIN[0], "wrong")).force_shutdown()
        assert not Ups(UPS, lab.address).force_shutdown()
        assert "FSD" not in lab.status()


def test_the_login_counts_until_the_release() -> None:
    with NutLab() as lab:
        ups = Ups(UPS, lab.address, LOGIN)
        ups.read()
        assert lab.logins() == 1
        ups.release()
        wait_for(lambda: lab.logins() == 0, what="logged out")
        ups.read()
        assert lab.logins() == 0


def test_a_driver_that_is_gone() -> None:
    with NutLab() as lab:
        ups = Ups(UPS, lab.address, LOGIN)
        assert isinstance(ups.read(), Reading)
        lab.stop("driver")
        wait_for(lambda: silent(ups.read(), SilenceKind.DRIVER), what="driver not connected")
        lab.start_driver()
        wait_for(lambda: isinstance(ups.read(), Reading), what="reading with the new driver")


def test_the_small_upsd_tells_nothing_without_its_file(tmp_path: Path) -> None:
    bench = SmallBench(tmp_path)
    bench.start_upsd()
    try:
        assert silent(Ups(UPS, bench.address).read(), SilenceKind.DRIVER)
        bench.show(Scene.ON_MAINS)
        assert isinstance(Ups(UPS, bench.address).read(), Reading)
    finally:
        bench.stop_upsd()


@pytest.mark.parametrize(("key", "value"), [("host", "0.0.0.0"), ("ups", "usb")])  # noqa: S104
def test_the_small_upsd_serves_nothing_but_a_simulation_on_loopback(tmp_path: Path, key: str, value: str) -> None:
    (tmp_path / "run").mkdir()
    node = Watching(tmp_path, tmp_path / "run", ("127.0.0.1", free_port()), **{key: value})
    command = [sys.executable, "-m", "appliance.power.simulated_upsd", "--config", str(node.config)]
    run = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False, timeout=60)
    assert run.returncode == 78
    assert "Gagal: UPS" in run.stderr
