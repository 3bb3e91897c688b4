"""Troubles of the machine are told once, when they hold, and their end when it holds; a value that flaps is told once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from appliance.care import readings, reserve
from appliance.care.readings import Readings
from appliance.care.rules import Finding, Level
from appliance.care.space import Level as Fullness
from appliance.care.space import Place, Room
from appliance.config import PathSettings, PowerSettings, Settings, SpaceSettings
from appliance.notices import outbox, run
from appliance.notices.care import Known, Trouble, messages_of_care, troubles_of

AT = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
WARM = Trouble("Perangkat server perlu diurus", "Disk panas.", grave=False)
DEAD = Trouble("Perangkat server perlu diurus", "Disk mati.", grave=True)


def told_of(course: str, trouble: Trouble) -> list[tuple[int, str]]:
    """The notices of a course, a letter every five minutes: "x" is trouble, "." is none. When, in minutes, and which."""
    known: dict[str, Known] = {}
    found = []
    for number, letter in enumerate(course):
        troubles = {"disk": trouble} if letter == "x" else {}
        news, known = messages_of_care(troubles, known, AT + timedelta(minutes=5 * number))
        found += [(5 * number, message.title) for message in news]
    return found


@pytest.mark.parametrize(
    ("course", "trouble", "told"),
    [
        ("xx....", WARM, []),
        ("xxxxxx", WARM, [(15, WARM.title)]),
        ("xxx.xx.xx.x", WARM, []),  # each time a new beginning: it never held
        ("xxxx" + ".x" * 20, WARM, [(15, WARM.title)]),
        ("xxxx" + "." * 12, WARM, [(15, WARM.title), (65, f"{WARM.title}: sudah baik kembali")]),
        ("x.", DEAD, [(0, DEAD.title)]),
        ("x" + "." * 9 + "x" * 9, DEAD, [(0, DEAD.title)]),
        ("x" + "." * 10 + "x", DEAD, [(0, DEAD.title), (50, f"{DEAD.title}: sudah baik kembali"), (55, DEAD.title)]),
    ],
)
def test_what_is_told_and_when(course: str, trouble: Trouble, told: list[tuple[int, str]]) -> None:
    assert told_of(course, trouble) == told


def test_what_a_trouble_is() -> None:
    findings = [
        Finding("a", Level.GOOD, "Baik."),
        Finding("b", Level.ADVICE, "Saran."),
        Finding("c", Level.UNKNOWN, "Tidak tahu.", "Lihat."),
        Finding("d", Level.BAD, "Rusak.", "Ganti."),
    ]
    room = Room([(Place("data", "/x", 10**9, 10**11), Fullness.TIGHT), (Place("cadangan", "/y", 10**9, 10**11), Fullness.LOW)])
    found = troubles_of(findings, room, AT + timedelta(hours=1), AT)
    assert {key: trouble.grave for key, trouble in found.items()} == {
        "c": False,
        "d": True,
        "room /x tight": True,
        "room /y": False,
        "clock": True,
    }
    assert found["d"].text == "Rusak. Ganti."
    assert "1,0 GB" in found["room /x tight"].text
    assert troubles_of([], None, AT, AT) == {}


def test_a_full_disk_is_told_once_by_the_sender_of_notices(tmp_path: Path) -> None:
    settings = Settings(
        paths=PathSettings(data=str(tmp_path), runtime=str(tmp_path), care=str(tmp_path)),
        power=PowerSettings(ups="none", runtime=str(tmp_path), state=str(tmp_path)),
        space=SpaceSettings(tight_megabytes=50_000, low_megabytes=100_000, reserve_megabytes=0),
    )
    readings.write(Readings(AT, virtual="kvm"), tmp_path)
    (tmp_path / reserve.PUBLISHED).write_text(
        '[{"name": "data", "folder": "/x", "free": 1000000000, "total": 90000000000, "missing": 0, "level": 2}]'
    )
    first = run.collect(settings, tmp_path, ["mark"], AT)
    assert [one.message.title for one in first.waiting] == ["Disk server hampir penuh"]
    again = run.collect(settings, tmp_path, ["mark"], AT + timedelta(minutes=1))
    assert len(again.waiting) == 1, "not told twice"
    assert outbox.load(tmp_path) == again, "what is known survives the process"
