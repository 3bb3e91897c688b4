"""The form of an import that asks for more than a choice: the programme that a file brings along."""

from __future__ import annotations

from wtforms import StringField
from wtforms.validators import Optional

from appliance.registry.programmes import ProgrammeFields
from webui.forms.fields import Day, Line, Needed, PageForm

PREFIX = "program-"


class NewProgrammeForm(PageForm):
    """A programme that is to be added to the catalogue before its participants are read."""

    code = Line(default="", validators=[Needed("Tulis kode program.")])
    name = Line(default="", validators=[Needed("Tulis nama program.")])
    level = StringField(default="", validators=[Needed("Pilih tingkat.")])
    sector = StringField(default="", validators=[Needed("Pilih sektor.")])
    target = StringField(default="", validators=[Needed("Pilih sasaran.")])
    starts = Day(validators=[Optional()])
    ends = Day(validators=[Optional()])

    def fields(self) -> ProgrammeFields:
        """What was typed, as the service takes it."""
        return ProgrammeFields(**self.data)
