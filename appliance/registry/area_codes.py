"""One area under several codes: old Kemendagri codes and their successors, and the codes of the statistics office (BPS).

People's numbers and papers keep old codes, and lists of ministries use BPS's; both lead to the code of today.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from appliance import audit
from appliance.access import Actor, require
from appliance.database import db, transaction
from appliance.errors import InvalidInput, NotFound
from appliance.models.area import Area, Level
from appliance.models.roles import Role
from appliance.registry.areas import plain_name

# How many digits BPS gives to an area of each level.
BPS_DIGITS = {Level.PROVINCE: 2, Level.DISTRICT: 4, Level.SUBDISTRICT: 7, Level.VILLAGE: 10}
VILLAGE_DIGITS, SUBDISTRICT_DIGITS = BPS_DIGITS[Level.VILLAGE], BPS_DIGITS[Level.SUBDISTRICT]
MOST_PROBLEMS = 50


@dataclass(frozen=True)
class AreaCodes:
    """What the admin types about an area's codes; empty means none. `valid_since` is the first day of the successor."""

    bps_code: str = ""
    successor_code: str = ""
    valid_since: date | None = None


def current_code(code: str) -> str | None:
    """The code of today for a code of any time: itself, or the last of its successors. None for one that never was."""
    seen: set[str] = set()
    while code not in seen:
        seen.add(code)
        row = db.session.execute(sa.select(Area.code, Area.successor_code).where(Area.code == code)).first()
        if row is None:
            return None
        if row.successor_code is None:
            return code
        code = row.successor_code
    return None


def area_of_bps(code: str, name: str = "") -> str | None:
    """The Kemendagri code of today for a code of BPS (2, 4, 7 or 10 digits, however separated); None when it is not known.

    A village whose own code is not known is found by its `name` within the subdistrict of its first 7 digits.
    """
    digits = re.sub(r"\D", "", code)
    found = db.session.scalar(sa.select(Area.code).where(Area.bps_code == digits)) if digits else None
    if found:
        return current_code(found)
    if len(digits) != VILLAGE_DIGITS or not plain_name(name):
        return None
    subdistrict = area_of_bps(digits[:SUBDISTRICT_DIGITS])
    rows = db.session.execute(sa.select(Area.code, Area.name).where(Area.parent_code == subdistrict, Area.active)).all()
    named = [row.code for row in rows if plain_name(row.name) == plain_name(name)]
    return named[0] if len(named) == 1 else None


def save_codes(code: str, typed: AreaCodes, *, by: Actor, at: datetime) -> None:
    """Store the other codes of an area. Raises InvalidInput with all problems, NotFound, NotAllowed."""
    require(by, Role.ADMIN)
    bps, successor = re.sub(r"[\s.]", "", typed.bps_code), typed.successor_code.strip()
    with transaction():
        area = db.session.get(Area, code)
        if area is None:
            raise NotFound("Wilayah itu tidak ada.", "Cari lagi di halaman Wilayah.")
        problems = _bps_problem(area, bps) | _successor_problem(area, successor)
        if problems:
            raise InvalidInput(problems)
        area.bps_code, area.successor_code = bps or None, successor or None
        area.valid_since = typed.valid_since
        detail = {"bps": bps, "pengganti": successor, "sejak": typed.valid_since}
        audit.record("wilayah-kode", f"area:{code}", by=by, at=at, detail=detail)


def load_bps(pairs: Iterable[tuple[str, str]], *, at: datetime) -> int:
    """Store pairs of BPS code and Kemendagri code, from the console; how many areas changed. All or nothing, safe to repeat.

    Raises InvalidInput with the lines that are wrong, counted from 1.
    """
    wanted = [(re.sub(r"[\s.]", "", bps), code.strip()) for bps, code in pairs]
    with transaction() as session:
        codes = {code for _, code in wanted}
        areas = {area.code: area for area in session.scalars(sa.select(Area).where(Area.code.in_(codes)))}
        problems = _pair_problems(wanted, areas)
        if problems:
            raise InvalidInput(problems)
        changed = {code: bps for bps, code in wanted if areas[code].bps_code != bps}
        # Codes may change places among the areas of the file; one that another area held goes to the area that is named now.
        session.execute(sa.update(Area).where(Area.bps_code.in_(changed.values())).values(bps_code=None))
        if changed:
            session.execute(sa.update(Area).where(Area.code.in_(changed)).values(bps_code=None))
            session.execute(sa.update(Area), [{"code": code, "bps_code": bps} for code, bps in changed.items()])
            audit.record("wilayah-bps", "area:bps", by=None, at=at, detail={"baris": len(changed)})
        return len(changed)


def _bps_problem(area: Area, bps: str) -> dict[str, str]:
    if not bps:
        return {}
    digits = BPS_DIGITS[Level(area.level)]
    if not re.fullmatch(rf"[0-9]{{{digits}}}", bps):
        return {"bps_code": f"Kode BPS {area.kind} terdiri dari {digits} angka."}
    holder = db.session.scalar(sa.select(Area.name).where(Area.bps_code == bps, Area.code != area.code))
    return {"bps_code": f"Kode BPS itu sudah dipakai untuk {holder}."} if holder else {}


def _successor_problem(area: Area, successor: str) -> dict[str, str]:
    if not successor:
        return {}
    if area.active:
        return {"successor_code": "Kode ini masih berlaku; kode pengganti hanya untuk kode lama."}
    found = db.session.get(Area, successor)
    if found is None or found.level != area.level:
        return {"successor_code": f"Tidak ada {Level(area.level).value} dengan kode {successor}."}
    if current_code(successor) in (None, area.code):
        return {"successor_code": "Kode pengganti itu berputar kembali ke kode ini."}
    return {}


def _pair_problems(wanted: list[tuple[str, str]], areas: dict[str, Area]) -> dict[str, str]:
    problems: dict[str, str] = {}
    seen: set[str] = set()
    for line, (bps, code) in enumerate(wanted, start=1):
        area = areas.get(code)
        if area is None:
            problems[f"baris {line}"] = f"Kode Kemendagri {code or '(kosong)'} tidak dikenal."
        elif not re.fullmatch(rf"[0-9]{{{BPS_DIGITS[Level(area.level)]}}}", bps):
            problems[f"baris {line}"] = (
                f"Kode BPS {area.kind} harus {BPS_DIGITS[Level(area.level)]} angka; tertulis “{bps[:20]}”."
            )
        elif bps in seen or code in seen:
            problems[f"baris {line}"] = f"Kode {bps} atau {code} tertulis dua kali."
        seen |= {bps, code}
        if len(problems) >= MOST_PROBLEMS:
            break
    return problems
