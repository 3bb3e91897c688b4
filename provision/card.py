"""The network card of a machine that faces the office: its name and the way out, as the kernel has them now."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from appliance.errors import ConfigurationError
from provision.host import Host


@dataclass(frozen=True)
class Card:
    """`gateway` is empty where there is no way out."""

    name: str
    gateway: str = ""


def office_card(host: Host, wished: str = "") -> Card:
    """The card that was wished, else the one with the way out, else one with an address, else any. Raises ConfigurationError."""
    routes = sorted(_asked(host, "route", "show", "default"), key=lambda route: route.get("metric", 0))
    names = {route["dev"]: route.get("gateway", "") for route in reversed(routes) if "dev" in route}
    if wished:
        return Card(wished, names.get(wished, ""))
    if routes:
        return Card(routes[0]["dev"], routes[0].get("gateway", ""))
    links = [link for link in _asked(host, "address", "show") if link.get("ifname", "lo") != "lo"]
    addressed = [link for link in links if any(one.get("family") == "inet" for one in link.get("addr_info", ()))]
    for link in (*addressed, *links):
        return Card(link["ifname"])
    raise ConfigurationError(
        "Mesin ini tidak mempunyai kartu jaringan.", "Periksa kartu dan kabelnya, atau sebutkan di [network] interface."
    )


def _asked(host: Host, *words: str) -> list[dict[str, Any]]:
    outcome = host.run(["ip", "-j", *words])
    try:
        found: list[dict[str, Any]] = json.loads(outcome.output or "[]")
    except ValueError:
        return []
    return found
