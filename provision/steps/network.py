"""The node on the office network: what may be reached of it, the names and addresses it gives, the time it tells."""

from __future__ import annotations

import ipaddress
import re
import string
from dataclasses import dataclass

from appliance.config import NetworkSettings, Settings
from appliance.config_values import address_range, split_list
from appliance.lan.cards import Card
from appliance.lan.rules import Wanted
from provision.change import Absent, Change, Command, File, Running, insist
from provision.host import Host
from provision.interface import office_card
from provision.step import PROVISION, SLRT, Site, Step

TEMPLATES = "provision/templates/network"
RULES = "/etc/slrt/firewall.nft"
NAMES = "/etc/slrt/dns.conf"
NAMES_DHCP = "/etc/systemd/system/slrt-dns.service.d/dhcp.conf"
TIME = "/etc/chrony/conf.d/slrt.conf"
TIME_DROP_IN = "/etc/systemd/system/chrony.service.d/slrt.conf"
TIME_CONTAINER = "/etc/systemd/system/chrony.service.d/container.conf"
PACKAGES = ("nftables", "dnsmasq-base", "chrony", "iproute2", "iputils-arping")
OFFICE = ("10.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fe80::/10")
UPS_PORT = 3493
_OTHER_DHCP = (PROVISION, "other-dhcp")
_SSH_PEERS = ("ss", "-Htn", "state", "established", "sport = :22")


def firewall(site: Site) -> Step:
    """Everything is closed to the office network but what the node is there for."""
    rules = File(RULES, rules_text(site.text(f"{TEMPLATES}/firewall.nft").decode(), site.settings).encode())
    return Step("tembok-api", "Tembok api", (rules, Running("slrt-firewall.service", (RULES,))))


def rules_text(template: str, settings: Settings) -> str:
    """nftables' file for these settings."""
    named = [ipaddress.ip_network(text) for text in split_list(settings.network.ssh_from) or OFFICE]
    # a device without an address yet asks from 0.0.0.0
    dhcp = "udp sport 68 udp dport 67 accept" if settings.network.dhcp else "# no DHCP here"
    ups = f"tcp dport {UPS_PORT} accept" if settings.power.lan_address else "# the UPS is shared with nobody"
    words = {"ssh4": _elements(named, 4), "ssh6": _elements(named, 6), "dhcp_server": dhcp, "ups_clients": ups}
    return string.Template(template).substitute(words)


def _elements(networks: list[ipaddress.IPv4Network | ipaddress.IPv6Network], version: int) -> str:
    found = list(ipaddress.collapse_addresses(one for one in networks if one.version == version))  # type: ignore[type-var]
    return f"elements = {{ {', '.join(map(str, found))} }}" if found else "# from nowhere"


@dataclass(frozen=True)
class NamesFile:
    """dnsmasq's file, for the card of the office that the machine has."""

    template: str
    settings: Settings
    path: str = NAMES

    def describe(self) -> str:
        return f"tulis {self.path} (nama simpul untuk jaringan kantor)"

    def is_done(self, host: Host) -> bool:
        return self._file(host).is_done(host)

    def perform(self, host: Host) -> None:
        self._file(host).perform(host)

    def _file(self, host: Host) -> File:
        card = office_card(host, self.settings.network.interface)
        return File(self.path, names_text(self.template, self.settings, card).encode())


def names_text(template: str, settings: Settings, card: Card) -> str:
    """dnsmasq's file for these settings and this card."""
    upstream = [f"server={text}" for text in split_list(settings.network.upstream_dns)] or ["# nobody is asked for other names"]
    words = {"interface": card.name, "hostname": settings.node.hostname, "upstream": "\n".join(upstream)}
    return string.Template(template).substitute(words, dhcp="\n".join(_dhcp_lines(settings, card)))


def _dhcp_lines(settings: Settings, card: Card) -> list[str]:
    served = address_range(settings.network.dhcp)
    if served is None:
        return ["# addresses are handed out by another device"]
    return [
        f"dhcp-range={served[0]},{served[1]},12h",
        "dhcp-authoritative",
        "domain=home.arpa",
        # without a value nobody takes this node for a router, which it is not
        f"dhcp-option=option:router{f',{card.gateway}' if card.gateway else ''}",
        "dhcp-option=option:ntp-server,0.0.0.0",
    ]


@dataclass(frozen=True)
class AloneWithDhcp:
    """Nobody else hands out addresses. Asked before the node begins to; later it is somebody else's device that came on top."""

    def describe(self) -> str:
        return "pastikan tidak ada perangkat lain yang membagikan alamat (DHCP)"

    def is_done(self, host: Host) -> bool:
        return b"dhcp-range=" in (host.read(NAMES) or b"") or host.run(_OTHER_DHCP).worked

    def perform(self, host: Host) -> None:
        insist(host, _OTHER_DHCP)


def names(site: Site) -> Step:
    """The node's names for whoever asks it, and addresses where it is the one that hands them out."""
    changes: list[Change] = []
    if site.settings.network.dhcp:
        changes.append(AloneWithDhcp())
    changes.append(NamesFile(site.text(f"{TEMPLATES}/dns.conf").decode(), site.settings))
    changes.append(Running("slrt-dns.service", (NAMES, NAMES_DHCP)))
    return Step("nama-dns", "Nama di jaringan (DNS)", tuple(changes))


def drop_ins(site: Site) -> tuple[Change, ...]:
    """What is added to the units of names and time, by these settings and on this machine."""
    dhcp = File(NAMES_DHCP, site.text(f"{TEMPLATES}/dns-dhcp.conf"))
    container = OnlyInContainer(File(TIME_CONTAINER, site.text(f"{TEMPLATES}/chrony-container.conf")))
    return (dhcp if site.settings.network.dhcp else Absent(NAMES_DHCP), container)


@dataclass(frozen=True)
class OnlyInContainer:
    """A file that a container needs and a machine must not have."""

    file: File

    @property
    def path(self) -> str:
        """Where it is, or is not."""
        return self.file.path

    def describe(self) -> str:
        return self.file.describe()

    def is_done(self, host: Host) -> bool:
        wanted: Change = self.file if _is_container(host) else Absent(self.file.path)
        return wanted.is_done(host)

    def perform(self, host: Host) -> None:
        wanted: Change = self.file if _is_container(host) else Absent(self.file.path)
        wanted.perform(host)


def _is_container(host: Host) -> bool:
    return host.run(["systemd-detect-virt", "--container", "--quiet"]).worked


def time(site: Site) -> Step:
    """One time for all devices of the office, also without internet."""
    changes = (
        File(TIME, site.text(f"{TEMPLATES}/chrony.conf")),
        Running("chrony.service", (TIME, TIME_DROP_IN, TIME_CONTAINER)),
    )
    return Step("waktu", "Waktu jaringan", changes)


def address(site: Site) -> Step:
    """The fixed address that was wished: tried like one from the pages, and kept without a confirmation."""
    return Step("alamat", "Alamat tetap", (_fixed(site.address),) if site.address else ())


def _fixed(wanted: Wanted) -> Command:
    words = [SLRT, "network", "keep", "--address", str(wanted.address)]
    words += ["--gateway", wanted.gateway] if wanted.gateway else []
    words += ["--dns", ",".join(wanted.dns)] if wanted.dns else []
    return Command(f"pakai alamat tetap {wanted.address}", (*words, "--check"), tuple(words))


def keep_connected(known: NetworkSettings, host: Host) -> tuple[str, ...]:
    """The addresses from which somebody works over SSH now and which the settings would shut out; they have to stay let in.

    An installation over SSH must not cut itself off.
    """
    if not known.ssh_from:
        return ()
    named = [ipaddress.ip_network(text) for text in split_list(known.ssh_from)]
    outside = []
    for line in host.run(_SSH_PEERS).output.splitlines():
        found = re.search(r"(\[?[0-9a-fA-F.:]+(?:%\w+)?\]?):\d+\s*$", line)
        peer = ipaddress.ip_address(found[1].strip("[]").split("%")[0].removeprefix("::ffff:")) if found else None
        if peer is None or peer.is_loopback or any(peer in one for one in named):
            continue
        outside.append(str(peer))
    return tuple(dict.fromkeys(outside))
