"""Several telephone numbers of one person."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask import Flask

from appliance.database import db
from appliance.errors import InvalidInput, NotAllowed, NotFound
from appliance.models.person import Person, PersonPhone
from appliance.registry import contacts, life_events
from appliance.registry.contacts import MOST_NUMBERS, NewContact
from tests.support.desk import resident
from tests.support.staff import AT, Staff


def listed(staff: Staff, person: str) -> list[tuple[str, str, bool, bool]]:
    found = contacts.contacts_of(person, by=staff.fo)
    return [(one.number, one.owner, one.whatsapp, one.main) for one in found]


def add(staff: Staff, person: str, number: str, **more: object) -> None:
    contacts.add_contact(person, NewContact(number, **more), by=staff.fo, at=AT)  # type: ignore[arg-type]


def test_the_first_number_is_the_main_one_until_another_is_made_it(app: Flask, staff: Staff) -> None:
    person = resident(staff.fo)
    add(staff, person, "0812 3456 7890", owner="Anak", whatsapp=True)
    add(staff, person, "0413-21000", owner="Tetangga")
    first, second = ("0812-3456-7890", "Anak", True), ("041321000", "Tetangga", False)
    assert listed(staff, person) == [(*first, True), (*second, False)]
    add(staff, person, "+62 413 21000", owner="Ketua RT/RW", main=True)
    assert listed(staff, person) == [("041321000", "Ketua RT/RW", False, True), (*first, False)]
    assert db.session.get_one(Person, person).phone == "+6241321000"
    changes = [event.changes[0] for event in life_events.of_person(person, by=staff.fo).events]
    assert {(change.before, change.after) for change in changes} == {("", "0812-3456-7890"), ("0812-3456-7890", "041321000")}


def test_a_number_can_be_taken_away(app: Flask, staff: Staff) -> None:
    person, other = resident(staff.fo), resident(staff.fo, "Ramli")
    add(staff, person, "0812 3456 7890")
    (contact,) = contacts.contacts_of(person, by=staff.fo)
    with pytest.raises(NotFound):
        contacts.remove_contact(other, contact.id, by=staff.fo, at=AT)
    contacts.remove_contact(person, contact.id, by=staff.fo, at=AT)
    assert (listed(staff, person), db.session.get_one(Person, person).phone) == ([], "")


def test_what_is_no_number_and_too_many_are_refused(app: Flask, staff: Staff) -> None:
    person = resident(staff.fo)
    with pytest.raises(InvalidInput) as caught:
        add(staff, person, "12", owner="x" * 61)
    assert set(caught.value.problems) == {"number", "owner"}
    with pytest.raises(InvalidInput):
        add(staff, person, "")
    for number in range(MOST_NUMBERS):
        add(staff, person, f"0812345678{number:02d}")
    with pytest.raises(InvalidInput):
        add(staff, person, "081234567899")
    assert db.session.scalar(sa.select(sa.func.count(PersonPhone.id))) == MOST_NUMBERS


def test_who_may_not(app: Flask, staff: Staff) -> None:
    person = resident(staff.fo)
    with pytest.raises(NotAllowed):
        contacts.add_contact(person, NewContact("081234567890"), by=staff.leader, at=AT)
    with pytest.raises(NotFound):
        contacts.add_contact(person, NewContact("081234567890"), by=staff.neighbour, at=AT)
    add(staff, person, "081234567890")
    assert contacts.contacts_of(person, by=staff.neighbour) == ()
