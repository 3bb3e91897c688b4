"""Handing villages over: all or nothing, once, with the cases of the day; and who served where."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from appliance import audit
from appliance.access import Actor
from appliance.accounts import actor_of
from appliance.accounts.posts import gaps, posts_in
from appliance.casework import casebook, handover, handover_records
from appliance.casework.case_filter import CaseFilter
from appliance.casework.handover import ListChanged, NewHandover, hand_over, preview
from appliance.casework.history import history_is_whole
from appliance.database import db, transaction
from appliance.errors import InvalidInput, NotAllowed, NotFound
from appliance.models.account import Account, Assignment
from appliance.models.area import Area
from appliance.models.audit import AuditEntry
from appliance.models.case import Case, CaseEvent
from appliance.models.handover import Handover
from appliance.models.roles import Role
from tests.support.desk import move, open_case, resident
from tests.support.staff import AT, FAR, HOME, NEIGHBOUR, Staff

TODAY = date(2026, 11, 20)
YEAR = date(2026, 1, 1)


def assign(account_id: str, *codes: str, role: Role = Role.FASILITATOR, starts: date = YEAR, ends: date | None = None) -> None:
    with transaction() as session:
        made = Assignment(account_id=account_id, role=role.value, area_codes=list(codes), starts=starts, ends=ends)
        made.stamp("system", AT)
        session.add(made)


def today(who: Actor) -> Actor:
    """The person with the rights that her assignments give her now."""
    account = db.session.scalars(
        sa.select(Account).where(Account.id == who.account_id).execution_options(populate_existing=True)
    ).one()
    return actor_of(account, AT, "test", handover.settings_in_use().zone)


@pytest.fixture
def field(staff: Staff) -> Staff:
    """The facilitator serves HOME and FAR, her neighbour NEIGHBOUR."""
    assign(staff.facilitator.account_id, HOME, FAR)
    assign(staff.neighbour.account_id, NEIGHBOUR)
    return replace(staff, facilitator=today(staff.facilitator), neighbour=today(staff.neighbour))


def wanted(staff: Staff, **changes: object) -> NewHandover:
    known = NewHandover(staff.facilitator.account_id, staff.neighbour.account_id, (HOME,), TODAY, "SK 12/2026", "Pindah tugas")
    return replace(known, **changes)  # type: ignore[arg-type]


def hand(staff: Staff, by: Actor | None = None, request_id: str = "h", **changes: object) -> str:
    by = by or staff.supervisor
    new = wanted(staff, **changes)
    return hand_over(new, seen=preview(new, by=by, at=AT).seen, request_id=request_id, by=by, at=AT)


def owner(case: str) -> str | None:
    return db.session.scalar(sa.select(Case.owner_id).where(Case.id == case))


def held(who: Actor) -> list[tuple[list[str], date, date | None]]:
    rows = db.session.scalars(sa.select(Assignment).where(Assignment.account_id == who.account_id).order_by(Assignment.starts))
    return [(row.area_codes, row.starts, row.ends) for row in rows]


def test_the_successor_sees_and_the_predecessor_does_not(field: Staff) -> None:
    person = resident(field.facilitator)
    secret = open_case(field.facilitator, person, confidential=True)
    plain = open_case(field.facilitator, person)
    away = open_case(field.facilitator, resident(field.facilitator, village=FAR))
    hand(field)
    giver, taker = today(field.facilitator), today(field.neighbour)
    assert {line.id for line in casebook.list_cases(CaseFilter(), by=giver, at=AT).cases} == {away}
    assert {line.id for line in casebook.list_cases(CaseFilter(), by=taker, at=AT).cases} == {secret, plain}
    assert {line.id for line in casebook.list_cases(CaseFilter(mine=True), by=taker, at=AT).cases} == {secret, plain}
    with pytest.raises(NotFound):
        casebook.look_at_case(secret, by=giver, at=AT)
    event = casebook.look_at_case(plain, by=taker, at=AT).events[-1]
    assert (event.action, event.by_name, event.role_label) == ("serah_terima", field.supervisor.name, "Supervisor")
    assert event.details["Kepada"] == field.neighbour.name
    assert history_is_whole(plain)
    assert owner(away) is None


def test_many_cases_pass_with_as_few_questions_as_one(field: Staff) -> None:
    """Each has its event, sealed to the one before."""
    asked: list[str] = []
    listen = (db.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    person = resident(field.facilitator)

    def hand_back_and_forth(giver: Actor, taker: Actor, request_id: str) -> int:
        asked.clear()
        hand(field, request_id=request_id, from_account_id=giver.account_id, to_account_id=taker.account_id)
        return sum(one.startswith("SELECT") for one in asked)

    cases = [open_case(field.facilitator, person)]
    sa.event.listen(*listen)
    try:
        one = hand_back_and_forth(field.facilitator, field.neighbour, "1")
        cases += [open_case(today(field.neighbour), person) for _ in range(12)]
        assert hand_back_and_forth(field.neighbour, field.facilitator, "2") < one + 6, "some assignments more, but not cases"
    finally:
        sa.event.remove(*listen)
    assert {owner(case) for case in cases} == {field.facilitator.account_id}
    assert all(history_is_whole(case) for case in cases)
    passed = sa.select(sa.func.count()).where(CaseEvent.action == "serah_terima")
    assert db.session.scalar(passed) == 1 + len(cases)


def test_which_cases_pass(field: Staff) -> None:
    hers = open_case(field.facilitator)
    repair, taken, done, over = (open_case(field.facilitator) for _ in range(4))
    move(repair, field.supervisor, "kembalikan", return_reasons="lain", note="Kurang KK")
    move(taken, field.supervisor, "ambil")
    foreign = open_case(field.fo)
    move(over, field.facilitator, "batalkan", cancel_reason="lain", note="Salah")
    with transaction() as session:
        session.get_one(Case, done).state = "SELESAI"
    shown = preview(wanted(field), by=field.supervisor, at=AT)
    assert {case.id for case in shown.cases} == {hers, repair, done}
    assert shown.others == 2, "what the supervisor has taken, and what the counter wrote"
    hand(field)
    assert {case for case in (hers, repair, taken, done, foreign, over) if owner(case) == field.neighbour.account_id} == {
        hers,
        repair,
        done,
    }
    assert owner(taken) == field.supervisor.account_id


def test_assignments_are_ended_split_and_begun(field: Staff) -> None:
    hand(field)
    yesterday = TODAY - timedelta(days=1)
    assert held(field.facilitator) == [([HOME, FAR], YEAR, yesterday), ([FAR], TODAY, None)]
    assert held(field.neighbour) == [([NEIGHBOUR], YEAR, None), ([HOME], TODAY, None)]
    begun = sa.select(Assignment).where(Assignment.starts == TODAY, Assignment.account_id == field.neighbour.account_id)
    row = db.session.scalars(begun).one()
    assert (row.decree, row.created_by) == ("SK 12/2026", field.supervisor.account_id)


def test_a_whole_subdistrict_becomes_its_other_villages_and_plans_are_narrowed(staff: Staff) -> None:
    assign(staff.neighbour.account_id, NEIGHBOUR)
    assign(staff.facilitator.account_id, "73.03.06", starts=YEAR)
    assign(staff.facilitator.account_id, FAR, HOME, starts=date(2026, 12, 1))
    assign(staff.facilitator.account_id, FAR, starts=date(2027, 1, 1))
    assign(staff.facilitator.account_id, "73.03.06", role=Role.TKSK)
    hand(staff, village_codes=(FAR,))
    rows = held(staff.facilitator)
    others = db.session.scalars(sa.select(Area.code).where(Area.parent_code == "73.03.06", Area.code != FAR)).all()
    assert len(others) == 5
    assert sorted(others) == sorted(next(codes for codes, starts, _ in rows if starts == TODAY))
    assert ([HOME], date(2026, 12, 1), None) in rows
    assert ([FAR], date(2027, 1, 1), date(2026, 12, 31)) in rows, "the plan never holds"
    assert (["73.03.06"], YEAR, None) in rows, "another role is not hers to give away"


def test_an_old_code_of_a_village_goes_with_it(field: Staff) -> None:
    """Neither her cases nor her rights under the old code stay behind."""
    old = "73.03.99.2001"
    with transaction() as session:
        session.add(Area(code=old, name="L", level="desa", kind="desa", parent_code="73.03", active=False, successor_code=HOME))
    assign(field.facilitator.account_id, old)
    case = open_case(field.facilitator)
    with transaction() as session:
        session.get_one(Case, case).village_code = old
    assert today(field.facilitator).has_in(HOME, Role.FASILITATOR)
    hand(field)
    assert owner(case) == field.neighbour.account_id
    assert not today(field.facilitator).covers(HOME)
    assert not today(field.facilitator).covers(old)
    assert today(field.neighbour).covers(old)


def test_who_serves_a_village_already_gets_no_second_assignment(field: Staff) -> None:
    assign(field.neighbour.account_id, HOME)
    hand(field)
    assert len(held(field.neighbour)) == 2


def test_a_second_press_does_it_once(field: Staff) -> None:
    case = open_case(field.facilitator)
    new = wanted(field)
    seen = preview(new, by=field.supervisor, at=AT).seen
    ids = {hand_over(new, seen=seen, request_id="same", by=field.supervisor, at=AT) for _ in range(3)}
    assert len(ids) == 1
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Handover)) == 1
    assert [event.action for event in casebook.look_at_case(case, by=field.supervisor, at=AT).events] == ["kirim", "serah_terima"]


def test_two_at_the_same_time_do_it_once(app: Flask, field: Staff) -> None:
    open_case(field.facilitator)
    new = wanted(field)
    seen = preview(new, by=field.supervisor, at=AT).seen
    db.session.remove()
    ends: list[object] = []

    def press(request_id: str) -> None:
        with app.app_context():
            try:
                ends.append(hand_over(new, seen=seen, request_id=request_id, by=field.supervisor, at=AT))
            except InvalidInput as error:
                ends.append(error)
            finally:
                db.session.remove()

    for requests, handovers in ((("one", "one"), 1), (("two", "three"), 1)):
        ends.clear()
        threads = [threading.Thread(target=press, args=(request,)) for request in requests]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        assert len(ends) == 2
        assert db.session.scalar(sa.select(sa.func.count()).select_from(Handover)) == handovers
        db.session.remove()
    assert all(isinstance(end, InvalidInput) for end in ends), "she has nothing left to hand over"


def test_a_list_that_changed_meanwhile_is_shown_again(field: Staff) -> None:
    case = open_case(field.facilitator)
    new = wanted(field)
    seen = preview(new, by=field.supervisor, at=AT).seen
    move(case, field.bo, "ambil")
    with pytest.raises(ListChanged):
        hand_over(new, seen=seen, request_id="h", by=field.supervisor, at=AT)
    assert held(field.facilitator) == [([HOME, FAR], YEAR, None)], "nothing was done"
    assert owner(case) == field.bo.account_id


def test_cut_in_the_middle_nothing_was_done(field: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    case = open_case(field.facilitator)

    def cut(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(audit, "record", cut)
        with pytest.raises(KeyboardInterrupt):
            hand(field)
    assert held(field.facilitator) == [([HOME, FAR], YEAR, None)]
    assert (owner(case), held(field.neighbour)) == (None, [([NEIGHBOUR], YEAR, None)])
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Handover)) == 0
    hand(field)
    assert owner(case) == field.neighbour.account_id


@pytest.mark.parametrize(
    ("changes", "field_name"),
    [
        ({"village_codes": ()}, "village_codes"),
        ({"village_codes": (HOME, HOME)}, "village_codes"),
        ({"village_codes": (HOME, NEIGHBOUR)}, "village_codes"),
        ({"starts": None}, "starts"),
        ({"starts": TODAY - timedelta(days=1)}, "starts"),
        ({"starts": TODAY + timedelta(days=400)}, "starts"),
        ({"from_account_id": "nobody"}, "from_account_id"),
        ({"to_account_id": "nobody"}, "to_account_id"),
        ({"decree": "x" * 81}, "decree"),
        ({"note": "x" * 1001}, "note"),
    ],
)
def test_what_cannot_be_is_refused(field: Staff, changes: dict[str, object], field_name: str) -> None:
    for do in (
        lambda new: preview(new, by=field.supervisor, at=AT),
        lambda new: hand_over(new, seen="", request_id="h", by=field.supervisor, at=AT),
    ):
        with pytest.raises(InvalidInput) as caught:
            do(wanted(field, **changes))
        assert set(caught.value.problems) == {field_name}


def test_to_herself_and_to_somebody_who_left(field: Staff) -> None:
    with pytest.raises(InvalidInput, match="Isian"):
        hand(field, to_account_id=field.facilitator.account_id)
    with transaction() as session:
        session.get_one(Account, field.neighbour.account_id).active = False
    with pytest.raises(InvalidInput):
        hand(field)


def test_who_may_do_it(field: Staff) -> None:
    for by in (field.facilitator, field.neighbour, field.fo, field.bo, field.leader, field.dinkes, field.stranger):
        with pytest.raises(NotAllowed):
            preview(wanted(field), by=by, at=AT)
        with pytest.raises(NotAllowed):
            hand_over(wanted(field), seen="", request_id="h", by=by, at=AT)
    narrow = Actor(field.supervisor.account_id, "S", "s", frozenset({Role.SUPERVISOR}), ("73.03.06",))
    with pytest.raises(NotAllowed):
        preview(wanted(field), by=narrow, at=AT)
    with pytest.raises(NotAllowed, match="belum pernah"):
        hand(field, by=field.manager, to_account_id=field.bo.account_id)
    hand(field, by=field.admin, to_account_id=field.bo.account_id)


def test_the_record_is_frozen_and_seen_by_its_people(field: Staff) -> None:
    case = open_case(field.facilitator, confidential=True)
    made = hand(field)
    with transaction() as session:
        session.get_one(Account, field.facilitator.account_id).name = "Diganti"
    for by in (field.supervisor, field.manager, field.admin, today(field.facilitator), today(field.neighbour)):
        assert [line.id for line in handover_records.list_handovers(by=by).handovers] == [made]
        sheet = handover_records.print_sheet(made, by=by, at=AT).sheet
        assert (sheet["giver"]["name"], sheet["taker"]["name"]) == (field.facilitator.name, field.neighbour.name)
    assert [one["id"] for one in sheet["cases"]] == [case]
    assert "Aminah" not in repr(sheet), "the sheet lies on desks: numbers only"
    assert sheet["day_in_words"].startswith("Jumat tanggal dua puluh bulan November")
    far = Actor("x", "X", "x", frozenset({Role.SUPERVISOR}), ("73.03.06",))
    for by in (field.fo, field.bo, field.dinkes, field.stranger, far):
        assert handover_records.list_handovers(by=by).handovers == ()
        with pytest.raises(NotFound):
            handover_records.print_sheet(made, by=by, at=AT)
    entries = db.session.scalars(sa.select(AuditEntry.action).where(AuditEntry.subject == f"handover:{made}")).all()
    assert (entries[0], set(entries[1:])) == ("serah-terima", {"cetak"})


@pytest.mark.parametrize("change", ["UPDATE handover SET number = 'x'", "DELETE FROM handover_village"])
def test_the_database_itself_refuses_to_change_a_record(field: Staff, change: str) -> None:
    hand(field)
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), transaction() as session:
        session.execute(sa.text(change))


def test_older_handovers_are_a_page_away(field: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handover_records, "PAGE_SIZE", 1)
    first = hand(field)
    second = hand(field, request_id="again", village_codes=(FAR,))
    page = handover_records.list_handovers(by=field.supervisor)
    assert ([line.id for line in page.handovers], page.older) == ([second], second)
    page = handover_records.list_handovers(by=field.supervisor, before=page.older)
    assert ([line.id for line in page.handovers], page.older) == ([first], "")
    assert [line.id for line in handover_records.list_handovers(by=field.supervisor, village_code=HOME).handovers] == [first]


def test_who_gives_and_who_takes(field: Staff) -> None:
    found = handover_records.givers(by=field.supervisor, today=TODAY)
    assert [(giver.account_id, [village.code for village in giver.villages]) for giver in found] == [
        (field.neighbour.account_id, [NEIGHBOUR]),
        (field.facilitator.account_id, [HOME, FAR]),
    ]
    assert {taker for taker, _ in handover_records.takers(by=field.admin)} == {giver.account_id for giver in found}
    assert handover_records.givers(by=field.fo, today=TODAY) == ()
    assert handover_records.takers(by=field.fo) == ()


def test_who_served_a_village_when(field: Staff) -> None:
    hand(field)
    assign(field.bo.account_id, "73.03.01", role=Role.SUPERVISOR, starts=date(2027, 1, 1))
    assign(field.fo.account_id, "73.03", role=Role.FO)
    seen = [(post.name, post.role, post.when) for post in posts_in(HOME, by=field.supervisor, today=TODAY)]
    assert seen == [
        (field.bo.name, Role.SUPERVISOR, "nanti"),
        (field.neighbour.name, Role.FASILITATOR, "kini"),
        (field.facilitator.name, Role.FASILITATOR, "dahulu"),
    ]
    with pytest.raises(NotFound):
        posts_in(HOME, by=field.stranger, today=TODAY)


def test_villages_without_a_facilitator_today(field: Staff) -> None:
    missing = {village.code for village in gaps(by=field.supervisor, today=TODAY)}
    assert len(missing) == 64
    assert missing.isdisjoint({HOME, NEIGHBOUR, FAR})
    assert gaps(by=field.facilitator, today=TODAY) == ()
    assert len(gaps(by=field.supervisor, today=date(2025, 1, 1))) == 67
