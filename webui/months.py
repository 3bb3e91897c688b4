"""The month that the address of a page asks for (`?bulan=2026-11`), and the months beside it."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from flask import request

# No node is older, and the first month of the calendar has none before it.
EARLIEST = date(2000, 1, 1)


def chosen_month(today: date, otherwise: date | None = None) -> date:
    """The first day of the month in the address; what is no month is that of `otherwise`, or of `today`. Never one that lies ahead."""
    try:
        asked = datetime.strptime(request.args.get("bulan", ""), "%Y-%m").date()  # noqa: DTZ007 - a month has no zone
    except ValueError:
        asked = otherwise or today
    return max(min(asked, today), EARLIEST).replace(day=1)


def neighbour(first: date, step: int) -> str:
    """The month after (`step` 1) or before (-1) the one that begins with `first`, as an address has it."""
    return f"{first + timedelta(days=32 if step > 0 else -1):%Y-%m}"
