"""The end of a shutdown on battery: cut, or reboot when the UPS would not come back by itself. With drivers that play a UPS."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "systemd" / "ups-endgame"
# Asked with -d it tells the status; else it puts itself in the background and answers on its socket, as a NUT driver does.
DRIVER = """#!{python}
import os, socket, sys
folder, status, code = {folder!r}, {status!r}, {code!r}
if "-d" in sys.argv:
    print("ups.status: " + status) if status else sys.exit(1)
    sys.exit()
if code is None:
    sys.exit(1)
door = socket.socket(socket.AF_UNIX)
door.bind(folder + "/usbhid-ups-apc")
door.listen()
if os.fork():
    sys.exit()
os.setsid()
for number in (0, 1, 2):
    os.close(number)
open(folder + "/usbhid-ups-apc.pid", "w").write(str(os.getpid()))
line, _ = door.accept()
open(folder + "/told", "wb").write(line.recv(1000))
line.sendall(b"SETINFO ups.status OB\\nTRACKING endgame " + code.encode() + b"\\n")
while True:
    door.accept()
"""


class Endgame:
    """A machine in its last moments."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "ups.conf").write_text("maxretry = 3\n\n[apc]\n    driver = usbhid-ups\n    port = auto\n")
        self.program("upsmon", "#!/bin/sh\n[ -e killpower ]\n")
        self.program("reboot", "#!/bin/sh\necho reboot >rebooted\n")
        (folder / "killpower").touch()

    def program(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)
        (self.folder / name).chmod(0o755)

    def driver(self, status: str, code: str | None) -> None:
        text = DRIVER.format(python=sys.executable, folder=str(self.folder), status=status, code=code)
        self.program("usbhid-ups", text)

    def play(self, verb: str = "poweroff") -> str:
        """`reboot` or `off`."""
        environment = {
            "PATH": os.environ["PATH"],
            "UPS_CONF": str(self.folder / "ups.conf"),
            "NUT_PROGRAMS": str(self.folder),
            "NUT_STATEPATH": str(self.folder),
            "REBOOT": str(self.folder / "reboot"),
            "SAY": str(self.folder / "console"),
            "PAUSE": "0",
        }
        subprocess.run([str(SCRIPT), verb], env=environment, cwd=self.folder, check=True, timeout=90)
        return "reboot" if (self.folder / "rebooted").exists() else "off"

    @property
    def told(self) -> str:
        path = self.folder / "told"
        return path.read_text() if path.exists() else ""


@pytest.fixture
def endgame(tmp_path: Path) -> Iterator[Endgame]:
    yield Endgame(tmp_path)
    pid = tmp_path / "usbhid-ups-apc.pid"
    if pid.exists():
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(pid.read_text()), signal.SIGKILL)


def test_on_battery_the_ups_is_told_to_cut_with_the_value_that_works(endgame: Endgame) -> None:
    endgame.driver("OB DISCHRG", "0")
    assert endgame.play() == "off"
    assert endgame.told == "INSTCMD shutdown.reboot 1 TRACKING endgame\n"


def test_with_the_mains_back_the_machine_reboots(endgame: Endgame) -> None:
    endgame.driver("OL CHRG", "0")
    assert endgame.play() == "reboot"
    assert endgame.told == ""


def test_a_ups_that_refuses_is_answered_by_a_reboot(endgame: Endgame) -> None:
    endgame.driver("OB DISCHRG", "1")
    assert endgame.play() == "reboot"


def test_a_ups_that_is_gone_is_answered_by_a_reboot(endgame: Endgame) -> None:
    endgame.driver("", None)
    assert endgame.play() == "reboot"
    assert "did not take the command" in (endgame.folder / "console").read_text()


@pytest.mark.parametrize("verb", ["reboot", "kexec", ""])
def test_an_ordinary_reboot_touches_nothing(endgame: Endgame, verb: str) -> None:
    endgame.driver("OB", "0")
    assert endgame.play(verb) == "off"
    assert endgame.told == ""


def test_a_power_off_that_is_not_for_the_power_touches_nothing(endgame: Endgame) -> None:
    (endgame.folder / "killpower").unlink()
    endgame.driver("OL", "0")
    assert endgame.play() == "off"
    assert endgame.told == ""
