"""What the office network is told of the node: settings, files, and who must not be shut out."""

from __future__ import annotations

import dataclasses
import subprocess
from pathlib import Path

import pytest

from appliance.config import NetworkSettings, Settings, parse, render
from appliance.errors import ApplianceError, ConfigurationError
from appliance.lan.cards import Card
from provision.cli import Wish, _site
from provision.step import Site
from provision.steps.network import AloneWithDhcp, NamesFile, drop_ins, keep_connected, names_text
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


ROOT = Path(__file__).resolve().parents[2]
DNS = (ROOT / "provision/templates/network/dns.conf").read_text()
SERVING = "192.168.1.100-192.168.1.200"


@pytest.mark.parametrize(
    ("keys", "gateway", "there", "missing"),
    [
        ({}, "192.168.1.1", {"interface=eno1", "interface-name=slrt.home.arpa,eno1/4", "no-resolv"}, {"server=", "dhcp-"}),
        ({"upstream_dns": "192.168.1.1, 9.9.9.9"}, "", {"server=192.168.1.1", "server=9.9.9.9"}, {"dhcp-"}),
        (
            {"dhcp": SERVING},
            "192.168.1.1",
            {"dhcp-range=192.168.1.100,192.168.1.200,12h", "dhcp-option=option:router,192.168.1.1"},
            {"server="},
        ),
        ({"dhcp": SERVING}, "", {"dhcp-option=option:router", "dhcp-option=option:ntp-server,0.0.0.0"}, set()),
    ],
)
def test_dnsmasq_takes_the_file_of_the_names(
    keys: dict[str, str], gateway: str, there: set[str], missing: set[str], tmp_path: Path
) -> None:
    text = names_text(DNS, with_network(**keys), Card("eno1", gateway))
    lines = text.splitlines()
    assert there <= set(lines)
    assert not [line for line in lines if line.startswith(tuple(missing))]
    assert "$" not in text
    (tmp_path / "dns.conf").write_text(text)
    done = subprocess.run(["/usr/sbin/dnsmasq", "--test", f"--conf-file={tmp_path}/dns.conf"], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_names_follow_the_card_that_the_machine_has() -> None:
    host, change = PretendHost(), NamesFile(DNS, Settings())
    change.perform(host)
    assert change.is_done(host)
    host.routes = '[{"dst": "default", "gateway": "192.168.1.1", "dev": "enp2s0"}]'
    assert not change.is_done(host)
    host.routes, host.links = "[]", '[{"ifname": "lo"}]'
    with pytest.raises(ConfigurationError, match="kartu jaringan"):
        change.is_done(host)


def test_the_node_hands_out_addresses_only_where_nobody_else_did_before() -> None:
    host, change = PretendHost(other_dhcp=True), AloneWithDhcp()
    assert not change.is_done(host)
    with pytest.raises(ApplianceError):
        change.perform(host)
    NamesFile(DNS, with_network(dhcp=SERVING)).perform(host)
    assert change.is_done(host), "a device that came later must not hold up a repair"


def test_only_a_node_that_hands_out_addresses_gets_the_rights_for_it() -> None:
    for dhcp, granted in ((SERVING, True), ("", False)):
        paths = [change.describe() for change in drop_ins(Site(with_network(dhcp=dhcp), "admin.it", 12))]
        assert any("tulis /etc/systemd/system/slrt-dns.service.d/dhcp.conf" in text for text in paths) is granted
        assert any("hapus /etc/systemd/system/slrt-dns.service.d/dhcp.conf" in text for text in paths) is not granted


@pytest.mark.parametrize("container", [True, False])
def test_only_in_a_container_the_clock_is_told_and_not_set(container: bool) -> None:
    host = PretendHost(container=container)
    only = next(change for change in drop_ins(Site(Settings(), "admin.it", 12)) if "container.conf" in change.describe())
    if not only.is_done(host):
        only.perform(host)
    assert only.is_done(host)
    assert (host.look("/etc/systemd/system/chrony.service.d/container.conf") is not None) is container
    host.container = not container
    assert not only.is_done(host)
