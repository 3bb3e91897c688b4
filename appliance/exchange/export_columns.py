"""What can stand in a column of an exported list: a key, a heading, and how the value is made of a row. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Any

from appliance.casework.catalogue import CATEGORIES
from appliance.models.person import NikStatus
from appliance.models.proposal_words import ProposalKind, ProposalState
from appliance.models.states import CaseState
from appliance.proposals.kinds import KINDS
from appliance.registry import codes, phones
from appliance.registry.participation import SOURCES, STATUSES
from appliance.registry.people_search import age

PERSON_STATUSES: Mapping[str, str] = {
    "hidup": "Hidup",
    "mati": "Meninggal",
    "pindah": "Pindah",
    "hilang": "Hilang",
    "ganda": "Data ganda",
    "tidak_valid": "Data tidak valid",
}
NIK_STATUSES: Mapping[str, str] = {
    NikStatus.VALID: "Sesuai",
    NikStatus.DOUBTFUL: "Perlu diperiksa",
    NikStatus.TEMPORARY: "Sementara",
    NikStatus.NONE: "Belum ada",
}
SEXES: Mapping[str, str] = {"L": "Laki-laki", "P": "Perempuan"}


@dataclass(frozen=True)
class Around:
    """What the rows of one village share. `number` shows a NIK or a card number, whole or masked; `zone` is the office's."""

    village_code: str
    village: str
    village_bps: str
    subdistrict_code: str
    subdistrict: str
    district: str
    postcode: str
    today: date
    zone: tzinfo
    number: Callable[[str | None], str]


@dataclass(frozen=True)
class Field:
    """A possible column. `value` takes a row and what is around it; `number` marks digits that must stay a text."""

    label: str
    value: Callable[[Any, Around], str]
    number: bool = False
    width: int = 16


def day(value: date | None) -> str:
    """31-01-1980, as people here write it."""
    return value.strftime("%d-%m-%Y") if value else ""


def moment(value: datetime | None, around: Around) -> str:
    """The day of a moment where the office is."""
    return day(value.astimezone(around.zone).date()) if value else ""


def telephone(number: str) -> str:
    """A stored number as other systems take it: "+6281234567890" → "081234567890"."""
    return phones.shown(number).replace("-", "").replace(" ", "")


def spoken(code: str) -> str:
    """A code as a word: "kabkota" → "Kabkota", "tidak_jadi" → "Tidak jadi"."""
    return code.replace("_", " ").capitalize()


def _listed(field: str) -> Callable[[Any, Around], str]:
    """The words of a pick-list."""
    return lambda row, around: codes.label(field, getattr(row, field) or "")


def _age(row: Any, around: Around) -> str:
    years = age(row.birth_date, around.today)
    return "" if years is None else str(years)


PLACE: Mapping[str, Field] = {
    "alamat": Field("Alamat", lambda row, around: row.address or "", width=30),
    "rt": Field("RT", lambda row, around: row.rt or "", number=True, width=6),
    "rw": Field("RW", lambda row, around: row.rw or "", number=True, width=6),
    "dusun": Field("Dusun/Lingkungan", lambda row, around: row.hamlet or "", width=20),
    "kode_desa": Field("Kode Desa/Kelurahan", lambda row, around: around.village_code, number=True, width=16),
    "kode_bps": Field("Kode BPS Desa", lambda row, around: around.village_bps, number=True, width=14),
    "desa": Field("Desa/Kelurahan", lambda row, around: around.village, width=20),
    "kode_kecamatan": Field("Kode Kecamatan", lambda row, around: around.subdistrict_code, number=True, width=12),
    "kecamatan": Field("Kecamatan", lambda row, around: around.subdistrict, width=18),
    "kabupaten": Field("Kabupaten/Kota", lambda row, around: around.district, width=20),
    "kode_pos": Field("Kode Pos", lambda row, around: around.postcode, number=True, width=9),
}

PEOPLE: Mapping[str, Field] = {
    "nik": Field("NIK", lambda row, around: around.number(row.nik), number=True, width=19),
    "no_kk": Field("No KK", lambda row, around: around.number(row.kk), number=True, width=19),
    "nama": Field("Nama", lambda row, around: row.name, width=30),
    "nama_panggilan": Field("Nama Panggilan", lambda row, around: row.nickname, width=18),
    "tempat_lahir": Field("Tempat Lahir", lambda row, around: row.birth_place, width=18),
    "tanggal_lahir": Field("Tanggal Lahir", lambda row, around: day(row.birth_date), width=13),
    "umur": Field("Umur", _age, width=7),
    "jenis_kelamin": Field("Jenis Kelamin", lambda row, around: SEXES.get(row.sex, row.sex), width=13),
    "nama_ibu": Field("Nama Ibu Kandung", lambda row, around: row.mother_name, width=26),
    "nama_ayah": Field("Nama Ayah", lambda row, around: row.father_name, width=26),
    **PLACE,
    "pekerjaan": Field("Pekerjaan", _listed("occupation"), width=22),
    "pendidikan": Field("Pendidikan", _listed("education"), width=22),
    "agama": Field("Agama", _listed("religion"), width=12),
    "kewarganegaraan": Field("Kewarganegaraan", _listed("nationality"), width=12),
    "domisili": Field("Alamat Domisili", lambda row, around: row.domicile, width=30),
    "status_kawin": Field("Status Kawin", _listed("marital_status"), width=14),
    "hubungan": Field("Hubungan Keluarga", _listed("relation"), width=18),
    "telepon": Field("Telepon", lambda row, around: telephone(row.phone), number=True, width=16),
    "jaminan": Field("Jaminan Kesehatan", _listed("insurance"), width=20),
    "no_jaminan": Field("No Kartu JKN", lambda row, around: row.insurance_number, number=True, width=18),
    "status": Field("Status", lambda row, around: PERSON_STATUSES.get(row.status, row.status), width=12),
    "status_nik": Field("Status NIK", lambda row, around: NIK_STATUSES.get(row.nik_status, row.nik_status), width=16),
    "alasan_nik": Field("Catatan NIK", lambda row, around: row.nik_reason, width=30),
}

FAMILIES: Mapping[str, Field] = {
    "no_kk": Field("No KK", lambda row, around: around.number(row.kk), number=True, width=19),
    "nama_kepala": Field("Nama Kepala Keluarga", lambda row, around: row.head_name or "", width=30),
    "nik_kepala": Field("NIK Kepala Keluarga", lambda row, around: around.number(row.head_nik), number=True, width=19),
    "anggota": Field("Jumlah Anggota", lambda row, around: str(row.members), width=10),
    **PLACE,
    "telepon": Field("Telepon Kepala Keluarga", lambda row, around: telephone(row.head_phone or ""), number=True, width=18),
    "lintang": Field("Lintang", lambda row, around: "" if row.latitude is None else str(row.latitude), width=12),
    "bujur": Field("Bujur", lambda row, around: "" if row.longitude is None else str(row.longitude), width=12),
}

PARTICIPANTS: Mapping[str, Field] = {
    "program": Field("Program", lambda row, around: row.programme, width=24),
    "penerima": Field("Penerima", lambda row, around: "Keluarga" if row.family_id else "Perorangan", width=12),
    "nama": Field("Nama (Kepala Keluarga)", lambda row, around: row.name or "", width=30),
    "nik": PEOPLE["nik"],
    "no_kk": PEOPLE["no_kk"],
    "tempat_lahir": Field("Tempat Lahir", lambda row, around: row.birth_place or "", width=18),
    "tanggal_lahir": PEOPLE["tanggal_lahir"],
    "jenis_kelamin": Field("Jenis Kelamin", lambda row, around: SEXES.get(row.sex or "", ""), width=13),
    "nama_ibu": Field("Nama Ibu Kandung", lambda row, around: row.mother_name or "", width=26),
    **PLACE,
    "telepon": Field("Telepon", lambda row, around: telephone(row.phone or ""), number=True, width=16),
    "no_kartu": Field("No Kartu Program", lambda row, around: row.card_number, number=True, width=19),
    "status_peserta": Field("Status Kepesertaan", lambda row, around: STATUSES.get(row.participation, row.participation)),
    "mulai": Field("Mulai", lambda row, around: day(row.starts), width=13),
    "selesai": Field("Selesai", lambda row, around: day(row.ends), width=13),
    "sumber": Field("Sumber", lambda row, around: SOURCES.get(row.source, row.source), width=22),
    "diketahui": Field("Diketahui Tanggal", lambda row, around: day(row.known_on), width=13),
    "status": Field("Status Warga", lambda row, around: PERSON_STATUSES.get(row.status or "", ""), width=12),
}

CASES: Mapping[str, Field] = {
    "nomor": Field("Nomor Kasus", lambda row, around: row.number, width=24),
    "diterima": Field("Diterima", lambda row, around: moment(row.received_at, around), width=13),
    "pemohon": Field("Nama Pemohon", lambda row, around: row.name, width=30),
    "nik": PEOPLE["nik"],
    "jenis_kelamin": PEOPLE["jenis_kelamin"],
    "umur": PEOPLE["umur"],
    **{key: PLACE[key] for key in ("kode_desa", "desa", "kecamatan", "kabupaten")},
    "jenis": Field("Jenis", lambda row, around: spoken(row.kind), width=14),
    "layanan": Field("Layanan", lambda row, around: row.service, width=34),
    "kategori": Field("Kategori", lambda row, around: CATEGORIES.get(row.category, row.category), width=30),
    "prioritas": Field("Prioritas", lambda row, around: spoken(row.priority), width=10),
    "rahasia": Field("Rahasia", lambda row, around: "Ya" if row.confidential else "", width=8),
    "status": Field("Status", lambda row, around: CaseState(row.state).label, width=22),
    "sejak": Field("Status Sejak", lambda row, around: moment(row.state_since, around), width=13),
    "batas": Field("Batas Waktu", lambda row, around: moment(row.deadline, around), width=13),
    "petugas": Field("Petugas", lambda row, around: row.owner or "", width=22),
    "hasil": Field("Hasil", lambda row, around: spoken(row.outcome), width=16),
    "ditutup": Field("Ditutup", lambda row, around: moment(row.closed_at, around), width=13),
}

PROPOSALS: Mapping[str, Field] = {
    "nomor_usulan": Field("Nomor Usulan", lambda row, around: row.number, width=24),
    "jenis_usulan": Field("Jenis Usulan", lambda row, around: KINDS[ProposalKind(row.proposal_kind)].label, width=24),
    "periode": Field("Periode", lambda row, around: row.period, width=10),
    "status_usulan": Field("Status Usulan", lambda row, around: ProposalState(row.state).label, width=22),
    "dasar": Field("Dasar", lambda row, around: spoken(row.basis_kind or ""), width=13),
    "tanggal_dasar": Field("Tanggal Berita Acara/SPTJM", lambda row, around: day(row.signed_on), width=13),
    "nomor_dasar": Field("Nomor Berita Acara/SPTJM", lambda row, around: row.paper_number or row.basis_number or "", width=24),
    "program_usulan": Field("Program yang Diusulkan", lambda row, around: row.programme or "", width=22),
    "alasan_usulan": Field("Alasan Usulan", lambda row, around: row.reason, width=40),
    "dientri": Field("Tanggal Dientri", lambda row, around: day(row.entered_on), width=13),
    **PEOPLE,
}
