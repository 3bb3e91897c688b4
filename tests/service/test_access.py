"""Who sees what: allowed, limited and strange readers at every reading service; what is not theirs does not exist for them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask

from appliance.access import REGISTRAR_ROLES, Actor, Grant, scope
from appliance.casework import casebook, referral_replies, referrals
from appliance.casework.case_filter import CaseFilter
from appliance.casework.referral_list import list_referrals
from appliance.errors import NotAllowed, NotFound
from appliance.models.account import Account
from appliance.models.roles import Role
from appliance.registry import areas, people, people_search
from tests.support.desk import decided, move, open_case, prepare_referral, referred, resident, verify
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
    "counts": lambda by: casebook.count_matching(CaseFilter(), by=by, at=AT),
    "referrals": lambda by: list_referrals(by=by, at=AT),
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
    verify(case, staff.bo)
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
        if who != "leader":  # who may not, is told so, and no more
            reveal = lambda v=village: people.reveal_person(where[v], reason="Dicocokkan", by=by, at=AT)  # noqa: E731
            assert looks(reveal) is (village in people_seen)
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
    assert answer(lambda: referral_replies.receive_referral(referral, row_version=1, **strange)) == answer(
        lambda: referral_replies.receive_referral(missing, row_version=1, **strange)
    )


@pytest.mark.parametrize(
    ("who", "sees"), [("bo", True), ("supervisor", True), ("manager", True), ("fo", False), ("leader", False)]
)
def test_what_is_confidential_stays_among_few(app: Flask, staff: Staff, who: str, sees: bool) -> None:
    case = open_case(staff.facilitator, channel="lapangan", confidential=True, reporter_name="Tetangga")
    by = getattr(staff, who)
    assert looks(lambda: casebook.look_at_case(case, by=by, at=AT)) is sees
    assert casebook.list_cases(CaseFilter(), by=by, at=AT).total == int(sees)
    assert casebook.count_matching(CaseFilter(), by=by, at=AT) == int(sees)
    assert looks(lambda: casebook.look_at_case(case, by=staff.facilitator, at=AT)), "who wrote it sees it"


def test_the_leader_reads_and_does_nothing(app: Flask, staff: Staff) -> None:
    seen = casebook.look_at_case(decided(staff), by=staff.leader, at=AT)
    assert seen.actions == ()
    assert not seen.may_refer


def test_the_field_does_not_see_referrals_of_other_villages(app: Flask, staff: Staff) -> None:
    referral = referred(staff)
    assert list_referrals(by=staff.facilitator, at=AT).total == 1
    assert list_referrals(by=staff.neighbour, at=AT).total == 0
    (line,) = list_referrals(by=staff.facilitator, at=AT).referrals
    assert line.steps == ()
    assert not looks(lambda: casebook.look_at_referral(referral, by=staff.neighbour, at=AT))


def test_what_has_no_rule_is_not_readable(app: Flask, staff: Staff) -> None:
    with pytest.raises(TypeError):
        scope(sa.select(Account), Account, staff.manager)


def test_an_officer_without_unit_or_area_sees_nothing(app: Flask, staff: Staff) -> None:
    referred(staff)
    lost = Actor("x", "X", "x", staff.dinkes.roles | staff.bo.roles)
    assert list_referrals(by=lost, at=AT).total == 0
    assert casebook.list_cases(CaseFilter(), by=lost, at=AT).total == 0


@pytest.fixture
def split(staff: Staff) -> Actor:
    """Facilitator of HOME, supervisor of the subdistrict of FAR."""
    grants = (Grant(Role.FASILITATOR, (HOME,)), Grant(Role.SUPERVISOR, ("73.03.06",)))
    return Actor.holding(staff.facilitator.account_id, "Nur", "nur", grants)


def test_what_is_confidential_is_seen_only_where_the_role_for_it_holds(app: Flask, staff: Staff, split: Actor) -> None:
    hidden = {
        village: open_case(staff.fo, resident(staff.fo, village=village), confidential=True) for village in (HOME, FAR, NEIGHBOUR)
    }
    plain = {village: open_case(staff.fo, resident(staff.fo, village=village)) for village in (HOME, FAR, NEIGHBOUR)}
    found = {line.id for line in casebook.list_cases(CaseFilter(), by=split, at=AT).cases}
    assert found == {hidden[FAR], plain[HOME], plain[FAR]}
    for case in (*hidden.values(), *plain.values()):
        assert looks(lambda c=case: casebook.look_at_case(c, by=split, at=AT)) is (case in found)


def test_she_registers_and_opens_cases_only_where_she_is_registrar(app: Flask, staff: Staff, split: Actor) -> None:
    case = open_case(split, resident(split, village=HOME))
    assert casebook.look_at_case(case, by=split, at=AT).events[0].role_label == "Fasilitator"
    far = resident(staff.fo, village=FAR)
    with pytest.raises(NotAllowed):
        resident(split, village=FAR)
    with pytest.raises(NotAllowed):
        open_case(split, far)
    assert [village.code for village in areas.villages(by=split, roles=REGISTRAR_ROLES)] == [HOME]


def test_steps_and_queue_are_those_of_the_role_that_holds_there(app: Flask, staff: Staff, split: Actor) -> None:
    at_home, far = (open_case(staff.fo, resident(staff.fo, village=village)) for village in (HOME, FAR))

    def steps(case: str) -> set[str]:
        return {offer.action for offer in casebook.look_at_case(case, by=split, at=AT).actions}

    assert ("ambil" in steps(at_home), "ambil" in steps(far)) == (False, True)
    assert [line.id for line in casebook.list_cases(CaseFilter(queue=True), by=split, at=AT).cases] == [far]
    with pytest.raises(NotAllowed):
        move(at_home, split, "ambil")
    move(far, split, "ambil")
    assert casebook.look_at_case(far, by=split, at=AT).events[-1].role_label == "Supervisor"


def test_a_back_officer_of_one_place_refers_nothing_that_she_only_reads(app: Flask, staff: Staff) -> None:
    case = decided(staff)
    her = Actor.holding(staff.leader.account_id, "X", "x", (Grant(Role.BO, ("73.03.06",)), Grant(Role.TKSK, ("73.03.01",))))
    assert not casebook.look_at_case(case, by=her, at=AT).may_refer
    new = referrals.NewReferral(staff.dinkes.unit_id or "", "Mohon bantuan", ("nama",))
    with pytest.raises(NotAllowed):
        referrals.refer_case(case, new, request_id="r", by=her, at=AT)
    referral = prepare_referral(staff, case)
    assert casebook.look_at_referral(referral, by=her, at=AT).line.steps == ()


def test_an_officer_of_two_organisations_answers_for_both_and_no_third(app: Flask, staff: Staff) -> None:
    sent = [referred(staff, unit="dinkes"), referred(staff, unit="disdik")]
    units = (staff.dinkes.unit_id, staff.disdik.unit_id)
    both = Actor.holding("x", "X", "x", tuple(Grant(Role.OPD, (), unit) for unit in units))
    assert {line.id for line in list_referrals(by=both, at=AT).referrals} == set(sent)
    other = Actor.holding("x", "X", "x", (Grant(Role.OPD, (), units[0]), Grant(Role.KOORDINATOR_PUSKESOS, (), units[1])))
    assert {line.id for line in list_referrals(by=other, at=AT).referrals} == set(sent[:1])
