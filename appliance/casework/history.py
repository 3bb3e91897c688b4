"""Writing and checking the history of a case: facts that are only ever added, each sealing the one before. For services."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import sqlalchemy as sa

from appliance.access import Actor
from appliance.database import db, one_of, settings_in_use
from appliance.models.case import Case, CaseEvent
from appliance.models.case import Sequence as Numbers
from appliance.models.roles import Role

FIRST_SEAL = "0" * 64


@dataclass(frozen=True)
class Fact:
    """What happened: the word of the action, the role in which it was done, and what was said."""

    action: str
    role: Role | None = None
    note: str = ""
    citizen_note: str = ""
    details: Mapping[str, str] = field(default_factory=dict)


def add_fact(case: Case, fact: Fact, *, state_from: str, by: Actor, at: datetime) -> None:
    """Append one event and stamp the case with it, so that whoever saw the case before is told that it has changed.

    The caller holds the row of the case locked. `case.state` is already the new one.
    """
    _append([(case, fact, state_from)], by, at)


def add_facts(told: Iterable[tuple[Case, Fact]], *, by: Actor, at: datetime) -> None:
    """`add_fact` for different cases at once, all in the state in which they stay."""
    _append([(case, fact, case.state) for case, fact in told], by, at)


def _append(told: Sequence[tuple[Case, Fact, str]], by: Actor, at: datetime) -> None:
    last = _last_of([case.id for case, _, _ in told])
    for case, fact, state_from in told:
        position, seal = last.get(case.id, (0, FIRST_SEAL))
        event = CaseEvent(
            case_id=case.id,
            position=position + 1,
            state_from=state_from,
            state_to=case.state,
            action=fact.action,
            account_id=by.account_id,
            account_name=by.name,
            role=fact.role or "",
            device=by.device[:64],
            happened_at=at.astimezone(UTC),
            stored_at=at.astimezone(UTC),
            note=fact.note,
            citizen_note=fact.citizen_note,
            details=dict(fact.details),
        )
        event.seal = _seal(seal, event)
        case.stamp(by.account_id, at)
        db.session.add(event)
    db.session.flush()


def _last_of(cases: list[str]) -> dict[str, tuple[int, str]]:
    """Position and seal of the last event of each case."""
    newest = (
        sa.select(CaseEvent.case_id, sa.func.max(CaseEvent.position).label("position"))
        .where(one_of(CaseEvent.case_id, cases))
        .group_by(CaseEvent.case_id)
        .subquery()
    )
    same = sa.and_(CaseEvent.case_id == newest.c.case_id, CaseEvent.position == newest.c.position)
    rows = db.session.execute(sa.select(CaseEvent.case_id, CaseEvent.position, CaseEvent.seal).join(newest, same))
    return {row.case_id: (row.position, row.seal) for row in rows}


def history_is_whole(case_id: str) -> bool:
    """Whether every event of the case is as it was written and none is missing before the last."""
    seal = FIRST_SEAL
    events = db.session.scalars(sa.select(CaseEvent).where(CaseEvent.case_id == case_id).order_by(CaseEvent.position))
    for position, event in enumerate(events, start=1):
        if event.position != position or event.seal != _seal(seal, event):
            return False
        seal = event.seal
    return True


def next_number(prefix: str, at: datetime) -> str:
    """The next number of a series, for example "SLRT-7303-202611-00012": a new series each month of the office's calendar.

    The row of the series stays locked until the transaction ends, so that no number is given twice.
    """
    settings = settings_in_use()
    series = f"{prefix}-{settings.node.district.replace('.', '')}-{at.astimezone(settings.zone):%Y%m}"
    return f"{series}-{next_count(series):05d}"


def next_count(series: str) -> int:
    """The next number of any series, from 1. Its row stays locked until the transaction ends; two that begin a series at the
    same moment: one gets Duplicate and asks again."""
    count = sa.update(Numbers).where(Numbers.series == series).values(value=Numbers.value + 1).returning(Numbers.value)
    value = db.session.scalar(count)
    if value is None:
        db.session.add(Numbers(series=series, value=1))
        db.session.flush()
        value = 1
    return value


def _seal(before: str, event: CaseEvent) -> str:
    content = [
        before,
        event.case_id,
        event.position,
        event.state_from,
        event.state_to,
        event.action,
        event.account_id,
        event.account_name,
        event.role,
        event.device,
        event.happened_at.astimezone(UTC).isoformat(timespec="microseconds"),
        event.stored_at.astimezone(UTC).isoformat(timespec="microseconds"),
        event.note,
        event.citizen_note,
        event.details,
    ]
    return hashlib.sha256(json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
