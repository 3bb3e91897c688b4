"""The drills over real watchers: L0 with a NUT of its own, L1 with work that runs, L2 with a plug that is played."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from appliance import database
from appliance.config import BackupSettings, Settings, render
from appliance.drills import asked, drain, full, plug, records, table_top
from appliance.drills.plug import Pace
from appliance.drills.progress import new_record, only_drill, recorded
from appliance.drills.records import Level, Record, Result
from appliance.drills.run import DrillRefused, perform
from appliance.errors import TryLater
from appliance.gate import DRILL, Gate, GateClosed
from appliance.power import drain_drill, journal
from appliance.power.journal import Event
from appliance.power.simulate import Scene
from tests.support.nut import NutLab
from tests.support.waiting import wait_for
from tests.support.watching import Watching

WORK = """
import sys
from pathlib import Path
from appliance.gate import Gate
with Gate(Path(sys.argv[1]), Path(sys.argv[2])).work():
    print("working", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def lab() -> Iterator[NutLab]:
    with NutLab() as lab:
        yield lab


@pytest.fixture
def node(lab: NutLab, tmp_path: Path) -> Iterator[Watching]:
    (tmp_path / "repository").mkdir()
    node = Watching(tmp_path, lab.runtime, lab.address)
    node.settings = replace(node.settings, backup=BackupSettings(repository=str(tmp_path / "repository")))
    node.config.write_text(render(node.settings))
    try:
        node.start()
        node.wait_stage("online")
        yield node
    finally:
        node.kill()
        print(node.log.read_text())


def gate_of(settings: Settings) -> Gate:
    return Gate(Path(settings.paths.runtime) / "gate.lock", Path(settings.power.runtime) / "state.json")


def folder_of(node: Watching) -> Path:
    return records.folder_of(Path(node.settings.paths.data))


def measured(record: Record) -> list[bool | None]:
    return [check.ok for check in record.checks]


def test_the_table_top_plays_four_outages_and_leaves_production_alone(tmp_path: Path) -> None:
    for name in ("run", "state", "repository"):
        (tmp_path / name).mkdir()
    node = Watching(tmp_path, tmp_path / "run", ("127.0.0.1", 1))
    settings = replace(node.settings, backup=BackupSettings(repository=str(tmp_path / "repository")))
    journal.append(node.journal, journal.Entry(datetime.now(UTC), Event.STARTED))
    before = node.journal.read_bytes()
    record = perform(Level.TABLE_TOP, settings, "petugas", print)
    assert (record.result, set(measured(record))) == (Result.PASSED, {True})
    assert len([step for step in record.steps if step.text.startswith("Adegan")]) == 4
    assert node.journal.read_bytes() == before
    assert not (tmp_path / "run" / "force-shutdown").exists()
    assert records.seal_holds(records.find(folder_of(node), record.id))


def test_only_an_outage_of_the_real_watcher_speaks_against_the_table_top(tmp_path: Path) -> None:
    path, now = tmp_path / journal.JOURNAL_FILE, datetime.now(UTC)
    journal.append(path, journal.Entry(now - timedelta(minutes=1), Event.MAINS_LOST))
    journal.append(path, journal.Entry(now + timedelta(seconds=1), Event.STARTED))
    assert not table_top._saw_an_outage(path, now), "an outage of before, and a restart meanwhile"
    journal.append(path, journal.Entry(now + timedelta(seconds=2), Event.DECIDED))
    assert table_top._saw_an_outage(path, now)


def test_the_table_can_be_laid_without_nut(tmp_path: Path) -> None:
    node = Watching(tmp_path, tmp_path, ("127.0.0.1", 1), nut_programs=str(tmp_path))
    with table_top.Table(node.settings) as table:
        assert not table.has_nut
        assert all(check.ok for check in table_top._low(table))
        folder = table.folder
    assert not folder.exists()


def test_the_real_drain_refuses_work_waits_for_it_and_opens_again(node: Watching) -> None:
    database.upgrade(node.settings)
    gate = gate_of(node.settings)
    command = [sys.executable, "-c", WORK, str(gate.lock), str(gate.state)]
    root = Path(__file__).parents[2]
    with (
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root) as worker,
        ThreadPoolExecutor() as threads,
    ):
        assert worker.stdin is not None
        assert worker.stdout is not None
        assert worker.stdout.readline() == "working\n"
        drill = threads.submit(perform, Level.DRAIN, node.settings, "petugas", print)
        wait_for(lambda: not gate.accepts_work(), what="the gate closes")
        state = node.state
        assert state is not None
        assert (state.stage, state.cause, state.sentence) == ("online", DRILL, drain_drill.SENTENCE)
        with pytest.raises(GateClosed, match="tidak padam"), gate.work():
            raise AssertionError
        worker.stdin.write("\n")
        worker.stdin.close()
        record = drill.result(60)
    assert record.result is Result.PASSED, record
    assert record.facts.keys() == {"drain_seconds", "checkpoint_seconds"}
    with gate.work():
        assert not (Path(node.settings.paths.runtime) / drain_drill.REQUEST).exists()


def test_work_that_does_not_end_fails_the_drain_and_the_gate_opens_all_the_same(node: Watching) -> None:
    gate = gate_of(node.settings)
    with gate.work():
        record = perform(Level.DRAIN, node.settings, "petugas", print)
    assert record.result is Result.FAILED
    assert measured(record) == [True, False, True]
    assert gate.accepts_work()


def test_a_drain_whose_asker_died_ends_by_itself_and_a_broken_request_counts_as_none(tmp_path: Path) -> None:
    now = timedelta(seconds=1000)
    drain_drill.ask(tmp_path, now + timedelta(seconds=30))
    assert drain_drill.is_asked(tmp_path, now)
    assert not drain_drill.is_asked(tmp_path, now + timedelta(seconds=30))
    assert not drain_drill.is_asked(tmp_path, now - timedelta(hours=1)), "ticks of another boot"
    for broken in ("", "x", "inf", "nan", "1e300"):
        (tmp_path / drain_drill.REQUEST).write_text(broken)
        assert not drain_drill.is_asked(tmp_path, now), broken


def test_without_a_watcher_the_drain_is_aborted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drain, "CLOSED_WITHIN", 0.05)
    (tmp_path / "repository").mkdir()
    node = Watching(tmp_path, tmp_path, ("127.0.0.1", 1))
    settings = replace(node.settings, backup=BackupSettings(repository=str(tmp_path / "repository")))
    record = perform(Level.DRAIN, settings, "petugas", print)
    assert (record.result, bool(records.seal_holds(record))) == (Result.ABORTED, True)
    assert "tidak menutup gerbang" in record.summary


def test_the_plug_drill_sees_the_battery_work_and_stays_out_of_the_way(lab: NutLab, node: Watching) -> None:
    scenes = iter((Scene.ON_BATTERY, Scene.ON_MAINS))
    pace = Pace(on_battery=4, patience=30, between=0.2, sign=lambda _what: lab.show(next(scenes)))
    with recorded(folder_of(node), new_record(Level.PLUG, "Dinas", "petugas"), print) as progress:
        plug.run(progress, node.settings, pace)
    record = progress.record
    assert record.result is Result.PASSED, record.checks
    assert measured(record) == [True, True, True, True]
    assert record.facts["charge_before"] == 100
    assert record.facts["charge_after"] == 92
    assert (record.facts["battery_volts_before"], record.facts["battery_volts_after"]) == (27.0, 25.4)
    node.wait_event(Event.MAINS_LOST)
    assert Event.DECIDED not in node.events


def test_a_plug_that_stays_in_aborts_the_drill(node: Watching) -> None:
    with recorded(folder_of(node), new_record(Level.PLUG, "Dinas", "petugas"), print) as progress:
        plug.run(progress, node.settings, Pace(patience=0.3))
    assert progress.record.result is Result.ABORTED
    assert "masih menyala" in progress.record.summary


def test_a_full_drill_is_left_open_for_the_next_start_when_the_node_ends(lab: NutLab, tmp_path: Path) -> None:
    node = Watching(tmp_path, lab.runtime, lab.address, on_battery_seconds=10)
    try:
        node.start()
        node.wait_stage("online")
        with ThreadPoolExecutor() as threads, recorded(folder_of(node), new_record(Level.FULL, "Dinas", "a"), print) as progress:
            drill = threads.submit(full.run, progress, node.settings)
            lab.show(Scene.ON_BATTERY)
            drill.result(120)
        assert node.wait_stage("down").accepts_work is False
    finally:
        node.kill()
    (record,) = records.list_records(folder_of(node))
    assert (record.result, record.seal) == (Result.RUNNING, "")
    assert "dilengkapi sendiri" in record.steps[-1].text


def test_a_plug_that_is_put_back_too_early_aborts_a_full_drill(lab: NutLab, node: Watching) -> None:
    with ThreadPoolExecutor() as threads, recorded(folder_of(node), new_record(Level.RACE, "Dinas", "a"), print) as progress:
        drill = threads.submit(full.run, progress, node.settings)
        lab.show(Scene.ON_BATTERY)
        wait_for(lambda: len(progress.record.steps) == 2, what="the drill has seen the cut")
        lab.show(Scene.ON_MAINS)
        drill.result(120)
    assert progress.record.result is Result.ABORTED
    assert "sebelum sistem memutuskan mati" in progress.record.summary


def test_a_drill_that_may_not_begin_leaves_no_record_and_only_one_runs(node: Watching) -> None:
    with pytest.raises(DrillRefused, match="Perlindungan tidak aktif"):
        perform(Level.FULL, node.settings, "petugas", print)
    with only_drill(folder_of(node)), pytest.raises(TryLater, match="sedang berjalan"):
        perform(Level.DRAIN, node.settings, "petugas", print)
    assert records.list_records(folder_of(node)) == []


def test_a_drill_asked_for_on_a_page_is_run_once_and_read_on_the_terminal(node: Watching) -> None:
    database.upgrade(node.settings)
    request = Path(node.settings.paths.runtime) / asked.REQUEST
    request.write_text('{"level": "L1", "by": "Andi Rahmat"}')
    done = node.slrt("power", "drill", "requested")
    assert done.returncode == 0, done.stderr
    assert not request.exists()
    assert node.slrt("power", "drill", "requested").stdout == ""
    (record,) = records.list_records(folder_of(node))
    assert (record.by, record.result) == ("Andi Rahmat", Result.PASSED)
    assert "Berhasil: Latihan menutup pekerjaan" in node.slrt("power", "drill", "list").stdout
    shown = node.slrt("power", "drill", "show", record.id).stdout
    assert "Oleh Andi Rahmat" in shown
    assert f"Segel {record.short_seal}: cocok" in shown
    refused = node.slrt("power", "drill", "L2")
    assert refused.returncode == 75
    assert "Perlindungan tidak aktif" in refused.stderr
    for nonsense in ('{"level": "L3", "by": "x"}', "{", "[]"):
        request.write_text(nonsense)
        assert node.slrt("power", "drill", "requested").stdout == ""
        assert not request.exists(), "a request that makes no sense would start the unit for ever"


def test_watching_tells_each_change_once(lab: NutLab, node: Watching, tmp_path: Path) -> None:
    said = tmp_path / "said.txt"
    command = [
        sys.executable,
        "-u",
        "-c",
        "from appliance.cli import main; main()",
        "--config",
        str(node.config),
        "power",
        "watch",
    ]
    with said.open("wb") as out, subprocess.Popen(command, stdout=out, cwd=Path(__file__).parents[2]) as watching:
        wait_for(lambda: "Listrik menyala." in said.read_text(), what="the first line")
        lab.show(Scene.ON_BATTERY)
        wait_for(lambda: "memakai baterai UPS" in said.read_text(), what="the cut")
        watching.send_signal(signal.SIGINT)
        assert watching.wait(120) == 0
    lines = [line.partition("  ")[2] for line in said.read_text().splitlines()]
    assert lines.count("Listrik menyala.") == 1
    assert lines.count("Listrik padam; sistem memakai baterai UPS.") == 1
