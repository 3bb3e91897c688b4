"""The node on its network: what is open to a neighbour, what it answers, and a new address that is tried, kept or taken back."""

from __future__ import annotations

import json
import re
import socket
import struct

import pytest

from tests.support.machine import Machine, wait_for
from tests.support.machine_bed import host_run
from tests.support.machine_run import install, until_well

# who sets up the card: Debian's own way on one release, systemd's on the other
MANAGERS = {"bookworm": "ifupdown", "trixie": "systemd-networkd"}
NETWORKD = "[Match]\nName=host0\n[Network]\nAddress={address}/24\nGateway={gateway}\n"
IFUPDOWN = (
    "auto lo\niface lo inet loopback\n\nauto host0\niface host0 inet static\n    address {address}/24\n    gateway {gateway}\n"
)
MANAGE = {
    "systemd-networkd": "systemctl enable --quiet systemd-networkd && systemctl restart systemd-networkd",
    "ifupdown": "apt-get -qq install --yes --no-install-recommends ifupdown >/dev/null && mkdir -p /run/network && echo host0=host0 >/run/network/ifstate",
}
ADDRESSES = "ip -br -4 address show dev host0 | awk '{$1=$2=\"\"; print}'"


@pytest.fixture
def managed(lasting: Machine) -> Machine:
    """The machine with somebody who sets up its card, as an installer of Debian leaves it."""
    words = {"address": lasting.address, "gateway": lasting.bed.gateway}
    if lasting.run("test -e /root/managed", check=False).code != 0:
        manager = MANAGERS[lasting.release]
        if manager == "ifupdown":
            lasting.put("/etc/network/interfaces", IFUPDOWN.format(**words))
        else:
            lasting.put("/etc/systemd/network/10-office.network", NETWORKD.format(**words))
        lasting.run(f"{MANAGE[manager]} && touch /root/managed")
    wait_for(
        "the old address alone", lambda: addresses(lasting) == [f"{lasting.address}/24"], say=lambda: str(addresses(lasting))
    )
    return lasting


def addresses(machine: Machine) -> list[str]:
    return machine.run(ADDRESSES).out.split()


def other(machine: Machine, last: int = 50) -> str:
    """Another address of the same network."""
    return f"{machine.address.rpartition('.')[0]}.{last}"


def opens(address: str, port: int, seconds: float = 30) -> bool:
    try:
        socket.create_connection((address, port), seconds).close()
    except OSError:
        return False
    return True


def asked(address: str, port: int, packet: bytes) -> bytes:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.settimeout(10)
        one.connect((address, port))
        one.send(packet)
        return one.recv(512)


def name_query(name: str, kind: int = 1) -> bytes:
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    return struct.pack(">6H", 7, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">2H", kind, 1)


def closed_to_a_neighbour(machine: Machine) -> None:
    """The pages are open, a service that somebody left running is not; it is the firewall that keeps it so."""
    machine.run(
        "systemctl is-active --quiet forgotten || systemd-run --quiet --unit=forgotten python3 -m http.server 8080 --bind 0.0.0.0"
    )
    machine.run("timeout 30 bash -c 'until ss -Hltn | grep -q :8080; do sleep 0.1; done'")
    assert all(opens(machine.address, port) for port in (80, 443, 53))
    assert not opens(machine.address, 8080, 1)
    assert not opens(machine.address, 3493, 1)


def test_a_neighbour_reaches_the_pages_names_and_time_only(managed: Machine) -> None:
    closed_to_a_neighbour(managed)
    managed.run("nft add table inet operator")
    managed.run("sed -i 's/policy drop/policy perhaps/' /etc/slrt/firewall.nft")
    assert managed.run("systemctl reload slrt-firewall", check=False).code != 0
    closed_to_a_neighbour(managed)
    managed.run("slrt-provision apply --local", seconds=300)
    closed_to_a_neighbour(managed)
    assert "table inet operator" in managed.run("nft list tables").out
    managed.run("systemctl restart nftables")
    wait_for("whoever empties all rules brings ours back", lambda: "table inet slrt" in managed.run("nft list tables").out)
    closed_to_a_neighbour(managed)
    managed.run("nft delete table inet slrt")
    assert opens(managed.address, 8080), "without the rules it would be open"
    managed.run("systemctl restart slrt-firewall; systemctl disable -q --now nftables; systemctl start slrt-firewall")
    closed_to_a_neighbour(managed)


def test_it_tells_its_names_and_the_time(managed: Machine) -> None:
    host = socket.inet_aton(managed.address)
    for name in ("slrt.home.arpa", "slrt.lan", "slrt"):
        assert asked(managed.address, 53, name_query(name)).endswith(host), name
    backwards = ".".join(reversed(managed.address.split("."))) + ".in-addr.arpa"
    assert b"\x04slrt\x04home\x04arpa" in asked(managed.address, 53, name_query(backwards, 12))
    assert asked(managed.address, 53, name_query("lain.home.arpa"))[3] & 15 == 3, "no such name"
    assert asked(managed.address, 53, name_query("debian.org"))[3] & 15 == 5, "it asks nobody else"
    told = asked(managed.address, 123, b"\x1b" + bytes(47))
    assert told[0] & 7 == 4, "a server's answer"
    assert 0 < told[1] < 16, "a clock that may be followed"


def test_an_address_of_somebody_else_is_refused(managed: Machine) -> None:
    refused = managed.run(f"slrt network set --address {managed.bed.gateway}/24", check=False)
    assert refused.code != 0
    assert "sudah dipakai perangkat lain" in refused.err
    assert managed.run("ls /var/lib/slrt-lan").out.split().count("trial.json") == 0


def test_without_a_confirmation_the_old_address_comes_back_also_when_all_was_killed(managed: Machine) -> None:
    """Killed in the middle: the address is there, nobody is left who would take it away but systemd's timer."""
    new = other(managed)
    managed.run(f"systemd-run --quiet --unit=attempt slrt network set --address {new}/24 --gateway {managed.bed.gateway}")
    wait_for("the new address", lambda: f"{new}/24" in addresses(managed))
    managed.run("systemctl kill -s KILL attempt; systemctl reset-failed attempt", check=False)
    assert opens(new, 443)
    assert opens(managed.address, 443), "nobody is cut off meanwhile"
    until_the_trial_is_over(managed, 240)
    assert addresses(managed) == [f"{managed.address}/24"]
    assert not json.loads(managed.read("/var/lib/slrt-lan/told.json"))["ok"]
    assert managed.run("systemctl is-active slrt-lan-undo.timer", check=False).out == "inactive\n"


def test_a_power_cut_in_the_minute_leaves_the_old_address(managed: Machine) -> None:
    managed.run(f"slrt network set --address {other(managed)}/24 --gateway {managed.bed.gateway}")
    managed.cut_power()
    lose_what_a_kernel_loses(managed)
    managed.boot()
    until_the_trial_is_over(managed, 120)
    assert addresses(managed) == [f"{managed.address}/24"]
    assert "Mesin mati" in json.loads(managed.read("/var/lib/slrt-lan/told.json"))["text"]


def until_the_trial_is_over(machine: Machine, seconds: float) -> None:
    """It goes away last, after the addresses are right and it was told how it went."""
    gone = "! test -e /var/lib/slrt-lan/trial.json"
    wait_for(
        "the trial is over", lambda: machine.run(gone, check=False).code == 0, seconds, lambda: machine.journal(40), pause=1.0
    )


def lose_what_a_kernel_loses(machine: Machine) -> None:
    """The bed's network outlives the machine's power; that of a real one does not."""
    host_run("ip", "-n", machine.bed.name, "address", "flush", "dev", "host0", "scope", "global")


def test_what_is_confirmed_at_the_new_address_stays_over_a_start(managed: Machine) -> None:
    new = other(managed)
    move_to(managed, new)
    managed.power_off()
    lose_what_a_kernel_loses(managed)
    managed.boot()
    assert addresses(managed) == [f"{new}/24"]
    assert asked(new, 53, name_query("slrt.home.arpa")).endswith(socket.inet_aton(new)), "the names follow"
    until_well(managed)
    move_to(managed, managed.address)


def test_the_installation_gives_the_address_that_it_was_told(managed: Machine) -> None:
    new, words = other(managed, 51), f"--gateway {managed.bed.gateway}"
    taken = install(managed, f"--address {managed.bed.gateway}/24", check=False)
    assert (taken.code, "sudah dipakai perangkat lain" in taken.out + taken.err) == (1, True), str(taken)
    assert addresses(managed) == [f"{managed.address}/24"]
    done = install(managed, f"--address {new}/24 {words}")
    assert addresses(managed) == [f"{new}/24"]
    assert f"https://{new}/" in done.out
    assert new in managed.run("openssl x509 -in /etc/slrt/tls/web.crt -noout -ext subjectAltName").out
    assert "Tidak ada yang berubah." in install(managed, f"--address {new}/24 {words}").out
    install(managed, f"--address {managed.address}/24 {words}")


def move_to(machine: Machine, new: str) -> None:
    """Ordered on the pages, and confirmed at the new address."""
    typed = {"address": f"{new}/24", "gateway": machine.bed.gateway, "dns": ""}
    leave_order(machine, {"wish": "set", "by": "admin.it", "typed": typed, "token": ""})
    wait_for("the trial", lambda: f"{new}/24" in addresses(machine))
    wait_for(
        "the certificate", lambda: new in machine.run("openssl x509 -in /etc/slrt/tls/web.crt -noout -ext subjectAltName").out
    )
    token = json.loads(machine.read("/var/lib/slrt-lan/trial.json"))["token"]
    confirm_as_a_browser(machine, new, token)
    until_the_trial_is_over(machine, 60)
    assert addresses(machine) == [f"{new}/24"], machine.journal(40)
    assert json.loads(machine.read("/var/lib/slrt-lan/told.json"))["ok"]


def leave_order(machine: Machine, order: dict[str, object]) -> None:
    """As the pages do: whole, by the service's user."""
    text = json.dumps(order).encode()
    machine.run("cat >/run/slrt/.order && mv /run/slrt/.order /run/slrt/network-order", user="slrt", stdin=text)


def confirm_as_a_browser(machine: Machine, new: str, token: str) -> None:
    """Over TLS that is believed, from the neighbour's side, without a sign-in."""
    ca = machine.bed.folder / "ca.crt"
    ca.write_text(machine.read("/etc/slrt/tls/ca.crt"))
    jar, page = machine.bed.folder / "jar", f"https://{new}/jaringan/konfirmasi/{token}"
    keys = ("--cacert", str(ca), "-b", str(jar), "-c", str(jar), "-H", f"Origin: https://{new}")
    # the front takes the new certificate in a moment after it is on the disk
    patience = ("--retry", "20", "--retry-delay", "1", "--retry-all-errors")
    curl = ("curl", "-sS", "--fail", "--max-time", "30", *patience, *keys)
    found = re.search(r'name="csrf_token" value="([^"]+)"', host_run(*curl, page))
    assert found
    assert "Konfirmasi diterima" in host_run(
        "curl", "-sS", "--fail", "--max-time", "30", *keys, "--data-urlencode", f"csrf_token={found[1]}", page
    )
