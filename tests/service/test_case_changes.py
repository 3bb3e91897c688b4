"""What happens to a case beside its way: four eyes, successors, emergencies, delegates, marks, changes, closing and going on."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from appliance.access import Actor, Grant
from appliance.accounts import roll
from appliance.casework import casebook, cases, delegations, referral_replies, referrals
from appliance.casework.case_detail import CaseDetail
from appliance.casework.case_filter import CaseFilter
from appliance.casework.closing import close_settled
from appliance.casework.delegations import NewDelegation
from appliance.casework.history import history_is_whole
from appliance.casework.referral_replies import Return
from appliance.config import CaseworkSettings, Settings
from appliance.database import db, transaction
from appliance.errors import Conflict, InvalidInput, NotAllowed, NotFound
from appliance.models.account import Assignment
from appliance.models.case import Case, Referral
from appliance.models.profile import NationalList
from appliance.models.roles import Role
from appliance.models.states import CaseState
from appliance.models.visit import CasePaper, Delegation, Visit
from appliance.registry.list_status import NewStatus, note_status
from appliance.scheduling import office_jobs
from appliance.scheduling.workplace import Workplace
from tests.support.desk import (
    confirm,
    decided,
    move,
    new_case,
    open_case,
    prepare_referral,
    referred,
    request,
    resident,
    service,
    verify,
    version_of,
)
from tests.support.staff import AT, HOME, Staff, employ


def seen(case: str, by: Actor) -> CaseDetail:
    return casebook.look_at_case(case, by=by, at=AT)


def labels(case: str, by: Actor) -> list[str]:
    return [offer.action for offer in seen(case, by).actions]


def holding(actor: Actor, *roles: Role) -> Actor:
    """The same person with several roles."""
    return Actor.holding(actor.account_id, actor.name, actor.username, [Grant(role, ("73.03",)) for role in roles])


def test_nobody_is_both_who_does_and_who_checks(app: Flask, staff: Staff) -> None:
    both = holding(staff.fo, Role.FO, Role.BO, Role.SUPERVISOR, Role.MANAJER)
    case = open_case(both)
    with pytest.raises(NotAllowed, match="petugas lain"):
        move(case, both, "ambil")
    move(case, staff.bo, "ambil")
    confirm(case, staff.bo)
    move(case, staff.bo, "teruskan")
    move(case, both, "ajukan", recommendation="Layak")
    with pytest.raises(NotAllowed, match="orang lain"):
        move(case, both, "tetapkan_dirujuk")
    move(case, staff.manager, "tetapkan_dirujuk")


def test_who_verified_a_case_does_not_decide_about_it_as_a_delegate(app: Flask, staff: Staff) -> None:
    employ(staff.supervisor, staff.manager)
    delegations.delegate_decisions(paper(staff.supervisor), by=staff.manager, at=AT)
    case = open_case(staff.fo)
    verify(case, staff.supervisor)
    move(case, staff.bo, "ajukan", recommendation="Layak")
    for action in ("tetapkan_dirujuk", "tetapkan_ditangani", "tolak"):
        with pytest.raises(NotAllowed, match="bukan yang mengesahkan"):
            move(case, staff.supervisor, action, note="Tidak", citizen_note="Maaf")
    recorder = holding(staff.fo, Role.FO, Role.MANAJER)
    with pytest.raises(NotAllowed, match="pencatat"):
        move(case, recorder, "tetapkan_dirujuk")
    move(case, staff.supervisor, "kembalikan_ke_bo", note="Saya yang memverifikasi")
    move(case, staff.bo, "ajukan", recommendation="Layak")
    move(case, staff.manager, "tetapkan_dirujuk")


def test_who_is_similar_must_have_been_looked_at(app: Flask, staff: Staff) -> None:
    person = resident(staff.fo, kk="7303010101100001")
    case = open_case(staff.fo, person, service_type_id=service("pungutan"))
    move(case, staff.bo, "ambil")
    (mark,) = (field.choices[0] for offer in seen(case, staff.bo).actions for field in offer.fields if field.kind == "check")
    assert "tidak ada kasus lain" in mark[1]
    brother = resident(staff.fo, "Baso Amir", kk="7303010101100001")
    other = open_case(staff.fo, brother)
    with pytest.raises(InvalidInput, match="belum benar") as caught:
        move(case, staff.bo, "sahkan", duplicates_seen=mark[0])
    assert "berubah" in caught.value.problems["duplicates_seen"]
    assert [line.id for line in seen(case, staff.bo).similar] == [other]
    confirm(case, staff.bo)
    assert "1 kasus lain" in seen(case, staff.bo).events[-1].details["Pemeriksaan ganda"]


def test_a_returned_case_is_sent_again_by_its_recorder_or_her_successor(app: Flask, staff: Staff) -> None:
    colleague = holding(staff.stranger, Role.FO)
    employ(staff.fo, colleague)
    case = open_case(staff.fo)
    move(case, staff.bo, "kembalikan", return_reasons="lain", note="Nama RT?")
    with pytest.raises(NotAllowed, match="pencatatnya"):
        move(case, colleague, "kirim_ulang", note="Sudah")
    with pytest.raises(InvalidInput):
        move(case, staff.supervisor, "alihkan", new_owner=staff.dinkes.account_id, note="Cuti")
    move(case, staff.supervisor, "alihkan", new_owner=colleague.account_id, note="Cuti")
    assert seen(case, staff.fo).events[-1].details == {"Petugas baru": f"{colleague.name} (Front Office)"}
    move(case, colleague, "kirim_ulang", note="RT 2")
    assert seen(case, staff.fo).line.state is CaseState.NEW


def test_whoever_left_the_village_is_replaced_by_who_serves_it(app: Flask, staff: Staff) -> None:
    employ(staff.facilitator, ends=AT.date() - timedelta(days=1))
    case = open_case(staff.facilitator, channel="lapangan")
    move(case, staff.supervisor, "kembalikan", return_reasons="lain", note="Foto kurang")
    move(case, staff.fo, "kirim_ulang", note="Dilengkapi")


def test_an_emergency_waits_for_the_manager(app: Flask, staff: Staff) -> None:
    case = open_case(staff.fo, priority="darurat", priority_reason="Melahirkan")
    move(case, staff.fo, "rujuk_darurat", note="Ke IGD")
    assert seen(case, staff.manager).ratify_due == AT.replace(day=23, hour=8), "one working day, over the weekend"

    def waiting(by: Actor, **wanted: bool) -> list[str]:
        return [line.id for line in casebook.list_cases(CaseFilter(**wanted), by=by, at=AT).cases]

    assert waiting(staff.manager, to_ratify=True) == [case]
    assert casebook.look_at_case(case, by=staff.manager, at=AT + timedelta(days=4)).ratify_late
    both = holding(staff.fo, Role.FO, Role.MANAJER)
    with pytest.raises(NotAllowed, match="bukan yang merujuk"):
        move(case, both, "sahkan_darurat")
    move(case, staff.manager, "sahkan_darurat", note="Tepat")
    after = seen(case, staff.manager)
    assert (after.line.state, after.ratify_due, after.events[-1].action) == (CaseState.REFERRED, None, "sahkan_darurat")
    assert waiting(staff.manager, to_ratify=True) == []
    with pytest.raises(NotAllowed):
        move(case, staff.manager, "sahkan_darurat")


def test_a_second_emergency_referral_moves_no_limit_and_frees_nobody(app: Flask, staff: Staff) -> None:
    case = open_case(staff.fo, priority="darurat", priority_reason="Melahirkan")
    move(case, staff.fo, "rujuk_darurat", note="Ke IGD")
    due = seen(case, staff.manager).ratify_due
    referral = referred(staff, case)
    version = version_of(referral, staff.dinkes)
    referral_replies.return_referral(
        referral, Return("bukan_wewenang", "Bukan kami"), row_version=version, by=staff.dinkes, at=AT
    )
    move(case, staff.bo, "rujuk_darurat", at=AT + timedelta(days=4), note="Ke RSUD")
    assert seen(case, staff.manager).ratify_due == due
    with pytest.raises(NotAllowed, match="bukan yang merujuk"):
        move(case, holding(staff.fo, Role.FO, Role.MANAJER), "sahkan_darurat")


def test_an_emergency_that_is_not_ratified_goes_to_review(app: Flask, staff: Staff) -> None:
    case = open_case(staff.fo, priority="darurat", priority_reason="Melahirkan")
    move(case, staff.bo, "rujuk_darurat", note="Ke IGD")
    move(case, staff.manager, "tolak_darurat", note="Bukan darurat")
    assert (seen(case, staff.bo).line.state, seen(case, staff.bo).ratify_due) == (CaseState.REVIEW, None)


def test_a_delegate_decides_within_her_days_and_no_longer(app: Flask, staff: Staff) -> None:
    employ(staff.supervisor, staff.manager)
    case = open_case(staff.fo)
    verify(case, staff.bo)
    move(case, staff.bo, "ajukan", recommendation="Layak")
    assert "tetapkan_dirujuk" not in labels(case, staff.supervisor)
    with pytest.raises(NotAllowed):
        delegations.delegate_decisions(paper(staff.supervisor), by=staff.supervisor, at=AT)
    with pytest.raises(InvalidInput) as caught:
        delegations.delegate_decisions(NewDelegation(staff.bo.account_id, None, None, " "), by=staff.manager, at=AT)
    assert set(caught.value.problems) == {"account_id", "starts", "ends", "document"}
    delegations.delegate_decisions(paper(staff.supervisor), by=staff.manager, at=AT)
    (line,) = delegations.list_delegations(by=staff.manager, at=AT)
    assert (line.holds, line.document) == (True, "ND 12/2026")
    assert [found.id for found in queue(staff.supervisor)] == [case]
    with pytest.raises(NotAllowed, match="pendelegasian"):
        move(case, staff.supervisor, "tetapkan_ditangani", at=AT + timedelta(days=3))
    delegations.end_delegation(line.id, row_version=line.row_version, by=staff.manager, at=AT)
    with pytest.raises(NotAllowed, match="pendelegasian"):
        move(case, staff.supervisor, "tetapkan_ditangani")
    delegations.delegate_decisions(paper(staff.supervisor), by=staff.manager, at=AT)
    move(case, staff.supervisor, "tetapkan_ditangani")
    assert seen(case, staff.bo).events[-1].role_label == "Supervisor"
    with pytest.raises(NotFound):
        delegations.end_delegation(line.id, row_version=line.row_version, by=staff.manager, at=AT)


def test_what_a_manager_handed_over_ends_with_her_office(app: Flask, staff: Staff) -> None:
    employ(staff.supervisor, staff.manager)
    case = open_case(staff.fo)
    verify(case, staff.bo)
    move(case, staff.bo, "ajukan", recommendation="Layak")
    delegations.delegate_decisions(paper(staff.supervisor), by=staff.manager, at=AT)
    assert "tetapkan_dirujuk" in labels(case, staff.supervisor)
    with transaction() as session:
        session.execute(sa.update(Assignment).where(Assignment.role == "manajer").values(ends=AT.date() - timedelta(days=1)))
    assert "tetapkan_dirujuk" not in labels(case, staff.supervisor)
    assert queue(staff.supervisor) == ()


def paper(to: Actor) -> NewDelegation:
    return NewDelegation(to.account_id, date(2026, 11, 20), date(2026, 11, 22), "ND 12/2026")


def queue(by: Actor) -> tuple[casebook.CaseLine, ...]:
    return casebook.list_cases(CaseFilter(queue=True), by=by, at=AT).cases


def test_a_mark_is_taken_back_by_the_manager_alone(app: Flask, staff: Staff) -> None:
    person = resident(staff.fo)
    original, double = open_case(staff.fo, person), open_case(staff.fo, person)
    move(double, staff.bo, "ambil")
    move(double, staff.bo, "tandai_duplikat", duplicate_of=seen(original, staff.bo).line.number)
    assert seen(double, staff.bo).duplicate_of.number == seen(original, staff.bo).line.number  # type: ignore[union-attr]
    with pytest.raises(NotAllowed):
        move(double, staff.supervisor, "batalkan_tanda", note="Keliru")
    move(double, staff.manager, "batalkan_tanda", note="Dua rumah berbeda")
    after = seen(double, staff.bo)
    assert (after.line.state, after.duplicate_of) == (CaseState.VERIFYING, None)


def test_priority_and_confidentiality_change_with_a_reason(app: Flask, staff: Staff) -> None:
    case = open_case(staff.fo)
    before = seen(case, staff.fo).line.deadline
    for action, fields in (("ubah_prioritas", {"priority": "darurat"}), ("ubah_kerahasiaan", {"confidential": "ya"})):
        with pytest.raises(InvalidInput):
            move(case, staff.supervisor, action, **fields)
        with pytest.raises(NotAllowed):
            move(case, staff.bo, action, **fields, note="Perlu")
    move(case, staff.supervisor, "ubah_prioritas", priority="darurat", note="Pendarahan")
    found = seen(case, staff.fo)
    assert before is not None
    assert (found.line.deadline, found.priority_reason) == (before - timedelta(days=2), "Pendarahan")
    with pytest.raises(InvalidInput):
        move(case, staff.supervisor, "ubah_prioritas", priority="darurat", note="Lagi")
    assert seen(case, staff.leader)
    move(case, staff.supervisor, "ubah_kerahasiaan", confidential="ya", note="Pelapor takut")
    with pytest.raises(NotFound):
        seen(case, staff.leader)
    assert seen(case, staff.fo), "who recorded it still sees it"
    assert history_is_whole(case)


def test_what_needs_a_look_into_the_list_waits_for_it(app: Flask, staff: Staff) -> None:
    person = resident(staff.fo)
    case = open_case(staff.fo, person, service_type_id=service("sk-dtsen"))
    verify(case, staff.bo)
    with pytest.raises(NotAllowed, match="SIKS-NG"):
        move(case, staff.bo, "ajukan", recommendation="Layak")
    newest = db.session.scalars(sa.select(NationalList.id).limit(1)).one()
    for listed, day, enough in (("belum", AT.date(), False), ("ya", date(2026, 10, 1), False), ("tidak", AT.date(), True)):
        new = NewStatus(newest, listed, day, family=False)
        note_status(person, new, request_id=request(), by=staff.bo, at=AT)
        assert ("ajukan" in labels(case, staff.bo)) is enough, (listed, day)


def test_the_village_settles_what_is_in_its_power(app: Flask, staff: Staff) -> None:
    head = Actor.holding(staff.supervisor.account_id, "Koordinator", "k", [Grant(Role.KOORDINATOR_PUSKESOS, (HOME,))])
    for kind, confidential, may in (("adminduk", False, True), ("adminduk", True, False), ("kartu-bantuan", False, False)):
        case = open_case(staff.facilitator, service_type_id=service(kind), confidential=confidential, channel="puskesos")
        by = staff.supervisor if confidential else head
        move(case, by, "ambil")
        confirm(case, by)
        roles = holding(staff.supervisor, Role.KOORDINATOR_PUSKESOS, Role.SUPERVISOR)
        assert ("tangani_di_desa" in labels(case, roles)) is may, kind


def test_what_was_told_is_closed_after_its_days(app: Flask, settings: Settings, staff: Staff) -> None:
    case = open_case(staff.fo, service_type_id=service("informasi"))
    move(case, staff.fo, "selesaikan_langsung", outcome="informasi", outcome_note="x", citizen_note="y")
    waiting = open_case(staff.fo)
    patient = replace(settings, casework=CaseworkSettings(close_after_days=2))
    assert close_settled(patient, at=AT.replace(day=24, hour=7, minute=59)) == 0, "Friday and two working days are Tuesday"
    assert close_settled(patient, at=AT.replace(day=24, hour=8)) == 1
    assert close_settled(patient, at=AT.replace(day=25)) == 0
    event = seen(case, staff.fo).events[-1]
    assert (event.action, event.by_name, event.state_to) == ("tutup_otomatis", "Simpul SLRT", "DITUTUP")
    assert seen(waiting, staff.fo).line.state is CaseState.NEW
    assert history_is_whole(case)
    names = [line.name for line in roll.list_accounts(by=staff.admin, today=AT.date()).accounts]
    assert "Simpul SLRT" not in names


def test_the_clockwork_closes_by_itself(app: Flask, settings: Settings, staff: Staff) -> None:
    case = open_case(staff.fo, service_type_id=service("informasi"))
    long_ago = AT - timedelta(days=60)
    move(case, staff.fo, "selesaikan_langsung", at=long_ago, outcome="informasi", outcome_note="x", citizen_note="y")
    workplace = Workplace(settings, Path("appliance.toml"), threading.Event())
    office_jobs.do(workplace, office_jobs.close_settled_cases)
    db.session.rollback()
    assert seen(case, staff.fo).line.state is CaseState.CLOSED


def test_an_old_case_goes_on_as_a_new_linked_one(app: Flask, staff: Staff) -> None:
    person = resident(staff.fo)
    old = open_case(staff.fo, person, service_type_id=service("informasi"))
    linked = replace(new_case(person), origin_id=old)
    with pytest.raises(InvalidInput):
        cases.open_case(linked, request_id=request(), by=staff.fo, at=AT)  # it has not ended
    move(old, staff.fo, "selesaikan_langsung", outcome="informasi", outcome_note="x", citizen_note="y")
    assert seen(old, staff.fo).may_link
    with pytest.raises(InvalidInput):
        cases.open_case(replace(linked, applicant_id=resident(staff.fo, "Hasnah")), request_id=request(), by=staff.fo, at=AT)
    new = cases.open_case(linked, request_id=request(), by=staff.fo, at=AT).id
    number = seen(old, staff.fo).line.number
    found = seen(new, staff.fo)
    assert found.origin is not None
    assert (found.origin.id, found.origin.number) == (old, number)
    assert found.events[0].details["Lanjutan dari"] == number


def test_a_history_names_no_case_that_its_reader_may_not_see(app: Flask, staff: Staff) -> None:
    person = resident(staff.fo)
    old = open_case(staff.fo, person, service_type_id=service("informasi"), confidential=True)
    move(old, staff.fo, "selesaikan_langsung", outcome="informasi", outcome_note="x", citizen_note="y")
    new = cases.open_case(replace(new_case(person), origin_id=old), request_id=request(), by=staff.fo, at=AT).id
    number = seen(old, staff.bo).line.number
    move(new, staff.bo, "ambil")
    move(new, staff.bo, "tandai_duplikat", duplicate_of=number.lower())
    told = seen(new, staff.facilitator)
    assert (told.origin, told.duplicate_of) == (None, None)
    assert number not in str(told).upper()
    assert told.events[0].details["Lanjutan dari"] == "kasus lain"
    assert told.events[-1].details == {"Nomor kasus yang asli": "kasus lain"}
    assert str(seen(new, staff.bo)).upper().count(number) == 4


def test_the_name_of_who_reported_leaves_with_no_referral(app: Flask, staff: Staff) -> None:
    case = decided(staff, reporter_name="Muh. Yusuf", confidential=True, description="Dilaporkan Muhammad Yusuf dari RT 2")
    for changes, field in (
        ({"summary": "Kata Muhammad Yusuf benar"}, "summary"),
        ({"contact": "Muh Yusuf"}, "summary"),
        ({"share": ("nama", "uraian")}, "share"),
    ):
        with pytest.raises(InvalidInput) as caught:
            prepare_referral(staff, case, **{"share": ("nama",), **changes})
        assert set(caught.value.problems) == {field}
    referral = prepare_referral(staff, case, share=("nama", "alamat", "desa"))
    shown = str(casebook.look_at_referral(referral, by=staff.bo, at=AT).shared)
    assert "Yusuf" not in shown
    assert not {"pelapor", "reporter"} & {key.lower() for key in referrals.SHAREABLE}


def test_no_case_is_ever_deleted_nor_what_belongs_to_it(app: Flask, staff: Staff) -> None:
    employ(staff.supervisor)
    prepare_referral(staff, decided(staff))
    case = open_case(staff.facilitator, channel="lapangan")
    move(case, staff.supervisor, "ambil")
    move(case, staff.facilitator, "isi_kunjungan", visit_result="sesuai", visit_date="2026-11-20", note="Benar")
    delegations.delegate_decisions(paper(staff.supervisor), by=staff.manager, at=AT)
    for table in (Case, Referral, Visit, CasePaper, Delegation):
        with pytest.raises(Exception, match="never deleted"), transaction() as session:
            session.execute(sa.delete(table))
    assert [db.session.query(table).count() for table in (Case, Referral, Visit, CasePaper, Delegation)] == [2, 1, 1, 4, 1]


def test_a_change_over_an_older_state_is_refused(app: Flask, staff: Staff) -> None:
    case = open_case(staff.fo)
    version = seen(case, staff.manager).row_version
    move(case, staff.bo, "ambil")
    fields = {"priority": "cepat", "note": "Perlu"}
    with pytest.raises(Conflict):
        cases.move_case(case, "ubah_prioritas", fields, row_version=version, by=staff.manager, at=AT)
