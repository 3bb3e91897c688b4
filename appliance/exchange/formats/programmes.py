"""The participants of a programme as OpenSID hands them over: sheets "Program" and "Peserta", `###` behind the last row."""

from __future__ import annotations

from appliance.exchange.formats import people
from appliance.exchange.formats.fields import Field, Kind, Layout

CARD_NUMBER = Field(
    "card_number", "Nomor peserta atau kartu", Kind.TEXT, ("nopeserta", "nomorpeserta", "noidkartu", "nokartu", "nokks"), 40
)

PARTICIPANTS = Layout(
    key="peserta",
    name="OpenSID: peserta program bantuan",
    fields=(people.NAME, people.NIK, people.BIRTH_PLACE, people.BIRTH_DATE, CARD_NUMBER, people.VILLAGE),
    marks=("peserta", "=card_number", "nik"),
    ends_at="###",
    only_known=True,
)
