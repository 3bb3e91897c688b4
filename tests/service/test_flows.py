"""The special flows in the life of a case: the certificate that is refused, and the reactivation with its leg outside."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from appliance.casework import casebook
from appliance.casework.case_filter import CaseFilter
from appliance.casework.history import history_is_whole
from appliance.database import db
from appliance.errors import InvalidInput
from appliance.models.case import Case
from appliance.models.profile import NationalList
from appliance.models.states import CaseState
from appliance.registry.list_status import NewStatus, note_status
from tests.support.desk import move, open_case, request, resident, service, verify
from tests.support.staff import AT, Staff

PBI = {
    "advice": "layak", "inactive_date": "2026-10-20", "inactive_reason": "desil", "reactivated": "belum", "need": "darurat",
    "recommendation": "Layak direaktivasi",
}  # fmt: skip


def reviewed(staff: Staff, code: str, decile: int | None) -> str:
    """A case of this service in TELAAH, with a look into DTSEN on record."""
    person = resident(staff.fo)
    case = open_case(staff.fo, person, service_type_id=service(code))
    verify(case, staff.bo)
    dtsen = db.session.scalars(sa.select(NationalList.id).where(NationalList.code == "dtsen")).one()
    seen = NewStatus(dtsen, "ya" if decile else "tidak", AT.date(), family=False, decile=decile)
    note_status(person, seen, request_id=request(), by=staff.bo, at=AT)
    return case


def state_of(case: str, staff: Staff) -> CaseState:
    return casebook.look_at_case(case, by=staff.bo, at=AT).line.state


def test_a_student_of_desil_six_gets_no_certificate_but_a_way_on(app: Flask, staff: Staff) -> None:
    case = reviewed(staff, "sk-dtsen", 6)
    with pytest.raises(InvalidInput) as caught:
        move(case, staff.bo, "ajukan", recommendation="Terbitkan")
    assert set(caught.value.problems) == {"advice", "purpose"}
    with pytest.raises(InvalidInput) as caught:
        move(case, staff.bo, "ajukan", recommendation="Terbitkan", advice="layak", purpose="kuliah")
    assert caught.value.problems["advice"].startswith("Desil 6 di atas batas 5")
    assert state_of(case, staff) is CaseState.REVIEW
    move(case, staff.bo, "ajukan", recommendation="Tolak", advice="tidak_layak", purpose="kuliah")
    with pytest.raises(InvalidInput) as caught:
        move(case, staff.manager, "tolak", note="Desil 6")
    assert set(caught.value.problems) == {"citizen_note"}
    move(case, staff.manager, "tolak", note="Desil 6", citizen_note="Ajukan pemutakhiran data di desa")
    assert state_of(case, staff) is CaseState.REFUSED
    told = next(event for event in casebook.look_at_case(case, by=staff.bo, at=AT).events if event.action == "ajukan")
    assert told.details == {"Usulan surat keterangan": "Tolak", "Keperluan surat": "KIP Kuliah", "Rekomendasi": "Tolak"}


def test_a_reactivation_goes_to_the_ministry_and_back(app: Flask, staff: Staff) -> None:
    case = reviewed(staff, "reaktivasi-pbi", None)
    move(case, staff.bo, "ajukan", **PBI)
    move(case, staff.manager, "tetapkan_ditangani")
    outside = {"outside_to": "kemensos", "outside_number": "SIKS-7"}
    with pytest.raises(InvalidInput) as caught:
        move(case, staff.bo, "usulkan_keluar", outside_date="2026-11-21", **outside)
    assert set(caught.value.problems) == {"outside_date"}
    move(case, staff.bo, "usulkan_keluar", outside_date="2026-11-19", **outside)
    late = AT + timedelta(days=14)
    for at, stuck in ((late - timedelta(seconds=1), False), (late, True)):
        assert casebook.list_cases(CaseFilter(stuck=True), by=staff.bo, at=at).total == stuck
        assert casebook.look_at_case(case, by=staff.bo, at=at).line.stuck is stuck
    for day in ("2026-11-18", "2026-12-05"):
        with pytest.raises(InvalidInput):
            move(case, staff.bo, "catat_keputusan_luar", late, outside_decision="disetujui", decided_date=day, note="Aktif")
    move(case, staff.bo, "catat_keputusan_luar", late, outside_decision="disetujui", decided_date="2026-12-01", note="Aktif")
    row = db.session.get_one(Case, case)
    assert row.state == CaseState.FOLLOW_UP
    assert row.flow_facts == {key: text for key, text in PBI.items() if key != "recommendation"} | outside | {
        "outside_date": "2026-11-19", "outside_decision": "disetujui", "decided_date": "2026-12-01",
    }  # fmt: skip
    assert casebook.list_cases(CaseFilter(stuck=True), by=staff.bo, at=late).total == 0
    assert history_is_whole(case)


def test_an_emergency_of_social_rehabilitation_says_the_ministrys_category(app: Flask, staff: Staff) -> None:
    case = open_case(staff.fo, service_type_id=service("orang-telantar"), priority="darurat", priority_reason="Malam")
    with pytest.raises(InvalidInput) as caught:
        move(case, staff.fo, "rujuk_darurat", note="Perlu tempat")
    assert set(caught.value.problems) == {"ppks"}
    move(case, staff.fo, "rujuk_darurat", note="Perlu tempat", ppks="lansia_telantar")
    assert db.session.get_one(Case, case).flow_facts == {"ppks": "lansia_telantar"}
    assert casebook.look_at_case(case, by=staff.bo, at=AT).events[-1].details == {"Kategori PPKS": "Lanjut usia telantar"}


def test_other_services_ask_no_more_than_before(app: Flask, staff: Staff) -> None:
    case = open_case(staff.fo)
    verify(case, staff.bo)
    move(case, staff.bo, "ajukan", recommendation="Rujuk")
    assert db.session.get_one(Case, case).flow_facts == {}
