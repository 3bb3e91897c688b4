"""What the value of a setting may be, and how one that holds several things is read. Pure."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

Check = Callable[[Any], bool]


def between(low: float, high: float) -> Check:
    """Not less than `low` and not more than `high`."""
    return lambda value: low <= value <= high


def matches(pattern: str) -> Check:
    """The pattern from beginning to end."""
    return lambda value: re.fullmatch(pattern, value) is not None


def is_zone(value: str) -> bool:
    """The name of a time zone that this machine knows."""
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError):
        return False
    return True


absolute = matches(r"/.*")
# what can stand between quotes in NUT's files without ending them
_NUT_VALUE = r"[A-Za-z0-9 ._:/@^*|()-]*"
_NUT_OPTION = rf"[a-z][A-Za-z0-9_.-]*( *= *{_NUT_VALUE})?"
_NUT_OPTIONS = rf"({_NUT_OPTION}( *; *{_NUT_OPTION})*)?"
# Said elsewhere, or known to end in a shutdown on mains or in a driver that no longer notices a pulled cable.
_NUT_REFUSED = {
    "driver",
    "port",
    "desc",
    "pollonly",
    "onlinedischarge",
    "onlinedischarge_onbattery",
    "onlinedischarge_calibration",
}


def driver_options(text: str) -> dict[str, str]:
    """NUT's options of one driver from `a=1; b`: name → value, empty for a mere flag."""
    parts = (part.partition("=") for part in text.split(";") if part.strip())
    return {name.strip(): value.strip() for name, _, value in parts}


def are_driver_options(text: str) -> bool:
    """Options of NUT that a driver may be given here."""
    return re.fullmatch(_NUT_OPTIONS, text) is not None and not _NUT_REFUSED & driver_options(text).keys()


def is_lan_address(text: str) -> bool:
    """Empty, or one IPv4 address of an office network: no loopback, no "all addresses", nothing of the internet."""
    if not text:
        return True
    try:
        address = ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return address.is_private and not (address.is_loopback or address.is_unspecified or address.is_link_local)


def split_list(text: str) -> tuple[str, ...]:
    """The parts of a setting that lists several things, separated by commas."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def are_office_networks(text: str) -> bool:
    """Addresses or networks of an office, none of the internet and none of this machine alone."""
    try:
        found = [ipaddress.ip_network(part) for part in split_list(text)]
    except ValueError:
        return False
    return all(one.is_private and not (one.is_loopback or one.is_unspecified) for one in found)


def are_addresses(text: str) -> bool:
    """Empty, or addresses separated by commas."""
    try:
        return all(ipaddress.ip_address(part) for part in split_list(text))
    except ValueError:
        return False


def address_range(text: str) -> tuple[ipaddress.IPv4Address, ipaddress.IPv4Address] | None:
    """First and last address of a range such as "192.168.1.100-192.168.1.200"; None for an empty text. Raises ValueError."""
    if not text:
        return None
    first, _, last = text.partition("-")
    return ipaddress.IPv4Address(first.strip()), ipaddress.IPv4Address(last.strip())


def is_office_range(text: str) -> bool:
    """Empty, or a range of less than 4096 addresses of an office."""
    try:
        found = address_range(text)
    except ValueError:
        return False
    return found is None or (
        found[0] <= found[1] and int(found[1]) - int(found[0]) < 4096 and all(one.is_private for one in found)
    )
