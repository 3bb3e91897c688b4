"""Areas: loading all of Indonesia from the data set of the lokal package, and the villages a person works in."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import resources
from typing import Any

import sqlalchemy as sa

from appliance.access import Actor
from appliance.database import db, transaction
from appliance.errors import ConfigurationError
from appliance.models.area import Area, Level
from appliance.models.roles import Role

ROWS_AT_ONCE = 5000
_LEVELS = (Level.PROVINCE, Level.DISTRICT, Level.SUBDISTRICT, Level.VILLAGE)


@dataclass(frozen=True)
class Village:
    """A desa or kelurahan to choose from. `kind` says which."""

    code: str
    name: str
    kind: str
    subdistrict_code: str
    subdistrict: str


def load_areas(district: str) -> int:
    """Make the table of areas equal to the data set, with `district`, its parents and its parts active.

    Returns how many rows were added or changed; 0 when all was as it should be. Areas that the data set dropped stay, inactive:
    people's records still name them. One transaction. Raises ConfigurationError for an unknown district.
    """
    wanted = {row["code"]: row for row in data_set(district)}
    if district not in wanted:
        raise ConfigurationError(f"Kode kabupaten/kota {district} tidak dikenal.", "Perbaiki node.district di berkas pengaturan.")
    with transaction() as session:
        columns = (Area.code, Area.name, Area.level, Area.kind, Area.parent_code, Area.active)
        found = {row["code"]: dict(row) for row in session.execute(sa.select(*columns)).mappings()}
        missing = [row for code, row in wanted.items() if code not in found]
        changed = [row for code, row in wanted.items() if code in found and row != found[code]]
        dropped = [code for code, row in found.items() if code not in wanted and row["active"]]
        for start in range(0, len(missing), ROWS_AT_ONCE):
            session.execute(sa.insert(Area), missing[start : start + ROWS_AT_ONCE])
        if changed:
            session.execute(sa.update(Area), changed)
        if dropped:
            session.execute(sa.update(Area), [{"code": code, "active": False} for code in dropped])
        return len(missing) + len(changed) + len(dropped)


def villages(*, by: Actor, roles: Iterable[Role] = Role) -> tuple[Village, ...]:
    """The active villages where `by` holds one of `roles`, by subdistrict and name."""
    held = frozenset(roles)
    return tuple(village for village in active_villages() if by.has_in(village.code, *held))


def active_villages() -> tuple[Village, ...]:
    """All villages of this node's district, by subdistrict and name. Names of areas are no secret."""
    parent = sa.orm.aliased(Area)
    statement = (
        sa.select(Area.code, Area.name, Area.kind, parent.code, parent.name)
        .join(parent, Area.parent_code == parent.code)
        .where(Area.level == Level.VILLAGE, Area.active)
        .order_by(parent.name, Area.name)
    )
    return tuple(Village(*row) for row in db.session.execute(statement))


def area_names(codes: set[str]) -> dict[str, str]:
    """The names of villages with their subdistrict, for lists: "Desa Bonto Cinde, Kec. Bissappu"."""
    parent = sa.orm.aliased(Area)
    statement = (
        sa.select(Area.code, Area.kind, Area.name, parent.name)
        .outerjoin(parent, Area.parent_code == parent.code)
        .where(Area.code.in_(codes))
    )
    return {
        code: f"{kind.capitalize()} {name}" + (f", Kec. {above}" if above else "")
        for code, kind, name, above in db.session.execute(statement)
    }


def area_name(code: str) -> str:
    """The name of one village with its subdistrict; the code itself when it is unknown."""
    return area_names({code}).get(code, code)


def knows_area(code: str) -> bool:
    """Whether the code (province, district, subdistrict or village) exists."""
    return db.session.get(Area, code) is not None


def _packaged(name: str) -> dict[str, str]:
    text = resources.files("lokal").joinpath("data", f"{name}.json.gz").read_bytes()
    found: dict[str, str] = json.loads(gzip.decompress(text))
    return found


def data_set(district: str) -> Iterator[dict[str, Any]]:
    """All areas, parents before their parts."""
    upper = _packaged("wilayah")
    for code in sorted(upper, key=lambda code: (len(code), code)):
        yield _row(code, upper[code], district)
    for code, name in _packaged("desa").items():
        yield _row(code, name, district)


def _row(code: str, name: str, district: str) -> dict[str, Any]:
    active = code == district or code.startswith(f"{district}.") or district.startswith(f"{code}.")
    return {
        "code": code,
        "name": name,
        "level": _LEVELS[code.count(".")].value,
        "kind": _kind(code),
        "parent_code": code.rpartition(".")[0] or None,
        "active": active,
    }


def _kind(code: str) -> str:
    """What the people call it: the code of a kota begins its last part with 7 or more, of a kelurahan with 1."""
    match code.count("."):
        case 0:
            return "provinsi"
        case 1:
            return "kota" if code[3] >= "7" else "kabupaten"
        case 2:
            return "distrik" if code >= "91" else "kecamatan"
        case _:
            return {"1": "kelurahan", "3": "desa adat"}.get(code[9], "desa")
