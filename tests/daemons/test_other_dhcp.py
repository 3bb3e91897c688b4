"""Whether somebody else hands out addresses, asked of a real dnsmasq over a cable; and the packets that prove nothing."""

from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from appliance.config import NetworkSettings, Settings
from appliance.lan.cards import Card
from provision.dhcp import offering, question
from provision.steps.network import names_text
from tests.support.two_ends import TwoEnds, two_ends
from tests.support.waiting import wait_for

DNS = (Path(__file__).parents[2] / "provision/templates/network/dns.conf").read_text()
NODE, ROUTER = "192.168.1.10", "192.168.1.1"
ASK = "import json, sys; from provision.dhcp import other_servers; json.dump(other_servers('cable', sys.argv[2:], float(sys.argv[1])), sys.stdout)"


@pytest.fixture(scope="module")
def ends() -> Iterator[TwoEnds]:
    with two_ends([f"{NODE}/24"], [f"{ROUTER}/24"], []) as wired:
        yield wired


def asked(ends: TwoEnds, *own: str, seconds: float = 20) -> list[str]:
    done = ends.on_node(sys.executable, "-c", ASK, str(seconds), *own)
    assert done.returncode == 0, done.stderr
    found: list[str] = json.loads(done.stdout)
    return found


@pytest.fixture
def router(ends: TwoEnds, tmp_path: Path) -> Iterator[None]:
    """The office's router, handing out addresses."""
    assert shutil.which("dnsmasq", path="/usr/sbin:/usr/bin"), "missing dnsmasq: apt-get install dnsmasq-base"
    serve = ["ip", "netns", "exec", ends.office, "/usr/sbin/dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=0"]
    serve += ["--user=root", "--dhcp-range=192.168.1.100,192.168.1.150,1h", "--interface=cable", "--bind-interfaces", "--no-ping"]
    serve += [f"--dhcp-leasefile={tmp_path}/leases", "--pid-file=", "--log-facility=-"]
    with (tmp_path / "log").open("wb") as log, subprocess.Popen(serve, stdout=log, stderr=log) as process:
        try:
            wait_for(lambda: b"DHCP, IP range" in (tmp_path / "log").read_bytes())
            yield
        finally:
            process.kill()


def test_a_router_that_hands_out_addresses_is_found_and_nobody_else(ends: TwoEnds, router: None) -> None:
    assert asked(ends, NODE, seconds=4) == [ROUTER]
    assert asked(ends, NODE, ROUTER, seconds=4) == [], "the node itself is nobody else"


def test_the_file_of_a_node_that_hands_out_addresses_does_so(ends: TwoEnds, tmp_path: Path) -> None:
    """The other end is the device that asks."""
    network = NetworkSettings(dhcp="192.168.1.100-192.168.1.150")
    text = names_text(DNS, dataclasses.replace(Settings(), network=network), Card("cable", ROUTER))
    (tmp_path / "dns.conf").write_text(text)
    serve = ["ip", "netns", "exec", ends.node, "/usr/sbin/dnsmasq", "--keep-in-foreground", f"--conf-file={tmp_path}/dns.conf"]
    serve += ["--user=root", f"--dhcp-leasefile={tmp_path}/leases", "--pid-file=", "--log-facility=-"]
    asking = ["ip", "netns", "exec", ends.office, sys.executable, "-c", ASK, "4", ROUTER]
    with (tmp_path / "log").open("wb") as log, subprocess.Popen(serve, stdout=log, stderr=log) as process:
        try:
            wait_for(lambda: b"DHCP, IP range" in (tmp_path / "log").read_bytes())
            done = subprocess.run(asking, capture_output=True, text=True, check=True)
        finally:
            process.kill()
    assert json.loads(done.stdout) == [NODE]


def test_a_network_without_one_is_silent(ends: TwoEnds) -> None:
    assert asked(ends, NODE, seconds=1) == []


def reply(number: int, kind: int = 2, server: bytes = bytes([192, 168, 1, 1])) -> bytes:
    packet = bytearray(question(number, bytes(6)))
    packet[0] = 2
    return bytes(packet[:240]) + bytes([0, 53, 1, kind, 54, len(server), *server, 255])


@pytest.mark.parametrize(
    ("packet", "server"),
    [
        (reply(7), "192.168.1.1"),
        (reply(8), ""),
        (reply(7, kind=5), ""),
        (reply(7, server=b""), ""),
        (question(7, bytes(6)), ""),
        (reply(7)[:239], ""),
        (reply(7)[:-6], ""),
    ],
)
def test_only_an_offer_to_this_question_counts(packet: bytes, server: str) -> None:
    assert offering(packet, 7) == server


@given(some.binary(max_size=60), some.integers(0, 239))
def test_no_packet_breaks_the_reader(tail: bytes, cut: int) -> None:
    offering(tail, 7)
    offering(reply(7)[:240] + tail, 7)
    offering(reply(7)[:cut] + tail, 7)
