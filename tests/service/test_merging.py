"""Two records of one person become one, and two again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from appliance import audit
from appliance.access import Actor
from appliance.database import Model, db, transaction
from appliance.errors import Conflict, InvalidInput, NotAllowed, NotFound
from appliance.models.audit import AuditEntry
from appliance.models.case import Case
from appliance.models.duplicate import DuplicateCandidate, OldIdentifier, PairState, PersonMerge
from appliance.models.imports import Existing, Verdict
from appliance.models.person import Family, LifeEvent, Person, PersonHealth
from appliance.models.roles import Role
from appliance.registry import bulk, merge_rules, merging, people, unmerging
from appliance.registry.bulk import Candidate
from appliance.registry.merging import Wish
from appliance.registry.people_search import find_people
from tests.service.test_concurrency import together
from tests.support.desk import open_case, request, resident
from tests.support.pairs import merge, pair_of, wish
from tests.support.staff import AT, FAR, HOME, NEIGHBOUR, Staff

NIK, MISTYPED = "7303014101800001", "7303014101800010"
CARD, OTHER_CARD = "7303010101100001", "7303010101100002"
LATER = AT + timedelta(days=1)
ROWS = (Person, Family, Case, PersonHealth, OldIdentifier)
STAMPS = {"updated_at", "updated_by", "row_version"}


def row(model: type[Any], identifier: str) -> Any:
    db.session.rollback()
    return db.session.get_one(model, identifier, populate_existing=True)


def everything() -> dict[str, list[dict[str, Any]]]:
    """All rows that a merge may change, without their stamps."""
    db.session.rollback()
    return {
        model.__tablename__: [
            {key: value for key, value in found.items() if key not in STAMPS}
            for found in db.session.execute(sa.select(model.__table__).order_by(model.__table__.c.id)).mappings()
        ]
        for model in ROWS
    }


def two(staff: Staff) -> tuple[str, str]:
    """The same woman twice: with her NIK and a case; with a mistyped one, a telephone, an illness and a case."""
    first = resident(staff.fo, "Sitti Aminah", nik=NIK, kk=CARD, relation="1", address="Jl. Poros")
    second = resident(
        staff.fo,
        "St. Aminah",
        nik=MISTYPED,
        kk=OTHER_CARD,
        relation="1",
        phone="081234567890",
        village=NEIGHBOUR,
        address="Jl. Raya",
    )
    for person in (first, second):
        open_case(staff.fo, person)
    with transaction() as session:
        health = PersonHealth(person_id=second, disabilities=["2"], chronic_illnesses=["6"], pregnant=False)
        health.stamp(staff.fo.account_id, AT)
        session.add(health)
    return first, second


def test_the_survivor_gets_everything_of_the_other(app: Flask, staff: Staff) -> None:
    kept, gone = two(staff)
    merge(kept, gone, "phone", by=staff.supervisor)
    person = row(Person, kept)
    assert (person.name, person.nik, person.phone) == ("Sitti Aminah", NIK, "+6281234567890")
    assert set(db.session.scalars(sa.select(Case.applicant_id))) == {kept}
    health = db.session.scalars(sa.select(PersonHealth).where(PersonHealth.person_id == kept)).one()
    assert (health.disabilities, health.chronic_illnesses) == (["2"], ["6"])
    other = row(Person, gone)
    assert (other.merged_into_id, other.status, other.nik) == (kept, "ganda", None)
    kinds = {(event.person_id, event.kind) for event in db.session.scalars(sa.select(LifeEvent))}
    assert {(kept, "gabung"), (gone, "gabung")} <= kinds
    assert audit.verify().ok


def test_old_numbers_and_addresses_lead_to_the_survivor(app: Flask, staff: Staff) -> None:
    kept, gone = two(staff)
    merge(kept, gone, by=staff.supervisor)
    for number in (NIK, MISTYPED, CARD, OTHER_CARD):
        assert [line.id for line in find_people(number, by=staff.fo, at=AT).people] == [kept], number
    assert people.look_at_person(gone, by=staff.fo, at=AT).line.id == kept
    case = open_case(staff.fo, gone)
    assert row(Case, case).applicant_id == kept


def test_a_mistyped_nik_is_free_for_whoever_has_it(app: Flask, staff: Staff) -> None:
    kept, gone = two(staff)
    merge(kept, gone, by=staff.supervisor)
    owner = resident(staff.fo, "Hasnah", nik=MISTYPED)
    assert {line.id for line in find_people(MISTYPED, by=staff.fo, at=AT).people} == {kept, owner}


def test_the_survivor_may_take_the_nik_of_the_other(app: Flask, staff: Staff) -> None:
    gone = resident(staff.fo, "Sitti Aminah", nik=NIK)
    kept = resident(staff.fo, "St. Aminah")
    merge(kept, gone, "nik", by=staff.manager)
    assert (row(Person, kept).nik, row(Person, gone).nik) == (NIK, None)
    assert db.session.scalars(sa.select(OldIdentifier)).all() == []


def test_a_family_that_nobody_is_left_in_ends(app: Flask, staff: Staff) -> None:
    kept, gone = two(staff)
    ended = row(Person, gone).family_id
    merge(kept, gone, by=staff.supervisor)
    assert (row(Family, ended).status, row(Family, ended).head_id, row(Family, ended).kk) == ("ganda", None, None)
    assert people.look_at_person(kept, by=staff.fo, at=AT).family == ()


def test_the_card_of_an_ended_family_leads_to_that_of_the_survivor(app: Flask, staff: Staff) -> None:
    first = resident(staff.fo, "Sitti Aminah", nik=NIK, kk=CARD)
    second = resident(staff.fo, "St. Aminah", nik=MISTYPED, kk=OTHER_CARD)
    ended, kept = row(Person, second).family_id, row(Person, first).family_id
    merged = merge(first, second, by=staff.supervisor)
    child = resident(staff.fo, "Aco", kk=OTHER_CARD)
    assert row(Person, child).family_id == kept
    listed = [
        Candidate(number, {"name": name}, HOME, kk=card) for number, name, card in ((1, "Baso", OTHER_CARD), (2, "Ani", CARD))
    ]
    for decision in bulk.judge(listed, Existing.SKIP, (Role.SUPERVISOR,), by=staff.supervisor):
        assert decision.family, decision
        assert (decision.verdict, decision.family["id"]) == (Verdict.NEW, kept)
    with transaction() as session:
        session.get_one(Family, kept).kk = OTHER_CARD  # the survivor's family gets the card: it is free
    assert "Nomor KK" in " ".join(unmerging.undo(merged, "Ternyata dua orang", by=staff.supervisor, at=LATER))
    assert (row(Family, ended).status, row(Family, ended).kk, row(Person, second).family_id) == ("aktif", None, ended)


def test_a_family_with_others_goes_on_and_gets_her_as_head_if_she_stays_in_it(app: Flask, staff: Staff) -> None:
    kept = resident(staff.fo, "Sitti Aminah", kk=CARD, relation="3")
    gone = resident(staff.fo, "St. Aminah", kk=CARD, relation="1")
    child = resident(staff.fo, "Baharuddin", kk=CARD, relation="4")
    merge(kept, gone, by=staff.supervisor)
    family = row(Family, row(Person, kept).family_id)
    assert (family.status, family.head_id) == ("aktif", kept)
    assert [line.id for line in people.look_at_person(child, by=staff.fo, at=AT).family] == [kept]


def test_another_name_is_found_by_its_words(app: Flask, staff: Staff) -> None:
    kept, gone = resident(staff.fo, "Aminah"), resident(staff.fo, "Sitti Aminah Daeng Bau")
    merge(kept, gone, "name", by=staff.supervisor)
    assert [line.id for line in find_people("siti bau", by=staff.fo, at=AT).people] == [kept]


@pytest.mark.parametrize("taken", [(), ("nik", "name", "home", "phone", "birth_date")], ids=["nothing taken", "all taken"])
def test_undone_both_are_what_they_were(app: Flask, staff: Staff, taken: tuple[str, ...]) -> None:
    kept, gone = two(staff)
    before = everything()
    done = merge(kept, gone, *taken, by=staff.supervisor)
    assert everything() != before
    assert unmerging.undo(done, "Ternyata dua orang", by=staff.manager, at=LATER) == ()
    assert everything() == before
    for number, owner in ((NIK, kept), (MISTYPED, gone), (OTHER_CARD, gone)):
        assert [line.id for line in find_people(number, by=staff.fo, at=AT).people] == [owner]
    assert {line.id for line in find_people("aminah", by=staff.fo, at=AT).people} == {kept, gone}
    assert row(DuplicateCandidate, row(PersonMerge, done).pair_id).state == PairState.OPEN


def test_what_was_changed_since_stays_and_is_told(app: Flask, staff: Staff) -> None:
    kept, gone = two(staff)
    done = merge(kept, gone, "phone", "name", by=staff.supervisor)
    resident(staff.fo, "Hasnah", nik=MISTYPED)
    with transaction() as session:
        session.get_one(Person, kept).phone = "0899"
        moved = row_ids(Case, kept)
        session.get_one(Case, moved[0]).applicant_id = resident_id(session, "Hasnah")
    told = unmerging.undo(done, "Ternyata dua orang", by=staff.supervisor, at=LATER)
    assert row(Person, kept).phone == "0899"
    assert (row(Person, kept).name, row(Person, gone).merged_into_id, row(Person, gone).nik) == ("Sitti Aminah", None, None)
    assert any("Telepon" in sentence for sentence in told)
    assert any("NIK lama" in sentence for sentence in told)
    assert row(PersonMerge, done).undo_kept == list(told)


def row_ids(model: type[Any], person: str) -> list[str]:
    return list(db.session.scalars(sa.select(model.id).where(model.applicant_id == person).order_by(model.number)))


def resident_id(session: Any, name: str) -> str:
    found: str = session.scalars(sa.select(Person.id).where(Person.name == name)).one()
    return found


def test_undoing_has_an_end(app: Flask, staff: Staff) -> None:
    done = merge(*two(staff), by=staff.supervisor)
    with pytest.raises(Conflict, match="sampai 20-12-2026"):
        unmerging.undo(done, "Ternyata dua orang", by=staff.supervisor, at=AT + timedelta(days=30, seconds=1))
    unmerging.undo(done, "Ternyata dua orang", by=staff.supervisor, at=AT + timedelta(days=30))
    with pytest.raises(Conflict, match="sudah dibatalkan"):
        unmerging.undo(done, "Ternyata dua orang", by=staff.supervisor, at=AT + timedelta(days=30))


def test_the_last_merge_is_undone_first(app: Flask, staff: Staff) -> None:
    first, second = two(staff)
    third = resident(staff.fo, "Sitti Aminah Daeng Bau")
    before = everything()
    inner = merge(first, second, by=staff.supervisor)
    outer = merge(third, first, "nik", by=staff.supervisor)
    assert people.look_at_person(second, by=staff.fo, at=AT).line.id == third
    assert [line.id for line in find_people(MISTYPED, by=staff.fo, at=AT).people] == [third]
    with pytest.raises(Conflict, match="digabungkan lagi"):
        unmerging.undo(inner, "Ternyata dua orang", by=staff.supervisor, at=LATER)
    for done in (outer, inner):
        assert unmerging.undo(done, "Ternyata dua orang", by=staff.supervisor, at=LATER) == ()
    assert everything() == before


def test_what_the_survivor_has_already_stays_where_it_is(app: Flask, staff: Staff) -> None:
    """As a telephone number that stands on both records, one for each person."""
    kept, gone = two(staff)
    column = PersonHealth.__table__.c.person_id
    hers = db.session.scalars(sa.select(PersonHealth.id).where(PersonHealth.person_id == gone)).one()
    with transaction() as session:
        assert merging.move(column, gone, kept) == [hers]
        second = PersonHealth(person_id=gone, disabilities=[], chronic_illnesses=[], pregnant=False)
        second.stamp(staff.fo.account_id, AT)
        session.add(second)
        session.flush()
        assert merging.move(column, gone, kept) == []


def test_a_second_press_merges_once_and_a_late_one_is_told(app: Flask, staff: Staff) -> None:
    kept, gone = two(staff)
    pair, wanted = pair_of(kept, gone, staff.supervisor), wish(kept, gone)
    done = merging.merge(pair, wanted, request_id="once", by=staff.supervisor, at=AT)
    assert merging.merge(pair, wanted, request_id="once", by=staff.supervisor, at=AT) == done
    with pytest.raises(Conflict, match="sudah digabungkan"):
        merging.merge(pair, wanted, request_id="again", by=staff.manager, at=AT)


def test_two_supervisors_at_once_merge_once(app: Flask, staff: Staff) -> None:
    kept, gone = two(staff)
    pair = pair_of(kept, gone, staff.supervisor)
    either, other = wish(kept, gone), wish(gone, kept)

    def work(wanted: Wish, by: Actor) -> Callable[[], str]:
        return lambda: merging.merge(pair, wanted, request_id=request(), by=by, at=AT)

    answers = together(app, work(either, staff.supervisor), work(other, staff.manager))
    assert sorted(type(answer).__name__ for answer in answers) == ["Conflict", "str"]
    assert db.session.query(PersonMerge).count() == 1
    assert db.session.query(Person).where(Person.merged_into_id.is_not(None)).count() == 1


def test_an_undoing_at_once_happens_once(app: Flask, staff: Staff) -> None:
    done = merge(*two(staff), by=staff.supervisor)
    work = lambda: unmerging.undo(done, "Ternyata dua orang", by=staff.supervisor, at=LATER)  # noqa: E731
    answers = together(app, work, work)
    assert sorted(type(answer).__name__ for answer in answers) == ["Conflict", "tuple"]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"reason": "ya"}, InvalidInput),
        ({"survivor_id": "nobody"}, InvalidInput),
        ({"from_merged": frozenset({"password"})}, InvalidInput),
        ({"versions": {}}, Conflict),
    ],
)
def test_a_bad_wish_changes_nothing(app: Flask, staff: Staff, change: dict[str, Any], error: type[Exception]) -> None:
    kept, gone = two(staff)
    pair, wanted = pair_of(kept, gone, staff.supervisor), replace(wish(kept, gone), **change)
    before = everything()
    with pytest.raises(error):
        merging.merge(pair, wanted, request_id=request(), by=staff.supervisor, at=AT)
    assert everything() == before


def test_only_who_decides_there_merges_and_undoes(app: Flask, staff: Staff) -> None:
    kept, gone = two(staff)
    pair, wanted = pair_of(kept, gone, staff.supervisor), wish(kept, gone)
    limited = Actor(staff.supervisor.account_id, "Limited", "limited", frozenset({Role.SUPERVISOR}), (NEIGHBOUR,))
    for by, error in ((staff.fo, NotAllowed), (staff.stranger, NotAllowed), (limited, NotFound)):
        with pytest.raises(error):
            merging.merge(pair, wanted, request_id=request(), by=by, at=AT)
    done = merging.merge(pair, wanted, request_id=request(), by=staff.supervisor, at=AT)
    for by, error in ((staff.fo, NotAllowed), (limited, NotFound)):
        with pytest.raises(error):
            unmerging.undo(done, "Ternyata dua orang", by=by, at=LATER)
        with pytest.raises(error):
            unmerging.look_at_merge(done, by=by, at=LATER)
    assert unmerging.merges_of(kept, by=staff.fo, at=AT) == ()
    assert [found.id for found in unmerging.merges_of(kept, by=staff.supervisor, at=AT)] == [done]


def test_a_look_at_a_merge_is_a_look_at_both(app: Flask, staff: Staff) -> None:
    kept, gone = two(staff)
    done = merging.merge(
        pair_of(kept, gone, staff.supervisor), wish(kept, gone), request_id=request(), by=staff.supervisor, at=AT
    )
    before = audit.latest().position
    unmerging.look_at_merge(done, by=staff.supervisor, at=LATER)
    looks = db.session.scalars(sa.select(AuditEntry).where(AuditEntry.position > before)).all()
    assert {(look.action, look.subject) for look in looks} == {("lihat", f"person:{kept}"), ("lihat", f"person:{gone}")}


def test_every_column_of_a_person_has_its_place() -> None:
    chosen = {column for choice in merge_rules.CHOICES for column in choice.columns}
    assert chosen | merge_rules.OWN == set(Person.__table__.c.keys())
    assert not chosen & merge_rules.OWN


def test_everything_that_points_at_people_moves_or_stays_for_a_reason() -> None:
    pointing = {
        str(key.parent)
        for table in Model.metadata.tables.values()
        for key in table.foreign_keys
        if key.column.table.name in ("person", "family")
    }
    assert set(merge_rules.MOVED) | set(merge_rules.STAYS) == pointing
    assert not set(merge_rules.MOVED) & set(merge_rules.STAYS)


@pytest.mark.parametrize(
    ("one", "other", "better"),
    [
        ({"nik": NIK}, {}, 0),
        ({}, {"nik": NIK}, 1),
        ({"phone": "081234567890"}, {"phone": "081234567890", "birth_place": "Bantaeng"}, 1),
        ({}, {}, 0),
    ],
)
def test_the_surer_and_fuller_record_is_proposed(
    app: Flask, staff: Staff, one: dict[str, Any], other: dict[str, Any], better: int
) -> None:
    both = [row(Person, resident(staff.fo, "Sitti Aminah", **known)) for known in (one, other)]
    assert merge_rules.better(*both) is both[better]
    assert merge_rules.better(*reversed(both)) is both[better]


def test_what_the_other_knows_better_is_proposed(app: Flask, staff: Staff) -> None:
    known = resident(staff.fo, nik=NIK, birth_date=date(1980, 1, 2), birth_date_estimated=True, village=FAR)
    other = resident(staff.fo, phone="081234567890", village=HOME)
    assert merge_rules.proposed(row(Person, known), row(Person, other)) == {"phone", "birth_date"}
