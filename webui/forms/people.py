"""Forms about residents and families: finding, registering, correcting, and noting what happened to them."""

from __future__ import annotations

from typing import Any

from wtforms import BooleanField, Field, IntegerField, StringField
from wtforms.validators import Length, Optional, ValidationError

from appliance.registry.contacts import NewContact
from appliance.registry.corrections import FamilyFields
from appliance.registry.families import Split
from appliance.registry.happenings import Birth, Move
from appliance.registry.health import Health
from appliance.registry.marriages import Divorce
from appliance.registry.nik import check_kk, check_nik
from appliance.registry.people import NewPerson, PersonFields
from webui.forms.fields import Day, Degrees, Digits, Line, Needed, PageForm, Text, TickedField


class FindForm(PageForm):
    """The one search box, with a village to narrow it."""

    q = StringField(default="")
    village_code = StringField(default="")


class PersonFieldsForm(PageForm):
    """What is known of one person. The names are those of PersonFields, so that the service's problems find their fields."""

    nik = Digits(default="")
    nik_reason = Line(default="", validators=[Length(max=300, message="Alasan terlalu panjang, paling banyak 300 huruf.")])
    name = Line(
        default="",
        validators=[
            Needed("Tulis nama lengkap seperti di KTP."),
            Length(max=120, message="Nama terlalu panjang, paling banyak 120 huruf."),
        ],
    )
    nickname = Line(default="")
    sex = StringField(default="", validators=[Needed("Pilih jenis kelamin.")])
    birth_place = Line(default="")
    birth_date = Day(validators=[Optional()])
    birth_date_estimated = BooleanField()
    relation = StringField(default="11")
    mother_name = Line(default="")
    father_name = Line(default="")
    religion = StringField(default="")
    education = StringField(default="")
    occupation = StringField(default="")
    marital_status = StringField(default="")
    nationality = StringField(default="")
    domicile = Line(default="")
    phone = Line(default="")
    insurance = StringField(default="")
    insurance_number = Digits(default="")

    def fields_typed(self) -> dict[str, Any]:
        """The values of the fields that PersonFields has."""
        return {name: self[name].data for name in PersonFields.__dataclass_fields__}


class PlaceForm(PageForm):
    """An address in a village, and the number of the card that belongs to it."""

    village_code = StringField(default="")
    address = Line(default="")
    hamlet = Line(default="")
    rt = Digits(default="")
    rw = Digits(default="")
    kk = Digits(default="")


class PersonForm(PersonFieldsForm, PlaceForm):
    """A resident who is not registered yet."""

    request_id = StringField()
    village_code = StringField(default="", validators=[Needed("Pilih desa atau kelurahan tempat tinggal.")])
    arrived_from = Line(default="")
    # why she is another person than those who were shown, and whether they were shown
    despite = Line(default="", validators=[Length(max=300, message="Alasan terlalu panjang, paling banyak 300 huruf.")])
    asked = BooleanField()

    def validate_nik(self, field: Field) -> None:
        """The shape only; whether the number is doubtful or taken is the service's to say."""
        if field.data:
            _refuse(check_nik(field.data).wrong)
        elif not self.nik_reason.data:
            raise ValidationError("Isi NIK, atau tulis alasan bila belum ada NIK.")

    def validate_kk(self, field: Field) -> None:
        """The shape only."""
        if field.data:
            _refuse(check_kk(field.data).wrong)

    def person(self) -> NewPerson:
        """What was typed, as the service takes it."""
        return NewPerson(**{name: self[name].data for name in NewPerson.__dataclass_fields__})


class ReasonForm(PageForm):
    """Why something is changed or looked at: from a short list, or in own words. `row_version` is what the writer saw."""

    reason = StringField(default="")
    other_reason = Line(default="", validators=[Length(max=200, message="Alasan terlalu panjang, paling banyak 200 huruf.")])
    row_version = IntegerField(default=0, validators=[Optional()])

    @property
    def why(self) -> str:
        """The own words before the list."""
        return self.other_reason.data or self.reason.data or ""


class CorrectForm(PersonFieldsForm, ReasonForm):
    """A person as she should be."""

    def person(self) -> PersonFields:
        """What was typed, as the service takes it."""
        return PersonFields(**self.fields_typed())


class FamilyForm(ReasonForm):
    """Where a family lives."""

    address = Line(default="")
    hamlet = Line(default="")
    rt = Digits(default="")
    rw = Digits(default="")
    latitude = Degrees(validators=[Optional()])
    longitude = Degrees(validators=[Optional()])
    note = Text(default="", validators=[Length(max=2000, message="Catatan terlalu panjang.")])

    def family(self) -> FamilyFields:
        """What was typed, as the service takes it."""
        return FamilyFields(**{name: self[name].data for name in FamilyFields.__dataclass_fields__})


class HealthForm(PageForm):
    """What is known of somebody's health."""

    disabilities = TickedField(default=())
    chronic_illnesses = TickedField(default=())
    pregnant = BooleanField()
    row_version = IntegerField(default=0, validators=[Optional()])

    def health(self) -> Health:
        """What was ticked, as the service takes it."""
        return Health(**{name: self[name].data for name in Health.__dataclass_fields__})


class ContactForm(PageForm):
    """One more telephone number."""

    number = Line(default="")
    owner = Line(default="")
    whatsapp = BooleanField()
    main = BooleanField()

    def contact(self) -> NewContact:
        """What was typed, as the service takes it."""
        return NewContact(**{name: self[name].data for name in NewContact.__dataclass_fields__})


class HappeningForm(PageForm):
    """What all happenings share: when, on what paper, and what state of the data the writer saw."""

    on = Day(validators=[Optional()])
    evidence = Line(default="", validators=[Length(max=300, message="Keterangan bukti terlalu panjang.")])
    row_version = IntegerField(default=0, validators=[Optional()])


class DeathForm(HappeningForm):
    """Somebody died; perhaps the family has a new head already."""

    head_id = StringField(default="")


class MoveForm(HappeningForm, PlaceForm):
    """Somebody, or a whole family, goes to another place."""

    outside = Line(default="", validators=[Length(max=120, message="Nama tempat terlalu panjang.")])

    def move(self) -> Move:
        """What was typed, as the service takes it."""
        return Move(**{name: self[name].data for name in Move.__dataclass_fields__})


class MarriageForm(HappeningForm):
    """Somebody married."""

    spouse = Line(default="")


class BirthForm(HappeningForm):
    """A child was born into a family."""

    request_id = StringField()
    name = Line(default="")
    sex = StringField(default="")
    birth_date = Day(validators=[Optional()])
    birth_place = Line(default="")
    mother_name = Line(default="")
    father_name = Line(default="")
    nik = Digits(default="")

    def birth(self) -> Birth:
        """What was typed, as the service takes it."""
        return Birth(**{name: self[name].data for name in Birth.__dataclass_fields__})


class SplitForm(HappeningForm):
    """Some members get a card of their own."""

    member_ids = TickedField(default=())
    head_id = StringField(default="")
    kk = Digits(default="")
    address = Line(default="")
    hamlet = Line(default="")
    rt = Digits(default="")
    rw = Digits(default="")

    def split(self) -> Split:
        """What was chosen, as the service takes it."""
        return Split(**{name: self[name].data for name in Split.__dataclass_fields__})


class DivorceForm(SplitForm):
    """Somebody was divorced; perhaps one of the two has a card of her own already."""

    spouse_id = StringField(default="")
    spouse = Line(default="")

    def divorce(self) -> Divorce:
        """What was typed, as the service takes it."""
        leaving = self.split() if self.member_ids.data else None
        return Divorce(leaving=leaving, **{name: self[name].data for name in ("on", "evidence", "spouse_id", "spouse")})


class CardForm(HappeningForm, ReasonForm):
    """A family's card has another number."""

    kk = Digits(default="")


class HeadForm(HappeningForm):
    """Who heads the family now."""

    head_id = StringField(default="")


def _refuse(wrong: tuple[str, ...]) -> None:
    if wrong:
        raise ValidationError(wrong[0])
