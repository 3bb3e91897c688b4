"""Forms about the office's documents: a wording, the letterhead, an official who signs."""

from __future__ import annotations

from typing import Any

from wtforms import BooleanField, IntegerField, StringField

from appliance.letters.office import Head, SignatoryFields
from appliance.letters.wording import Purpose, Question, Wording, purposes_text, questions_text, read_purposes, read_questions
from webui.forms.fields import Digits, Line, Needed, PageForm, Text


class WordingForm(PageForm):
    """One document. `version` is the one it builds on."""

    version = IntegerField(default=0)
    code = Line(default="")
    name = Line(default="", validators=[Needed("Tulis nama dokumen.")])
    kind = StringField(default="surat")
    title = Line(default="", validators=[Needed("Tulis judul atau hal surat.")])
    layout = StringField(default="surat")
    paper = StringField(default="F4")
    classification = Line(default="")
    series = Line(default="umum")
    pattern = Line(default="")
    nature = Line(default="")
    attachment = Line(default="")
    addressee = Text(default="")
    copies = Text(default="")
    purposes = Text(default="")
    questions = Text(default="")
    body = Text(default="", validators=[Needed("Tulis isi naskah.")])
    active = BooleanField(default=True)

    def validate(self, extra_validators: Any = None) -> bool:
        """The lists must be readable, besides what each field asks."""
        well = super().validate(extra_validators)
        self._lists: dict[str, Any] = {}
        for name, read in (("purposes", read_purposes), ("questions", read_questions)):
            try:
                self._lists[name] = read(self[name].data or "")
            except ValueError as error:
                self.refused[name] = str(error)
        return bool(well) and not self.refused

    def wording(self, code: str = "") -> Wording:
        """What was typed, once it is validated."""
        typed = {
            name: value for name, value in self.data.items() if name not in ("code", "copies", "purposes", "questions", "version")
        }
        purposes: tuple[Purpose, ...] = self._lists["purposes"]
        questions: tuple[Question, ...] = self._lists["questions"]
        copies = tuple(line.strip() for line in (self.copies.data or "").splitlines() if line.strip())
        return Wording(
            code=code or self.code.data or "",
            version=self.version.data or 0,
            copies=copies,
            purposes=purposes,
            questions=questions,
            **typed,
        )


def wording_form(wording: Wording) -> WordingForm:
    """The form that shows a wording as it is stored."""
    plain = {name: getattr(wording, name) for name in WordingForm().data if name not in ("copies", "purposes", "questions")}
    lists = {"copies": "\n".join(wording.copies), "purposes": purposes_text(wording), "questions": questions_text(wording)}
    return WordingForm(data=plain | lists)


class HeadForm(PageForm):
    """The letterhead. The names are those of Head; the logos are files beside it."""

    version = IntegerField(default=0)
    government = Line(default="", validators=[Needed("Tulis nama pemerintah daerah.")])
    office = Line(default="", validators=[Needed("Tulis nama kantor.")])
    place = Line(default="", validators=[Needed("Tulis tempat surat ditulis.")])
    address = Line(default="")
    phone = Line(default="")
    contact = Line(default="")
    check_address = Line(default="")

    def head(self, known: Head, *, without: frozenset[str] = frozenset()) -> Head:
        """What was typed, with the logos of `known` but for those named in `without`."""
        typed = {name: value for name, value in self.data.items() if name != "version"}
        logos = {side: "" if side in without else getattr(known, side) for side in ("logo_left", "logo_right")}
        return Head(version=self.version.data or 0, **typed, **logos)


class SignatoryForm(PageForm):
    """An official who signs. The names are those of SignatoryFields."""

    row_version = IntegerField(default=0)
    name = Line(default="", validators=[Needed("Tulis nama dengan gelar.")])
    position = Line(default="", validators=[Needed("Tulis jabatan.")])
    rank = Line(default="")
    nip = Digits(default="")
    on_behalf = Line(default="")
    by_order = Line(default="")
    active = BooleanField(default=True)

    def fields(self) -> SignatoryFields:
        """What was typed, as the service takes it."""
        return SignatoryFields(**{name: value for name, value in self.data.items() if name != "row_version"})
