"""The words of the pages: how a code, a date or a number is read by an officer.

The one place where a code of the service becomes Indonesian. It knows no request; the office's zone is handed in.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal

NOTHING = "–"


def date_words(value: date | datetime | None, zone: ZoneInfo) -> str:
    """21 November 2026."""
    return NOTHING if value is None else str(format_date(_day(value, zone), "d MMMM y", locale="id"))


def short_date_words(value: date | datetime | None, zone: ZoneInfo) -> str:
    """21-11-2026."""
    return NOTHING if value is None else str(format_date(_day(value, zone), "dd-MM-y", locale="id"))


def moment_words(value: datetime | None, zone: ZoneInfo) -> str:
    """Sabtu, 21 November 2026 pukul 14.05 WITA."""
    if value is None:
        return NOTHING
    return str(format_datetime(_aware(value), "EEEE, d MMMM y 'pukul' HH.mm z", tzinfo=zone, locale="id"))


def short_moment_words(value: datetime | None, zone: ZoneInfo) -> str:
    """21-11-2026 14.05."""
    return NOTHING if value is None else str(format_datetime(_aware(value), "dd-MM-y HH.mm", tzinfo=zone, locale="id"))


def number_words(value: float | None) -> str:
    """1.234.567,5."""
    return NOTHING if value is None else str(format_decimal(value, locale="id"))


def span_words(span: timedelta) -> str:
    """A length of time in its biggest whole unit: 3 hari, 5 jam, 12 menit."""
    minutes = int(abs(span).total_seconds()) // 60
    if minutes >= 24 * 60:
        return f"{minutes // (24 * 60)} hari"
    if minutes >= 60:
        return f"{minutes // 60} jam"
    return f"{max(minutes, 1)} menit"


def _day(value: date | datetime, zone: ZoneInfo) -> date:
    return _aware(value).astimezone(zone).date() if isinstance(value, datetime) else value


def _aware(value: datetime) -> datetime:
    return value if value.tzinfo else value.replace(tzinfo=UTC)
