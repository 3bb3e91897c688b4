"""The 43 columns of OpenSID's sheet "Data Penduduk", filled so that a village imports the file as it is. Pure.

OpenSID takes the code or the word of a coded column; what has a code goes out as the code. Disability and pregnancy are left
empty: they are kept apart here and are read with a right of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from appliance.exchange.export_columns import Around, Field
from appliance.registry import codes

SHEET = "Data Penduduk"
# OpenSID imports every sheet but one of this name: the notes must stand there, or the import ends with an error.
NOTES_SHEET = "Kode Data"
NIK_UNKNOWN = "0"
NOT_KNOWN = "-"

_SEX = {"L": "1", "P": "2"}
_STATUS = {"hidup": "1", "mati": "2", "pindah": "3", "hilang": "4", "pergi": "6", "ganda": "9", "tidak_valid": "9"}
_INSURANCE = {"tidak": "1", "PBI": "2", "mandiri": "3", "PPU": "3", "PBI_APBD": "4", "lain": "99"}


def code_of(field: str, text: str) -> str:
    """The code of what is stored, which may be an older entry in words; what has no code goes out as it is."""
    return codes.find(field, text) or text if text else ""


def _coordinate(value: float | None) -> str:
    return "" if value is None else str(value)


def _nothing(row: Any, around: Around) -> str:
    return ""


_FILLED: Mapping[str, Field] = {
    "alamat": Field("alamat", lambda row, around: row.address or "", width=30),
    # OpenSID refuses a new resident without these three, and takes a hyphen for "not known"
    "dusun": Field("dusun", lambda row, around: row.hamlet or NOT_KNOWN),
    "rw": Field("rw", lambda row, around: row.rw or NOT_KNOWN, number=True, width=6),
    "rt": Field("rt", lambda row, around: row.rt or NOT_KNOWN, number=True, width=6),
    "nama": Field("nama", lambda row, around: row.name, width=30),
    "no_kk": Field("no_kk", lambda row, around: around.number(row.kk), number=True, width=19),
    "nik": Field("nik", lambda row, around: around.number(row.nik) or NIK_UNKNOWN, number=True, width=19),
    "sex": Field("sex", lambda row, around: _SEX.get(row.sex, row.sex), width=6),
    "tempatlahir": Field("tempatlahir", lambda row, around: row.birth_place),
    "tanggallahir": Field("tanggallahir", lambda row, around: row.birth_date.isoformat() if row.birth_date else ""),
    "agama_id": Field("agama_id", lambda row, around: code_of("religion", row.religion)),
    "pendidikan_kk_id": Field("pendidikan_kk_id", lambda row, around: code_of("education", row.education)),
    "pekerjaan_id": Field("pekerjaan_id", lambda row, around: code_of("occupation", row.occupation)),
    "status_kawin": Field("status_kawin", lambda row, around: code_of("marital_status", row.marital_status)),
    "kk_level": Field("kk_level", lambda row, around: row.relation),
    "warganegara_id": Field("warganegara_id", lambda row, around: code_of("nationality", row.nationality)),
    "nama_ayah": Field("nama_ayah", lambda row, around: row.father_name, width=26),
    "nama_ibu": Field("nama_ibu", lambda row, around: row.mother_name, width=26),
    "alamat_sekarang": Field("alamat_sekarang", lambda row, around: row.domicile, width=30),
    "status_dasar": Field("status_dasar", lambda row, around: _STATUS.get(row.status, row.status)),
    "id_asuransi": Field("id_asuransi", lambda row, around: _INSURANCE.get(row.insurance, row.insurance)),
    "no_asuransi": Field("no_asuransi", lambda row, around: row.insurance_number, number=True, width=18),
    "lat": Field("lat", lambda row, around: _coordinate(row.latitude)),
    "lng": Field("lng", lambda row, around: _coordinate(row.longitude)),
}

NAMES = (
    *("alamat", "dusun", "rw", "rt", "nama", "no_kk", "nik", "sex", "tempatlahir", "tanggallahir", "agama_id"),
    *("pendidikan_kk_id", "pendidikan_sedang_id", "pekerjaan_id", "status_kawin", "kk_level", "warganegara_id", "ayah_nik"),
    *("nama_ayah", "ibu_nik", "nama_ibu", "golongan_darah_id", "akta_lahir", "dokumen_pasport", "tanggal_akhir_paspor"),
    *("dokumen_kitas", "akta_perkawinan", "tanggalperkawinan", "akta_perceraian", "tanggalperceraian", "cacat_id", "cara_kb_id"),
    *("hamil", "ktp_el", "status_rekam", "alamat_sekarang", "status_dasar", "suku", "tag_id_card", "id_asuransi", "no_asuransi"),
    *("lat", "lng"),
)
COLUMNS: Mapping[str, Field] = {name: _FILLED.get(name) or Field(name, _nothing) for name in NAMES}
