"""The calendar of the office: free days, hours, and how long each step of a case may take."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import date
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from appliance.casework import catalogue, office_calendar
from appliance.casework.deadlines import Unit
from appliance.casework.office_calendar import EDITORS, HOLIDAY_KINDS, STAGES, UNITS, NewHoliday, NewHours
from appliance.errors import InvalidInput
from webui.forms.fields import read_day
from webui.navigation import Entry
from webui.security import takes_files
from webui.session import actor, now, settings, signed_in

blueprint = Blueprint("office_calendar", __name__)
NAVIGATION = (Entry("Kalender kerja", "office_calendar.show", icon="clock", roles=EDITORS, order=76),)
WEEKDAYS = ("Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu", "Minggu")
MOST_BYTES = 256 * 1024
_KIND_WORDS = {label.lower(): code for code, label in HOLIDAY_KINDS.items()} | {code: code for code in HOLIDAY_KINDS}


@blueprint.get("/kalender")
@signed_in(*EDITORS)
def show() -> ResponseReturnValue:
    """One year, with the hours and the limits."""
    return _page()


@blueprint.post("/kalender/libur")
@signed_in(*EDITORS)
def add_holiday() -> ResponseReturnValue:
    """Make a day free."""
    typed = request.form
    new = NewHoliday(_day(typed.get("day", "")), typed.get("name", ""), typed.get("kind", ""))
    return _change("libur", lambda: office_calendar.add_holiday(new, by=actor(), at=now()), "Hari libur tersimpan.")


@blueprint.post("/kalender/libur/<holiday_id>/hapus")
@signed_in(*EDITORS)
def remove_holiday(holiday_id: str) -> ResponseReturnValue:
    """Make a day a working day again."""
    return _change("libur", lambda: office_calendar.remove_holiday(holiday_id, by=actor(), at=now()), "Hari libur dihapus.")


@blueprint.post("/kalender/impor")
@signed_in(*EDITORS)
@takes_files(MOST_BYTES)
def import_holidays() -> ResponseReturnValue:
    """Take over the days of a decree from a CSV file, all or none."""
    file = request.files.get("file")
    content = file.read() if file else b""

    def take_over() -> None:
        office_calendar.import_holidays(_lines(content), by=actor(), at=now())

    return _change("impor", take_over, "Semua hari libur dalam berkas tersimpan.")


@blueprint.post("/kalender/jam")
@signed_in(*EDITORS)
def save_hours() -> ResponseReturnValue:
    """The usual hours, or those of a period."""
    typed = request.form
    week = tuple((_clock(f"opens-{place}"), _clock(f"closes-{place}")) for place in range(7))
    usual = typed.get("usual") == "ya"
    new = NewHours(week, typed.get("name", ""), _day(typed.get("starts", "")), _day(typed.get("ends", "")), usual)
    part = "jam" if usual else "masa"
    return _change(part, lambda: office_calendar.save_hours(new, by=actor(), at=now()), "Jam kerja tersimpan.")


@blueprint.post("/kalender/jam/<hours_id>/hapus")
@signed_in(*EDITORS)
def remove_period(hours_id: str) -> ResponseReturnValue:
    """The usual hours hold again."""
    return _change("masa", lambda: office_calendar.remove_period(hours_id, by=actor(), at=now()), "Jam kerja khusus dihapus.")


@blueprint.post("/kalender/batas")
@signed_in(*EDITORS)
def save_limit() -> ResponseReturnValue:
    """How long a step may take."""
    typed = request.form
    service, state, unit = (typed.get(name, "") for name in ("service_code", "state", "unit"))
    amount = typed.get("amount", "").strip()
    count = int(amount) if amount.isdecimal() and len(amount) < 6 else None
    return _change(
        "batas",
        lambda: office_calendar.save_limit(service, state, count, unit, by=actor(), at=now()),
        "Batas tahap tersimpan.",
    )


def _change(part: str, do: Callable[[], None], told: str) -> ResponseReturnValue:
    """Do it and show the calendar again, or the form with what is wrong in its part of the page."""
    try:
        do()
    except InvalidInput as error:
        return _page(part, error.problems), 422
    flash(f"{told} Batas waktu kasus yang terbuka dihitung ulang.", "good")
    return redirect(url_for("office_calendar.show", tahun=_year(), _anchor=part), 303)


def _page(part: str = "", problems: dict[str, str] | None = None) -> str:
    known: dict[str, Any] = {"typed": request.form, "part": part, "problems": problems or {}}
    return render_template(
        "office_calendar/show.html",
        calendar=office_calendar.look_at_year(_year(), by=actor()),
        kinds=HOLIDAY_KINDS,
        units=UNITS,
        stages=[(state.value, state.label) for state in STAGES],
        services=[(choice.code, choice.name) for choice in catalogue.service_types()],
        weekdays=WEEKDAYS,
        minutes=Unit.MINUTES,
        **known,
    )


def _year() -> int:
    this_year = now().astimezone(settings().zone).year
    wanted = request.args.get("tahun", this_year, type=int)
    return wanted if 2000 <= wanted <= 2100 else this_year


def _clock(name: str) -> str:
    """A time as an office writes it (08.00) in the form the service reads."""
    typed = request.form.get(name, "").strip().replace(".", ":")
    return typed.rjust(5, "0") if typed else ""


def _day(typed: str) -> date | None:
    try:
        return read_day(typed.strip())
    except ValueError:
        return None


def _lines(content: bytes) -> list[NewHoliday]:
    """The lines of a CSV file with the columns tanggal, nama, jenis, with or without these headings. Raises InvalidInput."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput({"file": "Berkas tidak terbaca; simpan sebagai CSV (UTF-8) lalu pilih lagi."}) from error
    dialect = "excel-semicolon" if ";" in text else "excel"
    rows = [row for row in csv.reader(text.splitlines(), dialect) if any(cell.strip() for cell in row)]
    if rows and rows[0][0].strip().lower() == "tanggal":
        rows = rows[1:]
    return [_line(row) for row in rows]


class _Semicolons(csv.excel):
    delimiter = ";"


csv.register_dialect("excel-semicolon", _Semicolons)


def _line(row: list[str]) -> NewHoliday:
    day, name, kind = ([cell.strip() for cell in row] + ["", "", ""])[:3]
    return NewHoliday(_day(day), name, _KIND_WORDS.get(kind.lower(), kind))
