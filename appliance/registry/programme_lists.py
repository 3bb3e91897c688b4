"""The programmes, rules and national lists a new node begins with. Data of the office from then on: a Dinas edits them on the page."""

from __future__ import annotations

from appliance.models.programme import Level, RuleKind, Sector, Target, Within

_N, _P, _D, _V, _S = Level.NATIONAL, Level.PROVINCE, Level.DISTRICT, Level.VILLAGE, Level.PRIVATE
_PERSON, _FAMILY, _GROUP = Target.PERSON, Target.FAMILY, Target.GROUP

# code, name, level, sector, target, code of the managing unit, highest desil, still running
PROGRAMMES: tuple[tuple[str, str, Level, Sector, Target, str, int | None, bool], ...] = (
    ("pkh", "Program Keluarga Harapan (PKH)", _N, Sector.SOCIAL, _FAMILY, "pkh", 4, True),
    ("sembako", "Program Sembako (BPNT)", _N, Sector.FOOD, _FAMILY, "kemensos", 4, True),
    ("bantuan-beras", "Bantuan pangan beras", _N, Sector.FOOD, _FAMILY, "ketapang", 4, True),
    ("rastra", "Rastra/Raskin (riwayat)", _N, Sector.FOOD, _FAMILY, "", None, False),
    ("bst", "Bantuan Sosial Tunai (BST, riwayat)", _N, Sector.SOCIAL, _FAMILY, "kemensos", None, False),
    ("pbi-jk", "PBI Jaminan Kesehatan (PBI-JK/KIS)", _N, Sector.HEALTH, _PERSON, "bpjs-kesehatan", 5, True),
    ("pip", "Program Indonesia Pintar (PIP/KIP)", _N, Sector.EDUCATION, _PERSON, "disdik", None, True),
    ("kip-kuliah", "KIP Kuliah", _N, Sector.EDUCATION, _PERSON, "", None, True),
    ("atensi", "Asistensi Rehabilitasi Sosial (ATENSI)", _N, Sector.SOCIAL, _PERSON, "kemensos", None, True),
    ("yapi", "ATENSI anak yatim piatu (YAPI)", _N, Sector.SOCIAL, _PERSON, "kemensos", None, True),
    ("permakanan", "Permakanan lansia dan disabilitas", _N, Sector.FOOD, _PERSON, "kemensos", None, True),
    ("subsidi-listrik", "Subsidi listrik (450 VA dan 900 VA)", _N, Sector.ENERGY, _FAMILY, "", None, True),
    ("lpg-3kg", "Subsidi LPG 3 kg", _N, Sector.ENERGY, _FAMILY, "", None, True),
    ("kur", "Kredit Usaha Rakyat (KUR)", _N, Sector.SOCIAL, _PERSON, "", None, True),
    ("pupuk", "Pupuk bersubsidi", _N, Sector.FARMING, _PERSON, "", None, True),
    ("asuransi-tani", "Asuransi usaha tani padi (AUTP)", _N, Sector.FARMING, _PERSON, "", None, True),
    ("asuransi-nelayan", "Asuransi nelayan (BPAN)", _N, Sector.FISHING, _PERSON, "", None, True),
    ("bsps", "Bantuan Stimulan Perumahan Swadaya (BSPS)", _N, Sector.HOUSING, _FAMILY, "perkim", None, True),
    ("bansos-provinsi", "Bantuan sosial provinsi", _P, Sector.SOCIAL, _FAMILY, "", None, True),
    ("jamkesda", "Jaminan kesehatan daerah (PBI APBD)", _D, Sector.HEALTH, _PERSON, "dinkes", None, True),
    ("biaya-perawatan", "Bantuan biaya perawatan (BOP)", _D, Sector.HEALTH, _PERSON, "", None, True),
    ("rtlh", "Rehabilitasi rumah tidak layak huni (RTLH)", _D, Sector.HOUSING, _FAMILY, "perkim", None, True),
    ("bansos-lansia", "Bantuan sosial lanjut usia", _D, Sector.SOCIAL, _PERSON, "", None, True),
    ("bansos-disabilitas", "Bantuan sosial penyandang disabilitas", _D, Sector.SOCIAL, _PERSON, "", None, True),
    ("alat-bantu", "Alat bantu disabilitas", _D, Sector.HEALTH, _PERSON, "", None, True),
    ("uep", "Usaha Ekonomi Produktif (UEP)", _D, Sector.SOCIAL, _PERSON, "", None, True),
    ("kube", "Kelompok Usaha Bersama (KUBE)", _D, Sector.SOCIAL, _GROUP, "", None, True),
    ("beasiswa-daerah", "Beasiswa daerah", _D, Sector.EDUCATION, _PERSON, "disdik", None, True),
    ("santunan-kematian", "Santunan kematian", _D, Sector.SOCIAL, _FAMILY, "", None, True),
    ("adminduk-jemput-bola", "Layanan jemput bola adminduk", _D, Sector.PAPERS, _PERSON, "disdukcapil", None, True),
    ("blt-desa", "BLT Dana Desa", _V, Sector.SOCIAL, _FAMILY, "dpmd", None, True),
    ("baznas", "Bantuan Baznas", _S, Sector.SOCIAL, _PERSON, "baznas", None, True),
    ("csr", "Bantuan perusahaan (CSR)", _S, Sector.SOCIAL, _PERSON, "", None, True),
    ("lks", "Bantuan lembaga kesejahteraan sosial (LKS)", _S, Sector.SOCIAL, _PERSON, "", None, True),
)  # fmt: skip

_CHOOSE = "Periksa mana yang benar, lalu hentikan yang lain."
# code, kind, within, first programme, second programme, sector, most, advice
RULES: tuple[tuple[str, RuleKind, Within, str, str, str, int | None, str], ...] = (
    ("tidak-ada", RuleKind.GONE, Within.PERSON, "", "", "", None, "Laporkan kepada pengelola program, lalu catat nonaktif."),
    ("desil", RuleKind.DECILE, Within.PERSON, "", "", "", None, "Periksa desil terbaru di SIKS-NG sebelum mengusulkan."),
    ("ganda", RuleKind.TWICE, Within.FAMILY, "", "", "", None, "Mungkin tercatat dua kali atau diterima dua kali; periksa kartunya."),
    ("blt-desa-pkh", RuleKind.TOGETHER, Within.FAMILY, "blt-desa", "pkh", "", None, _CHOOSE),
    ("blt-desa-sembako", RuleKind.TOGETHER, Within.FAMILY, "blt-desa", "sembako", "", None, _CHOOSE),
    ("pbi-jk-jamkesda", RuleKind.TOGETHER, Within.PERSON, "pbi-jk", "jamkesda", "", None, "Satu orang cukup satu jaminan kesehatan."),
    ("rtlh-bsps", RuleKind.TOGETHER, Within.FAMILY, "rtlh", "bsps", "", None, "Satu rumah dibantu dari satu sumber."),
    ("sosial-tiga", RuleKind.TOO_MANY, Within.FAMILY, "", "", Sector.SOCIAL, 3, "Dahulukan keluarga yang belum pernah dibantu."),
)  # fmt: skip

# code, name, whether it shows a desil, still used
NATIONAL_LISTS: tuple[tuple[str, str, bool, bool], ...] = (
    ("dtsen", "DTSEN", True, True),
    ("cek-bansos", "Cek Bansos", True, True),
    ("dtks", "DTKS (riwayat)", False, False),
    ("bdt", "BDT (riwayat)", True, False),
)
