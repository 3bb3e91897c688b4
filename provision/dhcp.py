"""Who else hands out addresses on the office network: one question to everybody, as a device without an address asks it (RFC 2131).

Two devices that hand out addresses take turns in making an office unreachable, so this is asked before the node becomes one.
"""

from __future__ import annotations

import ipaddress
import secrets
import socket
import struct
import time
from collections.abc import Collection
from pathlib import Path

SERVER_PORT, CLIENT_PORT = 67, 68
REQUEST, REPLY = 1, 2
ETHERNET, HARDWARE_LENGTH, BROADCAST = 1, 6, 0x8000
COOKIE = bytes([99, 130, 83, 99])
KIND, SERVER, ASKED_FOR, END = 53, 54, 55, 255
DISCOVER, OFFER = 1, 2
HEAD = struct.Struct("!BBBBIHH4s4s4s4s16s64s128s")


def question(number: int, hardware: bytes) -> bytes:
    """ "Does anybody have an address for me?", in the name of a card; the answer shall go to everybody."""
    nobody = bytes(4)
    head = HEAD.pack(
        REQUEST, ETHERNET, HARDWARE_LENGTH, 0, number, 0, BROADCAST, nobody, nobody, nobody, nobody, hardware, b"", b""
    )
    return head + COOKIE + bytes([KIND, 1, DISCOVER, ASKED_FOR, 2, 1, 3, END])


def offering(packet: bytes, number: int) -> str:
    """The address of the server that answers question `number` with an offer; empty for any other packet."""
    if len(packet) < HEAD.size + len(COOKIE) or packet[HEAD.size :][: len(COOKIE)] != COOKIE:
        return ""
    kind, _, _, _, found, *_ = HEAD.unpack_from(packet)
    options = _options(packet[HEAD.size + len(COOKIE) :])
    server = options.get(SERVER, b"")
    if (kind, found, options.get(KIND)) != (REPLY, number, bytes([OFFER])) or len(server) != 4:
        return ""
    return str(ipaddress.IPv4Address(server))


def _options(text: bytes) -> dict[int, bytes]:
    found, place = {}, 0
    while place + 1 < len(text) and text[place] != END:
        if text[place] == 0:
            place += 1
            continue
        length = text[place + 1]
        found[text[place]] = text[place + 2 : place + 2 + length]
        place += 2 + length
    return found


def other_servers(card: str, own: Collection[str], seconds: float = 4.0) -> list[str]:
    """The addresses of those who offer one on this card within `seconds`, without our `own`. Needs root. Raises OSError."""
    hardware = bytes.fromhex(Path(f"/sys/class/net/{card}/address").read_text().strip().replace(":", ""))
    number, found, until = secrets.randbits(32), set(), time.monotonic() + seconds
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        asking.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        asking.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, card.encode())
        asking.bind(("", CLIENT_PORT))
        asking.sendto(question(number, hardware), ("255.255.255.255", SERVER_PORT))
        while (left := until - time.monotonic()) > 0:
            asking.settimeout(left)
            try:
                found.add(offering(asking.recv(2048), number))
            except TimeoutError:
                break
    return sorted(found - {"", *own})
