"""The outage book told from the journal, the samples behind the chart, and the chart's places."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from appliance.power import samples, stops
from appliance.power.book import Cut, cuts, last_cut_entries, month_of
from appliance.power.journal import End, Entry, Event
from appliance.power.policy import Cause
from appliance.power.reading import Reading
from appliance.power.samples import Sample
from appliance.power.sentences import what_happened, what_users_saw
from webui.power_chart import HEIGHT, WIDTH, chart

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
WITA = ZoneInfo("Asia/Makassar")


def at(minute: float) -> datetime:
    return NOON + timedelta(minutes=minute)


def entry(event: Event, minute: float, **facts: object) -> Entry:
    return Entry(at(minute), event, facts)


LOST = entry(Event.MAINS_LOST, 0, charge=100, volts=221.5)
BACK_ON = entry(Event.MAINS_BACK, 4, charge=91, volts=219.0)
DECIDED = entry(Event.DECIDED, 5, cause=Cause.TIME)
GONE = (entry(Event.DRAINED, 6, idle=True), entry(Event.HANDED_OVER, 6, cause=Cause.TIME), entry(Event.STOPPED, 6))
RETURN = entry(Event.BACK, 60, down_at=at(6.5).isoformat(), cause=Cause.TIME, clean=True)
CRASH = entry(Event.BACK, 60, down_at=at(50).isoformat(), cause=End.CUT, clean=False)


@pytest.mark.parametrize(
    ("entries", "cut", "told"),
    [
        pytest.param(
            [LOST, BACK_ON], Cut(at(0), at(4), 100, 91, 221.5, 219.0), "ditanggung baterai UPS", id="carried by the battery"
        ),
        pytest.param([LOST], Cut(at(0), None, 100, None, 221.5), "masih berlangsung", id="still dark"),
        pytest.param(
            [LOST, DECIDED, entry(Event.CANCELLED, 5.5), entry(Event.MAINS_BACK, 6)],
            Cut(at(0), at(6), 100, None, 221.5, cancelled=True, closed_at=at(5), reopened_at=at(5.5)),
            "pematian dibatalkan karena listrik menyala kembali",
            id="cancelled",
        ),
        pytest.param(
            [LOST, DECIDED, *GONE, RETURN, entry(Event.STARTED, 60)],
            Cut(at(0), at(60), 100, None, 221.5, cause=Cause.TIME, down_at=at(6.5), closed_at=at(5)),
            "sistem mati dengan tertib: listrik padam terlalu lama",
            id="powered off",
        ),
        pytest.param(
            [LOST, entry(Event.STARTED, 1), CRASH],
            Cut(at(0), at(60), 100, None, 221.5, cause=End.CUT, down_at=at(50), clean=False),
            "sistem mati mendadak: listrik habis sebelum sistem sempat mati dengan tertib",
            id="until there was none",
        ),
        pytest.param(
            [LOST, entry(Event.BACK, 9, down_at=at(8).isoformat(), cause=End.OPERATOR, clean=True)],
            Cut(at(0), at(9), 100, None, 221.5),
            "ditanggung baterai UPS",
            id="switched off by somebody meanwhile",
        ),
    ],
)
def test_a_cut_told_from_the_journal(entries: list[Entry], cut: Cut, told: str) -> None:
    assert cuts([entry(Event.STARTED, -9), *entries]) == [cut]
    assert what_happened(cut) == told


def test_what_happens_on_mains_is_no_cut() -> None:
    assert cuts([entry(Event.UPS_SILENT, 1), entry(Event.UPS_BACK, 2), RETURN, entry(Event.MAINS_BACK, 70)]) == []


def test_a_lost_line_does_not_swallow_the_next_cut() -> None:
    found = cuts([LOST, entry(Event.MAINS_LOST, 30, charge=80), entry(Event.MAINS_BACK, 31, charge=79)])
    assert [(cut.lost_at, cut.back_at) for cut in found] == [(at(0), None), (at(30), at(31))]


def test_how_long_a_cut_lasted_is_not_guessed() -> None:
    carried, off = cuts([LOST, BACK_ON, LOST, DECIDED, *GONE, RETURN])
    assert carried.lasted == timedelta(minutes=4)
    assert off.lasted is None


def test_the_sheet_of_a_month_counts_in_the_zone_of_the_office() -> None:
    evening = datetime(2026, 2, 28, 16, 30, tzinfo=UTC)  # 1 March in the office
    found = [
        Cut(evening - timedelta(hours=1), evening),
        Cut(evening, evening + timedelta(minutes=10)),
        *cuts([LOST, BACK_ON, LOST, DECIDED, *GONE, RETURN, LOST, CRASH]),
    ]
    sheet = month_of(found, 2026, 3, WITA)
    assert (len(sheet.cuts), sheet.known, sheet.longest) == (4, timedelta(minutes=14), timedelta(minutes=10))
    assert (sheet.shutdowns, sheet.crashes) == (1, 1)
    assert month_of(found, 2026, 4, WITA).cuts == ()


def test_the_last_cut_is_explained_from_its_begin_to_its_end() -> None:
    later = [entry(Event.MAINS_LOST, 90), entry(Event.DECIDED, 95), entry(Event.CANCELLED, 96), entry(Event.MAINS_BACK, 97)]
    told = last_cut_entries([LOST, BACK_ON, *later, entry(Event.STARTED, 99)])
    assert told == later
    assert last_cut_entries([LOST]) == [LOST]
    assert last_cut_entries([RETURN]) == []
    start = [entry(Event.HELD, 60), entry(Event.STARTED, 60), entry(Event.ASKED, 61), entry(Event.OPENED, 61)]
    off = [LOST, DECIDED, *GONE, RETURN]
    assert last_cut_entries([*off, *start, entry(Event.UPS_SILENT, 70)]) == [*off, *start]


def sample(minute: float, mains: bool = True, charge: float | None = 100) -> Sample:
    return Sample(at(minute), mains, charge, 221.5 if mains else 0.0, 27.0, 12.0)


def test_samples_come_back_as_they_were_written(tmp_path: Path) -> None:
    readings = [
        Reading(frozenset({"OL"}), 100, None, 221.5, 27.1, 24.0, 12.0),
        Reading(frozenset({"OB", "DISCHRG"}), None, None, 0.0, None, 24.0, None),
    ]
    for minute, reading in enumerate(readings):
        samples.append(tmp_path, at(minute), reading)
    assert samples.since(tmp_path, at(0)) == [
        Sample(at(0), True, 100, 221.5, 27.1, 12.0),
        Sample(at(1), False, None, 0.0, None, None),
    ]
    assert [one.at for one in samples.since(tmp_path, at(1))] == [at(1)]
    assert samples.since(tmp_path / "none", at(0)) == []


def test_a_sample_torn_at_any_byte_costs_only_itself(tmp_path: Path) -> None:
    path = tmp_path / samples.SAMPLES_FILE
    reading = Reading(frozenset({"OL"}), 99)
    samples.append(tmp_path, at(0), reading)
    whole = path.read_bytes()
    for cut in range(len(whole)):
        path.write_bytes(whole[:cut])
        samples.append(tmp_path, at(1), reading)
        assert samples.since(tmp_path, at(0))[-1].at == at(1)


def test_the_file_of_samples_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "LARGEST", 1000)
    for minute in range(100):
        samples.append(tmp_path, at(minute), Reading(frozenset({"OL"}), 99))
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 2300
    kept = samples.since(tmp_path, at(0))
    assert kept[-1].at == at(99)
    assert len(kept) > 20


def test_the_chart_shows_charge_darkness_and_the_hours_of_the_office() -> None:
    day = [sample(0), sample(1), sample(2, mains=False, charge=90), sample(3, mains=False, charge=80), sample(4, charge=80)]
    drawn = chart([*day, sample(120), sample(121)], at(0), at(240), WITA)
    step = WIDTH / 240
    charge = drawn.panels[0]
    assert drawn.dark == ((2 * step, 2 * step),)
    assert charge.lines[0].split()[0] == "0.0,0.0"
    assert charge.lines[0].split()[3] == f"{3 * step},{HEIGHT * 0.2}"
    assert len(charge.lines) == 2, "the time without samples is not drawn"
    assert charge.marks == ((HEIGHT, "0"), (HEIGHT / 2, "50"), (0, "100"))
    assert "terendah 80 % (pukul 20.03), tertinggi 100 % (pukul 20.00)" in charge.words
    assert drawn.ticks == ((60 * step, "21.00"),)


def test_load_and_voltage_have_scales_of_their_own_and_no_voltage_without_mains() -> None:
    day = [
        Sample(at(0), True, 100, 221.5, 27.1, 12.0),
        Sample(at(1), False, 99, 0.0, 26.0, 55.5),
        Sample(at(2), True, 99, 174.0, 26.5, None),
    ]
    _, load, volts = chart(day, at(0), at(60), WITA).panels
    assert (load.title, load.unit, len(load.lines)) == ("Beban UPS", "%", 1)
    assert [text for _, text in load.marks] == ["0", "50", "100"], "more than fits on the usual scale"
    assert len(volts.lines) == 2, "broken where the mains was"
    assert [text for _, text in volts.marks] == ["160", "220", "260"]
    assert volts.words == "Terakhir 174 V (pukul 20.02), terendah 174 V (pukul 20.02), tertinggi 221,5 V (pukul 20.00)."


def test_a_chart_of_nothing_is_empty() -> None:
    drawn = chart([], at(0), at(60), WITA)
    assert (drawn.panels, drawn.dark) == ((), ())


def test_darkness_lasts_to_the_last_sample_when_the_node_went_off() -> None:
    drawn = chart([sample(0), sample(1, mains=False), sample(2, mains=False)], at(0), at(240), WITA)
    assert drawn.dark == ((WIDTH / 240, WIDTH / 240),)


def test_a_second_outage_and_what_people_saw() -> None:
    hour, second = timedelta(hours=1), timedelta(seconds=1)
    entries = [
        Entry(NOON, Event.MAINS_LOST, {"charge": 100}),
        Entry(NOON + 300 * second, Event.DECIDED, {"cause": Cause.TIME, "charge": 55}),
        Entry(NOON + 312 * second, Event.CANCELLED, {"cause": Cause.TIME}),
        Entry(NOON + 330 * second, Event.MAINS_BACK, {"charge": 54}),
        Entry(NOON + hour, Event.MAINS_LOST, {"charge": 60}),
        Entry(NOON + hour + 60 * second, Event.DECIDED, {"cause": Cause.CHARGE, "charge": 50}),
        Entry(
            NOON + 2 * hour,
            Event.BACK,
            {"cause": Cause.CHARGE, "clean": True, "down_at": (NOON + hour + 65 * second).isoformat()},
        ),
        Entry(NOON + 4 * hour, Event.MAINS_LOST, {"charge": 89}),
        Entry(NOON + 5 * hour, Event.BACK, {"cause": End.CUT, "clean": False, "down_at": (NOON + 4 * hour).isoformat()}),
        Entry(NOON + 30 * hour, Event.MAINS_LOST, {"charge": 89}),
        Entry(NOON + 30 * hour + second, Event.MAINS_BACK, {}),
        Entry(NOON + 31 * hour, Event.MAINS_LOST, {"charge": 90}),
    ]
    found = cuts(entries)
    assert [cut.second for cut in found] == [False, True, True, False, False]
    assert what_users_saw(found[0]) == "peringatan listrik padam pada setiap halaman; simpanan baru ditolak 12 detik"
    assert what_users_saw(found[1]).endswith("simpanan baru ditolak sebelum sistem mati")
    assert what_users_saw(found[2]).endswith("berhenti tiba-tiba")
    assert what_users_saw(found[3]) == "peringatan listrik padam pada setiap halaman"
    assert what_happened(dataclasses.replace(found[3], second=True)).endswith("padam lagi sebelum baterai penuh")


def test_what_was_stopped_is_told_for_the_outage_in_which_it_was(tmp_path: Path) -> None:
    minute = timedelta(minutes=1)
    for at, what in ((NOON, "cadangan"), (NOON + minute, "impor"), (NOON + minute, "cadangan"), (NOON + 3 * minute, "ekspor")):
        stops.note(tmp_path, stops.Stop(at, what))
    with (tmp_path / stops.STOPS_FILE).open("a") as file:
        file.write('\n{"at": "2026-')
    stops.note(tmp_path, stops.Stop(NOON + 4 * minute, "akhir"))
    found = stops.stops(tmp_path)
    assert [stop.what for stop in found] == ["cadangan", "impor", "cadangan", "ekspor", "akhir"]
    assert stops.stopped_between(found, NOON, NOON + 2 * minute) == ("cadangan", "impor")
    assert stops.stopped_between(found, NOON + 5 * minute, NOON + 6 * minute) == ()
    stops.note(tmp_path / "nowhere", stops.Stop(NOON, "cadangan"))
