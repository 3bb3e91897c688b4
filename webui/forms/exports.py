"""Forms about lists that leave the office: asking for one, and the order of its columns."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, SelectMultipleField, StringField
from wtforms.validators import Optional, Regexp

from appliance.exchange.export_filter import ListFilter
from appliance.exchange.exports import NewExport
from appliance.models.export import Export
from webui.forms.fields import Day, Digits, Line, PageForm, Text
from webui.forms.proposals import read_period

_AGE = Regexp(r"[0-9]{0,3}$", message="Tulis umur dengan angka, misalnya 60.")
MASKED, WHOLE = "samar", "lengkap"


class ExportForm(PageForm):
    """A list to ask for. The names are those of NewExport and its filter, so that their problems find their fields."""

    request_id = StringField()
    layout = StringField(default="warga")
    format = StringField(default="xlsx")
    masked = StringField(default=MASKED)
    area_codes = SelectMultipleField(choices=[], validate_choice=False, default=[])
    status = StringField(default="hidup")
    sex = StringField(default="")
    without_nik = BooleanField()
    age_from = Digits(default="", validators=[_AGE])
    age_to = Digits(default="", validators=[_AGE])
    programme_id = StringField(default="")
    participation = StringField(default="aktif")
    cases = StringField(default="terbuka")
    received_from = Day(validators=[Optional()])
    received_to = Day(validators=[Optional()])
    proposals = StringField(default="SIAP_ENTRI")
    period = Line(default="")
    reason = StringField(default="")
    reason_note = Text(default="")
    recipient = Line(default="")

    def new_export(self) -> NewExport:
        """What was asked for, as the service takes it."""
        return NewExport(
            layout=self.layout.data or "",
            format=self.format.data or "",
            reason=self.reason.data or "",
            reason_note=self.reason_note.data or "",
            recipient=self.recipient.data or "",
            area_codes=tuple(self.area_codes.data or ()),
            masked=self.masked.data != WHOLE,
            wanted=ListFilter(
                status=self.status.data or "",
                without_nik=bool(self.without_nik.data),
                sex=self.sex.data or "",
                age_from=_years(self.age_from.data),
                age_to=_years(self.age_to.data),
                programme_id=self.programme_id.data or "",
                participation=self.participation.data or "",
                cases=self.cases.data or "",
                received_from=_iso(self.received_from.data),
                received_to=_iso(self.received_to.data),
                proposals=self.proposals.data or "",
                period=read_period(self.period.data or ""),
            ),
        )


def asked_again(export: Export) -> dict[str, object]:
    """The same wishes once more, for an empty form; the reason is to be given anew."""
    wanted = ListFilter(**export.filters)
    return {
        "layout": export.layout,
        "format": export.format,
        "masked": MASKED if export.masked else WHOLE,
        "area_codes": export.area_codes,
        "status": wanted.status,
        "sex": wanted.sex,
        "without_nik": wanted.without_nik,
        "age_from": "" if wanted.age_from is None else str(wanted.age_from),
        "age_to": "" if wanted.age_to is None else str(wanted.age_to),
        "programme_id": wanted.programme_id,
        "participation": wanted.participation,
        "cases": wanted.cases,
        "received_from": date.fromisoformat(wanted.received_from) if wanted.received_from else None,
        "received_to": date.fromisoformat(wanted.received_to) if wanted.received_to else None,
        "proposals": wanted.proposals,
        "period": "-".join(reversed(wanted.period.split("-"))),
        "recipient": export.recipient,
    }


def columns_typed(typed: MultiDict[str, str], keys: Iterable[str]) -> list[tuple[str, str]]:
    """The chosen columns (key, heading) by the number that was typed beside each; one without a number is left out.

    Columns of the same number stay in the order of the page.
    """
    places = {key: typed.get(f"place-{key}", "").strip() for key in keys}
    chosen = sorted((int(place), at, key) for at, (key, place) in enumerate(places.items()) if place.isdecimal())
    return [(key, " ".join(typed.get(f"heading-{key}", "").split())) for _, _, key in chosen]


def _years(text: str | None) -> int | None:
    return int(text) if text else None


def _iso(day: date | None) -> str:
    return day.isoformat() if day else ""
