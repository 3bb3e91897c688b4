"""The organisations of the office's list, as the admin keeps them: added, changed, set aside. Each function is one transaction.

None is ever deleted, for referrals name them; one that is set aside is offered no more.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from appliance import audit
from appliance.access import Actor, require
from appliance.casework.catalogue import SECRETARIAT
from appliance.casework.officers import staffed
from appliance.casework.referral_steps import REFERRAL_OPEN
from appliance.database import Duplicate, changed_meanwhile, db, settings_in_use, transaction
from appliance.errors import InvalidInput, NotFound
from appliance.models.case import Case, Referral
from appliance.models.roles import Role
from appliance.models.states import OPEN
from appliance.models.unit import Unit, UnitKind
from appliance.registry.holders import office_day

KINDS = {
    UnitKind.AGENCY.value: "OPD",
    UnitKind.SUBDISTRICT.value: "Kecamatan",
    UnitKind.PUSKESOS.value: "Puskesos",
    UnitKind.HEALTH.value: "Fasilitas kesehatan",
    UnitKind.SCHOOL.value: "Sekolah atau kampus",
    UnitKind.INSTITUTION.value: "Lembaga",
    UnitKind.INSURANCE.value: "BPJS",
    UnitKind.MINISTRY.value: "Kementerian",
    UnitKind.BAZNAS.value: "Baznas",
    UnitKind.SECRETARIAT.value: "Sekretariat",
}
_LONGEST = {"name": 160, "address": 300, "phone": 40, "email": 120, "official_name": 160}
_TAKEN = "Sudah ada unit dengan kode ini; buka unit itu dari daftar."


@dataclass(frozen=True)
class UnitText:
    """What is known of an organisation. Without accounts the back office enters its replies; `official_nip` has 18 digits or none."""

    name: str
    kind: str
    address: str = ""
    phone: str = ""
    email: str = ""
    official_name: str = ""
    official_nip: str = ""
    has_accounts: bool = False
    active: bool = True


@dataclass(frozen=True)
class UnitDetail:
    """One organisation, how many may answer for it now, and how many referrals to it are open."""

    id: str
    code: str
    text: UnitText
    officers: int
    open_referrals: int
    row_version: int

    @property
    def unanswered(self) -> bool:
        """Whether it is to answer by itself and nobody may do it."""
        return self.text.has_accounts and not self.officers

    @property
    def fixed(self) -> bool:
        """Whether it is the secretariat itself, which keeps its kind and stays in use."""
        return self.code == SECRETARIAT


def list_units(*, by: Actor, at: datetime) -> list[UnitDetail]:
    """All organisations, those in use first. Raises NotAllowed."""
    require(by, Role.ADMIN)
    rows = db.session.scalars(sa.select(Unit).order_by(Unit.active.desc(), Unit.name, Unit.id)).all()
    answering, waiting = staffed([row.id for row in rows], office_day(at)), _open_referrals()
    return [_detail(row, answering.get(row.id, 0), waiting.get(row.id, 0)) for row in rows]


def look_at_unit(unit_id: str, *, by: Actor, at: datetime) -> UnitDetail:
    """One organisation. Raises NotFound, NotAllowed."""
    require(by, Role.ADMIN)
    row = _unit(unit_id)
    answering = staffed([row.id], office_day(at))
    return _detail(row, answering.get(row.id, 0), _open_referrals(row.id).get(row.id, 0))


def add_unit(code: str, text: UnitText, *, by: Actor, at: datetime) -> str:
    """Put an organisation on the list under a short code of its own; the identifier.

    Raises InvalidInput with all problems, NotAllowed.
    """
    require(by, Role.ADMIN)
    try:
        with transaction():
            problems = _problems(text, None)
            if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", code) or len(code) > 40:
                problems["code"] = "Isi kode pendek dari huruf kecil, angka, dan tanda hubung, contoh: rs-bersalin."
            elif db.session.scalar(sa.select(Unit.id).where(Unit.code == code)):
                problems["code"] = _TAKEN
            if problems:
                raise InvalidInput(problems)
            row = Unit(code=code, area_code=settings_in_use().node.district, **_values(text))
            row.stamp(by.account_id, at)
            db.session.add(row)
            db.session.flush()
            audit.record("unit", f"unit:{row.id}", by=by, at=at, detail={"aksi": "tambah", "kode": code})
            return row.id
    except Duplicate as error:
        raise InvalidInput({"code": _TAKEN}) from error


def change_unit(unit_id: str, text: UnitText, *, row_version: int, by: Actor, at: datetime) -> None:
    """Correct an organisation, or set it aside. Raises InvalidInput with all problems, Conflict, NotFound, NotAllowed."""
    require(by, Role.ADMIN)
    with transaction():
        row = _unit(unit_id)
        problems = _problems(text, row)
        if problems:
            raise InvalidInput(problems)
        if row.row_version != row_version:
            raise changed_meanwhile()
        changed = sorted(name for name, value in _values(text).items() if getattr(row, name) != value)
        for name in changed:
            setattr(row, name, _values(text)[name])
        if changed:
            row.stamp(by.account_id, at)
            audit.record("unit", f"unit:{row.id}", by=by, at=at, detail={"aksi": "ubah", "isian": ", ".join(changed)})


def _unit(unit_id: str) -> Unit:
    row = db.session.get(Unit, unit_id)
    if row is None:
        raise NotFound("Unit tidak ditemukan.", "Buka daftar unit, lalu pilih dari sana.")
    return row


def _open_referrals(unit_id: str | None = None) -> dict[str, int]:
    """How many referrals wait for each organisation, or for the one named."""
    statement = (
        sa.select(Referral.unit_id, sa.func.count().label("waiting"))
        .join(Case, Case.id == Referral.case_id)
        .where(Referral.state.in_(REFERRAL_OPEN), Case.state.in_(OPEN))
        .group_by(Referral.unit_id)
    )
    if unit_id:
        statement = statement.where(Referral.unit_id == unit_id)
    return {row.unit_id: row.waiting for row in db.session.execute(statement)}


def _values(text: UnitText) -> dict[str, str | bool]:
    return {name: value.strip() if isinstance(value, str) else value for name, value in vars(text).items()}


def _problems(text: UnitText, row: Unit | None) -> dict[str, str]:
    problems = {
        name: f"Terlalu panjang; paling banyak {longest} huruf."
        for name, longest in _LONGEST.items()
        if len(getattr(text, name).strip()) > longest
    }
    if not text.name.strip():
        problems["name"] = "Isi nama unit."
    elif _is_named_alike(text.name, row):
        problems["name"] = "Sudah ada unit dengan nama ini; buka unit itu dari daftar."
    if text.kind not in KINDS:
        problems["kind"] = "Pilih jenis unit."
    if text.email.strip() and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", text.email.strip()):
        problems["email"] = "Alamat surel tidak lengkap, contoh: umum@dinkes.go.id."
    if text.official_nip.strip() and not re.fullmatch(r"\d{18}", text.official_nip.strip()):
        problems["official_nip"] = "NIP terdiri dari 18 angka."
    return problems | _standing_problems(text, row)


def _standing_problems(text: UnitText, row: Unit | None) -> dict[str, str]:
    """What the place of an organisation in the office's work forbids."""
    is_secretariat = row is not None and row.code == SECRETARIAT
    problems: dict[str, str] = {}
    if (text.kind == UnitKind.SECRETARIAT) != is_secretariat:
        problems["kind"] = "Sekretariat hanya satu, dan jenisnya tetap."
    if row is None or text.active:
        return problems
    if is_secretariat:
        problems["active"] = "Sekretariat selalu dipakai."
    elif count := _open_referrals(row.id).get(row.id):
        problems["active"] = f"Masih ada {count} rujukan terbuka ke unit ini; selesaikan atau tarik kembali dahulu."
    return problems


def _is_named_alike(name: str, row: Unit | None) -> bool:
    alike = sa.select(Unit.id).where(sa.func.lower(Unit.name) == name.strip().lower())
    return db.session.scalar(alike.where(Unit.id != row.id) if row else alike) is not None


def _detail(row: Unit, officers: int, open_referrals: int) -> UnitDetail:
    text = UnitText(**{name: getattr(row, name) for name in UnitText.__dataclass_fields__})
    return UnitDetail(row.id, row.code, text, officers, open_referrals, row.row_version)
