"""Who stands in a national list, as a ministry's sheet says: a look into that list for each row, with its desil if it tells one.

Only copied, never computed. What a look showed is never changed; when its import is taken back it is withdrawn (`withdrawing`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

import sqlalchemy as sa

from appliance.access import Actor
from appliance.database import db, one_of, table_of
from appliance.exchange.withdrawing import LOOK, request_of
from appliance.models.columns import new_id
from appliance.models.imports import Verdict
from appliance.models.profile import Listed, ListStatus
from appliance.registry.bulk import Decision, Stored

NOTED = "Sudah tercatat sama persis di daftar ini; tidak ditambahkan lagi."
SEEN = (Verdict.NEW, Verdict.CHANGED, Verdict.SAME, Verdict.SKIPPED)


def noted_before(decisions: Sequence[Decision], options: Mapping[str, str]) -> set[int]:
    """The rows of a part whose person has the very same look already: of that list, period and day, with these values."""
    people = {
        decision.candidate.number: (decision.person["id"], *_told(decision))
        for decision in decisions
        if decision.person is not None
    }
    same = (
        ListStatus.list_id == options["list_id"],
        ListStatus.checked_on == date.fromisoformat(options["checked_on"]),
        ListStatus.period == _period(options),
        ListStatus.listed == Listed.YES.value,
        ListStatus.withdrawn_at.is_(None),
    )
    whose = one_of(ListStatus.person_id, [person for person, _, _ in people.values()])
    statement = sa.select(ListStatus.person_id, ListStatus.outside_id, ListStatus.decile).where(whose, *same)
    known = {tuple(row) for row in db.session.execute(statement)}
    return {number for number, look in people.items() if look in known}


def note_listed(
    decisions: Sequence[Decision],
    stored: Mapping[int, Stored],
    import_id: str,
    options: Mapping[str, str],
    *,
    by: Actor,
    at: datetime,
) -> int:
    """Store a look for each person of a part who has not the same already, inside the running transaction; how many."""
    rows, known = [], noted_before(decisions, options)
    for decision in decisions:
        number = decision.candidate.number
        if number in known:
            continue
        outside_id, decile = _told(decision)
        person = stored[number].person_id if number in stored else decision.person["id"] if decision.person else None
        if person is None or decision.verdict not in SEEN:
            continue
        rows.append(
            {
                "id": new_id(),
                "request_id": request_of(import_id, number, LOOK),
                "list_id": options["list_id"],
                "person_id": person,
                "family_id": None,
                "listed": Listed.YES.value,
                "outside_id": outside_id,
                "decile": decile,
                "period": _period(options),
                "checked_on": date.fromisoformat(options["checked_on"]),
                "checked_by": by.name,
                "evidence": "Daftar yang diimpor",
                "stored_at": at,
                "stored_by": by.account_id,
            }
        )
    if rows:
        db.session.execute(sa.insert(table_of(ListStatus)), rows)
    return len(rows)


def _told(decision: Decision) -> tuple[str, int | None]:
    """The list's own number and the desil of a row."""
    values = decision.candidate.values
    return str(values.get("outside_id", ""))[:40], values.get("decile")


def _period(options: Mapping[str, str]) -> str:
    return options.get("period", "")[:40]
