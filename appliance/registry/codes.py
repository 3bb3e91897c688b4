"""The pick-lists about a person: what is stored is a code of OpenSID, what is read is its label.

Pure. Villages' sheets hold the code or the words, in any case and spacing; `find` reads both.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from appliance.models.person import Relation

RELATIONS = {
    Relation.HEAD.value: "Kepala keluarga",
    Relation.HUSBAND.value: "Suami",
    Relation.WIFE.value: "Istri",
    Relation.CHILD.value: "Anak",
    Relation.CHILD_IN_LAW.value: "Menantu",
    Relation.GRANDCHILD.value: "Cucu",
    Relation.PARENT.value: "Orang tua",
    Relation.PARENT_IN_LAW.value: "Mertua",
    Relation.RELATIVE.value: "Famili lain",
    Relation.HELPER.value: "Pembantu",
    Relation.OTHER.value: "Lainnya",
}
INSURANCES = {
    "tidak": "Tidak punya",
    "PBI": "PBI-JK (KIS)",
    "PBI_APBD": "PBI APBD",
    "mandiri": "Mandiri",
    "PPU": "Pekerja penerima upah",
    "lain": "Lainnya",
}


def _numbered(text: str) -> dict[str, str]:
    return {str(number): label.strip() for number, label in enumerate(text.strip().split(";"), start=1)}


RELIGIONS = _numbered("Islam; Kristen; Katolik; Hindu; Buddha; Khonghucu; Kepercayaan terhadap Tuhan YME")
MARITAL_STATUSES = _numbered("Belum kawin; Kawin; Cerai hidup; Cerai mati")
NATIONALITIES = _numbered("WNI; WNA; Dua kewarganegaraan")
EDUCATIONS = _numbered(
    "Tidak/belum sekolah; Belum tamat SD/sederajat; Tamat SD/sederajat; SLTP/sederajat; SLTA/sederajat; Diploma I/II; "
    "Akademi/Diploma III/Sarjana Muda; Diploma IV/Strata I; Strata II; Strata III"
)
OCCUPATIONS = _numbered(
    "Belum/tidak bekerja; Mengurus rumah tangga; Pelajar/mahasiswa; Pensiunan; Pegawai negeri sipil (PNS); "
    "Tentara Nasional Indonesia (TNI); Kepolisian RI (Polri); Perdagangan; Petani/pekebun; Peternak; Nelayan/perikanan; Industri; "
    "Konstruksi; Transportasi; Karyawan swasta; Karyawan BUMN; Karyawan BUMD; Karyawan honorer; Buruh harian lepas; "
    "Buruh tani/perkebunan; Buruh nelayan/perikanan; Buruh peternakan; Pembantu rumah tangga; Tukang cukur; Tukang listrik; "
    "Tukang batu; Tukang kayu; Tukang sol sepatu; Tukang las/pandai besi; Tukang jahit; Tukang gigi; Penata rias; Penata busana; "
    "Penata rambut; Mekanik; Seniman; Tabib; Paraji; Perancang busana; Penterjemah; Imam masjid; Pendeta; Pastor; Wartawan; "
    "Ustadz/mubaligh; Juru masak; Promotor acara; Anggota DPR-RI; Anggota DPD; Anggota BPK; Presiden; Wakil presiden; "
    "Anggota Mahkamah Konstitusi; Anggota kabinet kementerian; Duta besar; Gubernur; Wakil gubernur; Bupati; Wakil bupati; Walikota; "
    "Wakil walikota; Anggota DPRD provinsi; Anggota DPRD kabupaten/kota; Dosen; Guru; Pilot; Pengacara; Notaris; Arsitek; Akuntan; "
    "Konsultan; Dokter; Bidan; Perawat; Apoteker; Psikiater/psikolog; Penyiar televisi; Penyiar radio; Pelaut; Peneliti; Sopir; "
    "Pialang; Paranormal; Pedagang; Perangkat desa; Kepala desa; Biarawati; Wiraswasta; Lainnya"
)
# Code 7 of disability and 14 of illness mean "none" in villages' sheets: nothing is stored then.
DISABILITIES = _numbered("Fisik; Netra; Rungu/wicara; Mental/jiwa; Fisik dan mental; Lainnya")
ILLNESSES = _numbered(
    "Jantung; Hati (lever); Paru-paru; Kanker; Stroke; Diabetes melitus; Ginjal; Malaria; Kusta; HIV/AIDS; Gangguan jiwa; TBC; Asma"
)

_ALIASES: Mapping[str, Mapping[str, str]] = {
    "katholik": {"religion": "3"},
    "budha": {"religion": "5"},
    "konghucu": {"religion": "6"},
    "kepercayaan": {"religion": "7"},
    "tidakbekerja": {"occupation": "1"},
    "pns": {"occupation": "5"},
    "tni": {"occupation": "6"},
    "polri": {"occupation": "7"},
    "petani": {"occupation": "9"},
    "nelayan": {"occupation": "11"},
    "buruhharian": {"occupation": "19"},
    "buruhtani": {"occupation": "20"},
    "bk": {"marital_status": "1"},
    "k": {"marital_status": "2"},
    "ch": {"marital_status": "3"},
    "cm": {"marital_status": "4"},
}
# The lists by the field of `Person` that holds their codes.
LISTS: Mapping[str, Mapping[str, str]] = {
    "relation": RELATIONS,
    "religion": RELIGIONS,
    "education": EDUCATIONS,
    "occupation": OCCUPATIONS,
    "marital_status": MARITAL_STATUSES,
    "nationality": NATIONALITIES,
    "insurance": INSURANCES,
}


def find(field: str, text: str) -> str | None:
    """The code that `text` (a code, perhaps with leading zeros, or its words) means in the list of `field`; None for no such."""
    wanted = _plain(text)
    codes = LISTS[field]
    number = wanted.lstrip("0") if wanted.isdigit() else text.strip()
    if number in codes:
        return number
    alias = _ALIASES.get(wanted, {}).get(field)
    return alias or next((code for code, label in codes.items() if _plain(label) == wanted and wanted), None)


def label(field: str, code: str) -> str:
    """The words of a code. What is in no list (an older entry in words) is shown as it is."""
    return LISTS[field].get(code, code)


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())
