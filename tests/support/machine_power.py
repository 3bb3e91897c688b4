"""What a test of the power asks of a booted node: its banner, its journal, its light."""

from __future__ import annotations

import json

from tests.support.machine import Machine
from tests.support.machine_run import until_well
from tests.support.office import Office
from tests.support.story import Node, furnish, meet


def banner(office: Office) -> dict[str, str]:
    """What the page's banner asks for every few seconds."""
    told: dict[str, str] = json.loads(office.visit("/power.json").html)
    return told


def power_journal(machine: Machine) -> list[dict[str, object]]:
    """The events of the power journal, oldest first."""
    return [json.loads(line) for line in machine.run("slrt power journal --json").out.splitlines()]


def furnished(machine: Machine, *officers: str) -> Node:
    """The node with its administrator and the named officers."""
    until_well(machine)
    node = meet(machine)
    furnish(node, "admin.it", *officers)
    return node


def hold_shortly(machine: Machine) -> None:
    """For a test that is not about the wait for stable mains after an outage."""
    set_power(machine, boot_hold_seconds=2)


def set_power(machine: Machine, **seconds: int) -> None:
    """Change settings of the power, and have the watcher take them up."""
    edits = " ".join(f"-e 's/^{name} = .*/{name} = {value}/'" for name, value in seconds.items())
    machine.run(f"sed -i {edits} /etc/slrt/appliance.toml && systemctl restart slrt-watcher")


def protection(machine: Machine) -> dict[str, object]:
    """The light of the chain, and what stands beside it."""
    told: dict[str, object] = json.loads(machine.run("slrt power status --json", check=False).out or "{}").get("protection", {})
    return told
