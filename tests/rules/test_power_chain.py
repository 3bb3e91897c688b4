"""The light of the power protection: each missing link turns it red with its cause and remedy, and nothing else does."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.power.chain import Color, Facts, Finding, Light, Link, Report, judge, light_of, report_of
from appliance.power.reading import Silence, SilenceKind

AT = datetime(2026, 11, 28, 3, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
WELL = Facts(
    AT, real=True, watcher_at=AT, mains=True, variables={"driver.name": "usbhid-ups", "ups.serial": "4B21"}, expected_serial="4B21",
    clients=2, primary=True, version=(2, 8, 0), mode="standalone", flag_writable=True, flag_stale=False, hook_runs=True,
    missing_on_usb=False, wakes_by_clock=True,
)  # fmt: skip


def with_facts(**changes: Any) -> Facts:
    return dataclasses.replace(WELL, **changes)


def test_a_whole_chain_has_no_findings() -> None:
    assert judge(WELL) == ()
    assert judge(with_facts(clients=3, mode="netserver", version=(2, 8, 3), calibrated=True)) == ()


def test_what_could_not_be_asked_is_no_finding() -> None:
    assert judge(Facts(AT, real=True, watcher_at=AT)) == ()


@pytest.mark.parametrize(
    ("changes", "link", "cause", "remedy"),
    [
        ({"missing_on_usb": True}, Link.CABLE, "tidak ada UPS pada USB", "bukan soket pelindung saluran telepon/LAN"),
        ({"stopped": ("nut-monitor.service",)}, Link.SERVICES, "nut-monitor.service", "systemctl start nut-monitor.service"),
        ({"silence": Silence(SilenceKind.CONNECT)}, Link.UPSD, "tidak berjalan", "restart nut-server"),
        ({"silence": Silence(SilenceKind.DRIVER)}, Link.UPSD, "driver UPS", "kabel USB"),
        ({"silence": Silence(SilenceKind.PROTOCOL)}, Link.UPSD, "tidak dapat dipakai", "journalctl"),
        ({"variables": {"driver.name": "dummy-ups"}}, Link.UNIT, "UPS tiruan", "install.sh"),
        ({"variables": {"driver.name": "usbhid-ups", "ups.serial": "9Z"}}, Link.UNIT, "nomor seri 9Z", "UPS semula"),
        ({"watcher_at": None}, Link.WATCHER, "tidak melapor", "restart slrt-watcher"),
        ({"watcher_at": AT - timedelta(seconds=61)}, Link.WATCHER, "tidak melapor", "restart slrt-watcher"),
        ({"clients": 1}, Link.UPSMON, "1 dari 2", "restart nut-monitor"),
        ({"primary": False}, Link.RIGHTS, "PRIMARY ditolak", "install.sh"),
        ({"mode": "none"}, Link.MODE, "MODE=none", "MODE=standalone"),
        ({"mode": ""}, Link.MODE, "MODE=(kosong)", "MODE=standalone"),
        ({"flag_stale": True}, Link.FLAG, "lama masih ada", "rm /run/nut/killpower"),
        ({"flag_writable": False}, Link.FLAG, "tidak dapat ditulis", "tmpfiles"),
        ({"hook_runs": False}, Link.HOOK, "ups-endgame", "install.sh"),
        ({"calibrated": True}, Link.CALIBRATION, "uji UPS", "sekarang, selagi listrik menyala"),
        ({"calibrated": True, "mains": False}, Link.CALIBRATION, "uji UPS", "Jangan sekarang"),
    ],
)
def test_a_missing_link_is_told_with_cause_and_remedy(changes: dict[str, Any], link: Link, cause: str, remedy: str) -> None:
    (finding,) = judge(with_facts(**changes))
    assert (finding.link, finding.grave) == (link, True)
    assert cause in finding.cause
    assert remedy in finding.remedy


@pytest.mark.parametrize(("changes", "link"), [({"frozen": True}, Link.FROZEN), ({"wakes_by_clock": False}, Link.CLOCK)])
def test_a_notice_leaves_the_light_green(changes: dict[str, Any], link: Link) -> None:
    report = report_of(with_facts(**changes), None)
    assert [finding.link for finding in report.findings] == [link]
    assert light_of(report, AT, None, AT).color is Color.ARMED


@pytest.mark.parametrize(
    "changes", [{"silence": Silence(SilenceKind.CONNECT)}, {"clients": 1}, {"silence": Silence(SilenceKind.DRIVER)}]
)
def test_nobody_is_told_to_restart_nut_while_on_battery(changes: dict[str, Any]) -> None:
    (finding,) = judge(with_facts(mains=False, **changes))
    assert finding.remedy.startswith("Tunggu sampai listrik menyala.")


def test_a_simulated_unit_may_be_played_by_dummy_ups() -> None:
    assert judge(with_facts(real=False, variables={"driver.name": "dummy-ups"}, expected_serial="")) == ()


BROKEN = (Finding(Link.UPSMON, "upsmon tidak ada", "Nyalakan upsmon."),)


@pytest.mark.parametrize(
    ("report", "watcher_at", "booted_at", "color"),
    [
        (Report(AT, AT), AT, None, Color.ARMED),
        (Report(AT - timedelta(minutes=3), AT), AT, None, Color.ARMED),
        (Report(AT - timedelta(minutes=3, seconds=1), AT), AT, None, Color.NOT_ARMED),  # nobody checks any more
        (Report(AT + timedelta(hours=1), AT), AT, None, Color.NOT_ARMED),  # the clock went back
        (None, AT, None, Color.NOT_ARMED),
        (None, AT, AT - timedelta(minutes=2), Color.CHECKING),
        (None, AT, AT - timedelta(minutes=4), Color.NOT_ARMED),
        (Report(AT, AT), AT - 61 * SECOND, None, Color.NOT_ARMED),
        (Report(AT, AT), None, None, Color.NOT_ARMED),
        (Report(AT, AT - 59 * SECOND, BROKEN), AT, None, Color.CHECKING),
        (Report(AT, AT - 60 * SECOND, BROKEN), AT, None, Color.NOT_ARMED),
    ],
)
def test_the_color_of_the_light(
    report: Report | None, watcher_at: datetime | None, booted_at: datetime | None, color: Color
) -> None:
    light = light_of(report, watcher_at, booted_at, AT)
    assert light.color is color
    assert ("TIDAK aktif karena" in light.sentence) is (color is Color.NOT_ARMED)
    assert bool(light.remedy) is (color is Color.NOT_ARMED or bool(light.findings))


def test_a_red_light_names_the_first_cause_and_counts_the_others() -> None:
    light = light_of(report_of(with_facts(clients=1, mode="none", primary=False), None), None, None, AT + timedelta(minutes=1))
    assert light.sentence == "Perlindungan TIDAK aktif karena pengawas listrik tidak melapor (dan 3 sebab lain)."
    assert len({finding.link for finding in light.findings}) == 4


def test_the_report_knows_since_when_its_answer_holds() -> None:
    first = report_of(WELL, None)
    later = report_of(with_facts(at=AT + timedelta(minutes=1), watcher_at=AT + timedelta(minutes=1)), first)
    assert later.since == AT
    bad = report_of(with_facts(at=AT + timedelta(minutes=2), clients=0), later)
    assert bad.since == AT + timedelta(minutes=2)
    assert report_of(with_facts(at=AT + timedelta(minutes=3), mode="none"), bad).since == bad.since


ANYTHING = st.builds(
    with_facts,
    watcher_at=st.sampled_from([None, AT, AT - timedelta(hours=1)]),
    mains=st.sampled_from([True, False, None]),
    silence=st.one_of(st.none(), st.sampled_from([Silence(kind) for kind in SilenceKind])),
    clients=st.sampled_from([None, 0, 1, 2]),
    primary=st.sampled_from([True, False, None]),
    stopped=st.sampled_from([(), ("nut-server.service",)]),
    mode=st.sampled_from([None, "none", "standalone"]),
    flag_stale=st.booleans(),
    frozen=st.booleans(),
)


@given(ANYTHING)
def test_a_light_is_green_exactly_when_nothing_grave_is_known(facts: Facts) -> None:
    light: Light = light_of(report_of(facts, None), facts.watcher_at, None, AT + timedelta(seconds=60))
    grave = [finding for finding in judge(facts) if finding.grave]
    assert (light.color is Color.ARMED) is (not grave)
    assert all(finding.cause and finding.remedy and not finding.cause.endswith(".") for finding in light.findings)
