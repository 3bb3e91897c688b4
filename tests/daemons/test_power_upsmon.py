"""upsmon as the node sets it up, with the watcher dead: NUT of Debian 12 and of Debian 13, each with its own faults."""

from __future__ import annotations

import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from appliance.config import PowerSettings
from appliance.gate import Gate
from provision.steps.ups import chosen
from provision.unit import secondary_sheet
from tests.support.nut import LAN, PASSWORDS, TEMPLATES, UPS, NutLab
from tests.support.nut_release import VERSIONS
from tests.support.waiting import wait_for
from tests.support.watching import long_work

EACH_SECOND = {"POLLFREQ 5": "POLLFREQ 1", "POLLFREQALERT 5": "POLLFREQALERT 1"}
BLIND_AFTER_A_TEST = ("bookworm",)  # Debian has mended 2.8.1 meanwhile


@pytest.fixture(params=VERSIONS)
def release(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@contextmanager
def logged_in(lab: NutLab, user: str) -> Iterator[list[str]]:
    """Somebody who has logged in over the office network, and what upsd thinks of further wishes."""
    with socket.create_connection((LAN, lab.address[1]), 5) as line, line.makefile("rwb") as file:
        answers = []
        wishes = (f"PRIMARY {UPS}", f"FSD {UPS}", f"INSTCMD {UPS} load.off", f'SET VAR {UPS} ups.status "OL"')
        for request in (f"USERNAME {user}", f"PASSWORD {PASSWORDS[f'{user}_password']}", f"LOGIN {UPS}", *wishes):
            file.write(request.encode() + b"\n")
            file.flush()
            answers.append(file.readline().decode().strip())
        yield answers


def test_nothing_on_mains_ends_the_machine(release: str) -> None:
    with NutLab(release, EACH_SECOND) as lab:
        lab.start_upsmon()
        for status in ("OL LB", "OL LB RB", "OL DISCHRG", "OL CHRG LB", "OL OFF", "OL BYPASS"):
            lab.say(status)
            lab.wait_for_polls(6 if "OFF" in status else 2)
            assert not lab.status().startswith("FSD"), status
        assert not lab.powered_off


def test_every_word_of_the_settings_is_understood(release: str) -> None:
    """An unknown word in upsmon.conf is a remark in a log; in ups.conf it ends the driver, and with it all protection."""
    with NutLab(release) as lab:
        lab.start_upsmon()
        lab.wait_for_polls(1)
        logs = "".join((lab.state / f"{name}.log").read_text(errors="replace") for name in ("upsmon", "upsd", "driver"))
        assert not re.search(r"invalid directive|not a valid|[Uu]nknown (directive|setting|variable)|Ignoring", logs), logs
        real = chosen((TEMPLATES / "ups-usb.conf").read_text(), lab.version, PowerSettings(serial="9B1"))
        (lab.conf / "ups.conf").write_text(real.replace("$ups_name", UPS).replace("$serial", "9B1"))
        command = [str(lab.programs / "usbhid-ups"), "-a", UPS, "-u", "root", "-d", "1"]
        known = {"NUT_CONFPATH": str(lab.conf), "NUT_STATEPATH": str(lab.state), "PATH": "/usr/bin:/bin"}
        said = subprocess.run(command, env=known, capture_output=True, text=True, check=False, timeout=60)
        assert "No matching HID UPS found" in said.stdout + said.stderr


def test_a_false_low_battery_of_the_unit_reaches_nobody_and_a_true_one_does(release: str) -> None:
    """The driver works LB out from charge and runtime, by the lines that stand in the file for the real UPS."""
    limits = [line for line in (TEMPLATES / "ups-usb.conf").read_text().splitlines() if re.match(r" +(ignorelb|override)", line)]
    assert len(limits) == 3
    with NutLab(release, EACH_SECOND | {"    pollinterval = 1": "\n".join(["    pollinterval = 1", *limits])}) as lab:
        lab.start_upsmon()
        lab.write("OB DISCHRG LB", charge=80)
        lab.wait_for_polls(4)
        assert lab.status() == "OB DISCHRG"
        assert not lab.powered_off
        lab.write("OB DISCHRG", charge=15)
        lab.wait_powered_off()


@pytest.mark.parametrize("lost", ["upsd", "driver"])
def test_who_is_lost_on_battery_ends_the_machine_but_no_work(release: str, lost: str) -> None:
    """Debian 13's upsmon waits no second for a upsd that is gone on battery: then the wrapper alone waits for the work."""
    with NutLab(release, EACH_SECOND | {"DEADTIME 60": "DEADTIME 4"}) as lab:
        lab.start_upsmon()
        lab.say("OB DISCHRG")
        lab.wait_for_polls()
        gate = Gate(lab.runtime / "gate.lock", lab.runtime / "state.json")
        with long_work(lab.runtime) as worker:
            lab.stop(lost)
            wait_for(lambda: not gate.accepts_work(), 90, "the wrapper has closed the gate")
            assert not lab.powered_off, "the work was not waited for"
            worker.communicate("\n")
            lab.wait_powered_off()


def test_a_driver_that_is_back_soon_ends_nothing_on_mains_nor_on_battery_where_nut_is_patient(release: str) -> None:
    with NutLab(release, EACH_SECOND) as lab:
        lab.start_upsmon()
        for status in ("OL", "OB DISCHRG") if release == "bookworm" else ("OL",):
            lab.say(status)
            lab.wait_for_polls()
            lab.stop("driver")
            wait_for(lambda: "DRIVER" in (lab.ask(f"GET VAR {UPS} ups.status") or [""])[0], what="upsd has noticed")
            before = lab.heard_by_upsmon("pollups")
            wait_for(lambda before=before: lab.heard_by_upsmon("pollups") > before + 1, what="upsmon has noticed")  # type: ignore[misc]
            lab.start_driver()
            wait_for(lambda: lab.status() not in {"", "WAIT"}, what="the driver is back")
            lab.wait_for_polls()
            assert not lab.powered_off, status


@pytest.mark.parametrize("remedy", ["restarted", "forced"])
def test_after_a_self_test_upsmon_must_be_restarted_and_obeys_us_in_any_case(release: str, remedy: str) -> None:
    """One "CAL" makes NUT 2.8.0 believe for ever that the battery is only being tested."""
    with NutLab(release, EACH_SECOND) as lab:
        lab.start_upsmon()
        for status in ("OL CAL", "OL"):
            lab.say(status)
            lab.wait_for_polls()
        if release in BLIND_AFTER_A_TEST:
            lab.say("OB DISCHRG LB")
            lab.wait_for_polls(5)
            assert not lab.powered_off, "NUT has been mended: BLIND_AFTER_A_TEST and the restart are not needed any more"
        if remedy == "forced":
            lab.force_shutdown()
        else:
            lab.say("OL")
            lab.stop("upsmon")
            lab.start_upsmon()
            lab.say("OB DISCHRG LB")
        lab.wait_powered_off()


def test_the_mark_of_an_earlier_power_cut_is_gone_when_upsmon_runs(release: str) -> None:
    with NutLab(release) as lab:
        mark = lab.state / "killpower"
        mark.write_text("upsmon-shutdown-file")
        mark.chmod(0o666)
        lab.start_upsmon()
        wait_for(lambda: not mark.exists(), what="the old mark is gone")


def test_a_forced_shutdown_that_is_asked_for_twice_powers_off_once(release: str) -> None:
    """The answer to the first wish may be lost, so the second must do no harm."""
    with NutLab(release, EACH_SECOND) as lab:
        lab.start_upsmon()
        with long_work(lab.runtime) as worker:
            lab.force_shutdown()
            wait_for(lambda: lab.status().startswith("FSD"), what="the forced shutdown stands in upsd")
            lab.force_shutdown()
            assert lab.ask("USERNAME watcher", f"PASSWORD {PASSWORDS['watcher_password']}", f"FSD {UPS}")[-1] == "OK FSD-SET"
            worker.communicate("\n")
        lab.wait_powered_off()
        wait_for(lambda: lab.processes["upsmon"].poll() is not None, what="upsmon has ended")
        assert lab.powered_off == ["--no-block poweroff"]


def test_the_other_machine_goes_down_first_and_could_do_nothing_else(release: str, tmp_path: Path) -> None:
    """upsmon with the very lines that are printed for the other machine, over the other address."""
    with NutLab(release, EACH_SECOND) as lab:
        with logged_in(lab, "secondary") as answers:
            assert answers[:3] == ["OK", "OK", "OK"]
            assert all(answer == "ERR ACCESS-DENIED" for answer in answers[3:]), answers
        wait_for(lambda: lab.logins() == 0, what="it has left")
        lab.start_upsmon()
        sheet = secondary_sheet(PowerSettings(name=UPS, lan_address=f"{LAN}:{lab.address[1]}"), PASSWORDS["secondary_password"])
        lines = re.findall(
            r"^(?:MONITOR|MINSUPPLIES|SHUTDOWNCMD|POLLFREQ|POLLFREQALERT|DEADTIME|FINALDELAY) .*$", sheet, re.MULTILINE
        )
        down = lab.runtime / "other-is-down"
        own = "\n".join(lines).replace("/sbin/shutdown -h +0", f"touch {down}") + "\n"
        lab.start_secondary(own)
        assert lab.logins() == 2
        lab.force_shutdown()
        lab.wait_powered_off()
        assert down.exists(), "this machine did not wait for the other one"
