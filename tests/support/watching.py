"""The power watcher as a process of its own, as an evaluator or systemd would start it, with what it writes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from appliance.config import PathSettings, PowerSettings, Settings, render
from appliance.power import journal
from appliance.power.journal import Event
from appliance.power.state import STATE_FILE, State, read
from tests.support.nut import LOGIN, UPS, NutLab
from tests.support.waiting import wait_for

WORK = """
import sys
from pathlib import Path
from appliance.gate import Gate
with Gate(Path(sys.argv[1]), Path(sys.argv[2])).work():
    print("working", flush=True)
    sys.stdin.readline()
"""


class Watching:
    """A node's folders below `folder` and, between `start` and `kill`, a watcher over them."""

    def __init__(self, folder: Path, runtime: Path, address: tuple[str, int], **power: Any) -> None:
        secrets = folder / "secrets"
        secrets.mkdir(parents=True)
        password = secrets / "upsd-watcher-password"
        password.write_text(LOGIN[1])
        password.chmod(0o600)
        host, port = address
        limits = PowerSettings(
            ups="simulated", name=UPS, host=host, port=port, runtime=str(runtime), state=str(folder / "state"),
            on_battery_seconds=600, drain_seconds=2, save_seconds=1, boot_hold_seconds=1,
        )  # fmt: skip
        paths = PathSettings(data=str(folder), runtime=str(runtime), secrets=str(secrets), certificates=str(folder))
        self.settings = Settings(paths=paths, power=replace(limits, **power))
        self.runtime, self.gate = runtime, runtime / "gate.lock"
        self.journal = folder / "state" / journal.JOURNAL_FILE
        self.config = folder / "appliance.toml"
        self.config.write_text(render(self.settings))
        self.log = folder / "watcher.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *prefix: str, **environment: str) -> None:
        self.process = self._run([*prefix, sys.executable, "-m", "appliance.watcher"], environment)

    def _run(self, command: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
        known = {"PATH": os.environ["PATH"], "SLRT_CONFIG": str(self.config), "PYTHONWARNINGS": "ignore"}
        with self.log.open("ab") as log:
            return subprocess.Popen(
                command, env=known | environment, cwd=Path(__file__).parents[2], stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )

    def kill(self, number: int = signal.SIGKILL) -> int:
        """End it and return its exit code."""
        process, self.process = self.process, None
        if process is None:
            return 0
        process.send_signal(number)
        return process.wait(120)

    def slrt(self, *words: str) -> subprocess.CompletedProcess[str]:
        """The operator's command on this node."""
        run = [sys.executable, "-c", "from appliance.cli import main; main()", *words]
        environment = {"PATH": os.environ["PATH"], "SLRT_CONFIG": str(self.config)}
        return subprocess.run(run, env=environment, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)

    @property
    def state(self) -> State | None:
        return read(self.runtime / STATE_FILE)

    @property
    def events(self) -> list[Event]:
        return [entry.event for entry in journal.entries(self.journal)]

    def facts(self, event: Event) -> dict[str, Any]:
        """The facts of the last such line of the journal."""
        return [entry.facts for entry in journal.entries(self.journal) if entry.event is event][-1]

    def flag(self, name: str) -> bool:
        return (self.runtime / name).exists()

    def wait_stage(self, *stages: str, seconds: float = 90) -> State:
        """Wait for a state of one of the stages that was published from now on."""
        before = self.state

        def reached() -> State | None:
            state = self.state
            return state if state and (before is None or state.at > before.at) and state.stage in stages else None

        found = wait_for(reached, seconds, f"stage {stages}; now {self.state}")
        assert found is not None
        return found

    def wait_event(self, event: Event, count: int = 1, seconds: float = 90) -> None:
        wait_for(lambda: self.events.count(event) >= count, seconds, f"event {event}; now {self.events}")


def told(path: Path) -> list[dict[str, Any]]:
    """The raw lines of a journal."""
    return [json.loads(line) for line in path.read_text().splitlines()]


@contextmanager
def watching(lab: NutLab, folder: Path, **power: object) -> Iterator[Watching]:
    """A node on the lab's UPS; its watcher is started by the test."""
    node = Watching(folder, lab.runtime, lab.address, **power)
    try:
        yield node
    finally:
        node.kill()
        print(node.log.read_text() if node.log.exists() else "no log")


@contextmanager
def long_work(runtime: Path) -> Iterator[subprocess.Popen[str]]:
    """A request that runs until it is told to end, in the node with this runtime folder."""
    command = [sys.executable, "-c", WORK, str(runtime / "gate.lock"), str(runtime / STATE_FILE)]
    worker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])
    assert worker.stdout is not None
    assert worker.stdout.readline() == "working\n"
    try:
        yield worker
    finally:
        worker.kill()
        worker.wait()
