"""The demonstration: the whole node in the foreground, its mains pulled, its power-off and its return."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.ports import free_port
from tests.support.waiting import wait_for

START_SECONDS = 240.0
CHANGE_SECONDS = 90.0


@dataclass
class Demo:
    """A running demonstration: its process, its folder, its port."""

    process: subprocess.Popen[bytes]
    folder: Path
    port: int

    def get(self, path: str) -> tuple[int, str]:
        """Status and body of a page; status 0 when nobody listens."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except OSError:
            return 0, ""
        finally:
            connection.close()

    def slrt(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([str(self.folder / "slrt"), *words], capture_output=True, text=True, check=False)

    def output(self) -> str:
        """What it said so far."""
        return (self.folder / "output").read_text()

    def wait(self, question: Callable[[], object], seconds: float = CHANGE_SECONDS) -> None:
        """Until the answer is true, or the demonstration ended by itself."""
        wait_for(lambda: question() or self.process.poll() is not None, seconds, self.output())
        assert self.process.poll() is None, self.output()

    def warning(self) -> str:
        """What every open page shows about the power; empty when there is nothing to say."""
        status, body = self.get("/power.json")
        return str(json.loads(body)["sentence"]) if status == 200 else ""


@contextmanager
def demonstration(folder: Path, port: int) -> Iterator[Demo]:
    folder.mkdir(exist_ok=True)
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "provision.demo", "--port", str(port), "--folder", str(folder)],
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=Path(__file__).parents[2],
        )
    demo = Demo(process, folder, port)
    try:
        yield demo
    finally:
        process.terminate()
        process.wait(60)
        print((folder / "output").read_text())
        for log in sorted((folder / "log").glob("*.log")):
            print(f"--- {log.name}\n{log.read_text()[-3000:]}")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with demonstration(tmp_path_factory.mktemp("demo"), free_port()) as demo:
        demo.wait(lambda: "Berhenti: tekan Ctrl+C" in demo.output(), START_SECONDS)
        yield demo


def test_it_invites_with_address_and_accounts(demo: Demo) -> None:
    told = demo.output()
    assert f"http://127.0.0.1:{demo.port}/" in told
    assert "fo.sari" in told
    assert demo.get("/healthz")[0] == 200
    assert demo.get("/")[0] in {302, 303}


def test_it_becomes_wholly_well_by_itself(demo: Demo) -> None:
    assert demo.slrt("status", "--wait", str(START_SECONDS)).returncode == 0
    told = json.loads(demo.slrt("status", "--json").stdout)
    assert told["ok"] is True
    assert {part: told[part]["state"] for part in told if part != "ok"} == dict.fromkeys(
        ["web", "database", "backup", "sticks", "sheet", "power", "disk", "hardware", "certificate", "clock", "services"], "ok"
    )
    assert len(json.loads(demo.slrt("backup", "list", "--json").stdout)) == 1


def test_the_mains_is_pulled_and_comes_back_after_a_power_off(demo: Demo) -> None:
    assert demo.slrt("power", "simulate", "ob").returncode == 0
    demo.wait(lambda: "padam" in demo.warning())
    assert demo.slrt("power", "simulate", "ob-lb").returncode == 0
    demo.wait(lambda: demo.get("/healthz")[0] == 0)
    # the machine is "off": nothing of it runs, and nothing starts by itself
    demo.wait(lambda: "Simpul mati" in demo.output())
    assert demo.slrt("power", "simulate", "ol").returncode == 0
    demo.wait(lambda: demo.get("/healthz")[0] == 200)
    assert "padam" not in demo.warning()


def test_a_second_one_is_refused(demo: Demo, tmp_path: Path) -> None:
    with demonstration(tmp_path, demo.port) as same_port:
        assert same_port.process.wait(60) == 75
        assert f"Porta {demo.port}" in (tmp_path / "output").read_text()
    run = subprocess.run(
        [sys.executable, "-m", "provision.demo", "--port", str(free_port()), "--folder", str(demo.folder)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert run.returncode == 75
    assert "sedang berjalan" in run.stderr


def test_interrupted_it_takes_its_processes_along(tmp_path: Path) -> None:
    with demonstration(tmp_path, free_port()) as demo:
        demo.wait(lambda: demo.get("/healthz")[0] == 200, START_SECONDS)
        children = Path(f"/proc/{demo.process.pid}/task/{demo.process.pid}/children").read_text().split()
        assert len(children) == 4
        os.kill(demo.process.pid, signal.SIGINT)
        assert demo.process.wait(60) == 0
        assert not [child for child in children if Path(f"/proc/{child}").exists()]
        assert "Peragaan dihentikan." in (tmp_path / "output").read_text()
