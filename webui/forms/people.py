"""Forms about residents: finding one, and registering a new one."""

from __future__ import annotations

from wtforms import BooleanField, Field, StringField
from wtforms.validators import Length, Optional, ValidationError

from appliance.registry.nik import check_kk, check_nik
from appliance.registry.people import NewPerson
from webui.forms.fields import Day, Digits, Line, Needed, PageForm


class FindForm(PageForm):
    """The one search box, with a village to narrow it."""

    q = StringField(default="")
    village_code = StringField(default="")


class PersonForm(PageForm):
    """A resident who is not registered yet. The names are those of NewPerson, so that its problems find their fields."""

    request_id = StringField()
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
    village_code = StringField(default="", validators=[Needed("Pilih desa atau kelurahan tempat tinggal.")])
    address = Line(default="")
    hamlet = Line(default="")
    rt = Digits(default="")
    rw = Digits(default="")
    kk = Digits(default="")
    relation = StringField(default="11")
    mother_name = Line(default="")
    phone = Digits(default="")
    occupation = Line(default="")
    insurance = StringField(default="")
    insurance_number = Digits(default="")
    not_the_same = BooleanField()

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
        apart = {"request_id", "not_the_same"}
        return NewPerson(**{name: value for name, value in self.data.items() if name not in apart})


def _refuse(wrong: tuple[str, ...]) -> None:
    if wrong:
        raise ValidationError(wrong[0])
