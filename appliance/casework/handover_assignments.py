"""What a handover changes of the assignments of both facilitators. Inside the running transaction, with both accounts locked."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta

from appliance.access import Actor
from appliance.casework.handover_rules import covered, without
from appliance.database import db
from appliance.models.account import Account, Assignment
from appliance.models.roles import Role
from appliance.registry.area_codes import at_any_time
from appliance.registry.areas import active_villages


def end_assignments(giver: Account, given: Collection[str], day: date, by: Actor, at: datetime) -> None:
    """From `day` on she does not serve the villages `given`; what she has besides them goes on.

    An assignment that runs ends the day before, and a new one takes over its other areas; one that has not begun is narrowed.
    One that still names a village by an old code is no way back to it.
    """
    villages, gone = [village.code for village in active_villages()], at_any_time(given)
    for held in [held for held in giver.assignments if held.kind is Role.FASILITATOR]:
        kept = without(held.area_codes, gone, villages)
        if kept == list(held.area_codes) or (held.ends is not None and held.ends < day):
            continue
        if held.starts < day:
            if kept:
                _add(_facilitator(giver.id, kept, day, held.ends, held.decree), by, at)
            held.ends = day - timedelta(days=1)
        elif kept:
            held.area_codes = kept
        else:
            held.ends = held.starts - timedelta(days=1)  # it never holds
        held.stamp(by.account_id, at)


def begin_assignment(taker: Account, given: Collection[str], day: date, decree: str, by: Actor, at: datetime) -> None:
    """From `day` on she serves the villages `given`, by one new assignment for those that she does not serve for good already."""
    lasting = [held for held in taker.assignments_on(day) if held.kind is Role.FASILITATOR and held.ends is None]
    missing = [code for code in sorted(given) if not any(covered(held.area_codes, code) for held in lasting)]
    if missing:
        _add(_facilitator(taker.id, missing, day, None, decree), by, at)


def _facilitator(account_id: str, codes: list[str], starts: date, ends: date | None, decree: str | None) -> Assignment:
    return Assignment(
        account_id=account_id, role=Role.FASILITATOR.value, area_codes=codes, starts=starts, ends=ends, decree=decree
    )


def _add(made: Assignment, by: Actor, at: datetime) -> None:
    made.stamp(by.account_id, at)
    db.session.add(made)
