"""Which network card faces the office, from what `ip -j` tells. Pure; also for the one who sets up the machine."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

ROUTES = ("ip", "-j", "route", "show", "default")
ADDRESSES = ("ip", "-j", "address", "show")


@dataclass(frozen=True)
class Card:
    """A card and the way out through it (empty without one)."""

    name: str
    gateway: str = ""


def choose_card(routes: str, addresses: str, wished: str = "") -> Card | None:
    """The card that was wished, else the one with the way out, else one with an address, else any; None without a card.

    `routes` and `addresses` are the outputs of ROUTES and ADDRESSES.
    """
    out = sorted((one for one in read_json(routes) if "dev" in one), key=lambda one: one.get("metric", 0))
    gateways = {one["dev"]: one.get("gateway", "") for one in reversed(out)}
    links = [link for link in read_json(addresses) if link.get("ifname", "lo") != "lo"]
    addressed = [link for link in links if any(one.get("family") == "inet" for one in link.get("addr_info", ()))]
    names = [wished] if wished else [one["dev"] for one in out] + [link["ifname"] for link in (*addressed, *links)]
    return Card(names[0], gateways.get(names[0], "")) if names else None


def read_json(text: str) -> list[dict[str, Any]]:
    """The list that `ip -j` printed; empty for anything else."""
    try:
        found: list[dict[str, Any]] = json.loads(text or "[]")
    except ValueError:
        return []
    return found
