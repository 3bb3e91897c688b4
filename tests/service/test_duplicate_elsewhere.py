"""One person in two villages: found at night by what is rare, and shown whole only to whoever supervises both."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from appliance.access import Actor
from appliance.config import Settings
from appliance.database import db, transaction
from appliance.errors import NotFound
from appliance.models.account import Account
from appliance.models.duplicate import DuplicateCandidate, OldIdentifier, PairState
from appliance.models.person import Person
from appliance.models.roles import Role
from appliance.registry import duplicate_elsewhere, duplicates
from appliance.registry.likeness import Likeness, Reason
from tests.service.test_duplicate_night import change, night, pairs, the_pair
from tests.support.desk import resident
from tests.support.pairs import merge
from tests.support.staff import AT, FAR, HOME, NEIGHBOUR, Staff

NIK, OTHER_NIK = "7303014101800001", "7303014101800077"
BORN = date(1980, 3, 5)
PHONE = "0812-3456-7890"


def two(staff: Staff, first: dict[str, Any], second: dict[str, Any], village: str = FAR) -> frozenset[str]:
    """Somebody of HOME and somebody of another village."""
    known = {"name": "Sitti Aminah", "birth_date": BORN}
    return frozenset(
        {resident(staff.fo, village=HOME, **(known | first)), resident(staff.fo, village=village, **(known | second))}
    )


MOTHER = {"mother_name": "Hj. Saleha"}
ALIKE = [
    ({**MOTHER}, {"mother_name": "Salehah"}, FAR),
    ({"name": "Daeng Nai", "phone": PHONE}, {"phone": "+62 812 3456 7890"}, FAR),
    ({}, {}, NEIGHBOUR),
    ({**MOTHER, "nik": NIK}, {**MOTHER, "nik": OTHER_NIK}, FAR),
]
NOT_ALIKE = [
    ({}, {}, FAR),
    ({**MOTHER}, {"mother_name": "Daeng Bollo"}, FAR),
    ({"phone": PHONE}, {"phone": PHONE, "birth_date": date(1981, 3, 5)}, FAR),
    (
        {"phone": PHONE, "nik": "7303014101800022", "name": "Hasnah"},
        {"phone": PHONE, "nik": "7303014101800099", "name": "Rosmini"},
        FAR,
    ),
    ({"birth_date": date(1980, 7, 1)}, {"birth_date": date(1980, 7, 1)}, NEIGHBOUR),
    ({**MOTHER}, {**MOTHER, "sex": "L"}, FAR),
]


def test_who_lives_in_two_villages_is_found(app: Flask, staff: Staff, settings: Settings) -> None:
    expected = set()
    for number, (first, second, village) in enumerate(ALIKE):
        day = {"birth_date": BORN + timedelta(days=100 * number)}
        expected.add(two(staff, first | day, second | day, village))
    for number, (first, second, village) in enumerate(NOT_ALIKE):
        day = {"birth_date": BORN - timedelta(days=100 * (number + 1))}
        two(staff, day | first, day | second, village)
    night(settings)
    assert pairs() == expected
    assert "0 desa/kelurahan diperiksa" in night(settings, AT + timedelta(days=1))


def test_a_nik_of_a_merged_record_leads_to_whoever_has_it_now(app: Flask, staff: Staff, settings: Settings) -> None:
    survivor, merged = resident(staff.fo, "Hasnah"), resident(staff.fo, "Hasna", nik=NIK)
    merge(survivor, merged, by=staff.supervisor)
    change(survivor, AT, nik=None, nik_reason="KTP hilang")
    assert db.session.scalar(sa.select(sa.func.count()).select_from(OldIdentifier)) == 1
    far = resident(staff.fo, "Rosmini", FAR, nik=NIK, birth_date=BORN)
    night(settings)
    assert pairs() == {frozenset({survivor, far})}
    assert the_open_pair().reasons[0] == "nik_lama"


def the_open_pair() -> DuplicateCandidate:
    db.session.rollback()
    return db.session.scalars(sa.select(DuplicateCandidate).where(DuplicateCandidate.state == PairState.OPEN)).one()


def test_only_who_changed_is_asked_about_again_and_what_is_unlike_lapses(
    app: Flask, staff: Staff, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = two(staff, MOTHER, MOTHER)
    for name in ("Baharuddin", "Rosmini", "Kasmawati"):
        resident(staff.fo, name)
    mine = next(one for one in pair if db.session.get_one(Person, one).village_code == HOME)
    change(mine, AT + timedelta(hours=12), **MOTHER)
    night(settings, AT + timedelta(hours=12))
    asked: list[str] = []
    judged = duplicate_elsewhere._candidates
    monkeypatch.setattr(
        duplicate_elsewhere,
        "_candidates",
        lambda some, *rest: (asked.extend(one.id for one in some), judged(some, *rest))[1],
    )
    later = AT + timedelta(days=1)
    change(mine, later, mother_name="Daeng Bollo")
    night(settings, later)
    assert (asked, pairs(), len(pairs(PairState.LAPSED))) == ([mine], set(), 1)
    change(mine, later + timedelta(days=1), mother_name="Saleha")
    night(settings, later + timedelta(days=1))
    assert pairs() == {pair}


def test_a_move_makes_it_a_pair_of_one_village(app: Flask, staff: Staff, settings: Settings) -> None:
    one, other = two(staff, MOTHER, MOTHER)
    night(settings)
    change(one, AT + timedelta(days=1), village_code=HOME)
    change(other, AT + timedelta(days=1), village_code=HOME)
    night(settings, AT + timedelta(days=1))
    assert pairs() == {frozenset({one, other})}
    assert (the_pair().village_code, the_pair().other_village_code) == (HOME, HOME)


def test_a_number_or_a_name_that_a_crowd_shares_finds_nobody(
    app: Flask, staff: Staff, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duplicate_elsewhere, "CROWD", 2)
    for name in ("Hasnah", "Rosmini", "Kasmawati"):
        resident(staff.fo, name, FAR, phone=PHONE, birth_date=BORN)
    resident(staff.fo, "Jumriah", phone=PHONE, birth_date=BORN)
    for village in (HOME, NEIGHBOUR, FAR, "73.03.06.2002"):
        resident(staff.fo, "Sitti Aminah", village, birth_date=BORN, **MOTHER)
    night(settings)
    assert pairs() == set()


def supervisor_of(village: str) -> Actor:
    """A supervisor of one village only."""
    with transaction() as session:
        account = Account(username=f"supervisor.{village}", name="Rahma", password_hash="!", password_changed_at=AT)
        account.stamp("system", AT)
        session.add(account)
        session.flush()
        return Actor(account.id, "Rahma", account.username, frozenset({Role.SUPERVISOR}), (village,))


def test_who_supervises_one_side_sees_the_other_masked(app: Flask, staff: Staff, settings: Settings) -> None:
    mine, _ = sorted(two(staff, MOTHER, {**MOTHER, "nik": NIK}), key=lambda one: db.session.get_one(Person, one).village_code)
    night(settings)
    by = supervisor_of(HOME)
    assert duplicates.list_pairs(by=by, at=AT).pairs == ()
    with pytest.raises(NotFound):
        duplicates.look_at_pair(the_pair().id, by=by, at=AT)
    (half,) = duplicates.list_half_pairs(by=by, at=AT).pairs
    assert (half.mine.id, half.other_name) == (mine, "S•••• A••••")
    assert half.other_village.startswith("Desa")
    assert "Sitti" not in repr((half.other_name, half.other_village, half.reasons))
    assert duplicates.list_half_pairs(by=staff.supervisor, at=AT).pairs == ()
    assert duplicates.list_half_pairs(by=supervisor_of(NEIGHBOUR), at=AT).pairs == ()
    (whole,) = duplicates.list_pairs(by=staff.supervisor, at=AT, area_code=FAR).pairs
    assert {whole.first.name, whole.second.name} == {"Sitti Aminah"}


def test_all_pairs_of_one_side_are_reached_page_by_page(app: Flask, staff: Staff) -> None:
    mine, *others = [resident(staff.fo, name, village) for name, village in (("Hasnah", HOME), ("Rosmini", FAR), ("Murni", FAR))]
    known = duplicates.identities((mine, *others))
    with transaction():
        for other in others:
            alike = Likeness(80, (Reason.SAME_NIK,))
            duplicates.store_pair((mine, known[mine]), (other, known[other]), alike, by="system", at=AT)
    by = supervisor_of(HOME)
    first = duplicates.list_half_pairs(by=by, at=AT, size=1)
    second = duplicates.list_half_pairs(by=by, at=AT, size=1, after=first.after)
    assert {half.other_name for half in (*first.pairs, *second.pairs)} == {"R••••", "M••••"}
    assert second.after == ""
