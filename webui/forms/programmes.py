"""Forms about the catalogue: a programme, a rule that warns, a national list. The names are those of the services' fields."""

from __future__ import annotations

from wtforms import BooleanField, IntegerField, StringField
from wtforms.validators import Optional

from appliance.registry.national_lists import ListFields
from appliance.registry.programmes import ProgrammeFields
from appliance.registry.rules import RuleFields
from webui.forms.fields import Day, Line, Needed, PageForm, Whole


class ProgrammeForm(PageForm):
    """One programme, new or known. `code` is asked for once."""

    row_version = IntegerField(default=0)
    code = Line(default="")
    name = Line(default="", validators=[Needed("Tulis nama program.")])
    level = StringField(default="", validators=[Needed("Pilih tingkat.")])
    sector = StringField(default="", validators=[Needed("Pilih sektor.")])
    target = StringField(default="", validators=[Needed("Pilih sasaran.")])
    unit_id = StringField(default="")
    max_decile = Whole(validators=[Optional()])
    starts = Day(validators=[Optional()])
    ends = Day(validators=[Optional()])
    active = BooleanField()

    def fields(self) -> ProgrammeFields:
        """What was typed, as the service takes it."""
        return ProgrammeFields(**{name: value for name, value in self.data.items() if name != "row_version"})


class RuleForm(PageForm):
    """One rule that warns."""

    row_version = IntegerField(default=0)
    request_id = StringField()
    kind = StringField(default="", validators=[Needed("Pilih jenis aturan.")])
    within = StringField(default="keluarga")
    first_id = StringField(default="")
    second_id = StringField(default="")
    sector = StringField(default="")
    most = Whole(validators=[Optional()])
    advice = Line(default="")
    active = BooleanField()

    def fields(self) -> RuleFields:
        """What was typed, as the service takes it."""
        return RuleFields(**{name: value for name, value in self.data.items() if name not in ("row_version", "request_id")})


class ListForm(PageForm):
    """One national list."""

    row_version = IntegerField(default=0)
    code = Line(default="")
    name = Line(default="", validators=[Needed("Tulis nama daftar.")])
    has_decile = BooleanField()
    active = BooleanField()

    def fields(self) -> ListFields:
        """What was typed, as the service takes it."""
        return ListFields(self.name.data or "", bool(self.has_decile.data), bool(self.active.data))
