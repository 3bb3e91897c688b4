"""The national holidays and collective leave of the years that the ministers have decreed. The one adapter of lokal's list."""

from __future__ import annotations

from datetime import date


def decreed_holidays() -> dict[int, tuple[tuple[date, str, str], ...]]:
    """For each known year its days, each once: day, name, libur_nasional or cuti_bersama."""
    # Not at the top: its other parts take a tenth of a second of every command and daemon to load.
    from lokal.holidays import HOLIDAY_YEARS, get_holidays

    return {
        year: tuple((date.fromisoformat(day.date), day.name, day.type) for day in get_holidays(year).holidays)
        for year in HOLIDAY_YEARS
    }
