"""The blanks of two surveys, BDT 2015 and Regsosek 2022: the person and her family, and the answers as a profile of both."""

from __future__ import annotations

from dataclasses import replace

from appliance.exchange.formats import answers, people
from appliance.exchange.formats.fields import Field, Kind, Layout
from appliance.exchange.formats.lists import OUTSIDE_ID

AGE = Field("age", "Umur (tahun)", Kind.AGE, ("umur", "usia"))
# Both count the relations in their own way: 1 head, 2 wife or husband, 3 child, 4 child-in-law, 5 grandchild, 6 parents, 7 helper or driver, 8 others.
_RELATIONS = {"1": "1", "2": "3", "3": "4", "4": "5", "5": "6", "6": "7", "7": "10", "8": "11"}
_WORDS = {word: code for word, code in people.RELATION.choices.items() if not word.isdigit()}
# 1 not married, 2 married, 3 divorced, 4 widowed: as everywhere.
RELATION = replace(
    people.RELATION,
    names=("hubkk", "hubungandengankepalakeluarga", "hubkel", "hubkrt", "hubungandengankrt", "hubungankrt"),
    choices=_WORDS | _RELATIONS | {code.zfill(2): stored for code, stored in _RELATIONS.items()},
)
NAME = replace(people.NAME, names=(*people.NAME.names, "namaanggotakeluarga", "namaanggotarumahtangga", "namalengkapart"))
VILLAGE_CODES = (
    Field("bps_province", "Kode provinsi (BPS)", Kind.TEXT, ("kdprop", "kodeprovinsi", "kdprov", "provinsi"), 20),
    Field("bps_district", "Kode kabupaten/kota (BPS)", Kind.TEXT, ("kdkab", "kodekabupaten", "kabupaten", "kabupatenkota"), 40),
    Field("bps_subdistrict", "Kode kecamatan (BPS)", Kind.TEXT, ("kdkec", "kodekecamatan", "kecamatan"), 40),
)
CARD = replace(people.KK, kind=Kind.HOME)
SURVEY_ID = replace(OUTSIDE_ID, label="Nomor keluarga di survei atau daftar (IDBDT)")
_WITHOUT = {"relation", "education", "occupation", "marital_status", "name"}
_FIELDS = (
    NAME,
    RELATION,
    replace(people.MARITAL, names=(*people.MARITAL.names, "statuskawinnikah")),
    AGE,
    *(field for field in people.RESIDENT if field.key not in _WITHOUT),
    *VILLAGE_CODES,
    people.VILLAGE,
    OUTSIDE_ID,
)


def _surveyed(key: str, name: str, marks: tuple[str, ...], blanks: tuple[answers.Answered, ...]) -> Layout:
    questions = (question for blank in blanks for question in blank.fields())
    return Layout(key, name, (*_FIELDS, *questions), marks, blanks=tuple((blank.blank, blank.version) for blank in blanks))


def _of_homes(key: str, name: str, blank: answers.Answered) -> Layout:
    return Layout(key, name, (CARD, SURVEY_ID, *blank.fields()), blanks=((blank.blank, blank.version),), households=True)


BDT = _surveyed("bdt", "BDT 2015", ("kdprop", "kddesa", "nik", "hubkrt"), answers.BDT)
REGSOSEK = _surveyed("regsosek", "Regsosek 2022: anggota keluarga", ("nik", "hubungandengankepalakeluarga"), answers.REGSOSEK)
BDT_HOMES = _of_homes("bdt_keluarga", "BDT 2015: rumah tangga", answers.BDT[0])
REGSOSEK_HOMES = _of_homes("regsosek_keluarga", "Regsosek 2022: keluarga", answers.REGSOSEK[0])
