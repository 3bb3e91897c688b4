"""Referrals: what the organisation sees, who may do what, and what its answer does to the case."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from appliance import audit
from appliance.access import Actor, Grant
from appliance.casework import casebook, referral_list, referral_replies, referrals
from appliance.casework.catalogue import unit_id
from appliance.casework.referral_moving import ENDED_WITH_CASE
from appliance.casework.referral_reminders import end_left_over
from appliance.casework.referral_replies import Answer, ReplyPaper, Return
from appliance.database import transaction
from appliance.errors import Conflict, InvalidInput, NotAllowed, NotFound
from appliance.models.account import Account
from appliance.models.case import Case
from appliance.models.roles import Role
from appliance.models.states import CaseState, ReferralState
from tests.support.desk import decided, move, open_case, prepare_referral, referred, request, resident, verify, version_of
from tests.support.pictures import photo
from tests.support.staff import AT, Staff, employ

SECRET = "Tetangga yang melapor"


def case_state(case: str, staff: Staff) -> CaseState:
    return casebook.look_at_case(case, by=staff.bo, at=AT).line.state


def answer(referral: str, by: Any, paper: ReplyPaper | None = None) -> None:
    known = {"row_version": version_of(referral, by), "by": by, "at": AT}
    referral_replies.receive_referral(referral, **known)
    known["row_version"] = version_of(referral, by)
    referral_replies.answer_referral(referral, Answer("Dibantu", "terpenuhi"), paper=paper, **known)


def test_the_organisation_sees_what_is_shared_and_no_more(app: Flask, staff: Staff) -> None:
    case = decided(staff, reporter_name=SECRET, reporter_is_proxy=True, expectation="Harapan rahasia")
    referral = referred(staff, case, share=("nama", "uraian"))
    seen = casebook.look_at_referral(referral, by=staff.dinkes, at=AT)
    assert seen.shared == (("Nama", "Sitti Aminah"), ("Uraian keluhan", "Butuh biaya berobat"))
    assert seen.line.case_id is None
    assert SECRET not in repr(seen)
    assert "Harapan rahasia" not in repr(seen)
    with pytest.raises(NotFound):
        casebook.look_at_case(case, by=staff.dinkes, at=AT)


def test_who_sees_no_whole_number_sees_none_in_a_referral(app: Flask, staff: Staff) -> None:
    case = decided(staff, person=resident(staff.fo, nik="7303014101800001"))
    referral = referred(staff, case, share=("nama", "nik"))
    shown = {
        who: dict(casebook.look_at_referral(referral, by=getattr(staff, who), at=AT).shared)["NIK"]
        for who in ("dinkes", "bo", "leader")
    }
    assert shown["dinkes"] == shown["bo"] == "7303 0141 0180 0001"
    assert "0180" not in shown["leader"]
    assert shown["leader"].startswith("730301")


def test_the_reporter_can_never_be_shared() -> None:
    assert not any("lapor" in key for key in referrals.SHAREABLE)


def test_another_organisation_sees_nothing(app: Flask, staff: Staff) -> None:
    referral = referred(staff)
    version = version_of(referral, staff.dinkes)
    assert referral_list.list_referrals(by=staff.disdik, at=AT).total == 0
    with pytest.raises(NotFound):
        casebook.look_at_referral(referral, by=staff.disdik, at=AT)
    with pytest.raises(NotFound):
        referral_replies.receive_referral(referral, row_version=version, by=staff.disdik, at=AT)


def test_all_answers_bring_the_case_to_follow_up(app: Flask, staff: Staff) -> None:
    case = decided(staff)
    one, other = referred(staff, case), referred(staff, case, unit="disdik")
    answer(one, staff.dinkes)
    assert case_state(case, staff) is CaseState.REFERRED, "one is still open"
    answer(other, staff.disdik)
    assert case_state(case, staff) is CaseState.FOLLOW_UP


def test_a_returned_referral_brings_the_case_back_to_review(app: Flask, staff: Staff) -> None:
    case = decided(staff)
    one, other = referred(staff, case), referred(staff, case, unit="disdik")
    referral_replies.return_referral(
        one, Return("bukan_wewenang"), row_version=version_of(one, staff.dinkes), by=staff.dinkes, at=AT
    )
    assert case_state(case, staff) is CaseState.REVIEW
    answer(other, staff.disdik)  # the other may still answer
    assert case_state(case, staff) is CaseState.REVIEW
    seen = casebook.look_at_case(case, by=staff.bo, at=AT)
    assert [line.state for line in seen.referrals] == [ReferralState.RETURNED, ReferralState.ANSWERED]


def test_a_referral_is_sent_only_when_the_manager_has_decided(app: Flask, staff: Staff) -> None:
    case = open_case(staff.fo)
    verify(case, staff.bo)
    referral = prepare_referral(staff, case)
    with pytest.raises(Conflict):
        referrals.send_referral(referral, row_version=version_of(referral, staff.bo), by=staff.bo, at=AT)
    move(case, staff.bo, "ajukan", recommendation="Rujuk")
    move(case, staff.manager, "tetapkan_dirujuk")
    referrals.send_referral(referral, row_version=version_of(referral, staff.bo), by=staff.bo, at=AT)
    assert referral_list.list_referrals(by=staff.dinkes, at=AT).total == 1


def test_too_early_for_any_referral(app: Flask, staff: Staff) -> None:
    case = open_case(staff.fo)
    with pytest.raises(Conflict):
        prepare_referral(staff, case)


@pytest.mark.parametrize("who", ["fo", "manager", "facilitator", "dinkes", "admin"])
def test_only_the_back_office_refers(app: Flask, staff: Staff, who: str) -> None:
    case = decided(staff)
    new = referrals.NewReferral("any", "Mohon", ("nama",))
    with pytest.raises(NotAllowed):
        referrals.refer_case(case, new, request_id=request(), by=getattr(staff, who), at=AT)


def test_the_back_office_does_not_answer_for_who_has_an_account(app: Flask, staff: Staff) -> None:
    employ(staff.dinkes, ends=AT.date())
    referral = referred(staff)
    with pytest.raises(NotAllowed):
        referral_replies.receive_referral(referral, row_version=version_of(referral, staff.bo), by=staff.bo, at=AT)
    assert not casebook.look_at_referral(referral, by=staff.bo, at=AT).line.on_paper


@pytest.mark.parametrize("gone", ["assignment over", "account off", "other role"])
def test_it_answers_for_an_organisation_in_which_nobody_may(app: Flask, staff: Staff, gone: str) -> None:
    referral = referred(staff)
    if gone == "other role":
        employ(Actor.holding(staff.dinkes.account_id, "", "", (Grant(Role.PIMPINAN, ("73.03",), unit_id("dinkes")),)))
    else:
        employ(staff.dinkes, ends=AT.date() - timedelta(days=1) if gone == "assignment over" else None)
    if gone == "account off":
        with transaction() as session:
            session.get_one(Account, staff.dinkes.account_id).active = False
    assert casebook.look_at_referral(referral, by=staff.bo, at=AT).line.on_paper
    answer(referral, staff.bo, paper=ReplyPaper(photo("white", (60, 40)), AT.date()))
    assert casebook.look_at_referral(referral, by=staff.bo, at=AT).line.state is ReferralState.ANSWERED


@pytest.mark.parametrize(("unit", "way"), [("baznas", "akun"), ("dinkes", "surat")])
def test_the_back_office_enters_an_answer_on_paper(app: Flask, staff: Staff, unit: str, way: str) -> None:
    case = decided(staff)
    answer(referred(staff, case, unit=unit, way=way), staff.bo, paper=ReplyPaper(photo("white", (60, 40)), AT.date()))
    assert case_state(case, staff) is CaseState.FOLLOW_UP


def test_all_problems_are_told_at_once(app: Flask, staff: Staff) -> None:
    case = decided(staff)
    new = referrals.NewReferral("nowhere", " ", ("pelapor",), reply_days=0, way="merpati")
    with pytest.raises(InvalidInput) as caught:
        referrals.refer_case(case, new, request_id=request(), by=staff.bo, at=AT)
    assert set(caught.value.problems) == {"unit_id", "summary", "share", "reply_days", "way"}


def test_an_answer_needs_words_and_a_result(app: Flask, staff: Staff) -> None:
    referral = referred(staff)
    referral_replies.receive_referral(referral, row_version=version_of(referral, staff.dinkes), by=staff.dinkes, at=AT)
    version = version_of(referral, staff.dinkes)
    with pytest.raises(InvalidInput) as caught:
        referral_replies.answer_referral(referral, Answer(" ", "mungkin"), row_version=version, by=staff.dinkes, at=AT)
    assert set(caught.value.problems) == {"reply", "outcome"}


def test_one_who_saw_an_older_state_is_told(app: Flask, staff: Staff) -> None:
    referral = referred(staff)
    version = version_of(referral, staff.dinkes)
    referral_replies.receive_referral(referral, row_version=version, by=staff.dinkes, at=AT)
    with pytest.raises(Conflict):
        referral_replies.return_referral(referral, Return("bukan_wewenang"), row_version=version, by=staff.dinkes, at=AT)


def test_a_dropped_draft_does_not_hold_up_the_case(app: Flask, staff: Staff) -> None:
    case = decided(staff)
    sent, draft = referred(staff, case), prepare_referral(staff, case, unit="disdik")
    answer(sent, staff.dinkes)
    assert case_state(case, staff) is CaseState.REFERRED
    referrals.cancel_referral(draft, row_version=version_of(draft, staff.bo), by=staff.bo, at=AT)
    assert case_state(case, staff) is CaseState.FOLLOW_UP


def test_what_a_case_left_open_before_it_took_its_referrals_along_is_taken_back(app: Flask, staff: Staff) -> None:
    case, other = decided(staff), referred(staff)
    sent, draft = referred(staff, case), prepare_referral(staff, case, "disdik")
    with transaction() as session:
        session.get_one(Case, case).state = CaseState.CANCELLED
    assert [end_left_over(at=AT), end_left_over(at=AT)] == [1, 0]
    lines = {one: casebook.look_at_referral(one, by=staff.bo, at=AT).line for one in (sent, draft, other)}
    assert [line.state for line in lines.values()] == [ReferralState.WITHDRAWN, ReferralState.CANCELLED, ReferralState.SENT]
    assert lines[sent].ended_for == ENDED_WITH_CASE
    assert [event.by_name for event in casebook.look_at_case(case, by=staff.bo, at=AT).events[-2:]] == ["Simpul SLRT"] * 2
    assert audit.verify().ok


def test_a_second_press_refers_once(app: Flask, staff: Staff) -> None:
    case = decided(staff)
    new = referrals.NewReferral(unit_id("dinkes"), "Mohon", ("nama",))
    first = referrals.refer_case(case, new, request_id="once", by=staff.bo, at=AT)
    assert referrals.refer_case(case, new, request_id="once", by=staff.bo, at=AT) == first
    assert len(casebook.look_at_case(case, by=staff.bo, at=AT).referrals) == 1
