"""install.sh on machines that are not suitable: says which thing is wrong and what to do, by its exit code, and changes nothing.

Each machine is this one in mount and network namespaces of its own, with one thing made different; so root is needed.
"""

from __future__ import annotations

import dataclasses
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.support.bare_machine import GIVEN, ROOT, check, in_a_machine, program
from tests.support.pretend_hardware import ML10

FRESH = "rm /opt/slrt/current"


def test_a_suitable_machine_is_told_so() -> None:
    done = check()
    assert done.returncode == 0, done.stderr
    facts = "Mesin: HP ProLiant ML10 · memori 7900 MiB · disk sda 2000 GB, sdb 2000 GB · jaringan eno1 e1000e ✓ · nyala BIOS"
    assert done.stdout == f"{facts} · watchdog HP iLO2+ HW Watchdog Timer\nMesin ini siap: Debian GNU/Linux 12 (bookworm).\n"


OTHER_SYSTEM = """printf 'ID=ubuntu\\nVERSION_ID="24.04"\\nPRETTY_NAME="Ubuntu 24.04"\\n' >/run/os-release"""
LITTLE_MEMORY = dataclasses.replace(ML10, memory_mib=488)
OLD_CLOCK = program("date", "echo 2012-01-01")


def taken(port: int, kind: str = "tcp", address: str = "", name: str = "python3") -> str:
    """Shell lines: a program of that name waits at that place, by default at all addresses; it is ended with the shell."""
    family = "6" if ":" in address else ""
    lines = f"""import socket, time, os
open("/proc/self/comm", "w").write("{name}")
waiting = socket.socket(socket.AF_INET{family}, socket.SOCK_{"STREAM" if kind == "tcp" else "DGRAM"})
waiting.bind(("{address}", {port}))
{"waiting.listen()" if kind == "tcp" else ""}
os.close(1), os.close(2)
time.sleep(30)"""
    waits = f"until grep -q ':{port:04X} .* 0[A7] ' /proc/net/{kind}{family}; do [ -e /proc/$! ]; done"
    return f"setsid python3 -c {shlex.quote(lines)} & {waits}; trap 'kill %1' EXIT"


@pytest.mark.parametrize(
    ("difference", "number", "told", "remedy"),
    [
        (OTHER_SYSTEM, "P03", "Ubuntu 24.04", "Debian 12"),
        (OTHER_SYSTEM.replace("ubuntu", "debian").replace("24.04", "11"), "P03", "Ubuntu 11", "Debian 12"),
        (program("uname", "echo i686"), "P04", "Prosesor i686", "64-bit"),
        ("rmdir /run/systemd/system", "P05", "systemd", "Debian biasa"),
        ("mount -t tmpfs -o size=10m tmpfs /srv", "P06", "/srv hanya", "disk"),
        (taken(80), "P09", "Port 80 sudah dipakai oleh python3", "systemctl disable --now python3"),
        (taken(53, "udp", name="named"), "P14", "Port 53 sudah dipakai oleh named", "systemctl disable --now"),
        (taken(53, address="::"), "P14", "Port 53 sudah dipakai oleh python3", "systemctl disable --now"),
        (taken(123, "udp", name="ntpd"), "P14", "Port 123 sudah dipakai oleh ntpd", "systemctl disable --now"),
        (OLD_CLOCK, "P08", "2012-01-01", "hwclock"),
    ],
    ids=[
        "ubuntu",
        "debian 11",
        "no 64 bit",
        "no systemd",
        "full disk",
        "port taken",
        "names",
        "names by TCP",
        "time",
        "old clock",
    ],
)
def test_one_thing_wrong(difference: str, number: str, told: str, remedy: str) -> None:
    done = check(difference)
    assert done.returncode == 78, done.stderr
    assert f"SLRT-{number}  " in done.stderr
    assert told in done.stderr
    assert remedy in done.stderr.partition("→")[2]
    assert "1 hal di atas" in done.stderr


@pytest.mark.parametrize(
    "harmless",
    [
        taken(53, "udp", "127.0.0.53", "systemd-resolve"),
        taken(53, "tcp", "127.0.0.53", "systemd-resolve"),
        taken(53, "udp", "::1"),
        taken(123, "udp", name="chronyd"),
        taken(123, "tcp"),
        taken(53, "udp", name="dnsmasq") + "\n" + program("systemctl", '[ "$*" = "is-active --quiet slrt-dns.service" ]'),
    ],
    ids=["stub", "stub by TCP", "own IPv6", "chrony", "another kind", "ours"],
)
def test_who_is_in_nobodys_way_may_stay(harmless: str) -> None:
    done = check(harmless)
    assert done.returncode == 0, done.stderr


def test_too_little_memory() -> None:
    done = check(hardware=LITTLE_MEMORY)
    assert done.returncode == 78, done.stderr
    assert "SLRT-P07  Memori hanya 488 MiB" in done.stderr


@pytest.mark.parametrize(("vendors", "code"), [(("1d6b",), 78), (("1d6b", "051d"), 0)])
def test_no_ups_on_the_usb_bus_and_one_that_is_there(vendors: tuple[str, ...], code: int) -> None:
    done = check(options=GIVEN.replace("none", "usb"), hardware=dataclasses.replace(ML10, usb_vendors=vendors))
    assert done.returncode == code, done.stderr
    assert ("SLRT-P10" in done.stderr) == (code != 0)


@pytest.mark.parametrize(
    ("mode", "conf", "refused"),
    [
        ("MODE=none", "[apc]\n driver = usbhid-ups\n", True),
        ("MODE=none", "# nothing\n", False),
        ("MODE=standalone", "[apc]\n", False),
    ],
)
def test_a_nut_that_would_cut_the_power_at_every_reboot(mode: str, conf: str, refused: bool) -> None:
    """Switched off, with a UPS named: Debian's upsmon then takes every reboot for the end of a power failure."""
    files = f"mount -t tmpfs tmpfs /etc/nut; printf '{mode}\n' >/etc/nut/nut.conf; printf '{conf}' >/etc/nut/ups.conf"
    done = check(files)
    assert (done.returncode == 78) is refused, done.stderr
    assert ("MODE=none" in done.stderr) is refused
    if refused:
        assert check(files, GIVEN.replace("none", "simulated")).returncode == 0, "with a UPS of ours it is mended"


def test_without_a_network_it_is_a_matter_of_time() -> None:
    done = check(FRESH)
    assert done.returncode == 75, done.stderr
    assert "Sumber paket Debian tidak dapat dihubungi" in done.stderr


def test_all_problems_are_told_at_once_and_the_lasting_kind_wins() -> None:
    done = check(f"{FRESH}; {OTHER_SYSTEM}; {OLD_CLOCK}", hardware=LITTLE_MEMORY)
    assert done.returncode == 78
    assert "3 hal di atas" in done.stderr


def test_the_same_in_english() -> None:
    done = check(f"{OTHER_SYSTEM}", f"{GIVEN} --lang en", LITTLE_MEMORY)
    assert done.returncode == 78
    assert "SLRT-P03  This machine runs Ubuntu 24.04" in done.stderr
    assert "Cause: With less the services end by themselves." in done.stderr
    assert "To be mended first: 2" in done.stderr


def test_another_user_is_told_to_use_sudo() -> None:
    nobody = "setpriv --reuid=65534 --regid=65534 --clear-groups"
    done = in_a_machine("", f"cat provision/shell/*.sh install.sh | {nobody} bash -s -- check {GIVEN}")
    assert done.returncode == 78
    assert "sudo ./install.sh" in done.stderr


def test_installing_stops_at_the_same_questions() -> None:
    done = in_a_machine(OTHER_SYSTEM, f"./install.sh {GIVEN}")
    assert done.returncode == 78
    assert "Belum ada yang diubah" in done.stderr
    assert "CHANGED" not in done.stderr


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("--unattended", "--district 73.03"),
        ("--unattended --district 7303", "--district 7303"),
        ("--unattended --district 73.99", "73.99: tidak ada kabupaten/kota"),
        ("--unattended --district 73.03 --hostname Slrt_1", "--hostname Slrt_1"),
        ("--unattended --district 73.03 --hostname -x", "--hostname -x"),
        ("--unattended --district 73.03 --admin A", "--admin A"),
        ("--unattended --district 73.03 --ups apc", "--ups apc"),
        ("--unattended --district 73.03 --ups driver", "--ups-driver nutdrv_qx"),
        ("--unattended --district 73.03 --ups driver --ups-driver ../x", "--ups-driver ../x"),
        ("--unattended --district 73.03 --ups-lan kantor", "--ups-lan kantor"),
        ("--unattended --district", "--district memerlukan nilai"),
        ("--quietly", "--quietly tidak dikenal"),
        ("frobnicate", "frobnicate tidak dikenal"),
    ],
)
def test_a_wrong_word_is_named(options: str, told: str) -> None:
    done = in_a_machine("", f"./install.sh {options}")
    assert done.returncode == 2, done.stderr
    assert told in done.stderr
    assert "CHANGED" not in done.stderr


def test_at_a_terminal_it_asks_and_takes_what_stands_in_brackets() -> None:
    """Three times Enter and one answer; then the machine is judged. A terminal that hangs up is an end, not an answer."""
    answers = r"printf '51.71\n\n\nnone\n'"
    command = "./install.sh check --hardware-root /run/hardware"
    asked = in_a_machine(FRESH, f"{answers} | script --quiet --return --command '{command}' /dev/null")
    assert "Kode kabupaten/kota Kemendagri [73.03]:" in asked.stdout
    assert "dihubungi" in asked.stdout, "it went on to the questions about the machine"
    assert asked.returncode == 75
    hung_up = in_a_machine("", "script --quiet --return --command './install.sh check' /dev/null </dev/null")
    assert hung_up.returncode == 2
    assert "Jawaban terputus" in hung_up.stdout


def test_help_is_no_error() -> None:
    for words in (["--help"], ["-h"], ["help"]):
        done = subprocess.run(["./install.sh", *words], capture_output=True, text=True, check=False, cwd=ROOT)
        assert (done.returncode, done.stderr) == (0, "")
        assert "--district 73.03" in done.stdout


def test_the_name_of_a_release_follows_its_files(tmp_path: Path) -> None:
    packed = subprocess.run(["./install.sh", "pack"], capture_output=True, check=True, cwd=ROOT).stdout
    subprocess.run(["tar", "-x", "-C", str(tmp_path)], input=packed, check=True)

    def release(folder: Path) -> str:
        return subprocess.run([str(folder / "install.sh"), "release"], capture_output=True, text=True, check=True).stdout

    # a copy of a copy is the same release: over SSH nothing is built twice
    first = release(tmp_path)
    assert first == release(ROOT)
    (tmp_path / "appliance" / "__pycache__").mkdir(exist_ok=True)
    (tmp_path / "appliance" / "__pycache__" / "x.pyc").touch()
    assert release(tmp_path) == first
    (tmp_path / "systemd" / "slrt.target").write_text("# changed\n")
    assert release(tmp_path) != first
    (tmp_path / "LICENSE").unlink()
    torn = subprocess.run([str(tmp_path / "install.sh"), "release"], capture_output=True, text=True, check=False)
    assert torn.returncode == 1
    assert "LICENSE" in torn.stderr
