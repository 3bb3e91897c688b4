"""The forms of the recovery sheet, of a restore and of a look at a case as it was."""

from __future__ import annotations

from datetime import datetime, time
from zoneinfo import ZoneInfo

from wtforms import StringField

from webui.forms.fields import ClockTime, Day, Line, Needed, PageForm, read_clock


class SheetForm(PageForm):
    """Which paper, and the last groups as they stand on it."""

    paper = Line(default="", validators=[Needed("Pilih lembar mana yang diuji.")])
    groups = Line(default="", validators=[Needed("Ketik dua kelompok terakhir dari lembar.")])


class RestoreForm(PageForm):
    """An order to check a backup, to bring it or some moment back or to take that back."""

    wish = Line(default="")
    run = Line(default="")
    day = Day()
    clock = ClockTime(default="")
    reason = Line(default="")
    typed = Line(default="")

    def moment(self, zone: ZoneInfo) -> datetime | None:
        """The moment that was typed by the office's clock; None unless day and time are there."""
        clock = read_clock(self.clock.data or "")
        return datetime.combine(self.day.data, clock, zone) if self.day.data and clock else None


class RemovalForm(PageForm):
    """Which state from before a restore is to be erased, with the word and the password for it."""

    number = Line(default="")
    removal = Line(default="")
    password = StringField(default="")


class LookForm(PageForm):
    """Which case to look at, as it was on which night, or `BETWEEN` two of them at which moment, and why."""

    BETWEEN = "saat"

    case = Line(default="")
    run = Line(default="")
    day = Day()
    clock = ClockTime(default="")
    reason = Line(default="")

    def moment(self, zone: ZoneInfo) -> datetime | None:
        """The moment that was typed by the office's clock; None where a night was chosen."""
        if self.run.data != self.BETWEEN or not self.day.data:
            return None
        return datetime.combine(self.day.data, read_clock(self.clock.data or "") or time(), zone)
