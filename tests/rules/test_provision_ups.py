"""NUT's files for each kind of UPS and each version of NUT, on a machine in memory."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from appliance.config import NodeSettings, PowerSettings, Settings, parse, render
from appliance.config_values import driver_options
from appliance.errors import ConfigurationError
from provision import run
from provision.cli import Wish, _site
from provision.host import Entry
from provision.plan import steps
from provision.step import Site
from provision.steps.ups import DRIVER_PACKAGES, ENDGAME_HOOK, chosen, version_of
from provision.unit import power_of, secondary_sheet
from tests.support.pretend_host import PretendHost

SOURCE = Path(__file__).resolve().parents[2]
LAN = "192.168.1.10"
PROGRAM = Entry("file", 0o755, "root", "root")


def silent(_line: str) -> None:
    pass


def prepared(host: PretendHost | None = None, **power: str) -> PretendHost:
    """A machine that is a node with this UPS."""
    host = host or PretendHost()
    host.run(["ln", "-sfn", "/opt/slrt/releases/0.1.0+abc", "/opt/slrt/current"])
    settings = Settings(node=NodeSettings(district="51.71"), power=PowerSettings(**power))  # type: ignore[arg-type]
    debian = 13 if host.nut.startswith("2.8.1") else 12
    if debian == 13:
        host.packages["borgbackup"] = "1.4.0-5"
    run.apply(steps(Site(settings, "admin.it", debian, SOURCE)), host, silent)
    return host


def nut(host: PretendHost, name: str) -> list[str]:
    """The lines of one of NUT's files, without margin and remarks."""
    lines = [line.strip() for line in (host.read(f"/etc/nut/{name}") or b"").decode().splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


@pytest.mark.parametrize(
    ("version", "off", "delay"),
    [
        ("2.8.0-7", False, False),
        ("2.8.1-5+deb13u1", True, False),
        ("2.8.3-1~bpo13+1", True, True),
        ("2.10.0-1", True, True),
        ("1:3.0-1", True, True),
    ],
)
def test_a_line_that_an_older_nut_does_not_know_is_left_out(version: str, off: bool, delay: bool) -> None:
    host = prepared(PretendHost(nut=version), ups="usb")
    assert ("OFFDURATION -1" in nut(host, "upsmon.conf")) is off
    assert ("lbrb_log_delay_sec = 3" in nut(host, "ups.conf")) is delay
    assert not any(line.startswith("@") for name in ("ups.conf", "upsmon.conf", "upsd.users") for line in nut(host, name))


def test_a_newer_nut_gets_its_lines_with_the_next_run() -> None:
    host = prepared(ups="usb")
    host.packages["nut-server"] = "2.8.1-5"
    host.restarts.clear()
    prepared(host, ups="usb")
    assert "OFFDURATION -1" in nut(host, "upsmon.conf")
    assert "nut-monitor.service" in host.restarts


def test_the_version_of_a_package() -> None:
    assert version_of("2.8.1-5+deb13u1") == (2, 8, 1) < version_of("2.8.3") < version_of("2.10")


def test_a_line_with_a_condition_that_nobody_knows_is_left_out() -> None:
    assert chosen("one\n@never two\n@2.8 three\n", (2, 8, 0), PowerSettings()) == "one\nthree\n"


# serial numbers on the cable → the one that is pinned
@pytest.mark.parametrize(("found", "pinned"), [(["9B1829A12345  "], "9B1829A12345"), ([], ""), (['"; evil'], "")])
def test_the_unit_on_the_cable_is_pinned(found: list[str], pinned: str) -> None:
    host = PretendHost(serials=found)
    power = power_of(PowerSettings(), "usb", {}, host)
    assert power.serial == pinned
    node = prepared(host, ups="usb", serial=power.serial)
    assert (f'serial = "{pinned}"' in nut(node, "ups.conf")) is bool(pinned)


def test_another_unit_is_accepted_only_when_it_is_asked_for() -> None:
    known = PowerSettings(serial="OLD1")
    host = PretendHost(serials=["NEW2"])
    assert power_of(known, "", {}, host).serial == "OLD1"
    assert power_of(known, "usb", {}, host).serial == "NEW2"
    assert power_of(known, "simulated", {}, host).serial == ""


def test_two_units_on_the_cable_are_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"Ada 2 UPS .*A1, B2"):
        power_of(PowerSettings(), "usb", {}, PretendHost(serials=["A1", "B2"]))


def test_another_make_gets_its_driver_with_its_options() -> None:
    host = PretendHost()
    host.files["/lib/nut/nutdrv_qx"] = (PROGRAM, b"")
    power = {
        "ups": "driver",
        "driver": "nutdrv_qx",
        "device": "/dev/ttyS0",
        "driver_options": "vendorid = 0665; novendor;protocol=megatec",
    }
    found = nut(prepared(host, **power), "ups.conf")
    assert found[3:] == [
        "driver = nutdrv_qx", "port = /dev/ttyS0", 'desc = "UPS of the SLRT node"', 'vendorid = "0665"', "novendor", 'protocol = "megatec"',
    ]  # fmt: skip
    assert host.files[ENDGAME_HOOK][0].target == "/usr/lib/slrt/ups-endgame"


def test_a_driver_that_the_machine_does_not_have_is_refused_by_name() -> None:
    with pytest.raises(ConfigurationError, match="tidak mempunyai driver no-such") as refused:
        prepared(ups="driver", driver="no-such")
    assert "--ups-driver" in refused.value.hint


@pytest.mark.parametrize(("driver", "package"), DRIVER_PACKAGES.items())
def test_a_driver_of_a_package_of_its_own_brings_it(driver: str, package: str) -> None:
    host = PretendHost()
    host.files[f"/lib/nut/{driver}"] = (PROGRAM, b"")
    assert package in prepared(host, ups="driver", driver=driver, device="10.0.0.5").packages


def test_other_machines_are_served_on_the_lan_and_may_do_nothing_else() -> None:
    host = prepared(ups="simulated", lan_address=LAN)
    assert nut(host, "nut.conf") == ["MODE=netserver"]
    assert nut(host, "upsd.conf")[:2] == ["LISTEN 127.0.0.1 3493", f"LISTEN {LAN} 3493"]
    users = nut(host, "upsd.users")
    place = users.index("[secondary]")
    password = (host.read("/etc/slrt/secrets/upsd-secondary-password") or b"").decode().strip()
    assert users[place + 1 :] == [f"password = {password}", "upsmon secondary"]
    assert b"ip_nonlocal_bind = 1" in (host.read("/etc/sysctl.d/slrt-ups-lan.conf") or b"")
    rules = (host.read("/etc/slrt/firewall.nft") or b"").decode()
    assert "tcp dport 3493 accept" in rules.partition("chain office")[2], "from the office's own addresses only"


def test_nobody_is_served_unless_asked_for_and_no_longer_when_taken_back() -> None:
    host = prepared(ups="simulated", lan_address=LAN)
    prepared(host, ups="simulated")
    assert nut(host, "nut.conf") == ["MODE=standalone"]
    assert nut(host, "upsd.conf") == ["LISTEN 127.0.0.1 3493", "MAXAGE 25"]
    assert "[secondary]" not in nut(host, "upsd.users")
    assert host.look("/etc/sysctl.d/slrt-ups-lan.conf") is None


def test_the_watcher_has_the_right_to_a_forced_shutdown_and_to_no_cut() -> None:
    users = nut(prepared(ups="usb"), "upsd.users")
    rights = users[users.index("[watcher]") + 1 :]
    assert "upsmon primary" in rights
    assert not any(word in line for line in rights for word in ("ALL", "load", "shutdown", "SET"))


def test_the_sheet_for_the_other_machine_is_whole() -> None:
    sheet = secondary_sheet(PowerSettings(name="apc", lan_address=LAN), "pass" * 16)
    assert f"MONITOR apc@{LAN} 1 secondary {'pass' * 16} secondary\n" in sheet
    assert "$" not in sheet
    assert "3493" in sheet


def test_without_a_ups_nut_names_none_and_the_machine_keeps_what_stood_there() -> None:
    """With a UPS in ups.conf and NUT switched off, Debian's upsmon would have the power cut at every reboot."""
    host = prepared(ups="usb")
    before = host.read("/etc/nut/ups.conf")
    prepared(host, ups="none")
    assert nut(host, "ups.conf") == []
    assert host.read("/etc/nut/ups.conf.slrt-before") == before
    assert host.look(ENDGAME_HOOK) is None
    assert not {unit for unit in host.active | host.enabled if unit.startswith("nut-")}


def test_a_simulated_ups_ends_no_machine_for_real() -> None:
    host = prepared(ups="usb")
    prepared(host, ups="simulated")
    assert host.look(ENDGAME_HOOK) is None


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("driver_options", "port = /dev/x"),
        ("driver_options", "onlinedischarge_calibration"),
        ("driver_options", "pollonly; vendorid = 1"),
        ("driver_options", 'a = "b"'),
        ("driver_options", "a = b\n[other]"),
        ("driver_options", "= 1"),
        ("driver", "../evil"),
        ("driver", "Two Words"),
        ("device", "a\nb"),
        ("device", "$(reboot)"),
        ("serial", 'x"'),
        ("lan_address", "0.0.0.0"),  # noqa: S104
        ("lan_address", "127.0.0.1"),
        ("lan_address", "169.254.1.1"),
        ("lan_address", "8.8.8.8"),
        ("lan_address", "192.168.1.300"),
        ("lan_address", "::1"),
        ("ups", "apc"),
    ],
)
def test_what_could_spoil_nuts_files_is_refused(key: str, value: str) -> None:
    wrong = dataclasses.replace(Settings(), power=dataclasses.replace(PowerSettings(), **{key: value}))
    with pytest.raises(ConfigurationError, match=f"power.{key}" if "\n" not in value else "TOML|power"):
        parse(render(wrong))


def test_options_as_they_are_written() -> None:
    assert driver_options(" vendorid = 0665;ignorelb ; a.b_c=1 2; ") == {"vendorid": "0665", "ignorelb": "", "a.b_c": "1 2"}


def test_a_wish_about_the_ups_is_judged_like_the_file() -> None:
    host = PretendHost()
    host.write("/etc/os-release", b'ID=debian\nVERSION_ID="12"\n', 0o644, "root", "root")
    wish = Wish(district="51.71", ups="driver", ups_driver="nutdrv_qx", ups_options="vendorid = 0665", ups_lan=LAN)
    site = _site(host, wish)
    power = site.settings.power
    assert (power.ups, power.driver, power.driver_options, power.lan_address) == ("driver", "nutdrv_qx", "vendorid = 0665", LAN)
    assert wish.options[-8:] == [
        "--ups",
        "driver",
        "--ups-driver",
        "nutdrv_qx",
        "--ups-options",
        "vendorid = 0665",
        "--ups-lan",
        LAN,
    ]
    host.write("/etc/slrt/appliance.toml", render(site.settings).encode(), 0o644, "root", "root")
    assert _site(host, Wish()).settings.power == power
    assert _site(host, Wish(ups_lan="none")).settings.power.lan_address == ""
    with pytest.raises(ConfigurationError, match=r"power\.driver_options"):
        _site(host, dataclasses.replace(wish, ups_options="port = x"))
