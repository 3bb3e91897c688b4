"""Areas as a page shows them: subdistricts and villages in reach of the reader, with the figures of the last count.

Figures of villages outside of her areas are not shown; the names of areas are no secret.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from appliance.access import AREA_ROLES, Actor
from appliance.database import db
from appliance.errors import NotFound
from appliance.models.area import Area, AreaCount, Level
from appliance.models.person import Person
from appliance.models.roles import Role
from appliance.registry.area_counts import counts
from appliance.registry.areas import Village, active_villages, in_district

MOST_OLD_CODES = 200


@dataclass(frozen=True)
class Figures:
    """Sums over villages; None as long as none of them was counted. `counted_at` is that of the oldest figure in them."""

    people: int | None = None
    families: int | None = None
    open_cases: int | None = None
    counted_at: datetime | None = None


@dataclass(frozen=True)
class AreaLine:
    """A subdistrict or a village in a list. `villages` counts those in reach."""

    code: str
    name: str
    kind: str
    villages: int
    figures: Figures


@dataclass(frozen=True)
class AreaDetail:
    """One area with its parts in reach; `parents` from the district down, as (code, name)."""

    code: str
    name: str
    kind: str
    level: Level
    active: bool
    bps_code: str
    postcode: str
    successor_code: str
    valid_since: date | None
    parents: tuple[tuple[str, str], ...]
    figures: Figures
    parts: tuple[AreaLine, ...]


@dataclass(frozen=True)
class OldCode:
    """A code of this district that no longer holds. `in_use`: people still live under it, and are to be moved."""

    code: str
    name: str
    successor_code: str
    in_use: bool


def reachable_villages(by: Actor) -> tuple[Village, ...]:
    """The active villages whose page `by` may open: those of her areas, for an admin all."""
    return tuple(village for village in active_villages() if by.has(Role.ADMIN) or by.has_in(village.code, *AREA_ROLES))


def overview(*, by: Actor) -> tuple[AreaLine, ...]:
    """The subdistricts in which she has villages, by name, with the sums of these villages."""
    known = counts()
    groups: dict[tuple[str, str], list[Village]] = {}
    for village in reachable_villages(by):
        groups.setdefault((village.subdistrict_code, village.subdistrict), []).append(village)
    return tuple(
        AreaLine(code, name, "kecamatan", len(villages), _figures(villages, known)) for (code, name), villages in groups.items()
    )


def total(lines: Iterable[AreaLine]) -> Figures:
    """The sum of lines."""
    return _sum(line.figures for line in lines)


def look_at_area(code: str, *, by: Actor) -> AreaDetail:
    """A subdistrict or village in reach, for an admin also an old code of this district. Raises NotFound."""
    area = db.session.get(Area, code)
    within = [village for village in reachable_villages(by) if code in (village.code, village.subdistrict_code)]
    if area is None or not (within or (by.has(Role.ADMIN) and code in {old.code for old in old_codes()})):
        raise NotFound("Wilayah itu tidak ditemukan.", "Buka halaman Wilayah, lalu pilih dari sana.")
    known = counts()
    level = Level(area.level)
    parts = within if level is Level.SUBDISTRICT else ()
    return AreaDetail(
        code=code,
        name=area.name,
        kind=area.kind,
        level=level,
        active=area.active,
        bps_code=area.bps_code or "",
        postcode=area.postcode,
        successor_code=area.successor_code or "",
        valid_since=area.valid_since,
        parents=_parents(area),
        figures=_figures(within, known),
        parts=tuple(AreaLine(part.code, part.name, part.kind, 1, _figures([part], known)) for part in parts),
    )


def old_codes() -> tuple[OldCode, ...]:
    """Codes of this node's district that a newer data set has dropped, for the admin to name their successors."""
    lives = sa.exists().where(Person.village_code == Area.code)
    statement = sa.select(Area.code, Area.name, Area.successor_code, lives.label("in_use"))
    statement = statement.where(in_district(), Area.active.is_(False)).order_by(Area.code).limit(MOST_OLD_CODES)
    return tuple(OldCode(code, name, new or "", bool(in_use)) for code, name, new, in_use in db.session.execute(statement))


def _parents(area: Area) -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, str]] = []
    parent = db.session.get(Area, area.parent_code) if area.parent_code else None
    while parent is not None and parent.level != Level.PROVINCE:
        found.insert(0, (parent.code, f"{parent.kind.capitalize()} {parent.name}"))
        parent = db.session.get(Area, parent.parent_code) if parent.parent_code else None
    return tuple(found)


def _figures(villages: Iterable[Village], known: dict[str, AreaCount]) -> Figures:
    rows = [known[village.code] for village in villages if village.code in known]
    return _sum(Figures(row.people, row.families, row.open_cases, row.counted_at) for row in rows)


def _sum(figures: Iterable[Figures]) -> Figures:
    counted = [one for one in figures if one.counted_at is not None]
    if not counted:
        return Figures()
    return Figures(
        sum(one.people or 0 for one in counted),
        sum(one.families or 0 for one in counted),
        sum(one.open_cases or 0 for one in counted),
        min(one.counted_at for one in counted if one.counted_at),
    )
