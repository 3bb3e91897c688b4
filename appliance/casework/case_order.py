"""The order of a list of cases, and the place in it where a page begins: the row that was seen last, not a number of rows."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from appliance.models.case import Case
from appliance.models.states import Priority

_RANKS = {Priority.EMERGENCY.value: 0, Priority.FAST.value: 1}
_OTHER_RANK = 2
_URGENCY: sa.ColumnElement[int] = sa.case(_RANKS, value=Case.priority, else_=_OTHER_RANK)
_SEPARATOR = "~"
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Order:
    """`columns` to sort by; `key` of a row that was read, and whether it sorts `downwards`; `place_of` a row as text for an address; `beyond` what comes after it."""

    columns: tuple[sa.ColumnElement[Any], ...]
    key: Callable[[Case], Any]
    downwards: bool
    place_of: Callable[[Case], str]
    beyond: Callable[[str], sa.ColumnElement[bool]]

    def page(self, statement: sa.Select[str], after: str) -> sa.Select[str]:
        """The rows in order, from the one after the place; from the first when there is no such place."""
        with suppress(ValueError):
            statement = statement.where(self.beyond(after)) if after else statement
        return statement.order_by(*self.columns)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _by_age(case: Case) -> tuple[datetime, str]:
    return case.received_at, case.id


def _by_urgency(case: Case) -> tuple[int, datetime, str]:
    return _RANKS.get(case.priority, _OTHER_RANK), case.deadline or _NEVER, case.id


def _newest_place(case: Case) -> str:
    return _SEPARATOR.join((f"{case.received_at:%Y-%m-%dT%H:%M:%S.%f}", case.id))


def _older(place: str) -> sa.ColumnElement[bool]:
    received, _, case_id = place.partition(_SEPARATOR)
    at = _moment(received)
    return sa.and_(Case.received_at <= at, sa.or_(Case.received_at < at, Case.id < case_id))


def _urgent_place(case: Case) -> str:
    rank = _RANKS.get(case.priority, _OTHER_RANK)
    return _SEPARATOR.join((str(rank), f"{case.deadline:%Y-%m-%dT%H:%M:%S.%f}", case.id))


def _less_urgent(place: str) -> sa.ColumnElement[bool]:
    rank_text, _, rest = place.partition(_SEPARATOR)
    due_text, _, case_id = rest.partition(_SEPARATOR)
    rank, due = int(rank_text), _moment(due_text)
    later = sa.or_(Case.deadline > due, sa.and_(Case.deadline == due, Case.id > case_id))
    return sa.or_(rank < _URGENCY, sa.and_(_URGENCY.in_([rank]), later))


NEWEST_FIRST = Order((Case.received_at.desc(), Case.id.desc()), _by_age, True, _newest_place, _older)
URGENT_FIRST = Order((_URGENCY.asc(), Case.deadline.asc(), Case.id.asc()), _by_urgency, False, _urgent_place, _less_urgent)
