"""Several people, or one impatient one, at the same moment: one effect, one honest answer for each."""

from __future__ import annotations

import threading
from collections.abc import Callable

from flask import Flask

from appliance import audit
from appliance.casework import casebook, cases, referral_replies
from appliance.casework.referral_replies import Answer
from appliance.database import db
from appliance.errors import Conflict
from appliance.models.case import Case
from appliance.models.person import Family, Person
from appliance.models.states import CaseState
from appliance.registry import people
from tests.support.desk import decided, new_case, open_case, referred, request, resident, version_of
from tests.support.staff import AT, HOME, Staff


def together(app: Flask, *works: Callable[[], object]) -> list[object]:
    """What each of the works answers or raises when all begin at the same moment, each in a thread with its own connection."""
    start = threading.Barrier(len(works))
    answers: list[object] = [None] * len(works)

    def run(position: int, work: Callable[[], object]) -> None:
        with app.app_context():
            start.wait(120)
            try:
                answers[position] = work()
            except Conflict as error:
                answers[position] = error

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    db.session.rollback()  # what this thread has read before is the past
    return answers


def test_one_press_in_four_browsers_opens_one_case(app: Flask, staff: Staff) -> None:
    new = new_case(resident(staff.fo))
    answers = together(app, *[lambda: cases.open_case(new, request_id="once", by=staff.fo, at=AT)] * 4)
    assert len(set(answers)) == 1
    assert db.session.query(Case).count() == 1


def test_numbers_are_given_once(app: Flask, staff: Staff) -> None:
    new = new_case(resident(staff.fo))
    answers = together(app, *[lambda: cases.open_case(new, request_id=request(), by=staff.fo, at=AT)] * 6)
    numbers = sorted(answer.number for answer in answers if isinstance(answer, cases.OpenedCase))
    assert numbers == [f"SLRT-7303-202611-{number:05d}" for number in range(1, 7)]


def test_two_who_take_the_same_case(app: Flask, staff: Staff) -> None:
    case = open_case(staff.fo)
    version = casebook.look_at_case(case, by=staff.bo, at=AT).row_version
    takers = (staff.bo, staff.supervisor)
    answers = together(
        app, *[lambda by=by: cases.move_case(case, "ambil", {}, row_version=version, by=by, at=AT) for by in takers]
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["Conflict", "NoneType"]
    assert len(casebook.look_at_case(case, by=staff.bo, at=AT).events) == 2


def test_one_person_registered_twice_at_once(app: Flask, staff: Staff) -> None:
    new = people.NewPerson(name="Sitti Aminah", sex="P", village_code=HOME, nik="7303014101800001")
    answers = together(app, *[lambda: people.register_person(new, request_id=request(), by=staff.fo, at=AT)] * 4)
    assert sum(isinstance(answer, str) for answer in answers) == 1
    assert all(isinstance(answer, str | people.NikTaken) for answer in answers), answers
    assert db.session.query(Person).count() == 1


def test_a_family_that_arrives_together_is_one_family(app: Flask, staff: Staff) -> None:
    def register(name: str) -> Callable[[], str]:
        new = people.NewPerson(name=name, sex="P", village_code=HOME, nik_reason="-", kk="7303010101100001")
        return lambda: people.register_person(new, request_id=name, by=staff.fo, at=AT)

    answers = together(app, *map(register, ("Aminah", "Murni", "Zainab", "Hasnah")))
    assert all(isinstance(answer, str) for answer in answers), answers
    assert db.session.query(Family).count() == 1


def test_the_journal_stays_one_chain(app: Flask, staff: Staff) -> None:
    person = resident(staff.fo)
    answers = together(app, *[lambda: people.look_at_person(person, by=staff.fo, at=AT)] * 8)
    assert not [answer for answer in answers if isinstance(answer, Exception)]
    assert audit.verify().ok
    assert audit.verify().entries == 9


def test_two_answers_at_once_bring_the_case_on(app: Flask, staff: Staff) -> None:
    """Each must see the other's answer or wait for it; else both would find one referral still open."""
    case = decided(staff)
    sent = {unit: referred(staff, case, unit=unit) for unit in ("dinkes", "disdik")}
    for unit, referral in sent.items():
        by = getattr(staff, unit)
        referral_replies.receive_referral(referral, row_version=version_of(referral, by), by=by, at=AT)

    def answer(unit: str) -> Callable[[], None]:
        by, referral = getattr(staff, unit), sent[unit]
        known = {"row_version": version_of(referral, by), "by": by, "at": AT}
        return lambda: referral_replies.answer_referral(referral, Answer("Dibantu", "terpenuhi"), **known)

    assert together(app, *map(answer, sent)) == [None, None]
    assert casebook.look_at_case(case, by=staff.bo, at=AT).line.state is CaseState.FOLLOW_UP
