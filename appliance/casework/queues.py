"""What waits for whom, with counts and ages: the queues of each role, and what is late today. In the reader's scope."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from appliance.access import Actor, in_areas, scope
from appliance.casework.deadlines import Calendar, begin_of_age
from appliance.casework.escalation import ROLES_OF_LEVEL
from appliance.database import by_index, db
from appliance.models.case import Case, is_open
from appliance.models.roles import Role
from appliance.models.states import CLOCK_STOPPED, OPEN, CaseState

S, R = CaseState, Role
_WRITERS = frozenset({R.FO, R.FO_PUSKESOS, R.FASILITATOR})
_LEADERS = frozenset({R.SUPERVISOR, R.KOORDINATOR_PUSKESOS})
# Who sees every queue of her areas without having a step to take there.
_WATCHERS = frozenset({R.PIMPINAN})


@dataclass(frozen=True)
class Queue:
    """Cases of some states that wait for some roles, each in its own areas."""

    key: str
    label: str
    states: frozenset[CaseState]
    roles: frozenset[Role]


QUEUES = (
    Queue("verifikasi", "Perlu verifikasi", frozenset({S.NEW, S.VERIFYING, S.VERIFIED}), _LEADERS | {R.BO}),
    Queue("telaah", "Perlu telaah", frozenset({S.REVIEW}), frozenset({R.BO})),
    Queue("penetapan", "Menunggu penetapan", frozenset({S.AWAITING_DECISION}), frozenset({R.MANAJER, R.BO})),
    Queue("jawaban", "Perlu jawaban OPD", frozenset({S.REFERRED}), frozenset({R.BO, R.MANAJER})),
    Queue("luar", "Menunggu pihak luar", frozenset({S.WAITING_OUTSIDE}), frozenset({R.BO})),
    Queue(
        "tindakan",
        "Perlu tindak lanjut",
        frozenset({S.IN_HANDLING, S.FOLLOW_UP}),
        frozenset({R.BO, R.BO_PUSKESOS, R.KOORDINATOR_PUSKESOS, R.FASILITATOR}),
    ),
    Queue("perbaikan", "Perlu perbaikan", frozenset({S.NEEDS_REPAIR}), _WRITERS),
)
BY_KEY = {queue.key: queue for queue in QUEUES}
# Ages in working days since a case was received: up to 3, 4 to 7 and so on; the last has no end.
AGES = {"0-3": (0, 3), "4-7": (4, 7), "8-14": (8, 14), "15-30": (15, 30), "30-": (31, None)}


@dataclass(frozen=True)
class QueueCount:
    """One queue of the reader: how many cases, how many of them late, how many of each age, and since when the oldest waits."""

    queue: Queue
    count: int
    late: int
    ages: tuple[int, ...]
    oldest: datetime | None


def queues_of(by: Actor) -> tuple[Queue, ...]:
    """The queues of her roles; who watches over the office sees them all."""
    return tuple(queue for queue in QUEUES if by.has(*_seen_by(queue)))


def _seen_by(queue: Queue) -> frozenset[Role]:
    return queue.roles | _WATCHERS


def count_queues(calendar: Calendar, *, by: Actor, at: datetime) -> tuple[QueueCount, ...]:
    """Her queues with their figures: one question for each set of areas in which her roles hold."""
    figures: dict[tuple[str, ...], dict[str, Sequence[int | datetime | None]]] = {}
    found = []
    for queue in queues_of(by):
        areas = by.areas_of(_seen_by(queue))
        if areas not in figures:
            figures[areas] = _figures(areas, calendar, by, at)
        found.append(_queue_count(queue, [figures[areas][state] for state in queue.states if state in figures[areas]]))
    return tuple(found)


def in_queue(key: str, by: Actor) -> sa.ColumnElement[bool]:
    """Whether a case stands in one of her queues; no case does when the queue is not hers."""
    queue = BY_KEY.get(key)
    if queue is None or not by.has(*_seen_by(queue)):
        return sa.false()
    return sa.and_(Case.state.in_(sorted(queue.states)), in_areas(Case.village_code, by.areas_of(_seen_by(queue))))


def is_late(at: datetime) -> sa.ColumnElement[bool]:
    """Whether the clock runs and the time is over."""
    return sa.and_(Case.state.in_(sorted(OPEN - CLOCK_STOPPED)), Case.deadline < at)


def is_due_today(calendar: Calendar, at: datetime) -> sa.ColumnElement[bool]:
    """Whether it must be done before the office closes today."""
    hours = calendar.hours_on(calendar.day_of(at))
    if hours is None:
        return sa.false()
    return sa.and_(Case.state.in_(sorted(OPEN - CLOCK_STOPPED)), Case.deadline.between(at, hours[1]))


def is_told_to(by: Actor) -> sa.ColumnElement[bool]:
    """Whether the lateness of a case was told to her: as its owner, or in an office above."""
    told = [sa.and_(Case.escalation == 1, Case.owner_id == by.account_id)]
    for level, roles in ROLES_OF_LEVEL.items():
        if by.has(*roles):
            told.append(sa.and_(Case.escalation == level, in_areas(Case.village_code, by.areas_of(roles))))
    return sa.or_(*told)


def has_age(age: str, calendar: Calendar, at: datetime) -> sa.ColumnElement[bool]:
    """Whether a case was received so many working days ago; any case for an age that is none."""
    if age not in AGES:
        return sa.true()
    youngest, oldest = AGES[age]
    newer = Case.received_at < begin_of_age(calendar, at, youngest - 1) if youngest else sa.true()
    return newer if oldest is None else sa.and_(newer, Case.received_at >= begin_of_age(calendar, at, oldest))


def _figures(areas: tuple[str, ...], calendar: Calendar, by: Actor, at: datetime) -> dict[str, Sequence[int | datetime | None]]:
    """For each state: how many, how many late, of each age, the oldest."""
    late = sa.func.sum(sa.case((Case.deadline < at, 1), else_=0))
    ages = [sa.func.sum(sa.case((has_age(age, calendar, at), 1), else_=0)) for age in AGES]
    columns = (Case.state, sa.func.count(), late, *ages, sa.func.min(Case.received_at))
    counted = by_index(
        scope(sa.select(*columns), Case, by).where(is_open(), in_areas(Case.village_code, areas)), Case, "ix_case_open"
    )
    return {row[0]: row[1:] for row in db.session.execute(counted.group_by(Case.state))}


def _queue_count(queue: Queue, rows: Iterable[Sequence[int | datetime | None]]) -> QueueCount:
    counts, oldest = [0] * (2 + len(AGES)), []
    for row in rows:
        counts = [total + int(value) for total, value in zip(counts, row, strict=False) if isinstance(value, int)]
        oldest += [value for value in row if isinstance(value, datetime)]
    stands = queue.states <= CLOCK_STOPPED
    return QueueCount(queue, counts[0], 0 if stands else counts[1], tuple(counts[2:]), min(oldest, default=None))
