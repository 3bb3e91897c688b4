"""The journal survives torn lines and tells how the last boot ended; memory and state survive what a cut leaves of them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.power import journal, memory, state
from appliance.power.journal import End, Entry, Event, ended
from appliance.power.policy import Cause, Memory, Moment, Stage
from appliance.power.reading import Reading
from appliance.power.state import State

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
AT = Moment(timedelta(seconds=5), NOON)


def entry(event: Event, minute: int = 0, **facts: object) -> Entry:
    return Entry(NOON + timedelta(minutes=minute), event, facts)


def test_lines_come_back_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    written = [entry(Event.STARTED), entry(Event.DECIDED, 1, cause=Cause.LOW, charge=8)]
    for one in written:
        journal.append(path, one)
    assert journal.entries(path) == written


def test_no_journal_is_an_empty_one(tmp_path: Path) -> None:
    assert journal.entries(tmp_path / "none") == []
    assert journal.last_outage(tmp_path / "none") is None


def test_a_line_torn_at_any_byte_costs_only_itself(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    journal.append(path, entry(Event.STARTED))
    whole = path.stat().st_size
    journal.append(path, entry(Event.MAINS_LOST, 1, charge=99))
    text = path.read_bytes()
    for cut in range(whole, len(text) - 1):
        path.write_bytes(text[:cut])
        journal.append(path, entry(Event.MAINS_BACK, 2))
        assert [one.event for one in journal.entries(path)] in (
            [Event.STARTED, Event.MAINS_BACK],
            [Event.STARTED, Event.MAINS_LOST, Event.MAINS_BACK],
        )
        assert journal.entries(path)[-1] == entry(Event.MAINS_BACK, 2)


@pytest.mark.parametrize(
    "line",
    [b"", b"[]", b"null", b"{}", b"\x00\xff", b'{"at": "x", "event": "back"}', b'{"at": "2026-01-01T00:00:00", "event": "back"}'],
)
def test_what_is_no_line_is_skipped(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_bytes(line + b"\n")
    journal.append(path, entry(Event.STARTED))
    assert journal.entries(path) == [entry(Event.STARTED)]


def test_its_size_is_bounded_and_the_older_half_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "LARGEST", 1000)
    path = tmp_path / "journal.jsonl"
    for number in range(200):
        journal.append(path, entry(Event.MAINS_LOST, number))
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 2300
    kept = journal.entries(path)
    assert kept[-1] == entry(Event.MAINS_LOST, 199)
    assert [one.at for one in kept] == sorted(one.at for one in kept)


def test_the_last_outage(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    for minute in (1, 5):
        facts = {"down_at": NOON.isoformat(), "cause": Cause.LOW, "clean": minute == 5}
        journal.append(path, entry(Event.BACK, minute, **facts))
    journal.append(path, entry(Event.STARTED, 5))
    assert journal.last_outage(path) == journal.Outage(NOON, NOON + timedelta(minutes=5), Cause.LOW, clean=True)
    journal.append(path, entry(Event.BACK, 9, down_at="gestern", cause=3, clean=True))
    assert journal.last_outage(path) is not None, "a line that makes no sense does not hide the one before"


S, LOST, BACK_ON, DEC, HAND, STOP, BACK = (
    Event.STARTED, Event.MAINS_LOST, Event.MAINS_BACK, Event.DECIDED, Event.HANDED_OVER, Event.STOPPED, Event.BACK,
)  # fmt: skip


@pytest.mark.parametrize(
    ("events", "cause", "clean"),
    [
        pytest.param([S, LOST, DEC, HAND, STOP], Cause.LOW, True, id="powered off"),
        pytest.param([S, LOST, DEC, HAND], Cause.LOW, True, id="powered off faster than the watcher stopped"),
        pytest.param([S, STOP], End.OPERATOR, True, id="switched off by somebody"),
        pytest.param([S, STOP, S], End.CRASH, False, id="the watcher was restarted, then the machine died"),
        pytest.param([S, LOST, BACK_ON, STOP], End.OPERATOR, True, id="an outage before"),
        pytest.param([S], End.CRASH, False, id="died on mains"),
        pytest.param([S, LOST], End.CUT, False, id="died on battery"),
        pytest.param([S, LOST, BACK_ON], End.CRASH, False, id="died after an outage"),
        pytest.param([S, LOST, DEC], End.CUT, False, id="died while draining"),
        pytest.param([S, LOST, DEC, HAND, STOP, BACK, S], End.CRASH, False, id="the boot before does not count"),
    ],
)
def test_how_a_boot_ended(events: list[Event], cause: str, clean: bool) -> None:
    past = [entry(event, minute, cause=Cause.LOW) for minute, event in enumerate(events)]
    assert ended(past, None) == (past[-1].at, cause, clean)
    later = NOON + timedelta(hours=1)
    assert ended(past, later) == (later, cause, clean), "the memory was written after the last line"


def test_a_first_boot_has_no_past() -> None:
    assert ended([], None) is None


ticks = st.none() | st.floats(0, 1e6).map(lambda seconds: timedelta(seconds=round(seconds, 3)))
volts = st.none() | st.floats(0, 300)
readings = st.none() | st.builds(
    Reading, st.frozensets(st.sampled_from(["OL", "OB"])), st.none() | st.integers(0, 100), ticks, volts, volts, volts, volts
)
memories = st.builds(
    Memory,
    stage=st.sampled_from(Stage), battery_since=ticks, mains_since=ticks, low_since=ticks, floor_since=ticks, silent_since=ticks,
    draining_since=ticks, down_since=ticks, cuts=st.lists(ticks.filter(bool), max_size=3).map(tuple),
    cause=st.none() | st.sampled_from(Cause), idle=st.booleans(), forced=st.booleans(),
    before=readings, last=readings,
)  # fmt: skip


@given(memories)
def test_a_memory_comes_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, known: Memory) -> None:
    folder = tmp_path_factory.mktemp("memory")
    memory.remember(folder, "boot", known, Moment(timedelta(seconds=5), NOON))
    assert memory.recall(folder, "boot", timedelta(seconds=6)) == memory.Recalled(known, same_boot=True, alive=NOON)


@pytest.mark.parametrize(("boot", "seconds", "lost"), [("another", 6, True), ("boot", 4, False)])
def test_a_memory_of_another_boot_tells_only_when_it_lived(tmp_path: Path, boot: str, seconds: int, lost: bool) -> None:
    memory.remember(tmp_path, "boot", Memory(stage=Stage.DOWN), Moment(timedelta(seconds=5), NOON))
    recalled = memory.recall(tmp_path, boot, timedelta(seconds=seconds))
    assert recalled == memory.Recalled(Memory(), same_boot=False, alive=NOON, lost=lost)


def test_the_memory_of_the_runtime_folder_counts_before_the_one_on_the_disk(tmp_path: Path) -> None:
    near, far = tmp_path / "run", tmp_path / "disk"
    first, second = Moment(timedelta(seconds=5), NOON), Moment(timedelta(seconds=9), NOON + timedelta(seconds=4))
    memory.remember(far, "boot", Memory(stage=Stage.ONLINE), first)
    memory.remember(near, "boot", Memory(stage=Stage.READY), second, durable=False)
    assert memory.recall_either(near, far, "boot", second.ticks).memory.stage is Stage.READY
    (near / memory.MEMORY_FILE).write_text("{")
    assert memory.recall_either(near, far, "boot", second.ticks).memory.stage is Stage.ONLINE
    found = memory.recall_either(near, far, "next boot", second.ticks)
    assert (found.memory, found.same_boot, found.lost, found.alive) == (Memory(), False, True, NOON)


def test_a_memory_of_an_earlier_version_is_understood(tmp_path: Path) -> None:
    memory.remember(tmp_path, "boot", Memory(stage=Stage.ON_BATTERY, battery_since=timedelta(seconds=3)), AT)
    path = tmp_path / memory.MEMORY_FILE
    found = json.loads(path.read_bytes())
    for name in ("hold", "hold_end", "online_since", "flapping", "saved", "ready_since"):
        del found["memory"][name]
    path.write_text(json.dumps(found))
    recalled = memory.recall(tmp_path, "boot", AT.ticks)
    assert recalled.memory == Memory(stage=Stage.ON_BATTERY, battery_since=timedelta(seconds=3))


@pytest.mark.parametrize(
    ("told", "took"),
    [
        pytest.param([], None, id="never"),
        pytest.param([(Event.DRAINED, 4.5), (Event.HANDED_OVER, None), (Event.STOPPED, 10.5)], 15, id="once"),
        pytest.param([(Event.STOPPED, None)], None, id="an end that was no power-off"),
        pytest.param([(Event.DRAINED, 30), (Event.STOPPED, 60), (Event.STOPPED, 7)], 90, id="the longest of the last"),
        pytest.param([(Event.STOPPED, 90), *[(Event.STOPPED, 9)] * 3], 9, id="what is long ago does not count"),
        pytest.param([(Event.STOPPED, "9")], None, id="no number"),
    ],
)
def test_how_long_the_last_shutdowns_took(told: list[tuple[Event, object]], took: int | None) -> None:
    past = [entry(event, number, **({} if value is None else {"seconds": value})) for number, (event, value) in enumerate(told)]
    assert journal.shutdown_took(past) == (None if took is None else timedelta(seconds=took))


def test_a_torn_memory_is_none(tmp_path: Path) -> None:
    memory.remember(tmp_path, "boot", Memory(stage=Stage.DOWN), Moment(timedelta(seconds=5), NOON))
    path = tmp_path / memory.MEMORY_FILE
    whole = path.read_bytes()
    for cut in range(len(whole)):
        path.write_bytes(whole[:cut])
        assert memory.recall(tmp_path, "boot", timedelta(seconds=9)).memory == Memory()
    path.write_text(json.dumps({"boot": "boot", "ticks": 1, "alive": NOON.isoformat(), "memory": {"stage": "flying"}}))
    assert memory.recall(tmp_path, "boot", timedelta(seconds=9)).memory == Memory()


def test_a_boot_keeps_its_word_until_it_ends(tmp_path: Path) -> None:
    first = memory.name_boot(tmp_path)
    assert memory.name_boot(tmp_path) == first
    memory.end_boot(tmp_path)
    assert memory.name_boot(tmp_path) != first


def test_a_state_is_read_as_published(tmp_path: Path) -> None:
    one = State(
        NOON, "on-battery", accepts_work=True, mains=False, charge=90, runtime_seconds=5, seconds_left=4, sentence="Ä",
        accepts_jobs=False, comms="suspect", notices=("flapping",),
    )  # fmt: skip
    state.publish(tmp_path, one)
    assert state.read(tmp_path / state.STATE_FILE) == one
    assert (tmp_path / state.STATE_FILE).stat().st_mode & 0o777 == 0o644
    assert list(tmp_path.iterdir()) == [tmp_path / state.STATE_FILE]


@pytest.mark.parametrize(
    "text", ["", "[]", "null", "{}", '{"at": "2026-01-01T00:00:00+00:00"}', '{"at": 3, "stage": "x"}', "\x00"]
)
def test_what_is_no_state_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "state.json").write_text(text)
    assert state.read(tmp_path / "state.json") is None
