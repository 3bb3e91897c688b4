"""Handovers of a later day: nothing holds before it, on it they are done once, or refused with the reason."""

from __future__ import annotations

import contextlib
import threading
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from flask import Flask

from appliance import audit
from appliance.access import Actor
from appliance.accounts.sessions import acting_for
from appliance.casework import handover_plans, handover_records
from appliance.casework.handover import hand_over, preview
from appliance.casework.handover_plans import cancel_plan, do_due, list_plans, look_at_plan, plan_handover
from appliance.config import Settings
from appliance.database import db, settings_in_use, transaction
from appliance.errors import Conflict, InvalidInput, NotAllowed, NotFound, TryLater
from appliance.models.account import Account, Assignment
from appliance.models.handover import Handover, HandoverPlan, PlanState
from appliance.models.roles import Role
from appliance.scheduling import office_jobs
from appliance.scheduling.workplace import Workplace
from tests.service.test_handover import TODAY, assign, field, held, owner, wanted
from tests.support.desk import open_case, resident
from tests.support.staff import AT, FAR, HOME, Staff

__all__ = ["field"]
DAY = TODAY + timedelta(days=10)
ON_THE_DAY = AT + timedelta(days=10)


@pytest.fixture
def planner(field: Staff) -> Staff:
    """The supervisor's rights stand in an assignment: on the day they are looked up."""
    assign(field.supervisor.account_id, "73.03", role=Role.SUPERVISOR)
    return field


def plan(staff: Staff, by: Actor | None = None, request_id: str = "p", **changes: object) -> str:
    by = by or staff.supervisor
    return plan_handover(wanted(staff, **{"starts": DAY, **changes}), request_id=request_id, by=by, at=AT)


def tick(at: datetime = ON_THE_DAY) -> int:
    """What the scheduler does each half minute."""
    db.session.rollback()
    zone: ZoneInfo = settings_in_use().zone
    return do_due(at, lambda account_id: acting_for(account_id, at, "penjadwal", zone))


def state_of(plan_id: str) -> tuple[str, str, bool]:
    row = db.session.get_one(HandoverPlan, plan_id, populate_existing=True)
    return row.state, row.reason, row.handover_id is not None


def test_it_is_done_on_its_day_with_the_cases_of_that_day(planner: Staff) -> None:
    before = open_case(planner.facilitator)
    made = plan(planner)
    assert plan(planner) == made, "the same press"
    after = open_case(planner.facilitator, resident(planner.facilitator, "Hasnah"))
    for at in (AT, ON_THE_DAY - timedelta(days=1)):
        assert tick(at) == 0
    assert (owner(before), held(planner.facilitator)) == (None, [([HOME, FAR], date(2026, 1, 1), None)])
    assert tick() == 1
    assert tick() == 0
    assert owner(before) == owner(after) == planner.neighbour.account_id
    assert held(planner.neighbour)[-1] == ([HOME], DAY, None)
    (done,) = handover_records.list_handovers(by=planner.supervisor).handovers
    assert (done.starts, done.cases, state_of(made)) == (DAY, 2, (PlanState.DONE, "", True))
    assert list_plans(by=planner.supervisor) == ()
    assert look_at_plan(made, by=planner.supervisor, at=ON_THE_DAY).line.handover_id == done.id
    assert audit.verify().ok


def test_one_press_that_arrives_twice_at_once_is_one_plan(
    app: Flask, planner: Staff, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite lets one writer in at a time; on PostgreSQL both have looked before either stores."""
    both_looked = threading.Barrier(2 if settings.database.url else 1)
    check = handover_plans.check_plan

    def checked(*args: Any, **known: Any) -> object:
        if not both_looked.broken:
            with contextlib.suppress(threading.BrokenBarrierError):
                both_looked.wait(10)
                both_looked.abort()
        return check(*args, **known)

    monkeypatch.setattr(handover_plans, "check_plan", checked)
    made: list[str] = []

    def press() -> None:
        with app.app_context():
            made.append(plan(planner))
            db.session.remove()

    presses = [threading.Thread(target=press) for _ in range(2)]
    for one in presses:
        one.start()
    for one in presses:
        one.join(120)
    assert len(made) == 2
    assert len(set(made)) == 1


def test_what_is_planned_already_is_not_planned_twice(planner: Staff) -> None:
    made = plan(planner)
    with pytest.raises(Conflict) as twice:
        plan(planner, planner.admin, "q", village_codes=(FAR, HOME), starts=DAY + timedelta(days=1))
    assert "30-11-2026, oleh Rahma." in twice.value.message
    assert twice.value.message.count("Kelurahan") + twice.value.message.count("Desa") == 1, (
        "only the village that is planned twice"
    )
    plan(planner, planner.admin, "r", village_codes=(FAR,))
    cancel_plan(made, row_version=look_at_plan(made, by=planner.supervisor, at=AT).line.row_version, by=planner.supervisor, at=AT)
    assert plan(planner, planner.admin, "q") != made


def test_a_day_without_power_is_made_up_for(planner: Staff) -> None:
    made = plan(planner)
    assert tick(ON_THE_DAY + timedelta(days=3)) == 1
    assert state_of(made)[0] == PlanState.DONE
    assert held(planner.neighbour)[-1][1] == DAY + timedelta(days=3)


def change(staff: Staff, what: str) -> None:
    with transaction() as session:
        if what == "giver":
            session.scalars(sa.select(Assignment).where(Assignment.account_id == staff.facilitator.account_id)).one().ends = TODAY
        elif what == "taker":
            session.get_one(Account, staff.neighbour.account_id).active = False
        elif what == "planner":
            session.scalars(sa.select(Assignment).where(Assignment.account_id == staff.supervisor.account_id)).one().ends = TODAY
        else:
            session.get_one(Account, staff.supervisor.account_id).active = False


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("giver", "tidak bertugas sebagai fasilitator di"),
        ("taker", "akunnya aktif"),
        ("planner", "di luar wilayah tugas"),
        ("account", "tidak lagi berhak"),
    ],
)
def test_what_changed_meanwhile_refuses_it_with_the_reason(planner: Staff, what: str, said: str) -> None:
    case = open_case(planner.facilitator)
    made = plan(planner)
    change(planner, what)
    db.session.expire_all()
    assert tick() == 0
    state, reason, done = state_of(made)
    assert (state, done, said in reason) == (PlanState.REFUSED, False, True)
    assert (owner(case), db.session.scalar(sa.select(sa.func.count()).select_from(Handover))) == (None, 0)
    (line,) = list_plans(by=planner.manager)
    assert (line.id, line.reason) == (made, reason)
    assert tick() == 0


def test_what_stands_against_it_is_told_before_its_day(planner: Staff) -> None:
    made = plan(planner)
    seen = look_at_plan(made, by=planner.supervisor, at=AT)
    assert (seen.problems, seen.sheet is not None) == ((), True)
    change(planner, "giver")
    db.session.expire_all()
    seen = look_at_plan(made, by=planner.supervisor, at=AT)
    assert ("tidak bertugas" in seen.problems[0], seen.sheet) == (True, None)


def test_killed_between_the_act_and_its_note_it_is_not_done_twice(planner: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    open_case(planner.facilitator)
    made = plan(planner)
    with monkeypatch.context() as patched:
        patched.setattr(handover_plans, "_end", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            tick()
    assert state_of(made)[0] == PlanState.WAITING
    assert tick() == 1
    assert (state_of(made)[0], db.session.scalar(sa.select(sa.func.count()).select_from(Handover))) == (PlanState.DONE, 1)


def test_a_busy_moment_only_delays_it(planner: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    made = plan(planner)
    for error in (TryLater("Sibuk.", ""), Conflict("Berubah.", "")):
        with monkeypatch.context() as patched:
            patched.setattr(handover_plans, "hand_over", lambda *_, error=error, **__: (_ for _ in ()).throw(error))
            assert tick() == 0
        assert state_of(made) == (PlanState.WAITING, "", False)
    assert tick() == 1


def test_one_plan_that_cannot_be_done_stands_in_nobodys_way(planner: Staff) -> None:
    first, second = plan(planner), plan(planner, request_id="q", village_codes=(FAR,))
    today = wanted(planner)
    hand_over(today, seen=preview(today, by=planner.supervisor, at=AT).seen, request_id="h", by=planner.supervisor, at=AT)
    assert tick() == 1
    assert [state_of(one)[0] for one in (first, second)] == [PlanState.REFUSED, PlanState.DONE]


def test_it_is_called_off_once_by_whoever_may_do_it(planner: Staff) -> None:
    made = plan(planner)
    version = look_at_plan(made, by=planner.supervisor, at=AT).line.row_version
    with pytest.raises(NotAllowed):
        cancel_plan(made, row_version=version, by=planner.facilitator, at=AT)
    with pytest.raises(NotFound):
        cancel_plan(made, row_version=version, by=planner.stranger, at=AT)
    with pytest.raises(Conflict):
        cancel_plan(made, row_version=version + 1, by=planner.manager, at=AT)
    cancel_plan(made, row_version=version, by=planner.manager, at=AT)
    with pytest.raises(Conflict):
        cancel_plan(made, row_version=version, by=planner.manager, at=AT)
    assert (tick(), state_of(made)) == (0, (PlanState.CANCELLED, "", False))
    assert list_plans(by=planner.supervisor) == ()


def test_a_plan_is_for_a_later_day(planner: Staff) -> None:
    for starts in (None, TODAY - timedelta(days=1), TODAY, TODAY + timedelta(days=400)):
        with pytest.raises(InvalidInput) as caught:
            plan(planner, starts=starts)
        assert set(caught.value.problems) == {"starts"}
    with pytest.raises(InvalidInput):
        hand_over(wanted(planner, starts=DAY), seen="", request_id="h", by=planner.supervisor, at=AT)


def test_who_sees_a_plan(app: Flask, planner: Staff) -> None:
    case = open_case(planner.facilitator, confidential=True)
    made = plan(planner)
    for by in (planner.supervisor, planner.manager, planner.admin):
        seen = look_at_plan(made, by=by, at=AT)
        assert seen.sheet is not None
        assert ([one["id"] for one in seen.sheet["cases"]], seen.sheet["number"]) == ([case], "")
        assert seen.sheet["day_in_words"].startswith("Senin tanggal tiga puluh bulan November")
    for by in (planner.facilitator, planner.neighbour):
        assert ([line.id for line in list_plans(by=by)], look_at_plan(made, by=by, at=AT).seen) == ([made], None)
    for by in (planner.fo, planner.bo, planner.stranger, planner.dinkes):
        assert list_plans(by=by) == ()
        with pytest.raises(NotFound):
            look_at_plan(made, by=by, at=AT)
    with pytest.raises(NotAllowed):
        plan(planner, by=planner.facilitator, request_id="x")


def test_plans_of_others_push_none_of_hers_out(planner: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handover_plans, "MOST_PLANS", 1)
    made = plan(planner)
    with transaction() as session:
        foreign = HandoverPlan(
            request_id="f", from_account_id=planner.stranger.account_id, to_account_id=planner.dinkes.account_id,
            village_codes=["99.99.99.2001"], starts=AT.date(), decree="SK 9", note="", state="ditolak",
        )  # fmt: skip
        foreign.stamp("system", AT)
        session.add(foreign)
    assert [line.id for line in list_plans(by=planner.supervisor)] == [made]


def test_the_scheduler_does_what_is_due(app: Flask, planner: Staff, settings: Settings) -> None:
    now = datetime.now(UTC)
    for who, code in ((planner.facilitator, HOME), (planner.neighbour, FAR)):
        assign(who.account_id, code, starts=date(2020, 1, 1))
    assign(planner.supervisor.account_id, "73.03", role=Role.SUPERVISOR, starts=date(2020, 1, 1))
    today = now.astimezone(settings.zone).date()
    later = today + timedelta(days=2)  # not tomorrow: that may begin before the test ends
    made = plan_handover(wanted(planner, starts=later), request_id="s", by=planner.supervisor, at=now)
    for folder in (settings.paths.data, settings.paths.runtime, settings.power.runtime):
        Path(folder).mkdir(parents=True, exist_ok=True)
    workplace = Workplace(settings, Path("unused"), threading.Event())
    office_jobs.do(workplace, office_jobs.hand_over_if_due)
    assert state_of(made)[0] == PlanState.WAITING
    with transaction() as session:
        session.get_one(HandoverPlan, made).starts = today
    office_jobs.do(workplace, office_jobs.hand_over_if_due)
    assert state_of(made) == (PlanState.DONE, "", True)
