"""What happens to people and families, and what follows from it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from appliance.database import db, transaction
from appliance.errors import Conflict, InvalidInput, NotAllowed, NotFound
from appliance.models.person import Family, LifeEvent, Person
from appliance.registry import families, happenings, life_events, marriages, people
from appliance.registry.families import Split
from appliance.registry.happenings import Birth, Move
from appliance.registry.marriages import Divorce
from appliance.registry.people_search import find_people
from tests.support.desk import resident
from tests.support.staff import AT, FAR, HOME, NEIGHBOUR, Staff

CARD = "7303010101100001"
NEW_CARD = "7303010101260002"
TODAY = AT.date()


@pytest.fixture
def household(app: Flask, staff: Staff) -> dict[str, str]:
    """Father, mother and a daughter on one card; their identifiers, and that of the family."""
    father = resident(staff.fo, "Baharuddin", sex="L", kk=CARD, relation="1", address="Jl. Pahlawan 1")
    mother = resident(staff.fo, "Sitti Aminah", kk=CARD, relation="3")
    daughter = resident(staff.fo, "Nur Aisyah", kk=CARD, relation="4")
    family = people.look_at_person(father, by=staff.fo, at=AT).family_id or ""
    return {"father": father, "mother": mother, "daughter": daughter, "family": family}


def version(person: str) -> int:
    db.session.expire_all()
    return db.session.get_one(Person, person).row_version


def family_of(staff: Staff, family: str) -> families.FamilyDetail:
    return families.look_at_family(family, by=staff.fo, at=AT)


def kinds(staff: Staff, person: str) -> list[str]:
    return [event.kind for event in life_events.of_person(person, by=staff.fo).events]


def found(staff: Staff, text: str) -> set[str]:
    return {line.id for line in find_people(text, by=staff.fo, at=AT).people}


def test_a_child_is_born_into_a_family_once(household: dict[str, str], staff: Staff) -> None:
    birth = Birth("Muh. Fadli", "L", TODAY, evidence="Surat kelahiran Puskesmas 12/2026")
    child = happenings.record_birth(household["family"], birth, request_id="b", by=staff.facilitator, at=AT)
    assert happenings.record_birth(household["family"], birth, request_id="b", by=staff.facilitator, at=AT) == child
    seen = people.look_at_person(child, by=staff.fo, at=AT)
    assert (seen.fields.mother_name, seen.fields.father_name, seen.line.relation) == ("Sitti Aminah", "Baharuddin", "4")
    assert (seen.nik_reason, seen.line.nik_status, seen.family_id) == ("Bayi baru lahir", "tidak_ada", household["family"])
    (event,) = life_events.of_family(household["family"], by=staff.fo).events
    assert (event.kind, event.person_name, event.happened_on) == ("lahir", "Muh. Fadli", TODAY)
    assert event.evidence == "Surat kelahiran Puskesmas 12/2026"


def test_a_birth_needs_a_name_and_a_day_that_was(household: dict[str, str], staff: Staff) -> None:
    birth = Birth("", "", TODAY + timedelta(days=2))
    with pytest.raises(InvalidInput) as caught:
        happenings.record_birth(household["family"], birth, request_id="b", by=staff.fo, at=AT)
    assert set(caught.value.problems) == {"name", "sex", "birth_date"}


def die(staff: Staff, person: str, **changes: Any) -> None:
    known: dict[str, Any] = {"on": TODAY, "evidence": "Akta kematian", "row_version": version(person)}
    happenings.record_death(person, **{**known, **changes}, by=staff.fo, at=AT)


def test_the_death_of_a_head_asks_for_a_new_one(household: dict[str, str], staff: Staff) -> None:
    assert not family_of(staff, household["family"]).needs_head
    die(staff, household["father"])
    seen = people.look_at_person(household["father"], by=staff.fo, at=AT)
    assert (seen.line.status, seen.status_since, kinds(staff, household["father"])) == ("mati", TODAY, ["meninggal"])
    family = family_of(staff, household["family"])
    assert family.needs_head
    families.choose_head(family.id, household["mother"], row_version=family.row_version, by=staff.fo, at=AT)
    family = family_of(staff, household["family"])
    assert (family.needs_head, family.head_id, family.members[0].id) == (False, household["mother"], household["mother"])


def test_a_new_head_is_named_with_the_death(household: dict[str, str], staff: Staff) -> None:
    die(staff, household["father"], new_head_id=household["mother"])
    family = family_of(staff, household["family"])
    assert (family.needs_head, family.head_id) == (False, household["mother"])
    assert [line.relation for line in family.members if line.id == household["father"]] == ["11"]


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"on": None}, {"on"}),
        ({"on": TODAY + timedelta(days=1)}, {"on"}),
        ({"on": date(1979, 1, 1)}, {"on"}),
        ({"new_head_id": "somebody"}, {"head_id"}),
    ],
)
def test_a_death_that_cannot_be(household: dict[str, str], staff: Staff, changes: dict[str, Any], fields: set[str]) -> None:
    with pytest.raises(InvalidInput) as caught:
        die(staff, household["father"], **changes)
    assert set(caught.value.problems) == fields
    assert people.look_at_person(household["father"], by=staff.fo, at=AT).line.status == "hidup"


def test_the_day_is_that_of_the_office(household: dict[str, str], staff: Staff) -> None:
    """At seven in the morning of Bantaeng, it is still yesterday in UTC."""
    morning = datetime(2026, 11, 20, 23, 0, tzinfo=UTC)
    born = Birth("Muh. Fadli", "L", date(2026, 11, 21))
    child = happenings.record_birth(household["family"], born, request_id="b", by=staff.fo, at=morning)
    known = {"evidence": "", "row_version": version(child), "by": staff.fo, "at": morning}
    happenings.record_death(child, on=date(2026, 11, 21), **known)
    with pytest.raises(InvalidInput):
        happenings.record_death(
            household["father"], on=date(2026, 11, 22), **(known | {"row_version": version(household["father"])})
        )


def test_nobody_dies_twice_nor_over_a_newer_state(household: dict[str, str], staff: Staff) -> None:
    seen = version(household["father"])
    die(staff, household["father"])
    with pytest.raises(Conflict):
        die(staff, household["father"], row_version=seen)
    with pytest.raises(Conflict):
        die(staff, household["father"])


def test_who_is_missing_is_noted_until_she_is_back(household: dict[str, str], staff: Staff) -> None:
    known: dict[str, Any] = {"evidence": "Laporan polisi 7/2026", "by": staff.fo, "at": AT}
    seen_version = version(household["father"])
    with pytest.raises(InvalidInput):
        happenings.record_missing(household["father"], on=TODAY + timedelta(days=1), row_version=seen_version, **known)
    happenings.record_missing(household["father"], on=TODAY, row_version=seen_version, **known)
    seen = people.look_at_person(household["father"], by=staff.fo, at=AT)
    assert (seen.line.status, seen.status_since, kinds(staff, household["father"])) == ("hilang", TODAY, ["hilang"])
    assert family_of(staff, household["family"]).needs_head
    with pytest.raises(Conflict):
        die(staff, household["father"])
    back = Move(village_code=HOME, kk=CARD, on=TODAY)
    happenings.record_return(household["father"], back, row_version=version(household["father"]), by=staff.fo, at=AT)
    assert people.look_at_person(household["father"], by=staff.fo, at=AT).line.status == "hidup"


def move(staff: Staff, person: str, by: Any = None, **where: Any) -> None:
    happenings.record_move(person, Move(**where), row_version=version(person), by=by or staff.fo, at=AT)


def test_a_move_within_the_district_is_seen_by_the_new_village(household: dict[str, str], staff: Staff) -> None:
    move(staff, household["daughter"], by=staff.facilitator, village_code=NEIGHBOUR, address="Jl. Baru 2", on=TODAY)
    with pytest.raises(NotFound):
        people.look_at_person(household["daughter"], by=staff.facilitator, at=AT)
    seen = people.look_at_person(household["daughter"], by=staff.neighbour, at=AT)
    assert (seen.family_address, seen.line.status) == ("Jl. Baru 2", "hidup")
    assert [line.id for line in find_people("aisyah", by=staff.neighbour, at=AT).people] == [household["daughter"]]
    assert find_people("aisyah", by=staff.facilitator, at=AT).total == 0
    assert household["daughter"] not in {line.id for line in family_of(staff, household["family"]).members}


def test_a_move_to_a_known_card_joins_that_family(household: dict[str, str], staff: Staff) -> None:
    other = resident(staff.fo, "Ramli", kk=NEW_CARD, village=NEIGHBOUR, relation="1")
    move(staff, household["daughter"], village_code=NEIGHBOUR, kk=NEW_CARD)
    assert [line.id for line in people.look_at_person(other, by=staff.fo, at=AT).family] == [household["daughter"]]


def test_who_leaves_the_district_can_come_back(household: dict[str, str], staff: Staff) -> None:
    move(staff, household["father"], outside="Kota Makassar", on=TODAY)
    seen = people.look_at_person(household["father"], by=staff.fo, at=AT)
    assert (seen.line.status, seen.status_since) == ("pindah", TODAY)
    assert family_of(staff, household["family"]).needs_head
    with pytest.raises(Conflict):
        move(staff, household["father"], outside="Kota Makassar")
    back = Move(village_code=HOME, outside="Kota Makassar", kk=CARD)
    happenings.record_return(household["father"], back, row_version=version(household["father"]), by=staff.fo, at=AT)
    seen = people.look_at_person(household["father"], by=staff.fo, at=AT)
    assert (seen.line.status, seen.family_id) == ("hidup", household["family"])
    assert kinds(staff, household["father"]) == ["datang", "pindah"]


@pytest.mark.parametrize(
    ("where", "fields"),
    [
        ({}, {"village_code"}),
        ({"village_code": HOME, "outside": "Makassar"}, {"outside"}),
        ({"village_code": "51.71.01.1001"}, {"village_code"}),
        ({"village_code": "73.03.01"}, {"village_code"}),
        ({"village_code": HOME, "kk": "12"}, {"kk"}),
        ({"village_code": NEIGHBOUR, "kk": CARD}, {"kk"}),
        ({"outside": "Makassar", "on": TODAY + timedelta(days=1)}, {"on"}),
    ],
)
def test_a_move_that_cannot_be(household: dict[str, str], staff: Staff, where: dict[str, Any], fields: set[str]) -> None:
    with pytest.raises(InvalidInput) as caught:
        move(staff, household["daughter"], **where)
    assert set(caught.value.problems) == fields


def move_family(staff: Staff, family: str, **where: Any) -> None:
    seen = family_of(staff, family)
    happenings.record_family_move(family, Move(**where), row_version=seen.row_version, by=staff.fo, at=AT)


def test_a_family_moves_with_all_who_live_in_it(household: dict[str, str], staff: Staff) -> None:
    die(staff, household["father"], new_head_id=household["mother"])
    move_family(staff, household["family"], village_code=FAR, address="Dusun Tua", kk=NEW_CARD, on=TODAY)
    family = family_of(staff, household["family"])
    assert (family.village_code, family.fields.address, family.former[0].until) == (FAR, "Dusun Tua", TODAY)
    villages = {line.id: line.village_code for line in family.members}
    assert villages == {household["father"]: HOME, household["mother"]: FAR, household["daughter"]: FAR}
    assert household["daughter"] in found(staff, "aisyah")
    assert found(staff, CARD) == found(staff, NEW_CARD) == set(villages)
    assert kinds(staff, household["mother"])[0] == "pindah"


def test_a_family_leaves_the_district(household: dict[str, str], staff: Staff) -> None:
    move_family(staff, household["family"], outside="Kota Makassar")
    assert family_of(staff, household["family"]).status == "pindah"
    assert people.look_at_person(household["mother"], by=staff.fo, at=AT).line.status == "pindah"


def split(staff: Staff, household: dict[str, str], *members: str, **changes: Any) -> str:
    ids = tuple(household[name] for name in members)
    known = {"member_ids": ids, "head_id": ids[0] if ids else "", "kk": NEW_CARD, "on": TODAY}
    seen = family_of(staff, household["family"])
    return families.split_family(seen.id, Split(**{**known, **changes}), row_version=seen.row_version, by=staff.fo, at=AT)


def test_a_split_card_finds_both_families_by_the_old_number(household: dict[str, str], staff: Staff) -> None:
    new = split(staff, household, "daughter")
    assert found(staff, NEW_CARD) == {household["daughter"]}
    assert found(staff, CARD) == {household["father"], household["mother"], household["daughter"]}
    family = family_of(staff, new)
    assert (family.head_id, family.fields.address, family.former[0].until) == (household["daughter"], "Jl. Pahlawan 1", TODAY)
    assert [line.relation for line in family.members] == ["1"]
    assert [event.kind for event in life_events.of_family(household["family"], by=staff.fo).events] == ["pecah_kk"]


def test_an_older_card_finds_both_families_too(household: dict[str, str], staff: Staff) -> None:
    seen = family_of(staff, household["family"])
    renewed = {"reason": "Kartu diganti", "on": TODAY, "row_version": seen.row_version}
    families.renew_card(seen.id, "7303010101240002", **renewed, by=staff.fo, at=AT)
    split(staff, household, "daughter")
    for card in (CARD, "7303010101240002"):
        assert found(staff, card) == {household["father"], household["mother"], household["daughter"]}


def test_a_head_who_parts_leaves_the_place_open(household: dict[str, str], staff: Staff) -> None:
    split(staff, household, "father")
    assert family_of(staff, household["family"]).needs_head


@pytest.mark.parametrize(
    ("members", "changes", "fields"),
    [
        ((), {}, {"member_ids"}),
        (("father", "mother", "daughter"), {}, {"member_ids"}),
        (("daughter",), {"head_id": "x"}, {"head_id"}),
        (("daughter",), {"member_ids": ("x",)}, {"member_ids"}),
        (("daughter",), {"kk": "123", "on": TODAY + timedelta(days=1)}, {"kk", "on"}),
    ],
)
def test_a_split_that_cannot_be(
    household: dict[str, str], staff: Staff, members: tuple[str, ...], changes: dict[str, Any], fields: set[str]
) -> None:
    with pytest.raises(InvalidInput) as caught:
        split(staff, household, *members, **changes)
    assert set(caught.value.problems) == fields
    assert db.session.scalar(sa.select(sa.func.count(Family.id))) == 1


def test_a_renewed_card_keeps_each_number_before(household: dict[str, str], staff: Staff) -> None:
    for number in (NEW_CARD, "7303010101260003"):
        seen = family_of(staff, household["family"])
        families.renew_card(seen.id, number, reason="KK hilang", on=TODAY, row_version=seen.row_version, by=staff.fo, at=AT)
    assert found(staff, CARD) == found(staff, NEW_CARD) == found(staff, "7303010101260003") != set()
    assert len(family_of(staff, household["family"]).former) == 2


def test_a_number_of_another_family_is_refused(household: dict[str, str], staff: Staff) -> None:
    resident(staff.fo, "Ramli", kk=NEW_CARD)
    seen = family_of(staff, household["family"])
    with pytest.raises(families.CardTaken):
        families.renew_card(seen.id, NEW_CARD, reason="Salah", on=None, row_version=seen.row_version, by=staff.fo, at=AT)
    with pytest.raises(families.CardTaken):
        split(staff, household, "daughter")


@pytest.mark.parametrize("status", ["mati", "ganda", "pindah", "hilang"])
def test_a_number_passes_on_only_from_a_family_that_has_ended(household: dict[str, str], staff: Staff, status: str) -> None:
    ended = resident(staff.fo, "Ramli", kk=NEW_CARD)
    with transaction() as session:
        session.get_one(Person, ended).status = status
    seen = family_of(staff, household["family"])
    renewed = {"reason": "Perubahan data di Disdukcapil", "on": TODAY, "row_version": seen.row_version}
    if status in ("pindah", "hilang"):
        with pytest.raises(families.CardTaken):
            families.renew_card(seen.id, NEW_CARD, **renewed, by=staff.fo, at=AT)
        return
    families.renew_card(seen.id, NEW_CARD, **renewed, by=staff.fo, at=AT)
    assert household["father"] in found(staff, NEW_CARD)
    left = family_of(staff, db.session.get_one(Person, ended).family_id or "")
    assert (left.has_card, [one.reason for one in left.former]) == (False, [families.PASSED_ON])
    assert families.PASSED_ON in repr(life_events.of_family(left.id, by=staff.fo).events)


def test_a_number_does_not_pass_on_from_where_she_may_not_write(household: dict[str, str], staff: Staff) -> None:
    ended = resident(staff.fo, "Ramli", FAR, kk=NEW_CARD)
    with transaction() as session:
        session.get_one(Person, ended).status = "mati"
    seen = family_of(staff, household["family"])
    with pytest.raises(families.CardTaken):
        families.renew_card(
            seen.id, NEW_CARD, reason="Pindah", on=None, row_version=seen.row_version, by=staff.facilitator, at=AT
        )


def marry(staff: Staff, person: str, spouse: str, **changes: Any) -> None:
    known: dict[str, Any] = {"on": TODAY, "evidence": "Buku nikah", "row_version": version(person)}
    marriages.record_marriage(person, spouse=spouse, **{**known, **changes}, by=staff.fo, at=AT)


def test_a_marriage_is_noted_for_both_who_are_known(household: dict[str, str], staff: Staff) -> None:
    groom = resident(staff.fo, "Ilyas", sex="L", nik="7303010101800009")
    marry(staff, household["daughter"], "7303 0101 0180 0009")
    for one, other in ((groom, "Nur Aisyah"), (household["daughter"], "Ilyas")):
        (event,) = life_events.of_person(one, by=staff.fo).events
        assert (event.kind, event.facts["pasangan"]) == ("kawin", other)
        assert people.look_at_person(one, by=staff.fo, at=AT).fields.marital_status == "2"


def test_a_spouse_from_elsewhere_is_a_name(household: dict[str, str], staff: Staff) -> None:
    marry(staff, household["daughter"], "Rahmat dari Jeneponto")
    (event,) = life_events.of_person(household["daughter"], by=staff.fo).events
    assert event.facts["pasangan"] == "Rahmat dari Jeneponto"
    with pytest.raises(InvalidInput):
        marry(staff, household["daughter"], "7303010101809999")


@pytest.fixture
def couple(household: dict[str, str], staff: Staff) -> dict[str, str]:
    """The same household, in which father and mother are written as married."""
    with transaction() as session:
        for one in ("father", "mother"):
            session.get_one(Person, household[one]).marital_status = "2"
    return household


def divorce(staff: Staff, person: str, **what: Any) -> str:
    known: dict[str, Any] = {"on": TODAY, "evidence": "Akta cerai 5/2026"}
    return marriages.record_divorce(person, Divorce(**(known | what)), row_version=version(person), by=staff.fo, at=AT)


def standing(staff: Staff, person: str) -> tuple[str, str]:
    seen = people.look_at_person(person, by=staff.fo, at=AT)
    return seen.fields.marital_status, seen.line.relation


def test_a_divorce_is_noted_for_both_before_the_cards_are_settled(couple: dict[str, str], staff: Staff) -> None:
    assert divorce(staff, couple["father"], spouse_id=couple["mother"]) == ""
    for one, other in (("father", "Sitti Aminah"), ("mother", "Baharuddin")):
        event = next(e for e in life_events.of_person(couple[one], by=staff.fo).events if e.kind == "cerai")
        assert (event.facts["pasangan"], event.evidence, event.happened_on) == (other, "Akta cerai 5/2026", TODAY)
    assert (standing(staff, couple["father"]), standing(staff, couple["mother"])) == (("3", "1"), ("3", "11"))
    assert len(family_of(staff, couple["family"]).members) == 3
    with pytest.raises(Conflict):
        divorce(staff, couple["mother"], spouse_id=couple["father"])


@pytest.mark.parametrize("who", ["father", "mother"])
def test_who_leaves_gets_a_card_with_the_children_who_go_along(couple: dict[str, str], staff: Staff, who: str) -> None:
    leaving = Split((couple[who], couple["daughter"]), couple[who], kk=NEW_CARD, address="Jl. Baru 3", on=TODAY)
    stays = couple["mother" if who == "father" else "father"]
    parted = divorce(staff, couple["mother"], spouse_id=couple["father"], leaving=leaving)
    old, new = family_of(staff, couple["family"]), family_of(staff, parted)
    assert ({line.id for line in new.members}, new.head_id) == ({couple[who], couple["daughter"]}, couple[who])
    assert ([line.id for line in old.members], old.needs_head) == ([stays], who == "father")
    assert (standing(staff, couple[who]), standing(staff, stays)[0]) == (("3", "1"), "3")
    assert standing(staff, stays)[1] == ("11" if who == "father" else "1")
    assert found(staff, CARD) == set(couple.values()) - {couple["family"]}, "the old number finds both"


def test_a_man_with_another_wife_stays_married(couple: dict[str, str], staff: Staff) -> None:
    second = resident(staff.fo, "Hasnah", kk=CARD, relation="3", marital_status="2")
    divorce(staff, couple["mother"], spouse_id=couple["father"])
    assert [standing(staff, one)[0] for one in (couple["father"], couple["mother"], second)] == ["2", "3", "2"]
    die(staff, couple["father"])
    assert [standing(staff, one)[0] for one in (couple["mother"], second)] == ["3", "4"]


def test_who_outlives_the_spouse_is_widowed(couple: dict[str, str], staff: Staff) -> None:
    die(staff, couple["mother"])
    assert (standing(staff, couple["father"])[0], standing(staff, couple["daughter"])[0]) == ("4", "")
    (event,) = life_events.of_person(couple["father"], by=staff.fo).events
    assert [(change.before, change.after) for change in event.changes] == [("Kawin", "Cerai mati")]


def test_a_divorce_of_somebody_elsewhere(couple: dict[str, str], staff: Staff) -> None:
    divorce(staff, couple["daughter"], spouse="Rahmat dari  Jeneponto", on=None)
    assert life_events.of_person(couple["daughter"], by=staff.fo).events[0].facts["pasangan"] == "Rahmat dari Jeneponto"
    assert standing(staff, couple["daughter"]) == ("3", "4")


def test_a_divorce_that_cannot_be_tells_all_that_is_wrong(couple: dict[str, str], staff: Staff) -> None:
    tomorrow = TODAY + timedelta(days=1)
    both = Split((couple["father"], couple["mother"]), couple["daughter"], kk="12")
    child = Split((couple["daughter"],), couple["daughter"])
    for what, wrong in (
        ({"on": tomorrow}, {"on", "spouse_id"}),
        ({"spouse_id": couple["father"]}, {"spouse_id"}),
        ({"spouse_id": "somebody"}, {"spouse_id"}),
        ({"spouse": "7303010101809999"}, {"spouse"}),
        ({"spouse_id": couple["mother"], "leaving": both, "on": tomorrow}, {"on", "member_ids", "head_id", "kk"}),
        ({"spouse_id": couple["mother"], "leaving": child}, {"member_ids"}),
    ):
        with pytest.raises(InvalidInput) as caught:
            divorce(staff, couple["father"], **what)
        assert set(caught.value.problems) == wrong
    assert kinds(staff, couple["father"]) == kinds(staff, couple["mother"]) == []
    assert standing(staff, couple["mother"]) == ("2", "3")


@pytest.mark.parametrize(("who", "error"), [("leader", NotAllowed), ("neighbour", NotFound)])
def test_who_may_note_nothing(household: dict[str, str], staff: Staff, who: str, error: type[Exception]) -> None:
    by = getattr(staff, who)
    seen = family_of(staff, household["family"])
    acts = (
        lambda: move(staff, household["daughter"], by=by, outside="Makassar"),
        lambda: happenings.record_birth(seen.id, Birth("A", "L", TODAY), request_id="x", by=by, at=AT),
        lambda: families.choose_head(seen.id, household["mother"], row_version=seen.row_version, by=by, at=AT),
        lambda: marriages.record_divorce(household["father"], Divorce(None, spouse="A"), row_version=1, by=by, at=AT),
        lambda: happenings.record_family_move(seen.id, Move(outside="x"), row_version=seen.row_version, by=by, at=AT),
    )
    for act in acts:
        with pytest.raises(error):
            act()
    assert db.session.scalar(sa.select(sa.func.count(LifeEvent.id))) == 0


def test_events_go_on_where_the_page_ended(household: dict[str, str], staff: Staff) -> None:
    for number in range(5):
        at = AT + timedelta(minutes=number // 2)  # two of a minute share their moment
        life_events.note("impor", person_id=household["mother"], detail={"alasan": str(number)}, by="system", at=at)
    db.session.commit()
    seen: list[str] = []
    after = ""
    for _ in range(4):
        page = life_events.of_person(household["mother"], by=staff.fo, after=after, most=2)
        seen += [event.facts["alasan"] for event in page.events]
        after = page.following
        if not after:
            break
    assert sorted(seen) == ["0", "1", "2", "3", "4"]
    assert seen[0] == "4"


def test_the_database_keeps_events_as_they_were_written(household: dict[str, str], staff: Staff) -> None:
    die(staff, household["father"])
    for change in ("UPDATE life_event SET kind = 'lahir'", "DELETE FROM life_event"):
        with pytest.raises(Exception, match="append-only"), db.engine.begin() as connection:
            connection.execute(sa.text(change))
