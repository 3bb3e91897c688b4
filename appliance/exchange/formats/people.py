"""The fields about a resident and her family that all layouts share, with the many names their columns go by."""

from __future__ import annotations

from appliance.exchange.formats.fields import Field, Kind, plain
from appliance.models.person import NAME_LENGTH
from appliance.registry import codes

RELATION_WORDS = {
    "kk": "1", "krt": "1", "kepalakeluarga": "1", "kepalarumahtangga": "1", "istrisuami": "3", "istri": "3", "isteri": "3", "anakkandung": "4",
    "orangtuamertua": "7", "saudara": "9", "familylain": "9", "keluargalain": "9", "pembanturumahtangga": "10", "pembanturuta": "10",
}  # fmt: skip
EDUCATION_WORDS = {
    "tidakblmsekolah": "1", "tidaktamatsdsederajat": "2", "belumtamatsd": "2", "tamatsd": "3", "sd": "3", "smp": "4", "sltp": "4", "sma": "5",
    "slta": "5", "smk": "5", "akademidiplomaiiismuda": "7", "diii": "7", "d3": "7", "diplomaivstratai": "8", "s1": "8", "strataii": "9", "s2": "9",
    "strataiii": "10", "s3": "10",
}  # fmt: skip
RELIGION_WORDS = {"katholik": "3", "budha": "5", "konghucu": "6", "kepercayaan": "7", "protestan": "2", "kristenprotestan": "2"}
MARITAL_WORDS = {"bk": "1", "belummenikah": "1", "k": "2", "menikah": "2", "kawintercatat": "2", "ch": "3", "cm": "4"}
OCCUPATION_WORDS = {
    "tidakbekerja": "1", "aparatursipilnegaraasn": "5", "pns": "5", "pegawainegerisipil": "5", "tni": "6", "polri": "7", "petani": "9",
    "nelayan": "11", "buruhharian": "19", "buruhtani": "20", "sopir": "81",
}  # fmt: skip
SEXES = {
    "1": "L",
    "l": "L",
    "lk": "L",
    "lakilaki": "L",
    "pria": "L",
    "2": "P",
    "p": "P",
    "pr": "P",
    "perempuan": "P",
    "wanita": "P",
}
STATUSES = {
    "1": "hidup", "hidup": "hidup", "2": "mati", "mati": "mati", "meninggal": "mati", "3": "pindah", "pindah": "pindah",
    "pindahdalamnegeri": "pindah", "pindahluarnegeri": "pindah", "4": "hilang", "hilang": "hilang", "6": "pindah", "pergi": "pindah",
    "9": "tidak_valid", "tidakvalid": "tidak_valid",
}  # fmt: skip
DISABILITY_WORDS = {
    "7": "7", "07": "7", "tidakcacat": "7", "tidak": "7", "tidakada": "7", "cacatfisik": "1", "cacatnetrabuta": "2", "cacatrunguwicara": "3",
    "cacatmentaljiwa": "4", "cacatfisikdanmental": "5", "cacatlainnya": "6",
}  # fmt: skip
PREGNANCIES = {"1": "1", "ya": "1", "y": "1", "hamil": "1", "2": "2", "tidak": "2", "t": "2", "tidakhamil": "2"}
INSURANCES = {
    "1": "tidak", "tidakpunya": "tidak", "tidakbelumpunya": "tidak", "2": "PBI", "bpjspenerimabantuaniuran": "PBI", "bpjspbi": "PBI", "pbi": "PBI",
    "kis": "PBI", "3": "mandiri", "bpjsnonpenerimabantuaniuran": "mandiri", "bpjsnonpbi": "mandiri", "mandiri": "mandiri",
    "4": "PBI_APBD", "bpjsbantuandaerah": "PBI_APBD", "99": "lain", "asuransilainnya": "lain", "lain": "lain",
}  # fmt: skip


def coded(listed: dict[str, str], more: dict[str, str]) -> dict[str, str]:
    """What may stand in a cell → the code: the code itself, also with a zero before it, its words, and other words."""
    known = {code: code for code in listed} | {code.zfill(2): code for code in listed if code.isdigit()}
    return known | {plain(label): code for code, label in listed.items()} | more


NAME = Field(
    "name",
    "Nama lengkap",
    Kind.NAME,
    ("nama", "namalengkap", "namapenduduk", "namaart", "namapenerima", "namakpm", "namaanggotakeluarga"),
    NAME_LENGTH,
)
NIK = Field("nik", "NIK", Kind.NIK, ("nik", "nonik", "nomornik", "noktp", "nikkpm", "nikpenerima", "noindukkependudukan"))
KK = Field("kk", "Nomor KK", Kind.KK, ("nokk", "kk", "nomorkk", "nokartukeluarga", "nomorkartukeluarga"))
SEX = Field(
    "sex", "Jenis kelamin", Kind.SEX, ("sex", "jeniskelamin", "jk", "jnskel", "idjeniskelamin", "kelamin", "lp"), choices=SEXES
)
BIRTH_PLACE = Field("birth_place", "Tempat lahir", Kind.TEXT, ("tempatlahir", "tmplahir", "tptlahir"), 80)
BIRTH_DATE = Field("birth_date", "Tanggal lahir", Kind.DATE, ("tanggallahir", "tgllahir"))
ADDRESS = Field("address", "Alamat", Kind.TEXT, ("alamat", "alamatlengkap", "alamatkk", "alamatrumah"), 300)
HAMLET = Field("hamlet", "Dusun/lingkungan", Kind.TEXT, ("dusun", "lingkungan", "dusunlingkungan", "namasls", "sls"), 80)
RW = Field("rw", "RW", Kind.UNIT, ("rw", "norw"))
RT = Field("rt", "RT", Kind.UNIT, ("rt", "nort"))
RELATION = Field(
    "relation", "Hubungan dalam keluarga", Kind.CODE, ("kklevel", "hubungankeluarga", "hubungan", "hubkk", "hubungandalamkeluarga", "shdk", "hubkel", "idhubkepalakeluarga"),
    choices=coded(codes.RELATIONS, RELATION_WORDS),
)  # fmt: skip
RELIGION = Field("religion", "Agama", Kind.CODE, ("agamaid", "agama"), choices=coded(codes.RELIGIONS, RELIGION_WORDS))
EDUCATION = Field(
    "education", "Pendidikan", Kind.CODE, ("pendidikankkid", "pendidikandalamkk", "pendidikan", "pendidikankk"),
    choices=coded(codes.EDUCATIONS, EDUCATION_WORDS),
)  # fmt: skip
OCCUPATION = Field(
    "occupation", "Pekerjaan", Kind.CODE, ("pekerjaanid", "pekerjaan"), choices=coded(codes.OCCUPATIONS, OCCUPATION_WORDS)
)
MARITAL = Field(
    "marital_status", "Status kawin", Kind.CODE, ("statuskawin", "statusperkawinan", "stakawin", "idstatusperkawinan", "statusnikah", "stanikah"),
    choices=coded(codes.MARITAL_STATUSES, MARITAL_WORDS),
)  # fmt: skip
FATHER = Field("father_name", "Nama ayah", Kind.TEXT, ("namaayah", "ayah"), NAME_LENGTH)
MOTHER = Field("mother_name", "Nama ibu", Kind.TEXT, ("namaibu", "ibu", "namaibukandung", "ibukandung"), NAME_LENGTH)
NATIONALITY = Field(
    "nationality", "Kewarganegaraan", Kind.CODE, ("warganegaraid", "warganegara", "kewarganegaraan"),
    choices=coded(codes.NATIONALITIES, {"indonesia": "1", "asing": "2"}),
)  # fmt: skip
DOMICILE = Field("domicile", "Alamat domisili", Kind.TEXT, ("alamatsekarang", "domisili", "alamatdomisili"), 300)
PHONE = Field("phone", "Nomor telepon", Kind.PHONE, ("telepon", "nohp", "hp", "notelp", "notelepon", "nomorhp", "nowa"), 20)
STATUS = Field("status", "Status penduduk", Kind.CODE, ("statusdasar", "statuspenduduk"), choices=STATUSES)
INSURANCE = Field("insurance", "Jaminan kesehatan", Kind.CODE, ("idasuransi", "asuransi", "jaminankesehatan"), choices=INSURANCES)
INSURANCE_NUMBER = Field(
    "insurance_number", "Nomor jaminan kesehatan", Kind.TEXT, ("noasuransi", "nomorasuransi", "nobpjs", "nokis"), 20
)
LATITUDE = Field("latitude", "Lintang", Kind.NUMBER, ("lat", "latitude", "lintang"))
LONGITUDE = Field("longitude", "Bujur", Kind.NUMBER, ("lng", "long", "longitude", "bujur"))
VILLAGE = Field(
    "village", "Desa/kelurahan (nama atau kode)", Kind.VILLAGE,
    ("desa", "kelurahan", "desakelurahan", "namadesa", "kodedesa", "namakelurahan", "kelurahandesa", "kddesa", "kodewilayah", "kodedesakel"),
)  # fmt: skip
SUBDISTRICT = Field("subdistrict", "Kecamatan (nama)", Kind.TEXT, ("kecamatan", "namakecamatan", "kec"), 80)

RESIDENT = (
    *(NAME, NIK, KK, SEX, BIRTH_PLACE, BIRTH_DATE, RELATION, ADDRESS, HAMLET, RW, RT, RELIGION, EDUCATION, OCCUPATION, MARITAL),
    *(FATHER, MOTHER, NATIONALITY, DOMICILE, PHONE, STATUS, INSURANCE, INSURANCE_NUMBER, LATITUDE, LONGITUDE),
)
# Apart from the person, with a right of its own. 7 means that there is none.
DISABILITY = Field(
    "disability", "Disabilitas", Kind.CODE, ("cacatid", "cacat", "disabilitas", "penyandangcacat", "jenisdisabilitas"),
    choices=coded(codes.DISABILITIES, DISABILITY_WORDS),
)  # fmt: skip
PREGNANT = Field("pregnant", "Hamil", Kind.CODE, ("hamil", "sedanghamil", "statushamil"), choices=PREGNANCIES)
HEALTH = (DISABILITY, PREGNANT)
