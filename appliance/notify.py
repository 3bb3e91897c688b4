"""Telling systemd how a daemon is: ready, alive, stopping. A datagram to the socket that systemd names; nothing without one.

The two variables are systemd's own protocol (sd_notify(3)), so they are read here and nowhere else.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from datetime import timedelta


def notify(state: str, environment: Mapping[str, str] = os.environ) -> bool:
    """Send one state, such as "READY=1", "WATCHDOG=1" or "STATUS=...". Returns whether somebody was told; never raises."""
    address = environment.get("NOTIFY_SOCKET", "")
    if not address:
        return False
    # A leading @ means an abstract socket, which the kernel knows by a zero byte.
    name = "\0" + address[1:] if address.startswith("@") else address
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as door:
            door.connect(name)
            door.sendall(state.encode())
    except OSError:
        return False
    return True


def watchdog_interval(environment: Mapping[str, str] = os.environ, *, any_process: bool = False) -> timedelta | None:
    """How often to send "WATCHDOG=1": half of what the unit allows. None when the unit has no watchdog for this process.

    `any_process`: for a child of the unit's main process, where the unit lets all of its processes speak.
    """
    if not any_process and environment.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    allowed = environment.get("WATCHDOG_USEC", "")
    return timedelta(microseconds=int(allowed)) / 2 if allowed.isdigit() and int(allowed) else None
