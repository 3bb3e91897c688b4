"""When this node wants what is done once a night, by the office's own hours where it is switched off then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from datetime import time as local_time

from appliance.casework.office_calendar import calendar_in_use
from appliance.config import Settings
from appliance.scheduling.workplace import Workplace
from backups.schedule import Rhythm


def rhythm_of(settings: Settings) -> Rhythm:
    """As the settings say it."""
    kept = settings.backup
    return Rhythm(local_time.fromisoformat(kept.time), settings.zone, timedelta(seconds=kept.boot_delay_seconds))


def rhythm_of_office(workplace: Workplace) -> Rhythm:
    """As the settings say it, and before the office closes where they ask for that."""
    rhythm, minutes = rhythm_of(workplace.settings), workplace.settings.backup.before_closing_minutes
    if not minutes or not workplace.has_tables():
        return rhythm
    with workplace.service.app_context():
        week = calendar_in_use().week
    return before_closing(rhythm, [hours.closes if hours else None for hours in week], minutes)


def before_closing(rhythm: Rhythm, closes: Sequence[local_time | None], minutes: int) -> Rhythm:
    """The rhythm of an office that closes at `closes` (Monday first, None: closed) and then switches the node off."""
    day = datetime(2000, 1, 2)  # noqa: DTZ001 - only to count with a clock; an office that closes at midnight stays in its day
    early = {
        number: (datetime.combine(day, clock) - timedelta(minutes=minutes)).time()
        for number, clock in enumerate(closes)
        if clock is not None
    }
    return replace(rhythm, closing=early)
