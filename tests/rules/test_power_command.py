"""What `slrt power` tells of an outage, and what it lets an operator ask."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from appliance.commands.door import Door
from appliance.commands.power import command
from appliance.config import PathSettings, PowerSettings, Settings, render
from appliance.errors import InvalidInput
from appliance.power import journal, state, stops
from appliance.power.journal import Entry, Event
from appliance.power.policy import Cause
from appliance.power.stages import Asked

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def door(tmp_path: Path) -> Door:
    folder = str(tmp_path)
    settings = Settings(paths=PathSettings(data=folder, runtime=folder), power=PowerSettings(runtime=folder, state=folder))
    (tmp_path / "appliance.toml").write_text(render(settings))
    return Door(tmp_path / "appliance.toml")


def slrt_power(door: Door, *words: str) -> Result:
    return CliRunner().invoke(command, list(words), obj=door)


def publish(door: Door, stage: str, notices: tuple[str, ...] = ()) -> Path:
    folder = Path(door.settings.power.runtime)
    state.publish(folder, state.State(NOON, stage, accepts_work=False, sentence="Keadaan.", notices=notices))
    return folder


def test_an_outage_is_explained_decision_by_decision(door: Door) -> None:
    numbers = {"charge": 50, "runtime": 1500, "battery_volts": 24.5, "on_battery": 32, "silent": None}
    way = [
        (0, Event.MAINS_LOST, {"charge": 100, "volts": 221.5}),
        (1, Event.FLAPPING, {"count": 3}),
        (32, Event.DECIDED, {"cause": Cause.CHARGE, **numbers}),
        (40, Event.CANCELLED, {"cause": Cause.CHARGE, "stage": "draining"}),
        (90, Event.ASKED, {"what": Asked.STOP, "by": "admin.rina"}),
        (91, Event.DECIDED, {"cause": Cause.ASKED, "charge": 49}),
        (95, Event.DRAINED, {"seconds": 4.0, "idle": True, "saved": False}),
        (95, Event.READY, {}),
        (100, Event.HANDED_OVER, {"cause": Cause.ASKED}),
        (105, Event.FORCED_AGAIN, {}),
        (106, Event.FORCED_SEEN, {}),
        (130, Event.STOPPED, {"seconds": 30.0}),
    ]
    for second, event, facts in way:
        path = Path(door.settings.power.state) / journal.JOURNAL_FILE
        journal.append(path, Entry(NOON + timedelta(seconds=second), event, facts))
    told = [line.partition("+")[2] for line in slrt_power(door, "explain").stdout.splitlines()[:-1]]
    assert told == [
        "0 detik  listrik padam (baterai 100 %; tegangan 221.5 V)",
        "1 detik  listrik padam berulang kali; pencadangan, impor dan ekspor menunggu (3 kali dalam 10 menit)",
        "32 detik  diputuskan mati (isi baterai UPS mencapai batas; padam sudah 32 detik; baterai 50 %; sisa waktu 1500 detik;"
        " tegangan baterai 24.5 V)",
        "40 detik  pematian dibatalkan karena listrik menyala kembali (isi baterai UPS mencapai batas; selagi menunggu pekerjaan)",
        "1 menit 30 detik  petugas meminta (mematikan sistem; oleh admin.rina)",
        "1 menit 31 detik  diputuskan mati (petugas meminta sistem mati selagi listrik padam; baterai 49 %)",
        "1 menit 35 detik  pekerjaan yang berjalan ditunggu, lalu data dirapikan di disk (4.0 detik; semua selesai; data belum sempat"
        " dirapikan)",
        "1 menit 35 detik  siap mati; menunggu sebentar kalau-kalau listrik menyala",
        "1 menit 40 detik  mesin diminta mati (petugas meminta sistem mati selagi listrik padam)",
        "1 menit 45 detik  pematian paksa diminta lagi lewat NUT",
        "1 menit 46 detik  pematian paksa tercatat di NUT",
        "2 menit 10 detik  pengawas listrik berhenti (30.0 detik)",
    ]


def test_the_book_tells_what_was_stopped_and_what_people_saw(door: Door) -> None:
    path = Path(door.settings.power.state) / journal.JOURNAL_FILE
    for minute, event in ((0, Event.MAINS_LOST), (4, Event.MAINS_BACK), (60, Event.MAINS_LOST), (61, Event.MAINS_BACK)):
        journal.append(path, Entry(NOON + timedelta(minutes=minute), event))
    for minute, what in ((1, "cadangan"), (2, "impor"), (30, "ekspor")):
        stops.note(Path(door.settings.paths.data), stops.Stop(NOON + timedelta(minutes=minute), what))
    told = [line.partition("WITA  ")[2] or line for line in slrt_power(door, "book", "--month", "2026-03").stdout.splitlines()]
    seen = "    Yang terlihat: peringatan listrik padam pada setiap halaman"
    assert told == [
        "4 menit; ditanggung baterai UPS",
        "    Dihentikan: cadangan, impor",
        seen,
        "1 menit; ditanggung baterai UPS",
        seen,
        "2 kali padam, seluruhnya 5 menit, terlama 4 menit; sistem mati 0 kali.",
    ]


def test_every_event_has_words(door: Door) -> None:
    for number, event in enumerate(Event):
        path = Path(door.settings.power.state) / journal.JOURNAL_FILE
        journal.append(path, Entry(NOON + timedelta(seconds=number), event, {"down_at": NOON.isoformat()}))
    assert len(slrt_power(door, "journal").stdout.splitlines()) == len(Event)


def test_the_status_tells_what_an_officer_should_know(door: Door) -> None:
    publish(door, "online", ("frozen", "from-a-later-version"))
    told = slrt_power(door, "status").stdout.splitlines()
    assert told[0] == "Keadaan."
    assert told[1].startswith("Perhatian: Angka dari UPS tidak berubah")
    assert told[2] == "Perhatian: from-a-later-version"


@pytest.mark.parametrize(
    ("word", "stage", "asked"), [("start-now", "boot-hold", "start-now"), ("shut-down", "on-battery", "stop-now")]
)
def test_an_operator_asks_when_it_means_something(door: Door, word: str, stage: str, asked: str) -> None:
    folder = publish(door, "online")
    refused = slrt_power(door, word)
    assert isinstance(refused.exception, InvalidInput)
    assert not (folder / asked).exists()
    publish(door, stage)
    assert slrt_power(door, word).exit_code == 0
    assert (folder / asked).read_text().startswith("terminal:")
