"""Drafts of forms, one for each account and form. A draft is nobody's fact yet, hence in no history and no journal.

What is typed arrives sealed and leaves sealed; only the pages hold the key.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from appliance.access import Actor
from appliance.database import Duplicate, db, transaction
from appliance.errors import InvalidInput
from appliance.models.draft import FORM_LENGTH, Draft

KEPT = timedelta(days=7)
MOST_DRAFTS = 30
LONGEST_SEALED = 200_000


@dataclass(frozen=True)
class Kept:
    """One draft as it was sealed."""

    form: str
    sealed: str
    saved_at: datetime


def save_draft(form: str, sealed: str, *, by: Actor, at: datetime) -> None:
    """Keep the draft of one form in the place of the one before; what has expired goes, and her oldest beyond thirty.

    Raises InvalidInput for one too large to be a form.
    """
    if len(sealed) > LONGEST_SEALED or len(form) > FORM_LENGTH:
        raise InvalidInput({"draft": "Isian ini terlalu panjang untuk disimpan sementara."})
    try:
        with transaction():
            _save(form, sealed, by, at)
    except Duplicate:  # the same form in two windows, for the first time at the same moment
        with transaction():
            _save(form, sealed, by, at)


def draft_of(form: str, *, by: Actor, at: datetime) -> Kept | None:
    """Her draft of one form, unless it has expired."""
    return next((kept for kept in _kept(Draft.form == form, by=by, at=at)), None)


def drafts_of(*, by: Actor, at: datetime) -> tuple[Kept, ...]:
    """All her drafts, the newest first."""
    return _kept(sa.true(), by=by, at=at)


def drop_draft(form: str, *, by: Actor) -> None:
    """Forget the draft of a form that was stored or given up; without one, nothing."""
    known = sa.select(Draft.form).where(Draft.account_id == by.account_id, Draft.form == form)
    if db.session.scalar(known) is not None:
        with transaction() as session:
            session.execute(sa.delete(Draft).where(Draft.account_id == by.account_id, Draft.form == form))


def _save(form: str, sealed: str, by: Actor, at: datetime) -> None:
    db.session.execute(sa.delete(Draft).where(Draft.saved_at < at - KEPT))
    row = db.session.get(Draft, (by.account_id, form), with_for_update=True)
    if row is None:
        oldest = (
            sa.select(Draft.form)
            .where(Draft.account_id == by.account_id)
            .order_by(Draft.saved_at.desc(), Draft.form)
            .offset(MOST_DRAFTS - 1)
        )
        beyond = db.session.scalars(oldest).all()
        db.session.execute(sa.delete(Draft).where(Draft.account_id == by.account_id, Draft.form.in_(beyond)))
        db.session.add(Draft(account_id=by.account_id, form=form, sealed=sealed, saved_at=at))
    else:
        row.sealed, row.saved_at = sealed, at


def _kept(which: sa.ColumnElement[bool], *, by: Actor, at: datetime) -> tuple[Kept, ...]:
    statement = sa.select(Draft).where(Draft.account_id == by.account_id, Draft.saved_at >= at - KEPT, which)
    rows = db.session.scalars(statement.order_by(Draft.saved_at.desc(), Draft.form))
    return tuple(Kept(row.form, row.sealed, row.saved_at) for row in rows)
