"""What can stand in a column of an exported list: a key, a heading, and how the value is made of a row. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from appliance.models.person import NikStatus
from appliance.registry.codes import INSURANCES, RELATIONS
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
    """What the rows of one village share. `number` shows a NIK or a card number, whole or masked."""

    village_code: str
    village: str
    subdistrict_code: str
    subdistrict: str
    district: str
    today: date
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


def _age(row: Any, around: Around) -> str:
    years = age(row.birth_date, around.today)
    return "" if years is None else str(years)


PLACE: Mapping[str, Field] = {
    "alamat": Field("Alamat", lambda row, around: row.address or "", width=30),
    "rt": Field("RT", lambda row, around: row.rt or "", number=True, width=6),
    "rw": Field("RW", lambda row, around: row.rw or "", number=True, width=6),
    "dusun": Field("Dusun/Lingkungan", lambda row, around: row.hamlet or "", width=20),
    "kode_desa": Field("Kode Desa/Kelurahan", lambda row, around: around.village_code, width=16),
    "desa": Field("Desa/Kelurahan", lambda row, around: around.village, width=20),
    "kode_kecamatan": Field("Kode Kecamatan", lambda row, around: around.subdistrict_code, width=12),
    "kecamatan": Field("Kecamatan", lambda row, around: around.subdistrict, width=18),
    "kabupaten": Field("Kabupaten/Kota", lambda row, around: around.district, width=20),
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
    "pekerjaan": Field("Pekerjaan", lambda row, around: row.occupation, width=22),
    "pendidikan": Field("Pendidikan", lambda row, around: row.education, width=22),
    "agama": Field("Agama", lambda row, around: row.religion, width=12),
    "status_kawin": Field("Status Kawin", lambda row, around: row.marital_status, width=14),
    "hubungan": Field("Hubungan Keluarga", lambda row, around: RELATIONS.get(row.relation, row.relation), width=18),
    "telepon": Field("Telepon", lambda row, around: row.phone, number=True, width=16),
    "jaminan": Field("Jaminan Kesehatan", lambda row, around: INSURANCES.get(row.insurance, row.insurance), width=20),
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
    "telepon": Field("Telepon Kepala Keluarga", lambda row, around: row.head_phone or "", number=True, width=18),
    "lintang": Field("Lintang", lambda row, around: "" if row.latitude is None else str(row.latitude), width=12),
    "bujur": Field("Bujur", lambda row, around: "" if row.longitude is None else str(row.longitude), width=12),
}
