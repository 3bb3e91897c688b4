"""Due times as they are kept: calendar, causes of changes, by hand, and the count after the calendar changed."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from appliance import background
from appliance.access import Actor
from appliance.casework import casebook, office_calendar, recount, referrals
from appliance.casework.case_detail import CaseDetail
from appliance.casework.due_times import Cause
from appliance.casework.history import history_is_whole
from appliance.casework.office_calendar import NewHoliday, NewHours
from appliance.database import db, transaction
from appliance.errors import InvalidInput, NotAllowed, NotFound
from appliance.models.audit import AuditEntry
from appliance.models.case import Case
from appliance.models.deadline import DueChange, Holiday, OfficeHours
from tests.support.desk import decided, move, open_case, prepare_referral, referred, service, version_of
from tests.support.doers_hands import Hands
from tests.support.staff import AT, Staff

WEDNESDAY = AT.replace(day=25, hour=8)  # three working days after Friday, 16.00 WITA
MONDAY = AT.replace(day=23, hour=8)
TUESDAY = AT.replace(day=24)


def seen(case: str, by: Actor, at: datetime = AT) -> CaseDetail:
    return casebook.look_at_case(case, by=by, at=at)


def holiday(day: date) -> NewHoliday:
    return NewHoliday(day, "Hari Jadi Bantaeng", "libur_daerah")


def do_recount() -> str:
    task = background.begin_next(AT)
    assert task is not None
    assert task.kind == "hitung_batas"
    return recount.run(task, Hands(AT))


def test_a_new_holiday_moves_what_is_open_and_says_why(app: Flask, staff: Staff) -> None:
    open_one, done = open_case(staff.fo), open_case(staff.fo, service_type_id=service("informasi"))
    move(done, staff.fo, "selesaikan_langsung", outcome="informasi", outcome_note="x", citizen_note="y")
    ended = seen(done, staff.fo).line.deadline
    office_calendar.add_holiday(holiday(TUESDAY.date()), by=staff.admin, at=AT)
    assert seen(open_one, staff.fo).line.deadline == WEDNESDAY, "until it was counted"
    assert do_recount() == "1 kasus terbuka dihitung ulang; 1 batas waktu berubah."
    after = seen(open_one, staff.fo)
    assert after.line.deadline == WEDNESDAY + timedelta(days=1)
    (change,) = after.due_changes
    assert (change.old, change.new, change.cause, change.by_name) == (
        WEDNESDAY,
        WEDNESDAY + timedelta(days=1),
        "Kalender kerja diubah",
        "Simpul SLRT",
    )
    assert seen(done, staff.fo).line.deadline == ended
    assert history_is_whole(open_one)
    entry = db.session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "kalender")).one()
    assert entry.account_id == staff.admin.account_id


def test_a_cut_count_is_begun_again_and_a_second_one_changes_nothing(
    app: Flask, staff: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recount, "AT_ONCE", 2)
    cases = [open_case(staff.fo) for _ in range(5)]
    office_calendar.add_holiday(holiday(TUESDAY.date()), by=staff.manager, at=AT)
    office_calendar.add_holiday(holiday(date(2027, 8, 18)), by=staff.manager, at=AT)
    task = background.begin_next(AT)
    assert task is not None
    with pytest.raises(InterruptedError):
        recount.run(task, Hands(AT, parts=2))
    assert {seen(case, staff.fo).line.deadline for case in cases} == {WEDNESDAY, WEDNESDAY + timedelta(days=1)}
    recount.run(task, Hands(AT))
    recount.run(task, Hands(AT))
    assert {seen(case, staff.fo).line.deadline for case in cases} == {WEDNESDAY + timedelta(days=1)}
    assert db.session.scalar(sa.select(sa.func.count()).select_from(DueChange)) == len(cases)
    with transaction():
        assert not background.is_waiting("hitung_batas", "kalender"), "two changes, one count"


def test_every_cause_is_told_and_kept(app: Flask, staff: Staff) -> None:
    case = open_case(staff.fo)
    move(case, staff.supervisor, "ubah_prioritas", priority="cepat", note="Pasien di IGD")
    move(case, staff.bo, "kembalikan", at=AT + timedelta(hours=1), return_reasons="lain", note="Nama RT?")
    assert "ubah_batas" not in [offer.action for offer in seen(case, staff.manager).actions], "the clock stands"
    move(case, staff.fo, "kirim_ulang", at=AT + timedelta(hours=3), note="RT 2")
    move(case, staff.manager, "ubah_batas", at=AT + timedelta(hours=4), due_date="2026-12-02", note="Menunggu hasil lab")
    found = seen(case, staff.fo)
    assert [(change.cause, change.new, change.by_name) for change in reversed(found.due_changes)] == [
        ("Prioritas diubah", AT.replace(day=23, hour=8), staff.supervisor.name),
        ("Waktu berhenti sementara menunggu warga atau pihak luar", AT.replace(day=24, hour=2), staff.fo.name),
        ("Diubah oleh manajer", AT.replace(month=12, day=2, hour=8), staff.manager.name),
    ]
    assert found.due_changes[0].note == "Menunggu hasil lab"
    assert found.line.deadline == AT.replace(month=12, day=2, hour=8)
    office_calendar.add_holiday(holiday(TUESDAY.date()), by=staff.admin, at=AT)
    do_recount()
    assert seen(case, staff.fo).line.deadline == AT.replace(month=12, day=2, hour=8), "what was set by hand stays"


@pytest.mark.parametrize("statement", ["DELETE FROM due_change", "UPDATE due_change SET note = 'x'"])
def test_a_cause_cannot_be_rewritten(app: Flask, staff: Staff, statement: str) -> None:
    case = open_case(staff.fo)
    move(case, staff.supervisor, "ubah_prioritas", priority="cepat", note="Pasien di IGD")
    with pytest.raises(sa.exc.DatabaseError, match="append-only"), transaction() as session:
        session.execute(sa.text(statement))


@pytest.mark.parametrize(
    ("day", "why"), [("2026-11-21", "libur"), ("2026-11-19", "belum lewat"), ("2026-11-25", "sudah demikian")]
)
def test_a_day_that_cannot_be_due_is_refused(app: Flask, staff: Staff, day: str, why: str) -> None:
    case = open_case(staff.fo)
    with pytest.raises(InvalidInput) as caught:
        move(case, staff.manager, "ubah_batas", due_date=day, note="x")
    assert why in caught.value.problems["due_date"]
    with pytest.raises(NotAllowed):
        move(case, staff.supervisor, "ubah_batas", due_date="2026-12-02", note="x")


def test_a_stage_has_its_own_limit(app: Flask, staff: Staff) -> None:
    office_calendar.save_limit("biaya-perawatan", "VERIFIKASI", 90, "menit", by=staff.admin, at=AT)
    case = open_case(staff.fo)
    assert seen(case, staff.fo).stage_due == AT.replace(day=23, hour=8), "a day for everything that is new"
    move(case, staff.bo, "ambil", at=AT)
    assert seen(case, staff.fo).stage_due == AT + timedelta(minutes=90)
    move(case, staff.bo, "kembalikan", return_reasons="lain", note="Nama RT?")
    assert seen(case, staff.fo).stage_due is None
    other = open_case(staff.fo, service_type_id=service("pungutan"))
    move(other, staff.bo, "ambil", at=AT)
    assert seen(other, staff.fo).stage_due == AT.replace(day=27, hour=8)
    office_calendar.save_limit("", "VERIFIKASI", 0, "hari_kerja", by=staff.admin, at=AT)
    do_recount()
    assert seen(other, staff.fo).stage_due is None


def test_the_hours_of_ramadan_hold_from_a_wednesday(app: Flask, staff: Staff) -> None:
    ramadan = (("08:00", "15:00"),) * 4 + (("08:00", "11:30"), ("", ""), ("", ""))
    new = NewHours(ramadan, "Ramadan", date(2026, 11, 25), date(2026, 12, 24))
    office_calendar.save_hours(new, by=staff.admin, at=AT)
    assert seen(open_case(staff.fo), staff.fo).line.deadline == WEDNESDAY - timedelta(hours=1)
    row = db.session.scalars(sa.select(OfficeHours.id).where(OfficeHours.starts.is_not(None))).one()
    office_calendar.remove_period(row, by=staff.admin, at=AT)
    with pytest.raises(NotFound):
        office_calendar.remove_period(row, by=staff.admin, at=AT)
    assert seen(open_case(staff.fo), staff.fo).line.deadline == WEDNESDAY


def test_bad_input_changes_nothing_and_tells_everything(app: Flask, staff: Staff) -> None:
    before = db.session.scalar(sa.select(sa.func.count()).select_from(Holiday))
    with pytest.raises(InvalidInput) as caught:
        office_calendar.import_holidays([holiday(TUESDAY.date()), NewHoliday(None, "", "lain")], by=staff.admin, at=AT)
    assert set(caught.value.problems) == {"line-2"}
    for week in ((("16:00", "08:00"),) * 7, (("", ""),) * 7, (("08:00", ""),) * 7):
        with pytest.raises(InvalidInput):
            office_calendar.save_hours(NewHours(week, usual=True), by=staff.admin, at=AT)
    with pytest.raises(InvalidInput) as caught:
        office_calendar.save_limit("tidak ada", "SELESAI", None, "jam", by=staff.admin, at=AT)
    assert set(caught.value.problems) == {"service_code", "state", "amount", "unit"}
    with pytest.raises(InvalidInput) as caught:
        office_calendar.add_holiday(holiday(date(2026, 12, 25)), by=staff.admin, at=AT)
    assert "sudah" in caught.value.problems["day"]
    with pytest.raises(NotAllowed):
        office_calendar.add_holiday(holiday(TUESDAY.date()), by=staff.supervisor, at=AT)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Holiday)) == before
    assert not background.is_anything_to_do()


def test_a_decree_is_taken_over_and_seeds_do_not_come_back(app: Flask, staff: Staff) -> None:
    (christmas,) = (day for day in office_calendar.look_at_year(2026, by=staff.admin).holidays if day.day == date(2026, 12, 25))
    office_calendar.remove_holiday(christmas.id, by=staff.admin, at=AT)
    assert office_calendar.seed_calendar(at=AT) == 0
    days = [
        NewHoliday(date(2026, 12, 25), "Natal", "libur_nasional"),
        NewHoliday(date(2026, 12, 24), "Cuti Natal", "cuti_bersama"),
    ]
    assert office_calendar.import_holidays(days, by=staff.admin, at=AT) == 2
    names = {day.day: day.name for day in office_calendar.look_at_year(2026, by=staff.admin).holidays}
    assert (names[date(2026, 12, 24)], names[date(2026, 12, 25)]) == ("Cuti Natal", "Natal")
    assert office_calendar.look_at_year(2031, by=staff.manager).missing


def test_replies_and_ratifications_follow_the_calendar_too(app: Flask, staff: Staff) -> None:
    case = open_case(staff.fo, priority="darurat", priority_reason="Melahirkan")
    move(case, staff.fo, "rujuk_darurat", note="Ke IGD")
    referral = referred(staff, case)
    before, version = casebook.look_at_referral(referral, by=staff.dinkes, at=AT).line, version_of(referral, staff.dinkes)
    assert (seen(case, staff.manager).ratify_due, before.reply_due) == (MONDAY, AT.replace(day=27, hour=8))
    for day in (MONDAY, TUESDAY):
        office_calendar.add_holiday(holiday(day.date()), by=staff.admin, at=AT)
    do_recount()
    db.session.expire_all()
    after = seen(case, staff.manager)
    moved = casebook.look_at_referral(referral, by=staff.dinkes, at=AT).line
    assert (after.ratify_due, moved.reply_due) == (WEDNESDAY, AT.replace(month=12, day=1, hour=8))
    assert moved.row_version == version, "whoever writes the answer just now is not disturbed"
    causes = {change.cause: change.note for change in after.due_changes}
    assert causes["Kalender kerja diubah, batas jawaban rujukan"] == moved.number
    assert "Kalender kerja diubah, batas pengesahan darurat" in causes
    changes = len(after.due_changes)
    office_calendar.add_holiday(holiday(date(2026, 10, 1)), by=staff.admin, at=AT)
    do_recount()
    assert len(seen(case, staff.manager).due_changes) == changes


def test_the_time_to_reply_runs_from_the_sending(app: Flask, staff: Staff) -> None:
    referral = prepare_referral(staff, decided(staff))
    sent_at = AT + timedelta(days=14)  # Friday, 4 December
    written = casebook.look_at_referral(referral, by=staff.bo, at=sent_at).line
    assert (written.reply_due, written.reply_days, written.overdue) == (None, 5, False)
    referrals.send_referral(referral, row_version=version_of(referral, staff.bo), by=staff.bo, at=sent_at)
    office_calendar.add_holiday(holiday(TUESDAY.date()), by=staff.admin, at=sent_at)  # after it was written, before it was sent
    do_recount()
    db.session.expire_all()
    sent = casebook.look_at_referral(referral, by=staff.dinkes, at=sent_at).line
    assert (sent.reply_due, sent.overdue) == (office_calendar.close_after(sent_at, 5), False)
    assert not db.session.scalars(sa.select(DueChange).where(DueChange.cause == Cause.REPLY)).all()


def test_the_deadline_of_the_row_is_that_of_its_history(app: Flask, staff: Staff) -> None:
    """Whatever happened to a case, counting it again from its history gives what its row says."""
    case = open_case(staff.fo)
    move(case, staff.bo, "kembalikan", at=AT + timedelta(hours=1), return_reasons="lain", note="Nama RT?")
    move(case, staff.fo, "kirim_ulang", at=AT + timedelta(days=3), note="RT 2")
    move(case, staff.supervisor, "ubah_prioritas", at=AT + timedelta(days=4), priority="cepat", note="IGD")
    row = db.session.get_one(Case, case)
    kept = row.deadline
    office_calendar.add_holiday(holiday(date(2026, 10, 1)), by=staff.admin, at=AT)
    assert "0 batas waktu berubah" in do_recount()
    db.session.expire_all()
    assert db.session.get_one(Case, case).deadline == kept
