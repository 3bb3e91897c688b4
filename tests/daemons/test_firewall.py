"""The rules of the firewall in the kernel, with real packets: who reaches what."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.config import NetworkSettings, PowerSettings, Settings
from provision.steps.network import rules_text
from tests.support.two_ends import Door, TwoEnds, two_ends

TEMPLATE = (Path(__file__).parents[2] / "provision/templates/network/firewall.nft").read_text()
NODE, NODE6, PUBLIC = "192.168.1.10", "fd00::10", "203.0.113.10"
CLERK, TECHNICIAN, STRANGER = "192.168.1.77", "192.168.1.20", "203.0.113.77"
CLERK6, TECHNICIAN6 = "fd00::77", "fd00::20"
PORTS = (22, 53, 80, 123, 443, 3493, 5353, 5432, 8080)

# kind, port → who is let in: everybody of the office (o), the technicians only (t), nobody (-); the internet never
TABLE = {
    ("tcp", 80): "o",
    ("tcp", 443): "o",
    ("tcp", 53): "o",
    ("udp", 53): "o",
    ("udp", 123): "o",
    ("udp", 5353): "o",
    ("tcp", 22): "t",
    ("tcp", 3493): "-",
    ("tcp", 5432): "-",
    ("tcp", 8080): "-",
    ("udp", 8080): "-",
    ("tcp", 123): "-",
}


def doors(table: dict[tuple[str, int], str]) -> list[Door]:
    found = []
    for (kind, port), who in table.items():
        for clerk, technician, node in ((CLERK, TECHNICIAN, NODE), (CLERK6, TECHNICIAN6, NODE6)):
            found.append(Door(kind, port, clerk, node, who == "o"))
            found.append(Door(kind, port, technician, node, who in "ot"))
        found.append(Door(kind, port, STRANGER, PUBLIC, False))
    return found


def wrong(ends: TwoEnds, asked: list[Door]) -> list[str]:
    return [f"{door} is {opened}" for door, opened in zip(asked, ends.knock(asked), strict=True) if opened != door.opens]


def settings(ssh_from: str = f"{TECHNICIAN}, {TECHNICIAN6}", lan_address: str = "") -> Settings:
    return dataclasses.replace(
        Settings(), network=NetworkSettings(ssh_from=ssh_from), power=PowerSettings(lan_address=lan_address)
    )


def load(ends: TwoEnds, text: str) -> int:
    return ends.on_node("nft", "-f", "-", given=text).returncode


@pytest.fixture(scope="module")
def wired() -> Iterator[TwoEnds]:
    office = [f"{one}/24" for one in (CLERK, TECHNICIAN, STRANGER)] + [f"{one}/64" for one in (CLERK6, TECHNICIAN6)]
    with two_ends([f"{NODE}/24", f"{PUBLIC}/24", f"{NODE6}/64"], office, PORTS) as ends:
        yield ends


@pytest.fixture
def ends(wired: TwoEnds) -> TwoEnds:
    wired.on_node("nft", "flush", "ruleset")
    return wired


def test_without_rules_every_door_opens(ends: TwoEnds) -> None:
    """Else the closed ones of the next test would prove nothing."""
    assert wrong(ends, [dataclasses.replace(door, opens=True) for door in doors(TABLE)]) == []


def test_only_what_the_node_is_there_for_is_open(ends: TwoEnds) -> None:
    assert load(ends, rules_text(TEMPLATE, settings())) == 0
    assert wrong(ends, doors(TABLE)) == []


def test_ssh_is_open_to_the_office_while_nobody_was_named_and_the_ups_when_it_is_shared(ends: TwoEnds) -> None:
    assert load(ends, rules_text(TEMPLATE, settings("", NODE))) == 0
    assert wrong(ends, doors({("tcp", 22): "o", ("tcp", 3493): "o", ("tcp", 8080): "-"})) == []


def test_rules_are_replaced_whole_and_other_tables_stay(ends: TwoEnds) -> None:
    ends.on_node("nft", "add", "table", "inet", "operator")
    for _ in range(2):
        assert load(ends, rules_text(TEMPLATE, settings())) == 0
    listed = ends.on_node("nft", "list", "ruleset").stdout
    assert listed.count("tcp dport 22") == 2, "one line for each family, also after the second time"
    assert "table inet operator" in listed


def test_a_file_with_a_fault_changes_nothing(ends: TwoEnds) -> None:
    assert load(ends, rules_text(TEMPLATE, settings())) == 0
    before = ends.on_node("nft", "list", "ruleset").stdout
    assert load(ends, rules_text(TEMPLATE, settings()).replace("policy drop", "policy perhaps")) != 0
    assert ends.on_node("nft", "list", "ruleset").stdout == before


def test_a_device_without_an_address_is_heard_only_where_dhcp_is_on() -> None:
    asked = "udp sport 68 udp dport 67 accept"
    served = dataclasses.replace(Settings(), network=NetworkSettings(dhcp="192.168.1.100-192.168.1.200"))
    assert asked in rules_text(TEMPLATE, served)
    assert asked not in rules_text(TEMPLATE, Settings())
