"""What cases can be about and who they can be referred to: the lists a new node begins with, and the choices on a page.

The lists are data of the office: seeding adds what is missing and never changes what is there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from appliance.audit import SYSTEM
from appliance.database import db, transaction
from appliance.errors import NotFound
from appliance.models.case import ServiceType
from appliance.models.states import CaseKind
from appliance.models.unit import Unit, UnitKind

GROUPS = {"KP": "Kepesertaan program", "PR": "Pelaksanaan program", "KB": "Kebutuhan", "IN": "Informasi"}
CATEGORIES = {
    "KP1": "Layak tetapi belum terdaftar",
    "KP2": "Terdaftar tetapi tidak menerima",
    "KP3": "Dihentikan atau dinonaktifkan",
    "KP4": "Salah sasaran (sanggah)",
    "KP5": "Data tidak sesuai (NIK, nama, KK, meninggal, pindah)",
    "KP6": "Desil tidak sesuai",
    "PR1": "Belum cair atau terlambat",
    "PR2": "Jumlah kurang atau dipotong",
    "PR3": "Kartu hilang, rusak, terblokir, atau ditahan orang lain",
    "PR4": "Mutu barang atau e-warong",
    "PR5": "Pungutan liar",
    "PR6": "Pelayanan petugas atau fasilitas kesehatan",
    "KB1": "Biaya berobat, rujukan rumah sakit, ambulans",
    "KB2": "Sekolah",
    "KB3": "Pangan",
    "KB4": "Rumah tidak layak huni",
    "KB5": "Administrasi kependudukan",
    "KB6": "Usaha (UEP, KUBE)",
    "KB7": "Alat bantu disabilitas",
    "KB8": "Rehabilitasi sosial (ODGJ, lansia telantar, anak, korban kekerasan)",
    "KB9": "Orang telantar dan pemulangan",
    "KB10": "Santunan kematian",
    "IN": "Informasi saja",
}

_KTP_KK = ("KTP", "Kartu Keluarga")
# code, name, category, flow, simple, needs a visit, requirements, working days
_SERVICE_TYPES: tuple[tuple[str, str, str, str, bool, bool, tuple[str, ...], int], ...] = (
    ("informasi", "Informasi program dan layanan", "IN", "informasi", True, False, (), 1),
    ("cek-kepesertaan", "Pengecekan kepesertaan dan desil", "KP1", "informasi", True, False, _KTP_KK, 1),
    ("reaktivasi-pbi", "Reaktivasi PBI-JK (KIS)", "KP3", "reaktivasi_pbi", False, False, (*_KTP_KK, "Surat fasilitas kesehatan"), 3),
    ("usulan-dtsen", "Usulan masuk atau perbaikan DTSEN", "KP1", "usulan_dtsen", False, True, _KTP_KK, 14),
    ("sanggah", "Sanggah penerima bantuan", "KP4", "umum", False, True, (), 14),
    ("sk-dtsen", "Surat keterangan DTSEN", "KP6", "sk_dtsen", False, False, _KTP_KK, 1),
    ("kartu-bantuan", "Kartu bantuan bermasalah (KKS, KIS, KIP)", "PR3", "umum", False, False, _KTP_KK, 5),
    ("bantuan-belum-cair", "Bantuan belum cair atau kurang", "PR1", "umum", False, False, _KTP_KK, 5),
    ("pungutan", "Pengaduan pungutan atau pelayanan", "PR5", "umum", False, False, (), 14),
    ("biaya-perawatan", "Bantuan biaya perawatan", "KB1", "umum", False, False, (*_KTP_KK, "SKTM", "Surat rawat inap kelas III"), 3),
    ("pendidikan", "Bantuan pendidikan", "KB2", "umum", False, False, (*_KTP_KK, "Keterangan sekolah"), 5),
    ("pangan", "Bantuan pangan darurat", "KB3", "umum", False, True, _KTP_KK, 2),
    ("rumah", "Rumah tidak layak huni (RTLH)", "KB4", "umum", False, True, (*_KTP_KK, "Foto rumah", "Bukti hak tanah"), 14),
    ("adminduk", "Administrasi kependudukan", "KB5", "umum", False, False, ("Kartu Keluarga",), 5),
    ("usaha", "Bantuan usaha (UEP, KUBE)", "KB6", "umum", False, True, _KTP_KK, 14),
    ("alat-bantu", "Alat bantu disabilitas", "KB7", "umum", False, True, _KTP_KK, 14),
    ("rehabilitasi", "Rehabilitasi sosial", "KB8", "rehabilitasi", False, True, (), 5),
    ("orang-telantar", "Orang telantar dan pemulangan", "KB9", "rehabilitasi", False, False, (), 1),
    ("santunan-kematian", "Santunan kematian", "KB10", "umum", False, False, (*_KTP_KK, "Akta kematian"), 5),
)  # fmt: skip
# Of each paper that they ask for: its kind (`service_types.PAPER_KINDS`) and what to bring.
_PAPERS = {
    "KTP": ("identitas", "KTP-el asli, atau surat keterangan perekaman dari Disdukcapil"),
    "Kartu Keluarga": ("identitas", "Yang terbaru, dengan kode QR Disdukcapil"),
    "Surat fasilitas kesehatan": ("surat", "Dari puskesmas atau rumah sakit, bahwa warga perlu berobat"),
    "SKTM": ("surat", "Surat keterangan tidak mampu dari desa/kelurahan, dari tahun ini"),
    "Surat rawat inap kelas III": ("surat", "Surat keterangan dirawat dari rumah sakit, dengan kelasnya"),
    "Keterangan sekolah": ("surat", "Surat keterangan aktif dari sekolah atau kampus"),
    "Foto rumah": ("foto", "Tampak depan, atap, dinding, dan lantai"),
    "Bukti hak tanah": ("surat", "Sertifikat, akta jual beli, atau keterangan tanah dari desa/kelurahan"),
    "Akta kematian": ("identitas", "Akta, atau surat keterangan kematian dari desa/kelurahan"),
}
# Before these are decided, a look into the national list is on record; those the Puskesos may settle by itself.
_LIST_CHECKED = frozenset({"reaktivasi-pbi", "usulan-dtsen", "sk-dtsen", "sanggah", "bantuan-belum-cair"})
# Beside the whole group PR: paid no more, never paid, paid to the wrong people.
_COMPLAINED = ("KP2", "KP3", "KP4")
_IN_VILLAGE = frozenset({"informasi", "cek-kepesertaan", "pangan", "adminduk"})
SECRETARIAT = "sekretariat"
# code, kind, name, whether its people have accounts
_UNITS: tuple[tuple[str, UnitKind, str, bool], ...] = (
    (SECRETARIAT, UnitKind.SECRETARIAT, "Sekretariat SLRT", True),
    ("dinkes", UnitKind.AGENCY, "Dinas Kesehatan", True),
    ("disdukcapil", UnitKind.AGENCY, "Dinas Kependudukan dan Pencatatan Sipil", True),
    ("disdik", UnitKind.AGENCY, "Dinas Pendidikan", True),
    ("perkim", UnitKind.AGENCY, "Dinas Perumahan dan Kawasan Permukiman", True),
    ("dpmd", UnitKind.AGENCY, "Dinas Pemberdayaan Masyarakat dan Desa", False),
    ("disnaker", UnitKind.AGENCY, "Dinas Tenaga Kerja", False),
    ("dp3a", UnitKind.AGENCY, "Dinas Pemberdayaan Perempuan dan Perlindungan Anak", False),
    ("ketapang", UnitKind.AGENCY, "Dinas Ketahanan Pangan", False),
    ("rsud", UnitKind.HEALTH, "Rumah Sakit Umum Daerah", True),
    ("bpjs-kesehatan", UnitKind.INSURANCE, "BPJS Kesehatan", False),
    ("kemensos", UnitKind.MINISTRY, "Kementerian Sosial", False),
    ("baznas", UnitKind.BAZNAS, "Baznas Kabupaten/Kota", False),
    ("pkh", UnitKind.INSTITUTION, "Koordinator PKH", False),
    ("bank-penyalur", UnitKind.INSTITUTION, "Bank penyalur bantuan sosial", False),
    ("panti-sosial", UnitKind.INSTITUTION, "Balai atau panti sosial", False),
)


@dataclass(frozen=True)
class ServiceChoice:
    """A service type as a page offers it."""

    id: str
    code: str
    name: str
    category: str
    simple: bool
    requirements: tuple[str, ...]


@dataclass(frozen=True)
class UnitChoice:
    """An organisation as a page offers it. Without accounts the back office enters its replies."""

    id: str
    code: str
    name: str
    kind: str
    has_accounts: bool


def seed_catalogue(district: str, *, at: datetime) -> int:
    """Add the service types and organisations that are missing. How many were added. One transaction."""
    with transaction() as session:
        known_types = set(session.scalars(sa.select(ServiceType.code)))
        known_units = set(session.scalars(sa.select(Unit.code)))
        new: list[ServiceType | Unit] = [_service_type(row) for row in _SERVICE_TYPES if row[0] not in known_types]
        new += [_unit(row, district) for row in _UNITS if row[0] not in known_units]
        for row in new:
            row.stamp(SYSTEM, at)
        session.add_all(new)
        return len(new)


def service_types() -> tuple[ServiceChoice, ...]:
    """The newest version of each active service type, by name."""
    newest = sa.select(ServiceType.code, sa.func.max(ServiceType.version).label("version")).group_by(ServiceType.code).subquery()
    statement = (
        sa.select(ServiceType)
        .join(newest, sa.and_(ServiceType.code == newest.c.code, ServiceType.version == newest.c.version))
        .where(ServiceType.active)
        .order_by(ServiceType.name)
    )
    return tuple(
        ServiceChoice(kind.id, kind.code, kind.name, kind.category, kind.simple, tuple(kind.requirements))
        for kind in db.session.scalars(statement)
    )


def units() -> tuple[UnitChoice, ...]:
    """All active organisations, by name."""
    statement = sa.select(Unit).where(Unit.active).order_by(Unit.name)
    return tuple(
        UnitChoice(unit.id, unit.code, unit.name, unit.kind, unit.has_accounts) for unit in db.session.scalars(statement)
    )


def referral_targets() -> tuple[UnitChoice, ...]:
    """The organisations a case can be referred to: all but the secretariat itself."""
    return tuple(unit for unit in units() if unit.kind != UnitKind.SECRETARIAT)


def unit_id(code: str) -> str:
    """The identifier of the organisation with this code. Raises NotFound."""
    found = db.session.scalar(sa.select(Unit.id).where(Unit.code == code))
    if found is None:
        raise NotFound(f"Tidak ada unit dengan kode {code}.", "Periksa kode unit itu.")
    return found


def category_group(code: str) -> str:
    """The group of a category, for example "Kebutuhan"."""
    return GROUPS.get(code[:2], "")


def kind_of(service: ServiceType) -> CaseKind:
    """What a case of this service is when nobody says otherwise: a question, a complaint, else a request."""
    if service.flow == "informasi":
        return CaseKind.QUESTION
    return CaseKind.COMPLAINT if service.category.startswith(("PR", *_COMPLAINED)) else CaseKind.REQUEST


def _service_type(row: tuple[str, str, str, str, bool, bool, tuple[str, ...], int]) -> ServiceType:
    code, name, category, flow, simple, needs_visit, requirements, working_days = row
    return ServiceType(
        code=code,
        version=1,
        name=name,
        category=category,
        flow=flow,
        simple=simple,
        needs_visit=needs_visit,
        needs_list_check=code in _LIST_CHECKED,
        village_may_handle=code in _IN_VILLAGE,
        requirements=list(requirements),
        requirement_notes={name: dict(zip(("kind", "example"), _PAPERS[name], strict=True)) for name in requirements},
        working_days=working_days,
    )


def _unit(row: tuple[str, UnitKind, str, bool], district: str) -> Unit:
    code, kind, name, has_accounts = row
    return Unit(code=code, kind=kind, name=name, area_code=district, has_accounts=has_accounts)
