"""Long lists: whatever is asked for and by whichever index it is read, the same rows in the same order, page after page."""

from __future__ import annotations

import io
import itertools
import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any
from zipfile import ZipFile

import pytest
import sqlalchemy as sa
from flask import Flask

from appliance import database
from appliance.access import Actor, Grant, scope
from appliance.casework import casebook, referral_list
from appliance.casework.case_filter import CaseFilter, matching
from appliance.casework.referral_list import list_referrals
from appliance.config import Settings
from appliance.database import db, table_of
from appliance.letters import book
from appliance.models.case import Case, Referral
from appliance.models.columns import new_id
from appliance.models.letter import Letter
from appliance.models.roles import Role
from appliance.models.states import CLOCK_STOPPED, OPEN, CaseState, ReferralState
from tests.support.desk import open_case, referred, service
from tests.support.letters import issued, signers
from tests.support.staff import AT, FAR, HOME, NEIGHBOUR, Staff, hire
from tests.support.web_client import Web, officer, web_app

MANY = 45
DAY = timedelta(days=1)
VIEWS: dict[str, dict[str, Any]] = {
    "all": {},
    "mine": {"mine": True},
    "open": {"open_only": True},
    "hers and open": {"mine": True, "open_only": True},
    "late": {"overdue": True},
    "told": {"told": True},
    "waiting for her": {"queue": True},
    "to verify": {"in_queue": "verifikasi"},
}
NARROWED: dict[str, dict[str, Any]] = {
    "everything": {},
    "ended so": {"state": CaseState.REFUSED},
    "open so": {"state": CaseState.REVIEW},
    "village": {"village_code": FAR},
    "subdistrict": {"area_code": "73.03.01"},
    "another subdistrict": {"area_code": "73.03.06"},
    "service": {"service_code": "pungutan"},
    "urgent": {"priority": "darurat"},
    "nobody's": {"owner": "-"},
    "service and urgent": {"service_code": "pungutan", "priority": "darurat"},
    "old": {"age": "30-"},
}


@pytest.fixture
def staff(app: Flask) -> Staff:
    return hire()


@pytest.fixture
def rows(app: Flask, staff: Staff) -> list[Case]:
    """Many cases of all kinds, some received at the same moment."""
    _pour(staff)
    return list(db.session.scalars(sa.select(Case)))


def _pour(staff: Staff) -> None:
    dice = random.Random(7)  # noqa: S311  the same cases in every run
    first = db.session.get_one(Case, open_case(staff.fo))
    like = {column.name: getattr(first, column.key) for column in table_of(Case).columns}
    kinds = [service(), service("pungutan")]
    owners = [None, staff.bo.account_id, staff.supervisor.account_id, staff.manager.account_id]
    copies = []
    for number in range(MANY):
        state = dice.choice(list(CaseState))
        received = AT - dice.choice((1, 2, 40, 90)) * DAY
        copies.append(
            like
            | {"id": new_id(), "number": f"SLRT-7303-202601-{number:05d}", "request_id": None, "state": state}
            | {"village_code": dice.choice((HOME, NEIGHBOUR, FAR)), "service_type_id": dice.choice(kinds)}
            | {"priority": dice.choice(("darurat", "cepat", "biasa")), "confidential": dice.random() < 0.2}
            | {"owner_id": dice.choice(owners), "created_by": dice.choice((staff.bo.account_id, staff.fo.account_id))}
            | {"received_at": received, "deadline": received + dice.choice((3, 60)) * DAY}
            | {"escalation": dice.choice((None, 1, 2, 3, 4)) if state in OPEN else None}
        )
    with database.transaction() as session:
        session.execute(sa.insert(table_of(Case)), copies)


def readers(staff: Staff) -> dict[str, Actor]:
    of_two = Actor.holding(
        staff.fo.account_id, "X", "x", [Grant(Role.SUPERVISOR, ("73.03.01",)), Grant(Role.FASILITATOR, (FAR,))]
    )
    return {"bo": staff.bo, "manager": staff.manager, "head": staff.leader, "village": staff.facilitator, "two": of_two}


def _sees(case: Case, by: Actor) -> bool:
    trusted = by.has_in(case.village_code, Role.BO, Role.SUPERVISOR, Role.MANAJER)
    hers = by.account_id in (case.created_by, case.owner_id)
    return by.covers(case.village_code) and (not case.confidential or trusted or hers)


def _fits(case: Case, wanted: dict[str, Any], by: Actor, of_kind: str) -> bool:
    """What the words of the filter mean, said once more without a database; a queue's states are not asked here."""
    asked = {
        "state": lambda value: case.state == value,
        "mine": lambda _: by.account_id in (case.created_by, case.owner_id),
        "open_only": lambda _: case.state in OPEN,
        "overdue": lambda _: case.state in OPEN - CLOCK_STOPPED and case.deadline is not None and case.deadline < AT,
        "village_code": lambda value: case.village_code == value,
        "area_code": lambda value: case.village_code.startswith(f"{value}."),
        "service_code": lambda _: case.service_type_id == of_kind,
        "priority": lambda value: case.priority == value,
        "owner": lambda _: case.owner_id is None,
        "age": lambda _: case.received_at < AT - 44 * DAY,
    }
    return _sees(case, by) and all(asked[name](value) for name, value in wanted.items() if name in asked)


def _paged(wanted: CaseFilter, by: Actor) -> tuple[list[str], int]:
    """Every page of a list, and what its first page tells of their number."""
    found: list[str] = []
    after, total = "", -1
    for _ in range(MANY):
        page = casebook.list_cases(wanted, by=by, at=AT, after=after)
        found += [line.id for line in page.cases]
        total = page.total if total < 0 else total
        if not (after := page.following):
            return found, total
    raise AssertionError("a list without an end")


def test_every_list_is_what_its_words_say(rows: list[Case], staff: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(casebook, "PAGE_SIZE", 8)
    kind = service("pungutan")
    newest = sorted(rows, key=lambda case: (case.received_at, case.id), reverse=True)
    everybody = list(readers(staff).items())
    for turn, ((view, shown), (name, narrowed)) in enumerate(itertools.product(VIEWS.items(), NARROWED.items())):
        asks = (turn + turn // len(NARROWED)) % len(everybody)  # each filter by everybody, but not in every view
        for who, by in everybody if not narrowed else everybody[asks : asks + 1]:
            wanted = {**shown, **narrowed}
            found, total = _paged(CaseFilter(**wanted), by)
            expected = [case.id for case in newest if _fits(case, wanted, by, kind)]
            assert len(set(found)) == len(found) == total, (view, name, who)
            if view in ("told", "waiting for her", "to verify"):
                assert set(found) <= set(expected), (view, name, who)
            else:
                assert found == expected, (view, name, who)


def test_a_case_is_counted_once_and_to_a_limit(rows: list[Case], staff: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    both = [case for case in rows if case.created_by == case.owner_id == staff.bo.account_id]
    hers = [case for case in rows if staff.bo.account_id in (case.created_by, case.owner_id)]
    assert both
    assert casebook.count_matching(CaseFilter(mine=True), by=staff.bo, at=AT) == len(hers)
    for wanted in (CaseFilter(mine=True), CaseFilter(open_only=True), CaseFilter()):
        monkeypatch.setattr(casebook, "MOST_COUNTED", 10)
        page = casebook.list_cases(wanted, by=staff.bo, at=AT)
        assert (page.total, page.capped) == (10, True), wanted


def _referrals(staff: Staff) -> list[Referral]:
    """Copies of one sent referral, unfinished and finished ones, some of them at the same moment."""
    first = db.session.get_one(Referral, referred(staff))
    like = {column.name: getattr(first, column.key) for column in table_of(Referral).columns}
    states = (ReferralState.SENT, ReferralState.ACCEPTED, ReferralState.ANSWERED, ReferralState.DECLINED)
    copies = [
        like
        | {"id": new_id(), "number": f"RJK-7303-202601-{number:05d}", "request_id": None, "state": states[number % 4]}
        | {"reply_due": AT + (number % 3 - 1) * DAY, "finished_at": AT - number % 5 * DAY if number % 4 > 1 else None}
        for number in range(16)
    ]
    with database.transaction() as session:
        session.execute(sa.insert(table_of(Referral)), copies)
    return list(db.session.scalars(sa.select(Referral)))


def _all_referrals(by: Actor, **wanted: Any) -> Sequence[str]:
    found: list[str] = []
    after = ""
    for _ in range(20):
        page = list_referrals(by=by, at=AT, after=after, **wanted)
        found += [line.id for line in page.referrals]
        if not (after := page.following):
            assert page.total == len(found)
            return found
    raise AssertionError("a list without an end")


def test_referrals_page_from_what_is_due_to_what_was_finished(staff: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(referral_list, "PAGE_SIZE", 3)
    rows = _referrals(staff)

    def moment(row: Referral) -> datetime:
        return row.finished_at or row.reply_due or AT

    due = sorted((row for row in rows if row.finished_at is None), key=lambda row: (moment(row), row.id))
    finished = sorted((row for row in rows if row.finished_at), key=lambda row: (moment(row), row.id), reverse=True)
    everything = [row.id for row in (*due, *finished)]
    for by in (staff.dinkes, staff.bo, staff.facilitator):
        assert _all_referrals(by) == everything, by.name
        for state in (ReferralState.SENT, ReferralState.DECLINED):
            assert _all_referrals(by, state=state) == [row.id for row in (*due, *finished) if row.state == state], by.name
        assert _all_referrals(by, late=True) == [row.id for row in due if moment(row) < AT], by.name
        assert list_referrals(by=by, at=AT, after="7~kemarin~x").referrals, "what is no place is the beginning"
    for by in (staff.disdik, staff.neighbour, staff.stranger):
        assert _all_referrals(by) == [], by.name
        assert list_referrals(by=by, at=AT).total == 0, by.name


@pytest.mark.parametrize("known", [False, True], ids=["without statistics", "with statistics"])
def test_the_lists_of_a_village_are_read_from_an_index_alone(
    rows: list[Case], staff: Staff, settings: Settings, known: bool
) -> None:
    """Her search by a number, and her referrals that ended: neither reads the rows of all that lies in her village."""
    if settings.database.url:
        pytest.skip("PostgreSQL plans by its statistics")
    _referrals(staff)
    if known:
        database.refresh_statistics(settings)
    with database.create_service(settings).app_context():  # a connection that has read what there is to know
        asked = {
            "ix_case_newest_of_village": matching(CaseFilter(text="SLRT-7303-202611"), by=staff.facilitator, at=AT)[0],
            "ix_referral_finished_of_case": referral_list.parts_of("", staff.facilitator)["1"],
        }
        for index, statement in asked.items():
            plan = _plan(statement)
            # Whether all of it or only the numbers are asked of the index, the rows of the others are not read for them.
            assert any(f"COVERING INDEX {index}" in line or f"INDEX {index} (village_code=?)" in line for line in plan), plan


@pytest.mark.parametrize("known", [False, True], ids=["without statistics", "with statistics"])
def test_a_number_is_found_without_walking_the_district(rows: list[Case], staff: Staff, settings: Settings, known: bool) -> None:
    if settings.database.url:
        pytest.skip("PostgreSQL plans by its statistics")
    if known:
        database.refresh_statistics(settings)
    with database.create_service(settings).app_context():
        by_number = _plan(matching(CaseFilter(text="SLRT-7303-202611-0"), by=staff.bo, at=AT)[0])
        by_year = _plan(matching(CaseFilter(text="SLRT-7303-2026"), by=staff.bo, at=AT)[0])
    assert any("(number>? AND number<?)" in line for line in by_number), by_number
    assert by_year == ["SEARCH case USING INDEX ix_case_newest (received_at<?)"], "and from its end, without sorting"


@pytest.mark.parametrize("known", [False, True], ids=["without statistics", "with statistics"])
def test_whom_a_letter_names_is_asked_of_that_letter(rows: list[Case], staff: Staff, settings: Settings, known: bool) -> None:
    """Where no letter names several cases, what is known of the other tables must not make a list read every case."""
    if settings.database.url:
        pytest.skip("PostgreSQL plans by its statistics")
    if known:
        database.refresh_statistics(settings)
    with database.create_service(settings).app_context():
        plan = _plan(scope(sa.select(Letter.id).where(Letter.number == "1"), Letter, staff.facilitator))
    assert not [line for line in plan if line.startswith("SCAN")], plan


def _plan(statement: sa.Select[Any]) -> list[str]:
    text = str(statement.compile(db.engine, compile_kwargs={"literal_binds": True}))
    return [row.detail for row in db.session.execute(sa.text(f"EXPLAIN QUERY PLAN {text}"))]


@pytest.fixture
def pages(settings: Settings) -> Iterator[Flask]:
    app = web_app(settings)
    yield app
    with app.app_context():
        database.db.engine.dispose()


def test_the_register_is_printed_to_its_end(pages: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(book, "MOST_PRINTED", 2)
    with pages.app_context():
        staff = hire()
        signer = signers(staff)
        case = open_case(staff.fo)
        for _ in range(3):
            issued(staff, signer, case, again=True)
        numbers = [line.number for line in reversed(book.list_letters(book.LetterFilter(), by=staff.bo, at=AT).letters)]
        officer("bo", Role.BO)
        db.session.remove()
    web = Web(pages)
    web.sign_in("bo")
    first = web.get("/surat/register/cetak").text
    assert [number in first for number in numbers] == [True, True, False]
    assert "masih ada surat berikutnya" in first
    following = first.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    last = web.get(following).text
    assert [number in last for number in numbers] == [False, False, True]
    assert '<td class="position">3</td>' in last
    assert "bagian terakhir" in last
    assert "Bagian berikutnya" not in last
    told = {address: _texts(web.get(address).data) for address in ("/surat/register.xlsx", following.replace("/cetak", ".xlsx"))}
    assert [[number in text for number in numbers] for text in told.values()] == [[True, True, False], [False, False, True]]
    assert ["Belum lengkap" in text for text in told.values()] == [True, False]


def _texts(workbook: bytes) -> str:
    with ZipFile(io.BytesIO(workbook)) as opened:
        return b"".join(opened.read(name) for name in opened.namelist() if name.endswith(".xml")).decode()
