"""Forms about the aid of a person or family. The names are those of the services' fields, so that problems find them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wtforms import BooleanField, IntegerField, StringField
from wtforms.validators import Optional

from appliance.registry.list_status import NewStatus
from appliance.registry.needs import NewNeed
from appliance.registry.participation import NewParticipation, NewPayment, ParticipationChange
from appliance.registry.profile import NewProfile
from webui.forms.fields import Day, Degrees, Line, Needed, PageForm, Text, Whole

# Whether the family or the person holds it; nothing chosen leaves it to the programme.
FAMILY = {"ya": True, "tidak": False}


class ParticipationForm(PageForm):
    """A new participation. `seen`: the officer has read the warnings and stores it all the same."""

    request_id = StringField()
    programme_id = StringField(default="", validators=[Needed("Pilih program.")])
    family = StringField(default="")
    status = StringField(default="aktif", validators=[Needed("Pilih status kepesertaan.")])
    source = StringField(default="", validators=[Needed("Pilih dari mana ini diketahui.")])
    known_on = Day(validators=[Needed("Isi tanggal keterangan ini diperoleh.")])
    card_number = Line(default="")
    starts = Day(validators=[Optional()])
    ends = Day(validators=[Optional()])
    reason = Line(default="")
    note = Line(default="")
    seen = BooleanField()

    def participation(self) -> NewParticipation:
        """What was typed, as the service takes it."""
        return NewParticipation(**_typed(self, "request_id", "seen", "family"), family=FAMILY.get(self.family.data or ""))


class ParticipationChangeForm(PageForm):
    """What is known now of a participation."""

    row_version = IntegerField(default=0)
    status = StringField(default="", validators=[Needed("Pilih status kepesertaan.")])
    source = StringField(default="", validators=[Needed("Pilih dari mana ini diketahui.")])
    known_on = Day(validators=[Needed("Isi tanggal keterangan ini diperoleh.")])
    card_number = Line(default="")
    starts = Day(validators=[Optional()])
    ends = Day(validators=[Optional()])
    reason = Line(default="")
    note = Line(default="")

    def change(self) -> ParticipationChange:
        """What was typed, as the service takes it."""
        return ParticipationChange(**_typed(self, "row_version"))


class PaymentForm(PageForm):
    """One payment."""

    request_id = StringField()
    paid_on = Day(validators=[Needed("Isi tanggal diterima.")])
    form = StringField(default="rekening", validators=[Needed("Pilih bentuk bantuan.")])
    amount = Whole(validators=[Optional()])
    goods = Line(default="")
    period = Line(default="")
    evidence = Line(default="")

    def payment(self) -> NewPayment:
        """What was typed, as the service takes it."""
        return NewPayment(**_typed(self, "request_id"))


class NeedForm(PageForm):
    """What somebody needs."""

    request_id = StringField()
    family = StringField(default="tidak")
    programme_id = StringField(default="")
    sector = StringField(default="")
    priority = StringField(default="biasa", validators=[Needed("Pilih prioritas.")])
    reason = Text(default="", validators=[Needed("Tulis mengapa ini diperlukan.")])
    noted_on = Day(validators=[Needed("Isi tanggal kebutuhan dicatat.")])

    def need(self) -> NewNeed:
        """What was typed, as the service takes it."""
        return NewNeed(**_typed(self, "request_id", "family"), family=bool(FAMILY.get(self.family.data or "")))


class StatusForm(PageForm):
    """What a look into a national list showed."""

    request_id = StringField()
    family = StringField(default="ya")
    list_id = StringField(default="", validators=[Needed("Pilih daftar yang dilihat.")])
    listed = StringField(default="", validators=[Needed("Pilih hasilnya.")])
    decile = Whole(validators=[Optional()])
    outside_id = Line(default="")
    period = Line(default="")
    checked_on = Day(validators=[Needed("Isi tanggal dilihat.")])
    evidence = Line(default="")

    def status(self) -> NewStatus:
        """What was typed, as the service takes it."""
        return NewStatus(**_typed(self, "request_id", "family"), family=bool(FAMILY.get(self.family.data or "")))


class ProfileForm(PageForm):
    """What stands around the questions of a blank; the answers are read by the definition of the blank."""

    request_id = StringField()
    version = IntegerField(default=0)
    surveyed_on = Day(validators=[Needed("Isi tanggal pendataan.")])
    opinion = StringField(default="")
    note = Text(default="")
    latitude = Degrees(validators=[Optional()])
    longitude = Degrees(validators=[Optional()])

    def profile(self, instrument: str, answers: Mapping[str, Sequence[str]]) -> NewProfile:
        """What was typed, as the service takes it."""
        known = _typed(self, "request_id", "version")
        return NewProfile(instrument, self.version.data or 0, answers=answers, **known)


def _typed(form: PageForm, *apart: str) -> dict[str, Any]:
    return {name: value for name, value in form.data.items() if name not in apart}
