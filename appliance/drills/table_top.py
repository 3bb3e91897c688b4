"""L0: a second watcher with a UPS of its own plays four outages on the table. Production is neither touched nor asked.

A folder of its own, ports of its own, the watcher's own program; where NUT is installed, a real upsd, its dummy driver and upsmon,
whose command for the shutdown only leaves a mark. Without NUT the small upsd of the demonstration takes their place.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from appliance.config import PathSettings, Settings, render
from appliance.drills.progress import DrillAborted, Progress
from appliance.drills.records import Check
from appliance.drills.waiting import Stopwatch, until
from appliance.gate import Gate
from appliance.power import handover, journal, memory, simulate
from appliance.power.journal import Event
from appliance.power.policy import DEBOUNCE, Cause, Memory, Moment, Stage
from appliance.power.simulate import Scene
from appliance.power.state import STATE_FILE, State, read

NAME = "latihan"
LIMIT_SECONDS = 15  # stands for the ten minutes of the scene
START_SECONDS = 60.0
END_SECONDS = 90.0
BLINKS = 3  # a slow machine may need more than one try to blink shortly enough
ORDERED = "shutdown-ordered"

_OUTAGE = {
    Event.MAINS_LOST, Event.ASKED, Event.DECIDED, Event.DRAINED, Event.READY, Event.HANDED_OVER, Event.FORCED_SEEN, Event.POWER_OFF,
}  # fmt: skip

_UPSMON = """MONITOR {name}@127.0.0.1:{port} 1 upsmon {upsmon} primary
MINSUPPLIES 1
SHUTDOWNCMD "touch {folder}/run/{ordered}"
POWERDOWNFLAG {folder}/killpower
POLLFREQ 1
POLLFREQALERT 1
HOSTSYNC 10
FINALDELAY 0
"""
_FILES = {
    "nut.conf": "MODE=standalone\n",
    "ups.conf": "maxretry = 1\n[{name}]\n    driver = dummy-ups\n    port = {folder}/run/{file}\n    mode = dummy-once\n    pollinterval = 1\n",
    "upsd.conf": "LISTEN 127.0.0.1 {port}\nSTATEPATH {folder}/nut\nMAXAGE 25\n",
    "upsd.users": "[upsmon]\n    password = {upsmon}\n    upsmon primary\n[watcher]\n    password = {watcher}\n    actions = FSD\n    upsmon secondary\n",
    "upsmon.conf": _UPSMON,
}


class Table:
    """One outage's worth of processes below a folder that is removed afterwards. Start it with `with`."""

    def __init__(self, settings: Settings) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="slrt-drill-"))
        self.runtime = self.folder / "run"
        self._programs = Path(settings.power.nut_programs)
        self._processes: list[subprocess.Popen[bytes]] = []
        self._port, self._passwords = _free_port(), {name: secrets.token_hex(16) for name in ("upsmon", "watcher")}
        self._upsmon: subprocess.Popen[bytes] | None = None
        self._gate = Gate(self.runtime / "gate.lock", self.runtime / STATE_FILE)
        for name in ("run", "state", "secrets", "nut", "conf"):
            (self.folder / name).mkdir(mode=0o700)
        self._settings = self._own(settings)
        self._config = self.folder / "appliance.toml"
        self._config.write_text(render(self._settings))

    @property
    def has_nut(self) -> bool:
        """Whether a real NUT plays, and not the small one of the demonstration."""
        return (self._programs / "dummy-ups").exists()

    def __enter__(self) -> Table:
        with contextlib.suppress(OSError):
            return self._entered()
        self.__exit__()
        raise DrillAborted("Peralatan latihan tidak dapat dijalankan. Periksa apakah NUT terpasang: sudo ./install.sh")

    def __exit__(self, *_: object) -> None:
        for process in reversed(self._processes):
            process.kill()
            process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def play(self, scene: Scene) -> None:
        """What the mains of the table does next."""
        simulate.play(self.runtime, scene)

    @property
    def state(self) -> State | None:
        """What the second watcher last published."""
        return read(self.runtime / STATE_FILE)

    @property
    def events(self) -> dict[Event, journal.Entry]:
        """The last line of each event in the second watcher's journal."""
        return {entry.event: entry for entry in journal.entries(self.folder / "state" / journal.JOURNAL_FILE)}

    def is_handed_over(self) -> bool:
        """Whether the second watcher has asked for the shutdown. There is nothing on the table to save: that is said when it waits."""
        if self._gate.is_saving():
            self._gate.tell_saved()
        return Event.HANDED_OVER in self.events

    def shut_down(self) -> bool:
        """Play systemd: hand the watcher's flag on to upsmon. Whether the command for the shutdown was run."""
        mark = self.runtime / ORDERED
        if self._upsmon is None:
            mark.touch()
        else:
            # what `upsmon -c fsd` does: it sends this signal to the process in the pid file
            self._upsmon.send_signal(signal.SIGUSR1)
        return until(mark.exists, END_SECONDS)

    def _entered(self) -> Table:
        self.play(Scene.ON_MAINS)
        if self.has_nut:
            self._configure()
            user = pwd.getpwuid(os.geteuid()).pw_name
            self._start(self._programs / "dummy-ups", "-a", NAME, "-D", "-u", user)
            until((self.folder / "nut" / f"dummy-ups-{NAME}").exists, START_SECONDS)
            self._start(self._programs / "upsd", "-F", "-u", user)
        else:
            self._start(Path(sys.executable), "-m", "appliance.power.simulated_upsd", "--config", str(self._config))
        self._remember_calm()
        self._start(Path(sys.executable), "-m", "appliance.watcher", "--config", str(self._config))
        if not until(lambda: self.state is not None and self.state.stage == "online" and self.state.mains is True, START_SECONDS):
            raise OSError("the second watcher sees no mains")
        if self.has_nut:
            # After the watcher, so that upsmon waits for its logout.
            self._upsmon = self._start(self._programs / "upsmon", "-D", "-p", "-u", user)
        return self

    def _own(self, settings: Settings) -> Settings:
        run, keep = str(self.runtime), str(self.folder)
        power = replace(
            settings.power, ups="simulated", name=NAME, host="127.0.0.1", port=self._port, runtime=run, state=f"{keep}/state",
            on_battery_seconds=LIMIT_SECONDS, charge_floor=50, runtime_floor_seconds=600,
        )  # fmt: skip
        paths = PathSettings(data=keep, runtime=run, secrets=f"{keep}/secrets", certificates=keep)
        password = self.folder / "secrets" / "upsd-watcher-password"
        password.touch(mode=0o600)
        password.write_text(self._passwords["watcher"])
        return replace(settings, paths=paths, power=power)

    def _configure(self) -> None:
        words = {"name": NAME, "port": self._port, "folder": self.folder, "ordered": ORDERED, "file": simulate.SIMULATED_FILE}
        for name, text in _FILES.items():
            file = self.folder / "conf" / name
            file.touch(mode=0o600)
            file.write_text(text.format(**words, **self._passwords))

    def _remember_calm(self) -> None:
        """A watcher that goes on where one stopped on mains: no boot, so no waiting for the mains to prove itself."""
        at = Moment(timedelta(seconds=time.monotonic()), datetime.now(UTC))
        memory.remember(self.folder / "state", memory.name_boot(self.runtime), Memory(stage=Stage.ONLINE), at)

    def _start(self, program: Path, *words: str) -> subprocess.Popen[bytes]:
        places = dict.fromkeys(("NUT_STATEPATH", "NUT_ALTPIDPATH"), f"{self.folder}/nut")
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "NUT_CONFPATH": f"{self.folder}/conf", **places}
        quiet = {"PYTHONDONTWRITEBYTECODE": "1", "NUT_QUIET_INIT_UPSNOTIFY": "true"}
        process = subprocess.Popen(
            [str(program), *words],
            env=environment | quiet,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._processes.append(process)
        return process


@dataclass(frozen=True)
class _Scene:
    title: str
    play: Callable[[Table], Iterator[Check]]


def run(progress: Progress, settings: Settings) -> None:
    """All scenes, each on a table of its own. Raises DrillAborted when the table cannot be laid."""
    production = Path(settings.power.state) / journal.JOURNAL_FILE
    begun = datetime.now(UTC)
    for number, scene in enumerate(_SCENES, 1):
        with Table(settings) as table:
            if number == 1:
                progress.step("UPS tiruan: NUT dummy-ups." if table.has_nut else "UPS tiruan: bawaan peragaan, tanpa NUT.")
            progress.step(f"Adegan {number}: {scene.title}")
            for check in scene.play(table):
                progress.check(check)
    progress.check(Check("Pengawas listrik yang sebenarnya tidak tersentuh", not _saw_an_outage(production, begun)))


def _blink(table: Table) -> Iterator[Check]:
    for _ in range(BLINKS):
        table.play(Scene.ON_BATTERY)
        until(lambda: table.state is not None and table.state.mains is False, START_SECONDS, 0.02)
        watch = Stopwatch()
        table.play(Scene.ON_MAINS)
        back = until(lambda: table.state is not None and table.state.mains is True, START_SECONDS, 0.02)
        if watch.seconds < DEBOUNCE.total_seconds() and back:
            break
    # Only a blink that was short says something.
    short = watch.seconds < DEBOUNCE.total_seconds()
    quiet = Event.MAINS_LOST not in table.events and Event.DECIDED not in table.events
    yield Check("Kedipan listrik tidak mengganggu siapa pun", quiet if short else None, watch.words)


def _long(table: Table) -> Iterator[Check]:
    table.play(Scene.ON_BATTERY)
    told = until(lambda: table.state is not None and table.state.seconds_left is not None, START_SECONDS)
    yield Check("Pengguna melihat peringatan dan hitung mundur", told)
    yield from _to_the_end(table, Cause.TIME)


def _low(table: Table) -> Iterator[Check]:
    table.play(Scene.ON_BATTERY)
    until(lambda: table.state is not None and table.state.mains is False, START_SECONDS)
    table.play(Scene.BATTERY_LOW)
    yield from _to_the_end(table, Cause.LOW)


def _too_late(table: Table) -> Iterator[Check]:
    table.play(Scene.BATTERY_LOW)
    handed = until(table.is_handed_over, END_SECONDS)
    table.play(Scene.ON_MAINS)
    until(lambda: table.state is not None and table.state.mains is True, START_SECONDS)
    closed = table.state is not None and not table.state.accepts_work
    yield Check("Listrik yang menyala terlambat tidak membuka gerbang lagi", handed and closed)
    yield Check("Pematian yang sudah diminta tetap dijalankan sampai selesai", table.shut_down())


def _to_the_end(table: Table, cause: Cause) -> Iterator[Check]:
    watch = Stopwatch()
    decided = until(lambda: Event.DECIDED in table.events, END_SECONDS)
    told = str(table.events[Event.DECIDED].facts.get("cause")) if decided else ""
    yield Check("Sistem memutuskan mati karena sebab yang benar", told == cause, watch.words)
    watch = Stopwatch()
    handed = until(table.is_handed_over, END_SECONDS)
    flagged = until((table.runtime / handover.FORCE_SHUTDOWN).exists, END_SECONDS) if handed else False
    yield Check("Pekerjaan ditutup dan mesin diminta mati", flagged, watch.words)
    watch = Stopwatch()
    yield Check("Perintah mematikan mesin dijalankan", flagged and table.shut_down(), watch.words)


_SCENES = (
    _Scene("kedipan listrik yang lebih pendek dari 3 detik", _blink),
    _Scene(f"listrik padam 10 menit, dipercepat menjadi {LIMIT_SECONDS} detik", _long),
    _Scene("listrik padam dan baterai hampir habis", _low),
    _Scene("listrik menyala sesudah mesin diminta mati", _too_late),
)


def _saw_an_outage(path: Path, since: datetime) -> bool:
    """Whether the real watcher took a scene for its own. What it writes of its own life, such as a start, is no outage."""
    return any(entry.event in _OUTAGE for entry in journal.entries(path) if entry.at >= since)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
