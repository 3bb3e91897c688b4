"""The population sheet of OpenSID as villages hand it over, built from its published list of columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from io import BytesIO
from typing import Any

from xlsxwriter import Workbook

COLUMNS = [
    "alamat",
    "dusun",
    "rw",
    "rt",
    "nama",
    "no_kk",
    "nik",
    "sex",
    "tempatlahir",
    "tanggallahir",
    "agama_id",
    "pendidikan_kk_id",
    "pendidikan_sedang_id",
    "pekerjaan_id",
    "status_kawin",
    "kk_level",
    "warganegara_id",
    "ayah_nik",
    "nama_ayah",
    "ibu_nik",
    "nama_ibu",
    "golongan_darah_id",
    "akta_lahir",
    "dokumen_pasport",
    "tanggal_akhir_paspor",
    "dokumen_kitas",
    "akta_perkawinan",
    "tanggalperkawinan",
    "akta_perceraian",
    "tanggalperceraian",
    "cacat_id",
    "cara_kb_id",
    "hamil",
    "ktp_el",
    "status_rekam",
    "alamat_sekarang",
    "status_dasar",
    "suku",
    "tag_id_card",
    "id_asuransi",
    "no_asuransi",
    "lat",
    "lng",
]
CARD = "7303012005080003"
# As in the ministry's template: codes and words mixed, the days text, birth dates that do not agree with the NIK.
HEAD = {
    "alamat": "Jl. Pahlawan 1", "dusun": "Kampung Beru", "rw": "'001", "rt": "2", "nama": "BAHARUDDIN", "no_kk": CARD, "nik": "7303011206750001",
    "sex": "1", "tempatlahir": "Bantaeng", "tanggallahir": "12-06-1975", "agama_id": "1", "pendidikan_kk_id": "SLTA / SEDERAJAT",
    "pekerjaan_id": "9", "status_kawin": "KAWIN", "kk_level": "1", "warganegara_id": "1", "nama_ayah": "Sampara", "nama_ibu": "Hasnah",
    "status_dasar": "1", "id_asuransi": "2", "no_asuransi": "0001234567890", "lat": "-5.54", "lng": "119.95",
}  # fmt: skip
WIFE = HEAD | {
    "nama": "SITTI AMINAH", "nik": "7303015208800002", "sex": "P", "tanggallahir": "10 Agustus 1980", "kk_level": "Istri",
    "pekerjaan_id": "MENGURUS RUMAH TANGGA", "nama_ayah": "", "nama_ibu": "", "no_asuransi": "",
}  # fmt: skip
CHILD = HEAD | {
    "nama": "NURUL HIDAYAH", "nik": "0", "sex": "Perempuan", "tanggallahir": "01/02/2024", "kk_level": "4", "status_kawin": "BK",
    "pendidikan_kk_id": "1", "pekerjaan_id": "1", "no_asuransi": "",
}  # fmt: skip
FAMILY = (HEAD, WIFE, CHILD)


def rows_of(people: Iterable[dict[str, Any]], columns: Sequence[str] = COLUMNS) -> list[list[Any]]:
    """People as rows of the sheet, with its headings."""
    return [list(columns), *([person.get(column, "") for column in columns] for person in people)]


def workbook(rows: Iterable[Sequence[Any]], *, sheet: str = "Data Penduduk", end: bool = True, codes: bool = True) -> bytes:
    """An XLSX with these rows; text stays text, numbers are numbers. `end` adds the mark behind the last row."""
    file = BytesIO()
    with Workbook(file, {"strings_to_numbers": False, "strings_to_formulas": False, "default_date_format": "dd/mm/yyyy"}) as book:
        page = book.add_worksheet(sheet)
        count = 0
        for count, row in enumerate(rows, start=1):
            for at, cell in enumerate(row):
                if cell != "":
                    page.write(count - 1, at, cell)
        if end:
            page.write(count, 1, "###")
        if codes:
            book.add_worksheet("Kode Data").write(0, 0, "Kode")
    return file.getvalue()


def population(*people: dict[str, Any]) -> bytes:
    """The workbook of a village; the family of three when nobody is named."""
    return workbook(rows_of(people or FAMILY))
