"""Villages and subdistricts that are named among typed words: "aminah lamalaka" means the Aminahs of Lamalaka."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import sqlalchemy as sa

from appliance.access import Actor
from appliance.database import begins_with, db
from appliance.models.area import Area, Level
from appliance.registry.names import words
from appliance.registry.spelling import distance

# A village's name may be misspelled, too, if it is long enough not to be somebody's.
LONG_NAME = 6


@dataclass(frozen=True)
class Place:
    """The villages that are meant, the typed words that remain, and what was named: "desa" or "kecamatan"."""

    villages: tuple[str, ...]
    others: list[str]
    kind: str


def named_places(typed: Sequence[str], by: Actor) -> list[Place]:
    """The places in the areas of `by` whose whole name stands among the typed words, with at least one word beside it."""
    if len(typed) < 2:
        return []
    areas = _areas(by)
    meant: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for code, level, name in areas:
        others = _without(typed, _named(name))
        if others:
            meant.setdefault(("desa" if level == Level.VILLAGE else "kecamatan", tuple(others)), []).append(code)
    return [Place(_villages(codes, areas), list(others), kind) for (kind, others), codes in meant.items()]


def _areas(by: Actor) -> list[tuple[str, str, str]]:
    """Code, level and name of the villages and subdistricts in the areas of `by`."""
    inside = [sa.or_(Area.code == area, begins_with(Area.code, f"{area}.")) for area in by.areas]
    levels = Area.level.in_((Level.VILLAGE, Level.SUBDISTRICT))
    rows = db.session.execute(sa.select(Area.code, Area.level, Area.name).where(sa.or_(sa.false(), *inside), levels, Area.active))
    return [(code, level, name) for code, level, name in rows]


def _villages(codes: Sequence[str], areas: Sequence[tuple[str, str, str]]) -> tuple[str, ...]:
    return tuple(
        code for code, level, _ in areas if level == Level.VILLAGE and any(f"{code}.".startswith(f"{above}.") for above in codes)
    )


@lru_cache(maxsize=20_000)
def _named(name: str) -> tuple[str, ...]:
    return tuple(words(name))


def _without(typed: Sequence[str], name: Sequence[str]) -> list[str] | None:
    """The typed words without those of the name, which must follow each other; None when they do not stand there."""
    length = len(name)
    for start in range(len(typed) - length + 1) if name else ():
        if all(_same(one, other) for one, other in zip(typed[start : start + length], name, strict=True)):
            return [*typed[:start], *typed[start + length :]]
    return None


def _same(typed: str, name: str) -> bool:
    return typed == name or (min(len(typed), len(name)) >= LONG_NAME and distance(typed, name, 1) <= 1)
