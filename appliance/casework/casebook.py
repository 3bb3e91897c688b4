"""Reading cases and referrals: lists, counts and one case with its history. Everything goes through the scope of the reader.

Lists count to a limit instead of counting a million rows; a look at one case is a fact of the audit journal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from appliance import audit
from appliance.access import REVEAL_ROLES, Actor, scope
from appliance.casework.case_detail import CaseDetail, case_detail
from appliance.casework.case_filter import CaseFilter, matching
from appliance.casework.case_lines import CaseLine, ReferralLine, case_lines, referral_lines
from appliance.casework.case_order import NEWEST_FIRST, URGENT_FIRST
from appliance.casework.looking import note_look
from appliance.casework.moving import case_not_found
from appliance.casework.referral_moving import referral_not_found
from appliance.database import db, one_of, transaction
from appliance.models.case import Case, Referral
from appliance.registry import nik

PAGE_SIZE = 25
MOST_COUNTED = 1000


@dataclass(frozen=True)
class CasesFound:
    """One page of cases. `capped`: there are more than `total`. `following`: where the next page begins, "" on the last."""

    cases: tuple[CaseLine, ...]
    total: int
    capped: bool
    following: str


@dataclass(frozen=True)
class ReferralDetail:
    """One referral with what was shared of the case, as pairs of label and value: none once the line is not `shown`.

    `reply_paper_id` only for who sees the case.
    """

    line: ReferralLine
    shared: tuple[tuple[str, str], ...]
    contact: str
    accepted_at: datetime | None
    finished_at: datetime | None
    replied_on: date | None
    reply_paper_id: str | None


def list_cases(wanted: CaseFilter, *, by: Actor, at: datetime, after: str = "") -> CasesFound:
    """A page of the cases in scope: a queue by urgency and deadline, any other list the newest first.

    `after` is the `following` of the page before; what was moved meanwhile is neither shown twice nor left out.
    """
    found, order = matching(wanted, by=by, at=at), URGENT_FIRST if wanted.waits else NEWEST_FIRST
    total, capped = _count(*found)
    # First which ones in scope, from an index alone; then the rows of these, by nothing but their identifiers: with the scope
    # asked for once more, SQLite would rather read the whole village.
    ids = {one for some in found for one in db.session.scalars(order.page(some, after).limit(PAGE_SIZE + 1))}
    rows = sa.select(Case).where(Case.id.in_(ids))
    loaded = db.session.scalars(rows.options(joinedload(Case.applicant), joinedload(Case.service_type)))
    shown = sorted(loaded, key=order.key, reverse=order.downwards)[: PAGE_SIZE + 1]
    following = order.place_of(shown[PAGE_SIZE - 1]) if len(shown) > PAGE_SIZE else ""
    return CasesFound(tuple(case_lines(shown[:PAGE_SIZE], at)), total, capped, following)


def list_these(case_ids: Sequence[str], *, by: Actor, at: datetime) -> tuple[CaseLine, ...]:
    """These cases as far as they are in scope, in the order asked for."""
    rows = scope(sa.select(Case).where(one_of(Case.id, list(case_ids))), Case, by)
    loaded = db.session.scalars(rows.options(joinedload(Case.applicant), joinedload(Case.service_type)))
    lines = {line.id: line for line in case_lines(loaded, at)}
    return tuple(lines[case_id] for case_id in dict.fromkeys(case_ids) if case_id in lines)


def count_matching(wanted: CaseFilter, *, by: Actor, at: datetime) -> int:
    """How many cases in scope match, to a limit."""
    return _count(*matching(wanted, by=by, at=at))[0]


def look_at_case(case_id: str, *, by: Actor, at: datetime) -> CaseDetail:
    """One case with its history, its referrals and the next steps. Written to the journal. Raises NotFound."""
    statement = scope(sa.select(Case).where(Case.id == case_id), Case, by)
    case = db.session.scalar(statement.options(joinedload(Case.applicant), joinedload(Case.service_type)))
    if case is None:
        raise case_not_found()
    detail = case_detail(case, by, at)
    with transaction():  # only now: nobody who writes waits while a page is gathered
        note_look(case_id, by, at)
        audit.record("lihat", f"case:{case_id}", by=by, at=at)
    return detail


def look_at_referral(referral_id: str, *, by: Actor, at: datetime) -> ReferralDetail:
    """One referral with the shared part of its case. Written to the journal. Raises NotFound."""
    referral = db.session.scalar(scope(sa.select(Referral).where(Referral.id == referral_id), Referral, by))
    if referral is None:
        raise referral_not_found()
    (line,) = referral_lines([referral], by, at)
    shared = _shared(referral, by) if line.shown else ()
    detail = ReferralDetail(
        line,
        shared,
        referral.contact if line.shown else "",
        referral.accepted_at,
        referral.finished_at,
        referral.replied_on,
        referral.reply_paper_id if line.case_id else None,
    )
    with transaction():
        audit.record("lihat", f"referral:{referral_id}", by=by, at=at)
    return detail


def _shared(referral: Referral, by: Actor) -> tuple[tuple[str, str], ...]:
    """What the organisation gets to see; the number whole for it, and in the office for who handles papers."""
    whole = by.speaks_for(referral.unit_id) or by.has_in(referral.case.village_code, *REVEAL_ROLES)
    return tuple((label, text if whole else nik.mask_within(text)) for label, text in referral.shared.items())


def _count(*found: sa.Select[Any]) -> tuple[int, bool]:
    """How many there are, to a limit, and whether the limit was met; what several statements find counts once."""
    limited = [one.limit(MOST_COUNTED + 1).subquery() for one in found]
    once = sa.union(*(sa.select(one.c.id) for one in limited)).subquery() if len(limited) > 1 else limited[0]
    count = db.session.scalar(sa.select(sa.func.count()).select_from(once)) or 0
    return min(count, MOST_COUNTED), count > MOST_COUNTED
