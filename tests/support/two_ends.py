"""Two network namespaces with a cable between them: a node's end with open ports, and an office's end that knocks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

PATIENCE, DOUBT = 30.0, 0.7  # seconds for who is let in, and for who is believed to be dropped

LISTEN = """
import socket, sys, threading
def tcp(family, port):
    taken = socket.create_server(("", port), family=family, dualstack_ipv6=False)
    while True:
        taken.accept()[0].close()
def udp(family, port):
    taken = socket.socket(family, socket.SOCK_DGRAM)
    if family == socket.AF_INET6:
        taken.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    taken.bind(("", port))
    while True:
        said, who = taken.recvfrom(100)
        taken.sendto(said, who)
for port in map(int, sys.argv[1:]):
    for family in (socket.AF_INET, socket.AF_INET6):
        for serve in (tcp, udp):
            threading.Thread(target=serve, args=(family, port), daemon=True).start()
sys.stdin.read()
"""
KNOCK = """
import json, socket, sys, time
from concurrent.futures import ThreadPoolExecutor
def knock(door):
    kind, source, target, port, patience = door
    family = socket.AF_INET6 if ":" in target else socket.AF_INET
    until = time.monotonic() + patience
    while time.monotonic() < until:
        with socket.socket(family, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM) as one:
            one.settimeout(0.7)
            try:
                one.bind((source, 0))
                one.connect((target, port))
                if kind == "udp":
                    one.send(b"x")
                    one.recv(10)
                return True
            except OSError:
                time.sleep(0.02)
    return False
doors = json.load(sys.stdin)
with ThreadPoolExecutor(len(doors)) as pool:
    json.dump(list(pool.map(knock, doors)), sys.stdout)
"""


@dataclass(frozen=True)
class Door:
    """A port of the node, tried from an address of the office's end; `opens` is what is expected."""

    kind: str
    port: int
    source: str
    target: str
    opens: bool


@dataclass(frozen=True)
class TwoEnds:
    """The names of the two namespaces."""

    node: str
    office: str

    def on_node(self, *command: str, given: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command at the node's end."""
        inside = ["ip", "netns", "exec", self.node, *command]
        return subprocess.run(inside, input=given, capture_output=True, text=True, check=False)

    def knock(self, doors: Sequence[Door]) -> list[bool]:
        """Which of the doors open."""
        asked = [(door.kind, door.source, door.target, door.port, PATIENCE if door.opens else DOUBT) for door in doors]
        command = ["ip", "netns", "exec", self.office, sys.executable, "-c", KNOCK]
        done = subprocess.run(command, input=json.dumps(asked), capture_output=True, text=True, check=True)
        found: list[bool] = json.loads(done.stdout)
        return found


@contextmanager
def two_ends(node: Sequence[str], office: Sequence[str], ports: Sequence[int]) -> Iterator[TwoEnds]:
    """Both ends with these addresses (with prefix lengths), the node listening on `ports` over TCP and UDP. Needs root."""
    assert os.geteuid() == 0, "network namespaces need root"
    ends = TwoEnds(f"slrt-n{os.getpid()}", f"slrt-o{os.getpid()}")
    try:
        for name in (ends.node, ends.office):
            _ip("netns", "add", name)
        _ip("-n", ends.node, "link", "add", "cable", "type", "veth", "peer", "name", "cable", "netns", ends.office)
        for name, addresses in ((ends.node, node), (ends.office, office)):
            for address in addresses:
                _ip("-n", name, "address", "add", address, "dev", "cable", *(["nodad"] if ":" in address else []))
            _ip("-n", name, "link", "set", "lo", "up")
            _ip("-n", name, "link", "set", "cable", "up")
        serve = ["ip", "netns", "exec", ends.node, sys.executable, "-c", LISTEN, *map(str, ports)]
        with subprocess.Popen(serve, stdin=subprocess.PIPE) as process:
            try:
                yield ends
            finally:
                process.kill()
    finally:
        for name in (ends.node, ends.office):
            subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], capture_output=True, check=True)
