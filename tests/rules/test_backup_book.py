"""The book of runs: what a torn line costs, how long it grows, and the calendar that is read from it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from backups import book
from backups.nights import NightState, nights
from backups.schedule import Depth
from tests.support.nights import backup, proof, some_weeks

WITA = ZoneInfo("Asia/Makassar")
AT = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)  # 22.00 in Makassar
DAY = timedelta(days=1)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    made = some_weeks(tmp_path, AT, 20)
    assert book.lines(tmp_path) == made
    assert (tmp_path / book.NAME).stat().st_mode & 0o037 == 0


@pytest.mark.parametrize("cut", [1, 20, 200])
def test_a_line_that_was_cut_off_costs_itself_only(tmp_path: Path, cut: int) -> None:
    first, second, third = backup(AT, 1), backup(AT + DAY, 2), backup(AT + 2 * DAY, 3)
    book.add(tmp_path, first)
    book.add(tmp_path, second)
    file = tmp_path / book.NAME
    file.write_bytes(file.read_bytes()[:-cut])
    book.add(tmp_path, third)
    assert book.lines(tmp_path) == ([first, second, third] if cut == 1 else [first, third])


def test_junk_is_no_line(tmp_path: Path) -> None:
    assert book.lines(tmp_path) == []
    (tmp_path / book.NAME).write_bytes(b'\x00\xff\n[]\n{"at": 3}\n"x"\n')
    assert book.lines(tmp_path) == []


def test_it_does_not_grow_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(book, "MOST_LINES", 10)
    monkeypatch.setattr(book, "KEPT_LINES", 4)
    for number in range(1, 13):
        book.add(tmp_path, backup(AT + number * DAY, number))
    assert [line.number for line in book.lines(tmp_path)] == [7, 8, 9, 10, 11, 12]


def test_proofs_and_doubt() -> None:
    lines = [backup(AT, 1), proof(AT, 1), backup(AT + DAY, 2), proof(AT + DAY, None, ok=False)]
    known = book.proofs(lines)
    assert known.first_backup == lines[0].moment
    assert (known.good[Depth.REHEARSAL].at, known.tried[Depth.REHEARSAL].at) == (AT, AT + DAY)
    assert book.proven(lines) == {1}
    assert book.is_doubtful(lines)
    # who reads all data has rehearsed as well
    lines.append(proof(AT + 2 * DAY, 2, Depth.ALL_DATA))
    assert set(book.proofs(lines).good) == {Depth.REHEARSAL, Depth.ALL_DATA}
    assert not book.is_doubtful(lines)
    assert not book.is_doubtful([backup(AT, None, ok=False)])


def test_a_calendar_of_nights() -> None:
    lines = [
        backup(AT, 1),
        proof(AT + DAY, 1),
        backup(AT + DAY, None, ok=False),
        backup(AT + 2 * DAY + timedelta(hours=3), 2, kept=(2,)),  # after midnight in the office: the next day
    ]
    found = nights(lines, date(2026, 11, 19), date(2026, 11, 23), WITA)
    assert [night.state for night in found] == [
        NightState.NONE, NightState.RESTORED, NightState.FAILED, NightState.NONE, NightState.READ_BACK,
    ]  # fmt: skip
    assert [night.stays for night in found] == [False, False, False, False, True]
    assert [len(night.proofs) for night in found] == [0, 1, 0, 0, 0]


def test_a_day_with_a_failure_and_a_success_is_well() -> None:
    lines = [backup(AT, None, ok=False), backup(AT + timedelta(hours=1), 7, kept=(7,))]
    (night,) = nights(lines, date(2026, 11, 20), date(2026, 11, 20), WITA)
    assert (night.state, night.backup.number if night.backup else None) == (NightState.READ_BACK, 7)
