"""The form about an organisation of the office's list."""

from __future__ import annotations

from wtforms import BooleanField, IntegerField, StringField

from appliance.casework.units import UnitText
from webui.forms.fields import Digits, Line, Needed, PageForm


class UnitForm(PageForm):
    """One organisation. The names are those of UnitText; `code` is typed for a new one only."""

    row_version = IntegerField(default=0)
    code = Line(default="")
    name = Line(default="", validators=[Needed("Isi nama unit.")])
    kind = StringField(default="", validators=[Needed("Pilih jenis unit.")])
    address = Line(default="")
    phone = Line(default="")
    email = Line(default="")
    official_name = Line(default="")
    official_nip = Digits(default="")
    has_accounts = BooleanField()
    active = BooleanField()

    def unit(self) -> UnitText:
        """What was typed, as the service takes it."""
        return UnitText(**{name: value for name, value in self.data.items() if name not in ("row_version", "code")})
