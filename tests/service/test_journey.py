"""The whole life of a case as the office lives it, each step by the person whose step it is."""

from __future__ import annotations

from datetime import date

from flask import Flask

from appliance import audit
from appliance.access import Actor
from appliance.casework import casebook, cases, catalogue, referral_replies, referrals
from appliance.casework.history import history_is_whole
from appliance.casework.referral_list import list_referrals
from appliance.casework.referral_replies import Answer
from appliance.models.states import CaseState, ReferralState
from appliance.registry import people, people_search
from tests.support.desk import verify
from tests.support.staff import AT, HOME, Staff

STEPS = [
    *(
        "kirim",
        "ambil",
        "periksa_berkas",
        "sahkan",
        "teruskan",
        "ajukan",
        "tetapkan_dirujuk",
        "buat_rujukan",
        "kirim_rujukan",
        "terima_rujukan",
    ),
    *("jawab_rujukan", "rujukan_dijawab", "catat_hasil", "konfirmasi"),
]


def registered(staff: Staff) -> str:
    new = people.NewPerson(
        name="Hj. Sitti Aminah", sex="P", village_code=HOME, nik="7303014101800001", birth_date=date(1980, 1, 1),
        kk="7303010101100001", relation="1", address="Jl. Pahlawan 1", rt="1", rw="2",
    )  # fmt: skip
    return people.register_person(new, request_id="p1", by=staff.fo, at=AT)


def take(case: str, by: Actor, action: str, **fields: str) -> None:
    """A step that the page offers."""
    seen = casebook.look_at_case(case, by=by, at=AT)
    assert action in [offer.action for offer in seen.actions], (by.username, action, seen.line.state, seen.actions)
    cases.move_case(case, action, fields, row_version=seen.row_version, by=by, at=AT)


def referred_and_answered(staff: Staff, case: str) -> None:
    """The back office refers the case to the health agency, which answers."""
    new = referrals.NewReferral(catalogue.unit_id("dinkes"), "Mohon bantuan biaya", ("nama", "uraian"))
    referral = referrals.refer_case(case, new, request_id="r1", by=staff.bo, at=AT)
    assert list_referrals(by=staff.dinkes, at=AT).total == 0, "a draft is not shown"
    version = casebook.look_at_referral(referral, by=staff.bo, at=AT).line.row_version
    referrals.send_referral(referral, row_version=version, by=staff.bo, at=AT)
    (line,) = list_referrals(by=staff.dinkes, at=AT).referrals
    assert line.case_id is None
    assert line.steps == ("receive", "return", "decline")
    referral_replies.receive_referral(referral, row_version=line.row_version, by=staff.dinkes, at=AT)
    seen = casebook.look_at_referral(referral, by=staff.dinkes, at=AT)
    assert seen.shared == (("Nama", "Hj. Sitti Aminah"), ("Uraian keluhan", "Butuh biaya berobat"))
    version = seen.line.row_version
    referral_replies.answer_referral(referral, Answer("Disetujui", "terpenuhi"), row_version=version, by=staff.dinkes, at=AT)


def test_from_the_counter_to_the_closing(app: Flask, staff: Staff) -> None:
    person = registered(staff)
    found = people_search.find_people("st. aminah", by=staff.fo, at=AT)
    assert [line.id for line in found.people] == [person]
    service = next(choice for choice in catalogue.service_types() if choice.code == "biaya-perawatan")
    new = cases.NewCase(person, service.id, "permohonan", "Butuh biaya berobat", informed=True)
    opened = cases.open_case(new, request_id="c1", by=staff.fo, at=AT)
    assert opened.number == "SLRT-7303-202611-00001"
    verify(opened.id, staff.bo)
    take(opened.id, staff.bo, "ajukan", recommendation="Rujuk ke Dinas Kesehatan")
    take(opened.id, staff.manager, "tetapkan_dirujuk")
    referred_and_answered(staff, opened.id)
    assert casebook.look_at_case(opened.id, by=staff.bo, at=AT).line.state is CaseState.FOLLOW_UP
    take(
        opened.id,
        staff.bo,
        "catat_hasil",
        outcome="terpenuhi",
        outcome_note="Dibiayai",
        citizen_note="Ditanggung",
        told_way="telepon",
    )
    take(opened.id, staff.fo, "konfirmasi", satisfaction="4")
    end = casebook.look_at_case(opened.id, by=staff.supervisor, at=AT)
    assert end.line.state is CaseState.CLOSED
    assert end.referrals[0].state is ReferralState.ANSWERED
    assert [event.action for event in end.events] == STEPS
    assert history_is_whole(opened.id)
    assert audit.verify().ok, audit.verify().text
