"""What the words and numbers of NUT mean, and which are nonsense."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.power.reading import Reading, Silence, SilenceKind, parse


@pytest.mark.parametrize(
    ("status", "mains", "low", "forced"),
    [
        ("OL", True, False, False),
        ("OL CHRG", True, False, False),
        ("OL LB RB", True, False, False),
        ("OB", False, False, False),
        ("OB DISCHRG LB", False, True, False),
        ("FSD OL", True, False, True),
        ("FSD OB LB", False, True, True),
        ("FSD", None, False, True),
    ],
)
def test_status_words(status: str, mains: bool | None, low: bool, forced: bool) -> None:
    found = parse({"ups.status": status})
    assert isinstance(found, Reading)
    assert (found.mains, found.low, found.forced) == (mains, low, forced)


@pytest.mark.parametrize("status", ["", " ", "WAIT", "OL OB", "OFF", "FOO", "ol", "OLOB", "LB"])
def test_a_status_that_says_nothing_is_no_reading(status: str) -> None:
    found = parse({"ups.status": status})
    assert isinstance(found, Silence)
    assert found.kind is SilenceKind.UNCLEAR


def test_no_status_is_no_reading() -> None:
    assert isinstance(parse({"battery.charge": "100"}), Silence)


@pytest.mark.parametrize(
    ("text", "charge"),
    [("100", 100), ("0", 0), ("57.9", 57), ("150", None), ("-1", None), ("", None), ("abc", None), ("nan", None), ("inf", None)],
)
def test_a_charge_that_makes_no_sense_is_none(text: str, charge: int | None) -> None:
    found = parse({"ups.status": "OB", "battery.charge": text})
    assert isinstance(found, Reading)
    assert found.charge == charge


def test_the_variables_that_make_no_sense_are_named() -> None:
    whole = {
        "battery.charge": "100",
        "battery.runtime": "2760",
        "input.voltage": "221.5",
        "battery.voltage": "27",
        "ups.load": "12",
    }
    found = parse({"ups.status": "OL", "battery.voltage.nominal": "13", **whole})
    assert isinstance(found, Reading)
    assert found.odd == frozenset(), "a unit that keeps quiet about something is an ordinary one"
    for name in whole:
        for text in ("150000000", "-1", "", "abc"):
            found = parse({"ups.status": "OL", **whole, name: text})
            assert isinstance(found, Reading)
            assert found.odd == {name}, text


@pytest.mark.parametrize(
    ("text", "seconds"), [("2760", 2760), ("0", 0), ("2760.00", 2760), ("-5", None), ("99999999", None), ("1e400", None)]
)
def test_a_runtime_that_makes_no_sense_is_none(text: str, seconds: int | None) -> None:
    found = parse({"ups.status": "OB", "battery.runtime": text})
    assert isinstance(found, Reading)
    assert found.runtime == (None if seconds is None else timedelta(seconds=seconds))


@given(st.dictionaries(st.sampled_from(["ups.status", "battery.charge", "battery.runtime"]), st.text(max_size=20)))
def test_no_text_breaks_it(variables: dict[str, str]) -> None:
    assert isinstance(parse(variables), Reading | Silence)


@pytest.mark.parametrize(
    ("name", "text", "attribute", "value"),
    [
        ("input.voltage", "224.0", "mains_volts", 224.0),
        ("input.voltage", "0.0", "mains_volts", 0.0),
        ("input.voltage", "6550", "mains_volts", None),
        ("battery.voltage", "27.1", "battery_volts", 27.1),
        ("battery.voltage", "0", "battery_volts", None),
        ("battery.voltage", "nan", "battery_volts", None),
        ("battery.voltage.nominal", "24.0", "nominal_volts", 24.0),
        ("battery.voltage.nominal", "13", "nominal_volts", None),
        ("ups.load", "12", "load", 12.0),
        ("ups.load", "-3", "load", None),
        ("ups.serial", " 4B1234P00001 ", "serial", "4B1234P00001"),
        ("ups.test.result", "In progress", "self_test", True),
        ("ups.test.result", "Done and passed", "self_test", False),
    ],
)
def test_what_the_ups_says_of_itself_and_nonsense_is_none(name: str, text: str, attribute: str, value: object) -> None:
    found = parse({"ups.status": "OL", name: text})
    assert isinstance(found, Reading)
    assert getattr(found, attribute) == value
