"""The node's authority and certificate: judged by openssl, not by the library that made them."""

from __future__ import annotations

import ipaddress
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from appliance import clock
from appliance.clock import Mark
from appliance.config import NodeSettings, PathSettings, Settings
from appliance.errors import ConfigurationError
from provision import certificates
from provision.certificates import Address, Authority, Leaf, issue, make_authority, open_authority, usable, why_renew
from provision.identity import Places, renew, what_is_due

AT = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
ADDRESSES: tuple[Address, ...] = (ipaddress.ip_address("192.168.1.10"), ipaddress.ip_address("fd00::10"))
SETTINGS = Settings(node=NodeSettings(hostname="slrt"))
PASSPHRASE = "horse battery staple"


@pytest.fixture(scope="module")
def authority() -> Authority:
    return make_authority("slrt", AT)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    for name in ("data", "tls"):
        (tmp_path / name).mkdir()
    return Places(tmp_path / "data" / "identity", tmp_path / "tls", tmp_path / "front" / "index.html", front="root")


def verify(folder: Path, authority: Authority, leaf: Leaf, at: datetime, *purpose: str) -> str:
    """What openssl says of the chain at a moment; "" when it is good."""
    (folder / "ca.pem").write_bytes(authority.pem)
    (folder / "leaf.pem").write_bytes(leaf.chain)
    command = ["openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-attime", str(int(at.timestamp()))]
    done = subprocess.run(
        [*command, *purpose, "-CAfile", str(folder / "ca.pem"), str(folder / "leaf.pem")],
        capture_output=True,
        text=True,
        check=False,
    )
    return "" if done.returncode == 0 else done.stderr + done.stdout


@pytest.mark.parametrize("at", [datetime(2012, 5, 1, tzinfo=UTC), datetime(2015, 1, 1, tzinfo=UTC), AT, AT + timedelta(days=396)])
@pytest.mark.parametrize("name", ["slrt.local", "slrt.lan", "slrt", "slrt.home.arpa"])
def test_a_tablet_with_any_clock_believes_the_node(authority: Authority, tmp_path: Path, at: datetime, name: str) -> None:
    leaf = issue(authority, "slrt", ADDRESSES, AT)
    assert verify(tmp_path, authority, leaf, at, "-verify_hostname", name) == ""


@pytest.mark.parametrize("address", ["192.168.1.10", "127.0.0.1", "fd00::10"])
def test_the_addresses_of_the_machine_are_covered(authority: Authority, tmp_path: Path, address: str) -> None:
    leaf = issue(authority, "slrt", ADDRESSES, AT)
    assert verify(tmp_path, authority, leaf, AT, "-verify_ip", address) == ""


def test_the_certificate_ends(authority: Authority, tmp_path: Path) -> None:
    leaf = issue(authority, "slrt", ADDRESSES, AT)
    assert "expired" in verify(tmp_path, authority, leaf, AT + timedelta(days=398))


@pytest.mark.parametrize("stranger", ["klikbca.com", "notlocal", "slrt.local.evil.id", "8.8.8.8"])
def test_the_authority_cannot_vouch_for_the_world(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stranger: str
) -> None:
    # the program itself would refuse; a thief of the key would not
    monkeypatch.setattr(certificates, "_permits", lambda *_: True)
    monkeypatch.setattr(certificates, "PRIVATE_NETWORKS", (ipaddress.ip_network("0.0.0.0/0"),))
    is_address = stranger[0].isdigit()
    monkeypatch.setattr(certificates, "names_of", lambda _: ("slrt.local",) if is_address else (stranger,))
    places: Sequence[Address] = [ipaddress.ip_address(stranger)] if is_address else []
    leaf = issue(authority, "x", places, AT)
    assert "permitted subtree violation" in verify(tmp_path, authority, leaf, AT)


def test_the_key_is_useless_without_the_passphrase(authority: Authority) -> None:
    locked = authority.locked_key(PASSPHRASE)
    assert b"ENCRYPTED" in locked
    assert open_authority(authority.pem, locked, PASSPHRASE).pem == authority.pem
    with pytest.raises(ConfigurationError, match="sandi cadangan"):
        open_authority(authority.pem, locked, "another")
    with pytest.raises(ConfigurationError, match="sepasang"):
        open_authority(make_authority("slrt", AT).pem, locked, PASSPHRASE)


@pytest.mark.parametrize(
    ("days", "addresses", "hostname", "why"),
    [
        (0, ADDRESSES, "slrt", ""),
        (306, ADDRESSES, "slrt", ""),
        (308, ADDRESSES, "slrt", "berakhir"),
        (0, ADDRESSES[:1], "slrt", ""),
        (0, (*ADDRESSES, ipaddress.ip_address("192.168.1.77")), "slrt", "192.168.1.77"),
        (0, (*ADDRESSES, ipaddress.ip_address("8.8.8.8")), "slrt", ""),
        (0, ADDRESSES, "dinsos", "dinsos.local"),
    ],
)
def test_when_a_certificate_is_renewed(
    authority: Authority, days: int, addresses: tuple[Address, ...], hostname: str, why: str
) -> None:
    leaf = issue(authority, "slrt", ADDRESSES, AT)
    found = why_renew(authority.pem, leaf, hostname, addresses, AT + timedelta(days=days))
    assert why in found
    assert bool(found) is bool(why)


def test_a_broken_or_foreign_certificate_is_renewed(authority: Authority) -> None:
    leaf, other = issue(authority, "slrt", ADDRESSES, AT), issue(make_authority("slrt", AT), "slrt", ADDRESSES, AT)
    for bad, why in (
        (None, "belum ada"),
        (Leaf(b"torn", leaf.key), "rusak"),
        (Leaf(leaf.chain, other.key), "sepasang"),
        (other, "berganti"),
    ):
        assert why in why_renew(authority.pem, bad, "slrt", ADDRESSES, AT)


def test_only_private_addresses_count_in_a_stable_order() -> None:
    texts = ["8.8.8.8", "192.168.1.10", "127.0.0.1", "10.0.0.5", "fe80::1", "2001:db8::1"]
    assert [str(address) for address in usable([ipaddress.ip_address(text) for text in texts])] == [
        "10.0.0.5",
        "192.168.1.10",
        "fe80::1",
    ]


def test_a_node_gets_its_identity_once(places: Places) -> None:
    assert "belum mempunyai CA" in what_is_due(SETTINGS, places, ADDRESSES, AT)
    assert renew(SETTINGS, PASSPHRASE, places, ADDRESSES, AT)
    first = {path: path.read_bytes() for path in (*places.identity.iterdir(), *places.certificates.iterdir(), places.handout)}
    assert {path.name for path in first} == {"ca.crt", "ca.key", "ca.der.crt", "web.crt", "web.key", "index.html"}
    assert what_is_due(SETTINGS, places, ADDRESSES, AT) == ""
    assert renew(SETTINGS, "not even asked for", places, ADDRESSES, AT) == ""
    assert first == {path: path.read_bytes() for path in first}
    assert (places.identity / "ca.key").stat().st_mode & 0o777 == 0o640
    assert (places.certificates / "web.key").stat().st_mode & 0o777 == 0o640
    assert (places.certificates / "web.crt").stat().st_mode & 0o777 == 0o644


def test_after_a_restore_the_tablets_go_on_trusting(places: Places, tmp_path: Path) -> None:
    renew(SETTINGS, PASSPHRASE, places, ADDRESSES, AT)
    old = (places.identity / "ca.crt").read_bytes()
    # another machine, installed on its own, then given the data of the first
    (tmp_path / "new-data").mkdir()
    (tmp_path / "new-tls").mkdir()
    new = Places(tmp_path / "new-data" / "identity", tmp_path / "new-tls", tmp_path / "new-front" / "index.html", front="root")
    renew(SETTINGS, "its own passphrase", new, ADDRESSES[:1], AT)
    for name in ("ca.crt", "ca.key"):
        (new.identity / name).write_bytes((places.identity / name).read_bytes())
    assert "berganti" in what_is_due(SETTINGS, new, ADDRESSES[:1], AT)
    with pytest.raises(ConfigurationError):
        renew(SETTINGS, "its own passphrase", new, ADDRESSES[:1], AT)
    renew(SETTINGS, PASSPHRASE, new, ADDRESSES[:1], AT)
    assert (new.certificates / "ca.crt").read_bytes() == old
    leaf = x509.load_pem_x509_certificate((new.certificates / "web.crt").read_bytes())
    leaf.verify_directly_issued_by(x509.load_pem_x509_certificate(old))


@pytest.mark.parametrize(
    "file", ["identity/ca.crt", "tls/web.crt", "tls/web.key", "tls/ca.crt", "tls/ca.der.crt", "front/index.html"]
)
def test_a_kill_before_any_file_heals(places: Places, tmp_path: Path, file: str) -> None:
    renew(SETTINGS, PASSPHRASE, places, ADDRESSES, AT)
    path = tmp_path / ("data" if file.startswith("identity") else ".") / file
    path.unlink()
    assert what_is_due(SETTINGS, places, ADDRESSES, AT)
    assert renew(SETTINGS, PASSPHRASE, places, ADDRESSES, AT)
    assert what_is_due(SETTINGS, places, ADDRESSES, AT) == ""


@pytest.mark.parametrize("year", [1970, 2000, 2015])
def test_a_clock_that_is_behind_makes_no_certificate_that_has_ended(places: Places, tmp_path: Path, year: int) -> None:
    settings = replace(SETTINGS, paths=PathSettings(data=str(tmp_path)))
    clock.write_mark(clock.mark_file(settings), Mark(AT + timedelta(days=300)))
    renew(settings, PASSPHRASE, places, ADDRESSES[:1], AT)
    assert renew(settings, PASSPHRASE, places, ADDRESSES, datetime(year, 1, 1, tzinfo=UTC)), "a new address"
    leaf = x509.load_pem_x509_certificate((places.certificates / "web.crt").read_bytes())
    assert leaf.not_valid_after_utc > AT + timedelta(days=390 + 300)


def test_a_lost_authority_key_is_told_not_replaced(places: Places) -> None:
    renew(SETTINGS, PASSPHRASE, places, ADDRESSES, AT)
    (places.identity / "ca.key").unlink()
    with pytest.raises(ConfigurationError, match=r"ca\.key"):
        renew(SETTINGS, PASSPHRASE, places, ADDRESSES, AT)


def test_the_page_shows_what_openssl_calls_the_fingerprint(places: Places) -> None:
    renew(SETTINGS, PASSPHRASE, places, ADDRESSES, AT)
    page = places.handout.read_text()
    command = ["openssl", "x509", "-in", str(places.certificates / "ca.crt"), "-noout", "-fingerprint", "-sha256"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip().partition("=")[2]
    assert told in page.replace("<br>", ":")
    assert "https://slrt.local/" in page
    assert "https://192.168.1.10/" in page
    assert "$" not in page
    assert places.handout.stat().st_mode & 0o777 == 0o644
