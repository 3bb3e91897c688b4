"""Old codes and their successors, codes of BPS, hamlets, counts."""

from __future__ import annotations

from datetime import date

import pytest
import sqlalchemy as sa
from flask import Flask

from appliance import background
from appliance.access import Actor, Grant
from appliance.accounts import actor_of
from appliance.database import db, settings_in_use, transaction
from appliance.errors import InvalidInput, NotAllowed, NotFound
from appliance.models.account import Account, Assignment
from appliance.models.area import Area
from appliance.models.audit import AuditEntry
from appliance.models.person import Person
from appliance.models.roles import Role
from appliance.registry import area_counts, area_pages, hamlets
from appliance.registry.area_codes import AreaCodes, area_of_bps, at_any_time, current_code, load_bps, save_codes
from appliance.registry.areas import _successors, load_areas
from appliance.registry.people import look_at_person
from tests.support.desk import move, open_case, resident
from tests.support.doers_hands import Hands
from tests.support.staff import AT, FAR, HOME, NEIGHBOUR, Staff

OLD = "73.03.99.2001"


@pytest.fixture
def old(app: Flask) -> str:
    """A village code that a newer data set has dropped."""
    with transaction() as session:
        session.add(Area(code=OLD, name="Lama", level="desa", kind="desa", parent_code="73.03", active=False))
    return OLD


def last_entry() -> AuditEntry:
    return db.session.scalars(sa.select(AuditEntry).order_by(AuditEntry.position.desc()).limit(1)).one()


def test_an_old_code_leads_to_the_one_of_today(staff: Staff, old: str) -> None:
    assert current_code(old) == old, "nobody has named its successor yet"
    save_codes(old, AreaCodes(successor_code=HOME, valid_since=date(2026, 1, 1)), by=staff.admin, at=AT)
    assert (current_code(old), current_code(HOME), current_code("99.99")) == (HOME, HOME, None)
    assert (last_entry().action, last_entry().subject) == ("wilayah-kode", f"area:{old}")


def test_an_assignment_holds_under_every_code_of_its_area(staff: Staff, old: str) -> None:
    assert at_any_time([HOME]) == (HOME,)
    older = "73.03.98.2001"
    with transaction() as session:
        session.add(Area(code=older, name="Lebih lama", level="desa", kind="desa", parent_code="73.03", active=False))
        for code in (HOME, older):
            account = session.get_one(Account, (staff.facilitator if code == HOME else staff.neighbour).account_id)
            made = Assignment(account_id=account.id, role="fasilitator", area_codes=[code], starts=date(2026, 1, 1))
            made.stamp("system", AT)
            session.add(made)
    person = resident(staff.fo)
    with transaction() as session:
        session.get_one(Person, person).village_code = older
    save_codes(older, AreaCodes(successor_code=old), by=staff.admin, at=AT)
    save_codes(old, AreaCodes(successor_code=HOME), by=staff.admin, at=AT)
    assert at_any_time([HOME]) == at_any_time([older]) == (HOME, older, old)
    assert at_any_time([NEIGHBOUR, "73.03.06"]) == (NEIGHBOUR, "73.03.06")
    zone = settings_in_use().zone
    for who in (staff.facilitator, staff.neighbour):
        account = db.session.get_one(Account, who.account_id)
        db.session.refresh(account, ["assignments"])
        assert look_at_person(person, by=actor_of(account, AT, "test", zone), at=AT).line.id == person
        assert actor_of(account, AT, "test", zone).has_in(HOME, Role.FASILITATOR)


@pytest.mark.parametrize(
    ("code", "typed", "field"),
    [
        (OLD, {"successor_code": "73.03.98.2001"}, "successor_code"),
        (OLD, {"successor_code": "73.03.01"}, "successor_code"),
        (OLD, {"successor_code": OLD}, "successor_code"),
        (HOME, {"successor_code": NEIGHBOUR}, "successor_code"),
        ("73.03.01", {"bps_code": "730301"}, "bps_code"),
        ("73.03.01", {"bps_code": "7303030"}, "bps_code"),
    ],
)
def test_codes_that_cannot_be_are_refused(staff: Staff, old: str, code: str, typed: dict[str, str], field: str) -> None:
    load_bps([("7303030", "73.03.04")], at=AT)
    with pytest.raises(InvalidInput) as caught:
        save_codes(code, AreaCodes(**typed), by=staff.admin, at=AT)  # type: ignore[arg-type]
    assert set(caught.value.problems) == {field}


def test_only_the_admin_changes_codes(staff: Staff, old: str) -> None:
    for by in (staff.supervisor, staff.facilitator, staff.stranger):
        with pytest.raises(NotAllowed):
            save_codes(old, AreaCodes(successor_code=HOME), by=by, at=AT)
    with pytest.raises(NotFound):
        save_codes("99", AreaCodes(), by=staff.admin, at=AT)


def test_successors_that_the_name_tells() -> None:
    def row(code: str, name: str, level: str = "desa") -> dict[str, str]:
        return {"code": code, "name": name, "level": level}

    gone = [row("73.03.01.2001", "Bonto-Jai"), row("73.03.01.2002", "Kaloling"), row("73.03.02.2009", "Kaloling")]
    added = [row("73.03.09.2001", "BONTO JAI"), row("73.03.09.2002", "Kaloling"), row("73.04.01.2003", "Bonto Jai")]
    assert _successors(gone, added) == {"73.03.01.2001": "73.03.09.2001"}, "two of one name leave a doubt"


def test_codes_of_bps(staff: Staff) -> None:
    load_bps([("7303 030", "73.03.04"), ("7303010", "73.03.01"), ("7303010001", HOME)], at=AT)
    assert area_of_bps("7303030") == "73.03.04"
    assert area_of_bps("73 03 010 001") == HOME
    assert area_of_bps("7303010002", "KEL. BONTO  SUNGGU") == db.session.scalar(
        sa.select(Area.code).where(Area.parent_code == "73.03.01", Area.name.ilike("bonto sunggu"))
    )
    for unknown in ("", "7303010002", "9999", "7303999001", "abc"):
        assert area_of_bps(unknown) is None
    assert area_of_bps("7303010002", "Tidak Ada") is None


def test_a_file_of_bps_codes_is_loaded_whole_or_not_at_all_and_again(app: Flask) -> None:
    pairs = [("7303030", "73.03.04"), ("7303011", "73.03.06")]
    assert (load_bps(pairs, at=AT), load_bps(pairs, at=AT)) == (2, 0)
    swapped = [("7303030", "73.03.06"), ("7303011", "73.03.04")]
    assert load_bps(swapped, at=AT) == 2
    assert area_of_bps("7303030") == "73.03.06"
    with pytest.raises(InvalidInput) as caught:
        load_bps([("7303012", "73.03.08"), ("7303", "73.03.01"), ("7303031", "99.99"), ("7303012", "73.03.05")], at=AT)
    assert set(caught.value.problems) == {"baris 2", "baris 3", "baris 4"}
    assert area_of_bps("7303012") is None


def test_known_codes_are_there_after_loading_and_the_admins_own_stay(staff: Staff) -> None:
    save_codes("73.03.04", AreaCodes(bps_code="7303099"), by=staff.admin, at=AT)
    assert load_areas("73.03") > 0
    assert [area_of_bps(code) for code in ("7303011", "7303012", "5171031", "7303")] == [
        "73.03.06",
        "73.03.08",
        "51.71.04",
        "73.03",
    ]
    assert (area_of_bps("7303099"), area_of_bps("7303030")) == ("73.03.04", None)
    assert load_areas("73.03") == 0


def keeper(*areas: str) -> Actor:
    return Actor.holding("k", "K", "k", (Grant(Role.KOORDINATOR_PUSKESOS, areas), Grant(Role.FO, ("73.03",))))


def test_hamlets_are_kept_by_those_of_the_village_and_suggested_to_all(staff: Staff) -> None:
    assert hamlets.add_hamlet(HOME, "Bungung  Barania", "1", "1-3", by=keeper(HOME), at=AT) == 3
    assert hamlets.add_hamlet(HOME, "bungung barania", "001", "2-4", by=staff.supervisor, at=AT) == 1, "what is there stays"
    assert hamlets.add_hamlet(HOME, "Sarroanging", "", "", by=staff.admin, at=AT) == 1
    seen = hamlets.suggestions([HOME])
    assert (seen.rws, seen.rts) == (("001",), ("001", "002", "003", "004"))
    assert "Bungung Barania" in seen.hamlets
    assert hamlets.suggestions([NEIGHBOUR]) == hamlets.Suggestions()
    for by in (keeper(NEIGHBOUR), staff.facilitator, staff.stranger):
        with pytest.raises(NotAllowed):
            hamlets.add_hamlet(HOME, "Lain", "1", "1", by=by, at=AT)


@pytest.mark.parametrize(
    ("name", "rw", "rt", "field"),
    [("", "1", "1", "name"), ("Barania", "a", "1", "rw"), ("Barania", "1", "1-200", "rt"), ("Barania", "1", "4-1", "rt")],
)
def test_lines_that_cannot_be_are_refused(staff: Staff, name: str, rw: str, rt: str, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        hamlets.add_hamlet(HOME, name, rw, rt, by=staff.admin, at=AT)
    assert set(caught.value.problems) == {field}
    assert hamlets.hamlets_of(HOME) == ()


def test_a_line_is_taken_off_by_its_village_alone(staff: Staff) -> None:
    hamlets.add_hamlet(HOME, "Barania", "1", "1", by=staff.supervisor, at=AT)
    (line,) = hamlets.hamlets_of(HOME)
    for village, by, error in (
        (NEIGHBOUR, staff.supervisor, NotFound),
        (HOME, keeper(NEIGHBOUR), NotAllowed),
        ("73.03.01", staff.admin, NotFound),
    ):
        with pytest.raises(error):
            hamlets.remove_hamlet(village, line.id, by=by, at=AT)
    hamlets.remove_hamlet(HOME, line.id, by=staff.supervisor, at=AT)
    assert hamlets.hamlets_of(HOME) == ()
    with pytest.raises(NotFound):
        hamlets.remove_hamlet(HOME, line.id, by=staff.supervisor, at=AT)


def test_the_count_goes_on_where_it_was_cut_and_shows_how_old_it_is(staff: Staff) -> None:
    open_case(staff.fo, resident(staff.fo, "Aminah", address="Jl. Bakri"))
    done = open_case(staff.fo, resident(staff.fo, "Rahma", village=FAR))
    move(done, staff.bo, "batalkan", cancel_reason="lain", note="Salah catat")
    assert area_pages.total(area_pages.overview(by=staff.supervisor)) == area_pages.Figures()
    assert area_counts.ask_now(by=staff.supervisor, at=AT)
    assert not area_counts.ask_now(by=staff.supervisor, at=AT), "it waits already"
    task = background.begin_next(AT)
    assert task is not None
    hands = Hands(AT, parts=5)
    with pytest.raises(InterruptedError):
        area_counts.run(task, hands)
    again = background.begin_next(AT)
    assert again is not None
    assert again.done == 5
    area_counts.run(again, Hands(AT))
    figures = area_pages.total(area_pages.overview(by=staff.supervisor))
    assert (figures.people, figures.families, figures.open_cases, figures.counted_at) == (2, 1, 1, AT)
    assert len(area_counts.counts()) == 67
    with pytest.raises(NotAllowed):
        area_counts.ask_now(by=staff.facilitator, at=AT)


@pytest.mark.parametrize(
    ("who", "subdistricts"), [("supervisor", 8), ("admin", 8), ("facilitator", 1), ("stranger", 0), ("dinkes", 0)]
)
def test_the_area_page_shows_the_readers_own_areas(staff: Staff, who: str, subdistricts: int) -> None:
    assert len(area_pages.overview(by=getattr(staff, who))) == subdistricts


def test_an_area_out_of_reach_is_not_there(staff: Staff, old: str) -> None:
    assert area_pages.look_at_area(HOME, by=staff.facilitator).name
    assert [part.code for part in area_pages.look_at_area("73.03.01", by=staff.facilitator).parts] == [HOME]
    assert area_pages.look_at_area(old, by=staff.admin).active is False
    for code, by in ((NEIGHBOUR, staff.facilitator), (HOME, staff.stranger), (old, staff.supervisor), ("99.01", staff.admin)):
        with pytest.raises(NotFound):
            area_pages.look_at_area(code, by=by)


def test_the_night_is_asked_for_once(app: Flask) -> None:
    zone = app.config["SLRT_SETTINGS"].zone
    assert area_counts.ask_nightly(AT, zone)
    assert not area_counts.ask_nightly(AT, zone)
