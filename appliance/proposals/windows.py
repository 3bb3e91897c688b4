"""The month a proposal belongs to: from which to which day of it the list takes entries, over the office's calendar. Pure.

What comes after the cut-off belongs to the next month. A cut-off on a free day is the last working day before it.
"""

from __future__ import annotations

import calendar as months
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from appliance.casework.deadlines import Calendar

USUAL = ""
_PERIOD = re.compile(r"20\d\d-(0[1-9]|1[0-2])")
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Rule:
    """From which to which day of a month, and after how many working days a missing result is late."""

    opens_day: int = 1
    closes_day: int = 17
    result_days: int = 30


@dataclass(frozen=True)
class Window:
    """One month's window: the first and the last day on which an entry counts for it."""

    period: str
    opens: date
    closes: date


Rules = Mapping[str, Rule]


def is_period(text: str) -> bool:
    """Whether the text names a month: "2026-11"."""
    return _PERIOD.fullmatch(text) is not None


def rule_for(rules: Rules, period: str) -> Rule:
    """The rule of one month: its own, or the usual one."""
    return rules.get(period) or rules.get(USUAL) or Rule()


def window_of(rules: Rules, period: str, calendar: Calendar) -> Window:
    """The window of a month. A day that the month does not have is its last."""
    rule, (year, month) = rule_for(rules, period), _numbers(period)
    last = months.monthrange(year, month)[1]
    opens, closes = (date(year, month, min(day, last)) for day in (rule.opens_day, rule.closes_day))
    worked = closes
    while worked > opens and calendar.hours_on(worked) is None:
        worked -= _DAY
    return Window(period, opens, worked if calendar.hours_on(worked) else closes)


def window_on(rules: Rules, day: date, calendar: Calendar) -> Window:
    """The window that an entry on this day counts for."""
    found = window_of(rules, f"{day:%Y-%m}", calendar)
    return found if day <= found.closes else window_of(rules, next_period(found.period), calendar)


def next_period(period: str) -> str:
    """The month after."""
    year, month = _numbers(period)
    return f"{year + month // 12}-{month % 12 + 1:02d}"


def working_days_left(calendar: Calendar, today: date, closes: date) -> int:
    """How many working days there are from tomorrow up to the last one; 0 on the last day, and after it."""
    return sum(calendar.hours_on(today + _DAY * ahead) is not None for ahead in range(1, (closes - today).days + 1))


def _numbers(period: str) -> tuple[int, int]:
    year, _, month = period.partition("-")
    return int(year), int(month)
