"""Who sees what: allowed, limited and strange readers at every reading service; what is not theirs does not exist for them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask

from appliance.access import Actor, scope
from appliance.casework import casebook, referrals
from appliance.casework.casebook import CaseFilter
from appliance.errors import NotFound
from appliance.models.account import Account
from appliance.registry import areas, people, people_search
from tests.support.desk import decided, move, open_case, prepare_referral, referred, resident
from tests.support.staff import AT, FAR, HOME, NEIGHBOUR, Staff

NIK, FOREIGN_NIK = "7303014101800001", "7303014101800002"
CARD = "7303010101100001"

# Everything somebody can read without knowing an identifier.
LISTS: dict[str, Callable[[Actor], object]] = {
    "by name": lambda by: people_search.find_people("aminah", by=by, at=AT),
    "by nik": lambda by: people_search.find_people(FOREIGN_NIK, by=by, at=AT),
    "by card": lambda by: people_search.find_people(CARD, by=by, at=AT),
    "village": lambda by: people_search.find_people("", village_code=NEIGHBOUR, by=by, at=AT),
    "cases": lambda by: casebook.list_cases(CaseFilter(), by=by, at=AT),
    "cases by name": lambda by: casebook.list_cases(CaseFilter(text="aminah"), by=by, at=AT),
    "cases by number": lambda by: casebook.list_cases(CaseFilter(text="SLRT-7303"), by=by, at=AT),
    "queue": lambda by: casebook.list_cases(CaseFilter(queue=True), by=by, at=AT),
    "counts": lambda by: casebook.count_cases(by=by),
    "referrals": lambda by: casebook.list_referrals(by=by, at=AT),
    "villages": lambda by: areas.villages(by=by),
}
READERS = ("facilitator", "neighbour", "stranger", "dinkes", "disdik", "admin", "leader", "fo", "bo", "supervisor", "manager")


def read_all(staff: Staff, who: str) -> dict[str, str]:
    return {name: repr(read(getattr(staff, who))) for name, read in LISTS.items()}


@pytest.mark.parametrize("who", ["facilitator", "stranger", "dinkes", "disdik", "admin"])
def test_a_foreign_resident_and_case_change_nothing_that_one_reads(app: Flask, staff: Staff, who: str) -> None:
    open_case(staff.fo, resident(staff.fo, "Sitti Aminah", nik=NIK))
    before = read_all(staff, who)
    foreign = resident(staff.fo, "St. Aminah", village=NEIGHBOUR, nik=FOREIGN_NIK, kk=CARD)
    prepare_referral(staff, decided_for(staff, foreign))
    assert read_all(staff, who) == before


def decided_for(staff: Staff, person: str) -> str:
    case = open_case(staff.fo, person)
    for action in ("ambil", "sahkan", "teruskan"):
        move(case, staff.bo, action)
    return case


def test_the_same_change_is_seen_by_those_it_is_for(app: Flask, staff: Staff) -> None:
    """The other side of the test above: with its rows in scope it would fail."""
    before = {who: read_all(staff, who) for who in ("neighbour", "bo", "leader")}
    open_case(staff.fo, resident(staff.fo, "St. Aminah", village=NEIGHBOUR, nik=FOREIGN_NIK, kk=CARD))
    for who, seen in before.items():
        changed = {name for name, text in read_all(staff, who).items() if text != seen[name]}
        assert changed >= {"by name", "by nik", "by card", "village", "cases", "counts"}, who


@pytest.mark.parametrize(
    ("who", "people_seen", "cases_seen"),
    [
        *((who, {HOME, NEIGHBOUR, FAR}, {HOME, NEIGHBOUR, FAR}) for who in ("fo", "bo", "supervisor", "manager", "leader")),
        ("facilitator", {HOME}, {HOME}),
        ("neighbour", {NEIGHBOUR}, {NEIGHBOUR}),
        *((who, set(), set()) for who in ("stranger", "dinkes", "admin")),
    ],
)
def test_people_and_cases_by_area(app: Flask, staff: Staff, who: str, people_seen: set[str], cases_seen: set[str]) -> None:
    where = {village: resident(staff.fo, f"Warga {village}", village) for village in (HOME, NEIGHBOUR, FAR)}
    opened = {village: open_case(staff.fo, person) for village, person in where.items()}
    by = getattr(staff, who)
    assert {line.village_code for line in people_search.find_people("warga", by=by, at=AT).people} == people_seen
    assert {line.village_code for line in casebook.list_cases(CaseFilter(), by=by, at=AT).cases} == cases_seen
    for village in where:
        assert looks(lambda v=village: people.look_at_person(where[v], by=by, at=AT)) is (village in people_seen)
        assert looks(lambda v=village: people.reveal_person(where[v], by=by, at=AT)) is (village in people_seen)
        assert looks(lambda v=village: casebook.look_at_case(opened[v], by=by, at=AT)) is (village in cases_seen)


def looks(look: Callable[[], object]) -> bool:
    try:
        look()
    except NotFound:
        return False
    return True


def test_foreign_and_missing_answer_alike(app: Flask, staff: Staff) -> None:
    person = resident(staff.fo, village=FAR)
    case = open_case(staff.fo, person)
    referral = referred(staff)
    by = staff.facilitator

    def answer(look: Callable[[], object]) -> tuple[str, str]:
        with pytest.raises(NotFound) as caught:
            look()
        return caught.value.message, caught.value.hint

    missing = "00000000-0000-7000-8000-000000000000"
    assert answer(lambda: people.look_at_person(person, by=by, at=AT)) == answer(
        lambda: people.look_at_person(missing, by=by, at=AT)
    )
    assert answer(lambda: casebook.look_at_case(case, by=by, at=AT)) == answer(
        lambda: casebook.look_at_case(missing, by=by, at=AT)
    )
    strange = {"by": staff.disdik, "at": AT}
    assert answer(lambda: referrals.receive_referral(referral, row_version=1, **strange)) == answer(
        lambda: referrals.receive_referral(missing, row_version=1, **strange)
    )


@pytest.mark.parametrize(
    ("who", "sees"), [("bo", True), ("supervisor", True), ("manager", True), ("fo", False), ("leader", False)]
)
def test_what_is_confidential_stays_among_few(app: Flask, staff: Staff, who: str, sees: bool) -> None:
    case = open_case(staff.facilitator, channel="lapangan", confidential=True, reporter_name="Tetangga")
    by = getattr(staff, who)
    assert looks(lambda: casebook.look_at_case(case, by=by, at=AT)) is sees
    assert casebook.list_cases(CaseFilter(), by=by, at=AT).total == int(sees)
    assert sum(casebook.count_cases(by=by).values()) == int(sees)
    assert looks(lambda: casebook.look_at_case(case, by=staff.facilitator, at=AT)), "who wrote it sees it"


def test_the_leader_reads_and_does_nothing(app: Flask, staff: Staff) -> None:
    seen = casebook.look_at_case(decided(staff), by=staff.leader, at=AT)
    assert seen.actions == ()
    assert not seen.may_refer


def test_the_field_does_not_see_referrals_of_other_villages(app: Flask, staff: Staff) -> None:
    referral = referred(staff)
    assert casebook.list_referrals(by=staff.facilitator, at=AT).total == 1
    assert casebook.list_referrals(by=staff.neighbour, at=AT).total == 0
    (line,) = casebook.list_referrals(by=staff.facilitator, at=AT).referrals
    assert line.steps == ()
    assert not looks(lambda: casebook.look_at_referral(referral, by=staff.neighbour, at=AT))


def test_what_has_no_rule_is_not_readable(app: Flask, staff: Staff) -> None:
    with pytest.raises(TypeError):
        scope(sa.select(Account), Account, staff.manager)


def test_an_officer_without_unit_or_area_sees_nothing(app: Flask, staff: Staff) -> None:
    referred(staff)
    lost = Actor("x", "X", "x", staff.dinkes.roles | staff.bo.roles)
    assert casebook.list_referrals(by=lost, at=AT).total == 0
    assert casebook.list_cases(CaseFilter(), by=lost, at=AT).total == 0
