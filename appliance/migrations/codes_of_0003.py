"""The pick-lists and telephone numbers as they were read when people got more fields (0003).

A copy on purpose: a migration must do in years what it does today, whatever the lists say by then.
"""

from __future__ import annotations

import re
from collections.abc import Mapping


def _numbered(text: str) -> dict[str, str]:
    return {str(number): label.strip() for number, label in enumerate(text.strip().split(";"), start=1)}


RELIGIONS = _numbered("Islam; Kristen; Katolik; Hindu; Buddha; Khonghucu; Kepercayaan terhadap Tuhan YME")
MARITAL_STATUSES = _numbered("Belum kawin; Kawin; Cerai hidup; Cerai mati")
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
LISTS: Mapping[str, Mapping[str, str]] = {
    "religion": RELIGIONS,
    "education": EDUCATIONS,
    "occupation": OCCUPATIONS,
    "marital_status": MARITAL_STATUSES,
}
# What comes with numbers that were copied from a message or a sheet.
_AROUND = re.compile(r"^\s*(?:(?:wa|hp|telp|tlp|no)\b[\s.:]*)*|[\u200b-\u200f\u2060\ufeff\u00ad\u202a-\u202e']", re.IGNORECASE)


def find(field: str, text: str) -> str | None:
    """The code that `text` (a code, perhaps with leading zeros, or its words) means in the list of `field`; None for no such."""
    wanted = _plain(text)
    codes = LISTS[field]
    number = wanted.lstrip("0") if wanted.isdigit() else text.strip()
    if number in codes:
        return number
    alias = _ALIASES.get(wanted, {}).get(field)
    return alias or next((code for code, label in codes.items() if _plain(label) == wanted and wanted), None)


def to_stored(text: str) -> str | None:
    """The number as it is stored ("+6281234567890"); None when it cannot be a number of Indonesia."""
    bare = re.sub(r"[\s().\-]", "", _AROUND.sub("", text).strip())
    if bare.startswith("+62"):
        rest = bare[3:]
    elif bare.startswith("62") and len(bare) >= 10:
        rest = bare[2:]
    elif bare.startswith(("0", "8")):
        rest = bare.removeprefix("0")
    else:
        return None
    rest = rest.lstrip("0")
    shape = r"8[0-9]{8,11}|[2345679][0-9]{6,10}"
    return f"+62{rest}" if re.fullmatch(shape, rest) else None


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())
