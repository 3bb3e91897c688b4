"""What a step changes of a case besides its state. For `casework.cases`, with the case locked and the step allowed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime

import sqlalchemy as sa

from appliance.access import Actor, scope
from appliance.casework import due_times, visits
from appliance.casework.flow_rules import EMERGENCY_FIELDS, FLOW_FIELDS, Known, flow_problems
from appliance.casework.office_calendar import close_after
from appliance.casework.transitions import Action
from appliance.database import db, settings_in_use
from appliance.errors import InvalidInput
from appliance.models.case import Case
from appliance.models.person import REASON_LENGTH
from appliance.models.states import Outcome, Priority
from appliance.registry import list_status
from appliance.registry.file_store import Stored
from appliance.registry.holders import household_of

_VISIT_STEPS = frozenset({Action.PLAN_VISIT, Action.VISIT, Action.CONFIRM_VISIT, Action.RETURN_VISIT, Action.CANCEL_VISIT})


def apply(case: Case, action: Action, values: Mapping[str, str], photos: Sequence[Stored], *, by: Actor, at: datetime) -> None:
    """Write what `action` with `values` means for the case. Raises InvalidInput for a value that does not fit this case."""
    if action in _VISIT_STEPS:
        visits.apply_step(case, action, values, photos, by=by, at=at)
    elif action in _DUTIES:
        _DUTIES[action](case, values, by, at)
    if "outcome" in values:
        case.outcome, case.outcome_note = Outcome(values["outcome"]), values["outcome_note"]
    if values.get("satisfaction"):
        case.satisfaction = int(values["satisfaction"])


def _take(case: Case, _values: Mapping[str, str], by: Actor, _at: datetime) -> None:
    case.owner_id = by.account_id


def _recommend(case: Case, values: Mapping[str, str], by: Actor, at: datetime) -> None:
    settings = settings_in_use()
    flow, limits = case.service_type.flow, settings.casework
    rows = list_status.statuses_of(household_of(case.applicant_id, by))
    known = Known(
        today=at.astimezone(settings.zone).date(),
        decile=list_status.newest_decile(rows, case.applicant_id),
        pbi_months=limits.pbi_months,
        highest_decile=limits.certificate_limit(values.get("purpose", "")),
    )
    if problems := flow_problems(flow, values, known):
        raise InvalidInput(problems)
    case.flow_facts = {field.name: values[field.name] for field in FLOW_FIELDS.get(flow, ())}
    case.owner_id = case.recommended_by = by.account_id
    case.recommendation = values["recommendation"]


def _propose_outside(case: Case, values: Mapping[str, str], _by: Actor, at: datetime) -> None:
    if date.fromisoformat(values["outside_date"]) > at.astimezone(settings_in_use().zone).date():
        raise InvalidInput({"outside_date": "Tanggal diusulkan paling lambat hari ini."})
    kept = ("outside_to", "outside_date", "outside_number")
    case.flow_facts = {**case.flow_facts, **{name: values[name] for name in kept}}


def _outside_decided(case: Case, values: Mapping[str, str], _by: Actor, at: datetime) -> None:
    decided, proposed = values["decided_date"], case.flow_facts.get("outside_date", "")
    if not proposed <= decided <= at.astimezone(settings_in_use().zone).date().isoformat():
        raise InvalidInput({"decided_date": "Tanggal keputusan tidak sebelum tanggal diusulkan, paling lambat hari ini."})
    case.flow_facts = {**case.flow_facts, **{name: values[name] for name in ("outside_decision", "decided_date")}}


def _mark_duplicate(case: Case, values: Mapping[str, str], by: Actor, _at: datetime) -> None:
    number = values["duplicate_of"]
    named = scope(sa.select(Case.id).where(Case.number == number.upper(), Case.id != case.id), Case, by)
    case.duplicate_of_id = db.session.scalar(named)
    if case.duplicate_of_id is None:
        raise InvalidInput({"duplicate_of": f"Kasus {number} tidak ditemukan."})


def _revert_mark(case: Case, _values: Mapping[str, str], _by: Actor, _at: datetime) -> None:
    case.duplicate_of_id = None


def _refer_at_once(case: Case, values: Mapping[str, str], _by: Actor, at: datetime) -> None:
    asked = {field.name: values[field.name] for field in EMERGENCY_FIELDS.get(case.service_type.flow, ())}
    if asked:
        case.flow_facts = {**case.flow_facts, **asked}
    # One that came back and goes out again is due when the first was.
    case.ratify_due = case.ratify_due or close_after(at, settings_in_use().casework.ratify_days)


def _settle_emergency(case: Case, _values: Mapping[str, str], _by: Actor, _at: datetime) -> None:
    case.ratify_due = None


def _record_result(_case: Case, values: Mapping[str, str], _by: Actor, at: datetime) -> None:
    if values["told_date"] and date.fromisoformat(values["told_date"]) > at.astimezone(settings_in_use().zone).date():
        raise InvalidInput({"told_date": "Tanggal diberi tahu paling lambat hari ini."})


def _change_owner(case: Case, values: Mapping[str, str], _by: Actor, _at: datetime) -> None:
    case.owner_id = values["new_owner"]


def _change_priority(case: Case, values: Mapping[str, str], by: Actor, at: datetime) -> None:
    priority = Priority(values["priority"])
    if priority == case.priority:
        raise InvalidInput({"priority": "Prioritasnya sudah demikian."})
    case.priority, case.priority_reason = priority, values["note"][:REASON_LENGTH]
    due_times.follow_priority(case, values["note"], by, at)


def _set_due(case: Case, values: Mapping[str, str], by: Actor, at: datetime) -> None:
    due_times.set_by_hand(case, date.fromisoformat(values["due_date"]), values["note"], by, at)


def _change_confidentiality(case: Case, values: Mapping[str, str], _by: Actor, _at: datetime) -> None:
    confidential = values["confidential"] == "ya"
    if confidential == case.confidential:
        raise InvalidInput({"confidential": "Kerahasiaannya sudah demikian."})
    case.confidential = confidential


def _raise(case: Case, _values: Mapping[str, str], _by: Actor, at: datetime) -> None:
    due_times.raise_to_manager(case, at)


_DUTIES: Mapping[Action, Callable[[Case, Mapping[str, str], Actor, datetime], None]] = {
    Action.TAKE: _take,
    Action.RECOMMEND: _recommend,
    Action.PROPOSE_OUTSIDE: _propose_outside,
    Action.OUTSIDE_DECIDED: _outside_decided,
    Action.MARK_DUPLICATE: _mark_duplicate,
    Action.REVERT_MARK: _revert_mark,
    Action.REFER_AT_ONCE: _refer_at_once,
    Action.RATIFY: _settle_emergency,
    Action.REFUSE_TO_RATIFY: _settle_emergency,
    Action.RECORD_RESULT: _record_result,
    Action.CHANGE_OWNER: _change_owner,
    Action.CHANGE_PRIORITY: _change_priority,
    Action.SET_DUE: _set_due,
    Action.CHANGE_CONFIDENTIALITY: _change_confidentiality,
    Action.RAISE: _raise,
}
