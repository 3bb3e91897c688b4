"""The catalogue of programmes: data that the Dinas edits. Nothing is deleted; what is no longer given is switched off."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from appliance import audit
from appliance.access import AREA_ROLES, Actor, require
from appliance.database import Duplicate, db, transaction
from appliance.errors import InvalidInput, NotFound
from appliance.models.columns import Stamped
from appliance.models.programme import Level, Programme, Sector, Target
from appliance.models.roles import Role
from appliance.models.unit import Unit
from appliance.registry.holders import require_version, too_long

EDITORS = (Role.MANAJER, Role.BO)
HIGHEST_DECILE = 10
SECTORS = {
    Sector.HEALTH.value: "Kesehatan",
    Sector.EDUCATION.value: "Pendidikan",
    Sector.SOCIAL.value: "Sosial dan ekonomi",
    Sector.FOOD.value: "Pangan",
    Sector.ENERGY.value: "Energi (listrik, gas)",
    Sector.FARMING.value: "Pertanian",
    Sector.FISHING.value: "Perikanan",
    Sector.HOUSING.value: "Perumahan",
    Sector.PAPERS.value: "Administrasi kependudukan",
}
_CODE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
TAKEN = "Kode ini sudah dipakai; pilih kode lain."


@dataclass(frozen=True)
class ProgrammeFields:
    """What is typed about a programme. `code` is lower-case letters, digits and hyphens; `max_decile` 1 to 10 or None."""

    code: str
    name: str
    level: str
    sector: str
    target: str
    unit_id: str = ""
    max_decile: int | None = None
    starts: date | None = None
    ends: date | None = None
    active: bool = True


@dataclass(frozen=True)
class ProgrammeLine:
    """One programme with the name of who manages it."""

    id: str
    code: str
    name: str
    level: str
    sector: str
    target: str
    unit_id: str
    unit_name: str
    max_decile: int | None
    starts: date | None
    ends: date | None
    active: bool
    row_version: int


def list_programmes(*, by: Actor, active_only: bool = False) -> tuple[ProgrammeLine, ...]:
    """All programmes, by sector and name. Raises NotAllowed."""
    require(by, *AREA_ROLES)
    statement = sa.select(Programme, Unit.name).outerjoin(Unit, Unit.id == Programme.unit_id).order_by(Programme.name)
    if active_only:
        statement = statement.where(Programme.active)
    order = list(SECTORS)
    lines = [_line(programme, unit) for programme, unit in db.session.execute(statement)]
    return tuple(sorted(lines, key=lambda line: order.index(line.sector)))


def look_at_programme(programme_id: str, *, by: Actor) -> ProgrammeLine:
    """One programme. Raises NotFound, NotAllowed."""
    require(by, *AREA_ROLES)
    statement = sa.select(Programme, Unit.name).outerjoin(Unit, Unit.id == Programme.unit_id).where(Programme.id == programme_id)
    found = db.session.execute(statement).first()
    if found is None:
        raise NotFound("Program itu tidak ada.", "Pilih dari daftar program.")
    return _line(*found)


def add_programme(fields: ProgrammeFields, *, by: Actor, at: datetime) -> str:
    """A new programme; its identifier. Raises InvalidInput with all problems, NotAllowed."""
    require(by, *EDITORS)
    refuse(_programme_problems(fields))
    programme = Programme(code=fields.code)
    _write(programme, fields)
    return store_entry(programme, "program_baru", "programme", by, at)


def change_programme(programme_id: str, fields: ProgrammeFields, *, row_version: int, by: Actor, at: datetime) -> None:
    """Store what was typed; the code stays as it is. Raises InvalidInput, NotFound, NotAllowed, Conflict."""
    require(by, *EDITORS)
    with transaction() as session:
        programme = session.get(Programme, programme_id)
        if programme is None:
            raise NotFound("Program itu tidak ada.", "Pilih dari daftar program.")
        require_version(programme, row_version)
        refuse(_programme_problems(fields, code=programme.code))
        _write(programme, fields)
        programme.stamp(by.account_id, at)
        audit.record("program_ubah", f"programme:{programme.id}", by=by, at=at, detail={"kode": programme.code})


def sector_name(code: str) -> str:
    """A sector as a sentence names it."""
    return SECTORS.get(code, code).lower()


def store_entry(row: Stamped, action: str, kind: str, by: Actor, at: datetime) -> str:
    """Store a new entry of a catalogue; its identifier. Raises InvalidInput when its code is taken. For services."""
    row.stamp(by.account_id, at)
    try:
        with transaction() as session:
            session.add(row)
            session.flush()
            audit.record(action, f"{kind}:{row.id}", by=by, at=at, detail={"kode": getattr(row, "code", "")})
            return row.id
    except Duplicate as error:
        raise InvalidInput({"code": TAKEN}) from error


def refuse(problems: dict[str, str]) -> None:
    """Raises InvalidInput when there are problems."""
    if problems:
        raise InvalidInput(problems)


def code_problem(code: str) -> dict[str, str]:
    """What is wrong with the code of a new entry, for its field."""
    if len(code) <= 40 and _CODE.fullmatch(code):
        return {}
    return {"code": "Kode hanya huruf kecil, angka dan tanda hubung, paling banyak 40, contoh bansos-lansia."}


def _programme_problems(fields: ProgrammeFields, *, code: str = "") -> dict[str, str]:
    problems = too_long(fields, {"name": 160})
    if not code:
        problems |= code_problem(fields.code)
    if not fields.name.strip():
        problems["name"] = "Tulis nama program."
    for name, known in (("level", Level), ("sector", Sector), ("target", Target)):
        if getattr(fields, name) not in set(known):
            problems[name] = "Pilih salah satu."
    if fields.unit_id and db.session.get(Unit, fields.unit_id) is None:
        problems["unit_id"] = "Pilih pengelola dari daftar."
    if fields.max_decile is not None and not 1 <= fields.max_decile <= HIGHEST_DECILE:
        problems["max_decile"] = "Desil antara 1 dan 10, atau kosongkan bila tidak dibatasi."
    if fields.starts and fields.ends and fields.ends < fields.starts:
        problems["ends"] = "Tanggal berakhir mendahului tanggal mulai."
    return problems


def _write(programme: Programme, fields: ProgrammeFields) -> None:
    programme.name = " ".join(fields.name.split())
    programme.level, programme.sector, programme.target = fields.level, fields.sector, fields.target
    programme.unit_id, programme.max_decile = fields.unit_id or None, fields.max_decile
    programme.starts, programme.ends, programme.active = fields.starts, fields.ends, fields.active


def _line(programme: Programme, unit: str | None) -> ProgrammeLine:
    return ProgrammeLine(
        id=programme.id,
        code=programme.code,
        name=programme.name,
        level=programme.level,
        sector=programme.sector,
        target=programme.target,
        unit_id=programme.unit_id or "",
        unit_name=unit or "",
        max_decile=programme.max_decile,
        starts=programme.starts,
        ends=programme.ends,
        active=programme.active,
        row_version=programme.row_version,
    )
