"""Which columns of handed-over sheets answer which questions of a survey's blank, as data.

The files of BDT 2015 have names of their own for the questions; any sheet may also name them by their number and words. What a cell
may say beside the codes of the blank stands in `SPELLED`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from appliance.exchange.formats.fields import Field, Kind, plain
from appliance.registry.instruments import instrument

_ASSETS = (
    *(
        "adatabunggas",
        "adalemaries",
        "adaac",
        "adapemanas",
        "adatelpon",
        "adatv",
        "adaemas",
        "adalaptop",
        "adasepeda",
        "adamotor",
    ),
    *("adamobil", "adaperahu", "adamotortempel", "adaperahumotor", "adakapal"),
)
_AID = ("stakks", "stakip", "stakis", "stabpjsmandiri", "stajamsostek", "staasuransi", "stapkh", "starastra", "stakur")
BDT_FAMILY: dict[str, tuple[str, ...]] = {
    "301a": ("stabangunan",), "301b": ("stalahan",), "302": ("luaslantai", "lslantai"), "303": ("lantai", "jnslantai"),
    "304a": ("dinding", "jnsdinding"), "304b": ("kondisidinding", "kndsdinding"), "305a": ("atap", "jnsatap"),
    "305b": ("kondisiatap", "kndsatap"), "306": ("jumlahkamar",), "307": ("sumberairminum",),
    "308": ("caraprolehairminum", "caraperolehairminum"), "309a": ("sumberpenerangan",), "309b": ("daya",), "310": ("bbmasak",),
    "311a": ("fasbab",), "311b": ("kloset",), "312": ("buangtinja",),
    **{f"501{letter}": (name,) for letter, name in zip("abcdefghijklmno", _ASSETS, strict=True)},
    "502a": ("jumlahhp", "nohpaktif"), "502b": ("jumlahtv", "tvlayardatar"), "503a": ("asettakbergerak",), "503a2": ("luasatb",),
    "503b": ("rumahlain",), "504a": ("jumlahsapi",), "504b": ("jumlahkerbau", "jumahkerbau"), "504c": ("jumlahkuda",),
    "504d": ("jumlahbabi",), "504e": ("jumlahkambing",), "505": ("staartusaha",),
    **{f"506{letter}": (name,) for letter, name in zip("abcdefghi", _AID, strict=True)},
}  # fmt: skip
BDT_PERSON: dict[str, tuple[str, ...]] = {
    "404": ("hubkrt",), "406": ("hubkel",), "409": ("stakawin",), "410": ("adaaktanikah",), "411": ("adadikk",),
    "412": ("adakartuidentitas",), "413": ("stahamil",), "414": ("jeniscacat",), "415": ("penyakitkronis",),
    "416": ("partisipasisekolah",), "417": ("pendidikantertinggi",), "418": ("kelastertinggi",), "419": ("ijazahtertinggi",),
    "420": ("stabekerja",), "421": ("jumlahjamkerja",), "422": ("lapanganusaha",), "423": ("statuspekerjaan",),
}  # fmt: skip
REGSOSEK_PERSON: dict[str, tuple[str, ...]] = {
    "408": ("statusperkawinan",), "409": ("hubungandengankepalakeluarga", "statushubungandengankepalakeluarga"),
}  # fmt: skip
# On the blank of BDT every second pair of "yes" and "no" is printed as 3 and 4.
SPELLED: dict[str, Mapping[str, str]] = {"bdt-2015": {"3": "1", "4": "2"}}


@dataclass(frozen=True)
class Answered:
    """A blank in one version that a layout has answers to. `names` are further headings by the code of the question."""

    blank: str
    version: int
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def fields(self) -> tuple[Field, ...]:
        """A field for each question; its key names the blank and the question."""
        about = instrument(self.blank, self.version)
        return tuple(
            Field(
                key=f"{self.blank}.{question.code}",
                label=f"{question.code}. {question.label}",
                kind=Kind.ANSWER,
                names=(*self.names.get(question.code, ()), f"r{question.code}", question.code, plain(question.label)),
            )
            for question in about.questions()
        )


BDT = (Answered("bdt-2015", 1, BDT_FAMILY), Answered("bdt-2015-anggota", 1, BDT_PERSON))
REGSOSEK = (Answered("regsosek-2022k-keluarga", 1), Answered("regsosek-2022k-anggota", 1, REGSOSEK_PERSON))
