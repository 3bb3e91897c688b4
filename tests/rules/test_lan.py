"""What an address for the node must be, and what each network manager is told. Tables."""

from __future__ import annotations

import pytest

from appliance.lan import files
from appliance.lan.cards import Card, choose_card
from appliance.lan.rules import Present, Typed, Wanted, read_wanted, why_pointless

ADDRESS, GATEWAY = "192.168.1.10/24", "192.168.1.1"


def wanted(address: str = ADDRESS, gateway: str = GATEWAY, dns: str = "192.168.1.1, 9.9.9.9") -> Wanted:
    found, problems = read_wanted(Typed(address, gateway, dns))
    assert found is not None, problems
    return found


@pytest.mark.parametrize(
    "typed",
    [
        Typed(ADDRESS),
        Typed(" 10.0.0.5 / 8 ", "10.255.0.1"),
        Typed("172.31.4.2/30", "172.31.4.1"),
        Typed(ADDRESS, GATEWAY, "9.9.9.9 192.168.1.1"),
    ],
)
def test_a_right_address_is_taken(typed: Typed) -> None:
    assert read_wanted(typed)[1] == {}


@pytest.mark.parametrize(
    ("typed", "wrong"),
    [
        (Typed(""), {"address"}),
        (Typed("kantor"), {"address"}),
        (Typed("192.168.1.10"), {"address"}),
        (Typed("192.168.1.10/33"), {"address"}),
        (Typed("192.168.1.10/31"), {"address"}),
        (Typed("10.1.2.3/7"), {"address"}),
        (Typed("192.168.1.0/24"), {"address"}),
        (Typed("192.168.1.255/24"), {"address"}),
        (Typed("8.8.8.8/24"), {"address"}),
        (Typed("127.0.0.1/8"), {"address"}),
        (Typed("169.254.3.3/16"), {"address"}),
        (Typed("0.0.0.0/8"), {"address"}),
        (Typed("fd00::1/64"), {"address"}),
        (Typed(ADDRESS, "192.168.2.1"), {"gateway"}),
        (Typed(ADDRESS, "192.168.1.255"), {"gateway"}),
        (Typed(ADDRESS, "192.168.1.0"), {"gateway"}),
        (Typed(ADDRESS, "192.168.1.10"), {"gateway"}),
        (Typed(ADDRESS, "router"), {"gateway"}),
        (Typed(ADDRESS, GATEWAY, "dns.kantor"), {"dns"}),
        (Typed(ADDRESS, GATEWAY, "10.0.0.1,10.0.0.2,10.0.0.3,10.0.0.4"), {"dns"}),
        (Typed("kantor", "router", "dns"), {"address", "gateway", "dns"}),
    ],
)
def test_all_that_is_wrong_is_told_at_once(typed: Typed, wrong: set[str]) -> None:
    found, problems = read_wanted(typed)
    assert found is None
    assert set(problems) == wrong


@pytest.mark.parametrize(
    ("addresses", "fixed", "pointless"),
    [
        ((ADDRESS,), True, True),
        ((ADDRESS,), False, False),
        (("192.168.1.11/24",), True, False),
        ((ADDRESS, "10.0.0.1/8"), True, False),
    ],
)
def test_only_the_fixed_address_of_now_is_pointless(addresses: tuple[str, ...], fixed: bool, pointless: bool) -> None:
    present = Present("eno1", addresses, GATEWAY, ("192.168.1.1", "9.9.9.9"), files.IFUPDOWN, fixed)
    assert bool(why_pointless(wanted(), present)) is pointless


DEBIAN = """# This file describes the network interfaces available on your system
source /etc/network/interfaces.d/*

auto lo
iface lo inet loopback

# The primary network interface
allow-hotplug eno1
iface eno1 inet dhcp
    metric 10
# This is an autoconfigured IPv6 interface
iface eno1 inet6 auto
"""
ASIDE = """# This file describes the network interfaces available on your system
source /etc/network/interfaces.d/*

auto lo
iface lo inet loopback

# The primary network interface
#slrt# allow-hotplug eno1
#slrt# iface eno1 inet dhcp
#slrt#     metric 10
# This is an autoconfigured IPv6 interface
iface eno1 inet6 auto
"""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (DEBIAN, ASIDE),
        (ASIDE, ASIDE),
        ("auto lo eno1 eno2\n", "#slrt# auto lo eno1 eno2\nauto lo eno2\n"),
        ("iface eno2 inet dhcp\n    metric 1\n", "iface eno2 inet dhcp\n    metric 1\n"),
        (
            "iface eno1 inet static\n\taddress 10.0.0.2/8\nsource x\n",
            "#slrt# iface eno1 inet static\n#slrt# \taddress 10.0.0.2/8\nsource x\n",
        ),
    ],
)
def test_only_what_sets_up_this_card_is_set_aside(before: str, after: str) -> None:
    assert files.set_aside(before, "eno1") == after


@pytest.mark.parametrize(
    ("text", "reads"),
    [(DEBIAN, True), ("source-directory interfaces.d\n", True), ("auto lo\n", False), ("", False), ("source /etc/x\n", False)],
)
def test_the_file_of_the_address_is_read_afterwards(text: str, reads: bool) -> None:
    made = files.with_source(text)
    assert (made == text) is reads
    assert reads or made.endswith("source /etc/network/interfaces.d/*\n")
    assert files.with_source(made) == made


def test_each_manager_is_told_the_whole_address() -> None:
    stanza = files.ifupdown_stanza("eno1", wanted())
    assert stanza.splitlines()[1:] == [
        "auto eno1",
        "iface eno1 inet static",
        "    address 192.168.1.10/24",
        "    gateway 192.168.1.1",
        "    dns-nameservers 192.168.1.1 9.9.9.9",
    ]
    assert files.has_stanza(stanza, "eno1")
    assert files.is_fixed_stanza(stanza, "eno1")
    network = files.networkd_file("eno1", wanted()).splitlines()
    assert {"Name=eno1", "Address=192.168.1.10/24", "Gateway=192.168.1.1", "DNS=192.168.1.1", "DNS=9.9.9.9"} < set(network)
    keyfile = files.network_manager_file("eno1", wanted())
    assert "\naddress1=192.168.1.10/24,192.168.1.1\n" in keyfile
    assert "\ndns=192.168.1.1;9.9.9.9;\n" in keyfile


def test_without_a_way_out_none_is_written() -> None:
    alone = wanted(gateway="", dns="")
    for text in (
        files.ifupdown_stanza("eno1", alone),
        files.networkd_file("eno1", alone),
        files.network_manager_file("eno1", alone),
    ):
        assert "ateway" not in text.replace("gateway set", "")
        assert "dns" not in text.lower()


ROUTES = '[{"dst":"default","gateway":"10.0.0.1","dev":"wlp2s0","metric":600},{"dst":"default","gateway":"192.168.1.1","dev":"eno1","metric":100}]'
LINKS = '[{"ifname":"lo","addr_info":[{"family":"inet"}]},{"ifname":"eno2","addr_info":[]},{"ifname":"eno1","addr_info":[{"family":"inet"}]}]'


@pytest.mark.parametrize(
    ("routes", "links", "wished", "card"),
    [
        (ROUTES, LINKS, "", Card("eno1", "192.168.1.1")),
        (ROUTES, LINKS, "wlp2s0", Card("wlp2s0", "10.0.0.1")),
        (ROUTES, LINKS, "eno2", Card("eno2")),
        ("[]", LINKS, "", Card("eno1")),
        ("", '[{"ifname":"lo"},{"ifname":"eno2"}]', "", Card("eno2")),
        ("", '[{"ifname":"lo"}]', "", None),
        ("not json", "", "", None),
    ],
)
def test_the_card_of_the_office_is_found(routes: str, links: str, wished: str, card: Card | None) -> None:
    assert choose_card(routes, links, wished) == card
