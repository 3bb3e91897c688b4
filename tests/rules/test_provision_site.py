"""What the command line makes of a wish and a machine: settings, time zone, the kind of error for what cannot be."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from appliance.config import Settings, render
from appliance.errors import ConfigurationError
from appliance.registry.areas import data_set
from provision.change import Command
from provision.cli import Wish, _site, apply
from provision.steps import network
from tests.support.pretend_host import PretendHost

ROOT = Path(__file__).resolve().parents[2]
DEBIAN = 'PRETTY_NAME="Debian GNU/Linux {0}"\nID=debian\nVERSION_ID="{0}"\n'


def machine(os_release: str = DEBIAN.format(12), settings: Settings | None = None) -> PretendHost:
    host = PretendHost()
    host.write("/etc/os-release", os_release.encode(), 0o644, "root", "root")
    if settings is not None:
        host.write("/etc/slrt/appliance.toml", render(settings).encode(), 0o644, "root", "root")
    return host


@pytest.mark.parametrize(
    ("district", "zone", "office"),
    [
        ("73.03", "Asia/Makassar", "Dinas Sosial Kabupaten Bantaeng"),
        ("51.71", "Asia/Makassar", "Dinas Sosial Kota Denpasar"),
        ("32.01", "Asia/Jakarta", "Dinas Sosial Kabupaten Bogor"),
        ("91.03", "Asia/Jayapura", "Dinas Sosial Kabupaten Jayapura"),
    ],
)
def test_a_fresh_node_knows_its_office_and_its_clock(district: str, zone: str, office: str) -> None:
    node = _site(machine(), Wish(district=district)).settings.node
    assert (node.district, node.timezone, node.office) == (district, zone, office)


def test_a_node_keeps_what_was_not_wished() -> None:
    first = _site(machine(), Wish(district="51.71", hostname="dinsos", ups="none")).settings
    again = _site(machine(settings=first), Wish(ups="simulated"))
    assert again.settings.node == first.node
    assert again.settings.power.ups == "simulated"


def test_a_fresh_node_must_be_told_its_district() -> None:
    with pytest.raises(ConfigurationError, match="Kode kabupaten"):
        _site(machine(), Wish())
    with pytest.raises(click.BadParameter, match=r"73\.99"):
        _site(machine(), Wish(district="73.99"))


@pytest.mark.parametrize("os_release", ["", DEBIAN.format(11), 'ID=ubuntu\nVERSION_ID="24.04"\nPRETTY_NAME="Ubuntu 24.04"\n'])
def test_another_system_is_refused_by_name(os_release: str) -> None:
    with pytest.raises(ConfigurationError, match="bukan Debian 12 atau 13"):
        _site(machine(os_release), Wish(district="73.03"))


def test_the_wish_is_handed_on_to_the_other_machine() -> None:
    wish = Wish(host="root@box", district="73.03", ups="none")
    assert wish.options == ["--unattended", "--district", "73.03", "--ups", "none"]


def test_a_fixed_address_is_a_change_of_its_own_and_only_where_it_is_wished() -> None:
    wished = _site(
        machine(), Wish(district="73.03", address="192.168.1.10/24", gateway="192.168.1.1", dns="192.168.1.1, 9.9.9.9")
    )
    (change,) = network.address(wished).changes
    assert isinstance(change, Command)
    words = "network keep --address 192.168.1.10/24 --gateway 192.168.1.1 --dns 192.168.1.1,9.9.9.9"
    assert (change.do[1:], change.ask[1:]) == (tuple(words.split()), (*words.split(), "--check"))
    assert network.address(_site(machine(), Wish(district="73.03"))).changes == ()
    with pytest.raises(ConfigurationError, match=r"bukan alamat IPv4.*Gerbang|bukan alamat IPv4.*IPv4 saja"):
        _site(machine(), Wish(district="73.03", gateway="192.168.1.1", dns="x"))


def test_a_fixed_address_is_not_set_from_afar() -> None:
    done = CliRunner().invoke(apply, ["--host", "root@192.0.2.1", "--address", "192.168.1.10/24"])
    assert isinstance(done.exception, ConfigurationError)
    assert "sambungannya akan terputus" in done.exception.message


def test_the_list_of_districts_is_that_of_the_areas() -> None:
    lines = (ROOT / "provision/districts.txt").read_text(encoding="utf-8").splitlines()
    listed = dict(line.split(" ", 1) for line in lines if not line.startswith("#"))
    areas = {row["code"]: row["name"] for row in data_set("73.03") if len(row["code"]) == len("73.03")}
    assert listed == areas
