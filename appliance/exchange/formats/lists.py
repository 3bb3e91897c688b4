"""Lists in any order of columns: residents of a village, and who stands in a national list (DTSEN, DTKS, SIKS-NG)."""

from __future__ import annotations

from appliance.exchange.formats import people
from appliance.exchange.formats.fields import Field, Kind, Layout

DECILE = Field(
    "decile", "Desil", Kind.DECILE,
    ("desil", "desilnasional", "desilnasionalkeluarga", "desilnasionalanggota", "desilkesejahteraan"),
)  # fmt: skip
OUTSIDE_ID = Field(
    "outside_id", "Nomor di daftar (ID DTKS/DTSEN)", Kind.TEXT, ("iddtks", "iddtsen", "idbdt", "idsemesta", "iddesil"), 40
)

RESIDENTS = Layout(
    key="warga",
    name="Daftar warga (kolom dipasangkan sendiri)",
    fields=(*people.RESIDENT, *people.HEALTH, people.VILLAGE, people.SUBDISTRICT),
)
NATIONAL_LIST = Layout(
    key="daftar_nasional",
    name="Daftar DTSEN/DTKS (gaya SIKS-NG)",
    fields=(*people.RESIDENT, people.VILLAGE, people.SUBDISTRICT, DECILE, OUTSIDE_ID),
    marks=("=decile",),
    asks_list=True,
)
