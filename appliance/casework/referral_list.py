"""The list of referrals: what is not finished by its due time, then what is, the newest first. In the reader's scope.

A page begins after the row that was seen last: its place is the part, the moment and the identifier.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from appliance.access import AREA_ROLES, Actor, few_villages, scope
from appliance.casework.case_lines import ReferralLine, referral_lines
from appliance.casework.referral_steps import AWAITING_REPLY
from appliance.database import by_index, db
from appliance.models.case import Case, Referral
from appliance.models.roles import Role
from appliance.models.states import ReferralState

PAGE_SIZE = 25
MOST_COUNTED = 1000
UNFINISHED = frozenset(AWAITING_REPLY | {ReferralState.DRAFT})
_SEPARATOR = "~"
_DUE, _FINISHED = "0", "1"


@dataclass(frozen=True)
class ReferralsFound:
    """One page of referrals. `capped`: there are more than `total`. `following`: where the next page begins, "" on the last."""

    referrals: tuple[ReferralLine, ...]
    total: int
    capped: bool
    following: str


def list_referrals(*, by: Actor, at: datetime, state: str = "", late: bool = False, after: str = "") -> ReferralsFound:
    """A page of the referrals in scope, for an organisation those sent to it. `late`: only those whose reply is overdue.

    `after` is the `following` of the page before.
    """
    parts = parts_of(state, by)
    if late:
        parts = {_DUE: parts[_DUE].where(*_late(at))} if _DUE in parts else {}
    total = sum(_count(part) for part in parts.values())
    found = _page(parts, after)
    rows = sa.select(Referral).where(Referral.id.in_(found))  # found in scope just now
    loaded = {row.id: row for row in db.session.scalars(rows.options(joinedload(Referral.unit), joinedload(Referral.case)))}
    shown = [loaded[one] for one in found[:PAGE_SIZE] if one in loaded]
    following = _place_of(shown[-1]) if len(found) > PAGE_SIZE and shown else ""
    return ReferralsFound(tuple(referral_lines(shown, by, at)), min(total, MOST_COUNTED), total > MOST_COUNTED, following)


def count_late_referrals(*, by: Actor, at: datetime) -> int:
    """How many referrals in scope wait for a reply that is overdue, to a limit."""
    return min(_count(parts_of("", by)[_DUE].where(*_late(at))), MOST_COUNTED)


def _late(at: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return (Referral.state.in_(AWAITING_REPLY), Referral.reply_due < at)


def parts_of(state: str, by: Actor) -> dict[str, sa.Select[str]]:
    """The identifiers in scope of the unfinished ("0") and of the finished ones ("1"), as far as the state leaves both."""
    matching = scope(sa.select(Referral.id), Referral, by)
    if state:
        matching = matching.where(Referral.state == state)
    parts = {}
    if not state or state in UNFINISHED:
        parts[_DUE] = by_index(matching.where(Referral.finished_at.is_(None)), Referral, "ix_referral_open")
    if not state or state not in UNFINISHED:
        parts[_FINISHED] = _by_scope(matching.where(Referral.finished_at.is_not(None)), by)
    return parts


def _by_scope(finished: sa.Select[str], by: Actor) -> sa.Select[str]:
    """By the index that leaves least to pass over: those of an organisation, of a few villages, or all from the newest."""
    if not by.has(*AREA_ROLES):
        return by_index(finished, Referral, "ix_referral_unit_id_finished_at")
    villages = few_villages(by)
    if villages and not by.has(Role.OPD):
        here = sa.select(Case.id).where(Case.village_code.in_(villages))
        return by_index(finished.where(Referral.case_id.in_(here)), Referral, "ix_referral_finished_of_case")
    return by_index(finished, Referral, "ix_referral_finished")


def _count(part: sa.Select[str]) -> int:
    limited = part.limit(MOST_COUNTED + 1).subquery()
    return db.session.scalar(sa.select(sa.func.count()).select_from(limited)) or 0


def _page(parts: dict[str, sa.Select[str]], after: str) -> Sequence[str]:
    """One identifier more than a page has, from the place on."""
    begin, _, place = after.partition(_SEPARATOR)
    found: list[str] = []
    for name, part in parts.items():
        if begin in parts and name < begin:
            continue
        following = _beyond(name, place) if name == begin else sa.true()
        ordered = part.where(following).order_by(*_order(name)).limit(PAGE_SIZE + 1 - len(found))
        found += db.session.scalars(ordered)
        if len(found) > PAGE_SIZE:
            break
    return found


def _order(name: str) -> tuple[sa.ColumnElement[Any], ...]:
    return (Referral.reply_due.asc(), Referral.id.asc()) if name == _DUE else (Referral.finished_at.desc(), Referral.id.desc())


def _beyond(name: str, place: str) -> sa.ColumnElement[bool]:
    """What comes after a place in its part; everything when it is no place."""
    moment, _, referral_id = place.partition(_SEPARATOR)
    with suppress(ValueError):
        at = datetime.fromisoformat(moment)
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
        if name == _DUE:
            return sa.and_(Referral.reply_due >= at, sa.or_(Referral.reply_due > at, Referral.id > referral_id))
        return sa.and_(Referral.finished_at <= at, sa.or_(Referral.finished_at < at, Referral.id < referral_id))
    return sa.true()


def _place_of(referral: Referral) -> str:
    name, moment = (_FINISHED, referral.finished_at) if referral.finished_at else (_DUE, referral.reply_due)
    return _SEPARATOR.join((name, f"{moment:%Y-%m-%dT%H:%M:%S.%f}", referral.id))
