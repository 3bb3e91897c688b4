"""Long work: asked for inside a transaction, done by one worker, taken up again after a power cut."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta

import pytest
from flask import Flask

from appliance import background, work
from appliance.config import Settings
from appliance.database import transaction
from appliance.errors import ApplianceError
from appliance.exchange.imports import UNDO
from appliance.gate import Gate
from appliance.models.task import TaskState
from appliance.work import Work, do_everything, only_worker
from tests.support import doers
from tests.support.staff import AT

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture(autouse=True)
def doer(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(work.DOERS, "uji", "tests.support.doers")
    doers.STORED.clear()
    yield
    doers.FAULTS.clear()


def ask(subject: str, at: datetime = AT) -> str:
    with transaction():
        return background.ask("uji", subject, by="fo", at=at)


def do_all(settings: Settings, stop_after: int | None = None) -> int:
    """Let a worker do what waits; it is told to stop after so many parts."""
    gate = Gate(settings.database_file.parent / "gate.lock", settings.database_file.parent / "state.json")
    gate.lock.parent.mkdir(exist_ok=True)
    told = Work(settings, lambda: AT, lambda: stop_after is not None and len(doers.STORED) >= stop_after)
    return do_everything(told, gate)


def state(subject: str) -> tuple[TaskState, int, str]:
    progress = background.progress_of(subject)
    assert progress is not None
    return progress.state, progress.done, progress.text


def test_what_was_asked_for_is_done_in_order(settings: Settings) -> None:
    ask("kedua", AT + timedelta(seconds=1))
    ask("pertama")
    assert background.is_anything_to_do()
    assert do_all(settings) == 2
    assert [subject for subject, part in doers.STORED if part == 1] == ["pertama", "kedua"]
    assert state("pertama") == (TaskState.DONE, 3, "3 bagian tersimpan.")
    assert not background.is_anything_to_do()


def test_what_was_rolled_back_was_never_asked_for(settings: Settings) -> None:
    with suppress(ZeroDivisionError), transaction():
        background.ask("uji", "batal", by="fo", at=AT)
        raise ZeroDivisionError
    assert do_all(settings) == 0


def test_told_to_stop_it_waits_and_goes_on_where_it_was(settings: Settings) -> None:
    ask("panjang")
    assert do_all(settings, stop_after=2) == 0
    assert state("panjang")[:2] == (TaskState.WAITING, 2)
    assert do_all(settings) == 1
    assert doers.STORED == [("panjang", 1), ("panjang", 2), ("panjang", 3)]


def test_a_killed_worker_is_followed_by_one_that_goes_on(settings: Settings) -> None:
    ask("terputus")
    doers.FAULTS["terputus"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        do_all(settings)
    assert state("terputus")[:2] == (TaskState.RUNNING, 1)
    assert do_all(settings) == 1
    assert state("terputus")[:2] == (TaskState.DONE, 3)


def test_a_task_that_kills_every_worker_is_given_up(settings: Settings) -> None:
    ask("beracun")
    for _ in range(background.MOST_ATTEMPTS):
        background.begin_next(AT)
    assert do_all(settings) == 0
    assert state("beracun") == (TaskState.FAILED, 0, background.GIVEN_UP)


def test_faults_are_told_and_the_next_task_is_done(settings: Settings) -> None:
    for subject in ("salah", "rusak", "baik"):
        ask(subject)
    doers.FAULTS["rusak"] = RuntimeError("a fault of the program")
    assert do_all(settings) == 3
    assert state("salah") == (TaskState.FAILED, 3, "Berkasnya salah. Unggah lagi.")
    assert state("rusak") == (TaskState.FAILED, 1, work.FAULT)
    assert state("baik")[0] is TaskState.DONE


def test_a_closed_gate_lets_nothing_begin(settings: Settings) -> None:
    ask("menunggu")
    (settings.database_file.parent / "state.json").parent.mkdir(exist_ok=True)
    (settings.database_file.parent / "state.json").write_text('{"accepts_work": false}')
    with pytest.raises(work.TryLater):
        do_all(settings)
    assert state("menunggu")[0] is TaskState.WAITING


def test_there_is_one_worker(settings: Settings, app: Flask) -> None:
    with only_worker(settings) as first, only_worker(settings) as second:
        assert (first, second) == (True, False)
    with only_worker(settings) as third:
        assert third


def test_what_needs_a_backup_first_does_not_begin_without_one(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "BACKUP_FIRST", frozenset({"uji"}))
    made: list[int] = []

    def back_up() -> None:
        made.append(len(doers.STORED))
        if len(made) == 1:
            raise ApplianceError("Cadangan gagal, jadi tidak ada yang diubah.", "Pasang disk cadangan.")

    def do_all_with_backup(stop_after: int | None = None) -> None:
        stop = lambda: stop_after is not None and len(doers.STORED) >= stop_after  # noqa: E731
        gate = Gate(settings.database_file.parent / "gate.lock", settings.database_file.parent / "state.json")
        do_everything(Work(settings, lambda: AT, stop, back_up), gate)

    do_all(settings)  # makes the gate's folder
    ask("tanpa")
    do_all_with_backup()
    assert state("tanpa") == (TaskState.FAILED, 0, "Cadangan gagal, jadi tidak ada yang diubah. Pasang disk cadangan.")
    assert doers.STORED == []
    ask("dengan")
    do_all_with_backup(stop_after=1)
    do_all_with_backup()
    assert made == [0, 0], "before the first part, and not again for what goes on"
    assert state("dengan")[0] is TaskState.DONE


def test_taking_an_import_back_is_such_work() -> None:
    assert {UNDO} == work.BACKUP_FIRST
    assert set(work.DOERS) >= work.BACKUP_FIRST
