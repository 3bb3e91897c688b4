"""What install.sh takes for addresses of an office, and that nothing of it is refused by slrt-provision once the machine was changed."""

from __future__ import annotations

import dataclasses
import re
import subprocess
from pathlib import Path

import click
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.config import NetworkSettings, PowerSettings, Settings, parse, render
from appliance.errors import ConfigurationError
from appliance.lan.rules import Typed, read_wanted
from provision.cli import ADDRESS_WISHES, CONNECTION, Wish, apply

ROOT = Path(__file__).resolve().parents[2]
SHELL = ROOT / "provision/shell"
JUDGE = f'. {SHELL}/addresses.sh; while IFS=$\'\\t\' read -r name value; do echo "$name: $(judge_network "$name" "$value")"; done'
TOGETHER = f". {SHELL}/addresses.sh; declare -A given; complaints=(); {{}}; judge_network_together; printf '%s\\n' \"${{{{complaints[@]}}}}\""

GOOD = {
    "address": ("192.168.1.10/24", "10.1.2.3/8", "172.31.255.1/16", "192.168.1.9/30"),
    "gateway": ("192.168.1.1",),
    "dns": ("192.168.1.1", "9.9.9.9, 1.1.1.1,8.8.8.8"),
    "ups-lan": ("192.168.1.10", "none"),
    "dhcp": ("192.168.1.100-192.168.1.200", "192.168.1.7-192.168.1.7", "10.0.0.1-10.0.16.0", "none"),
    "ssh-from": (
        *("192.168.1.20", "192.168.1.20, 192.168.2.0/24", "10.0.0.0/8", "172.16.0.0/12", "169.254.0.0/16", "none"),
        *("fd00::20", "fd00:1::/32", "fe80::1", "fd12:3456:789a:1:2:3:4:5"),
    ),
    "upstream-dns": ("192.168.1.1, 9.9.9.9", "2001:db8::1", "::1", "none"),
}
WRONG = {
    "address": (
        *(
            "192.168.1.10",
            "192.168.1.10/",
            "192.168.1.10/7",
            "192.168.1.10/31",
            "192.168.1.010/24",
            "192.168.1.01/24",
            "192.168.1.10/024",
            "kantor/24",
        ),
        *(
            "8.8.8.8/24",
            "127.0.0.1/24",
            "169.254.1.1/24",
            "192.168.1.0/24",
            "192.168.1.255/24",
            "172.32.0.1/16",
            "192.168.1.10/24/24",
        ),
    ),
    "gateway": ("router", "192.168.1.300", "192.168.1", "fd00::1", "192.168.1.1 "),
    "dns": ("192.168.1.1,", ",192.168.1.1", "1.1.1.1,2.2.2.2,3.3.3.3,4.4.4.4", "fd00::1", "none"),
    "ups-lan": ("kantor", "8.8.8.8", "127.0.0.1", "169.254.1.1"),
    "dhcp": (
        *("192.168.1.200-192.168.1.100", "192.168.1.100", "192.168.1.100-", "8.8.8.1-8.8.8.9", "10.0.0.0-10.0.16.0"),
        *("192.168.1.1-192.168.1.5-192.168.1.9", "a-b"),
    ),
    "ssh-from": (
        *(
            "8.8.8.8",
            "0.0.0.0/0",
            "127.0.0.1",
            "192.168.1.20/24",
            "192.168.0.0/15",
            "kantor",
            "192.168.1.1,,192.168.1.2",
            "10.0.0.0/33",
        ),
        *(
            "2001:db8::1",
            "::1",
            "fd00::1/64",
            "fd00:1:2::/32",
            "fd00::/128/1",
            "fd00:::1",
            "fd00::12345",
            "fd00:1",
            "fd00::/8",
            "fe80::/10",
        ),
    ),
    "upstream-dns": ("dns.example", "1.1.1", "1:2:3:4:5:6:7:8:9", ":1::2", "1::2:", "1:2:3:4:5:6:7::8"),
}


def judged(cases: list[tuple[str, str]]) -> list[str]:
    """What install.sh says of each name and value; empty where it has nothing against it."""
    lines = "".join(f"{name}\t{value}\n" for name, value in cases)
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", JUDGE], input=lines, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return [line.partition(": ")[2] for line in done.stdout.splitlines()]


def later(name: str, value: str) -> bool:
    """Whether slrt-provision takes it."""
    if name in ADDRESS_WISHES:
        typed = {"address": "192.168.1.10/24", name: value}
        problems = read_wanted(Typed(**typed))[1]
        return name not in problems or "jaringan" in problems[name]  # which network a gateway is in, is judged together
    text = "" if value == "none" else value
    if name == "ups-lan":
        power = dataclasses.replace(PowerSettings(), lan_address=text)
        return is_right(dataclasses.replace(Settings(), power=power))
    return is_right(Settings(network=NetworkSettings(**{name.replace("-", "_"): text})))


def is_right(made: Settings) -> bool:
    try:
        parse(render(made))
    except ConfigurationError:
        return False
    return True


@pytest.mark.parametrize("name", GOOD)
def test_an_office_can_say_what_it_has_and_nothing_else(name: str) -> None:
    cases = [(name, value) for value in (*GOOD[name], *WRONG[name])]
    taken = [value for (_, value), said in zip(cases, judged(cases), strict=True) if not said]
    assert taken == list(GOOD[name])
    assert all(later(name, value) for value in taken)


PART = st.sampled_from(("0", "1", "9", "10", "127", "168", "169", "172", "192", "254", "255", "256", "31", "32"))
ADDRESS = st.tuples(st.sampled_from(("10", "172.16", "192.168", "169.254")), st.lists(PART, min_size=2, max_size=3)).map(
    lambda said: ".".join((said[0], *said[1]))
)
ADDRESS6 = st.lists(st.sampled_from(("fd00", "fe80", "", "1", "0", "abcde", "::")), min_size=1, max_size=9).map(":".join)
LENGTH = st.sampled_from(("", "/0", "/8", "/10", "/12", "/16", "/24", "/30", "/32", "/48", "/64", "/128", "/129"))
ONE = st.tuples(ADDRESS | ADDRESS6, LENGTH, st.sampled_from(("", "-", ",", ", ")), ADDRESS | st.just("")).map("".join)


@settings(max_examples=12, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(sorted(GOOD)), ONE), min_size=40, max_size=60))
def test_what_it_takes_is_not_refused_after_the_machine_was_changed(cases: list[tuple[str, str]]) -> None:
    taken = [case for case, said in zip(cases, judged(cases), strict=True) if not said]
    assert [case for case in taken if not later(*case)] == []


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"address": "192.168.1.10/24", "gateway": "192.168.1.1", "dhcp": "192.168.1.100-192.168.1.200"}, ()),
        ({"dhcp": "192.168.1.100-192.168.1.200"}, ()),
        ({"address": "192.168.1.10/24", "dhcp": "none"}, ()),
        ({"gateway": "192.168.1.1", "dns": "192.168.1.1"}, ("gateway 192.168.1.1: sebutkan", "dns 192.168.1.1: sebutkan")),
        ({"address": "192.168.1.10/24", "gateway": "192.168.1.10"}, ("mesin lain",)),
        ({"address": "192.168.1.10/24", "gateway": "192.168.1.255"}, ("gateway 192.168.1.255: tidak berada",)),
        (
            {"address": "192.168.1.10/24", "gateway": "192.168.2.1", "dhcp": "192.168.1.100-192.168.2.10"},
            ("gateway 192.168.2.1: tidak berada di jaringan 192.168.1.10/24", "dhcp 192.168.1.100-192.168.2.10: tidak berada"),
        ),
    ],
)
def test_what_no_single_answer_shows(said: dict[str, str], told: tuple[str, ...]) -> None:
    answers = "; ".join(f"given[{name}]={value}" for name, value in said.items())
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", TOGETHER.format(answers)], capture_output=True, text=True, check=True
    )
    lines = [line for line in done.stdout.splitlines() if line]
    assert len(lines) == len(told)
    assert all(words in line for words, line in zip(told, lines, strict=True)), lines


def test_each_question_is_a_flag_of_both_programs_and_in_the_help() -> None:
    listed = re.search(r"(?m)^readonly WISHES=\((.*)\)$", (SHELL / "options.sh").read_text())
    assert listed
    wishes = {*listed[1].split(), "accept", "lang"}
    options = {option.removeprefix("--") for one in apply.params if isinstance(one, click.Option) for option in one.opts}
    assert wishes <= options
    fields = {field.name.replace("_", "-") for field in dataclasses.fields(Wish) if field.name not in CONNECTION}
    assert fields == wishes
    shown = subprocess.run([ROOT / "install.sh", "--help"], capture_output=True, text=True, check=True).stdout
    assert {name for name in wishes if f"--{name} " not in shown} == set()
