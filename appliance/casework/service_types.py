"""The kinds of service as data that the Dinas edits. A change is a new version; a case keeps the one it began with."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from appliance import audit
from appliance.access import AREA_ROLES, Actor, require
from appliance.casework.catalogue import CATEGORIES
from appliance.database import Duplicate, changed_meanwhile, db, transaction
from appliance.errors import InvalidInput, NotFound
from appliance.models.case import ServiceType
from appliance.models.roles import Role

EDITORS = (Role.MANAJER, Role.BO)
PAPER_KINDS = {
    "identitas": "Kartu identitas atau akta",
    "surat": "Surat atau keterangan",
    "pernyataan": "Surat pernyataan bermeterai",
    "foto": "Foto",
    "lain": "Lain",
}
MOST_REQUIREMENTS = 15
MOST_DAYS = 90
_CODE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_FLAGS = ("simple", "needs_visit", "needs_list_check", "village_may_handle", "active")


@dataclass(frozen=True)
class Requirement:
    """One paper that the service asks for; `example` says to the citizen which one fits."""

    name: str
    required: bool = True
    kind: str = "lain"
    example: str = ""


@dataclass(frozen=True)
class ServiceFields:
    """What is typed about a service. `code` is lower-case letters, digits and hyphens and never changes."""

    code: str
    name: str
    category: str
    working_days: int | None
    requirements: tuple[Requirement, ...] = ()
    simple: bool = False
    needs_visit: bool = False
    needs_list_check: bool = False
    village_may_handle: bool = False
    active: bool = True


@dataclass(frozen=True)
class Service:
    """The newest version of a service, and since when it stands."""

    id: str
    version: int
    changed_at: datetime
    fields: ServiceFields


def list_services(*, by: Actor) -> tuple[Service, ...]:
    """The newest version of every service, also of those no longer offered, by name. Raises NotAllowed."""
    require(by, *AREA_ROLES)
    return tuple(_service(row) for row in db.session.scalars(_newest().order_by(ServiceType.name)))


def look_at_service(code: str, *, by: Actor) -> Service:
    """The newest version of one service. Raises NotFound, NotAllowed."""
    require(by, *AREA_ROLES)
    return _service(_row(code))


def requirements_by_service() -> dict[str, tuple[Requirement, ...]]:
    """What each service that is offered asks for, by the identifier of its newest version."""
    return {row.id: _requirements(row) for row in db.session.scalars(_newest().where(ServiceType.active))}


def add_service(fields: ServiceFields, *, by: Actor, at: datetime) -> str:
    """A new service in its first version; its identifier. Raises InvalidInput with all problems, NotAllowed."""
    require(by, *EDITORS)
    problems = _problems(fields)
    if not _CODE.fullmatch(fields.code) or len(fields.code) > 40:
        problems["code"] = "Kode memakai huruf kecil, angka, dan tanda hubung; paling panjang 40 huruf."
    if problems:
        raise InvalidInput(problems)
    try:
        with transaction():
            return _store(fields, 1, "umum", by, at)
    except Duplicate:
        raise InvalidInput({"code": "Kode ini sudah dipakai; pilih kode lain."}) from None


def change_service(code: str, fields: ServiceFields, *, version: int, by: Actor, at: datetime) -> str:
    """Store a new version that stands from now on, for new cases only; the identifier. What stands already makes none.

    Raises InvalidInput, NotFound, NotAllowed; Conflict when somebody has changed the version she saw.
    """
    require(by, *EDITORS)
    problems = _problems(fields)
    if problems:
        raise InvalidInput(problems)
    try:
        with transaction():
            before = _row(code)
            if before.version != version:
                raise changed_meanwhile()
            if _service(before).fields == fields:
                return before.id
            # The form of a case that was drawn with it is shown again with the new one.
            before.active = False
            before.stamp(by.account_id, at)
            return _store(fields, before.version + 1, before.flow, by, at)
    except Duplicate:
        raise changed_meanwhile() from None


def _newest() -> sa.Select[ServiceType]:
    newest = sa.select(ServiceType.code, sa.func.max(ServiceType.version).label("version")).group_by(ServiceType.code).subquery()
    return sa.select(ServiceType).join(
        newest, sa.and_(ServiceType.code == newest.c.code, ServiceType.version == newest.c.version)
    )


def _row(code: str) -> ServiceType:
    row = db.session.scalar(_newest().where(ServiceType.code == code))
    if row is None:
        raise NotFound("Layanan itu tidak ada.", "Pilih dari daftar layanan.")
    return row


def _store(fields: ServiceFields, version: int, flow: str, by: Actor, at: datetime) -> str:
    row = ServiceType(
        code=fields.code,
        version=version,
        flow=flow,
        name=fields.name,
        category=fields.category,
        working_days=fields.working_days,
        requirements=[requirement.name for requirement in fields.requirements],
        requirement_notes={
            requirement.name: {"required": requirement.required, "kind": requirement.kind, "example": requirement.example}
            for requirement in fields.requirements
        },
        **{flag: getattr(fields, flag) for flag in _FLAGS},
    )
    row.stamp(by.account_id, at)
    db.session.add(row)
    db.session.flush()
    audit.record("layanan", f"service:{row.id}", by=by, at=at, detail={"kode": row.code, "versi": version})
    return row.id


def _service(row: ServiceType) -> Service:
    fields = ServiceFields(
        code=row.code,
        name=row.name,
        category=row.category,
        working_days=row.working_days,
        requirements=_requirements(row),
        **{flag: getattr(row, flag) for flag in _FLAGS},
    )
    return Service(row.id, row.version, row.created_at, fields)


def _requirements(row: ServiceType) -> tuple[Requirement, ...]:
    return tuple(Requirement(name, **row.requirement_notes.get(name, {})) for name in row.requirements)


def _problems(fields: ServiceFields) -> dict[str, str]:
    problems = {}
    if not fields.name.strip():
        problems["name"] = "Tulis nama layanan."
    elif len(fields.name) > 160:
        problems["name"] = "Terlalu panjang; paling banyak 160 huruf."
    if fields.category not in CATEGORIES:
        problems["category"] = "Pilih kategori."
    if fields.working_days is None or not 1 <= fields.working_days <= MOST_DAYS:
        problems["working_days"] = f"Isi hari kerja antara 1 dan {MOST_DAYS}."
    return problems | _requirement_problems(fields.requirements)


def _requirement_problems(requirements: tuple[Requirement, ...]) -> dict[str, str]:
    names = [requirement.name.casefold() for requirement in requirements]
    if len(names) > MOST_REQUIREMENTS:
        return {"requirements": f"Paling banyak {MOST_REQUIREMENTS} persyaratan."}
    if len(set(names)) < len(names):
        return {"requirements": "Satu persyaratan tertulis dua kali; hapus salah satu."}
    if any(len(requirement.name) > 120 or len(requirement.example) > 200 for requirement in requirements):
        return {"requirements": "Persyaratan paling panjang 120 huruf, contohnya 200 huruf."}
    if any(not requirement.name or requirement.kind not in PAPER_KINDS for requirement in requirements):
        return {"requirements": "Tulis nama dan pilih jenis setiap persyaratan."}
    return {}
