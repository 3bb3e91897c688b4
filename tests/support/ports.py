"""Ports of the loopback for servers that must be told theirs before they start."""

from __future__ import annotations

import random
import socket
from pathlib import Path

LOWEST = 10_000
RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_port() -> int:
    """A port of loopback that nobody uses now, and that the system gives to nobody meanwhile.

    Not one that the system chooses: it may choose the same a moment later for another test, and the server that was told it finds it
    taken.
    """
    # where the system's range begins lower still, nothing outside of it is left to choose from
    ceiling = max(int(RANGE.read_text().split()[0]), LOWEST + 1000)
    while True:
        port = random.SystemRandom().randrange(LOWEST, ceiling)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
