"""The forms of the node's address and of its clock. What an address must be, the rules of the network say."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from webui.forms.fields import ClockTime, Day, Line, PageForm, read_clock


class AddressForm(PageForm):
    """An address with its length, the way out and the name servers."""

    address = Line(default="")
    gateway = Line(default="")
    dns = Line(default="")


class ClockForm(PageForm):
    """A date, a time, the date once more, and the password."""

    wish = Line(default="set")
    date = Day()
    time = ClockTime(default="")
    typed = Line(default="")
    password = Line(default="")

    def moment(self, zone: ZoneInfo) -> datetime | None:
        """The moment that was typed by the office's clock; None unless date and time are there."""
        clock = read_clock(self.time.data or "")
        return datetime.combine(self.date.data, clock, zone) if self.date.data and clock else None
