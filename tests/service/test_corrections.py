"""Correcting people and families: never over a newer state, with before and after kept, and found by the new name."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from appliance.database import db
from appliance.errors import Conflict, InvalidInput, NotAllowed, NotFound
from appliance.models.audit import AuditEntry
from appliance.models.person import LifeEvent, Person, PersonWord
from appliance.registry import corrections, families, health, life_events, people
from appliance.registry.corrections import FamilyFields
from appliance.registry.health import Health
from appliance.registry.people_search import find_people
from tests.support.desk import resident
from tests.support.staff import AT, FAR, Staff

NIK = "7303014101800001"
CARD = "7303010101100001"


def correct(staff: Staff, person: str, by: Any = None, version: int | None = None, **changes: Any) -> tuple[str, ...]:
    seen = people.look_at_person(person, by=staff.fo, at=AT)
    return corrections.correct_person(
        person,
        replace(seen.fields, **changes),
        reason="Sesuai KTP",
        row_version=seen.row_version if version is None else version,
        by=by or staff.fo,
        at=AT,
    )


def test_a_correction_keeps_before_and_after_and_its_reason(app: Flask, staff: Staff) -> None:
    person = resident(staff.fo, occupation="Petani", phone="0812 3456 7890")
    assert correct(staff, person, occupation="11", birth_date=date(1980, 1, 2)) == ("birth_date", "occupation")
    (event,) = life_events.of_person(person, by=staff.fo).events
    assert (event.kind, event.facts, event.by_name) == ("perbaikan", {"alasan": "Sesuai KTP"}, "Sari")
    assert {(change.field, change.before, change.after) for change in event.changes} == {
        ("birth_date", "01-01-1980", "02-01-1980"),
        ("occupation", "Petani/pekebun", "Nelayan/perikanan"),
    }


def test_a_new_name_is_found_and_the_old_one_is_not(app: Flask, staff: Staff) -> None:
    person = resident(staff.fo, "Sitti Aminah")
    correct(staff, person, name="Rosdiana")
    assert [line.id for line in find_people("rosdiana", by=staff.fo, at=AT).people] == [person]
    assert find_people("aminah", by=staff.fo, at=AT).total == 0
    assert db.session.scalars(sa.select(PersonWord.word).where(PersonWord.person_id == person)).all() == ["rosdiana"]


def test_a_nik_found_later_is_stored_and_the_unseen_one_stays(app: Flask, staff: Staff) -> None:
    person = resident(staff.fo)
    assert "nik" in correct(staff, person, nik=NIK)
    assert correct(staff, person, nickname="Minah") == ("nickname",)
    stored = db.session.get_one(Person, person)
    assert (stored.nik, stored.nik_status, stored.nik_reason) == (NIK, "valid", "")
    events = life_events.of_person(person, by=staff.fo).events
    assert NIK not in repr(events), "numbers are masked in the list of events too"
    assert NIK in repr([event.detail for event in db.session.scalars(sa.select(LifeEvent))])


def test_a_wrong_nik_can_be_taken_away_with_a_reason(app: Flask, staff: Staff) -> None:
    person = resident(staff.fo, nik=NIK)
    correct(staff, person, nik_reason="NIK milik orang lain")
    stored = db.session.get_one(Person, person)
    assert (stored.nik, stored.nik_status, stored.nik_reason) == (None, "tidak_ada", "NIK milik orang lain")


def test_a_nik_of_another_is_refused(app: Flask, staff: Staff) -> None:
    resident(staff.fo, "Baharuddin", nik=NIK)
    person = resident(staff.fo)
    with pytest.raises(people.NikTaken, match="Baharuddin"):
        correct(staff, person, nik=NIK)


def test_a_newer_state_is_not_overwritten(app: Flask, staff: Staff) -> None:
    person = resident(staff.fo)
    version = people.look_at_person(person, by=staff.fo, at=AT).row_version
    correct(staff, person, nickname="Minah")
    with pytest.raises(Conflict):
        correct(staff, person, version=version, nickname="Ami")
    assert db.session.get_one(Person, person).nickname == "Minah"


def test_all_problems_are_told_and_nothing_is_changed(app: Flask, staff: Staff) -> None:
    person = resident(staff.fo)
    with pytest.raises(InvalidInput) as caught:
        correct(staff, person, name=" ", nik="12", phone="abc", nationality="x", birth_date=date(2030, 1, 1))
    assert set(caught.value.problems) == {"name", "nik", "phone", "nationality", "birth_date"}
    assert db.session.scalar(sa.select(sa.func.count(LifeEvent.id))) == 0


def test_nothing_changed_is_noted_nowhere(app: Flask, staff: Staff) -> None:
    person = resident(staff.fo, phone="0812 3456 7890")
    version = people.look_at_person(person, by=staff.fo, at=AT).row_version
    assert correct(staff, person) == ()
    assert people.look_at_person(person, by=staff.fo, at=AT).row_version == version


@pytest.mark.parametrize(("who", "error"), [("leader", NotAllowed), ("manager", NotAllowed), ("neighbour", NotFound)])
def test_who_may_not_correct(app: Flask, staff: Staff, who: str, error: type[Exception]) -> None:
    person = resident(staff.fo)
    with pytest.raises(error):
        correct(staff, person, by=getattr(staff, who), nickname="x")


def test_the_journal_names_fields_and_no_values(app: Flask, staff: Staff) -> None:
    person = resident(staff.fo)
    correct(staff, person, nik=NIK, mother_name="Rabiah")
    details = " ".join(db.session.scalars(sa.select(AuditEntry.detail)))
    assert "mother_name" in details
    assert NIK not in details
    assert "Rabiah" not in details


def test_a_family_is_corrected_with_its_place(app: Flask, staff: Staff) -> None:
    family = families.look_at_family(_family_of(staff, resident(staff.fo, kk=CARD)), by=staff.fo, at=AT)
    place = FamilyFields("Jl. Kartini 1", "Dusun Satu", "1", "2", -5.5, 119.9)
    corrections.correct_family(family.id, place, reason="Salah ketik", row_version=family.row_version, by=staff.fo, at=AT)
    seen = families.look_at_family(family.id, by=staff.fo, at=AT)
    assert seen.fields == replace(place, rt="001", rw="002")
    (event,) = life_events.of_family(family.id, by=staff.fo).events
    assert {change.field for change in event.changes} == {"address", "hamlet", "rt", "rw", "latitude", "longitude"}
    wrong = FamilyFields("x" * 301, latitude=50.0)
    with pytest.raises(InvalidInput) as caught:
        corrections.correct_family(family.id, wrong, reason="", row_version=seen.row_version, by=staff.fo, at=AT)
    assert set(caught.value.problems) == {"address", "latitude", "reason"}


def _family_of(staff: Staff, person: str) -> str:
    return people.look_at_person(person, by=staff.fo, at=AT).family_id or ""


def test_health_is_read_and_changed_by_few_and_its_history_too(app: Flask, staff: Staff) -> None:
    person = resident(staff.fo)
    seen, version = health.look_at_health(person, by=staff.bo, at=AT)
    assert (seen, version) == (Health(), 0)
    known = Health(("2",), ("12",), pregnant=True)
    assert health.change_health(person, known, row_version=0, by=staff.bo, at=AT)
    assert health.look_at_health(person, by=staff.facilitator, at=AT) == (known, 1)
    with pytest.raises(Conflict):
        health.change_health(person, Health(), row_version=0, by=staff.bo, at=AT)
    for other in (staff.fo, staff.leader):
        with pytest.raises(NotAllowed):
            health.look_at_health(person, by=other, at=AT)
        with pytest.raises(NotAllowed):
            health.change_health(person, Health(), row_version=1, by=other, at=AT)
    (hidden,) = life_events.of_person(person, by=staff.fo).events
    (shown,) = life_events.of_person(person, by=staff.bo).events
    assert hidden.changes == ()
    assert {(change.field, change.after) for change in shown.changes} == {
        ("disabilities", "Netra"),
        ("chronic_illnesses", "TBC"),
        ("pregnant", "ya"),
    }
    details = " ".join(db.session.scalars(sa.select(AuditEntry.detail)))
    assert "disabilities" not in details


def test_health_takes_only_what_can_be(app: Flask, staff: Staff) -> None:
    man = resident(staff.fo, sex="L")
    with pytest.raises(InvalidInput) as caught:
        health.change_health(man, Health(("9",), ("x",), pregnant=True), row_version=0, by=staff.bo, at=AT)
    assert set(caught.value.problems) == {"disabilities", "chronic_illnesses", "pregnant"}


def test_whole_numbers_need_a_right_and_a_reason(app: Flask, staff: Staff) -> None:
    person = resident(staff.fo, nik=NIK, kk=CARD)
    family = _family_of(staff, person)
    for reveal in (
        lambda by, reason: people.reveal_person(person, reason=reason, by=by, at=AT).kk,
        lambda by, reason: families.reveal_family(family, reason=reason, by=by, at=AT).kk,
    ):
        assert reveal(staff.bo, f"Cocokkan dengan {NIK}") == "7303 0101 0110 0001"
        with pytest.raises(NotAllowed):
            reveal(staff.leader, "Ingin tahu saja")
        with pytest.raises(InvalidInput):
            reveal(staff.bo, " ")
    details = " ".join(db.session.scalars(sa.select(AuditEntry.detail).where(AuditEntry.action == "ungkap")))
    assert "Cocokkan dengan 730301" in details
    assert NIK not in details


def test_foreign_people_have_no_events(app: Flask, staff: Staff) -> None:
    person = resident(staff.fo, village=FAR)
    correct(staff, person, nickname="Minah")
    assert life_events.of_person(person, by=staff.facilitator).events == ()
