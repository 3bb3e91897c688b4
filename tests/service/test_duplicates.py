"""Asking before somebody is registered twice, and deciding about pairs."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from appliance.access import Actor
from appliance.database import db
from appliance.errors import Conflict, InvalidInput, NotAllowed, NotFound
from appliance.models.audit import AuditEntry
from appliance.models.duplicate import DuplicateCandidate, PairState
from appliance.models.person import Person
from appliance.models.roles import Role
from appliance.registry import duplicates, lookalikes, people
from appliance.registry.comparing import masked_apart
from appliance.registry.duplicates import LooksKnown
from appliance.registry.people import NewPerson, NikTaken
from tests.support.desk import request, resident
from tests.support.pairs import merge, pair_of
from tests.support.staff import AT, FAR, HOME, NEIGHBOUR, Staff

NIK, SLIP = "7303014503800001", "7303014503800010"
CARD = "7303010101100001"
BORN = date(1980, 3, 5)
REASON = "Saudara kembar, KTP diperlihatkan"


def typed(name: str = "Sitti Aminah", **rest: Any) -> NewPerson:
    known: dict[str, Any] = {
        "sex": "P",
        "village_code": HOME,
        "birth_date": BORN,
        "nik_reason": "" if rest.get("nik") else "Belum",
    }
    return NewPerson(name=name, **{**known, **rest})


def register(new: NewPerson, by: Actor, despite: str = "", request_id: str = "") -> str:
    return duplicates.register(new, despite=despite, request_id=request_id or request(), by=by, at=AT)


def asked(new: NewPerson, by: Actor) -> list[str]:
    """Who is shown before `new` is stored."""
    with pytest.raises(LooksKnown) as caught:
        register(new, by)
    return [one.line.id for one in caught.value.people]


@pytest.mark.parametrize(
    ("known", "new"),
    [
        ({"name": "St. Aminah", "birth_date": BORN}, {}),
        ({"name": "Aminah", "birth_date": BORN}, {}),
        ({"birth_date": date(1980, 5, 3)}, {}),
        ({"birth_date": None}, {}),
        ({"birth_date": date(1980, 1, 1)}, {}),
        ({"birth_date": BORN, "village": NEIGHBOUR}, {}),
        ({"nik": SLIP, "birth_date": None}, {"nik": NIK, "birth_date": None}),
        ({"name": "Sitti Amina Dg Bau", "kk": CARD, "birth_date": None}, {"kk": CARD}),
        ({"name": "Hasnah", "nik": NIK, "birth_date": date(1999, 9, 9)}, {"nik": NIK}),
    ],
)
def test_who_is_like_her_is_shown_and_nothing_is_stored(
    app: Flask, staff: Staff, known: dict[str, Any], new: dict[str, Any]
) -> None:
    one = resident(staff.fo, **{"name": "Sitti Aminah"} | known)
    assert asked(typed(**new), staff.fo) == [one]
    assert db.session.query(Person).count() == 1


@pytest.mark.parametrize(
    "known",
    [
        {"birth_date": date(1981, 7, 9)},
        {"name": "Rosmini", "birth_date": BORN},
        {"birth_date": BORN, "village": FAR},
        {"name": "Muh. Rizki", "kk": CARD, "birth_date": date(2001, 2, 3)},
    ],
)
def test_who_only_shares_a_name_a_day_or_a_card_is_not(app: Flask, staff: Staff, known: dict[str, Any]) -> None:
    resident(staff.fo, **{"name": "Sitti Aminah"} | known)
    assert register(typed(kk=CARD if "kk" in known else ""), staff.fo)


def test_a_common_name_shows_the_likest_ten(app: Flask, staff: Staff) -> None:
    for _ in range(12):
        resident(staff.fo, "Sitti Aminah", birth_date=None)
    sure = resident(staff.fo, "Sitti Aminah", birth_date=BORN)
    shown = asked(typed(), staff.fo)
    assert (shown[0], len(shown)) == (sure, lookalikes.MOST)


def test_nobody_outside_of_the_area_is_shown(app: Flask, staff: Staff) -> None:
    resident(staff.fo, "Sitti Aminah", birth_date=BORN, village=NEIGHBOUR)
    assert register(typed(), staff.facilitator)


def test_the_look_at_those_shown_is_in_the_journal_without_numbers(app: Flask, staff: Staff) -> None:
    one = resident(staff.fo, "Sitti Aminah", nik=NIK)
    asked(typed(nik=NIK), staff.fo)
    entry = db.session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "lihat_mirip")).one()
    assert (entry.subject, one in entry.detail, NIK in entry.detail) == (f"person:{one}", True, False)


def test_kept_all_the_same_she_is_stored_with_the_reason_for_the_supervisor(app: Flask, staff: Staff) -> None:
    one = resident(staff.fo, "St. Aminah", birth_date=BORN)
    other = register(typed(), staff.fo, REASON, "once")
    assert register(typed(), staff.fo, "", "once") == other, "a second press asks nothing"
    (pair,) = duplicates.list_pairs(by=staff.supervisor, at=AT).pairs
    assert ({pair.first.id, pair.second.id}, pair.note) == ({one, other}, REASON)
    detail = duplicates.look_at_pair(pair.id, by=staff.supervisor, at=AT)
    assert detail.registered_by == "Sari"


@pytest.mark.parametrize("despite", ["", "  ", "ok"])
def test_a_reason_must_say_something(app: Flask, staff: Staff, despite: str) -> None:
    resident(staff.fo, "St. Aminah", birth_date=BORN)
    with pytest.raises(LooksKnown):
        register(typed(), staff.fo, despite)


def test_no_reason_lets_a_nik_be_stored_twice(app: Flask, staff: Staff) -> None:
    one = resident(staff.fo, "Sitti Aminah", nik=NIK)
    with pytest.raises(NikTaken) as caught:
        register(typed(nik=NIK), staff.fo, REASON)
    assert caught.value.person_id == one


def test_the_nik_of_a_merged_record_shows_the_survivor(app: Flask, staff: Staff) -> None:
    kept, gone = resident(staff.fo, "Rosmini", nik=NIK), resident(staff.fo, "Rosmini", nik=SLIP)
    merge(kept, gone, by=staff.supervisor)
    assert asked(typed("Hasnah", nik=SLIP), staff.fo) == [kept]


def test_who_may_not_register_is_not_shown_anybody(app: Flask, staff: Staff) -> None:
    resident(staff.fo, "St. Aminah", birth_date=BORN)
    for by in (staff.bo, staff.supervisor, staff.dinkes, staff.neighbour, staff.stranger):
        with pytest.raises(NotAllowed):
            register(typed(), by)


def test_bad_input_is_told_as_ever(app: Flask, staff: Staff) -> None:
    with pytest.raises(InvalidInput) as caught:
        register(typed(" ", nik="12"), staff.fo)
    assert {"name", "nik"} <= set(caught.value.problems)


def pairs(by: Actor, **more: Any) -> list[str]:
    return [pair.id for pair in duplicates.list_pairs(by=by, at=AT, **more).pairs]


def supervisor_of(staff: Staff, *areas: str) -> Actor:
    return Actor(staff.supervisor.account_id, "Rahma", "rahma", frozenset({Role.SUPERVISOR}), areas)


def test_the_list_is_scoped_narrowed_and_paged(app: Flask, staff: Staff) -> None:
    made = {
        village: [
            pair_of(resident(staff.fo, village=village), resident(staff.fo, village=village), staff.supervisor) for _ in range(3)
        ]
        for village in (HOME, NEIGHBOUR, FAR)
    }
    across = pair_of(resident(staff.fo, village=HOME), resident(staff.fo, village=FAR), staff.supervisor)
    assert len(pairs(staff.manager)) == 10
    assert set(pairs(supervisor_of(staff, HOME))) == set(made[HOME])
    assert across not in pairs(supervisor_of(staff, "73.03.01"))
    assert set(pairs(staff.supervisor, area_code=HOME)) - {across} == set(made[HOME])
    assert set(pairs(staff.supervisor, area_code="73.03.06")) - {across} == set(made[FAR])
    seen, after = [], ""
    while True:
        found = duplicates.list_pairs(by=staff.manager, at=AT, after=after, size=4)
        seen += [pair.id for pair in found.pairs]
        after = found.after
        if not after:
            break
    assert (len(seen), len(set(seen))) == (10, 10)
    assert pairs(staff.manager, after="nonsense") == pairs(staff.manager)
    with pytest.raises(NotAllowed):
        pairs(staff.fo)


def test_a_pair_is_decided_once_by_who_decides_there(app: Flask, staff: Staff) -> None:
    pair = pair_of(resident(staff.fo), resident(staff.fo, village=NEIGHBOUR), staff.supervisor)
    version = duplicates.look_at_pair(pair, by=staff.supervisor, at=AT).row_version
    for by, error in ((staff.fo, NotAllowed), (supervisor_of(staff, HOME), NotFound), (supervisor_of(staff, FAR), NotFound)):
        with pytest.raises(error):
            duplicates.dismiss(pair, REASON, row_version=version, by=by, at=AT)
        with pytest.raises(error):
            duplicates.look_at_pair(pair, by=by, at=AT)
    with pytest.raises(InvalidInput):
        duplicates.dismiss(pair, "x", row_version=version, by=staff.supervisor, at=AT)
    with pytest.raises(Conflict):
        duplicates.dismiss(pair, REASON, row_version=version + 1, by=staff.supervisor, at=AT)
    duplicates.dismiss(pair, REASON, row_version=version, by=staff.supervisor, at=AT)
    with pytest.raises(Conflict):
        duplicates.dismiss(pair, REASON, row_version=version + 1, by=staff.manager, at=AT)
    db.session.rollback()
    row = db.session.get_one(DuplicateCandidate, pair)
    assert (row.state, row.reason, row.decided_by) == (PairState.DIFFERENT, REASON, staff.supervisor.account_id)
    assert duplicates.pairs_of(row.first_id, by=staff.supervisor, at=AT) == ()


def test_both_are_shown_field_by_field_and_the_look_is_recorded(app: Flask, staff: Staff) -> None:
    one = resident(staff.fo, "Sitti Aminah", nik=NIK, mother_name="Saleha")
    other = resident(staff.fo, "St. Aminah", nik=SLIP[:-1] + "1", phone="081234567890")
    seen = duplicates.look_at_pair(pair_of(one, other, staff.supervisor), by=staff.supervisor, at=AT)
    rows = {row.name: row for row in seen.rows}
    assert (rows["name"].differs, rows["sex"].differs, rows["mother_name"].differs) == (True, False, False)
    assert rows["nik"].one != rows["nik"].other
    assert (seen.survivor_id, seen.better["phone"], seen.better["name"]) == (one, other, one)
    looked = set(db.session.scalars(sa.select(AuditEntry.subject).where(AuditEntry.action == "lihat")))
    assert looked == {f"person:{one}", f"person:{other}"}


@pytest.mark.parametrize(
    ("one", "other", "shown"),
    [
        (NIK, SLIP, ("730301••••••••01", "730301••••••••10")),
        (NIK, NIK, ("730301••••••••••", "730301••••••••••")),
        (NIK, "7303019999999999", ("730301••••••••••", "730301••••••••••")),
        (NIK, "", ("730301••••••••••", "")),
    ],
)
def test_only_the_digits_of_a_slip_are_shown(one: str, other: str, shown: tuple[str, str]) -> None:
    assert masked_apart(one, other) == shown


def test_a_taken_nik_elsewhere_says_where_and_hardly_who(app: Flask, staff: Staff) -> None:
    holder = resident(staff.fo, "Sitti Aminah", village=FAR, nik=NIK)
    with pytest.raises(NikTaken, match=r"S•••• A•••• di Desa .*, Kec. ") as caught:
        register(typed("Orang Lain", nik=NIK), staff.facilitator)
    assert (caught.value.person_id, people.look_at_person(holder, by=staff.fo, at=AT).line.id) == (None, holder)
