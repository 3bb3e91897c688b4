"""After a code of a village was succeeded: people, cases and assignments follow, in the background and for good."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from appliance import audit
from appliance.access import Actor
from appliance.accounts import actor_of
from appliance.accounts.posts import gaps
from appliance.casework import area_moves, casebook
from appliance.casework.area_moves import MOVED, STAYS, ask_move, standing_of
from appliance.casework.case_filter import CaseFilter
from appliance.casework.history import history_is_whole
from appliance.config import Settings
from appliance.database import Model, db, settings_in_use, transaction
from appliance.errors import Conflict, InvalidInput, NotAllowed, NotFound
from appliance.exchange.village_names import Villages
from appliance.letters import book
from appliance.models.account import Account, Assignment
from appliance.models.area import Area, Hamlet
from appliance.models.audit import AuditEntry
from appliance.models.case import Case
from appliance.models.duplicate import DuplicateCandidate
from appliance.models.handover import HandoverPlan
from appliance.models.person import Person, PersonWord
from appliance.models.roles import Role
from appliance.models.visit import Delegation
from appliance.proposals.bases import basis_in_scope
from appliance.registry import area_counts, area_pages, families, life_events, people
from appliance.registry.people_search import find_people
from tests.support.desk import open_case, resident
from tests.support.importing import work
from tests.support.letters import drafted, signers
from tests.support.letters import row as letter_row
from tests.support.pairs import pair_of
from tests.support.proposals import meeting, proposed, seen
from tests.support.staff import AT, HOME, NEIGHBOUR, Staff

OLD, OLDER = "73.03.99.2001", "73.03.99.2002"
LATER = AT + timedelta(hours=1)


@pytest.fixture
def staff(app: Flask, staff: Staff) -> Staff:
    """Two codes that a newer data set has dropped, each with its own facilitator."""
    with transaction() as session:
        for code, who in ((OLD, staff.facilitator), (OLDER, staff.neighbour)):
            session.add(Area(code=code, name="Lama", level="desa", kind="desa", parent_code="73.03", active=False))
            session.flush()
            held = Assignment(account_id=who.account_id, role="fasilitator", area_codes=[code], starts=date(2026, 1, 1))
            held.stamp("system", AT)
            session.add(held)
    return staff


def lives(staff: Staff, code: str, name: str = "Sitti Aminah", hamlet: str = "", **more: str) -> str:
    """Somebody who was registered while the code held; her identifier."""
    with transaction() as session:
        session.get_one(Area, code).active = True
    person = resident(staff.fo, name, code, address="Jl. Poros", hamlet=hamlet, kk=more.pop("kk", ""), **more)
    with transaction() as session:
        session.get_one(Area, code).active = False
    return person


def today_of(who: Actor) -> Actor:
    account = db.session.get_one(Account, who.account_id, populate_existing=True)
    db.session.refresh(account, ["assignments"])
    return actor_of(account, LATER, "test", settings_in_use().zone)


def village_of(person: str) -> str:
    return db.session.get_one(Person, person, populate_existing=True).village_code


def found(by: Actor, text: str = "aminah", village: str = "") -> set[str]:
    return {line.id for line in find_people(text, by=by, at=LATER, village_code=village).people}


def test_two_villages_become_one(staff: Staff, settings: Settings) -> None:
    """Whoever served one of the old ones serves the new one, and lists, counts, search and imports know only that."""
    people_of = {OLD: lives(staff, OLD), OLDER: lives(staff, OLDER)}
    case = open_case(staff.fo, people_of[OLD])
    pair = pair_of(*people_of.values(), staff.supervisor)
    for code in (OLD, OLDER):
        with transaction() as session:
            hamlet = Hamlet(village_code=code, name="Barania", rw="", rt="")
            hamlet.stamp("system", AT)
            session.add(hamlet)
    for code in (OLD, OLDER):
        ask_move(code, HOME, {}, by=staff.admin, at=AT)
        with pytest.raises(Conflict):
            ask_move(code, HOME, {}, by=staff.admin, at=AT)
    assert work(settings) == 2
    both = set(people_of.values())
    for who in (staff.facilitator, staff.neighbour):
        by = today_of(who)
        assert (by.areas, found(by)) == ((*sorted({HOME, OLD, OLDER}),), both)
        assert found(by, "", HOME) == both
        assert casebook.list_cases(CaseFilter(village_code=HOME), by=by, at=LATER).total == 1
    assert {village_of(person) for person in both} == {HOME}
    assert set(db.session.scalars(sa.select(PersonWord.village_code))) == {HOME}
    (event,) = life_events.of_person(people_of[OLD], by=staff.fo).events
    assert (event.kind, event.facts["dari_desa"].startswith("Desa Lama"), event.by_name) == ("ganti_kode", True, "It")
    told = casebook.look_at_case(case, by=staff.fo, at=LATER).events
    assert [event.action for event in told].count("ganti_kode") == 1
    assert history_is_whole(case)
    kept = db.session.get_one(DuplicateCandidate, pair, populate_existing=True)
    assert (kept.village_code, kept.other_village_code) == (HOME, HOME)
    assert [(row.village_code, row.name) for row in db.session.scalars(sa.select(Hamlet))] == [(HOME, "Barania")]
    assert area_counts._count(HOME, LATER).people == 2
    assert [row.area_codes for row in db.session.scalars(sa.select(Assignment))] == [[HOME], [HOME]]
    assert HOME not in {village.code for village in gaps(by=staff.admin, today=LATER.date())}
    assert Villages("").village_of({"village": OLD.replace(".", "")}) == HOME
    assert not any(old.in_use for old in area_pages.old_codes())
    assert audit.verify().ok


def test_a_village_is_split_hamlet_by_hamlet(staff: Staff, settings: Settings) -> None:
    north, south, nowhere = (lives(staff, OLD, hamlet=hamlet) for hamlet in ("Barania", "Lembang", ""))
    child = lives(staff, OLD, "Nur", hamlet="Barania")
    with transaction() as session:
        session.get_one(Person, child).family_id = session.get_one(Person, north).family_id
    case = open_case(staff.fo, north)
    standing = standing_of(OLD, by=staff.admin)
    assert (standing.people, standing.cases, dict(standing.hamlets)) == (4, 1, {"Barania": 2, "Lembang": 1})
    assert Villages("").village_of({"village": OLD}) is None, "nobody can tell which of the two"
    ask_move(OLD, HOME, {"Barania": NEIGHBOUR}, by=staff.admin, at=AT)
    work(settings)
    assert [village_of(one) for one in (north, child, south, nowhere)] == [NEIGHBOUR, NEIGHBOUR, HOME, HOME]
    assert db.session.get_one(Case, case, populate_existing=True).village_code == NEIGHBOUR
    assert (found(staff.fo, village=NEIGHBOUR), found(staff.fo, village=HOME)) == ({north}, {south, nowhere})
    assert today_of(staff.facilitator).has_in(HOME, Role.FASILITATOR)
    assert today_of(staff.facilitator).has_in(NEIGHBOUR, Role.FASILITATOR)
    family = families.look_at_family(people.look_at_person(north, by=staff.fo, at=LATER).family_id or "", by=staff.fo, at=LATER)
    assert family.village_code == NEIGHBOUR
    assert db.session.get_one(Area, OLD, populate_existing=True).successor_code is None
    assert not standing_of(OLD, by=staff.admin).anything


def test_letters_and_what_was_handed_over_go_along(staff: Staff, settings: Settings) -> None:
    """Whoever reads, decides or takes over under an old code goes on doing so under the new ones."""
    case = open_case(staff.fo, lives(staff, OLD, hamlet="Barania"))
    letter = drafted(staff, signers(staff), case)
    with transaction() as session:
        to, today = staff.supervisor.account_id, AT.date()
        lasting, over = (
            Delegation(account_id=to, area_codes=[OLD], starts=today - timedelta(days=9), ends=ends, document="ND 1")
            for ends in (date(2099, 1, 1), today - timedelta(days=8))
        )
        plan = HandoverPlan(
            request_id="p", from_account_id=staff.facilitator.account_id, to_account_id=staff.neighbour.account_id,
            village_codes=[OLD], starts=date(2099, 1, 1), decree="SK 1", note="",
        )  # fmt: skip
        for row in (lasting, over, plan):
            row.stamp("system", AT)
            session.add(row)
    ask_move(OLD, HOME, {"Barania": NEIGHBOUR}, by=staff.admin, at=AT)
    work(settings)
    db.session.expire_all()
    assert book.look_at_letter(letter, by=today_of(staff.facilitator), at=LATER).case_id == case
    assert letter_row(letter).area_code == NEIGHBOUR
    assert (sorted(lasting.area_codes), over.area_codes) == (sorted([HOME, NEIGHBOUR]), [OLD])
    assert sorted(plan.village_codes) == sorted([HOME, NEIGHBOUR])


def test_a_move_that_was_cut_off_goes_on_with_who_is_left(
    staff: Staff, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(area_moves, "AT_ONCE", 2)
    everybody = [lives(staff, OLD, f"Aminah {letter}") for letter in "abcde"]
    ask_move(OLD, HOME, {}, by=staff.admin, at=AT)
    stops = iter([False, False, True])
    work(settings, stop=lambda: next(stops, True))
    assert sorted(village_of(person) for person in everybody) == [HOME, HOME, OLD, OLD, OLD]
    assert work(settings) == 1
    assert {village_of(person) for person in everybody} == {HOME}
    for person in everybody:
        assert [event.kind for event in life_events.of_person(person, by=staff.fo).events] == ["ganti_kode"]
        assert found(today_of(staff.facilitator)) == set(everybody)


def test_killed_after_the_last_part_it_is_told_once(staff: Staff, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    lives(staff, OLD)
    ask_move(OLD, HOME, {}, by=staff.admin, at=AT)
    finish = area_moves._finish

    def cut_off(*args: Any) -> str:
        finish(*args)
        raise KeyboardInterrupt

    with monkeypatch.context() as cut:
        cut.setattr(area_moves, "_finish", cut_off)
        with pytest.raises(KeyboardInterrupt):
            work(settings)
    assert work(settings) == 1
    told = sa.select(sa.func.count()).where(AuditEntry.action == "wilayah-dipindahkan")
    assert db.session.scalar(told) == 1
    assert audit.verify().ok


def test_what_cannot_be_moved_is_refused(staff: Staff) -> None:
    for code, rest, hamlets, error in (
        (OLD, OLDER, {}, InvalidInput),
        (OLD, "", {"A": "73.03"}, InvalidInput),
        (HOME, NEIGHBOUR, {}, NotFound),
        ("73.03.97.2001", HOME, {}, NotFound),
    ):
        with pytest.raises(error):
            ask_move(code, rest, hamlets, by=staff.admin, at=AT)
    for by in (staff.manager, staff.facilitator):
        with pytest.raises(NotAllowed):
            ask_move(OLD, HOME, {}, by=by, at=AT)
        with pytest.raises(NotAllowed):
            standing_of(OLD, by=by)


def test_proposals_go_with_their_residents(staff: Staff, settings: Settings) -> None:
    """One hamlet went to another village than the rest; the meeting is read where the rest is."""
    here, there = lives(staff, OLD), lives(staff, OLD, "Baso Amir", "Barania", kk="7303010101100001")
    made = [proposed(staff.fo, person) for person in (here, there)]
    with transaction() as session:
        session.get_one(Area, OLD).active = True
    basis = meeting(staff.bo, made[0], village=OLD)
    with transaction() as session:
        session.get_one(Area, OLD).active = False
    ask_move(OLD, HOME, {"Barania": NEIGHBOUR}, by=staff.admin, at=AT)
    work(settings)
    villages = [seen(proposal, staff.fo).line.village_code for proposal in made]
    assert villages == [HOME, NEIGHBOUR]
    assert basis_in_scope(basis, staff.fo).village_code == HOME


def test_every_column_that_names_an_area_moves_or_stays() -> None:
    pointing = {
        f"{table.name}.{column.name}"
        for table in Model.metadata.tables.values()
        for column in table.columns
        if any(key.column.table.name == "area" for key in column.foreign_keys)
    }
    assert pointing == {*MOVED, *STAYS}
