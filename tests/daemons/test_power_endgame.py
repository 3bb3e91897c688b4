"""The end of a shutdown on battery: cut, or reboot when the UPS would not come back by itself. With drivers that play a UPS."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.power.simulate import Scene
from tests.support.machine_bed import end_process
from tests.support.nut import NutLab
from tests.support.nut_release import VERSIONS

SCRIPT = Path(__file__).parents[2] / "systemd" / "ups-endgame"
QUIRKS = SCRIPT.with_name("ups-quirks")
# Asked with -d it tells its variables; else it puts itself in the background and answers on its socket, as a NUT driver does.
DRIVER = """#!{python}
import os, socket, sys, time
folder, told, answers = {folder!r}, {told!r}, {answers!r}
if "-d" in sys.argv:
    print(told) if told else sys.exit(1)
    sys.exit()
if answers is None:
    sys.exit(1)
door = socket.socket(socket.AF_UNIX)
door.bind(folder + "/usbhid-ups-apc")
door.listen()
if os.fork():
    sys.exit()
os.setsid()
for number in (0, 1, 2):
    os.close(number)
since = open("/proc/self/stat").read().rpartition(")")[2].split()[19]
open(folder + "/driver", "w").write(f"{{os.getpid()}} {{since}}")
open(folder + "/usbhid-ups-apc.pid", "w").write(str(os.getpid()))
while True:
    line, _ = door.accept()
    while heard := line.recv(1000).decode().strip():
        command, _, mark = heard.removeprefix("INSTCMD ").partition(" TRACKING ")
        open(folder + "/told", "a").write(command + "\\n")
        if answers.get(command) is not None:
            line.sendall(f"SETINFO ups.status OB\\nTRACKING {{mark}} {{answers[command]}}\\n".encode())
"""
DONE, REFUSED = {"shutdown.reboot 1": "0"}, {"shutdown.reboot 1": "1", "shutdown.return": "1"}
HANGS = "#!/bin/sh\ntrap '' TERM\nwhile :; do sleep 1; done\n"


def saying(status: str, model: str = "Back-UPS XS 1400U", firmware: str = "926.T1 .I USB FW:T1") -> str:
    return f"device.model: {model}\nups.firmware: {firmware}\nups.model: {model}\nups.status: {status}"


class Endgame:
    """A machine in its last moments."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "ups.conf").write_text("maxretry = 3\n\n[apc]\n    driver = usbhid-ups\n    port = auto\n")
        (folder / "upsmon.conf").write_text(f"MINSUPPLIES 1\nPOWERDOWNFLAG {folder}/killpower\n")
        self.program("reboot", "#!/bin/sh\necho reboot >rebooted\n")
        (folder / "killpower").write_text("upsmon-shutdown-file")

    def program(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)
        (self.folder / name).chmod(0o755)

    def driver(self, told: str, answers: dict[str, str] | None) -> None:
        self.program("usbhid-ups", DRIVER.format(python=sys.executable, folder=str(self.folder), told=told, answers=answers))

    def play(self, verb: str = "poweroff", **environment: str) -> str:
        """`reboot` or `off`."""
        known = {
            "PATH": os.environ["PATH"],
            "UPS_CONF": str(self.folder / "ups.conf"),
            "UPSMON_CONF": str(self.folder / "upsmon.conf"),
            "UPS_QUIRKS": str(QUIRKS),
            "NUT_PROGRAMS": str(self.folder),
            "NUT_STATEPATH": str(self.folder),
            "REBOOT": str(self.folder / "reboot"),
            "SAY": str(self.folder / "console"),
            "PAUSE": "0",
        }
        subprocess.run([str(SCRIPT), verb], env=known | environment, cwd=self.folder, check=True, timeout=90)
        return "reboot" if (self.folder / "rebooted").exists() else "off"

    @property
    def told(self) -> list[str]:
        path = self.folder / "told"
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def endgame(tmp_path: Path) -> Iterator[Endgame]:
    yield Endgame(tmp_path)
    # not by its number alone: the driver may have ended, and a stranger bear the number by now
    driver = tmp_path / "driver"
    if driver.exists():
        end_process(driver.read_text())


# model, firmware → what the UPS is told
@pytest.mark.parametrize(
    ("model", "firmware", "commands"),
    [
        ("Back-UPS XS 1400U", "926.T1 .I USB FW:T1", ["shutdown.reboot 1"]),
        ("Back-UPS BX1600MI", "295202G -302202G", ["shutdown.reboot 1"]),
        ("Back-UPS RS 1000G", "868.L3 .I USB FW:L3", ["shutdown.reboot 1"]),
        ("Smart-UPS 1500", "601.3.I USB FW:1.5", ["shutdown.return"]),
        ("PR1500", "", ["shutdown.return"]),
    ],
)
def test_on_battery_the_ups_is_told_to_cut_with_the_command_that_it_executes(
    endgame: Endgame, model: str, firmware: str, commands: list[str]
) -> None:
    endgame.driver(saying("OB DISCHRG", model, firmware), dict.fromkeys(("shutdown.reboot 1", "shutdown.return"), "0"))
    assert endgame.play() == "off"
    assert endgame.told == commands


def test_a_command_that_is_refused_is_followed_by_the_next(endgame: Endgame) -> None:
    endgame.driver(saying("OB", "Back-UPS ES 700"), {"shutdown.reboot 1": "1", "shutdown.return": "0"})
    assert endgame.play() == "off"
    assert endgame.told == ["shutdown.reboot 1", "shutdown.return"]


def test_without_the_table_the_ups_is_still_told(endgame: Endgame) -> None:
    endgame.driver(saying("OB"), {"shutdown.return": "2"} | DONE)
    assert endgame.play(UPS_QUIRKS="/nowhere") == "off"
    assert endgame.told == ["shutdown.return", "shutdown.reboot 1"]


def test_every_line_of_the_table_is_whole_and_none_leaves_the_ups_off_for_good() -> None:
    lines = [line.split("|") for line in QUIRKS.read_text().splitlines() if line and not line.startswith("#")]
    assert all(len(line) == 4 for line in lines)
    assert lines[-1][:2] == ["*", "*"]
    for command in (part for line in lines for part in line[2].split(";")):
        assert re.fullmatch(r"shutdown\.(return|reboot)( \d+)?", command), command


def test_with_the_mains_back_the_machine_reboots(endgame: Endgame) -> None:
    endgame.driver(saying("OL CHRG"), DONE)
    assert endgame.play() == "reboot"
    assert endgame.told == []


def test_a_ups_that_refuses_is_answered_by_a_reboot(endgame: Endgame) -> None:
    endgame.driver(saying("OB DISCHRG"), REFUSED)
    assert endgame.play() == "reboot"


def test_a_ups_that_is_gone_is_answered_by_a_reboot(endgame: Endgame) -> None:
    endgame.driver("", None)
    assert endgame.play() == "reboot"
    assert "did not take the command" in (endgame.folder / "console").read_text()


def test_a_driver_that_never_answers_does_not_keep_the_machine_off(endgame: Endgame) -> None:
    """systemd powers off whatever hangs after 90 s, and then nobody would switch the machine on again."""
    endgame.program("usbhid-ups", HANGS)
    assert endgame.play(PATIENCE="1", PAUSE="600", LIMIT="8") == "reboot"


def test_everything_that_is_waited_for_fits_into_the_time_that_systemd_gives() -> None:
    text = SCRIPT.read_text()
    limit, patience = (int(re.search(rf"{name}:-(\d+)", text)[1]) for name in ("LIMIT", "PATIENCE"))  # type: ignore[index]
    waits = [
        part.replace("$((patience * 2))", f"{2 * patience}") for part in re.findall(r"timeout -k 1 (\$\(\(.*?\)\)|\S+)", text)
    ]
    seconds = [patience if wait == '"$patience"' else int(wait) for wait in waits]
    asked_again, pauses = seconds[0], sum(int(number) for number in re.findall(r"\bsleep (\d+)", text))
    assert sum(seconds) + len(seconds) + asked_again + 1 + pauses <= limit < 90


@pytest.mark.parametrize("verb", ["reboot", "kexec", ""])
def test_an_ordinary_reboot_touches_nothing(endgame: Endgame, verb: str) -> None:
    endgame.driver(saying("OB"), DONE)
    assert endgame.play(verb) == "off"
    assert endgame.told == []


@pytest.mark.parametrize("mark", [None, "", "junk"])
def test_a_power_off_that_is_not_for_the_power_touches_nothing(endgame: Endgame, mark: str | None) -> None:
    (endgame.folder / "killpower").unlink()
    if mark is not None:
        (endgame.folder / "killpower").write_text(mark)
    endgame.driver(saying("OL"), DONE)
    assert endgame.play() == "off"
    assert endgame.told == []


@pytest.mark.parametrize("release", VERSIONS)
def test_with_the_real_programs(release: str, tmp_path: Path) -> None:
    """upsmon's own mark, and a driver that is asked beside nobody. dummy-ups refuses every command, as a UPS may."""
    with NutLab(release) as lab:
        lab.start_upsmon()
        lab.force_shutdown()
        lab.wait_powered_off()
        for name in ("upsmon", "upsd", "driver"):
            lab.stop(name)
        end = Endgame(tmp_path)
        known = {
            "UPS_CONF": str(lab.conf / "ups.conf"),
            "UPSMON_CONF": str(lab.conf / "upsmon.conf"),
            "NUT_PROGRAMS": str(lab.programs),
            "NUT_CONFPATH": str(lab.conf),
        }
        known |= {"NUT_STATEPATH": str(lab.state), "NUT_ALTPIDPATH": str(lab.state), "PATIENCE": "4"}
        for scene, said in ((Scene.ON_MAINS, "mains is back"), (Scene.ON_BATTERY, "did not take the command")):
            lab.play(scene)
            (tmp_path / "rebooted").unlink(missing_ok=True)
            (tmp_path / "console").write_text("")
            assert end.play(**known) == "reboot"
            assert said in (tmp_path / "console").read_text()
