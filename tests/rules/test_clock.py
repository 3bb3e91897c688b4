"""When the clock is believed, and what a new time must be. Tables, on either side of each limit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from appliance.clock import (
    EARLIEST,
    FAR,
    LATEST,
    TOLERANCE,
    TOO_FAR,
    ClockWrong,
    Mark,
    Reading,
    judge,
    read_mark,
    sentence,
    why_not,
    write_mark,
)
from appliance.gate import Gate

ZONE = ZoneInfo("Asia/Makassar")
AT = datetime(2027, 5, 4, 3, 0, tzinfo=UTC)
MARK = Mark(AT)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("at", "mark", "reading"),
    [
        (AT, MARK, Reading.RIGHT),
        (AT - TOLERANCE, MARK, Reading.RIGHT),
        (AT - TOLERANCE - SECOND, MARK, Reading.BEHIND),
        (AT + TOO_FAR, MARK, Reading.RIGHT),
        (AT + TOO_FAR + SECOND, MARK, Reading.AHEAD),
        (AT, None, Reading.RIGHT),
        (datetime(2036, 1, 1, tzinfo=UTC), None, Reading.RIGHT),
        (datetime(2015, 1, 1, tzinfo=UTC), None, Reading.BEHIND),
        (EARLIEST - TOLERANCE - SECOND, Mark(EARLIEST - timedelta(days=400)), Reading.BEHIND),
    ],
)
def test_a_clock_is_believed_between_the_last_record_and_a_quarter_later(
    at: datetime, mark: Mark | None, reading: Reading
) -> None:
    assert judge(at, mark) is reading
    assert bool(sentence(reading, at, mark, ZONE)) is (reading is not Reading.RIGHT)


@pytest.mark.parametrize(
    ("wanted", "typed", "wrong"),
    [
        (AT, "", set()),
        (AT + FAR, "", set()),
        (AT + FAR + SECOND, "", {"typed"}),
        (AT + FAR + SECOND, "06-05-2027", {"typed"}),
        (AT + FAR + SECOND, " 05-05-2027 ", set()),
        (AT - TOLERANCE, "", set()),
        (AT - TOLERANCE - SECOND, "", {"date"}),
        (LATEST, "01-01-2100", {"date"}),
    ],
)
def test_a_new_time_is_never_before_the_last_record_and_far_only_when_it_is_said_twice(
    wanted: datetime, typed: str, wrong: set[str]
) -> None:
    assert set(why_not(wanted, AT, MARK, typed, ZONE)) == wrong


def test_the_mark_outlives_a_start_and_nonsense_is_none(tmp_path: Path) -> None:
    file = tmp_path / "clock.json"
    assert read_mark(file) is None
    write_mark(file, Mark(AT, 7))
    assert read_mark(file) == Mark(AT, 7)
    for text in ("", "[]", '{"at": 3}', '{"at": "2027-05-04", "position": "x"}'):
        file.write_text(text)
        assert read_mark(file) is None


def test_no_work_passes_the_gate_while_the_clock_is_wrong(tmp_path: Path) -> None:
    gate = Gate(tmp_path / "gate.lock", tmp_path / "state.json", tmp_path / "clock.json")
    now = datetime.now(UTC)
    for mark, opens in (
        (now, True),
        (now + timedelta(days=1), False),
        (now - timedelta(days=100), False),
        (now - timedelta(days=80), True),
    ):
        write_mark(tmp_path / "clock.json", Mark(mark))
        assert gate.accepts_work() is opens
        if opens:
            with gate.work():
                pass
        else:
            with pytest.raises(ClockWrong), gate.work():
                pass
        with gate.work(held_too=True):  # signing in, and setting the clock
            pass
    with Gate(tmp_path / "gate.lock", tmp_path / "state.json").work():  # who dates nothing does not care
        pass
