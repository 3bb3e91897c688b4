"""Visits: planned by the supervisor, made by the facilitator, judged by another; what they keep, and on whose list they stand."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from appliance.access import Actor, Grant
from appliance.casework import casebook, cases, papers, visits
from appliance.casework.case_detail import CaseDetail
from appliance.database import db, transaction
from appliance.errors import Conflict, InvalidInput, NotAllowed, NotFound
from appliance.letters.facts import About, gather
from appliance.letters.office import letterhead
from appliance.letters.placeholders import PAPER
from appliance.models.case import Case
from appliance.models.roles import Role
from appliance.models.states import CaseState, VisitState
from appliance.models.visit import VisitReport
from tests.support.desk import confirm, move, open_case, resident, service, show_papers
from tests.support.pictures import photo
from tests.support.staff import AT, Staff, employ, hire_one

SEEN = {"visit_result": "sesuai", "visit_date": "2026-11-20", "note": "Atap roboh, lantai tanah"}
PLAN = {"planned_date": "2026-11-20", "note": "Lihat atapnya"}


@pytest.fixture
def case(app: Flask, staff: Staff) -> str:
    """A case that cannot be confirmed without a visit, taken by the supervisor."""
    employ(staff.facilitator, staff.neighbour, staff.fo)
    case = open_case(staff.facilitator, service_type_id=service("rumah"), channel="lapangan")
    move(case, staff.supervisor, "ambil")
    return case


def plan(case: str, staff: Staff, **changes: str) -> None:
    move(case, staff.supervisor, "jadwalkan_kunjungan", **{"visitor": staff.facilitator.account_id, **PLAN, **changes})


def visit_of(case: str, staff: Staff) -> visits.VisitLine:
    return casebook.look_at_case(case, by=staff.supervisor, at=AT).visits[0]


def report(case: str, staff: Staff, *photos: bytes, **changes: str) -> None:
    version = casebook.look_at_case(case, by=staff.facilitator, at=AT).row_version
    fields = {**SEEN, **changes}
    cases.move_case(case, "isi_kunjungan", fields, photos=photos, row_version=version, by=staff.facilitator, at=AT)


def test_from_the_plan_to_the_confirmed_case(case: str, staff: Staff) -> None:
    plan(case, staff)
    (waiting,) = visits.list_visits(by=staff.facilitator, at=AT).to_do
    assert (waiting.case_id, waiting.instruction, waiting.late) == (case, "Lihat atapnya", False)
    assert visits.list_visits(by=staff.neighbour, at=AT).to_do == ()
    report(case, staff, photo("peru"), photo("navy"), witness="Ketua RT 2", latitude="-5,541700", longitude="119.95")
    seen = visit_of(case, staff)
    assert (seen.state, seen.place, seen.witness) == (VisitState.REPORTED, "-5.541700, 119.950000", "Ketua RT 2")
    assert [line.case_id for line in visits.list_visits(by=staff.facilitator, at=AT).reported] == [case]
    assert [line.case_id for line in visits.list_visits(by=staff.supervisor, at=AT).to_judge] == [case]
    move(case, staff.supervisor, "sahkan_kunjungan")
    assert visit_of(case, staff).state is VisitState.CONFIRMED
    confirm(case, staff.supervisor)
    found = casebook.look_at_case(case, by=staff.facilitator, at=AT)
    assert [event.action for event in found.events[-2:]] == ["sahkan", "teruskan_otomatis"]
    assert found.line.state is CaseState.REVIEW, "what came from the field goes on by itself"
    assert len([paper for paper in found.papers.others if paper.of_visit and paper.has_thumbnail]) == 2


def test_without_a_confirmed_visit_the_case_is_not_confirmed(case: str, staff: Staff) -> None:
    show_papers(case, staff.supervisor)
    for result, refused in (("tidak_bertemu", True), ("sesuai", False)):
        report(case, staff, visit_result=result)
        assert "sahkan" not in actions(case, staff), "a report waits to be judged"
        move(case, staff.supervisor, "sahkan_kunjungan")
        assert ("sahkan" not in actions(case, staff)) is refused, result


def actions(case: str, staff: Staff) -> list[str]:
    return [offer.action for offer in casebook.look_at_case(case, by=staff.supervisor, at=AT).actions]


def test_a_returned_report_says_why_and_is_filled_again(case: str, staff: Staff) -> None:
    report(case, staff)
    move(case, staff.supervisor, "kembalikan_kunjungan", visit_reasons="foto_kurang,tanda_tangan", note="Foto dari depan")
    (waiting,) = visits.list_visits(by=staff.facilitator, at=AT).to_do
    assert waiting.judgement == "Foto kurang; Nama atau tanda tangan RT/RW belum ada\nFoto dari depan"
    report(case, staff, note="Foto ditambah")
    assert visit_of(case, staff).state is VisitState.REPORTED
    assert len(casebook.look_at_case(case, by=staff.supervisor, at=AT).visits) == 1


def test_every_report_is_kept_as_it_was(case: str, staff: Staff) -> None:
    report(case, staff, photo("peru"), witness="RT 1", latitude="-5.5", longitude="119.9")
    move(case, staff.supervisor, "kembalikan_kunjungan", visit_reasons="foto_kurang", note="Foto dari depan")
    assert visit_of(case, staff).returned == (), "it still stands in the visit itself"
    report(case, staff, visit_result="tidak_sesuai", note="Rumahnya ternyata bagus")
    move(case, staff.supervisor, "kembalikan_kunjungan", visit_reasons="tanda_tangan")
    report(case, staff, note="Ketiga kali")
    visit = visit_of(case, staff)
    assert visit.report == "Ketiga kali"
    told = [(line.report, line.result, line.witness, line.judgement.partition("\n")[2]) for line in visit.returned]
    assert told == [
        ("Atap roboh, lantai tanah", "Sesuai dengan laporan", "RT 1", "Foto dari depan"),
        ("Rumahnya ternyata bagus", "Tidak sesuai dengan laporan", "", ""),
    ]
    assert [line.place for line in visit.returned] == ["-5.500000, 119.900000", ""]
    with pytest.raises(Exception, match="append-only"), transaction() as session:
        session.execute(sa.update(VisitReport).values(report="Bagus"))


def test_who_reported_once_does_not_judge_the_next_report(case: str, staff: Staff) -> None:
    both = hire_one("supervisor.tksk", Role.SUPERVISOR, ("73.03",))
    both = Actor.holding(
        both.account_id, both.name, both.username, [Grant(role, ("73.03",)) for role in (Role.SUPERVISOR, Role.TKSK)]
    )
    move(case, both, "isi_kunjungan", **SEEN)
    move(case, staff.supervisor, "kembalikan_kunjungan", visit_reasons="foto_kurang")
    report(case, staff)
    with pytest.raises(NotAllowed, match="bukan yang berkunjung"):
        move(case, both, "sahkan_kunjungan")


def test_the_photos_of_a_confirmed_visit_are_not_taken_away_by_who_made_them(case: str, staff: Staff) -> None:
    report(case, staff, photo("peru"), photo("navy"))
    first, second = (paper.id for paper in casebook.look_at_case(case, by=staff.facilitator, at=AT).papers.others)
    papers.remove_paper(first, by=staff.facilitator, at=AT)
    move(case, staff.supervisor, "sahkan_kunjungan")
    with pytest.raises(NotAllowed, match="sudah disahkan"):
        papers.remove_paper(second, by=staff.facilitator, at=AT)
    assert papers.remove_paper(second, by=staff.supervisor, at=AT) == case


def test_nobody_judges_her_own_visit_and_one_at_a_time(case: str, staff: Staff) -> None:
    plan(case, staff)
    with pytest.raises(NotAllowed, match="belum selesai"):
        plan(case, staff)
    report(case, staff)
    for action in ("sahkan_kunjungan", "kembalikan_kunjungan"):
        with pytest.raises(NotAllowed):
            move(case, staff.facilitator, action, visit_reasons="foto_kurang")
    with pytest.raises(NotAllowed, match="belum diperiksa"):
        report(case, staff)


def test_a_plan_is_cancelled_with_a_reason(case: str, staff: Staff) -> None:
    plan(case, staff)
    with pytest.raises(InvalidInput):
        move(case, staff.supervisor, "batalkan_kunjungan")
    move(case, staff.supervisor, "batalkan_kunjungan", note="Jalan putus")
    assert visits.list_visits(by=staff.facilitator, at=AT).to_do == ()
    plan(case, staff)


WRONG: tuple[tuple[dict[str, str], str], ...] = (
    ({"visit_date": "2026-11-21"}, "visit_date"),
    ({"visit_date": "2026-11-19"}, "visit_date"),
    ({"visit_result": "senang"}, "visit_result"),
    ({"latitude": "-5.5"}, "longitude"),
    ({"latitude": "utara", "longitude": "119"}, "latitude"),
    ({"latitude": "-91", "longitude": "119"}, "latitude"),
    ({"witness": "x" * 121}, "witness"),
    ({"note": ""}, "note"),
)


def test_a_wrong_report_changes_nothing(case: str, staff: Staff) -> None:
    for changes, field in WRONG:
        with pytest.raises(InvalidInput) as caught:
            report(case, staff, **changes)
        assert set(caught.value.problems) == {field}, changes
        db.session.rollback()
    with pytest.raises(InvalidInput) as caught:
        report(case, staff, b"%PDF-1.4\n%%EOF\n")
    assert set(caught.value.problems) == {"photos"}
    found = casebook.look_at_case(case, by=staff.supervisor, at=AT)
    assert (found.visits, found.events[-1].action) == ((), "ambil")


def test_only_who_serves_the_village_is_sent(case: str, staff: Staff) -> None:
    for wrong in ({"visitor": staff.neighbour.account_id}, {"visitor": staff.fo.account_id}, {"planned_date": "2026-11-19"}):
        with pytest.raises(InvalidInput):
            plan(case, staff, **wrong)
    assert visit_states(case, staff) == []


def visit_states(case: str, staff: Staff) -> list[VisitState]:
    return [line.state for line in casebook.look_at_case(case, by=staff.supervisor, at=AT).visits]


def test_a_visit_that_was_not_made_in_time_is_late(case: str, staff: Staff) -> None:
    plan(case, staff)
    assert visits.list_visits(by=staff.facilitator, at=AT + timedelta(days=1)).to_do[0].late


def test_the_sheet_of_a_confidential_case_tells_no_neighbour_why(app: Flask, staff: Staff) -> None:
    employ(staff.facilitator)
    person = resident(staff.fo, address="Jl. Bakri 3", kk="7303010101100001")
    sheets = []
    for confidential in (False, True):
        case = open_case(staff.facilitator, person, channel="lapangan", confidential=confidential, description="Pungutan")
        move(case, staff.supervisor, "ambil")
        plan(case, staff)
        key = visit_of(case, staff).id
        sheets.append(visits.sheet_of(key, by=staff.facilitator, at=AT))
        for who in (staff.neighbour, staff.stranger, staff.dinkes):
            with pytest.raises(NotFound):
                visits.sheet_of(key, by=who, at=AT)
    assert [sheet.complaint for sheet in sheets] == ["Pungutan", ""]
    assert [bool(sheet.visit.service) for sheet in sheets] == [True, False]
    assert [sheet.visit.instruction for sheet in sheets] == ["Lihat atapnya", ""]
    assert sheets[0].address == "Jl. Bakri 3"


def test_whoever_is_sent_sees_what_is_confidential_but_not_who_reported(app: Flask, staff: Staff) -> None:
    employ(staff.facilitator)
    told = {"confidential": True, "reporter_name": "Tetangga Takut", "reporter_relation": "Tetangga", "reporter_phone": "0813"}
    case = open_case(staff.fo, service_type_id=service("sanggah"), **told)
    move(case, staff.supervisor, "ambil")

    def look(by: Actor) -> CaseDetail:
        return casebook.look_at_case(case, by=by, at=AT)

    with pytest.raises(NotFound):
        look(staff.facilitator)
    plan(case, staff)
    assert [line.case_id for line in visits.list_visits(by=staff.facilitator, at=AT).to_do] == [case]
    seen = look(staff.facilitator)
    assert (seen.reporter_name, seen.reporter_relation, seen.reporter_phone) == ("", "", "")
    form = gather(About(db.session.get_one(Case, case), PAPER, letterhead(), ""), by=staff.facilitator, at=AT)
    assert "Tetangga" not in str(form)
    assert look(staff.fo).reporter_name == look(staff.bo).reporter_name == "Tetangga Takut"
    report(case, staff)
    move(case, staff.supervisor, "sahkan_kunjungan")
    with pytest.raises(NotFound):
        look(staff.facilitator)


def test_a_plan_made_over_an_older_state_is_refused(case: str, staff: Staff) -> None:
    version = casebook.look_at_case(case, by=staff.supervisor, at=AT).row_version
    report(case, staff)
    with pytest.raises(Conflict):
        cases.move_case(case, "jadwalkan_kunjungan", PLAN, row_version=version, by=staff.supervisor, at=AT)


def test_a_sheet_shows_the_photos_of_its_own_visit_only(case: str, staff: Staff) -> None:
    report(case, staff, photo("peru"), visit_result="tidak_bertemu")
    first = visit_of(case, staff).id
    move(case, staff.supervisor, "sahkan_kunjungan")
    plan(case, staff)
    second = visit_of(case, staff).id
    assert [len(visits.sheet_of(one, by=staff.facilitator, at=AT).photos) for one in (first, second)] == [1, 0]
