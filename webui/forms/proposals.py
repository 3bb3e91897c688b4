"""Forms of proposals and of what they rest on. The names are those of the services' fields, so that problems find them."""

from __future__ import annotations

import re

from wtforms import IntegerField, StringField

from appliance.proposals.bases import Meeting
from appliance.proposals.proposals import Wish
from webui.forms.aid import FAMILY
from webui.forms.fields import Day, Line, Needed, PageForm, Text

_MONTH = re.compile(r"\s*(\d{1,2})\s*[-/. ]\s*(\d{4})\s*")


class ProposalForm(PageForm):
    """A proposal about one resident or her family."""

    request_id = StringField()
    row_version = IntegerField(default=0)
    kind = StringField(default="", validators=[Needed("Pilih jenis usulan.")])
    family = StringField(default="ya")
    programme_id = StringField(default="")
    reason = Text(default="", validators=[Needed("Tulis apa yang diusulkan dan mengapa.")])
    evidence = Line(default="")
    case_number = Line(default="")

    def wish(self) -> Wish:
        """What was typed, as the service takes it."""
        return Wish(
            kind=self.kind.data or "",
            reason=self.reason.data or "",
            evidence=self.evidence.data or "",
            family=bool(FAMILY.get(self.family.data or "")),
            programme_id=self.programme_id.data or "",
        )


class BasisForm(PageForm):
    """A meeting or a statement; who was present stands one a line, "name, role"."""

    request_id = StringField()
    row_version = IntegerField(default=0)
    village_code = StringField(default="")
    kind = StringField(default="musyawarah")
    held_on = Day(validators=[Needed("Isi tanggalnya: hari-bulan-tahun, contoh 12-11-2026.")])
    place = Line(default="")
    leader = Line(default="")
    attendance = Text(default="")
    note = Text(default="")

    def meeting(self) -> Meeting:
        """What was typed, as the service takes it."""
        lines = [line.partition(",") for line in (self.attendance.data or "").splitlines() if line.strip()]
        present = tuple((" ".join(name.split()), " ".join(role.split())) for name, _, role in lines)
        return Meeting(self.held_on.data, self.place.data or "", self.leader.data or "", present, self.note.data or "")


def read_period(typed: str) -> str:
    """A month as it is typed, "11-2026", in the form in which it is kept; anything else as it is, for the service to refuse."""
    found = _MONTH.fullmatch(typed)
    return f"{found[2]}-{int(found[1]):02d}" if found else typed.strip()
