"""The sheet of BDT 2015 as it is handed over: a row for each member, with what was asked of the household repeated in each."""

from __future__ import annotations

from typing import Any

from tests.support.opensid import CARD, workbook

# A family of two; the codes as they stand in the files, every second asset with 3 for yes and 4 for no.
HOUSE = {
    "KDPROP": 73, "KDKAB": 3, "KDKEC": 10, "KDDESA": 1, "IDBDT": "6205", "NoKK": CARD, "Sta_bangunan": 1, "Sta_lahan": 1, "Luas_lantai": 36,
    "Lantai": 9, "Sumber_penerangan": 3, "Daya": 0, "Ada_tabung_gas": 2, "Ada_lemari_es": 4, "Jumlah_sapi": 2, "Sta_pkh": 1, "Percentile": 7,
}  # fmt: skip
MAN = HOUSE | {
    "Nama": "BAHARUDDIN", "NIK": "7303011206750001", "Hub_KRT": 1, "Hubkel": 1, "JnsKel": 1, "Umur": 40, "Sta_kawin": 2,
    "Ada_kartu_identitas": 5, "Jenis_cacat": "00", "Penyakit_kronis": 3, "Partisipasi_sekolah": 2, "Pendidikan_tertinggi": 1, "Sta_Bekerja": 1,
    "Jumlah_jamkerja": 40, "Lapangan_usaha": "01", "Status_pekerjaan": 1,
}  # fmt: skip
WOMAN = HOUSE | {
    "Nama": "SITTI AMINAH", "NIK": "7303015208800002", "Hub_KRT": 2, "Hubkel": 2, "JnsKel": 2, "Umur": 35, "Sta_kawin": 2,
    "Ada_kartu_identitas": 4, "Jenis_cacat": "00", "Penyakit_kronis": 0, "Partisipasi_sekolah": 0, "Sta_Bekerja": 2, "Sta_hamil": 2,
}  # fmt: skip


def bdt(*members: dict[str, Any]) -> bytes:
    """A workbook of these people; the headings are all that any of them has."""
    headings = list(dict.fromkeys(heading for member in members for heading in member))
    return workbook(
        [headings, *([member.get(heading, "") for heading in headings] for member in members)], end=False, codes=False
    )
