"""Handovers of a later day: planned, shown, called off, and done on their day by the scheduler, with the list of that day.

Until then nothing of a plan holds. On its day the act is done with the rights that who planned it has then; what has changed so
that it cannot be done refuses it with the reason, which stays with the plan for her to read.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from typing import Any

import sqlalchemy as sa

from appliance import audit
from appliance.access import Actor
from appliance.casework.handover import (
    HANDING_ROLES,
    NewHandover,
    Preview,
    check_plan,
    find_done,
    hand_over,
    may_hand_over,
    preview,
)
from appliance.casework.handover_sheet import Signer, make_sheet
from appliance.database import Duplicate, changed_meanwhile, db, settings_in_use, transaction
from appliance.errors import Conflict, InvalidInput, NotAllowed, NotFound, TryLater
from appliance.models.account import Account
from appliance.models.handover import HandoverPlan, PlanState
from appliance.models.roles import Role
from appliance.registry.areas import area_names

MOST_PLANS = 100
NO_RIGHTS = "Yang merencanakan tidak lagi berhak menyerahkan wilayah itu."

log = logging.getLogger("slrt-scheduler")


@dataclass(frozen=True)
class PlanLine:
    """One plan as a list shows it; `handover_id` leads to what was done."""

    id: str
    giver: str
    taker: str
    villages: tuple[str, ...]
    starts: date
    state: PlanState
    reason: str
    planned_by: str
    handover_id: str
    row_version: int


@dataclass(frozen=True)
class PlanDetail:
    """One plan with what would pass as things are now, and the sheet as it would be: for whoever may do it, and only if nothing
    stands against it (`problems`).
    """

    line: PlanLine
    decree: str
    note: str
    planned_at: datetime
    seen: Preview | None
    sheet: dict[str, Any] | None
    problems: tuple[str, ...]


def plan_handover(new: NewHandover, *, request_id: str, by: Actor, at: datetime) -> str:
    """Keep a plan; its identifier. The same `request_id` again gives the same plan.

    Raises InvalidInput, NotAllowed; Conflict when a plan that waits takes one of the villages from the same person.
    """
    try:
        with transaction():
            return _planned(request_id, by) or _plan(new, request_id, by, at)
    except Duplicate:
        # Another process was faster with the same request: the second look sees it.
        with transaction():
            return _planned(request_id, by) or _plan(new, request_id, by, at)


def list_plans(*, by: Actor) -> tuple[PlanLine, ...]:
    """The plans in reach of `by`: those that wait, the next first, then those that were refused. What was done is a handover."""
    shown = HandoverPlan.state.in_((PlanState.WAITING, PlanState.REFUSED))
    rows = db.session.scalars(sa.select(HandoverPlan).where(shown).order_by(HandoverPlan.state, HandoverPlan.starts))
    return _lines(islice((row for row in rows if _in_reach(row, by)), MOST_PLANS))


def look_at_plan(plan_id: str, *, by: Actor, at: datetime) -> PlanDetail:
    """One plan. Raises NotFound."""
    plan = _found(plan_id, by)
    (line,) = _lines([plan])
    seen, problems = None, tuple(filter(None, (plan.reason,)))
    if plan.state == PlanState.WAITING and all(may_hand_over(code, by) for code in plan.village_codes):
        try:
            seen = preview(_wanted(plan, max(plan.starts, _today(at))), by=by, at=at)
        except InvalidInput as error:
            problems = tuple(error.problems.values())
    sheet = _sheet(plan, seen) if seen else None
    return PlanDetail(line, plan.decree, plan.note, plan.created_at, seen, sheet, problems)


def cancel_plan(plan_id: str, *, row_version: int, by: Actor, at: datetime) -> None:
    """Call off what is not done yet. Raises NotFound, NotAllowed, Conflict."""
    with transaction():
        plan = _found(plan_id, by)
        if not all(may_hand_over(code, by) for code in plan.village_codes):
            raise NotAllowed("Anda tidak berhak membatalkan rencana ini.", "Minta supervisor atau admin.")
        if plan.state != PlanState.WAITING or plan.row_version != row_version:
            raise changed_meanwhile()
        _end(plan, PlanState.CANCELLED, "", by.account_id, at)
        audit.record("serah-terima-batal", f"plan:{plan.id}", by=by, at=at)


def do_due(at: datetime, acting: Callable[[str], Actor | None]) -> int:
    """Do the plans whose day has come, each for itself; how many were done. `acting` gives an account's rights of today.

    A day on which the node was off is made up for. Killed at any line, the next call goes on: what was handed over already is found.
    """
    due = sa.select(HandoverPlan.id).where(HandoverPlan.state == PlanState.WAITING, HandoverPlan.starts <= _today(at))
    ids = db.session.scalars(due.order_by(HandoverPlan.starts, HandoverPlan.id)).all()
    db.session.rollback()
    done = 0
    for plan_id in ids:
        try:
            done += _do(plan_id, acting, at)
        except (TryLater, Conflict) as error:
            log.warning("Rencana serah terima %s ditunda: %s", plan_id, error.message)
    return done


def _planned(request_id: str, by: Actor) -> str | None:
    mine = sa.select(HandoverPlan.id).where(HandoverPlan.request_id == request_id, HandoverPlan.created_by == by.account_id)
    return db.session.scalar(mine)


def _plan(new: NewHandover, request_id: str, by: Actor, at: datetime) -> str:
    check_plan(new, by=by, at=at)
    if before := _waiting_for(new):
        if (before.request_id, before.created_by) == (request_id, by.account_id):
            return before.id
        raise _planned_by_other(before, new)
    plan = HandoverPlan(
        request_id=request_id,
        from_account_id=new.from_account_id,
        to_account_id=new.to_account_id,
        village_codes=sorted(new.village_codes),
        starts=new.starts,
        decree=new.decree.strip(),
        note=new.note.strip(),
    )
    plan.stamp(by.account_id, at)
    db.session.add(plan)
    db.session.flush()
    detail = {"dari": plan.from_account_id, "kepada": plan.to_account_id, "desa": plan.village_codes, "mulai": plan.starts}
    audit.record("serah-terima-rencana", f"plan:{plan.id}", by=by, at=at, detail=detail)
    return plan.id


def _waiting_for(new: NewHandover) -> HandoverPlan | None:
    """A plan that waits and takes one of these villages from the same person. Read after the lock on her account."""
    hers = sa.select(HandoverPlan).where(
        HandoverPlan.state == PlanState.WAITING, HandoverPlan.from_account_id == new.from_account_id
    )
    wanted = set(new.village_codes)
    rows = db.session.scalars(hers.order_by(HandoverPlan.starts).execution_options(populate_existing=True))
    return next((row for row in rows if wanted & set(row.village_codes)), None)


def _planned_by_other(before: HandoverPlan, new: NewHandover) -> Conflict:
    (line,) = _lines([before])
    twice = area_names(set(new.village_codes) & set(before.village_codes))
    villages = ", ".join(twice.get(code, code) for code in sorted(set(new.village_codes) & set(before.village_codes)))
    return Conflict(
        f"{villages} sudah direncanakan diserahkan kepada {line.taker} mulai {before.starts:%d-%m-%Y}, oleh {line.planned_by}.",
        "Buka rencana itu di daftar serah terima; batalkan dahulu bila yang ini yang benar.",
    )


def _do(plan_id: str, acting: Callable[[str], Actor | None], at: datetime) -> bool:
    plan = db.session.get_one(HandoverPlan, plan_id)
    request_id, planner, new = f"rencana-{plan.id}", plan.created_by, _wanted(plan, _today(at))
    made, by = find_done(request_id, planner), acting(planner)
    db.session.rollback()
    reason = ""
    if not made:
        try:
            if by is None:
                raise NotAllowed(NO_RIGHTS, "")
            seen = preview(new, by=by, at=at).seen
            db.session.rollback()
            made = hand_over(new, seen=seen, request_id=request_id, by=by, at=at)
        except InvalidInput as error:
            reason = " ".join(error.problems.values())
        except NotAllowed as error:
            reason = error.message
    with transaction():
        plan = db.session.get_one(HandoverPlan, plan_id, with_for_update=True, populate_existing=True)
        if plan.state != PlanState.WAITING and not made:
            return False
        plan.handover_id = made
        _end(plan, PlanState.DONE if made else PlanState.REFUSED, reason, planner, at)
        action = "serah-terima-terlaksana" if made else "serah-terima-ditolak"
        audit.record(action, f"plan:{plan.id}", by=None, at=at, detail={"sebab": reason} if reason else {"serah_terima": made})
        return made is not None


def _end(plan: HandoverPlan, state: PlanState, reason: str, account_id: str, at: datetime) -> None:
    plan.state, plan.reason = state, reason
    plan.stamp(account_id, at)


def _wanted(plan: HandoverPlan, day: date | None = None) -> NewHandover:
    codes = tuple(plan.village_codes)
    return NewHandover(plan.from_account_id, plan.to_account_id, codes, day or plan.starts, plan.decree, plan.note)


def _found(plan_id: str, by: Actor) -> HandoverPlan:
    plan = db.session.get(HandoverPlan, plan_id)
    if plan is None or not _in_reach(plan, by):
        raise NotFound("Rencana itu tidak ditemukan.", "Buka daftar serah terima, lalu pilih dari sana.")
    return plan


def _in_reach(plan: HandoverPlan, by: Actor) -> bool:
    """Whoever may hand one of its villages over, and the two of them."""
    two = (plan.from_account_id, plan.to_account_id)
    return by.account_id in two or any(may_hand_over(code, by) for code in plan.village_codes)


def _lines(plans: Iterable[HandoverPlan]) -> tuple[PlanLine, ...]:
    plans = list(plans)
    ids = {one for plan in plans for one in (plan.from_account_id, plan.to_account_id, plan.created_by)}
    names = {row.id: row.name for row in db.session.execute(sa.select(Account.id, Account.name).where(Account.id.in_(ids)))}
    villages = area_names({code for plan in plans for code in plan.village_codes})
    return tuple(
        PlanLine(
            id=plan.id,
            giver=names[plan.from_account_id],
            taker=names[plan.to_account_id],
            villages=tuple(villages.get(code, code) for code in plan.village_codes),
            starts=plan.starts,
            state=PlanState(plan.state),
            reason=plan.reason,
            planned_by=names.get(plan.created_by, ""),
            handover_id=plan.handover_id or "",
            row_version=plan.row_version,
        )
        for plan in plans
    )


def _sheet(plan: HandoverPlan, seen: Preview) -> dict[str, Any]:
    """The sheet as it would be, for both to prepare: it has no number, and the cases are those of now."""
    giver, taker, planner = (
        db.session.get_one(Account, account_id) for account_id in (plan.from_account_id, plan.to_account_id, plan.created_by)
    )
    return make_sheet(
        number="",
        day=plan.starts,
        people=(Signer(giver.name, giver.nip or ""), Signer(taker.name, taker.nip or "")),
        villages=dict(seen.villages),
        cases=seen.cases,
        others=seen.others,
        decree=plan.decree,
        note=plan.note,
        witness=Signer(planner.name, planner.nip or "", _role(planner, plan.starts).label),
    )


def _role(account: Account, day: date) -> Role:
    held = {assignment.kind for assignment in account.assignments_on(day)}
    return next((role for role in HANDING_ROLES if role in held), Role.ADMIN)


def _today(at: datetime) -> date:
    return at.astimezone(settings_in_use().zone).date()
