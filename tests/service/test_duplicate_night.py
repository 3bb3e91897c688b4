"""The nightly search: asked for once a night, resumed where it stopped, and quiet about what was decided."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from appliance import audit, background
from appliance.config import Settings
from appliance.database import db, transaction
from appliance.gate import Gate
from appliance.models.duplicate import DuplicateCandidate, DuplicateSearch, PairState
from appliance.models.person import Person
from appliance.models.task import TaskState
from appliance.registry import duplicate_night, duplicates, merging
from appliance.registry.duplicate_night import SUBJECT, ask_if_due
from appliance.work import Work, do_everything
from tests.support.desk import request, resident
from tests.support.killing import killed
from tests.support.pairs import wish
from tests.support.staff import AT, FAR, HOME, NEIGHBOUR, Staff

BACKUP = time(22)
NIK = "7303014101800001"


def night(settings: Settings, at: datetime = AT, stop: Callable[[], bool] = lambda: False) -> str:
    """Ask as the scheduler does, and let a worker do it; what the task says then."""
    ask_if_due(at, BACKUP, settings.zone)
    folder = settings.database_file.parent
    folder.mkdir(exist_ok=True)
    do_everything(Work(settings, lambda: at, stop), Gate(folder / "gate.lock", folder / "state.json"))
    progress = background.progress_of(SUBJECT)
    assert progress is not None
    return f"{progress.state}: {progress.text}"


def pairs(state: PairState = PairState.OPEN) -> set[frozenset[str]]:
    db.session.rollback()
    rows = db.session.scalars(sa.select(DuplicateCandidate).where(DuplicateCandidate.state == state))
    return {frozenset((pair.first_id, pair.second_id)) for pair in rows}


def the_pair() -> DuplicateCandidate:
    db.session.rollback()
    return db.session.scalars(sa.select(DuplicateCandidate), execution_options={"populate_existing": True}).one()


def change(person: str, at: datetime, **values: object) -> None:
    with transaction() as session:
        row = session.get_one(Person, person)
        for name, value in values.items():
            setattr(row, name, value)
        row.stamp("system", at)


def twice(staff: Staff, village: str = HOME) -> frozenset[str]:
    return frozenset(resident(staff.fo, name, village) for name in ("Sitti Aminah", "St. Aminah"))


def test_people_who_are_registered_twice_are_found(app: Flask, staff: Staff, settings: Settings) -> None:
    expected = {twice(staff), twice(staff, FAR), frozenset({resident(staff.fo, "Hasnah", nik=NIK), resident(staff.fo, "Hasna")})}
    resident(staff.fo, "Baharuddin")
    assert night(settings).startswith("selesai")
    assert pairs() == expected
    assert audit.verify().ok


def test_it_is_asked_for_once_a_night(app: Flask, staff: Staff, settings: Settings) -> None:
    evening = AT.replace(hour=15, minute=0)  # 23.00 WITA
    assert not ask_if_due(evening, BACKUP, settings.zone), "there is nobody to compare"
    resident(staff.fo)
    assert ask_if_due(evening, BACKUP, settings.zone)
    assert not ask_if_due(evening + timedelta(hours=30), BACKUP, settings.zone), "the last one is not done"
    night(settings, evening)
    for hours in (0, 5, 23):
        assert not ask_if_due(evening + timedelta(hours=hours), BACKUP, settings.zone)
    morning_after_a_cut = evening + timedelta(hours=34)
    assert ask_if_due(morning_after_a_cut, BACKUP, settings.zone)


def test_stopped_or_killed_it_goes_on_with_the_next_village(app: Flask, staff: Staff, settings: Settings, tmp_path: Path) -> None:
    expected = {twice(staff), twice(staff, NEIGHBOUR), twice(staff, FAR)}
    assert "menunggu" in night(settings, stop=lambda: len(pairs()) > 0 and bool(searched()))
    assert len(pairs()) == 1
    killed(settings, tmp_path, "before('INSERT INTO duplicate_candidate', 2)")
    assert len(pairs()) == 2, "the third was in the village that was being stored"
    before = searched()
    assert night(settings).startswith("selesai")
    assert pairs() == expected
    assert before < searched(), "what was stored was not done again"
    assert len(searched()) == db.session.query(DuplicateSearch).count()


def searched() -> set[str]:
    db.session.rollback()
    return set(db.session.scalars(sa.select(DuplicateSearch.village_code)))


def test_what_did_not_change_is_not_searched_again(app: Flask, staff: Staff, settings: Settings) -> None:
    first, second = twice(staff)
    night(settings)
    assert night(settings, AT + timedelta(days=1)).endswith("0 desa/kelurahan diperiksa, 0 pasangan perlu dilihat.")
    third = resident(staff.fo, "Aminah Sitti", NEIGHBOUR)
    change(third, AT + timedelta(days=1), village_code=HOME)
    assert "diperiksa, 3 pasangan" in night(settings, AT + timedelta(days=2))
    assert pairs() == {frozenset({first, second}), frozenset({first, third}), frozenset({second, third})}


def test_who_is_no_duplicate_comes_back_only_after_a_change(app: Flask, staff: Staff, settings: Settings) -> None:
    first, _ = twice(staff)
    night(settings)
    duplicates.dismiss(the_pair().id, "Dua orang, saya kenal keduanya", row_version=1, by=staff.supervisor, at=AT)
    change(first, AT + timedelta(days=1), phone="081")
    night(settings, AT + timedelta(days=1))
    assert (pairs(), len(pairs(PairState.DIFFERENT))) == (set(), 1)
    decided = the_pair()
    assert (decided.reason, decided.decided_by) == ("Dua orang, saya kenal keduanya", staff.supervisor.account_id)
    change(first, AT + timedelta(days=2), mother_name="Hj. Saleha")
    night(settings, AT + timedelta(days=2))
    assert len(pairs()) == 1


def test_what_is_alike_no_longer_lapses_and_what_an_officer_said_stays(app: Flask, staff: Staff, settings: Settings) -> None:
    first, _ = twice(staff)
    night(settings)
    change(first, AT + timedelta(days=1), birth_date=date(1999, 9, 9))
    night(settings, AT + timedelta(days=1))
    assert (len(pairs()), len(pairs(PairState.LAPSED))) == (0, 1)
    change(first, AT + timedelta(days=2), birth_date=date(1980, 1, 1))
    night(settings, AT + timedelta(days=2))
    assert len(pairs()) == 1


def test_the_survivor_of_a_merge_is_compared_anew(app: Flask, staff: Staff, settings: Settings) -> None:
    first, second = twice(staff)
    third = resident(staff.fo, "Sitti Aminah", nik=NIK)
    night(settings)
    assert len(pairs()) == 3
    pair = next(
        found for found in db.session.scalars(sa.select(DuplicateCandidate)) if third not in (found.first_id, found.second_id)
    )
    later = AT + timedelta(hours=1)
    merging.merge(pair.id, wish(first, second), request_id=request(), by=staff.supervisor, at=later)
    assert pairs() == {frozenset({first, third})}
    night(settings, AT + timedelta(days=1))
    assert pairs() == {frozenset({first, third})}


def test_a_village_full_of_doubles_is_told_in_parts(
    app: Flask, staff: Staff, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duplicate_night, "MOST_PAIRS", 2)
    for _ in range(3):
        resident(staff.fo, "Sitti Aminah")
    night(settings)
    assert len(pairs()) == 2
    for pair in list(db.session.scalars(sa.select(DuplicateCandidate))):
        duplicates.dismiss(pair.id, "Tiga orang yang berbeda", row_version=pair.row_version, by=staff.supervisor, at=AT)
    night(settings, AT + timedelta(days=1))
    assert (len(pairs()), len(pairs(PairState.DIFFERENT))) == (1, 2)


def test_the_task_is_kept_as_long_work(app: Flask, staff: Staff, settings: Settings) -> None:
    resident(staff.fo)
    night(settings)
    progress = background.progress_of(SUBJECT)
    assert progress is not None
    assert (progress.state, progress.percent) == (TaskState.DONE, 100)
