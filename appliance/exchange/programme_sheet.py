"""The sheet "Program" of OpenSID's participant workbook: what the programme is called, for whom it is, who pays, from when to when.

Pure. OpenSID writes a label and its value in each row; a sheet with headings and one row below is read as well. `###` ends it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from rapidfuzz import fuzz

from appliance.exchange.checking import Odd, clean, read_day
from appliance.exchange.formats import plain
from appliance.exchange.mapping import ALIKE
from appliance.exchange.xlsx import Cell, Row
from appliance.models.programme import CODE_WORD, TITLE_LENGTH, Level, Target
from appliance.registry.programmes import ProgrammeFields, ProgrammeLine

SHEET = "program"
END = "###"
FEWEST = 3
_LABELS = {
    "nama": "name", "namaprogram": "name", "sasaran": "target", "sasaranprogram": "target", "asaldana": "level", "sumberdana": "level",
    "awal": "starts", "tanggalawal": "starts", "rentangwaktuawal": "starts", "mulai": "starts", "tanggalmulai": "starts",
    "akhir": "ends", "tanggalakhir": "ends", "rentangwaktuakhir": "ends", "berakhir": "ends", "tanggalberakhir": "ends",
    "id": "id", "keterangan": "note", "ket": "note",
}  # fmt: skip
_TARGETS = {
    "1": Target.PERSON, "penduduk": Target.PERSON, "perorangan": Target.PERSON, "pendudukperorangan": Target.PERSON,
    "2": Target.FAMILY, "keluarga": Target.FAMILY, "keluargakk": Target.FAMILY, "3": Target.FAMILY, "rumahtangga": Target.FAMILY,
    "4": Target.GROUP, "kelompok": Target.GROUP, "kelompokorganisasikemasyarakatan": Target.GROUP,
}  # fmt: skip
_LEVELS = {
    "pusat": Level.NATIONAL, "apbn": Level.NATIONAL, "provinsi": Level.PROVINCE, "kabkota": Level.DISTRICT, "kabupaten": Level.DISTRICT,
    "kabupatenkota": Level.DISTRICT, "kota": Level.DISTRICT, "danadesa": Level.VILLAGE, "desa": Level.VILLAGE, "lainlain": Level.PRIVATE,
    "lainlainhibah": Level.PRIVATE, "hibah": Level.PRIVATE, "swasta": Level.PRIVATE,
}  # fmt: skip


@dataclass(frozen=True)
class ToldProgramme:
    """What a sheet says of its programme; empty for what it does not say or in words nobody knows."""

    name: str
    target: str = ""
    level: str = ""
    starts: date | None = None
    ends: date | None = None

    def fields(self) -> ProgrammeFields:
        """As it would be added to the catalogue. No sheet tells the sector."""
        code = re.sub(r"[^a-z0-9]+", "-", self.name.lower())[:CODE_WORD].strip("-")
        return ProgrammeFields(
            code, self.name, self.level, "", self.target or Target.FAMILY.value, starts=self.starts, ends=self.ends
        )


def programme_sheet(sheets: Sequence[str]) -> str | None:
    """The sheet that tells of the programme, if there is one."""
    return next((sheet for sheet in sheets if plain(sheet) == SHEET), None)


def read_programme(rows: Sequence[Row]) -> ToldProgramme | None:
    """What the first rows of the sheet say; None when they name no programme."""
    told = _by_rows(rows) or _by_headings(rows)
    name = clean(told.get("name"))[:TITLE_LENGTH]
    if not name:
        return None
    level, target = plain(clean(told.get("level"))), plain(clean(told.get("target")))
    return ToldProgramme(name, _TARGETS.get(target, ""), _LEVELS.get(level, ""), _day(told.get("starts")), _day(told.get("ends")))


def _by_rows(rows: Sequence[Row]) -> dict[str, Cell]:
    """A label in the first column and its value in the second."""
    told: dict[str, Cell] = {}
    for _, cells in rows:
        label = clean(cells[0]) if cells and cells[0] is not None else ""
        if label == END:
            break
        if len(cells) > 1 and plain(label) in _LABELS:
            told.setdefault(_LABELS[plain(label)], cells[1])
    return told if len(told) >= FEWEST else {}


def _by_headings(rows: Sequence[Row]) -> dict[str, Cell]:
    """A row of headings and the values in the next."""
    for (_, headings), (_, cells) in pairwise(rows):
        keys = [_LABELS.get(plain(heading), "") if isinstance(heading, str) else "" for heading in headings]
        if sum(map(bool, keys)) >= FEWEST:
            return {key: cell for key, cell in zip(keys, cells, strict=False) if key}
    return {}


def _day(cell: Cell) -> date | None:
    try:
        return read_day(cell)
    except Odd:
        return None


def likeliest(told: ToldProgramme, known: Sequence[ProgrammeLine]) -> str:
    """The identifier of the programme of the catalogue that goes by this name, one very much like it, or its code; "" for none."""
    name = plain(told.name)
    closeness: Mapping[str, float] = {
        one.id: 100.0 if name == plain(one.code) else fuzz.ratio(plain(one.name), name) for one in known
    }
    best = max(closeness, key=lambda one: closeness[one], default="")
    return best if best and closeness[best] >= ALIKE else ""
