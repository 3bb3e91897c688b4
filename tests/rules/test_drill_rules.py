"""When a drill may begin, what its numbers mean, and that a sealed record cannot be changed unseen."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from appliance.config import PathSettings, PowerSettings, Settings
from appliance.drills import full, records
from appliance.drills.progress import DrillAborted, new_record, only_drill, recorded
from appliance.drills.records import Check, Level, Record, Result, Step
from appliance.drills.rules import Situation, judge_full, judge_plug, refusals, result_of
from appliance.errors import NotFound
from appliance.power import journal
from appliance.power.chain import Color
from appliance.power.journal import Entry, Event
from appliance.power.policy import Cause

AT = datetime(2026, 11, 28, 3, 0, tzinfo=UTC)
READY = Situation(AT, True, "online", 100, Color.ARMED, AT - timedelta(hours=12), False, AT - timedelta(hours=29))
EVERY = tuple(Level)
GUIDED = (Level.PLUG, Level.FULL, Level.RACE)


@pytest.mark.parametrize("level", EVERY)
def test_a_calm_node_refuses_nothing(level: Level) -> None:
    assert refusals(level, READY) == []


@pytest.mark.parametrize(
    ("changes", "levels", "reason"),
    [
        ({"mains": False, "stage": "on-battery"}, EVERY, "sedang padam"),
        ({"mains": True, "stage": "draining"}, EVERY, "sedang padam"),
        ({"backup_runs": True}, EVERY[1:], "Pencadangan sedang berjalan"),
        ({"charge": 79}, GUIDED, "79 %"),
        ({"charge": None}, GUIDED, "tidak diketahui"),
        ({"last_cut_ended": AT - timedelta(hours=11, minutes=59)}, GUIDED, "12 jam terakhir"),
        ({"light": Color.NOT_ARMED}, GUIDED, "Perlindungan tidak aktif"),
        ({"light": Color.NONE}, GUIDED, "Perlindungan tidak aktif"),
        ({"good_backup": AT - timedelta(hours=30)}, GUIDED[1:], "cadangan"),
        ({"good_backup": None}, GUIDED[1:], "cadangan"),
        ({"good_backup": AT + timedelta(hours=1)}, GUIDED[1:], "cadangan"),
    ],
)
def test_a_drill_says_why_it_may_not_begin(changes: dict[str, Any], levels: tuple[Level, ...], reason: str) -> None:
    now = dataclasses.replace(READY, **changes)
    for level in EVERY:
        found = refusals(level, now)
        assert [reason in one.reason for one in found] == ([True] if level in levels else []), level
        assert all(one.remedy for one in found)


@pytest.mark.parametrize(
    ("losses", "seen", "back", "held", "expected"),
    [
        ([2, 5], 2.0, 4.9, True, [True, True, True, True]),
        ([16], 5.1, None, False, [False, False, False, None]),
        ([], None, None, True, [None, True, None, None]),
    ],
)
def test_the_checks_of_a_plug_drill(
    losses: list[int], seen: float | None, back: float | None, held: bool, expected: list[bool | None]
) -> None:
    delays = [None if seconds is None else timedelta(seconds=seconds) for seconds in (seen, back)]
    checks = judge_plug(losses, delays[0], delays[1], held)
    assert [check.ok for check in checks] == expected
    assert result_of(checks) is (Result.FAILED if False in expected else Result.PASSED)


def outage(clean: bool = True) -> list[Entry]:
    minute = timedelta(minutes=1)
    return [
        Entry(AT - minute, Event.BACK, {"cause": "operator", "clean": True, "down_at": AT.isoformat()}),
        Entry(AT + minute, Event.MAINS_LOST),
        Entry(AT + 6 * minute, Event.DECIDED, {"cause": Cause.TIME}),
        Entry(AT + 6 * minute, Event.DRAINED, {"seconds": 1.5, "idle": True}),
        Entry(AT + 6 * minute, Event.HANDED_OVER, {"cause": Cause.TIME}),
        Entry(AT + 12 * minute, Event.BACK, {"cause": Cause.TIME, "clean": clean, "down_at": (AT + 7 * minute).isoformat()}),
    ]


def test_a_full_drill_is_judged_by_the_journal_once_the_node_is_back() -> None:
    assert judge_full(AT, outage()[:-1]) is None
    judged = judge_full(AT, outage())
    assert judged is not None
    back_at, checks = judged
    assert back_at == AT + timedelta(minutes=12)
    assert [check.ok for check in checks] == [True] * 6
    assert checks[-1].measured == "mati selama 5 menit"
    unclean = judge_full(AT, [*outage()[:2], outage(clean=False)[-1]])
    assert unclean is not None
    assert [check.ok for check in unclean[1]] == [True, False, None, False, False, True]


def drilled(folder: Path, level: Level = Level.TABLE_TOP, minute: int = 0) -> Record:
    at = AT + timedelta(minutes=minute)
    record = Record(f"{at:%Y%m%d-%H%M%S}-{level}", level, "Dinas", "petugas", at, at, Result.PASSED, steps=(Step(at, "Mulai."),))
    return records.close(folder, dataclasses.replace(record, checks=(Check("Ya", True, "1 detik"),), facts={"load": 12.0}))


def test_a_sealed_record_is_read_as_it_was_and_shows_every_change(tmp_path: Path) -> None:
    first, second = drilled(tmp_path), drilled(tmp_path, minute=1)
    assert records.list_records(tmp_path) == [second, first]
    assert (first.previous, second.previous) == ("", first.seal)
    assert records.seal_holds(second)
    file = tmp_path / f"{second.id}.json"
    for name, value in (("by", "orang lain"), ("result", "failed"), ("previous", "0" * 64), ("seal", "")):
        changed = json.loads(file.read_text()) | {name: value}
        other = tmp_path / "other"
        other.mkdir(exist_ok=True)
        (other / file.name).write_text(json.dumps(changed))
        assert not records.seal_holds(records.find(other, second.id)), name


@pytest.mark.parametrize("identifier", ["../secret", "", "20261128-030000-L9", "20261128-030000-L0"])
def test_a_record_that_is_not_there_is_not_found(tmp_path: Path, identifier: str) -> None:
    (tmp_path / "20261128-030000-L0.json").write_text("{torn")
    with pytest.raises(NotFound):
        records.find(tmp_path, identifier)
    assert records.list_records(tmp_path) == []


@pytest.mark.parametrize(("error", "result"), [(DrillAborted("Steker."), Result.ABORTED), (KeyboardInterrupt(), Result.CUT)])
def test_whatever_ends_a_drill_it_is_sealed(tmp_path: Path, error: BaseException, result: Result) -> None:
    try:
        with recorded(tmp_path, new_record(Level.PLUG, "Dinas", "petugas"), print) as progress:
            progress.step("Cabut.")
            assert records.list_records(tmp_path)[0].steps[0].text == "Cabut.", "each line is on the disk at once"
            raise error
    except KeyboardInterrupt:
        pass
    (record,) = records.list_records(tmp_path)
    assert (record.result, records.seal_holds(record)) == (result, True)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(paths=PathSettings(data=str(tmp_path)), power=PowerSettings(state=str(tmp_path), runtime=str(tmp_path)))


def begun(settings: Settings, level: Level) -> Record:
    record = Record(f"{AT:%Y%m%d-%H%M%S}-{level}", level, "Dinas", "petugas", AT)
    records.write(records.folder_of(Path(settings.paths.data)), record)
    return record


def test_the_next_start_completes_a_full_drill(settings: Settings) -> None:
    begun(settings, Level.RACE)
    file = Path(settings.power.state) / journal.JOURNAL_FILE
    for entry in outage()[:-1]:
        journal.append(file, entry)
    assert full.complete(settings, AT + timedelta(hours=1)) == []
    journal.append(file, outage()[-1])
    with only_drill(records.folder_of(Path(settings.paths.data))):
        assert full.complete(settings, AT + timedelta(hours=1)) == [], "its process still runs"
    (record,) = full.complete(settings, AT + timedelta(hours=1))
    assert (record.result, record.ended_at) == (Result.PASSED, AT + timedelta(minutes=12))
    assert records.seal_holds(record)
    assert full.complete(settings, AT + timedelta(hours=1)) == []


def test_a_drill_whose_process_died_and_one_that_never_ended_are_closed_as_cut(settings: Settings) -> None:
    begun(settings, Level.DRAIN)
    begun(settings, Level.FULL)
    assert [record.level for record in full.complete(settings, AT + timedelta(hours=5))] == [Level.DRAIN]
    (record,) = full.complete(settings, AT + timedelta(hours=6))
    assert (record.level, record.result) == (Level.FULL, Result.CUT)
