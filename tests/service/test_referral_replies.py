"""How a referral comes back: returned, declined, withdrawn, on paper, or not at all."""

from __future__ import annotations

import threading
from datetime import date, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask

from appliance.access import Actor
from appliance.casework import casebook, papers, referral_replies, referrals
from appliance.casework.history import history_is_whole
from appliance.casework.referral_list import list_referrals
from appliance.casework.referral_reminders import remind_late
from appliance.casework.referral_replies import Answer, ReplyPaper, Return
from appliance.config import Settings
from appliance.database import db
from appliance.errors import InvalidInput, NotAllowed
from appliance.models.case import Case, Referral
from appliance.models.states import CaseState, ReferralState
from appliance.scheduling import office_jobs
from appliance.scheduling.workplace import Workplace
from tests.support.desk import decided, move, prepare_referral, referred, version_of
from tests.support.pictures import photo
from tests.support.staff import AT, Staff

DUE = datetime.fromisoformat("2026-11-27T16:00+08:00")  # five working days after AT


def known(referral: str, by: Actor) -> dict[str, Any]:
    return {"row_version": version_of(referral, by), "by": by, "at": AT}


def line_of(referral: str, by: Actor) -> Any:
    return casebook.look_at_referral(referral, by=by, at=AT).line


def state_of(case: str) -> CaseState:
    db.session.rollback()
    return CaseState(db.session.get_one(Case, case).state)


def words_of(case: str, staff: Staff) -> list[str]:
    return [event.action for event in casebook.look_at_case(case, by=staff.bo, at=AT).events]


def answer_of(referral: str, by: Actor) -> None:
    referral_replies.receive_referral(referral, **known(referral, by))
    referral_replies.answer_referral(referral, Answer("Dibantu", "terpenuhi"), **known(referral, by))


def test_what_is_missing_comes_back_as_a_list(app: Flask, staff: Staff) -> None:
    case = decided(staff)
    referral = referred(staff, case)
    returned = Return("berkas_kurang", "Segera", ("Surat rawat inap", "KTP"))
    referral_replies.return_referral(referral, returned, **known(referral, staff.dinkes))
    line = line_of(referral, staff.bo)
    assert (line.state, line.missing) == (ReferralState.RETURNED, ("Surat rawat inap", "KTP"))
    assert line.ended_for == "Berkas atau data kurang. Segera"
    event = casebook.look_at_case(case, by=staff.bo, at=AT).events[-2]
    assert (event.action, event.note.splitlines()[1:]) == ("kembalikan_rujukan", ["- Surat rawat inap", "- KTP"])
    assert state_of(case) is CaseState.REVIEW


@pytest.mark.parametrize(
    ("returned", "wrong"),
    [
        (Return("malas"), {"code"}),
        (Return("berkas_kurang"), {"missing"}),
        (Return("berkas_kurang", missing=("x" * 121,)), {"missing"}),
        (Return("bukan_wewenang", "x" * 5001), {"note"}),
    ],
)
def test_a_return_says_why(app: Flask, staff: Staff, returned: Return, wrong: set[str]) -> None:
    referral = referred(staff)
    with pytest.raises(InvalidInput) as caught:
        referral_replies.return_referral(referral, returned, **known(referral, staff.dinkes))
    assert set(caught.value.problems) == wrong
    assert line_of(referral, staff.dinkes).state is ReferralState.SENT


def test_a_declined_referral_brings_the_case_back_to_review(app: Flask, staff: Staff) -> None:
    case = decided(staff)
    referral = referred(staff, case)
    with pytest.raises(InvalidInput):
        referral_replies.decline_referral(referral, " ", **known(referral, staff.dinkes))
    referral_replies.decline_referral(referral, "Kuota habis", **known(referral, staff.dinkes))
    assert line_of(referral, staff.bo).ended_for == "Kuota habis"
    assert state_of(case) is CaseState.REVIEW


def test_sent_to_another_organisation_the_clock_of_the_case_runs_on(app: Flask, staff: Staff) -> None:
    case = decided(staff, reporter_name="Tetangga")
    deadline, received = (getattr(db.session.get_one(Case, case), name) for name in ("deadline", "received_at"))
    wrong = referred(staff, case, unit="disdik")
    referral_replies.return_referral(wrong, Return("bukan_wewenang", "Ke Baznas"), **known(wrong, staff.disdik))
    move(case, staff.bo, "ajukan", recommendation="Rujuk ke Baznas")
    move(case, staff.manager, "tetapkan_dirujuk")
    right = referred(staff, case, unit="baznas")
    row = db.session.get_one(Case, case)
    assert (row.state, row.deadline, row.received_at) == (CaseState.REFERRED, deadline, received)
    assert [line.id for line in casebook.look_at_case(case, by=staff.bo, at=AT).referrals] == [wrong, right]
    assert history_is_whole(case)


def test_a_withdrawn_referral_leaves_the_case_to_the_others(app: Flask, staff: Staff) -> None:
    case = decided(staff)
    one, other = referred(staff, case), referred(staff, case, unit="disdik")
    referrals.withdraw_referral(one, "Salah alamat", **known(one, staff.bo))
    assert state_of(case) is CaseState.REFERRED
    answer_of(other, staff.disdik)
    assert state_of(case) is CaseState.FOLLOW_UP
    assert line_of(one, staff.dinkes).ended_for == "Salah alamat"


def test_the_last_answer_was_there_already_when_the_other_is_withdrawn(app: Flask, staff: Staff) -> None:
    case = decided(staff)
    one, other = referred(staff, case), referred(staff, case, unit="disdik")
    answer_of(other, staff.disdik)
    referrals.withdraw_referral(one, "Tidak perlu lagi", **known(one, staff.bo))
    assert state_of(case) is CaseState.FOLLOW_UP


def test_without_any_referral_left_the_case_is_reviewed_again(app: Flask, staff: Staff) -> None:
    case = decided(staff)
    referral = referred(staff, case)
    referrals.withdraw_referral(referral, "Salah alamat", **known(referral, staff.bo))
    assert state_of(case) is CaseState.REVIEW


def test_what_ended_without_an_answer_is_not_shown_to_the_organisation_any_more(app: Flask, staff: Staff) -> None:
    case = decided(staff)
    withdrawn, returned, declined = (referred(staff, case, contact="Bu Rina") for _ in range(3))
    before = casebook.look_at_referral(withdrawn, by=staff.dinkes, at=AT)
    assert (before.line.summary, before.contact, len(before.shared)) == ("Mohon bantuan", "Bu Rina", 2)
    referrals.withdraw_referral(withdrawn, "Salah alamat", **known(withdrawn, staff.bo))
    referral_replies.return_referral(returned, Return("bukan_wewenang"), **known(returned, staff.dinkes))
    referral_replies.decline_referral(declined, "Anggaran habis", **known(declined, staff.dinkes))
    for referral in (withdrawn, returned, declined):
        after = casebook.look_at_referral(referral, by=staff.dinkes, at=AT)
        assert (after.line.summary, after.contact, after.shared, after.line.shown) == ("", "", (), False)
        assert after.line.ended_for, "why it ended is told to both"
        assert casebook.look_at_referral(referral, by=staff.bo, at=AT).shared == before.shared
    assert {line.summary for line in list_referrals(by=staff.dinkes, at=AT).referrals} == {""}


@pytest.mark.parametrize(("who", "action"), [("fo", "batalkan"), ("manager", "tolak")])
def test_a_case_that_ends_takes_its_referrals_back(app: Flask, staff: Staff, who: str, action: str) -> None:
    case = decided(staff)
    sent, draft = referred(staff, case), prepare_referral(staff, case, "disdik")
    if action == "tolak":  # another referral came back, and the case was thought over
        third = referred(staff, case, "disdik")
        referral_replies.return_referral(third, Return("bukan_wewenang"), **known(third, staff.disdik))
        move(case, staff.bo, "ajukan", recommendation="Tolak saja")
    move(case, getattr(staff, who), action, cancel_reason="dicabut", note="Rahasia: ia malu", citizen_note="Maaf")
    db.session.expire_all()
    line = line_of(sent, staff.dinkes)
    assert (line.state, line.summary, line.steps) == (ReferralState.WITHDRAWN, "", ())
    assert "berakhir di kantor kami" in line.ended_for
    assert "malu" not in line.ended_for
    assert line_of(draft, staff.bo).state is ReferralState.CANCELLED
    events = casebook.look_at_case(case, by=staff.bo, at=AT).events
    assert {event.action for event in events[-3:-1]} == {"tarik_rujukan", "batalkan_rujukan"}
    assert (events[-1].action, events[-2].role_label) == (action, events[-1].role_label)
    assert history_is_whole(case)


def test_who_withdraws_says_why_but_not_who_reported(app: Flask, staff: Staff) -> None:
    referral = referred(staff, decided(staff, reporter_name="Daeng Nai"))
    for reason in (" ", "Diminta oleh daeng nai"):
        with pytest.raises(InvalidInput):
            referrals.withdraw_referral(referral, reason, **known(referral, staff.bo))
    with pytest.raises(NotAllowed):
        referrals.withdraw_referral(referral, "Salah alamat", **known(referral, staff.dinkes))
    assert line_of(referral, staff.bo).state is ReferralState.SENT


LETTER = ReplyPaper(photo("white", (60, 40)), AT.date())


@pytest.mark.parametrize(
    ("paper", "wrong"),
    [
        (None, {"reply", "scan", "dated"}),
        (ReplyPaper(b"", AT.date()), {"reply", "scan"}),
        (ReplyPaper(b"no picture", AT.date()), {"reply", "scan"}),
        (ReplyPaper(LETTER.scan, AT.date() + timedelta(days=1)), {"reply", "dated"}),
        (ReplyPaper(LETTER.scan, date(2026, 11, 19)), {"reply", "dated"}),
    ],
)
def test_a_reply_on_paper_needs_its_scan_and_date(app: Flask, staff: Staff, paper: ReplyPaper | None, wrong: set[str]) -> None:
    case = decided(staff)
    referral = referred(staff, case, unit="baznas")
    referral_replies.receive_referral(referral, **known(referral, staff.bo))
    with pytest.raises(InvalidInput) as caught:
        referral_replies.answer_referral(referral, Answer(" ", "terpenuhi"), paper=paper, **known(referral, staff.bo))
    assert set(caught.value.problems) == wrong
    assert not casebook.look_at_case(case, by=staff.bo, at=AT).papers.others


def test_the_scan_stays_with_the_case(app: Flask, staff: Staff) -> None:
    case = decided(staff)
    referral = referred(staff, case, unit="baznas")
    returned = Return("bukan_wewenang")
    referral_replies.return_referral(referral, returned, paper=LETTER, **known(referral, staff.bo))
    seen = casebook.look_at_referral(referral, by=staff.bo, at=AT)
    assert (seen.replied_on, seen.line.state) == (AT.date(), ReferralState.RETURNED)
    (paper,) = casebook.look_at_case(case, by=staff.bo, at=AT).papers.others
    assert (paper.id, paper.title) == (seen.reply_paper_id, f"Balasan {seen.line.number}")
    assert papers.open_paper(paper.id, by=staff.bo, at=AT).media == "image/jpeg"


def test_the_paper_of_a_reply_is_not_taken_away(app: Flask, staff: Staff) -> None:
    referral = referred(staff, way="surat")
    paper = ReplyPaper(photo(), AT.date())
    referral_replies.receive_referral(referral, **known(referral, staff.bo))
    referral_replies.answer_referral(referral, Answer("Dibantu", "terpenuhi"), paper=paper, **known(referral, staff.bo))
    kept = casebook.look_at_referral(referral, by=staff.bo, at=AT).reply_paper_id
    with pytest.raises(NotAllowed, match="surat balasan"):
        papers.remove_paper(str(kept), by=staff.bo, at=AT)


def test_who_is_late_is_reminded_and_some_days_later_told_over(app: Flask, settings: Settings, staff: Staff) -> None:
    case = decided(staff)
    referral = referred(staff, case)
    version = version_of(referral, staff.dinkes)
    monday, thursday = datetime.fromisoformat("2026-11-30T08:00+08:00"), datetime.fromisoformat("2026-12-03T08:00+08:00")
    closed = (DUE, DUE + timedelta(hours=1), DUE + timedelta(days=1), monday - timedelta(minutes=1))
    assert [remind_late(at=at) for at in closed] == [0, 0, 0, 0], "not yet late, then evening, Saturday, too early"
    assert [remind_late(at=at) for at in (monday, monday, thursday - timedelta(days=1))] == [1, 0, 0]
    assert words_of(case, staff)[-1] == "ingatkan_rujukan"
    assert list_referrals(by=staff.dinkes, at=monday, late=True).total == 1
    assert list_referrals(by=staff.dinkes, at=DUE, late=True).total == 0
    assert [remind_late(at=thursday), remind_late(at=thursday)] == [1, 0]
    assert words_of(case, staff)[-1] == "eskalasi_rujukan"
    line = line_of(referral, staff.manager)
    assert (line.reminded_at, line.escalated_at) == (monday, thursday)
    assert version_of(referral, staff.dinkes) == version, "who is writing an answer goes on"
    assert history_is_whole(case)


def test_nobody_is_reminded_of_what_has_ended(app: Flask, settings: Settings, staff: Staff) -> None:
    answered, cancelled = decided(staff), decided(staff)
    answer_of(referred(staff, answered), staff.dinkes)
    referred(staff, cancelled)
    move(cancelled, staff.bo, "batalkan", cancel_reason="dicabut", note="Dicabut")
    assert remind_late(at=datetime.fromisoformat("2026-12-03T08:00+08:00")) == 0


class Monday(datetime):
    """The clock of the machine on a working morning."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Monday:
        return cls(2026, 11, 30, 9, tzinfo=ZoneInfo("Asia/Makassar")).astimezone(tz)


def test_the_clockwork_reminds_by_itself(app: Flask, settings: Settings, staff: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    referral = referred(staff)
    monkeypatch.setattr("appliance.scheduling.office_jobs.datetime", Monday)
    workplace = Workplace(settings, Path("appliance.toml"), threading.Event())
    office_jobs.do(workplace, office_jobs.remind_of_referrals)
    db.session.rollback()
    assert db.session.get_one(Referral, referral).reminded_at is not None
