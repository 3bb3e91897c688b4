"""What an address for the node must be, and all that is wrong with one. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv4Interface, NetmaskValueError

MOST_SERVERS = 3
WIDEST, NARROWEST = 8, 30
CARRIES = "Contoh: 192.168.1.10/24 (alamat, garis miring, panjang jaringan)."


@dataclass(frozen=True)
class Wanted:
    """The address that the node shall have; `gateway` is empty where there is no way out."""

    address: IPv4Interface
    gateway: str = ""
    dns: tuple[str, ...] = ()

    @property
    def host(self) -> str:
        """The address alone, as it stands in a browser."""
        return str(self.address.ip)


@dataclass(frozen=True)
class Present:
    """How the node is on the network now. `manager` names who sets up the card, empty when nobody known does."""

    card: str
    addresses: tuple[str, ...]
    gateway: str
    dns: tuple[str, ...]
    manager: str
    fixed: bool


@dataclass(frozen=True)
class Typed:
    """What somebody typed."""

    address: str
    gateway: str = ""
    dns: str = ""


def read_wanted(typed: Typed) -> tuple[Wanted | None, dict[str, str]]:
    """The address that was typed, or what is wrong with it: field → sentence."""
    problems: dict[str, str] = {}
    address = _interface(typed.address, problems)
    gateway = _gateway(typed.gateway.strip(), address, problems)
    servers = _servers(typed.dns, problems)
    return (None, problems) if address is None or problems else (Wanted(address, gateway, servers), {})


def _interface(text: str, problems: dict[str, str]) -> IPv4Interface | None:
    try:
        found = IPv4Interface("".join(text.split()))
    except (AddressValueError, NetmaskValueError, ValueError):
        problems["address"] = f"Ini bukan alamat IPv4. {CARRIES}"
        return None
    length, network = found.network.prefixlen, found.network
    if "/" not in text or not WIDEST <= length <= NARROWEST:
        problems["address"] = f"Tulis juga panjang jaringannya, dari /{WIDEST} sampai /{NARROWEST}. {CARRIES}"
    elif not found.ip.is_private or found.ip.is_loopback or found.ip.is_link_local or found.ip.is_unspecified:
        problems["address"] = "Pakai alamat jaringan kantor: 10.…, 172.16.… sampai 172.31.…, atau 192.168.…"
    elif found.ip == network.network_address:
        problems["address"] = f"{found.ip} adalah nama jaringannya sendiri, bukan alamat sebuah mesin."
    elif found.ip == network.broadcast_address:
        problems["address"] = f"{found.ip} dipakai untuk menyapa semua mesin, bukan alamat sebuah mesin."
    return None if problems else found


def _gateway(text: str, address: IPv4Interface | None, problems: dict[str, str]) -> str:
    if not text:
        return ""
    try:
        gateway = IPv4Address(text)
    except AddressValueError:
        problems["gateway"] = "Ini bukan alamat IPv4. Contoh: 192.168.1.1; boleh dikosongkan."
        return ""
    if address is None:
        return text
    network = address.network
    if gateway not in network or gateway in (network.network_address, network.broadcast_address):
        problems["gateway"] = f"Gerbang {gateway} tidak berada di jaringan {network}."
    elif gateway == address.ip:
        problems["gateway"] = "Gerbang harus mesin lain, biasanya router kantor."
    return str(gateway)


def _servers(text: str, problems: dict[str, str]) -> tuple[str, ...]:
    found = tuple(text.replace(",", " ").split())
    try:
        servers = tuple(str(IPv4Address(one)) for one in found)
    except AddressValueError:
        problems["dns"] = "Tulis alamat IPv4 saja, dipisahkan koma. Boleh dikosongkan."
        return ()
    if len(servers) > MOST_SERVERS:
        problems["dns"] = f"Paling banyak {MOST_SERVERS} server nama."
    return servers


def why_pointless(wanted: Wanted, present: Present) -> str:
    """Why nothing would change; empty when something would."""
    same = present.fixed and present.addresses == (str(wanted.address),)
    if same and present.gateway == wanted.gateway and set(wanted.dns) <= set(present.dns):
        return f"Simpul ini sudah memakai alamat tetap {wanted.address}."
    return ""
