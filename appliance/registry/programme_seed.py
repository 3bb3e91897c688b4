"""Filling the catalogues of a new node: adds what is missing and never changes what is there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from appliance.audit import SYSTEM
from appliance.database import db, transaction
from appliance.models.columns import Stamped
from appliance.models.profile import NationalList
from appliance.models.programme import CombinationRule, Programme
from appliance.models.unit import Unit
from appliance.registry.programme_lists import NATIONAL_LISTS, PROGRAMMES, RULES


def seed_programmes(*, at: datetime) -> int:
    """Add the programmes, rules and national lists that are missing. How many were added. One transaction."""
    with transaction() as session:
        new: list[Stamped] = [*_missing_programmes(), *_missing_lists()]
        _add(new, at)
        rules = _missing_rules({code: known for known, code in session.execute(sa.select(Programme.id, Programme.code))})
        _add(rules, at)
        return len(new) + len(rules)


def _add(rows: Sequence[Stamped], at: datetime) -> None:
    for row in rows:
        row.stamp(SYSTEM, at)
    db.session.add_all(rows)
    db.session.flush()


def _missing_programmes() -> list[Programme]:
    known = set(db.session.scalars(sa.select(Programme.code)))
    units = {unit.code: unit.id for unit in db.session.scalars(sa.select(Unit))}
    return [
        Programme(
            code=code,
            name=name,
            level=level,
            sector=sector,
            target=target,
            unit_id=units.get(unit),
            max_decile=most,
            active=active,
        )
        for code, name, level, sector, target, unit, most, active in PROGRAMMES
        if code not in known
    ]


def _missing_lists() -> list[NationalList]:
    known = set(db.session.scalars(sa.select(NationalList.code)))
    return [
        NationalList(code=code, name=name, has_decile=has_decile, position=position, active=active)
        for position, (code, name, has_decile, active) in enumerate(NATIONAL_LISTS, start=1)
        if code not in known
    ]


def _missing_rules(programmes: dict[str, str]) -> list[CombinationRule]:
    known = set(db.session.scalars(sa.select(CombinationRule.code)))
    return [
        CombinationRule(
            code=code, kind=kind, within=within, first_id=programmes.get(first), second_id=programmes.get(second),
            sector=sector, most=most, advice=advice, active=True,
        )
        for code, kind, within, first, second, sector, most, advice in RULES
        if code not in known
    ]  # fmt: skip
