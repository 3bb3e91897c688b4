"""Computing the due times of all open cases again after the office changed its calendar. Done by the worker, some cases at a time.

To do it twice changes nothing: what was cut off begins anew.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from appliance import background
from appliance.background import Taken
from appliance.casework import due_times, further_dues, office_calendar
from appliance.database import db, transaction
from appliance.models.case import Case
from appliance.models.states import OPEN

AT_ONCE = 100


class Hands(Protocol):
    """What the worker hands to who does the work."""

    @property
    def now(self) -> Callable[[], datetime]: ...

    def check(self) -> None: ...


def run(task: Taken, work: Hands) -> str:
    """Go through the open cases in the order of their identifiers."""
    last, seen, changed = "", 0, 0
    total = db.session.scalar(sa.select(sa.func.count()).where(Case.state.in_(OPEN))) or 0
    while True:
        work.check()
        with transaction() as session:
            # The cases first: whoever changes the calendar meanwhile asks for another round.
            wanted = sa.select(Case).where(Case.state.in_(OPEN), Case.id > last).order_by(Case.id).limit(AT_ONCE)
            rows = session.scalars(wanted.options(joinedload(Case.service_type)).with_for_update(of=Case)).all()
            if not rows:
                return f"{seen} kasus terbuka dihitung ulang; {changed} batas waktu berubah."
            calendar, limits = office_calendar.calendar_in_use(), office_calendar.stage_limits()
            further_dues.recount_further(rows, calendar, work.now())
            changed += due_times.recount_for_calendar(rows, calendar, limits, work.now())
            last, seen = rows[-1].id, seen + len(rows)
            background.move(task.id, seen, max(total, seen), at=work.now())
