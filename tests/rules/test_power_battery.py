"""The battery's health and the day before which to replace it: told from enough measurements, and else not told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from appliance.power.battery import Measurement, measure, measurements, outlook
from appliance.power.book import Cut, cuts
from appliance.power.journal import Entry, Event
from appliance.power.policy import Cause

AT = datetime(2026, 11, 28, 3, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def falling(count: int, days: int, first: float = 100.0, a_day: float = 0.1) -> list[Measurement]:
    """`count` measurements over `days`, the last one today."""
    begin, step = AT - days * DAY, days * DAY / (count - 1)
    return [Measurement(begin + number * step, first - a_day * (number * step / DAY)) for number in range(count)]


def test_a_new_battery_at_the_load_of_the_table_is_whole() -> None:
    # 9 % of 700 W: 64 minutes for the whole charge, by the readings of real units
    one = measure(AT, timedelta(minutes=32), 50, 9.0)
    assert one is not None
    assert one.health == pytest.approx(100, abs=1)


@pytest.mark.parametrize(("minutes", "loss", "load"), [(32, 4, 9.0), (0.9, 50, 9.0), (32, 50, None), (32, 50, 0.0), (32, 0, 9.0)])
def test_too_little_is_no_measurement(minutes: float, loss: int, load: float | None) -> None:
    assert measure(AT, timedelta(minutes=minutes), loss, load) is None


def test_the_forecast_is_the_day_on_which_half_is_left() -> None:
    found = outlook(falling(5, 200), AT)
    assert found.health == 85  # the median of the last three
    assert found.replace_before is not None
    assert abs(found.replace_before - (AT + 300 * DAY)) < DAY
    assert not found.worn_out


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        ([], "Belum ada"),
        (falling(3, 200), "baru ada 3 dalam 200 hari"),
        (falling(9, 59), "baru ada 9 dalam 59 hari"),
        (falling(5, 200, a_day=-0.1), "belum menunjukkan penurunan"),
        (falling(5, 200, a_day=0.0), "belum menunjukkan penurunan"),
        (falling(5, 200, a_day=0.02), "masih terlalu kecil"),
        ([Measurement(AT + DAY, 80.0)], "Belum ada"),  # from a clock that was ahead
    ],
)
def test_without_enough_to_go_by_there_is_no_day_but_a_reason(found: list[Measurement], reason: str) -> None:
    told = outlook(found, AT)
    assert told.replace_before is None
    assert reason in told.reason


def test_a_weak_battery_is_to_be_replaced_now() -> None:
    told = outlook(falling(2, 10, first=48.0), AT)
    assert told.worn_out
    assert told.replace_before == AT


@example([51.0, 51.0, 1.0, 51.0, 51.0], 78)  # a line that was below half long before it began
@given(st.lists(st.floats(1, 150), max_size=12), st.integers(1, 900))
def test_no_measurements_break_it_and_no_day_lies_in_the_past(values: list[float], days: int) -> None:
    begin = AT - days * DAY
    found = [Measurement(begin + number * days * DAY / len(values), value) for number, value in enumerate(values)]
    told = outlook(found, AT)
    assert told.replace_before is None or told.replace_before >= AT
    assert bool(told.reason) or told.replace_before is not None


def test_each_outage_that_took_enough_is_a_measurement() -> None:
    begin = {"charge": 100, "volts": 224.0, "load": 9.0}
    half, minute = timedelta(minutes=32), timedelta(minutes=1)
    entries = [
        Entry(AT, Event.MAINS_LOST, begin),
        Entry(AT + half, Event.MAINS_BACK, {"charge": 50}),
        Entry(AT + DAY, Event.MAINS_LOST, begin),
        Entry(AT + DAY + half, Event.DECIDED, {"cause": Cause.CHARGE, "charge": 50}),
        Entry(AT + 2 * DAY, Event.BACK, {"cause": Cause.CHARGE, "clean": True, "down_at": (AT + DAY + half).isoformat()}),
        Entry(AT + 3 * DAY, Event.MAINS_LOST, begin),
        Entry(AT + 3 * DAY + minute, Event.MAINS_BACK, {"charge": 98}),
        Entry(AT + 4 * DAY, Event.MAINS_LOST, {"charge": 100}),
        Entry(AT + 4 * DAY + half, Event.MAINS_BACK, {"charge": 50}),
    ]
    found: list[Cut] = cuts(entries)
    assert [cut.drawn for cut in found] == [(half, 50), (half, 50), (minute, 2), (half, 50)]
    assert [round(one.health) for one in measurements(found)] == [100, 100]
