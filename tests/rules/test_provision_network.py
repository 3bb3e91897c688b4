"""What the office network is told of the node: settings, files, and who must not be shut out."""

from __future__ import annotations

import dataclasses

import pytest

from appliance.config import NetworkSettings, Settings, parse, render
from appliance.errors import ConfigurationError
from provision.cli import Wish, _site
from provision.steps.network import keep_connected
from tests.rules.test_provision_site import machine
from tests.support.pretend_host import PretendHost

# as iproute2 of Debian 12 and 13 prints them: queues, the node's end, the other end
PEERS = """0      0          192.168.1.10:22     192.168.1.77:51234
0      0       [::ffff:10.0.0.1]:22    [::ffff:10.0.0.5]:40000
0      0      [fe80::1%eno1]:22   [fe80::2%eno1]:40001
0      0          127.0.0.1:22     127.0.0.1:40002
"""


def with_network(**keys: str) -> Settings:
    return dataclasses.replace(Settings(), network=NetworkSettings(**keys))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("ssh_from", "192.168.1.20, 192.168.2.0/24"),
        ("ssh_from", "fd00::20"),
        ("dhcp", "192.168.1.100-192.168.1.200"),
        ("upstream_dns", "192.168.1.1, 9.9.9.9"),
        ("interface", "enp1s0.20"),
    ],
)
def test_a_right_value_comes_back_as_it_was_written(key: str, value: str) -> None:
    assert getattr(parse(render(with_network(**{key: value}))).network, key) == value


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("ssh_from", "8.8.8.8"),
        ("ssh_from", "0.0.0.0/0"),
        ("ssh_from", "127.0.0.1"),
        ("ssh_from", "192.168.1.20/24"),
        ("ssh_from", "kantor"),
        ("dhcp", "192.168.1.200-192.168.1.100"),
        ("dhcp", "192.168.1.100"),
        ("dhcp", "8.8.8.1-8.8.8.9"),
        ("dhcp", "10.0.0.0-10.9.0.0"),
        ("upstream_dns", "dns.example"),
        ("interface", "eno1; reboot"),
    ],
)
def test_a_wrong_value_is_refused_by_its_name(key: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=f"network.{key} = "):
        parse(render(with_network(**{key: value})))


@pytest.mark.parametrize(
    ("ssh_from", "kept"),
    [
        ("", ()),
        ("192.168.1.77", ("10.0.0.5", "fe80::2")),
        ("192.168.1.0/24, 10.0.0.0/8, fe80::/10", ()),
        ("172.16.0.1", ("192.168.1.77", "10.0.0.5", "fe80::2")),
    ],
)
def test_whoever_is_connected_over_ssh_stays_let_in(ssh_from: str, kept: tuple[str, ...]) -> None:
    assert keep_connected(NetworkSettings(ssh_from=ssh_from), PretendHost(ssh_peers=PEERS)) == kept


def test_it_is_told_and_written_down_whom_the_wish_would_have_shut_out(capsys: pytest.CaptureFixture[str]) -> None:
    host = machine()
    host.ssh_peers = PEERS.splitlines()[0]
    made = _site(host, Wish(district="73.03", ssh_from="192.168.1.20")).settings
    assert made.network.ssh_from == "192.168.1.20, 192.168.1.77"
    assert "192.168.1.77" in capsys.readouterr().out


def test_what_was_set_stays_and_none_takes_it_away() -> None:
    known = with_network(ssh_from="192.168.1.20", dhcp="192.168.1.100-192.168.1.200")
    assert _site(machine(settings=known), Wish()).settings.network == known.network
    without = _site(machine(settings=known), Wish(ssh_from="none")).settings.network
    assert without == NetworkSettings(dhcp="192.168.1.100-192.168.1.200")
