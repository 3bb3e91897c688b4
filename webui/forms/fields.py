"""Kinds of field and the one form class that all page forms share.

A form here reads what was typed and checks its shape; whether it may be stored is said by the service, whose problems are
laid beside the fields with `refuse`. What was typed is always kept as it was typed.
"""

from __future__ import annotations

import re
from datetime import date, time
from typing import Any, ClassVar

from wtforms import DateField, Field, FloatField, Form, IntegerField, StringField, TextAreaField
from wtforms.form import BaseForm
from wtforms.validators import StopValidation

from appliance.errors import InvalidInput

MONTHS = (
    "januari", "februari", "maret", "april", "mei", "juni",
    "juli", "agustus", "september", "oktober", "november", "desember",
)  # fmt: skip


class PageForm(Form):
    """A form of a page. `problems` maps each wrong field to its sentence, in the order of the page."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.refused: dict[str, str] = {}

    @property
    def problems(self) -> dict[str, str]:
        """The first problem of each field, and those the service found."""
        own = {field.name: str(field.errors[0]) for field in self if field.errors}
        return own | {name: sentence for name, sentence in self.refused.items() if name not in own}

    def refuse(self, error: InvalidInput) -> None:
        """Lay the problems that the service found beside the fields."""
        self.refused |= error.problems

    def go_on_from(self, version: int) -> None:
        """Let the next press of the button build on the newer state that the page now shows; for forms with a `row_version`."""
        field = self["row_version"]
        field.process_data(version)
        field.raw_data = None

    def shown(self, name: str) -> Any:
        """The content of a field as the person typed it, also when it is wrong."""
        field = self[name]
        return field._value() if hasattr(field, "_value") else field.data


class Needed:
    """The field must not be empty; the sentence says what to type."""

    # WTForms asks each validator for attributes of the <input>; the macros of the pages write those themselves
    field_flags: ClassVar[dict[str, Any]] = {}

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence

    def __call__(self, form: BaseForm, field: Field) -> None:
        if not any(str(part).strip() for part in field.raw_data or []):
            field.errors = []
            raise StopValidation(self.sentence)


class Line(StringField):
    """One line of text, without blanks around it."""

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = " ".join(valuelist[0].split()) if valuelist else ""


class Digits(StringField):
    """A number that is written in groups on paper: NIK, family card, telephone. Blanks, dots and hyphens are dropped."""

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = re.sub(r"[\s.\-]", "", valuelist[0]) if valuelist else ""

    def _value(self) -> str:
        return str(self.raw_data[0]) if self.raw_data else (self.data or "")


class Whole(IntegerField):
    """A whole number, as people write it: 1.250.000, Rp1.250.000."""

    def process_formdata(self, valuelist: list[str]) -> None:
        typed = re.sub(r"[\s.]", "", valuelist[0]) if valuelist else ""
        typed = re.sub(r"^rp", "", typed, flags=re.IGNORECASE)
        self.data = None
        if typed:
            if not re.fullmatch(r"[0-9]{1,12}", typed):
                raise ValueError("Tulis angka bulat saja, contoh 600.000.")
            self.data = int(typed)

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "" if self.data is None else str(self.data)


class Text(TextAreaField):
    """Several lines of text; line ends are those of the server."""

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = valuelist[0].replace("\r\n", "\n").strip() if valuelist else ""


class Day(DateField):
    """A date as people here write it: 21-11-1980, 21/11/1980, 21 November 1980; also 1980-11-21."""

    def process_formdata(self, valuelist: list[str]) -> None:
        typed = valuelist[0].strip() if valuelist else ""
        self.data = None
        if typed:
            self.data = read_day(typed)

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return self.data.strftime("%d-%m-%Y") if self.data else ""


class ClockTime(StringField):
    """A time of day as people here write it: 14.05, 14:05."""

    def process_formdata(self, valuelist: list[str]) -> None:
        typed = valuelist[0].strip() if valuelist else ""
        self.data = typed
        if typed and read_clock(typed) is None:
            raise ValueError(f"Jam “{typed}” tidak terbaca. Tulis jam.menit, contoh 14.05.")


class Degrees(FloatField):
    """A latitude or longitude, with a point or a comma."""

    def process_formdata(self, valuelist: list[str]) -> None:
        typed = valuelist[0].strip().replace(",", ".") if valuelist else ""
        self.data = None
        if typed:
            try:
                self.data = float(typed)
            except ValueError as error:
                raise ValueError("Tulis koordinat sebagai angka, contoh -5,5417.") from error

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "" if self.data is None else str(self.data)


class TickedField(Field):
    """The values of the boxes that were ticked."""

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data: tuple[str, ...] = tuple(value for value in valuelist if value)


def read_day(typed: str) -> date:
    """The date that was typed. Raises ValueError with the sentence for the person."""
    found = re.fullmatch(r"(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4})", typed)
    if found:
        day, month, year = (int(part) for part in found.groups())
        return _date(year, month, day, typed)
    found = re.fullmatch(r"(\d{4})-(\d{2})-(\d{2})", typed)
    if found:
        year, month, day = (int(part) for part in found.groups())
        return _date(year, month, day, typed)
    found = re.fullmatch(r"(\d{1,2})\s+([A-Za-z]+)\s+(\d{4})", typed)
    if found and _month(found[2]):
        return _date(int(found[3]), _month(found[2]), int(found[1]), typed)
    raise ValueError(f"Tanggal “{typed}” tidak terbaca. Tulis hari-bulan-tahun, contoh 21-11-1980.")


def _month(name: str) -> int:
    fitting = [number for number, month in enumerate(MONTHS, start=1) if len(name) >= 3 and month.startswith(name.lower())]
    return fitting[0] if len(fitting) == 1 else 0


def _date(year: int, month: int, day: int, typed: str) -> date:
    try:
        return date(year, month, day)
    except ValueError as error:
        raise ValueError(f"Tanggal “{typed}” tidak ada di kalender.") from error


def read_clock(typed: str) -> time | None:
    """The time of day that was typed; None for what is none."""
    found = re.fullmatch(r"(\d{1,2})[.:](\d{2})", typed)
    if not found or int(found[1]) > 23 or int(found[2]) > 59:
        return None
    return time(int(found[1]), int(found[2]))
