"""Forms of incidents. The names are those of the service's fields; a moment is a day and a time of the office's clock."""

from __future__ import annotations

from datetime import datetime, time
from zoneinfo import ZoneInfo

from wtforms import IntegerField, StringField

from appliance.incidents.book import IncidentDetail
from appliance.incidents.register import IncidentText
from webui.forms.fields import ClockTime, Day, Line, PageForm, Text, read_clock

MOMENTS = ("happened_at", "noticed_at", "seen_from", "seen_until")


class IncidentForm(PageForm):
    """What is noted of an incident. A day without a time counts from its beginning, as the end of a time to its end."""

    request_id = StringField()
    row_version = IntegerField(default=0)
    kind = StringField(default="")
    account_id = StringField(default="")
    device = Line(default="")
    happened_at, happened_at_clock = Day(), ClockTime(default="")
    noticed_at, noticed_at_clock = Day(), ClockTime(default="")
    seen_from, seen_from_clock = Day(), ClockTime(default="")
    seen_until, seen_until_clock = Day(), ClockTime(default="")
    story = Text(default="")
    data_seen = Text(default="")
    measures = Text(default="")

    def incident(self, zone: ZoneInfo) -> IncidentText:
        """What was typed, as the service takes it."""
        moments = {name: self._moment(name, zone) for name in MOMENTS}
        return IncidentText(
            kind=self.kind.data or "",
            story=self.story.data or "",
            data=self.data_seen.data or "",
            measures=self.measures.data or "",
            account_id=self.account_id.data or "",
            device=self.device.data or "",
            **moments,
        )

    def show(self, known: IncidentDetail, zone: ZoneInfo) -> None:
        """Lay what is noted now into the fields."""
        for name in ("account_id", "device", "story", "measures"):
            self[name].process_data(getattr(known, name))
        self.kind.process_data(known.line.kind.value)
        self.data_seen.process_data(known.data)
        self.row_version.process_data(known.row_version)
        moments = {"noticed_at": known.line.noticed_at}
        for name in MOMENTS:
            self.set_moment(name, moments.get(name) or getattr(known, name), zone)

    def set_moment(self, name: str, moment: datetime | None, zone: ZoneInfo) -> None:
        """Lay a moment into its two fields."""
        if moment:
            here = moment.astimezone(zone)
            self[name].process_data(here.date())
            self[f"{name}_clock"].process_data(f"{here:%H.%M}")

    def _moment(self, name: str, zone: ZoneInfo) -> datetime | None:
        day, typed = self[name].data, read_clock(self[f"{name}_clock"].data or "")
        if day is None:
            return None
        if name == "seen_until":
            return datetime.combine(day, typed.replace(second=59) if typed else time.max, zone)
        return datetime.combine(day, typed or time.min, zone)
