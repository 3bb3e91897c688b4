"""What people need, what the national lists say of them, and how they live: written once, read by whom it concerns."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from appliance.database import db, transaction
from appliance.errors import Conflict, InvalidInput, NotAllowed, NotFound
from appliance.models.audit import AuditEntry
from appliance.models.profile import ListStatus, Profile
from appliance.models.programme import Need
from appliance.registry import aid, list_status, needs, profile
from tests.support.aid import dtsen, need, programme, seen, survey
from tests.support.desk import resident
from tests.support.staff import AT, Staff

CARD = "7303010101100001"
TODAY = date(2026, 11, 20)


def member(staff: Staff, name: str = "Sitti Aminah") -> str:
    return resident(staff.fo, name, kk=CARD, relation="1" if name == "Baharuddin" else "3")


def test_a_need_is_open_until_it_is_closed(app: Flask, staff: Staff) -> None:
    person = member(staff)
    ours = need(person, staff.facilitator, programme_id=programme("rtlh"), sector="", family=True)
    (line,) = aid.aid_of_person(person, by=staff.fo).open_needs
    assert (line.programme, line.sector, line.holder) == ("Rehabilitasi rumah tidak layak huni (RTLH)", "perumahan", "Keluarga")
    needs.close_need(ours, "terpenuhi", "Dibangun Perkim", row_version=1, by=staff.bo, at=AT)
    view = aid.aid_of_person(person, by=staff.fo)
    assert view.open_needs == ()
    assert [(one.outcome, one.closed_on) for one in view.closed_needs] == [("terpenuhi", TODAY)]
    with pytest.raises(Conflict):
        needs.close_need(ours, "terpenuhi", "", row_version=1, by=staff.bo, at=AT)


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"reason": " ", "priority": "segera", "sector": "", "noted_on": None}, {"reason", "priority", "sector", "noted_on"}),
        ({"programme_id": "nothing"}, {"programme_id"}),
        ({"noted_on": TODAY + timedelta(days=1), "reason": "x" * 2001}, {"noted_on", "reason"}),
    ],
)
def test_what_is_wrong_with_a_need(app: Flask, staff: Staff, changes: dict[str, Any], wrong: set[str]) -> None:
    with pytest.raises(InvalidInput) as caught:
        need(member(staff), staff.fo, **changes)
    assert set(caught.value.problems) == wrong
    assert db.session.query(Need).count() == 0


def test_a_need_that_is_dropped_says_why(app: Flask, staff: Staff) -> None:
    ours = need(member(staff), staff.fo)
    for outcome, note, wrong in (("tidak_jadi", " ", "outcome_note"), ("", "x", "outcome")):
        with pytest.raises(InvalidInput) as caught:
            needs.close_need(ours, outcome, note, row_version=1, by=staff.fo, at=AT)
        assert set(caught.value.problems) == {wrong}


def test_the_newest_look_counts_and_the_older_ones_stay(app: Flask, staff: Staff) -> None:
    head, wife = member(staff, "Baharuddin"), member(staff)
    seen(head, staff.fo, family=True, decile=3, checked_on=date(2026, 3, 1))
    seen(head, staff.fo, family=True, decile=6, checked_on=date(2026, 9, 1), period="Triwulan III 2026")
    seen(wife, staff.fo, listed="tidak", checked_on=date(2026, 10, 1))
    view = aid.aid_of_person(wife, by=staff.fo)
    assert [(one.holder, one.decile, one.listed) for one in view.statuses] == [
        ("Sitti Aminah", None, "tidak"),
        ("Keluarga", 6, "ya"),
    ]
    assert [one.decile for one in view.former_statuses] == [3]
    assert view.statuses[1].checked_by == staff.fo.name


def test_a_look_entered_late_is_not_the_newest(app: Flask, staff: Staff) -> None:
    person = member(staff)
    seen(person, staff.fo, decile=6, checked_on=date(2026, 9, 1))
    seen(person, staff.fo, decile=3, checked_on=date(2026, 3, 1))
    assert [one.decile for one in aid.aid_of_person(person, by=staff.fo).statuses] == [6]


@pytest.mark.parametrize(
    ("whose", "expected"),
    [("family", 4), ("wife", 4), ("head", 2)],
)
def test_which_desil_holds_for_whom(app: Flask, staff: Staff, whose: str, expected: int) -> None:
    """What was seen of a member holds for the family too; what was seen of the family for each member."""
    head, wife = member(staff, "Baharuddin"), member(staff)
    seen(head, staff.fo, family=True, decile=2, checked_on=date(2026, 3, 1))
    seen(wife, staff.fo, decile=4, checked_on=date(2026, 9, 1))
    rows = list(db.session.scalars(sa.select(ListStatus).order_by(ListStatus.checked_on.desc())))
    person = {"family": None, "wife": wife, "head": head}[whose]
    assert list_status.newest_decile(rows, person) == expected
    assert list_status.newest_decile([], person) is None


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"list_id": "nothing", "listed": "?", "checked_on": None}, {"list_id", "listed", "checked_on"}),
        ({"decile": 11}, {"decile"}),
        ({"decile": 3, "listed": "tidak"}, {"decile"}),
        ({"checked_on": TODAY + timedelta(days=1), "outside_id": "x" * 41}, {"checked_on", "outside_id"}),
    ],
)
def test_what_is_wrong_with_a_look(app: Flask, staff: Staff, changes: dict[str, Any], wrong: set[str]) -> None:
    with pytest.raises(InvalidInput) as caught:
        seen(member(staff), staff.fo, **changes)
    assert set(caught.value.problems) == wrong


def test_a_filled_blank_is_read_as_it_was_filled(app: Flask, staff: Staff) -> None:
    person = member(staff)
    first = survey(
        person, staff.fo, "slrt-18", answers={"13": ["1"], "16": ["800.000"]}, opinion="miskin", surveyed_on=date(2026, 1, 9)
    )
    survey(person, staff.bo, "regsosek-2022k-keluarga", answers={"303": ["8"]})
    view = aid.aid_of_person(person, by=staff.fo)
    assert [line.name for line in view.profiles] == ["Regsosek 2022.K, keluarga dan rumah", "Formulir SLRT 18 isian"]
    detail = profile.look_at_profile(first, by=staff.leader, at=AT)
    assert detail.sections == (
        ("Keadaan rumah tangga", (("13. Status rumah", "Milik sendiri"), ("16. Pendapatan per bulan", "Rp800.000"))),
    )
    assert (detail.line.opinion, detail.person_id) == ("miskin", person)
    actions = db.session.scalars(sa.select(AuditEntry.action).where(AuditEntry.subject.startswith("family:"))).all()
    assert actions == ["profil", "profil", "lihat_profil"]


def test_the_problems_of_a_blank_come_all_at_once(app: Flask, staff: Staff) -> None:
    answers = {"303": ["99"], "302": ["luas"], "305": ["3"]}
    with pytest.raises(InvalidInput) as caught:
        survey(member(staff), staff.fo, "regsosek-2022k-keluarga", answers=answers, opinion="kaya", surveyed_on=None)
    assert set(caught.value.problems) == {"q-303", "q-302", "opinion", "surveyed_on"}
    assert db.session.query(Profile).count() == 0


def test_an_empty_blank_and_a_blank_for_a_family_without_one_are_refused(app: Flask, staff: Staff) -> None:
    with pytest.raises(InvalidInput) as caught:
        survey(member(staff), staff.fo, answers={})
    assert set(caught.value.problems) == {"note"}
    with pytest.raises(InvalidInput) as caught:
        survey(resident(staff.fo), staff.fo, "slrt-18", answers={"6": ["Petani"]})
    assert set(caught.value.problems) == {"family"}


def test_health_is_for_those_with_the_right(app: Flask, staff: Staff) -> None:
    person = member(staff)
    ours = survey(person, staff.bo, answers={"404": ["1"], "430": ["12"]})
    told = profile.look_at_profile(ours, by=staff.facilitator, at=AT)
    hidden = profile.look_at_profile(ours, by=staff.fo, at=AT)
    assert "HIV/AIDS" in repr(told)
    assert "HIV/AIDS" not in repr(hidden)
    assert [title for title, _ in hidden.sections] == ["IV.A. Keterangan demografi"]
    by_fo = survey(person, staff.fo, answers={"404": ["1"], "430": ["12"]})
    assert db.session.get_one(Profile, by_fo).answers == {"404": "1"}


@pytest.mark.parametrize("table", [ListStatus, Profile])
def test_what_was_seen_cannot_be_changed_but_its_holder_can(app: Flask, staff: Staff, table: type[Any]) -> None:
    person, kept = member(staff), resident(staff.fo)
    seen(person, staff.fo, decile=3)
    survey(person, staff.fo)
    column = table.evidence if table is ListStatus else table.note
    for forbidden in (sa.update(table).values({column: "x"}), sa.delete(table)):
        with pytest.raises(sa.exc.DBAPIError), transaction() as session:
            session.execute(forbidden)
    with transaction() as session:
        session.execute(sa.update(table).values(person_id=kept))
    assert db.session.scalars(sa.select(table.person_id)).all() == [kept]


def test_what_is_not_hers_does_not_exist_for_her(app: Flask, staff: Staff) -> None:
    person = member(staff)
    ours, filled = need(person, staff.fo), survey(person, staff.fo)
    for who in (staff.neighbour, staff.stranger, staff.dinkes, staff.admin):
        for act in (
            lambda who=who: need(person, who),
            lambda who=who: seen(person, who),
            lambda who=who: survey(person, who),
            lambda who=who: needs.close_need(ours, "terpenuhi", "", row_version=1, by=who, at=AT),
            lambda who=who: aid.look_at_need(ours, by=who, at=AT),
            lambda who=who: profile.look_at_profile(filled, by=who, at=AT),
        ):
            with pytest.raises(NotFound):
                act()
    for forbidden in (need, seen, survey):
        with pytest.raises(NotAllowed):
            forbidden(person, staff.leader)


def test_a_second_press_stores_once(app: Flask, staff: Staff) -> None:
    person = member(staff)
    status = list_status.NewStatus(dtsen(), "ya", TODAY, family=False)
    filled = profile.NewProfile("slrt-18", 1, TODAY, {"6": ["Petani"]})
    wanted = needs.NewNeed("Beras", "biasa", TODAY, sector="pangan")
    for _ in range(2):
        list_status.note_status(person, status, request_id="one", by=staff.fo, at=AT)
        profile.store_profile(person, filled, request_id="one", by=staff.fo, at=AT)
        needs.note_need(person, wanted, request_id="one", by=staff.fo, at=AT)
    assert [db.session.query(table).count() for table in (ListStatus, Profile, Need)] == [1, 1, 1]
