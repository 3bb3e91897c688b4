"""Pairs of people who may be one, and merges, made without a night's search."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from appliance.access import Actor
from appliance.database import db, transaction
from appliance.models.duplicate import DuplicateCandidate
from appliance.models.person import Person
from appliance.registry import duplicates, merging
from appliance.registry.likeness import Likeness, Reason
from appliance.registry.merging import Wish
from tests.support.desk import request
from tests.support.staff import AT


def pair_of(one: str, other: str, by: Actor) -> str:
    """A pair as the night finds it."""
    with transaction():
        known = duplicates.identities((one, other))
        alike = Likeness(80, (Reason.SAME_NAME,))
        duplicates.store_pair((one, known[one]), (other, known[other]), alike, by=by.account_id, at=AT)
        first, second = sorted((one, other))
        found = sa.select(DuplicateCandidate.id).where(
            DuplicateCandidate.first_id == first, DuplicateCandidate.second_id == second
        )
        return db.session.scalars(found).one()


def wish(survivor: str, merged: str, *from_merged: str, reason: str = "Orang yang sama menurut KTP") -> Wish:
    db.session.rollback()
    versions = {one: db.session.get_one(Person, one, populate_existing=True).row_version for one in (survivor, merged)}
    return Wish(survivor, frozenset(from_merged), reason, versions)


def merge(survivor: str, merged: str, *from_merged: str, by: Actor, at: datetime = AT) -> str:
    pair = pair_of(survivor, merged, by)
    return merging.merge(pair, wish(survivor, merged, *from_merged), request_id=request(), by=by, at=at)
