"""Which family the number of a card means: who holds it now, else who took in the family that held it until a merge."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from appliance.database import db, one_of
from appliance.models.duplicate import OldIdentifier
from appliance.models.person import Family, Person
from appliance.registry.merge_rules import GONE


def families_by_card(cards: Collection[str]) -> dict[str, str]:
    """Card → identifier of the family that it means. A card that means none, or after merges more than one, is left out."""
    if not cards:
        return {}
    held = sa.select(Family.kk, Family.id).where(one_of(Family.kk, sorted(cards)), Family.status != GONE)
    found = {card: family_id for card, family_id in db.session.execute(held) if card}
    merged = _merged(sorted(set(cards) - found.keys()))
    return found | {card: next(iter(families)) for card, families in merged.items() if len(families) == 1}


def _merged(cards: list[str]) -> dict[str, set[str]]:
    """The families of who survived the merges that these cards were given up in."""
    if not cards:
        return {}
    statement = (
        sa.select(OldIdentifier.number, Family.id)
        .join(Person, Person.id == OldIdentifier.person_id)
        .join(Family, Family.id == Person.family_id)
        .where(OldIdentifier.kind == "kk", one_of(OldIdentifier.number, cards), Family.status != GONE)
    )
    found: dict[str, set[str]] = {}
    for card, family_id in db.session.execute(statement):
        found.setdefault(card, set()).add(family_id)
    return found
