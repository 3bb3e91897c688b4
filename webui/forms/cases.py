"""Forms about a case: opening one, narrowing the list, and referring one to another organisation."""

from __future__ import annotations

from typing import Any

from wtforms import BooleanField, Field, IntegerField, SelectMultipleField, StringField
from wtforms.validators import NumberRange, ValidationError

from appliance.casework.cases import NewCase
from appliance.casework.referrals import NewReferral
from appliance.models.states import Priority
from webui.forms.fields import Digits, Line, Needed, PageForm, Text


class AnyOf(SelectMultipleField):
    """Several codes of a list; which codes there are is the service's to know."""

    def __init__(self, **bound: Any) -> None:
        super().__init__(**bound, choices=[], validate_choice=False)


class CaseForm(PageForm):
    """A new case of one resident. The names are those of NewCase."""

    request_id = StringField()
    origin_id = StringField(default="")
    ticket_id = StringField(default="")
    channel = StringField(default="kantor", validators=[Needed("Pilih bagaimana keluhan ini sampai kepada Anda.")])
    kind = StringField(default="")
    service_type_id = StringField(default="", validators=[Needed("Pilih layanan yang diperlukan.")])
    category = StringField(default="")
    description = Text(default="", validators=[Needed("Tulis apa yang terjadi, dengan kata-kata warga.")])
    expectation = Text(default="")
    priority = StringField(default="biasa", validators=[Needed("Pilih prioritas.")])
    priority_reason = Line(default="")
    vulnerable_groups = AnyOf()
    confidential = BooleanField()
    reporter_name = Line(default="")
    reporter_relation = Line(default="")
    reporter_phone = Digits(default="")
    reporter_is_proxy = BooleanField()
    informed = BooleanField()
    outcome = StringField(default="")
    outcome_note = Text(default="")
    citizen_note = Text(default="")

    def validate_priority_reason(self, field: Field) -> None:
        """An emergency overtakes everybody else; it says why."""
        if self.priority.data == Priority.EMERGENCY and not field.data:
            raise ValidationError("Tulis mengapa kasus ini darurat.")

    def validate_informed(self, field: Field) -> None:
        """Nothing about a person is written down before she was told."""
        if not field.data:
            raise ValidationError("Bacakan dahulu pemberitahuan ini, lalu centang.")

    def case(self, applicant_id: str) -> NewCase:
        """What was typed, as the service takes it."""
        typed = {name: value for name, value in self.data.items() if name not in ("request_id", "vulnerable_groups")}
        return NewCase(applicant_id=applicant_id, vulnerable_groups=tuple(self.vulnerable_groups.data or ()), **typed)


class CaseFilterForm(PageForm):
    """What narrows the list of cases. `view` is one of the tabs."""

    view = StringField(default="")
    state = StringField(default="")
    village_code = StringField(default="")
    area_code = StringField(default="")
    service_code = StringField(default="")
    priority = StringField(default="")
    age = StringField(default="")
    owner = StringField(default="")
    text = Line(default="")


class ReferralForm(PageForm):
    """A referral to another organisation. The names are those of NewReferral."""

    request_id = StringField()
    unit_id = StringField(default="", validators=[Needed("Pilih OPD atau lembaga tujuan.")])
    summary = Text(default="", validators=[Needed("Tulis apa yang diminta dari OPD.")])
    share = AnyOf()
    contact = Line(default="")
    reply_days = IntegerField(
        default=5, validators=[NumberRange(min=1, max=60, message="Isi batas jawaban antara 1 dan 60 hari kerja.")]
    )
    way = StringField(default="akun")

    def referral(self) -> NewReferral:
        """What was typed, as the service takes it."""
        typed = {name: value for name, value in self.data.items() if name not in ("request_id", "share")}
        return NewReferral(share=tuple(self.share.data or ()), **typed)
