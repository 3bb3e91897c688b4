"""The files in which each network manager of Debian keeps a fixed address. Pure: texts in, texts out."""

from __future__ import annotations

import re

from appliance.lan.rules import Wanted

IFUPDOWN, NETWORKD, NETWORK_MANAGER = "ifupdown", "systemd-networkd", "NetworkManager"
INTERFACES = "/etc/network/interfaces"
OWN_STANZA = "/etc/network/interfaces.d/slrt"
OWN_NETWORK = "/etc/systemd/network/05-slrt.network"
OWN_CONNECTION = "/etc/NetworkManager/system-connections/slrt-kantor.nmconnection"
CONNECTION = "slrt-kantor"
SET_ASIDE = "#slrt# "
HEAD = "# The fixed address of this SLRT node. Change it with: sudo slrt network set\n"
_BEGINS = re.compile(r"(iface|mapping|auto|allow-\S+|no-auto-down|no-scripts|source|source-directory|rename|template)\s")


def ifupdown_stanza(card: str, wanted: Wanted) -> str:
    """A file of interfaces.d."""
    lines = [f"auto {card}", f"iface {card} inet static", f"    address {wanted.address}"]
    lines += [f"    gateway {wanted.gateway}"] if wanted.gateway else []
    lines += [f"    dns-nameservers {' '.join(wanted.dns)}"] if wanted.dns else []
    return HEAD + "\n".join(lines) + "\n"


def set_aside(text: str, card: str) -> str:
    """A file of ifupdown without its IPv4 stanza of this card and without who starts it: those lines become comments."""
    kept, inside = [], False
    for line in text.splitlines(keepends=True):
        words = line.split()
        if _BEGINS.match(line.strip() + " "):
            inside = words[:3] == ["iface", card, "inet"]
            starts = words[0] == "auto" or words[0].startswith("allow-")
            if starts and card in words[1:]:
                others = [word for word in words[1:] if word != card]
                kept.append(SET_ASIDE + line)
                kept += [f"{words[0]} {' '.join(others)}\n"] if others else []
                continue
        kept.append(SET_ASIDE + line if inside and words and not line.startswith("#") else line)
    return "".join(kept)


def with_source(text: str) -> str:
    """The main file of ifupdown, reading those of interfaces.d as Debian's own does."""
    reads = any(line.split()[:1] == ["source"] and "interfaces.d/" in line for line in text.splitlines())
    folder = any(line.split()[:1] == ["source-directory"] and "interfaces.d" in line for line in text.splitlines())
    return text if reads or folder else f"{text}\nsource /etc/network/interfaces.d/*\n".lstrip("\n")


def has_stanza(text: str, card: str) -> bool:
    """Whether a file of ifupdown sets up this card."""
    return any(line.split()[:2] == ["iface", card] for line in text.splitlines())


def is_fixed_stanza(text: str, card: str) -> bool:
    """Whether it gives the card a fixed IPv4 address."""
    return any(line.split()[:4] == ["iface", card, "inet", "static"] for line in text.splitlines())


def networkd_file(card: str, wanted: Wanted) -> str:
    """A .network file; its name sorts before the others, so it is the one that counts."""
    lines = ["[Match]", f"Name={card}", "", "[Network]", f"Address={wanted.address}"]
    lines += [f"Gateway={wanted.gateway}"] if wanted.gateway else []
    lines += [f"DNS={one}" for one in wanted.dns]
    return HEAD + "\n".join([*lines, "IPv6AcceptRA=yes"]) + "\n"


def network_manager_file(card: str, wanted: Wanted) -> str:
    """A keyfile; NetworkManager reads it only when nobody else may."""
    way = f"{wanted.address},{wanted.gateway}" if wanted.gateway else str(wanted.address)
    servers = f"dns={';'.join(wanted.dns)};\n" if wanted.dns else ""
    return (
        f"{HEAD}[connection]\nid={CONNECTION}\ntype=ethernet\ninterface-name={card}\nautoconnect=true\nautoconnect-priority=100\n\n"
        f"[ipv4]\nmethod=manual\naddress1={way}\n{servers}\n[ipv6]\nmethod=auto\n"
    )


def resolv_conf(wanted: Wanted) -> str:
    """The list of name servers, where nobody else keeps it."""
    return HEAD + "".join(f"nameserver {one}\n" for one in wanted.dns)
