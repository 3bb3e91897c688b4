"""Opening a case and moving it: what is stored, what is refused, and that nothing is done twice."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from appliance.casework import casebook, cases
from appliance.casework.case_filter import CaseFilter
from appliance.database import WRITER, db, transaction
from appliance.errors import Conflict, InvalidInput, NotAllowed, NotFound
from appliance.models.case import Case, CaseEvent
from appliance.models.states import CaseState
from appliance.registry import people
from tests.support.desk import decided, move, new_case, open_case, request, resident, service
from tests.support.staff import AT, FAR, HOME, Staff


def state_of(case: str, staff: Staff) -> CaseState:
    return casebook.look_at_case(case, by=staff.supervisor, at=AT).line.state


def test_numbers_run_by_month_of_the_office(app: Flask, staff: Staff) -> None:
    person = resident(staff.fo)
    at_month_end = AT.replace(day=30, hour=17)  # the first of December in Bantaeng
    numbers = [
        cases.open_case(new_case(person), request_id=request(), by=staff.fo, at=at).number for at in (AT, AT, at_month_end)
    ]
    assert numbers == ["SLRT-7303-202611-00001", "SLRT-7303-202611-00002", "SLRT-7303-202612-00001"]


def test_all_problems_are_told_at_once(app: Flask, staff: Staff) -> None:
    wrong = cases.NewCase(
        applicant_id="nobody", service_type_id="none", kind="x", description=" ", category="ZZ", channel="y", priority="darurat",
        vulnerable_groups=("raja",), reporter_is_proxy=True, received_at=AT + timedelta(days=1),
    )  # fmt: skip
    with pytest.raises(InvalidInput) as caught:
        cases.open_case(wrong, request_id=request(), by=staff.fo, at=AT)
    assert set(caught.value.problems) == {
        *("service_type_id", "kind", "description", "category", "channel", "priority_reason"),
        *("vulnerable_groups", "reporter_name", "received_at", "informed"),
    }


def test_a_second_press_opens_nothing(app: Flask, staff: Staff) -> None:
    new = new_case(resident(staff.fo))
    first = cases.open_case(new, request_id="once", by=staff.fo, at=AT)
    assert cases.open_case(new, request_id="once", by=staff.fo, at=AT) == first
    assert db.session.query(Case).count() == 1


def test_the_deadline_follows_service_and_priority(app: Flask, staff: Staff) -> None:
    plain = casebook.look_at_case(open_case(staff.fo), by=staff.fo, at=AT)
    urgent = open_case(staff.fo, priority="darurat", priority_reason="Pendarahan")
    assert plain.line.deadline == AT.replace(day=25, hour=8)  # three working days after Friday, 16.00 WITA
    assert casebook.look_at_case(urgent, by=staff.fo, at=AT).line.deadline == AT.replace(day=23, hour=8)


def test_the_clock_stands_still_while_the_citizen_is_to_act(app: Flask, staff: Staff) -> None:
    case = open_case(staff.fo)
    before = casebook.look_at_case(case, by=staff.fo, at=AT).line.deadline
    move(case, staff.bo, "kembalikan", return_reasons="berkas_kurang", missing_papers="1", note="KK kurang")
    late = AT + timedelta(days=30)
    assert not casebook.look_at_case(case, by=staff.fo, at=late).line.overdue
    move(case, staff.fo, "kirim_ulang", at=late, note="KK dilampirkan")
    after = casebook.look_at_case(case, by=staff.fo, at=late).line
    assert before == AT.replace(day=25, hour=8)
    # six hours of Friday and twenty days, over Christmas: Monday, 14.00 WITA
    assert after.deadline == AT.replace(month=12, day=28, hour=6)


@pytest.mark.parametrize(
    ("who", "action", "fields", "error"),
    [
        ("fo", "ambil", {}, NotAllowed),
        ("manager", "tetapkan_dirujuk", {}, Conflict),  # not from this state
        ("bo", "terbang", {}, InvalidInput),
        ("bo", "kembalikan", {}, InvalidInput),  # a reason is wanted
        ("fo", "selesaikan_langsung", {"outcome": "informasi", "outcome_note": "x", "citizen_note": "y"}, NotAllowed),
        ("dinkes", "ambil", {}, NotFound),
        ("stranger", "ambil", {}, NotFound),
        ("leader", "ambil", {}, NotAllowed),
        ("admin", "ambil", {}, NotFound),
    ],
)
def test_what_is_refused_changes_nothing(
    app: Flask, staff: Staff, who: str, action: str, fields: dict[str, str], error: type[Exception]
) -> None:
    case = open_case(staff.fo)
    version = casebook.look_at_case(case, by=staff.fo, at=AT).row_version
    with pytest.raises(error):
        cases.move_case(case, action, fields, row_version=version, by=getattr(staff, who), at=AT)
    seen = casebook.look_at_case(case, by=staff.fo, at=AT)
    assert (seen.line.state, len(seen.events), seen.row_version) == (CaseState.NEW, 1, version)


def test_one_who_saw_an_older_state_is_told(app: Flask, staff: Staff) -> None:
    case = open_case(staff.fo)
    seen = casebook.look_at_case(case, by=staff.bo, at=AT)
    move(case, staff.supervisor, "ambil")
    with pytest.raises(Conflict, match="diubah oleh petugas lain"):
        cases.move_case(case, "ambil", {}, row_version=seen.row_version, by=staff.bo, at=AT)


def test_a_simple_question_ends_at_the_counter(app: Flask, staff: Staff) -> None:
    case = open_case(staff.fo, service_type_id=service("informasi"), kind="pertanyaan")
    move(case, staff.fo, "selesaikan_langsung", outcome="informasi", outcome_note="Dijelaskan", citizen_note="Syarat PKH")
    seen = casebook.look_at_case(case, by=staff.fo, at=AT)
    assert seen.line.state is CaseState.DONE
    assert seen.events[-1].citizen_note == "Syarat PKH"
    assert seen.events[-1].details == {"Hasil": "Informasi diberikan", "Uraian hasil": "Dijelaskan"}


def test_a_duplicate_names_its_original(app: Flask, staff: Staff) -> None:
    person = resident(staff.fo)
    original, double = open_case(staff.fo, person), open_case(staff.fo, person)
    number = casebook.look_at_case(original, by=staff.bo, at=AT).line.number
    move(double, staff.bo, "ambil")
    for wrong in ("SLRT-7303-202611-99999", casebook.look_at_case(double, by=staff.bo, at=AT).line.number):
        with pytest.raises(InvalidInput):
            move(double, staff.bo, "tandai_duplikat", duplicate_of=wrong)
    move(double, staff.bo, "tandai_duplikat", duplicate_of=number.lower())
    assert db.session.get_one(Case, double).duplicate_of_id == original


def test_fields_that_no_step_asks_for_change_nothing(app: Flask, staff: Staff) -> None:
    case = open_case(staff.fo)
    move(case, staff.bo, "ambil", state="DITUTUP", priority="darurat", outcome="terpenuhi", owner_id=staff.fo.account_id)
    row = db.session.get_one(Case, case)
    assert (row.state, row.priority, row.outcome, row.owner_id) == ("VERIFIKASI", "biasa", "", staff.bo.account_id)


def test_an_emergency_is_referred_at_once(app: Flask, staff: Staff) -> None:
    case = open_case(staff.fo, priority="darurat", priority_reason="Melahirkan")
    move(case, staff.fo, "rujuk_darurat", note="Ke IGD")
    assert state_of(case, staff) is CaseState.REFERRED


def test_reopening_ends_after_ninety_days(app: Flask, staff: Staff) -> None:
    case = open_case(staff.fo, service_type_id=service("informasi"))
    move(case, staff.fo, "selesaikan_langsung", outcome="informasi", outcome_note="x", citizen_note="y")
    with pytest.raises(NotAllowed, match="90 hari"):
        move(case, staff.supervisor, "buka_kembali", at=AT + timedelta(days=91), note="Belum puas")
    move(case, staff.supervisor, "buka_kembali", at=AT + timedelta(days=90), note="Belum puas")
    assert state_of(case, staff) is CaseState.REVIEW


def test_lists_show_what_waits_for_whom(app: Flask, staff: Staff) -> None:
    plain = open_case(staff.fo)
    urgent = open_case(staff.fo, priority="darurat", priority_reason="IGD")
    decided_case = decided(staff)

    def ids(by: str, **wanted: object) -> list[str]:
        found = casebook.list_cases(CaseFilter(**wanted), by=getattr(staff, by), at=AT)
        return [line.id for line in found.cases]

    assert ids("bo", queue=True) == [urgent, plain, decided_case]
    assert ids("manager", queue=True) == []
    assert set(ids("bo", mine=True)) == {decided_case}
    assert set(ids("fo", mine=True)) == {plain, urgent, decided_case}
    assert ids("fo", state="DIRUJUK") == [decided_case]


def test_cases_are_found_by_number_name_nik_and_village(app: Flask, staff: Staff) -> None:
    one = open_case(staff.fo, resident(staff.fo, "Sitti Aminah", nik="7303014101800001"))
    other = open_case(staff.fo, resident(staff.fo, "Baharuddin", village=FAR))
    number = casebook.look_at_case(one, by=staff.fo, at=AT).line.number

    def found(**wanted: str) -> list[str]:
        return [line.id for line in casebook.list_cases(CaseFilter(**wanted), by=staff.fo, at=AT).cases]

    assert found(text=number.lower()) == [one]
    for beginning in ("slrt-", number[:9], number[:14], number[:16], number[:-1]):
        assert set(found(text=beginning)) == {one, other}, beginning
    assert found(text=f"{number[:10]}{int(number[10:14]) - 1}") == [], "of the year before"
    assert found(text="SLRT-7303-9999") == [], "no year comes after that one"
    assert found(text="st. aminah") == [one]
    assert found(text="7303014101800001") == [one]
    assert found(text="tidak ada") == []
    assert found(text="--") == []
    assert found(village_code=FAR) == [other]
    assert set(found()) == {one, other}


def test_history_cannot_be_edited(app: Flask, staff: Staff) -> None:
    case = open_case(staff.fo)
    event = db.session.query(CaseEvent).filter_by(case_id=case).one()
    for change in ("UPDATE case_event SET note = 'lain'", "DELETE FROM case_event"):
        with pytest.raises(Exception, match="append-only"), transaction() as session:
            session.connection().exec_driver_sql(change)
    db.session.refresh(event)
    assert event.note == ""


def test_a_case_is_where_the_applicant_lives(app: Flask, staff: Staff) -> None:
    case = open_case(staff.facilitator, channel="lapangan")
    assert casebook.look_at_case(case, by=staff.fo, at=AT).line.village_code == HOME
    with pytest.raises(NotFound):
        open_case(staff.neighbour, resident(staff.fo))


@pytest.mark.parametrize(
    ("code", "changes", "wrong"),
    [
        ("pangan", {"outcome": "terpenuhi", "citizen_note": "Diberi"}, {"outcome"}),
        ("informasi", {"outcome": "terpenuhi"}, {"citizen_note"}),
        ("informasi", {"citizen_note": "Diberi tahu"}, {"outcome"}),
        ("informasi", {"outcome": "hebat", "citizen_note": "Diberi tahu"}, {"outcome"}),
    ],
)
def test_what_cannot_be_solved_at_the_counter_opens_nothing(
    staff: Staff, code: str, changes: dict[str, str], wrong: set[str]
) -> None:
    with pytest.raises(InvalidInput) as raised:
        open_case(staff.fo, service_type_id=service(code), **changes)
    assert set(raised.value.problems) == wrong
    assert db.session.query(Case).count() == 0


@pytest.mark.parametrize(
    ("code", "kind"),
    [("informasi", "pertanyaan"), ("cek-kepesertaan", "pertanyaan"), ("pungutan", "pengaduan"), ("sanggah", "pengaduan"),
     ("reaktivasi-pbi", "pengaduan"), ("pangan", "permohonan"), ("usulan-dtsen", "permohonan")],
)  # fmt: skip
def test_the_service_says_what_kind_of_case_it_is(staff: Staff, code: str, kind: str) -> None:
    case = open_case(staff.fo, service_type_id=service(code), kind="")
    assert casebook.look_at_case(case, by=staff.bo, at=AT).kind == kind


def test_nobody_who_writes_waits_while_a_page_is_gathered(app: Flask, staff: Staff) -> None:
    person = resident(staff.fo)
    case = open_case(staff.fo, person)
    in_turn: list[str] = []

    def note(connection: sa.Connection, _cursor: object, statement: str, *_rest: object) -> None:
        if connection.get_execution_options().get(WRITER):
            in_turn.append(statement)

    sa.event.listen(db.engine, "before_cursor_execute", note)
    try:
        casebook.look_at_case(case, by=staff.fo, at=AT)
        people.look_at_person(person, by=staff.fo, at=AT)
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", note)
    assert sum("INSERT INTO audit_entry" in statement for statement in in_turn) == 2
    assert not [statement for statement in in_turn if "FROM person" in statement or 'FROM "case"' in statement]
