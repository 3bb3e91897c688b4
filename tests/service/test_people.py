"""Registering and finding residents."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from flask import Flask

from appliance.database import db, transaction
from appliance.errors import InvalidInput, NotAllowed
from appliance.models.person import Family, FormerCard, Person, PersonWord
from appliance.registry import life_events, people
from appliance.registry.people_search import MOST_HITS, PAGE_SIZE, PeopleFound, find_people
from tests.support.desk import request, resident
from tests.support.staff import AT, FAR, HOME, NEIGHBOUR, Staff

NIK = "7303014101800001"
CARD = "7303010101100001"


def names(found: PeopleFound) -> list[str]:
    return [line.name for line in found.people]


def test_a_family_grows_on_its_card(app: Flask, staff: Staff) -> None:
    head = resident(staff.fo, "Baharuddin", kk=CARD, relation="1", address="Jl. Pahlawan 1", rt="1", rw="02")
    wife = resident(staff.fo, "Sitti Aminah", kk=f"{CARD[:8]} {CARD[8:]}", relation="3")
    seen = people.look_at_person(wife, by=staff.fo, at=AT)
    assert [member.name for member in seen.family] == ["Baharuddin"]
    assert seen.family_address == "Jl. Pahlawan 1, RT 001 / RW 002"
    family = db.session.get_one(Family, seen.family_id)
    assert family.head_id == head


def test_somebody_without_nik_needs_a_reason(app: Flask, staff: Staff) -> None:
    with pytest.raises(InvalidInput) as caught:
        resident(staff.fo, nik_reason="")
    assert set(caught.value.problems) == {"nik_reason"}


def test_all_problems_are_told_at_once(app: Flask, staff: Staff) -> None:
    new = people.NewPerson(name=" ", sex="X", village_code="73.03", nik="12", kk="34", relation="99", birth_date=date(2030, 1, 1))
    with pytest.raises(InvalidInput) as caught:
        people.register_person(new, request_id=request(), by=staff.fo, at=AT)
    assert set(caught.value.problems) == {"name", "sex", "village_code", "nik", "kk", "relation", "birth_date"}


def test_a_doubtful_nik_is_stored_with_its_doubts(app: Flask, staff: Staff) -> None:
    person = resident(staff.fo, nik="7303990101800001")
    seen = people.look_at_person(person, by=staff.fo, at=AT)
    assert seen.line.nik_status == "meragukan"
    assert "73.03.99" in seen.nik_reason
    assert "Jenis kelamin" in seen.nik_reason


def test_numbers_are_masked_until_they_are_revealed(app: Flask, staff: Staff) -> None:
    person = resident(staff.fo, nik=NIK, kk=CARD)
    seen = people.look_at_person(person, by=staff.fo, at=AT)
    assert NIK[6:] not in repr(seen).replace(" ", "")
    assert CARD[6:] not in repr(seen).replace(" ", "")
    assert people.reveal_person(person, reason="Dicocokkan", by=staff.fo, at=AT).nik == "7303 0141 0180 0001"


def test_words_become_codes_and_numbers_are_stored_alike(app: Flask, staff: Staff) -> None:
    person = resident(staff.fo, religion="ISLAM", education="SLTA / SEDERAJAT", nationality="wni", phone="0812-3456-7890")
    stored = db.session.get_one(Person, person)
    assert (stored.religion, stored.education, stored.nationality, stored.phone) == ("1", "5", "1", "+6281234567890")
    assert people.look_at_person(person, by=staff.fo, at=AT).fields.phone == "0812-3456-7890"


def test_who_came_from_elsewhere_is_noted(app: Flask, staff: Staff) -> None:
    person = resident(staff.fo, arrived_from="Kab. Jeneponto")
    (event,) = life_events.of_person(person, by=staff.fo).events
    assert (event.kind, event.facts) == ("datang", {"dari": "Kab. Jeneponto"})


def test_a_nik_is_taken_once(app: Flask, staff: Staff) -> None:
    first = resident(staff.fo, "Sitti Aminah", nik=NIK)
    with pytest.raises(people.NikTaken, match="atas nama Sitti Aminah") as caught:
        resident(staff.facilitator, "St. Aminah", nik=NIK)
    assert caught.value.person_id == first


def test_a_nik_taken_elsewhere_names_nobody(app: Flask, staff: Staff) -> None:
    resident(staff.fo, "Sitti Aminah", village=FAR, nik=NIK)
    with pytest.raises(people.NikTaken) as caught:
        resident(staff.facilitator, "Orang lain", nik=NIK)
    assert caught.value.person_id is None
    assert "Aminah" not in caught.value.message


def test_a_card_belongs_to_one_village(app: Flask, staff: Staff) -> None:
    resident(staff.fo, kk=CARD)
    with pytest.raises(InvalidInput) as caught:
        resident(staff.fo, village=NEIGHBOUR, kk=CARD)
    assert set(caught.value.problems) == {"kk"}


def test_a_second_press_registers_nobody(app: Flask, staff: Staff) -> None:
    new = people.NewPerson(name="Sitti Aminah", sex="P", village_code=HOME, nik=NIK)
    first = people.register_person(new, request_id="once", by=staff.fo, at=AT)
    assert people.register_person(new, request_id="once", by=staff.fo, at=AT) == first
    assert db.session.query(Person).count() == 1


@pytest.mark.parametrize("role", ["bo", "supervisor", "manager", "leader", "dinkes", "admin"])
def test_only_the_desk_and_the_field_register(app: Flask, staff: Staff, role: str) -> None:
    with pytest.raises(NotAllowed):
        resident(getattr(staff, role))


def test_nobody_registers_outside_of_her_area(app: Flask, staff: Staff) -> None:
    with pytest.raises(NotAllowed):
        resident(staff.facilitator, village=NEIGHBOUR)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (NIK, ["Hj. Sitti Aminah"]),
        ("7303 0141 0180 0001", ["Hj. Sitti Aminah"]),
        (CARD, ["Baharuddin", "Hj. Sitti Aminah"]),
        ("st. aminah", ["Hj. Sitti Aminah"]),
        ("aminah sitti", ["Hj. Sitti Aminah"]),
        ("amin", ["Hj. Sitti Aminah"]),
        ("Moh. Yusuf", ["Muhammad Yusuf"]),
        ("yusup", ["Muhammad Yusuf"]),
        ("minah", []),  # words are found by their beginning
        ("7303014101800009", []),
        ("aminah yusuf", []),
        ("", []),
        ("%", []),
        ("a_inah", []),
    ],
)
def test_people_are_found_by_numbers_and_words(app: Flask, staff: Staff, text: str, found: list[str]) -> None:
    resident(staff.fo, "Baharuddin", kk=CARD, relation="1")
    resident(staff.fo, "Hj. Sitti Aminah", nik=NIK, kk=CARD, relation="3")
    resident(staff.fo, "Muhammad Yusuf", village=FAR)
    assert names(find_people(text, by=staff.fo, at=AT)) == found


def test_a_former_card_number_still_finds_the_family(app: Flask, staff: Staff) -> None:
    person = resident(staff.fo, kk=CARD)
    with transaction() as session:
        family_id = session.get_one(Person, person).family_id
        session.add(FormerCard(family_id=family_id, kk="7303010101990009", until=None, reason=""))
    assert [line.id for line in find_people("7303010101990009", by=staff.fo, at=AT).people] == [person]


def test_a_village_is_listed_by_name(app: Flask, staff: Staff) -> None:
    for name in ("Zainab", "Aminah", "Murni"):
        resident(staff.fo, name)
    resident(staff.fo, "Lain", village=NEIGHBOUR)
    assert names(find_people("", village_code=HOME, by=staff.fo, at=AT)) == ["Aminah", "Murni", "Zainab"]
    assert find_people("", village_code=NEIGHBOUR, by=staff.facilitator, at=AT).total == 0


def test_who_was_merged_into_another_is_not_listed(app: Flask, staff: Staff) -> None:
    kept, merged = resident(staff.fo, "Sitti Aminah"), resident(staff.fo, "St. Aminah")
    with transaction() as session:
        session.get_one(Person, merged).merged_into_id = kept
    assert [line.id for line in find_people("aminah", by=staff.fo, at=AT).people] == [kept]


def test_a_rare_second_word_is_found_among_a_crowd(app: Flask, staff: Staff) -> None:
    """More people share one word than a search shows; with a second word the right one is found all the same."""
    _crowd(staff, MOST_HITS + 20)
    wanted = resident(staff.fo, "Muhammad Zulkarnaen")
    crowd = find_people("muhammad", by=staff.fo, at=AT)
    assert (crowd.total, crowd.capped, crowd.pages) == (MOST_HITS, True, MOST_HITS // PAGE_SIZE)
    assert [line.id for line in find_people("muh. zul", by=staff.fo, at=AT).people] == [wanted]


def test_pages_follow_each_other_without_gap(app: Flask, staff: Staff) -> None:
    _crowd(staff, PAGE_SIZE + 5)
    pages = [find_people("muhammad", by=staff.fo, at=AT, page=page) for page in (1, 2, 99)]
    assert [len(page.people) for page in pages] == [PAGE_SIZE, 5, 5]
    assert len({line.id for page in pages[:2] for line in page.people}) == PAGE_SIZE + 5


def _crowd(staff: Staff, count: int) -> None:
    """Many people of one name, put in without the service for speed."""
    known: dict[str, Any] = {"nik_status": "tidak_ada", "nik_reason": "-", "sex": "L", "village_code": HOME}
    with transaction() as session:
        for number in range(count):
            person = Person(name=f"Muhammad {number:04d}", name_search=f"muhamad {number:04d}", **known)
            person.stamp(staff.fo.account_id, AT)
            session.add(person)
            session.flush()
            session.add_all(PersonWord(word=word, village_code=HOME, person_id=person.id) for word in person.name_search.split())
