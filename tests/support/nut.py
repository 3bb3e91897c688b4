"""A real NUT in a folder of its own: driver dummy-ups, upsd, and upsmon when asked for, all on loopback and as an ordinary user.

Its files are the node's own templates; nothing below /etc/nut is read. Needs the Debian packages nut-server and nut-client.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from string import Template
from types import TracebackType

from appliance.config import PowerSettings
from appliance.power.simulate import SIMULATED_FILE, Scene, play
from provision.steps.ups import chosen, version_of
from tests.support.nut_release import HOST_RELEASE, VERSIONS, nut_programs
from tests.support.ports import free_port
from tests.support.waiting import wait_for

SOURCE = Path(__file__).parents[2]
TEMPLATES = SOURCE / "provision" / "templates" / "nut"
WRAPPER = SOURCE / "systemd" / "power-shutdown"
NOBODY = 65534
PASSWORDS = {
    name: f"{number:02x}" * 32 for number, name in enumerate(("watcher_password", "upsmon_password", "secondary_password"))
}
LOGIN = ("watcher", PASSWORDS["watcher_password"])
UPS = "apc"
# only in a lab: the right to set what the dummy says, at once instead of with its next look at the file
LAN = "127.0.0.2"  # another address of this machine, as the office network would be
STAGEHAND = "\n[stagehand]\n    password = stagehand\n    actions = SET\n"


class NutLab:
    """Start with `with`; `runtime` is what the node calls power.runtime, `address` is where upsd listens.

    `release` names the Debian whose NUT it is, usually this machine's; `edits` replace text in its files.
    """

    usual_release = HOST_RELEASE

    def __init__(self, release: str = "", edits: Mapping[str, str] | None = None) -> None:
        self.release = release or self.usual_release
        self.programs, self.version = nut_programs(self.release), version_of(VERSIONS[self.release])
        self.edits = dict(edits or {})
        self.folder = Path(tempfile.mkdtemp(prefix="nut-"))
        self.conf, self.state, self.runtime = (self.folder / name for name in ("conf", "state", "run"))
        self.address = ("127.0.0.1", free_port())
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        for folder in (self.conf, self.state, self.runtime, self.folder / "bin"):
            folder.mkdir()
        play(self.runtime, Scene.ON_MAINS)
        (self.runtime / "gate.lock").touch()
        self._configure()

    def __enter__(self) -> NutLab:
        self.start_driver()
        self.start_upsd()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for name in ("secondary", "upsmon", "upsd", "driver"):
            self.stop(name)
        if kind is not None:
            for log in sorted(self.state.glob("*.log")):
                print(f"--- {log.name}\n{log.read_text(errors='replace')[-3000:]}")
        shutil.rmtree(self.folder, ignore_errors=True)

    def start_driver(self) -> None:
        door = self.state / f"dummy-ups-{UPS}"
        door.unlink(missing_ok=True)  # a killed driver leaves it behind
        self._start("driver", "dummy-ups", "-a", UPS, "-D")
        wait_for(door.exists, what="the driver's socket")

    def start_upsd(self) -> None:
        self._start("upsd", "upsd", "-F")
        wait_for(self._answers, what="upsd answers with a status")

    def start_upsmon_beside_watcher(self) -> None:
        """With a watcher logged in already."""
        self.start_upsmon(logins=2)

    def start_upsmon(self, logins: int = 1) -> None:
        """It is the last of `logins`. Without its pid file, whose place is compiled in, an ordinary user may run it."""
        self._start("upsmon", "upsmon", "-DD", "-p")
        wait_for(lambda: self.logins() == logins, what=f"upsmon is one of {logins} logged in")

    def start_secondary(self, settings: str) -> None:
        """The upsmon of another machine, with these settings as its upsmon.conf."""
        folder = self.folder / "secondary"
        folder.mkdir()
        (folder / "upsmon.conf").write_text(settings)
        self._hand_over_files(folder / "upsmon.conf")
        before = self.logins()
        self._start("secondary", "upsmon", "-D", "-p", NUT_CONFPATH=str(folder))
        wait_for(lambda: self.logins() == before + 1, what="the other machine has logged in")

    def wait_for_polls(self, count: int = 2) -> None:
        """Wait until upsmon has heard what upsd says now so many times more."""
        line = f"parse_status: [{self.status()}]"
        before = self.heard_by_upsmon(line)
        wait_for(lambda: self.heard_by_upsmon(line) >= before + count, 60, f"upsmon hears {line} {count} times")

    def heard_by_upsmon(self, line: str) -> int:
        """How often upsmon's log says this."""
        return (self.state / "upsmon.log").read_text(errors="replace").count(line)

    @property
    def powered_off(self) -> list[str]:
        """What the wrapper told systemd."""
        path = self.runtime / "systemctl"
        return path.read_text().splitlines() if path.exists() else []

    def wait_powered_off(self, seconds: float = 60) -> None:
        wait_for(lambda: self.powered_off, seconds, "the wrapper has ordered the power-off")

    def force_shutdown(self) -> None:
        """What slrt-force-shutdown.service does: `upsmon -c fsd` sends this signal to the process in the pid file, twice."""
        upsmon = self.processes["upsmon"]
        upsmon.send_signal(signal.SIGUSR1)
        with contextlib.suppress(subprocess.TimeoutExpired):
            upsmon.wait(0.5)
        upsmon.send_signal(signal.SIGUSR1)

    def stop(self, name: str, number: int = signal.SIGKILL) -> None:
        process = self.processes.pop(name, None)
        if process is not None:
            process.send_signal(signal.SIGCONT)
            process.send_signal(number)
            process.wait(120)

    def ask(self, *lines: str) -> list[str]:
        """The first answer line to each request; empty when nobody answers."""
        try:
            with socket.create_connection(self.address, 3) as line, line.makefile("rwb") as file:
                answers = []
                for request in lines:
                    file.write(request.encode() + b"\n")
                    file.flush()
                    answers.append(file.readline().decode().strip())
                return answers
        except OSError:
            return []

    def logins(self) -> int:
        """How many clients upsd counts as logged in."""
        answer = (self.ask(f"GET NUMLOGINS {UPS}") or [""])[0].split()
        return int(answer[-1]) if answer[:1] == ["NUMLOGINS"] else -1

    def play(self, scene: Scene) -> None:
        """Put a scene into the dummy's file."""
        play(self.runtime, scene)

    def say(self, status: str | None = None, **others: object) -> None:
        """Have upsd say another status, or other variables (battery_charge for battery.charge), from now on."""
        wanted = ({"ups.status": status} if status is not None else {}) | {
            name.replace("_", "."): value for name, value in others.items()
        }
        for name, value in wanted.items():
            heard = self.ask("USERNAME stagehand", "PASSWORD stagehand", f'SET VAR {UPS} {name} "{value}"')
            assert heard[-1:] == ["OK"], (name, value, heard)
        for name, value in wanted.items():
            self._wait_said(name, str(value))

    def _wait_said(self, name: str, value: str) -> None:
        said = f'VAR {UPS} {name} "{value}"'
        wait_for(lambda: (self.ask(f"GET VAR {UPS} {name}") or [""])[0].replace('"FSD ', '"') == said, what=f"upsd says {said}")

    def write(self, status: str, charge: int) -> None:
        """Put a status and a charge into the dummy's file, whose words go through the driver's own judgement, unlike those of `say`."""
        path = self.runtime / SIMULATED_FILE
        changed = int(path.stat().st_mtime) + 2  # whole seconds are compared
        kept = [line for line in path.read_text().splitlines() if not re.match(r"(ups\.status|battery\.charge):", line)]
        # the status last: what it means is worked out from what has been read before
        path.write_text("\n".join([*kept, f"battery.charge: {charge}", f"ups.status: {status}"]) + "\n")
        os.utime(path, (changed, changed))
        wait_for(lambda: f'"{charge}"' in (self.ask(f"GET VAR {UPS} battery.charge") or [""])[0], what=f"a charge of {charge} %")

    def show(self, scene: Scene) -> None:
        """Play a scene and wait until upsd tells it."""
        self.play(scene)
        wanted = {Scene.ON_MAINS: "OL", Scene.ON_BATTERY: "OB DISCHRG", Scene.BATTERY_LOW: "OB DISCHRG LB"}[scene]
        wait_for(lambda: wanted in self.status().replace("FSD ", ""), what=f"upsd tells {wanted}")

    def status(self) -> str:
        answer = (self.ask(f"GET VAR {UPS} ups.status") or [""])[0]
        return answer.split('"')[1] if '"' in answer else ""

    def _answers(self) -> bool:
        if self.processes["upsd"].poll() is not None:
            raise RuntimeError((self.state / "upsd.log").read_text()[-500:])
        return self.status() not in {"", "WAIT"}

    def _configure(self) -> None:
        port, run = self.address[1], self.runtime
        command = f"{WRAPPER} {run} {run}/gate.lock {self.folder}/journal.jsonl {self.state}/killpower"
        changes = {
            "LISTEN 127.0.0.1 3493": f"LISTEN 127.0.0.1 {port}\nSTATEPATH {self.state}",
            f"{UPS}@127.0.0.1 1": f"{UPS}@127.0.0.1:{port} 1",
            f"LISTEN {LAN} 3493": f"LISTEN {LAN} {port}",
            "/usr/lib/slrt/power-shutdown": command,
            "/run/nut/killpower": f"{self.state}/killpower",
        }
        for name in ("nut.conf", "upsd.conf", "upsd.users", "upsmon.conf", "ups-simulated.conf"):
            text = Template(chosen((TEMPLATES / name).read_text(), self.version, PowerSettings(lan_address=LAN))).substitute(
                PASSWORDS, ups_name=UPS, simulated_file=f"{run}/{SIMULATED_FILE}", mode="netserver", lan_address=LAN
            )
            for old, new in (changes | self.edits).items():
                text = text.replace(old, new)
            text += STAGEHAND if name == "upsd.users" else ""
            (self.conf / ("ups.conf" if name.startswith("ups-") else name)).write_text(text)
        # In place of systemd: the wrapper's last word, written down.
        fake = self.folder / "bin" / "systemctl"
        fake.write_text(f'#!/bin/sh\necho "$@" >>{run}/systemctl\n')
        self._hand_over_files(fake)

    def _hand_over_files(self, fake: Path) -> None:
        self.folder.chmod(0o755)
        fake.chmod(0o755)
        if os.geteuid() == 0:
            for path in (self.folder, *self.folder.rglob("*")):
                os.chown(path, NOBODY, NOBODY)
        for path in self.conf.iterdir():
            path.chmod(0o640)

    def _start(self, name: str, program: str, *words: str, **other: str) -> None:
        drop = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"] if os.geteuid() == 0 else []
        environment = {
            "PATH": f"{self.folder}/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "NUT_CONFPATH": str(self.conf),
            "NUT_STATEPATH": str(self.state),
            "NUT_ALTPIDPATH": str(self.state),
            "NUT_QUIET_INIT_UPSNOTIFY": "true",
        }
        with (self.state / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [*drop, str(self.programs / program), *words], env=environment | other, cwd=self.folder,
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
