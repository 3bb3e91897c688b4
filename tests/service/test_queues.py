"""Queues with their counts and ages, pages that begin after a row, what is late today, and to whom lateness is told."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask

from appliance.access import Actor, Grant
from appliance.casework import casebook, queues
from appliance.casework.case_filter import CaseFilter
from appliance.casework.escalation import escalate_late
from appliance.casework.history import history_is_whole
from appliance.casework.office_calendar import calendar_in_use
from appliance.config import CaseworkSettings, Settings
from appliance.database import db
from appliance.errors import NotAllowed
from appliance.models.case import Case
from appliance.models.roles import Role
from appliance.scheduling import office_jobs
from appliance.scheduling.workplace import Workplace
from tests.support.desk import decided, move, open_case, resident, service
from tests.support.staff import AT, FAR, Staff

MONDAY = AT.replace(day=23, hour=0)  # 08.00 WITA, the office opens


def found(by: Actor, at: datetime = AT, **wanted: object) -> list[str]:
    return [line.id for line in casebook.list_cases(CaseFilter(**wanted), by=by, at=at).cases]  # type: ignore[arg-type]


def counts(by: Actor, at: datetime = AT) -> dict[str, tuple[int, int, tuple[int, ...]]]:
    return {line.queue.key: (line.count, line.late, line.ages) for line in queues.count_queues(calendar_in_use(), by=by, at=at)}


def level(case: str) -> int | None:
    db.session.expire_all()
    return db.session.get_one(Case, case).escalation


def test_everybody_has_the_queues_of_her_roles_with_ages(app: Flask, staff: Staff) -> None:
    new, old = open_case(staff.fo), open_case(staff.fo, received_at=AT - timedelta(days=14))
    referred = decided(staff)
    returned = open_case(staff.fo)
    move(returned, staff.bo, "kembalikan", return_reasons="lain", note="Nama RT?")
    at = AT + timedelta(hours=1)
    assert counts(staff.fo, at) == {"perbaikan": (1, 0, (1, 0, 0, 0, 0))}
    mine = counts(staff.bo, at)
    assert mine["verifikasi"] == (2, 1, (1, 0, 1, 0, 0)), "ten working days are in the third group"
    assert (mine["jawaban"], mine["telaah"]) == ((1, 0, (1, 0, 0, 0, 0)), (0, 0, (0, 0, 0, 0, 0)))
    assert set(found(staff.bo, in_queue="verifikasi")) == {new, old}
    assert found(staff.bo, in_queue="verifikasi", age="8-14") == [old]
    assert found(staff.bo, in_queue="verifikasi", age="4-7") == []
    assert found(staff.bo, in_queue="jawaban") == [referred]
    assert found(staff.fo, in_queue="jawaban") == [], "not a queue of hers"
    assert counts(staff.dinkes, at) == {}


def test_who_watches_sees_every_queue_but_nothing_confidential(app: Flask, staff: Staff) -> None:
    plain, _ = open_case(staff.fo), open_case(staff.fo, confidential=True)
    seen = counts(staff.leader)
    assert set(seen) == set(queues.BY_KEY)
    assert seen["verifikasi"][0] == 1
    assert found(staff.leader, in_queue="verifikasi") == [plain]
    elsewhere = replace(staff.leader, areas=(FAR,), grants=())
    assert counts(elsewhere)["verifikasi"][0] == 0
    assert found(elsewhere, in_queue="verifikasi") == []


def test_counts_and_lists_agree_and_leak_nothing(app: Flask, staff: Staff) -> None:
    open_case(staff.fo)
    far = open_case(staff.fo, resident(staff.fo, village=FAR), confidential=True)
    near = Actor.holding("x", "X", "x", [Grant(Role.SUPERVISOR, ("73.03.01",)), Grant(Role.FASILITATOR, (FAR,))])
    head = Actor.holding("y", "Y", "y", [Grant(Role.KOORDINATOR_PUSKESOS, ("73.03",))])
    for by, expected in ((staff.supervisor, 2), (near, 1), (head, 1), (staff.stranger, 0)):
        told = {key: count for key, (count, _, _) in counts(by).items() if count}
        assert told == ({"verifikasi": expected} if expected else {}), by.name
        assert all(len(found(by, in_queue=key)) == count for key, count in told.items())
    assert far not in found(near, in_queue="verifikasi")


def test_filters_narrow_together(app: Flask, staff: Staff) -> None:
    plain = open_case(staff.fo)
    far = open_case(staff.fo, resident(staff.fo, village=FAR), service_type_id=service("pungutan"))
    urgent = open_case(staff.fo, priority="darurat", priority_reason="IGD")
    move(plain, staff.bo, "ambil")
    for wanted, cases in (
        ({"area_code": "73.03.06"}, {far}),
        ({"area_code": "73.03"}, {plain, far, urgent}),
        ({"service_code": "pungutan"}, {far}),
        ({"priority": "darurat"}, {urgent}),
        ({"owner": staff.bo.account_id}, {plain}),
        ({"owner": "-"}, {far, urgent}),
        ({"owner": "-", "priority": "biasa"}, {far}),
        ({"age": "0-3"}, {plain, far, urgent}),
        ({"age": "15-30"}, set()),
        ({"age": "15-30", "due_today": True}, set()),
    ):
        assert set(found(staff.bo, **wanted)) == cases, wanted


@pytest.mark.parametrize("wanted", [CaseFilter(), CaseFilter(queue=True)], ids=["newest", "urgent"])
def test_pages_follow_the_row_that_was_seen_last(
    app: Flask, staff: Staff, monkeypatch: pytest.MonkeyPatch, wanted: CaseFilter
) -> None:
    monkeypatch.setattr(casebook, "PAGE_SIZE", 2)
    person = resident(staff.fo)
    urgent = {"priority": "darurat", "priority_reason": "IGD"}
    cases = [open_case(staff.fo, person, **(urgent if place == 3 else {})) for place in range(5)]
    whole = []
    after = ""
    for page in range(3):
        got = casebook.list_cases(wanted, by=staff.bo, at=AT, after=after)
        whole += [line.id for line in got.cases]
        if page == 0:  # what was on the first page is done meanwhile: nothing of the rest is passed over
            move(whole[0], staff.bo, "kembalikan", return_reasons="lain", note="x")
            move(whole[0], staff.fo, "batalkan", cancel_reason="dicabut", note="x")
        after = got.following
    assert after == ""
    assert len(whole) == 5
    assert set(whole) == set(cases)
    assert (whole[0] == cases[3]) is wanted.queue
    broken = casebook.list_cases(wanted, by=staff.bo, at=AT, after="bukan~tempat")
    assert [line.id for line in broken.cases] != []


def test_today_ends_when_the_office_closes(app: Flask, staff: Staff) -> None:
    case = open_case(staff.fo)  # due on Wednesday, 16.00 WITA
    assert found(staff.bo, at=AT.replace(day=24), due_today=True) == []
    assert found(staff.bo, at=AT.replace(day=25), due_today=True) == [case]
    assert found(staff.bo, at=AT.replace(day=25, hour=9), due_today=True) == [], "then it is late"
    assert found(staff.bo, at=AT.replace(day=25, hour=9), overdue=True) == [case]
    assert found(staff.bo, at=AT.replace(day=28), due_today=True) == [], "a Saturday"


def test_lateness_is_told_level_by_level_while_the_office_is_open(app: Flask, settings: Settings, staff: Staff) -> None:
    case = open_case(staff.fo)
    move(case, staff.bo, "ambil")  # five working days: Friday 27, 16.00; the case is due on Wednesday
    patient = replace(settings, casework=CaseworkSettings(escalate_after_days=2))
    told = []
    for at, tells, reached in (
        (AT.replace(day=25, hour=7, minute=59), 0, None),
        (AT.replace(day=25, hour=16), 0, None),  # midnight
        (AT.replace(day=26, hour=0), 1, 1),
        (AT.replace(day=26, hour=1), 0, 1),
        (AT.replace(day=28, hour=2), 0, 1),  # Saturday
        (AT.replace(day=30, hour=7), 0, 1),
        (AT.replace(month=12, day=1, hour=0), 1, 2),  # two working days after Thursday are Monday's close
        (AT.replace(month=12, day=20, hour=2), 0, 2),  # a Sunday
        (AT.replace(month=12, day=21, hour=0), 1, 3),  # the node was off: one level, not two
        (AT.replace(month=12, day=24, hour=2), 0, 3),  # collective leave
        (AT.replace(month=12, day=28, hour=2), 1, 4),
        (AT.replace(month=12, day=31, hour=2), 0, 4),
    ):
        assert escalate_late(patient, at=at) == tells, at
        assert level(case) == reached, at
        told.append([by.username for by in (staff.bo, staff.supervisor, staff.manager, staff.leader) if found(by, told=True)])
    assert [names for place, names in enumerate(told) if names and names not in told[:place]] == [
        ["bo.andi"],
        ["supervisor.rahma"],
        ["manajer.hasan"],
        ["pimpinan.bupati"],
    ]
    events = [event for event in casebook.look_at_case(case, by=staff.bo, at=AT).events if event.action == "eskalasi"]
    assert [event.details["Kepada"] for event in events] == ["Petugas yang menangani", "Supervisor", "Manajer", "Pimpinan"]
    assert events[0].details["Batas yang lewat"] == "25-11-2026 16.00"
    assert history_is_whole(case)


def test_the_counter_raises_what_is_late_to_the_manager_once(app: Flask, settings: Settings, staff: Staff) -> None:
    case = open_case(staff.fo)  # due on Wednesday 25, 16.00
    told = {"note": "Datang tiga kali", "citizen_note": "Manajer menghubungi OPD hari ini"}
    with pytest.raises(NotAllowed, match="lewat batas"):
        move(case, staff.fo, "naikkan", **told)
    thursday = AT.replace(day=26)
    move(case, staff.fo, "naikkan", at=thursday, **told)
    assert (found(staff.manager, thursday, told=True), found(staff.supervisor, thursday, told=True)) == ([case], [])
    with pytest.raises(NotAllowed):
        move(case, staff.bo, "naikkan", at=thursday, **told)
    assert casebook.look_at_case(case, by=staff.fo, at=thursday).events[-1].citizen_note == told["citizen_note"]
    assert escalate_late(settings, at=AT.replace(day=30)) == 0, "she has two working days"
    assert escalate_late(settings, at=AT.replace(month=12, day=1)) == 1
    assert level(case) == 4


def test_what_is_done_or_stands_is_not_told(app: Flask, settings: Settings, staff: Staff) -> None:
    done, returned, extended = (open_case(staff.fo, service_type_id=service("informasi")) for _ in range(3))
    late = MONDAY + timedelta(days=7)
    move(returned, staff.bo, "kembalikan", return_reasons="lain", note="x")
    assert escalate_late(settings, at=late) == 2
    assert (level(done), level(returned), level(extended)) == (1, None, 1)
    move(done, staff.fo, "selesaikan_langsung", at=late, outcome="informasi", outcome_note="x", citizen_note="y")
    move(extended, staff.manager, "ubah_batas", at=late, due_date="2026-12-10", note="Menunggu data")
    assert level(done) is None
    assert escalate_late(settings, at=late + timedelta(days=14)) == 1, "only what is late for its stage"
    assert (level(done), level(returned)) == (None, None)


def test_the_clockwork_tells_by_itself(app: Flask, settings: Settings, staff: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    long_ago = AT - timedelta(days=60)
    case = open_case(staff.fo, received_at=long_ago)
    workplace = Workplace(settings, Path("appliance.toml"), threading.Event())

    class Noon(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            return AT

    monkeypatch.setattr("appliance.scheduling.office_jobs.datetime", Noon)
    office_jobs.do(workplace, office_jobs.escalate_late_cases)
    db.session.rollback()
    assert level(case) == 1
